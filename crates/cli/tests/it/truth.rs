//! `inspect --json` says of every store what Java, OpenSSL and GSKit say of it.

use serde_json::Value;

use crate::corpus::Ran;
use crate::corpus::Sample;
use crate::corpus::databases;
use crate::corpus::inspect;
use crate::corpus::keystores;

#[test]
fn jks_and_jceks_entries_are_those_that_java_lists() {
    check_all(&["JKS", "CaseExactJKS", "JCEKS"], java);
}

#[test]
fn bks_and_uber_entries_are_those_that_bouncy_castle_lists() {
    check_all(&["BKS", "BKS-V1", "BouncyCastle"], java);
}

#[test]
fn pkcs12_entries_are_those_that_java_lists_and_certificates_those_of_openssl() {
    check_all(&["PKCS12", "PKCS12-DEF"], |sample, file| {
        java(sample, file)?;
        let truth = sample.truth();
        if truth["openssl36"]["rc"] != 0 {
            return Ok(());
        }
        let bags = truth["openssl36"]["bags"].as_array().cloned().unwrap_or_default();
        same(
            "certificates",
            sorted(chains(file)),
            sorted(texts(&bags, "/cert_sha256")),
        )
    });
}

#[test]
fn pem_entries_hold_every_block_and_have_no_alias() {
    check_all(&["PEM"], |sample, file| {
        let blocks = sample.truth()["blocks"].as_array().cloned().unwrap_or_default();
        same(
            "certificates",
            sorted(chains(file)),
            sorted(texts(&blocks, "/cert/sha256")),
        )?;
        let labels = texts(&blocks, "/label");
        let keys = labels
            .iter()
            .filter(|label| label.ends_with("PRIVATE KEY"))
            .count();
        same("keys", kinds(file, "private-key"), keys)?;
        same("aliases", aliases(file), vec![Value::Null; aliases(file).len()])
    });
}

#[test]
fn der_and_pkcs7_entries_are_what_their_maker_put_in() {
    check_all(&["DER", "P7B"], |sample, file| {
        let truth = sample.truth();
        same("aliases", aliases(file), vec![Value::Null; aliases(file).len()])?;
        if let Some(rows) = truth["pkcs7"].as_array().or(truth["pkcs7"]["certs"].as_array()) {
            return same("certificates", chains(file), texts(rows, "/sha256"));
        }
        let kind = match truth["der"]["kind"].as_str().unwrap_or_default() {
            "certificate" => "trusted-cert",
            "public key" => "opaque",
            key if key.starts_with("private key") => "private-key",
            other => return Err(format!("unknown kind {other}")),
        };
        same("kind", file["entries"][0]["kind"].as_str(), Some(kind))
    });
}

#[test]
fn gskit_databases_hold_what_their_manifest_says() {
    let mut failed = Vec::new();
    let mut count = 0;
    for (path, password, truth) in databases() {
        let is_bad = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("bad-"));
        let is_cms = truth["format"]
            .as_str()
            .is_some_and(|format| format.starts_with("CMS"));
        if is_bad || !is_cms {
            continue;
        }
        count += 1;
        let ran = inspect(&path, Some(&password));
        if let Err(why) = database(&ran, &truth) {
            failed.push(format!("{}: {why}", path.display()));
        }
    }
    assert!(count >= 4, "only {count} databases");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn database(ran: &Ran, truth: &Value) -> Result<(), String> {
    if !(0..=1).contains(&ran.code) {
        return Err(format!("exit code {}: {}", ran.code, ran.stderr));
    }
    let document = ran.json();
    let entries = document["files"][0]["entries"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let ours: Vec<_> = entries
        .iter()
        .map(|entry| {
            let word = match entry["kind"].as_str().unwrap_or_default() {
                "private-key" => "personal",
                "trusted-cert" => "signer",
                other => other,
            };
            (
                entry["alias"].clone(),
                word.to_owned(),
                entry["chain"][0]["sha256"].clone(),
            )
        })
        .collect();
    let theirs: Vec<_> = truth["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            (
                entry["label"].clone(),
                entry["kind"].as_str().unwrap_or_default().to_owned(),
                entry["sha256"].clone(),
            )
        })
        .collect();
    same("entries", ours, theirs)
}

#[track_caller]
fn check_all(formats: &[&str], check: fn(&Sample, &Value) -> Result<(), String>) {
    let samples = keystores(formats);
    assert!(samples.len() >= 3, "only {} samples", samples.len());
    let mut failed = Vec::new();
    for sample in &samples {
        let ran = inspect(&sample.path, sample.password.as_deref());
        let outcome = if (0..=1).contains(&ran.code) {
            let document = ran.json();
            let findings = document["files"][0]["findings"].as_array().map_or(0, Vec::len);
            same("exit code", ran.code, i32::from(findings > 0))
                .and_then(|()| check(sample, &document["files"][0]))
        } else {
            Err(format!("exit code {}: {}", ran.code, ran.stderr))
        };
        if let Err(why) = outcome {
            failed.push(format!("{}: {why}", sample.path.display()));
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} differ:\n{}",
        failed.len(),
        samples.len(),
        failed.join("\n")
    );
}

/// Compares with Java's list, where Java could read the store.
fn java(sample: &Sample, file: &Value) -> Result<(), String> {
    let truth = sample.truth();
    if truth["java17"]["loads"] != true {
        return Ok(());
    }
    let folds = file["format"] == "pkcs12";
    let theirs: Vec<Row> = truth["java17"]["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .map(Row::of_java)
        .collect();
    let mut ours: Vec<Row> = Vec::new();
    for row in file["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| Row::of_ours(entry, folds))
    {
        match ours.iter_mut().find(|there| there.alias == row.alias) {
            Some(there) => *there = row,
            None => ours.push(row),
        }
    }
    if !folds {
        ours.sort_by_key(|row| theirs.iter().position(|their| their.alias == row.alias));
    }
    same("java entries", ours, theirs)
}

/// One entry, as Java shows it.
#[derive(Debug, PartialEq)]
struct Row {
    alias: String,
    kind: &'static str,
    created: Option<String>,
    chain: Vec<String>,
}

impl Row {
    fn of_java(entry: &Value) -> Row {
        let created = entry["created_ms"].as_i64();
        Row {
            alias: entry["alias"].as_str().unwrap_or_default().to_owned(),
            kind: match entry["kind"].as_str().unwrap_or_default() {
                "PrivateKeyEntry" => "private-key",
                "SecretKeyEntry" => "secret-key",
                _ => "trusted-cert",
            },
            created: created.map(|ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string()),
            chain: entry["chain"]
                .as_array()
                .map(|rows| texts(rows, "/sha256"))
                .unwrap_or_default(),
        }
    }

    /// `None` for what Java does not show: certificates without its trust mark, PKCS#12 keys in the clear.
    fn of_ours(entry: &Value, folds: bool) -> Option<Row> {
        let alias = entry["alias"].as_str().expect("these stores name their entries");
        let kind = ["private-key", "secret-key", "trusted-cert"]
            .into_iter()
            .find(|kind| entry["kind"] == *kind)?;
        if entry["trusted"] == false || folds && entry["protection"] == "none" {
            return None;
        }
        Some(Row {
            alias: if folds {
                alias.to_lowercase()
            } else {
                alias.to_owned()
            },
            kind,
            created: entry["created"].as_str().map(str::to_owned),
            chain: texts(entry["chain"].as_array()?, "/sha256"),
        })
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, theirs: T) -> Result<(), String> {
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{what}\n  ours   {ours:?}\n  theirs {theirs:?}"))
    }
}

fn texts(rows: &[Value], pointer: &str) -> Vec<String> {
    rows.iter()
        .filter_map(|row| row.pointer(pointer)?.as_str().map(str::to_owned))
        .collect()
}

fn chains(file: &Value) -> Vec<String> {
    let entries = file["entries"].as_array().into_iter().flatten();
    entries
        .flat_map(|entry| texts(entry["chain"].as_array().map_or(&[], Vec::as_slice), "/sha256"))
        .collect()
}

fn aliases(file: &Value) -> Vec<Value> {
    file["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| entry["alias"].clone())
        .collect()
}

fn kinds(file: &Value, kind: &str) -> usize {
    file["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["kind"] == kind)
        .count()
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}
