//! `doctor` as scripts meet it: exit codes, the document, and no secret in any answer.

use std::path::Path;

use crate::corpus::capgrow;
use crate::corpus::run;

#[test]
fn clean_is_0_findings_are_1_and_nothing_to_look_at_is_2() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    assert_eq!(run(capgrow(path).args(["doctor", "absent", "--json"])).code, 2);
    std::fs::create_dir(path.join("empty")).unwrap();
    assert_eq!(run(capgrow(path).args(["doctor", "empty"])).code, 2);
    write(
        &path.join("calm"),
        "messages.log",
        "CWWKO0219I: TCP Channel defaultHttpEndpoint-ssl has been started\n",
    );
    let calm = run(capgrow(path).args(["doctor", "calm", "--json"]));
    assert_eq!(calm.code, 0, "{}", calm.stdout);
    assert_eq!(calm.json()["findings"].as_array().unwrap().len(), 0);
    write(
        &path.join("loud"),
        "out.txt",
        "keytool error: java.io.IOException: keystore password was incorrect\n",
    );
    let loud = run(capgrow(path).args(["doctor", "loud", "--json"]));
    assert_eq!(loud.code, 1);
    let document = loud.json();
    assert_eq!(document["version"], 1);
    let first = &document["findings"][0];
    assert_eq!(first["rule"], "H-01");
    for key in ["severity", "target", "evidence", "cause", "fix"] {
        assert!(!first[key].is_null(), "{key}");
    }
    assert_eq!(first["evidence"][0]["line"], 1);
}

#[test]
fn every_rule_can_be_explained_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let all = run(capgrow(dir.path()).args(["doctor", "--explain", "all"]));
    assert_eq!(
        all.stdout.lines().filter(|line| line.starts_with("H-")).count(),
        81
    );
    let one = run(capgrow(dir.path()).args(["doctor", "--explain", "h-30"]));
    assert!(
        one.code == 0 && one.stdout.starts_with("## H-30"),
        "{}",
        one.stdout
    );
    assert_eq!(
        run(capgrow(dir.path()).args(["doctor", "--explain", "H-99"])).code,
        2
    );
}

#[test]
fn no_secret_among_the_evidence_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let bag = dir.path().join("bag");
    write(&bag, "tls.sth", "Q0FOQVJZMTIzCg==\n");
    write(
        &bag,
        "server.xml",
        "<server><keyStore id=\"defaultKeyStore\" location=\"key.p12\" password=\"CANARY123\"/></server>\n",
    );
    write(
        &bag,
        "acd.log",
        "AgentCertificateDownloader.sh --apikey CANARY123 HTTP status 401\n",
    );
    for form in [
        &["doctor", "bag"][..],
        &["doctor", "bag", "--json"],
        &["doctor", "bag", "--json-lines"],
    ] {
        let ran = run(capgrow(dir.path()).args(form));
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(
            !ran.stdout.contains("CANARY") && !ran.stderr.contains("CANARY"),
            "{}",
            ran.stdout
        );
    }
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join(name), text).unwrap();
}
