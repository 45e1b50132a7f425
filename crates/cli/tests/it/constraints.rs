//! Constraints that lie in files, in words: `tests/constraints/*.txt` hold a fleet, what is altered in it, then what is
//! asked and the answer.
//!
//! `fleet domain` is a small Workload Automation domain, `fleet star` a hub and two that dial it. Then, a line each:
//! `edit FILE: WORDS => WORDS` (`\n` is a new line), `put FILE: WORDS`, `join FILE: FILE…`, `run WORDS` of the program. A section starts with `---- `
//! and the question: `writes COMPONENT`, or words for the program. `UPDATE_EXPECT=1` rewrites the answers.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::corpus::capgrow;
use crate::corpus::run;
use crate::domain::Domain;
use crate::domain::edit;
use crate::foreign::material::Party;
use crate::rotations;

#[test]
fn the_answers_to_all_constraints_are_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/constraints");
    let mut paths: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        expect_test::expect_file![&path].assert_eq(&answered(&text));
    }
}

fn answered(text: &str) -> String {
    let (head, rest) = text.split_once("---- ").unwrap();
    let arrange = |dir: &Path| {
        for line in head.lines().filter(|line| !line.starts_with('#')) {
            alter(dir, line);
        }
    };
    if head.contains("fleet domain") {
        let domain = Domain::made(14, arrange);
        return format!("{head}{}", sections(&domain.dir, rest));
    }
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = rotations::moved(&old, &new, rotations::ALL);
    star.put("new/old-ca.pem", &old.certificate.to_pem().unwrap());
    star.put("new/new-ca.pem", &new.certificate.to_pem().unwrap());
    arrange(star.dir.path());
    run(capgrow(star.dir.path()).arg("scan"));
    format!("{head}{}", sections(star.dir.path(), rest))
}

fn alter(dir: &Path, line: &str) {
    let Some((word, rest)) = line.split_once(' ') else {
        return;
    };
    let (file, what) = rest.split_once(": ").unwrap_or((rest, ""));
    let file = dir.join(file);
    let lines = |text: &str| text.replace("\\n", "\n");
    match word {
        "fleet" => {}
        "edit" => {
            let (from, to) = what.split_once(" => ").unwrap();
            edit(&file, |text| {
                assert!(text.contains(&lines(from)), "{from} in {text}");
                text.replacen(&lines(from), &lines(to), 1)
            });
        }
        "put" => {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, format!("{}\n", lines(what))).unwrap();
        }
        "join" => {
            let parts = what.split(' ').map(|part| std::fs::read(dir.join(part)).unwrap());
            let whole: Vec<u8> = parts.flatten().collect();
            std::fs::write(&file, whole).unwrap();
        }
        "run" => {
            let ran = run(capgrow(dir).args(rest.split_whitespace()));
            assert_eq!(ran.code, 0, "{line}: {}{}", ran.stdout, ran.stderr);
        }
        word => panic!("{word}"),
    }
}

fn sections(dir: &Path, rest: &str) -> String {
    let mut answer = String::new();
    for section in rest.split("---- ") {
        let question = section.lines().next().unwrap_or("");
        let _ = writeln!(answer, "---- {question}");
        answer += &match question.strip_prefix("writes ") {
            Some(component) => writes(dir, component),
            None => said(dir, question),
        };
    }
    answer
}

fn said(dir: &Path, question: &str) -> String {
    let ran = run(capgrow(dir).args(question.split_whitespace()));
    let mut answer = String::new();
    // The digest is that of a document with every detail: not for a text that people read.
    let digest = |line: &&str| line.starts_with("digest ") || line.starts_with("next: capgrow apply ");
    for line in ran.stdout.lines().filter(|line| !digest(line)) {
        let _ = writeln!(answer, "{line}");
    }
    for line in ran.stderr.lines() {
        let _ = writeln!(answer, "! {line}");
    }
    if ran.code != 0 {
        let _ = writeln!(answer, "exit {}", ran.code);
    }
    answer.replace(&dir.display().to_string(), "FLEET")
}

/// What is written for a component in each of its steps, in order.
fn writes(dir: &Path, component: &str) -> String {
    let plan = run(capgrow(dir).args(["plan", "--json"])).json();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut answer = String::new();
    for step in list(&plan["steps"])
        .iter()
        .filter(|step| step["component"] == component)
    {
        let events: Vec<String> = list(&step["events"])
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let _ = writeln!(answer, "phase {}  {}", step["wave"], events.join(" + "));
        for write in list(&step["writes"]) {
            let [event, path, why] =
                ["event", "path", "why"].map(|key| write[key].as_str().unwrap_or_default().to_owned());
            let _ = writeln!(answer, "  {event} {path}: {why}");
        }
    }
    answer
}
