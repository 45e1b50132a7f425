//! Keys and certificates that belong together, or do not; what is the vendor's own; what is there twice.

use std::path::Path;

use keystore::Edit;
use keystore::Format;
use serde_json::Value;

use crate::corpus::capgrow;
use crate::corpus::run;
use crate::made;

#[test]
fn a_key_beside_another_ones_certificate_is_a_mismatch_in_one_file_and_in_two() {
    let (server_key, server_chain) = made::identity("server");
    let (client_key, _) = made::identity("client");
    let certificates: Vec<Edit> = server_chain.iter().map(|one| made::trust(None, one)).collect();
    let alone = made::store(Format::Pem, None, &[made::key(None, &client_key, &[], None)]);
    let chain = made::store(Format::Pem, None, &certificates);
    let both = [alone.clone(), chain.clone()].concat();
    let right = made::store(Format::Pem, None, &[made::key(None, &server_key, &[], None)]);
    check(&[("a.pem", &both)], &["a.pem"], &["key-mismatch"]);
    check(
        &[("x.key", &alone), ("y.pem", &chain)],
        &["x.key", "y.pem"],
        &["key-mismatch"],
    );
    check(
        &[("a.key", &alone), ("a.crt", &chain), ("b.key", &right)],
        &["."],
        &["key-mismatch"],
    );
    check(&[("x.key", &right), ("y.pem", &chain)], &["x.key", "y.pem"], &[]);
    check(&[("x.key", &alone)], &["x.key"], &[]);
}

#[test]
fn a_key_in_two_files_is_a_note_in_both() {
    let (key, chain) = made::identity("server");
    let jks = made::store(
        Format::Jks,
        Some("password"),
        &[made::key(Some("a"), &key, &chain, None)],
    );
    let pem = made::store(Format::Pem, None, &[made::key(None, &key, &[], None)]);
    let document = check(&[("a.jks", &jks), ("b.pem", &pem)], &["."], &[]);
    for file in document["files"].as_array().unwrap() {
        assert!(rules(&file["notes"]).contains(&"shared-key".to_owned()), "{file}");
    }
}

#[test]
fn one_certificate_under_two_names_is_found_but_not_the_root_of_a_chain() {
    let (key, chain) = made::identity("server");
    let root = made::root();
    let twice = [made::trust(Some("a"), &root), made::trust(Some("b"), &root)];
    let normal = [
        made::trust(Some("a"), &root),
        made::key(Some("b"), &key, &chain, None),
    ];
    check(
        &[("a.jks", &made::store(Format::Jks, Some("password"), &twice))],
        &["a.jks"],
        &["duplicate-certificate"],
    );
    check(
        &[("a.jks", &made::store(Format::Jks, Some("password"), &normal))],
        &["a.jks"],
        &[],
    );
}

#[test]
fn a_chain_out_of_order_is_found_in_a_key_entry_and_in_a_bundle() {
    let (key, chain) = made::identity("server");
    let disordered = [chain[0].clone(), chain[2].clone(), chain[1].clone()];
    let jks = made::store(
        Format::Jks,
        Some("password"),
        &[made::key(Some("a"), &key, &disordered, None)],
    );
    check(&[("a.jks", &jks)], &["a.jks"], &["chain-order"]);
    let bundle =
        |order: [usize; 3]| made::store(Format::Pem, None, &order.map(|at| made::trust(None, &chain[at])));
    check(&[("a.pem", &bundle([0, 1, 2]))], &["a.pem"], &[]);
    check(&[("a.pem", &bundle([2, 1, 0]))], &["a.pem"], &["chain-order"]);
}

/// Looks at `targets` in a directory of these files: the rules of all errors and warnings, and the exit code, are
/// those wanted.
#[track_caller]
fn check(files: &[(&str, &[u8])], targets: &[&str], wanted: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        write(&dir.path().join(name), bytes);
    }
    let ran = run(capgrow(dir.path()).args(["inspect", "--json"]).args(targets));
    assert_eq!(
        ran.code,
        i32::from(!wanted.is_empty()),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let document = ran.json();
    let found: Vec<String> = document["files"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|file| rules(&file["findings"]))
        .collect();
    assert_eq!(found, wanted);
    document
}

fn rules(findings: &Value) -> Vec<String> {
    findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

fn write(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
