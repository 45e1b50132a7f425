//! Runs the targets on altered seeds: `fuzz SEED INPUTS [TARGET]`.
//!
//! Every input is bounded in time and memory; the first that breaks a bound or panics is written to a file, named with
//! the seed that finds it again, and ends the run with exit code 1. One process has one thread, so that what the
//! allocator counts belongs to the input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fuzz::seeds::{self, Seed};
use fuzz::{Depth, Source, TARGETS, Target, memory_limit, mutation};
use keystore::Limits;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let number =
        |text: Option<String>, otherwise: u64| text.and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let seed = number(arguments.next(), 1);
    let inputs = number(arguments.next(), 100_000) as usize;
    let only = arguments.next();
    println!("seed {seed}");
    let all = seeds::all();
    if only.is_none() && !whole_seeds(&all) {
        return ExitCode::FAILURE;
    }
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
        .collect();
    let weights: usize = chosen.iter().map(|(name, _)| weight(name)).sum();
    let mut total = 0;
    for target in chosen {
        let share = (inputs * weight(target.0)).div_ceil(weights);
        match run(target, &all, seed, share) {
            Some(ran) => total += ran,
            None => return ExitCode::FAILURE,
        }
    }
    println!("total {total} inputs");
    ExitCode::SUCCESS
}

/// Every seed as it is, with the usual limits: bounded in memory too.
fn whole_seeds(all: &[Seed]) -> bool {
    let mut worst = (0.0, String::new());
    for seed in all {
        for password in [None, Some(keystore::Password::new("changeit"))] {
            let before = start_counting();
            let store = keystore::read(&seed.bytes, password.as_ref(), &Limits::default());
            let used = ALLOCATOR.peak_usage() - before;
            drop(store);
            if used > memory_limit(seed.bytes.len()) {
                println!("{}: {used} bytes for {}", seed.path.display(), seed.bytes.len());
                return false;
            }
            let ratio = used as f64 / memory_limit(seed.bytes.len()) as f64;
            if ratio > worst.0 {
                worst = (ratio, seed.path.display().to_string());
            }
        }
    }
    println!(
        "{} seeds whole, at most {:.0} % of the memory allowed ({})",
        all.len(),
        worst.0 * 100.0,
        worst.1
    );
    true
}

/// Runs one target; says how many inputs, or nothing when one of them broke a bound.
fn run((name, target): &Target, all: &[Seed], seed: u64, inputs: usize) -> Option<usize> {
    let mut random = Source(seed ^ name.bytes().fold(0, |sum, byte| sum << 5 ^ u64::from(byte)));
    let chosen = seeds::of_target(name, all);
    if chosen.is_empty() {
        println!("{name}: no seed");
        return None;
    }
    let (mut body, mut accepted) = (0, 0);
    let (mut slowest, mut largest) = (Duration::ZERO, 0.0_f64);
    let started = Instant::now();
    for number in 0..inputs {
        let from = &all[chosen[random.below(chosen.len())]];
        let other = &all[chosen[random.below(chosen.len())]];
        let bytes = mutation::mutated(&from.bytes, &from.marks, &other.bytes, &mut random);
        let (before, begun) = (start_counting(), Instant::now());
        let depth = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
        let (took, used) = (begun.elapsed(), ALLOCATOR.peak_usage().saturating_sub(before));
        let fault = match depth {
            Err(_) => Some("it panicked".to_owned()),
            Ok(_) if took > MAX_TIME => Some(format!("it took {took:?}")),
            Ok(_) if used > working_limit(bytes.len()) => Some(format!("it took {used} bytes of memory")),
            Ok(depth) => {
                body += usize::from(depth >= Depth::Body);
                accepted += usize::from(depth == Depth::Accepted);
                None
            }
        };
        slowest = slowest.max(took);
        largest = largest.max(used as f64 / working_limit(bytes.len()) as f64);
        if let Some(fault) = fault {
            let path = std::env::temp_dir().join(format!("fuzz-{name}-{seed}-{number}"));
            let kept = std::fs::write(&path, &bytes);
            println!(
                "{name}: input {number} of seed {seed}, from {}: {fault}",
                from.path.display()
            );
            println!("{name}: {} bytes in {} ({kept:?})", bytes.len(), path.display());
            return None;
        }
    }
    println!(
        "{name}: {inputs} inputs from {} seeds, {body} past the header, {accepted} accepted, slowest {slowest:?}, at most {:.0} % \
         of the memory allowed, {:.1} s",
        chosen.len(),
        largest * 100.0,
        started.elapsed().as_secs_f64()
    );
    Some(inputs)
}

/// A wrong byte of a UBER store is found behind its whole decryption only, which costs as much as ten others.
fn weight(target: &str) -> usize {
    if target == "uber" { 1 } else { 10 }
}

/// A target reads, writes, edits and reads again: twice the bound of reading.
fn working_limit(input_bytes: usize) -> usize {
    2 * memory_limit(input_bytes)
}

/// Sets the peak back to what is in use now, and says how much that is.
fn start_counting() -> usize {
    ALLOCATOR.reset_peak_usage();
    ALLOCATOR.current_usage()
}

/// No input of this size may take longer, however busy the machine is; the slowest takes some milliseconds.
const MAX_TIME: Duration = Duration::from_secs(10);
