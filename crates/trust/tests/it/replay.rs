//! Recorded verdicts of real runtimes, answered by our profiles.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use trust::vectors::{Vector, answer};
use trust::{Computed, Purpose, runtimes};

#[test]
fn rotation_verdicts_are_those_of_the_runtimes() {
    replay("rotation", Laxness::Refused);
}

#[test]
fn limbo_and_bettertls_verdicts_are_those_of_the_runtimes() {
    replay("limbo", Laxness::Listed);
}

#[test]
fn random_verdicts_are_those_of_the_runtimes() {
    replay("random", Laxness::Listed);
}

#[test]
fn verdicts_on_odd_names_constraints_extensions_and_algorithms_are_those_of_the_runtimes() {
    replay("made", Laxness::Listed);
}

/// Whether an accept where the runtime rejects may be listed as an exception.
#[derive(Clone, Copy, PartialEq)]
enum Laxness {
    Listed,
    Refused,
}

/// Replays one file; fails on a disagreement that is not listed, and on a listed one that agrees.
#[track_caller]
fn replay(part: &str, laxness: Laxness) {
    let Some(text) = read(part) else {
        println!("SKIPPED: {part}: recorded verdicts are not here");
        return;
    };
    let signatures = Computed::new();
    let mut exceptions = exceptions(part);
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("one JSON object a line");
        let id = row["id"].as_str().expect("a vector has an id");
        let vector = vector(&row);
        for profile in runtimes() {
            let recorded = &row["verdicts"][profile.name];
            let Some(expected) = recorded["ok"].as_bool() else {
                continue;
            };
            let said = recorded["error"].as_str().unwrap_or_default();
            let is_chance = row["unpredictable"]
                .as_array()
                .is_some_and(|list| list.iter().any(|name| name == profile.name));
            if said.contains("peer:") || is_chance {
                continue;
            }
            let ours = answer(profile, &vector, &signatures);
            let count = counts.entry(profile.name).or_default();
            count.0 += 1;
            let listed = exceptions.remove(&(profile.name.to_owned(), id.to_owned()));
            if ours.ok == expected {
                count.1 += 1;
                if listed {
                    wrong.push(format!(
                        "{} {id}: listed as an exception and agrees",
                        profile.name
                    ));
                }
            } else if !listed || (laxness == Laxness::Refused && ours.ok) {
                wrong.push(format!(
                    "{} {id}: expected {expected} ({said}), ours {} ({})",
                    profile.name, ours.ok, ours.error
                ));
            }
        }
    }
    for (name, (asked, agreed)) in &counts {
        let percent = f64::from(*agreed) * 100.0 / f64::from(*asked);
        println!("{part} {name}: {agreed} of {asked} agree ({percent:.1} %)");
        // The floor is for the two measured suites. The random part mixes in another build of GnuTLS than theirs, so there
        // each disagreement has to be listed and no share is asked.
        if percent < 99.0 && !matches!(part, "random" | "made") {
            wrong.push(format!("{name}: below 99 %"));
        }
    }
    for (runtime, id) in exceptions.keys() {
        wrong.push(format!(
            "{runtime} {id}: listed as an exception and not in the file"
        ));
    }
    assert!(
        wrong.is_empty(),
        "{} disagreements\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

pub fn vector(row: &Value) -> Vector {
    let certificates = |list: &Value| {
        let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(|text| STANDARD.decode(text).expect("base64")).collect()
    };
    Vector {
        chain: certificates(&row["chain"]),
        anchors: certificates(&row["anchors"]),
        peer: row["peer"]["value"].as_str().map(str::to_owned),
        purpose: if row["purpose"] == "client" {
            Purpose::Client
        } else {
            Purpose::Server
        },
        at_unix: seconds(row["time"].as_str().unwrap_or_default()),
    }
}

fn seconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().expect("RFC 3339").as_second()
}

/// Rotation vectors lie here; the limbo part is another project's and stays in the shared corpus beside the checkout.
#[expect(clippy::disallowed_methods, reason = "a test reads its own vectors")]
pub fn read(part: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("tests/oracle").join(part).with_extension("jsonl");
    let shared = root
        .join("../../../shared/corpus/pathval")
        .join(part)
        .join("vectors.jsonl");
    std::fs::read_to_string(own)
        .or_else(|_| std::fs::read_to_string(shared))
        .ok()
}

/// `part runtime id: reason`, one a line.
fn exceptions(part: &str) -> ExceptionSet {
    let mut set = ExceptionSet::default();
    for line in include_str!("exceptions.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (head, reason) = line.split_once("  ").expect("two blanks before the reason");
        assert!(reason.len() > 10, "an exception without a reason: {line}");
        let words: Vec<&str> = head.split(' ').collect();
        let [file, runtime, id] = words.as_slice() else {
            panic!("not an exception: {line}")
        };
        if *file == part {
            set.rows.insert(((*runtime).to_owned(), (*id).to_owned()), ());
        }
    }
    set
}

#[derive(Default)]
struct ExceptionSet {
    rows: BTreeMap<(String, String), ()>,
}

impl ExceptionSet {
    fn remove(&mut self, key: &(String, String)) -> bool {
        self.rows.remove(key).is_some()
    }

    fn keys(&self) -> impl Iterator<Item = &(String, String)> {
        self.rows.keys()
    }
}
