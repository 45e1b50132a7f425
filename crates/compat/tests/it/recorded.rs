//! Recorded runs of keytool 17, replayed: no Java, no process, no `PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use compat::Io;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use keystore::{Body, Limits, Password};
use serde_json::Value;

/// Cases whose text differs, each with its reason in `docs/compat.md`.
const DIFFERENT_TEXT: &[&str] = &[];

#[test]
fn recorded_runs_come_out_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/domain/keytool-cases.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: no recorded cases at {}", path.display());
        return;
    };
    let cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (mut wrong, mut different) = (Vec::new(), Vec::new());
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let run = replay(case);
        wrong.extend(run.wrong.iter().map(|what| format!("{id}: {what}")));
        if !run.different.is_empty() {
            different.push(id);
            if !DIFFERENT_TEXT.contains(&id) {
                wrong.push(format!("{id}: text differs\n{}", run.different));
            }
        }
    }
    println!(
        "{} cases, {} with another text: {different:?}",
        cases.len(),
        different.len()
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(different.len() * 20 <= cases.len());
}

struct Outcome {
    wrong: Vec<String>,
    different: String,
}

fn replay(case: &Value) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in case["files"].as_object().unwrap() {
        let bytes = STANDARD.decode(content.as_str().unwrap()).unwrap();
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    let before = files(directory.path());
    let mut io = Io::in_memory(directory.path(), case["stdin"].as_str().unwrap().as_bytes());
    for (name, value) in case["env"].as_object().unwrap() {
        io = io.with_variable(name, value.as_str().unwrap());
    }
    let argv: Vec<std::ffi::OsString> = texts(&case["argv"]).into_iter().map(Into::into).collect();
    let code = compat::keytool(&argv, &mut io);
    let after = files(directory.path());

    let mut wrong = Vec::new();
    if u64::from(code) != case["exit"].as_u64().unwrap() {
        wrong.push(format!("exit {code}"));
    }
    let changed: Vec<&String> = after
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(bytes))
        .map(|(name, _)| name)
        .collect();
    if changed != texts(&case["changed"]).iter().collect::<Vec<_>>() {
        wrong.push(format!("changed {changed:?}"));
    }
    if before.keys().filter(|name| !after.contains_key(*name)).count() != texts(&case["removed"]).len() {
        wrong.push("removed something".to_owned());
    }
    for (name, digest) in case["out_sha256"].as_object().into_iter().flatten() {
        let found = after
            .get(name)
            .map(|bytes| openssl_sha256(bytes))
            .unwrap_or_default();
        if Some(found.as_str()) != digest.as_str() {
            wrong.push(format!("{name} has other bytes"));
        }
    }
    for (name, store) in case["after"].as_object().into_iter().flatten() {
        let fresh = case["fresh"].as_bool().unwrap_or(false);
        wrong.extend(
            compare_store(after.get(name).map_or(&[], Vec::as_slice), store, fresh)
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    let fresh = case["fresh"].as_bool().unwrap();
    let mut different = String::new();
    for (name, found, wanted) in [
        ("stdout", io.written_out(), &case["stdout"]),
        ("stderr", io.written_err(), &case["stderr"]),
    ] {
        let found = normal(&String::from_utf8_lossy(found), fresh);
        let wanted = normal(wanted.as_str().unwrap(), fresh);
        if found != wanted {
            different.push_str(&format!(
                "--- {name} wanted\n{wanted}\n--- {name} found\n{found}\n"
            ));
        }
    }
    Outcome { wrong, different }
}

/// Reads a written store back and compares it with what Java read from the original's.
fn compare_store(bytes: &[u8], wanted: &Value, fresh: bool) -> Vec<String> {
    let password = Password::new(wanted["password"].as_str().unwrap());
    let store = match keystore::read(bytes, Some(&password), &Limits::default()) {
        Ok(store) => store,
        Err(error) => return vec![error.to_string()],
    };
    let mut wrong = Vec::new();
    let format = wanted["type"].as_str().unwrap();
    if !store.format().name().eq_ignore_ascii_case(format) {
        wrong.push(format!("format {}", store.format().name()));
    }
    let entries = wanted["entries"].as_array().unwrap();
    if entries.len() != store.entries().len() {
        wrong.push(format!("{} entries", store.entries().len()));
    }
    for entry in entries {
        let alias = entry["alias"].as_str().unwrap();
        let Some(found) = store.entries().iter().find(|found| found.alias() == Some(alias)) else {
            wrong.push(format!("no entry {alias}"));
            continue;
        };
        let kind = match found.body() {
            Body::PrivateKey { .. } => "PrivateKeyEntry",
            Body::SecretKey { .. } => "SecretKeyEntry",
            Body::TrustedCert { trusted: true, .. } => "trustedCertEntry",
            _ => "something else",
        };
        if Some(kind) != entry["kind"].as_str() {
            wrong.push(format!("{alias} is {kind}"));
        }
        let chain: Vec<String> = found
            .certificates()
            .iter()
            .map(|one| hex(&one.sha256()))
            .collect();
        if !fresh && chain != texts(&entry["chain_sha256"]) {
            wrong.push(format!("{alias} has another chain"));
        }
        if let Some(key_password) = entry["key_password"].as_str() {
            let key_password = Password::new(key_password);
            let is_open = match kind {
                "SecretKeyEntry" => found.unlock_secret(Some(&key_password)).is_ok(),
                _ => found.unlock(Some(&key_password)).is_ok(),
            };
            if !is_open {
                wrong.push(format!("{alias} does not open"));
            }
        }
    }
    wrong
}

/// The normalisation that the recording describes.
fn normal(text: &str, fresh: bool) -> String {
    let today = Timestamp::now()
        .to_zoned(TimeZone::UTC)
        .strftime("%b %-d, %Y")
        .to_string();
    let text = text
        .replace("\r\n", "\n")
        .replace("Nov 21, 2026", "<TODAY>")
        .replace(&today, "<TODAY>");
    let mut out: Vec<String> = Vec::new();
    let mut in_pem = false;
    for line in text.lines() {
        let mut line = line.trim_end().to_owned();
        if fresh {
            if line.starts_with("-----") {
                in_pem = line.starts_with("-----BEGIN");
            } else if in_pem {
                line = "<BASE64>".to_owned();
            } else if let Some((_, rest)) = line
                .split_once(": ")
                .filter(|(at, _)| at.len() == 4 && at.ends_with('0'))
            {
                line = if rest.is_empty() { line } else { "<HEX>".to_owned() };
            } else if line.starts_with("Serial number: ") {
                line = "Serial number: <SERIAL>".to_owned();
            } else if line.starts_with("Valid from: ") {
                line = "Valid from: <DATE> until: <DATE>".to_owned();
            } else if let Some((head, tail)) = line
                .rsplit_once(": ")
                .filter(|(_, tail)| tail.matches(':').count() >= 15)
            {
                let _ = tail;
                line = format!("{head}: <FP>");
            }
            if matches!(line.as_str(), "<BASE64>" | "<HEX>") && out.last() == Some(&line) {
                continue;
            }
        }
        out.push(line);
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out.join("\n")
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(&path).unwrap())
    };
    entries.map(read).collect()
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn openssl_sha256(bytes: &[u8]) -> String {
    hex(&openssl::sha::sha256(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
