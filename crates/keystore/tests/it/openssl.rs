//! The `openssl` program reads the PEM files that we write.

use std::io::Write;
use std::process::{Command, Stdio};

use keystore::{Body, Edit, Format, Password, Place, Request, RevocationList, Store};

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

const CONFIGURATION: &str = "
[req]
distinguished_name = dn
req_extensions = names
prompt = no
[dn]
C = US
O = IBM
CN = Server
[names]
subjectAltName = DNS:host.example.com, IP:10.1.2.3
[ca]
default_ca = here
[here]
database = index.txt
default_md = sha256
default_crl_days = 30
crlnumber = crlnumber
certificate = root.pem
private_key = root.key
";

/// Requests and revocation lists made by OpenSSL, in PEM and DER.
#[test]
fn requests_and_revocation_lists_of_openssl_are_read() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("o.cnf"), CONFIGURATION).unwrap();
    std::fs::write(
        path("index.txt"),
        "R\t351231000000Z\t260101120000Z\t00FF12\tunknown\t/CN=gone\n",
    )
    .unwrap();
    std::fs::write(path("crlnumber"), "01\n").unwrap();
    let run = |arguments: &[&str]| {
        let out = Command::new("openssl")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    };
    let ec = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-384",
        "-nodes",
        "-config",
        "o.cnf",
    ];
    run(&[
        &["req", "-new", "-keyout", "key.pem", "-out", "request.pem"][..],
        &ec,
    ]
    .concat());
    run(&[
        "req",
        "-in",
        "request.pem",
        "-outform",
        "DER",
        "-out",
        "request.der",
    ]);
    run(&[
        &[
            "req", "-x509", "-keyout", "root.key", "-out", "root.pem", "-days", "9",
        ][..],
        &ec,
    ]
    .concat());
    run(&["ca", "-config", "o.cnf", "-gencrl", "-out", "crl.pem"]);
    run(&["crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der"]);
    let read = |name: &str| {
        let bytes = std::fs::read(path(name)).unwrap();
        keystore::read(&bytes, None, &keystore::Limits::default()).unwrap()
    };
    for name in ["request.pem", "request.der"] {
        let store = read(name);
        let Body::Request { der, .. } = store.entries()[0].body() else {
            panic!("{name}: {store:?}")
        };
        let request = Request::parse(der).unwrap();
        assert_eq!(request.subject.to_string(), "CN=Server,O=IBM,C=US");
        assert_eq!(request.public_key().kind().to_string(), "EC P-384");
        let names = request
            .extensions
            .iter()
            .find(|one| one.oid == keystore::oid::SUBJECT_ALT_NAME)
            .unwrap();
        let names: Vec<String> = names
            .general_names()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["DNS:host.example.com", "IP:10.1.2.3"]);
        let key = read("key.pem").entries()[0].unlock(None).unwrap();
        assert_eq!(key.matches_spki(request.spki), keystore::KeyMatch::Matches);
    }
    for name in ["crl.pem", "crl.der"] {
        assert_eq!(read(name).entries()[0].kind_name(), "opaque", "{name}");
    }
    let bytes = std::fs::read(path("crl.der")).unwrap();
    let list = RevocationList::parse(&bytes).unwrap();
    assert_eq!(list.issuer.to_string(), "CN=Server,O=IBM,C=US");
    let [(serial, when)] = list.revoked.as_slice() else {
        panic!("{list:?}")
    };
    assert_eq!((*serial, *when), ([0, 0xff, 0x12].as_slice(), 1_767_268_800));
    assert_eq!(list.next_update.unwrap() - list.this_update, 30 * 86_400);
}
