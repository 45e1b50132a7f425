//! Plans small hard fleets and prints each as a line of JSON with what it cost and how long it took, for
//! `bench/cores.py`: `cargo run --release -p planner --example cores [FLEETS]`.
#![expect(clippy::disallowed_methods, reason = "a clock, to measure")]

use std::fmt::Write as _;
use std::time::Instant;

fn main() {
    let fleets: u64 = std::env::args()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(120);
    let mut seed = 1;
    for fleet in 0..fleets {
        let count = 10 + next(&mut seed) % 31;
        let degree = 2 + next(&mut seed) % 9;
        let mutual = fleet % 4 != 3;
        let costs: Vec<u64> = (0..count)
            .map(|_| {
                if fleet % 2 == 0 {
                    1
                } else {
                    1 + next(&mut seed) % 9
                }
            })
            .collect();
        let mut links: Vec<(u64, u64)> = Vec::new();
        for _ in 0..count * degree / 2 {
            let (a, b) = (next(&mut seed) % count, next(&mut seed) % count);
            let link = if mutual { (a.min(b), a.max(b)) } else { (a, b) };
            if a != b && !links.contains(&link) {
                links.push(link);
            }
        }
        measure(&costs, &links, mutual);
    }
}

fn measure(costs: &[u64], links: &[(u64, u64)], mutual: bool) {
    let mut text = String::from("model 1\n");
    for (x, cost) in costs.iter().enumerate() {
        let _ = writeln!(text, "component c{x} cost={cost}");
    }
    let arrow = if mutual { "<->" } else { "->" };
    for (a, b) in links {
        let _ = writeln!(text, "link c{a} {arrow} c{b}");
    }
    let model = plan::read_model(&text).expect("the generator writes models");
    let clock = Instant::now();
    let document = planner::plan_model(&model, plan::Goal::Retired);
    let took = clock.elapsed();
    let clock = Instant::now();
    let (report, _) = plan::examine(&model, &document);
    let checked = clock.elapsed();
    let links: Vec<String> = links.iter().map(|(a, b)| format!("[{a},{b}]")).collect();
    println!(
        "{{\"costs\":{costs:?},\"links\":[{}],\"mutual\":{mutual},\"cost\":{},\"bound\":{},\"status\":\"{}\",\"violations\":{},\"microseconds\":{},\"check\":{}}}",
        links.join(","),
        document.claims.cost_milli.unwrap_or(0),
        document.claims.cost_lower_bound_milli.unwrap_or(0),
        report.bound.word(),
        report.violations.len(),
        took.as_micros(),
        checked.as_micros(),
    );
}

fn next(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}
