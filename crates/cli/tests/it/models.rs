//! `plan --model` in words: `tests/models/*.txt` hold a model, then what is asked and the answer.
//!
//! A section starts with `----` and the options. `UPDATE_EXPECT=1` rewrites the answers.

use std::path::Path;

use crate::corpus::capgrow;
use crate::corpus::run;

#[test]
fn the_answers_to_all_models_are_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let mut paths: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        expect_test::expect_file![&path].assert_eq(&answered(&text));
    }
}

fn answered(text: &str) -> String {
    let (model, rest) = text.split_once("----").unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("fleet.model"), model).unwrap();
    let mut answer = model.to_owned();
    for section in rest.split("----") {
        let options = section.lines().next().unwrap_or("").trim();
        let words: Vec<&str> = match options.split_once(' ') {
            Some((option, value)) => vec![option, value],
            None if options.is_empty() => vec![],
            None => vec![options],
        };
        let ran = run(capgrow(dir.path())
            .args(["plan", "--model", "fleet.model"])
            .args(&words));
        let title = format!("---- {options}");
        answer += &format!("{}\n", title.trim_end());
        // The digest is that of a document with every detail: not for a text that people read.
        for line in ran.stdout.lines().filter(|line| !line.starts_with("digest ")) {
            answer += &format!("{line}\n");
        }
        for line in ran.stderr.lines() {
            answer += &format!("! {line}\n");
        }
        if ran.code != 0 {
            answer += &format!("exit {}\n", ran.code);
        }
    }
    answer
}
