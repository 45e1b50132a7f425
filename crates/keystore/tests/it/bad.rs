//! Damaged and hostile files: a clear error with its place, or the entries where real tools read them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use keystore::{Limits, Password};

use crate::corpus::big_corpus;

/// What each file gives, one line per file; `bad.txt` beside the copied files is the reviewed answer.
#[test]
fn bad_files_give_the_reviewed_answer() {
    let copied = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/bad"));
    let reviewed = std::fs::read_to_string(copied.join("answers.txt")).unwrap_or_default();
    let folder = match big_corpus() {
        Some(big) => big.join("bad"),
        None => {
            println!("SKIPPED: the corpus beside the workspace is absent, only the copied files are read");
            copied.clone()
        }
    };
    let answers = answers(&folder);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(copied.join("answers.txt"), answers.join("\n") + "\n").unwrap();
        return;
    }
    assert!(answers.len() > 10, "only {} bad files", answers.len());
    let reviewed: Vec<&str> = reviewed.lines().collect();
    let new: Vec<&String> = answers
        .iter()
        .filter(|answer| !reviewed.contains(&answer.as_str()))
        .collect();
    assert!(new.is_empty(), "answers that are not the reviewed ones: {new:#?}");
}

fn answers(folder: &Path) -> Vec<String> {
    let verdicts = std::fs::read_to_string(folder.join("VERDICTS.jsonl")).unwrap();
    let mut answers = Vec::new();
    for line in verdicts.lines() {
        let verdict: serde_json::Value = serde_json::from_str(line).unwrap();
        if !matches!(
            verdict["format"].as_str(),
            Some("BKS" | "BouncyCastle" | "JCEKS" | "JKS" | "PKCS12")
        ) {
            continue;
        }
        let name = verdict["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let password = verdict["password"].as_str().map(Password::new);
        let tools = verdict["verdicts"].as_object().unwrap();
        let some_tool_reads = tools.values().any(|tool| tool["rc"] == 0);
        let ours = keystore::read(&bytes, password.as_ref(), &Limits::default());
        if some_tool_reads {
            assert!(ours.is_ok(), "{name}: a real tool reads it, we say {ours:?}");
        }
        let mut answer = format!("{name}: ");
        match ours {
            Ok(store) => {
                write!(answer, "{} entries", store.entries().len()).unwrap();
                store
                    .notes()
                    .iter()
                    .for_each(|note| write!(answer, "; {note}").unwrap());
                for entry in store
                    .entries()
                    .iter()
                    .filter(|entry| entry.kind_name() == "private-key")
                {
                    if let Err(error) = entry.unlock(password.as_ref()) {
                        write!(answer, "; {error}").unwrap();
                    }
                }
            }
            Err(error) => write!(answer, "{error}").unwrap(),
        }
        answers.push(answer);
    }
    answers
}
