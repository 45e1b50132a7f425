//! Shell scripts as people have them, unchanged, against the links.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a script with nothing on its `PATH` but the links and the tools of every system: no Java, no OpenSSL.
fn run(script: &str, directory: &Path) -> Output {
    let links = crate::links();
    for tool in TOOLS {
        let found = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(tool));
        let found = found
            .into_iter()
            .find(|file| file.exists())
            .expect("a tool of every system");
        std::os::unix::fs::symlink(found, links.path().join(tool)).unwrap();
    }
    let output = Command::new("/bin/sh")
        .arg("-eu")
        .arg("-c")
        .arg(script)
        .current_dir(directory)
        .env_clear()
        .env("PATH", links.path())
        .env("TZ", "UTC")
        .env("HOME", directory)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

#[test]
fn a_request_goes_to_the_authority_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(include_str!("scripts/csr_round_trip.sh"), directory.path());
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.ends_with("server: 3 certificates, issued by CN=Issuing CA, O=Acme\n"),
        "{shown}"
    );
}

#[test]
fn an_authority_is_put_into_the_stores_of_twenty_hosts() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(include_str!("scripts/trust_twenty_hosts.sh"), directory.path());
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.ends_with("20 stores trust it, 20 did already on the second run\n"),
        "{shown}"
    );
}

#[test]
fn pkcs12_files_become_a_key_repository_and_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(include_str!("scripts/pkcs12_to_cms.sh"), directory.path());
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.starts_with(
            "Certificates found\n* default, - personal, ! trusted, # secret key\n!\tca256\n-\tSS_SERVER\n-\tECEC_SERVER\n"
        ),
        "{shown}"
    );
    assert!(
        shown.ends_with("SS_SERVER is the same in 3 databases\n"),
        "{shown}"
    );
}

#[test]
fn a_server_gets_its_new_certificate_and_loses_the_default_one() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(
        include_str!("scripts/new_server_certificate.sh"),
        directory.path(),
    );
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.ends_with("glowfish only: 1\n"), "{shown}");
}

#[test]
fn a_store_is_converted_and_keeps_its_identities() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(include_str!("scripts/convert_store.sh"), directory.path());
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.ends_with("same certificates before and after\n"), "{shown}");
}

/// What the scripts use beside the shell.
#[rustfmt::skip]
const TOOLS: &[&str] = &[
    "awk", "cat", "chmod", "cmp", "cp", "cut", "grep", "head", "ls", "mkdir", "mv", "rm", "sed", "sort", "tail", "tr", "wc",
];
