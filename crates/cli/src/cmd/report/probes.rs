//! What `probe --record` kept, as a part of the report: what servers presented before and after a run.

use std::fmt::Write;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::print;
use crate::print::failure;

/// All targets in the records at `paths`, directories looked through, by target and then by time.
///
/// # Errors
/// A file that cannot be read or is no record; a directory's other files are passed over.
pub fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let mut targets = Vec::new();
    for path in paths {
        if path.is_dir() {
            let listed =
                std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
            let mut files: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
            files.sort();
            let found: Vec<Value> = files
                .iter()
                .filter_map(|file| of_file(file).ok())
                .flatten()
                .collect();
            if found.is_empty() {
                return Err(failure(
                    format!("no record of a probe in {}", path.display()),
                    "capgrow probe HOST:PORT --record DIR/ makes them",
                ));
            }
            targets.extend(found);
        } else {
            targets.extend(of_file(path)?);
        }
    }
    let key = |target: &Value| {
        let text = |key: &str| target[key].as_str().unwrap_or_default().to_owned();
        (text("target"), text("at"))
    };
    targets.sort_by_key(key);
    Ok(targets)
}

/// The targets of one record, each with its own findings.
fn of_file(path: &Path) -> anyhow::Result<Vec<Value>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if document["command"] != "probe" {
        return Err(failure(
            format!("{} is no record of a probe", path.display()),
            "capgrow probe HOST:PORT --record FILE makes one",
        ));
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let findings = list(&document["findings"]);
    let mut targets = list(&document["targets"]);
    for target in &mut targets {
        let own: Vec<Value> = findings
            .iter()
            .filter(|finding| finding["target"] == target["target"])
            .cloned()
            .collect();
        target["findings"] = Value::Array(own);
    }
    Ok(targets)
}

/// The section of the report; nothing where nothing was recorded.
pub fn section(targets: &[Value], out: &mut String) {
    if targets.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n## Probes\n\n| server | asked | versions | presented | until | fingerprint | accepted by |\n|---|---|---|---|---|---|---|"
    );
    for target in targets {
        let leaf = &target["chains"][0]["certificates"][0];
        let text = |value: &Value| cell(value.as_str().unwrap_or("-"));
        let fingerprint: String = text(&leaf["sha256"]).chars().take(16).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | `{fingerprint}` | {} |",
            text(&target["target"]),
            text(&target["at"]),
            spoken(target),
            text(&leaf["subject"]),
            text(&leaf["not_after"]),
            accepted_by(target)
        );
    }
    for target in targets {
        let findings = target["findings"].as_array().cloned().unwrap_or_default();
        for finding in findings.iter().filter(|finding| finding["severity"] != "note") {
            let text = |value: &Value| print::safe(value.as_str().unwrap_or_default());
            let _ = writeln!(
                out,
                "\n- {}: {} {}, {}: {}",
                text(&target["target"]),
                text(&finding["severity"]),
                text(&finding["rule"]),
                text(&finding["title"]),
                text(&finding["evidence"][0]["text"])
            );
        }
    }
}

fn spoken(target: &Value) -> String {
    let versions = target["versions"].as_array().cloned().unwrap_or_default();
    let names: Vec<String> = versions
        .iter()
        .filter(|version| version["spoken"] == true)
        .map(|version| cell(version["version"].as_str().unwrap_or_default()))
        .collect();
    if names.is_empty() {
        return cell(target["trouble"]["text"].as_str().unwrap_or("none"));
    }
    names.join(" ")
}

fn accepted_by(target: &Value) -> String {
    let verdicts = target["verdicts"].as_object().cloned().unwrap_or_default();
    let words: Vec<String> = verdicts
        .iter()
        .map(|(runtime, verdict)| match verdict["ok"] == true {
            true => cell(runtime),
            false => format!("not {}", cell(runtime)),
        })
        .collect();
    if words.is_empty() {
        "not asked".to_owned()
    } else {
        words.join(", ")
    }
}

/// A text that ends no cell of a table.
fn cell(text: &str) -> String {
    print::safe(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests;
