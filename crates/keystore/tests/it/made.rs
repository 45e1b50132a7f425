//! Key databases made on the spot, of certificates and keys that the copied ones hold.

use std::path::PathBuf;

use keystore::der::{self, Der};
use keystore::{Body, Certificate, Edit, Limits, Password, Place, PrivateKey, Store};

use crate::random::Random;

/// The copied databases.
pub fn kdb_vectors() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/kdb"))
}

/// One copied file.
pub fn own(name: &str) -> Vec<u8> {
    std::fs::read(kdb_vectors().join("own").join(name)).expect("the copied databases are there")
}

/// The copied database of version 6, open.
pub fn own_v6() -> Store {
    keystore::read(&own("v6.kdb"), Some(&password()), &Limits::default()).expect("it is sound")
}

/// The password of all made and most copied databases.
pub fn password() -> Password {
    Password::new("password")
}

/// A certificate of the copied database, by label.
pub fn certificate(label: &str) -> Certificate {
    let store = own_v6();
    let index = store.find(label).expect("the label is there");
    store.entries()[index].certificates()[0].clone()
}

/// A key of the copied database and its certificate.
pub fn identity(label: &str) -> (PrivateKey, Certificate) {
    let store = own_v6();
    let entry = &store.entries()[store.find(label).expect("the label is there")];
    let key = entry.unlock(Some(&password())).expect("the password is right");
    (key, entry.certificates()[0].clone())
}

/// An elliptic curve key as Java writes it: without its point.
pub fn without_point(key: &PrivateKey) -> PrivateKey {
    let mut parts = Der::new(key.pkcs8_der()).sequence("key").expect("PKCS#8");
    let version = parts.any("version").expect("PKCS#8").full;
    let algorithm = parts.any("algorithm").expect("PKCS#8").full;
    let inner = parts.any("key").expect("PKCS#8").content;
    let mut inner = Der::new(inner).sequence("EC key").expect("SEC 1");
    let (one, secret) = (
        inner.any("version").expect("SEC 1").full,
        inner.any("key").expect("SEC 1").full,
    );
    let inner = der::write_octets(&der::write_sequence(&[one, secret]));
    let der = der::write_sequence(&[version, algorithm, &inner]);
    PrivateKey::from_pkcs8_der(der).expect("PKCS#8")
}

/// A certificate like no other: another subject and serial in place of those of `not trusted`. Its signature is broken.
pub fn filler(number: usize) -> Certificate {
    let original = certificate("not trusted");
    let mut der = original.der().to_vec();
    let name = format!("filler{number:04}");
    let at: Vec<usize> = (0..der.len())
        .filter(|at| der[*at..].starts_with(b"client two"))
        .collect();
    for at in at {
        der[at..at + 10].copy_from_slice(name.as_bytes());
    }
    let serial = original.serial();
    let at = der
        .windows(serial.len())
        .position(|window| window == serial)
        .expect("the serial is there");
    der[at + 4..at + 8].copy_from_slice(&(number as u32).to_be_bytes());
    Certificate::parse(&der).expect("only names and numbers were changed")
}

/// An edit that trusts a certificate.
pub fn trust(label: &str, certificate: &Certificate) -> Edit {
    Edit::Trust {
        alias: Some(label.to_owned()),
        certificate: certificate.clone(),
        place: Place::Last,
    }
}

/// An edit that puts an identity in.
pub fn put(label: &str, (key, leaf): &(PrivateKey, Certificate)) -> Edit {
    Edit::PutKey {
        alias: Some(label.to_owned()),
        key: key.clone(),
        chain: vec![leaf.clone()],
        key_password: None,
        place: Place::Last,
    }
}

/// A label of this many bytes.
pub fn label_of(bytes: usize) -> String {
    "label with blanks, digits 0123456789 "
        .chars()
        .cycle()
        .take(bytes - 1)
        .chain(['x'])
        .collect()
}

/// A new database of this many entries: none, or the identity first, then its issuers, then fillers.
pub fn database(mut store: Store, entries: usize, label_bytes: usize, random: &mut Random) -> Store {
    let set = Edit::SetPassword {
        old: None,
        new: password(),
    };
    let mut edits = vec![set];
    if entries > 0 {
        edits.push(put(&label_of(label_bytes), &identity("client")));
    }
    if entries > 2 {
        edits.push(trust("root", &certificate("root")));
        edits.push(trust("inter", &certificate("inter")));
    }
    while edits.len() <= entries {
        edits.push(trust(&format!("filler {}", edits.len()), &filler(edits.len())));
    }
    for edit in &edits {
        store.edit(edit, &mut random.env()).expect("a sound edit");
    }
    assert_eq!(store.entries().len(), entries);
    store
}

/// The index of the first private key.
pub fn first_key(store: &Store) -> usize {
    let is_key = |entry: &keystore::Entry| matches!(entry.body(), Body::PrivateKey { .. });
    store.entries().iter().position(is_key).expect("a key is there")
}
