//! All installed runtimes, asked live about fresh chains by the oracle beside the checkout: Java, Node, Python, Go, NSS, and
//! the libraries of OpenSSL and GnuTLS. Without the oracle, or without a runtime, that is said and passes. The seed is
//! printed; `LIVE_SEED`, `LIVE_VECTORS` and `LIVE_GROUPS` set it, the number of chains and who is asked.
#![allow(
    clippy::disallowed_methods,
    reason = "a test runs programs and reads the clock for its seed"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use trust::{Purpose, runtimes};

use crate::live::{Made, Random, number, since_epoch};

#[test]
fn every_installed_runtime_says_what_our_profile_says_about_fresh_chains() {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/verify.py");
    if !oracle.is_file() || Command::new("python3").arg("--version").output().is_err() {
        println!("SKIPPED: the oracle or python3 is not here");
        return;
    }
    let now = i64::try_from(since_epoch().as_secs()).unwrap();
    let seed = number("LIVE_SEED").unwrap_or_else(|| since_epoch().subsec_nanos().into());
    println!("LIVE_SEED={seed}");
    let mut random = Random(seed);
    let count = number("LIVE_VECTORS").unwrap_or(20);
    let all: BTreeMap<String, Made> = (0..count)
        .map(|index| (format!("live:{seed}:{index}"), Made::new(&mut random, now)))
        .collect();

    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in asked(&oracle, &all, now).lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let made = &all[row["id"].as_str().unwrap()];
        for profile in runtimes() {
            let said = &row["verdicts"][profile.name];
            let Some(real) = said["ok"].as_bool() else {
                continue;
            };
            let error = said["error"].as_str().unwrap_or_default();
            // The other side ended the handshake for a reason of its own: no verdict on the chain.
            if error.contains("peer:") {
                continue;
            }
            let ours = made.ours(profile.name, now);
            let count = counts.entry(profile.name).or_default();
            *count = (count.0 + 1, count.1 + u32::from(real));
            if real != ours.0 {
                wrong.push(format!(
                    "{}: {}: {real} ({error}), ours {ours:?}",
                    profile.name, made.what
                ));
            }
        }
    }
    for (name, (asked, accepted)) in &counts {
        println!("{name}: {asked} verdicts, {accepted} accepted");
    }
    assert!(wrong.is_empty(), "LIVE_SEED={seed}\n{}", wrong.join("\n"));
    assert!(!counts.is_empty(), "the oracle answered for nobody");
}

/// The oracle's answers, one JSON object a line.
fn asked(oracle: &Path, all: &BTreeMap<String, Made>, now: i64) -> String {
    let dir = std::env::temp_dir().join(format!("capgrow-oracle-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let time = jiff::Timestamp::from_second(now).unwrap().to_string();
    let (mut vectors, mut keys) = (String::new(), String::new());
    for (id, made) in all {
        let certificates = |list: &[keystore::Certificate]| -> Vec<String> {
            list.iter().map(|one| STANDARD.encode(one.der())).collect()
        };
        let purpose = if made.purpose == Purpose::Server {
            "server"
        } else {
            "client"
        };
        let peer = made.name.map(|name| json!({ "kind": "dns", "value": name }));
        let vector = json!({
            "id": id, "description": made.what, "chain": certificates(&made.chain),
            "anchors": certificates(&made.anchors), "peer": peer, "purpose": purpose, "time": time,
        });
        vectors += &format!("{vector}\n");
        if let Some(key) = &made.key {
            keys += &format!("{}\n", json!({ "id": id, "key": STANDARD.encode(key) }));
        }
    }
    std::fs::write(dir.join("vectors.jsonl"), vectors).unwrap();
    std::fs::write(dir.join("keys.jsonl"), keys).unwrap();
    let groups = std::env::var("LIVE_GROUPS").unwrap_or_else(|_| GROUPS.to_owned());
    let ran = Command::new("python3")
        .arg(oracle)
        .args([
            "--only",
            &groups,
            "--keys",
            "keys.jsonl",
            "--out",
            "verdicts.jsonl",
            "vectors.jsonl",
        ])
        .current_dir(&dir)
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "the oracle ended with {}", ran.status);
    let verdicts = std::fs::read_to_string(dir.join("verdicts.jsonl")).unwrap();
    let _ = std::fs::remove_dir_all(&dir);
    verdicts
}

/// All that ask without building a program of Rust first.
const GROUPS: &str = "openssl,gnutls,java,node,python,nss,go";
