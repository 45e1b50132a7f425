//! `verdict`: one line per vector, every runtime of the oracle's table, and the stores of the other end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::Certificate;
use keystore::Format;
use serde_json::Value;
use serde_json::json;

use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::folder;
use crate::corpus::run;
use crate::made;

#[test]
fn every_vector_gets_one_line_in_order_and_recorded_verdicts_are_not_looked_at() {
    let (_, chain) = made::identity("server");
    let vector = |id: &str, anchors: &[Certificate], claimed: bool| {
        json!({
            "id": id, "chain": encoded(&chain), "anchors": encoded(anchors), "peer": null, "purpose": "server",
            "time": "2026-11-21T12:00:00Z", "verdicts": { "openssl": { "ok": claimed, "error": "" } },
        })
    };
    let lines = [
        vector("trusted", &chain[2..], false),
        vector("stranger", &chain[..0], true),
    ];
    let ran = verdicts(&lines.map(|line| line.to_string()).join("\n"), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let answers: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        answers
            .iter()
            .map(|answer| answer["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["trusted", "stranger"]
    );
    for name in NAMES {
        assert_eq!(
            answers[0]["verdicts"][name]["ok"], true,
            "{name}: {}",
            answers[0]["verdicts"][name]
        );
        assert_eq!(answers[1]["verdicts"][name]["ok"], false, "{name}");
        assert_ne!(answers[1]["verdicts"][name]["error"], "", "{name}");
    }
}

#[test]
fn recorded_verdicts_come_out_as_they_were_measured() {
    let Some(folder) = folder("pathval") else { return };
    let text = std::fs::read_to_string(folder.join("rotation/vectors.jsonl")).unwrap();
    let ran = verdicts(&text, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut differing = Vec::new();
    let mut compared = 0;
    for (line, answer) in text.lines().zip(ran.stdout.lines()) {
        let (vector, answer): (Value, Value) = (
            serde_json::from_str(line).unwrap(),
            serde_json::from_str(answer).unwrap(),
        );
        assert_eq!(vector["id"], answer["id"]);
        let chance: Vec<&Value> = vector["unpredictable"].as_array().into_iter().flatten().collect();
        for (runtime, measured) in vector["verdicts"].as_object().unwrap() {
            if chance.iter().any(|name| **name == runtime.as_str()) {
                continue;
            }
            compared += 1;
            if answer["verdicts"][runtime]["ok"] != measured["ok"] {
                differing.push(format!("{} {runtime}", vector["id"]));
            }
        }
    }
    assert!(compared > 1000, "only {compared} verdicts");
    assert!(
        differing.is_empty(),
        "{} of {compared} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
}

#[test]
fn a_line_that_is_no_vector_is_named_and_the_others_are_answered() {
    let good = json!({ "id": "good", "chain": [], "anchors": [], "peer": null, "purpose": "client", "time": "2026-11-21T12:00:00Z" });
    let ran = verdicts(
        &format!("{good}\n{{\"id\": \"bad\"}}\n{good}\n"),
        &["--as", "openssl"],
    );
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
}

#[test]
fn a_chain_is_judged_with_the_stores_of_the_other_end() {
    let dir = tempfile::tempdir().unwrap();
    let (_, chain) = made::identity("server");
    let certificates: Vec<_> = chain[..2].iter().map(|one| made::trust(None, one)).collect();
    std::fs::write(
        dir.path().join("chain.pem"),
        made::store(Format::Pem, None, &certificates),
    )
    .unwrap();
    let root = made::store(
        Format::Jks,
        Some("secret"),
        &[made::trust(Some("root"), &chain[2])],
    );
    std::fs::write(dir.path().join("trust.jks"), root).unwrap();
    let ask = |more: &[&str]| {
        let mut command = capgrow(dir.path());
        command
            .args(["verdict", "--chain", "chain.pem", "--at", "2026-11-21T12:00:00Z"])
            .args(more);
        run(&mut command)
    };
    let accepted = ask(&["--trust", "trust.jks", "--as", "java17,openssl,gskit8"]);
    assert_eq!(accepted.code, 0, "{}{}", accepted.stdout, accepted.stderr);
    let without = ask(&["--as", "openssl", "--json"]);
    assert_eq!(without.code, 1);
    assert_eq!(without.json()["verdicts"]["openssl"]["ok"], false);
    let late = ask(&[
        "--trust",
        "trust.jks",
        "--as",
        "openssl",
        "--at",
        "2050-01-01T00:00:00Z",
    ]);
    assert_eq!(late.code, 2, "--at was given twice");
    let unknown = ask(&["--trust", "trust.jks", "--as", "java5"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("java17"), "{}", unknown.stderr);
    assert_eq!(ask(&["--trust", "absent.jks"]).code, 2);
}

#[test]
fn two_ends_are_asked_what_they_agree_on_and_each_says_what_it_prints() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |more: &[&str]| run(capgrow(dir.path()).args(["verdict", "--negotiate"]).args(more));
    let agreed = ask(&["java17", "openssl3,key=rsa2048", "--json"]);
    assert_eq!(agreed.code, 0, "{}", agreed.stderr);
    assert_eq!(agreed.json()["answer"]["suite"], "TLS_AES_256_GCM_SHA384");
    let refused = ask(&["mq,spec=ANY_TLS12_OR_HIGHER", "mq,spec=ANY_TLS12"]);
    assert_eq!(refused.code, 1);
    for want in ["AMQ9631E", "AMQ9641E", "documented, not measured"] {
        assert!(refused.stdout.contains(want), "{}", refused.stdout);
    }
    let unknown = ask(&["java5", "openssl3"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("ibmjdk8"), "{}", unknown.stderr);
}

#[test]
fn what_a_client_would_send_depends_on_the_servers_list_where_its_runtime_looks_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let (key, chain) = made::identity("server");
    let own = made::store(
        Format::Jks,
        Some("secret"),
        &[made::key(Some("web"), &key, &chain, None)],
    );
    std::fs::write(dir.path().join("own.jks"), own).unwrap();
    for (name, root) in [("ours.jks", &chain[2]), ("theirs.jks", &chain[0])] {
        let bytes = made::store(Format::Jks, Some("secret"), &[made::trust(Some("root"), root)]);
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    std::fs::write(dir.path().join("pw"), "secret").unwrap();
    let ask = |more: &[&str]| {
        let mut command = capgrow(dir.path());
        command
            .args(["verdict", "--presents", "own.jks", "--password-file", "pw"])
            .args(more);
        run(&mut command)
    };
    let sent = ask(&["--trust", "ours.jks", "--as", "java17,openssl,go", "--json"]);
    assert_eq!(sent.code, 0, "{}{}", sent.stdout, sent.stderr);
    let other = ask(&["--trust", "theirs.jks", "--as", "java17,openssl", "--json"]);
    assert_eq!(other.code, 1, "{}", other.stdout);
    assert!(other.json()["identities"]["java17"]["entry"].is_null());
    assert!(other.json()["identities"]["openssl"]["entry"].is_string());
    let absent = ask(&["--alias", "nobody", "--as", "java17"]);
    assert!(absent.stdout.contains("nobody"), "{}", absent.stdout);
}

#[test]
fn a_file_that_is_no_revocation_list_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (_, chain) = made::identity("server");
    let certificates: Vec<_> = chain.iter().map(|one| made::trust(None, one)).collect();
    std::fs::write(
        dir.path().join("chain.pem"),
        made::store(Format::Pem, None, &certificates),
    )
    .unwrap();
    std::fs::write(dir.path().join("bad.crl"), "no list").unwrap();
    let args = ["verdict", "--chain", "chain.pem", "--crl", "bad.crl"];
    let ran = run(capgrow(dir.path()).args(args));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("bad.crl"), "{}", ran.stderr);
}

fn verdicts(lines: &str, more: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vectors.jsonl"), lines).unwrap();
    run(capgrow(dir.path())
        .args(["verdict", "--vectors", "vectors.jsonl"])
        .args(more))
}

fn encoded(certificates: &[Certificate]) -> Vec<String> {
    certificates
        .iter()
        .map(|one| STANDARD.encode(one.der()))
        .collect()
}

/// The oracle's table.
const NAMES: [&str; 22] = [
    "openssl",
    "openssl-partial",
    "openssl-seclevel1",
    "openssl-strict-partial",
    "python-ssl",
    "python-ssl-partial",
    "python-ssl-313",
    "node",
    "node-partial",
    "s_client",
    "curl",
    "gnutls-cli",
    "gnutls",
    "go",
    "rustls",
    "java-pkix",
    "java-sunx509",
    "java-pkix-tls",
    "java-sunx509-tls",
    "java-certpath",
    "nss-classic",
    "nss-pkix",
];
