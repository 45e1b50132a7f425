//! Text cases: one file per rule, and whole situations.
//!
//! `=== fails: TITLE` must have the file's rule as its first finding, `=== finds: TITLE` as any finding, `=== passes:
//! TITLE` must not have it at all. In `situations`, `=== H-30: TITLE` names the first finding.

use std::path::Path;

use doctor::Inputs;
use keystore::Password;

use crate::NOW;
use crate::made;

#[test]
fn every_rule_has_a_failing_and_a_passing_case() {
    let missing: Vec<String> = doctor::RULES
        .iter()
        .filter_map(|rule| {
            let text =
                std::fs::read_to_string(dir("cases").join(format!("{}.txt", rule.id))).unwrap_or_default();
            let fails = text.contains("=== fails:") || text.contains("=== finds:");
            (!fails || !text.contains("=== passes:")).then(|| rule.id.to_owned())
        })
        .collect();
    assert!(missing.is_empty(), "without cases: {}", missing.join(", "));
}

#[test]
fn cases_of_each_rule_find_what_they_say() {
    let mut wrong = Vec::new();
    for path in texts("cases") {
        let rule = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(doctor::rule(&rule).is_some(), "{} is no rule", path.display());
        for (head, lines) in sections(&path) {
            let found = found(&lines);
            let ok = match head.split(':').next().unwrap() {
                "fails" => found.first().is_some_and(|first| first.starts_with(&rule)),
                "finds" => found.iter().any(|one| one.starts_with(&rule)),
                "passes" => found.iter().all(|one| !one.starts_with(&rule)),
                other => panic!("{}: {other}", path.display()),
            };
            if !ok {
                wrong.push(format!("{rule} {head}\n    {}", found.join("\n    ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn situations_name_their_true_cause_first() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in texts("situations") {
        for (head, lines) in sections(&path) {
            count += 1;
            let wanted = head.split(':').next().unwrap();
            let found = found(&lines);
            let first = found.first().map_or("nothing", String::as_str);
            let ok = if wanted == "silent" {
                found.iter().all(|one| one.contains(" note "))
            } else {
                first.starts_with(wanted)
            };
            if !ok {
                wrong.push(format!("{head}\n    {}", found.join("\n    ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 30, "{count} situations");
}

/// Every case with bytes missing or changed, at places that repeat from run to run.
#[test]
fn damaged_evidence_never_panics() {
    let mut place = 7_usize;
    for path in texts("cases").into_iter().chain(texts("situations")) {
        for (_, lines) in sections(&path) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let whole = made::files(&lines);
            for _ in 0..4 {
                let mut files = whole.clone();
                for file in files.iter_mut().filter(|file| !file.bytes.is_empty()) {
                    place = place.wrapping_mul(31).wrapping_add(11) % 1_000_003;
                    let at = place % file.bytes.len();
                    match place % 3 {
                        0 => file.bytes.truncate(at),
                        1 => file.bytes[at] ^= 0x5a,
                        _ => file.bytes.insert(at, 0xe2),
                    }
                }
                let _ = doctor::diagnose(&Inputs::gather(files, &[], NOW));
            }
        }
    }
}

fn found(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let given: Vec<Password> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("password "))
        .map(Password::new)
        .collect();
    let inputs = Inputs::gather(made::files(&lines), &given, NOW);
    let findings = doctor::diagnose(&inputs);
    findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {:?} {}",
                finding.rule.id,
                finding.severity.word(),
                finding.certainty,
                finding.evidence[0]
            )
        })
        .collect()
}

fn sections(path: &Path) -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("=== ") {
            sections.push((head.to_owned(), Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut() {
            lines.push(line.to_owned());
        }
    }
    sections
}

fn texts(name: &str) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn dir(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}
