//! Prints how long large fleets take: `cargo run --release -p planner --example scale`. Figures, not a test.
#![expect(clippy::disallowed_methods, reason = "a clock, to measure")]

use std::fmt::Write as _;
use std::time::Duration;
use std::time::Instant;

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    println!(
        "fleet                  components    edges  read  plan  write  read back  proof  restarts (bound) phases"
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
    if "re-plan".starts_with(&only) || "hub and spoke".starts_with(&only) {
        measure_changes(&hub_and_spoke(100_000, 100, 10));
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
        (40, 200),
        (40, 300),
        (40, 400),
        (60, 250),
        (60, 90),
        (200, 260),
    ] {
        measure("small core", &mesh(count, links));
    }
}

fn measure(name: &str, text: &str) {
    let (read, model) = timed(|| plan::read_model(text).expect("the generator writes models"));
    let (planned, document) = timed(|| planner::plan_model(&model, plan::Goal::Retired));
    let (written, bytes) = timed(|| document.to_bytes());
    let (read_back, back) = timed(|| plan::read_plan(&bytes).expect("what was written can be read"));
    let proofs = (0..3).map(|_| timed(|| plan::examine(&model, &back)));
    let (proved, (report, _)) = proofs.min_by_key(|(took, _)| *took).expect("three proofs");
    let verdict = match report.violations.first() {
        None => report.bound.word(),
        Some(violation) => &violation.reason,
    };
    println!(
        "{name:22} {:10} {:8} {:5} {:5} {:5} {:5} {:5} ms  {} ({} {verdict}) {}",
        model.components.len(),
        model.edges.len(),
        read.as_millis(),
        planned.as_millis(),
        written.as_millis(),
        read_back.as_millis(),
        proved.as_millis(),
        document.claims.restarts.unwrap_or(0),
        document.claims.lower_bound.unwrap_or(0),
        document.claims.phases.unwrap_or(0),
    );
}

/// One component after the other is another one: a leaf or a hub costs more, or has its next step behind it.
fn measure_changes(text: &str) {
    let model = plan::read_model(text).expect("the generator writes models");
    let mut standing = planner::Standing::of(model, plan::Goal::Retired);
    let mut seed = 1;
    for (name, first, count) in [("a leaf", 100, 99_900), ("a hub", 0, 100)] {
        let mut all: Vec<Duration> = Vec::new();
        let mut anew = 0;
        for turn in 0..200_u64 {
            let id = plan::ComponentId((first + next(&mut seed) % count) as u32);
            let mut component = standing.model().components[id.at()].clone();
            let step = standing.steps(id).first().copied().filter(|&(wave, _)| wave == 1);
            match step.filter(|_| turn % 2 == 0) {
                Some((_, events)) => component.done = component.done.union(events),
                None => component.cost_milli += 1000,
            }
            let (took, replanned) = timed(|| standing.change(id, component));
            anew += u32::from(replanned.anew);
            all.push(took);
        }
        all.sort_unstable();
        println!(
            "re-planned after {name} changed, 200 times: median {:.2} ms, most {:.2} ms, {anew} times from scratch",
            all[100].as_secs_f64() * 1e3,
            all[199].as_secs_f64() * 1e3
        );
    }
    let (took, report) = timed(|| plan::examine(standing.model(), &standing.document()).0);
    println!(
        "then written and proved: {} ms, {}",
        took.as_millis(),
        report.bound.word()
    );
}

/// What something took of the processor, and what it gave.
fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let begin = clock();
    let done = what();
    (clock() - begin, done)
}

/// The time that this thread has had of a processor, where Linux says it; else the time of day.
fn clock() -> Duration {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    spent.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
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
