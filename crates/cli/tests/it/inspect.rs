//! `inspect`: each finding with a file that earns it and one that does not; what is kept between two runs.

mod cache;
mod material;

use std::collections::BTreeSet;
use std::path::Path;

use self::material::Asked;
use self::material::Files;
use self::material::KeyKind;
use crate::corpus::capgrow;
use crate::corpus::run;

type Setup = fn(&Files);

/// `RULE`, what earns it, what does not.
const RULES: &[(&str, Setup, Setup)] = &[
    (
        "weak-key",
        |f| {
            f.identity(
                "a.p12",
                &Asked {
                    key: KeyKind::Rsa1024,
                    ..f.leaf()
                },
            )
        },
        |f| f.identity("a.p12", &f.leaf()),
    ),
    (
        "weak-signature",
        |f| {
            f.identity(
                "a.jks",
                &Asked {
                    sha1: true,
                    ..f.leaf()
                },
            )
        },
        |f| f.identity("a.jks", &f.leaf()),
    ),
    (
        "expired",
        |f| {
            f.identity(
                "a.jks",
                &Asked {
                    days: (-30, -2),
                    ..f.leaf()
                },
            )
        },
        |f| f.identity("a.jks", &f.leaf()),
    ),
    (
        "expires-soon",
        |f| {
            f.identity(
                "a.p12",
                &Asked {
                    days: (-30, 20),
                    ..f.leaf()
                },
            )
        },
        |f| {
            f.identity(
                "a.p12",
                &Asked {
                    days: (-30, 40),
                    ..f.leaf()
                },
            )
        },
    ),
    (
        "not-yet-valid",
        |f| {
            f.identity(
                "a.p12",
                &Asked {
                    days: (3, 90),
                    ..f.leaf()
                },
            )
        },
        |f| f.identity("a.p12", &f.leaf()),
    ),
    (
        "key-without-chain",
        |f| f.key_alone("a.p12"),
        |f| f.identity("a.p12", &f.leaf()),
    ),
    (
        "chain-order",
        |f| f.chain("a.pem", &["leaf", "root", "mid"]),
        |f| f.chain("a.pem", &["leaf", "mid", "root"]),
    ),
    (
        "chain-order",
        |f| f.key_with("a.jks", &["leaf", "root", "mid"]),
        |f| f.key_with("a.jks", &["leaf", "mid", "root"]),
    ),
    (
        "chain-signature",
        |f| f.key_with("a.jks", &["leaf", "false mid"]),
        |f| f.key_with("a.jks", &["leaf", "mid"]),
    ),
    (
        "chain-short",
        |f| f.key_with("a.jks", &["leaf"]),
        |f| f.key_with("a.jks", &["leaf", "mid"]),
    ),
    (
        "duplicate-certificate",
        |f| f.trust("a.jks", &[("one", "root"), ("two", "root")]),
        |f| f.trust("a.jks", &[("one", "root"), ("two", "mid")]),
    ),
    (
        "vendor-default",
        |f| {
            f.identity(
                "a.jks",
                &Asked {
                    name: "C=US, O=IBM, OU=TWS, CN=Client",
                    issuer: "",
                    ..f.leaf()
                },
            )
        },
        |f| {
            f.identity(
                "a.jks",
                &Asked {
                    name: "CN=Client",
                    issuer: "",
                    ..f.leaf()
                },
            )
        },
    ),
    (
        "shared-key",
        |f| {
            f.key_with("a.jks", &["leaf"]);
            f.key_with("b.p12", &["leaf"])
        },
        |f| {
            f.key_with("a.jks", &["leaf"]);
            f.identity("b.p12", &f.leaf())
        },
    ),
    (
        "shared-key",
        |f| {
            f.key_alone("a.pem");
            f.key_with("b.kdb", &["leaf"])
        },
        |f| {
            f.key_alone("a.pem");
            f.identity("b.kdb", &f.leaf())
        },
    ),
    (
        "left-over-key",
        |f| {
            f.key_with("resources/security/key.jks", &["leaf"]);
            f.key_with("resources/security/new.pfx", &["leaf"])
        },
        |f| {
            f.key_with("ssl/key.jks", &["leaf"]);
            f.key_with("ssl/new.pfx", &["leaf"])
        },
    ),
    (
        "left-over-key",
        |f| {
            f.key_with("resources/security/key.jks", &["leaf"]);
            f.key_alone("resources/security/tls.key")
        },
        |f| f.key_with("resources/security/key.p12", &["leaf"]),
    ),
    (
        "left-over-key",
        |f| f.key_with("a.jks.old", &["leaf"]),
        |f| f.trust("a.jks.old", &[("one", "root")]),
    ),
    (
        "left-over-key",
        |f| f.key_with("Copy of a.jks", &["leaf"]),
        |f| f.key_with("copies.jks", &["leaf"]),
    ),
    (
        "alias-collision",
        |f| f.trust("a.bks", &[("web", "root"), ("WEB", "mid")]),
        |f| f.trust("a.bks", &[("web", "root"), ("web2", "mid")]),
    ),
    (
        "alias-collision",
        |f| f.trust("a.kdb", &[("web", "root"), ("Web", "mid")]),
        |f| f.trust("a.kdb", &[("web", "root"), ("wéb", "mid")]),
    ),
    (
        "ca-bundle",
        |f| f.chain("a.pem", &["root", "other root"]),
        |f| f.chain("a.pem", &["leaf", "mid"]),
    ),
    (
        "chain",
        |f| f.chain("a.pem", &["leaf", "mid"]),
        |f| f.chain("a.pem", &["root", "other root"]),
    ),
    (
        "key-mismatch",
        |f| {
            f.key_alone("a.key");
            f.chain("a.crt", &["other leaf"])
        },
        |f| {
            f.key_alone("a.key");
            f.chain("a.crt", &["leaf"])
        },
    ),
    (
        "stash-mismatch",
        |f| {
            f.key_with("a.kdb", &["leaf"]);
            f.stash("a.sth", "another")
        },
        |f| {
            f.key_with("a.kdb", &["leaf"]);
            f.stash("a.sth", "changeit")
        },
    ),
    (
        "stash-unreadable",
        |f| f.write("a.sth", b"no password at all, whoever asks"),
        |f| f.stash("a.sth", "changeit"),
    ),
    (
        "pem-marker",
        |f| f.glued("a.pem", true),
        |f| f.glued("a.pem", false),
    ),
    ("damaged", |f| f.cut("a.jks"), |f| f.key_with("a.jks", &["leaf"])),
    (
        "needs-password",
        |f| f.trust("a.uber", &[("one", "root")]),
        |f| f.trust("a.bks", &[("one", "root")]),
    ),
    (
        "extension",
        |f| {
            f.key_with("a.jks", &["leaf"]);
            f.moved("a.jks", "a.p12")
        },
        |f| f.key_with("a.p12", &["leaf"]),
    ),
    (
        "depot-incomplete",
        |f| {
            f.depot();
            f.remove("depot/tls.sth")
        },
        |f| f.depot(),
    ),
    (
        "depot-form",
        |f| {
            f.depot();
            f.der("depot/ca.crt", "root")
        },
        |f| f.depot(),
    ),
    (
        "depot-form",
        |f| {
            f.depot();
            f.chain("depot/additionalCAs/mid.crt", &["mid", "other root"])
        },
        |f| f.depot(),
    ),
    (
        "depot-form",
        |f| {
            f.depot();
            f.key_alone("depot/ca.crt")
        },
        |f| f.depot(),
    ),
    (
        "depot-chain",
        |f| {
            f.depot();
            f.remove("depot/additionalCAs/mid.crt")
        },
        |f| {
            f.depot();
            f.remove("depot/additionalCAs/mid.crt");
            f.chain("depot/tls.crt", &["leaf", "mid"])
        },
    ),
    (
        "depot-chain",
        |f| {
            f.depot();
            f.chain("depot/ca.crt", &["other root"])
        },
        |f| f.depot(),
    ),
    (
        "depot-chain",
        |f| {
            f.depot();
            f.chain("depot/additionalCAs/mid.crt", &["false mid"])
        },
        |f| f.depot(),
    ),
    (
        "depot-purpose",
        |f| {
            f.depot();
            f.chain("depot/tls.crt", &["server only"])
        },
        |f| f.depot(),
    ),
    (
        "key-mismatch",
        |f| {
            f.depot();
            f.chain("depot/tls.crt", &["other leaf"])
        },
        |f| f.depot(),
    ),
    (
        "depot-incomplete",
        |f| {
            f.depot();
            f.remove("depot/tls.key")
        },
        |f| {
            f.key_alone("web/tls.key");
            f.chain("web/tls.crt", &["leaf"])
        },
    ),
];

#[test]
fn each_finding_has_a_file_that_earns_it_and_one_that_does_not() {
    let files = Files::new();
    let mut wrong = Vec::new();
    for (number, (rule, earns, earns_not)) in RULES.iter().enumerate() {
        for (setup, wanted) in [(earns, true), (earns_not, false)] {
            let dir = tempfile::tempdir().unwrap();
            let files = files.at(dir.path());
            setup(&files);
            let found = rules(dir.path(), rule);
            if found.contains(*rule) != wanted {
                wrong.push(format!("{number} {rule}: wanted {wanted}, found {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn healthy_stores_of_every_format_earn_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new();
    let files = files.at(dir.path());
    for end in ["jks", "jceks", "bks", "uber", "bcfks", "p12", "kdb", "pem"] {
        files.identity(&format!("{end}/id.{end}"), &files.leaf());
        files.trust(
            &format!("{end}/trust.{end}"),
            &[("one", "root"), ("two", "other root")],
        );
    }
    files.depot();
    std::fs::write(dir.path().join("pw"), "changeit").unwrap();
    let ran =
        run(capgrow(dir.path()).args(["inspect", ".", "--json", "--no-cache", "--password-file", "pw"]));
    let found: Vec<String> = ran.json()["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| !file["findings"].as_array().unwrap().is_empty())
        .map(|file| file.to_string())
        .collect();
    assert!(
        ran.code == 0 && found.is_empty(),
        "{}{}",
        found.join("\n"),
        ran.stderr
    );
}

#[test]
fn a_tree_with_sockets_loops_empty_and_locked_files_is_looked_through() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new();
    let files = files.at(dir.path());
    files.trust("deep/er/trust.jks", &[("one", "root")]);
    files.write("empty.jks", b"");
    files.write("noise.jks", &[0xfe; 3000]);
    std::os::unix::fs::symlink("..", dir.path().join("deep/loop")).unwrap();
    std::os::unix::fs::symlink("itself", dir.path().join("itself")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("dangling.p12")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket.jks")).unwrap();
    let ran = run(capgrow(dir.path()).args(["inspect", ".", "--json"]));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.json()["files"].as_array().unwrap().len(), 1, "{}", ran.stdout);
    let ran = run(capgrow(dir.path()).args(["inspect", "empty.jks"]));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("empty"), "{}", ran.stderr);
}

/// The rules of all findings and notes below a directory.
fn rules(dir: &Path, rule: &str) -> BTreeSet<String> {
    let mut command = capgrow(dir);
    command.args(["inspect", ".", "--json", "--no-cache"]);
    if rule != "needs-password" && rule != "stash-mismatch" {
        std::fs::write(dir.join(".pw"), "changeit").unwrap();
        command.args(["--password-file", ".pw"]);
    }
    let ran = run(&mut command);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let found = ran.json();
    let mut rules = BTreeSet::new();
    for file in found["files"].as_array().unwrap() {
        for one in ["findings", "notes"]
            .iter()
            .flat_map(|list| file[list].as_array().unwrap())
        {
            rules.insert(one["rule"].as_str().unwrap().to_owned());
        }
    }
    rules
}
