//! Two million altered files: no panic, no hang, no memory over the limit.
#![allow(clippy::unwrap_used)]

use std::process::{Child, Command, Stdio};

#[test]
fn two_million_altered_files_are_read_or_refused_within_bounds() {
    // Two processes of one thread each, as memory is counted for the whole process.
    let runs: Vec<Child> = [20_261_121, 4_711].map(start).into();
    let mut total = 0;
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{complaint}");
        total += number_before(said.lines().last().unwrap_or_default(), "inputs");
        for line in said.lines().filter(|line| line.contains("past the header")) {
            let (deep, inputs) = (number_before(line, "past"), number_before(line, "inputs"));
            assert!(deep * 20 > inputs, "too few came past the header: {line}");
        }
    }
    assert!(total >= 2_000_000, "only {total} inputs");
}

/// The number in front of a word of the report.
fn number_before(line: &str, word: &str) -> usize {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words
        .iter()
        .position(|there| *there == word)
        .expect("a word of the report");
    words[at - 1].parse().expect("a number")
}

fn start(seed: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_fuzz"))
        .args([seed.to_string(), "1000000".to_owned()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
