//! The `openssl` program reads the PEM files that we write.

use std::io::Write;
use std::process::{Command, Stdio};

use keystore::{Edit, Format, Password, Place, Store};

use crate::made::{certificate, filler, identity};
use crate::random;

fn is_there() -> bool {
    let found = Command::new("openssl")
        .arg("version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !found {
        println!("SKIPPED: no openssl program");
    }
    found
}

#[track_caller]
fn ask(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(input)
        .expect("openssl reads");
    let out = child.wait_with_output().expect("openssl ends");
    assert!(
        out.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).expect("text")
}

fn made(key_password: Option<&str>, label: &str) -> Vec<u8> {
    let mut random = random::env(41);
    let mut store = Store::empty(Format::Pem).unwrap();
    let (key, leaf) = identity(label);
    let put = Edit::PutKey {
        alias: None,
        key,
        chain: vec![leaf, certificate("inter")],
        key_password: key_password.map(Password::new),
        place: Place::First,
    };
    store.edit(&put, &mut random.env()).unwrap();
    for one in [certificate("root"), filler(1)] {
        let trust = Edit::Trust {
            alias: None,
            certificate: one,
            place: Place::Last,
        };
        store.edit(&trust, &mut random.env()).unwrap();
    }
    store.write(None, &mut random.env()).unwrap()
}

#[test]
fn keys_and_certificates_that_we_write_are_read_by_openssl() {
    if !is_there() {
        return;
    }
    for label in ["client", "client ec"] {
        for key_password in [None, Some("a pässword")] {
            let file = made(key_password, label);
            let pass = format!("pass:{}", key_password.unwrap_or_default());
            let from_key = ask(&["pkey", "-passin", &pass, "-pubout"], &file);
            let from_leaf = ask(&["x509", "-noout", "-pubkey"], &file);
            assert_eq!(from_key, from_leaf, "{label}");
            let subject = ask(&["x509", "-noout", "-subject", "-nameopt", "RFC2253"], &file);
            assert_eq!(subject.trim(), format!("subject={}", identity(label).1.subject()));
            let all = ask(&["crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin"], &file);
            let read = keystore::read(all.as_bytes(), None, &keystore::Limits::default()).unwrap();
            assert_eq!(read.entries().len(), 4);
        }
    }
}

/// Names, dates, serials and fingerprints as OpenSSL prints them.
#[test]
fn certificates_show_what_openssl_shows() {
    if !is_there() {
        return;
    }
    for label in ["root", "inter", "client", "client ec"] {
        let one = certificate(label);
        let arguments = [
            "x509",
            "-inform",
            "DER",
            "-noout",
            "-serial",
            "-fingerprint",
            "-sha256",
            "-issuer",
            "-nameopt",
            "RFC2253",
        ];
        let shown = ask(&arguments, one.der());
        let fingerprint: Vec<String> = one.sha256().iter().map(|byte| format!("{byte:02X}")).collect();
        for wanted in [
            format!("serial={}", one.serial_hex().to_uppercase()),
            format!("issuer={}", one.issuer()),
            fingerprint.join(":"),
        ] {
            assert!(shown.contains(&wanted), "{label}: {wanted} is not in {shown}");
        }
    }
}
