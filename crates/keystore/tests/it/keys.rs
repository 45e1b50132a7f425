//! Keys and certificates of all samples: which belong together.

use std::collections::BTreeMap;

use keystore::{Body, Certificate, Entry, KeyMatch, Password, PrivateKey};

use crate::corpus::{Sample, samples};

/// Every sound sample keeps keys with their own certificates; another certificate of the same kind must differ.
#[test]
fn every_key_matches_its_own_certificate_and_no_other() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<(String, PrivateKey, Certificate)> = Vec::new();
    for sample in ["JKS", "JCEKS", "PKCS12", "PEM"]
        .iter()
        .flat_map(|format| samples(&[format]))
    {
        let Ok(store) = sample.read() else { continue };
        for entry in store
            .entries()
            .iter()
            .filter(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
        {
            let (Some(leaf), Some(key)) = (entry.certificates().first(), open(entry, &sample)) else {
                continue;
            };
            let found = key.matches(leaf);
            let kind = leaf.public_key().kind().to_string();
            let is_known = !kind.contains("explicit");
            let wanted = if is_known {
                KeyMatch::Matches
            } else {
                KeyMatch::Unknown
            };
            assert_eq!(found, wanted, "{} {entry:?} {kind}", sample.name);
            *seen.entry(kind).or_default() += 1;
            all.push((sample.name.clone(), key, leaf.clone()));
        }
    }
    println!("{seen:?}");
    for kind in ["RSA 2048", "EC P-256"] {
        assert!(seen.contains_key(kind), "no {kind} among {seen:?}");
    }
    for (name, key, own) in &all {
        for (_, _, other) in all.iter().filter(|(_, _, other)| other.spki() != own.spki()) {
            assert_ne!(key.matches(other), KeyMatch::Matches, "{name} {other:?}");
        }
    }
}

fn open(entry: &Entry, sample: &Sample) -> Option<PrivateKey> {
    let passwords = [
        sample.password.clone(),
        Some(Password::new("changeit")),
        Some(Password::new("keypass2")),
    ];
    passwords
        .iter()
        .find_map(|password| entry.unlock(password.as_ref()).ok())
}

/// `x509-cert` reads the same certificates and must see the same in them.
#[test]
fn certificates_are_seen_as_another_parser_sees_them() {
    use x509_cert::der::{Decode, Encode};
    let mut compared = 0;
    for sample in ["JKS", "PKCS12", "PEM", "P7B", "DER"]
        .iter()
        .flat_map(|format| samples(&[format]))
    {
        let Ok(store) = sample.read() else { continue };
        for ours in store
            .entries()
            .iter()
            .flat_map(|entry| entry.certificates().to_vec())
        {
            let Ok(theirs) = x509_cert::Certificate::from_der(ours.der()) else {
                println!("only we read {ours:?} of {}", sample.name);
                continue;
            };
            let theirs_tbs = theirs.tbs_certificate();
            assert_eq!(ours.tbs(), theirs_tbs.to_der().unwrap(), "{ours:?}");
            assert_eq!(ours.serial(), theirs_tbs.serial_number().as_bytes(), "{ours:?}");
            assert_eq!(ours.issuer().der(), theirs_tbs.issuer().to_der().unwrap());
            assert_eq!(ours.subject().der(), theirs_tbs.subject().to_der().unwrap());
            assert_eq!(
                ours.spki(),
                theirs_tbs.subject_public_key_info().to_der().unwrap()
            );
            assert_eq!(ours.signature(), theirs.signature().raw_bytes());
            let validity = theirs_tbs.validity();
            let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs() as i64;
            assert_eq!(ours.validity().not_before, seconds(&validity.not_before));
            assert_eq!(ours.validity().not_after, seconds(&validity.not_after));
            let extensions = theirs_tbs.extensions().cloned().unwrap_or_default();
            assert_eq!(ours.extensions().len(), extensions.len());
            for (our, their) in ours.extensions().zip(&extensions) {
                assert_eq!(our.oid.to_string(), their.extn_id.to_string());
                assert_eq!(
                    (our.critical, our.value),
                    (their.critical, their.extn_value.as_bytes())
                );
            }
            compared += 1;
        }
    }
    println!("{compared} certificates compared");
    assert!(compared > 20, "{compared}");
}

/// Decoded extensions against the text of `openssl x509 -text` for a leaf and an authority.
#[test]
fn extensions_are_decoded_as_openssl_prints_them() {
    let all = samples(&["PEM"]);
    let bundle = all
        .iter()
        .find(|sample| sample.name == "bundle-text.pem")
        .expect("it is copied");
    let store = bundle.read().unwrap();
    let text = String::from_utf8_lossy(&bundle.bytes).into_owned();
    let leaf = &store.entries()[0].certificates()[0];
    let constraints = leaf.basic_constraints().unwrap().unwrap();
    assert!(!constraints.is_authority && text.contains("CA:FALSE"));
    for name in leaf.subject_alt_names().unwrap().unwrap() {
        assert!(text.contains(&name.to_string()), "{name}");
    }
    for identifier in [
        leaf.subject_key_identifier().unwrap().unwrap(),
        leaf.authority_key_identifier()
            .unwrap()
            .unwrap()
            .key_identifier
            .unwrap(),
    ] {
        let shown: Vec<String> = identifier.iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(text.contains(&shown.join(":")));
    }
    let purposes = leaf.extended_key_usage().unwrap().unwrap();
    assert_eq!(purposes, [keystore::oid::SERVER_AUTH, keystore::oid::CLIENT_AUTH]);
}
