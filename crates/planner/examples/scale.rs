//! Prints how long large fleets take: `cargo run --release -p planner --example scale`. Figures, not a test.
#![expect(clippy::disallowed_methods, reason = "a clock, to measure")]

use std::fmt::Write as _;
use std::time::Instant;

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    println!(
        "fleet                  components    edges  read  plan  write  read back  check  restarts (bound) phases"
    );
    for (name, text) in [
        ("hub and spoke", hub_and_spoke(50_000, 100, 10)),
        ("hub and spoke", hub_and_spoke(100_000, 100, 10)),
        ("one-way, 1 % mutual", one_way(100_000, 1_000_000)),
        ("random mutual mesh", mesh(100_000, 1_000_000)),
    ] {
        if name.starts_with(&only) {
            measure(name, &text);
        }
    }
    if !only.is_empty() {
        return;
    }
    for (count, links) in [
        (20, 40),
        (30, 45),
        (30, 90),
        (30, 200),
        (40, 60),
        (40, 120),
        (60, 90),
        (200, 260),
    ] {
        measure("small core", &mesh(count, links));
    }
}

fn measure(name: &str, text: &str) {
    let clock = Instant::now();
    let model = plan::read_model(text).expect("the generator writes models");
    let read = clock.elapsed();
    let clock = Instant::now();
    let document = planner::plan_model(&model, plan::Goal::Retired);
    let planned = clock.elapsed();
    let clock = Instant::now();
    let bytes = document.to_bytes();
    let written = clock.elapsed();
    let clock = Instant::now();
    let back = plan::read_plan(&bytes).expect("what was written can be read");
    let read_back = clock.elapsed();
    let clock = Instant::now();
    let answer = plan::check(&model, &back);
    let checked = clock.elapsed();
    let verdict = match &answer {
        Ok(checked) => checked.report().bound.word(),
        Err(refusal) => &refusal.report.violations[0].reason,
    };
    println!(
        "{name:22} {:10} {:8} {:5} {:5} {:5} {:5} {:5} ms  {} ({} {verdict}) {}",
        model.components.len(),
        model.edges.len(),
        read.as_millis(),
        planned.as_millis(),
        written.as_millis(),
        read_back.as_millis(),
        checked.as_millis(),
        document.claims.restarts.unwrap_or(0),
        document.claims.lower_bound.unwrap_or(0),
        document.claims.phases.unwrap_or(0),
    );
}

fn hub_and_spoke(count: usize, hubs: usize, each: usize) -> String {
    let mut text = names(count);
    for spoke in hubs..count {
        for i in 0..each {
            let _ = writeln!(text, "link c{spoke} <-> c{}", (spoke * 7 + i * 11) % hubs);
        }
    }
    text
}

fn one_way(count: u64, links: u64) -> String {
    let mut text = names(count as usize);
    let mut seed = 1;
    for i in 0..links {
        let (a, b) = (next(&mut seed) % count, next(&mut seed) % count);
        if a != b {
            let arrow = if i % 100 == 0 { "<->" } else { "->" };
            let _ = writeln!(text, "link c{} {arrow} c{}", a.min(b), a.max(b));
        }
    }
    text
}

fn mesh(count: u64, links: u64) -> String {
    let mut text = names(count as usize);
    let mut seed = 1;
    for _ in 0..links {
        let (a, b) = (next(&mut seed) % count, next(&mut seed) % count);
        if a != b {
            let _ = writeln!(text, "link c{a} <-> c{b}");
        }
    }
    text
}

fn names(count: usize) -> String {
    let mut text = String::from("model 1\ncomponent");
    for i in 0..count {
        let _ = write!(text, " c{i}");
    }
    text.push('\n');
    text
}

fn next(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}
