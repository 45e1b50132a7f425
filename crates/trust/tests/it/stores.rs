//! Which entries of a store count, by runtime.

use keystore::{
    Certificate, CmsVersion, Edit, Entropy, Format, Password, Place, PrivateKey, Store, WriteEnv,
};
use trust::cipher::KeyNeed;
use trust::{PresentError, Request, Sent, anchors, mq_label, presents, runtime, sends};

#[test]
fn jsse_takes_the_first_certificate_of_a_key_entry_and_openssl_all() {
    check_anchors("java17", Format::Jks, &["leaf", "root"]);
    check_anchors("openssl-partial", Format::Pem, &["leaf", "issuer", "root"]);
    check_anchors("gskit8", Format::CmsKdb, &["leaf", "root"]);
}

#[test]
fn an_alias_decides_and_a_missing_one_is_said() {
    let store = store(Format::Jks, 2);
    let java = runtime("java17").unwrap();
    assert_eq!(
        presents(&store, Some("key1"), java).map(|found| found.entry),
        Ok(1)
    );
    let missing = PresentError::NoAlias {
        alias: "key9".to_owned(),
    };
    assert_eq!(presents(&store, Some("key9"), java), Err(missing));
    let keyless = PresentError::NoKey {
        alias: "root".to_owned(),
    };
    assert_eq!(presents(&store, Some("root"), java), Err(keyless));
}

#[test]
fn two_keys_without_an_alias_are_ambiguous_in_java_and_a_finding_in_openssl() {
    let java = runtime("java17").unwrap();
    let ambiguous = PresentError::Ambiguous {
        runtime: "java17",
        entries: vec![0, 1],
    };
    assert_eq!(presents(&store(Format::Jks, 2), None, java), Err(ambiguous));
    let openssl = runtime("openssl").unwrap();
    let found = presents(&store(Format::Pem, 2), None, openssl).unwrap();
    assert_eq!((found.entry, found.others.len()), (0, 1));
}

#[test]
fn one_key_needs_no_alias_and_none_is_said() {
    for (name, format) in [
        ("java17", Format::Jks),
        ("openssl", Format::Pem),
        ("gskit8", Format::CmsKdb),
    ] {
        let profile = runtime(name).unwrap();
        assert_eq!(
            presents(&store(format, 1), None, profile).map(|found| found.entry),
            Ok(0),
            "{name}"
        );
        assert_eq!(
            presents(&store(format, 0), None, profile),
            Err(PresentError::Empty),
            "{name}"
        );
    }
}

#[test]
fn the_servers_list_and_key_types_decide_what_a_client_sends_where_the_runtime_looks_at_them() {
    let jks = store(Format::Jks, 2);
    let issuer = jks.entries()[1].certificates()[0].clone();
    let stranger = made("stranger").0;
    let none = |name: &str| sent(name, &jks, std::slice::from_ref(&stranger), &[]);
    for (name, want) in [
        ("java17", None),
        ("go", None),
        ("gnutls", None),
        ("nss-pkix", None),
        ("openssl", Some(0)),
        ("rustls", Some(0)),
    ] {
        assert_eq!(none(name), want, "{name}");
    }
    // Self-signed throw-aways: each is issued by its own name, which is the same for all.
    assert_eq!(sent("go", &jks, std::slice::from_ref(&issuer), &[]), Some(0));
    assert!(sent("java17", &jks, &[issuer], &[KeyNeed::Ec]).is_some());
    assert_eq!(sent("java17", &jks, &[], &[KeyNeed::Rsa]), None);
    assert_eq!(sent("openssl", &jks, &[], &[KeyNeed::Rsa]), None);
    let empty = sends(
        &store(Format::Jks, 0),
        None,
        runtime("java17").unwrap(),
        &Request::default(),
    );
    assert_eq!(empty, Err(PresentError::Empty));
}

#[test]
fn the_label_of_an_mq_end_comes_from_the_channel_then_the_queue_manager_then_its_name() {
    for (channel, manager, name, want) in [
        ("web", "qm", "QM1", "web"),
        ("", "qm", "QM1", "qm"),
        ("", "", "QM1", "ibmwebspheremqqm1"),
    ] {
        assert_eq!(mq_label(channel, manager, name).0, want);
    }
}

/// The entry that is sent.
fn sent(name: &str, store: &Store, authorities: &[Certificate], keys: &[KeyNeed]) -> Option<usize> {
    let request = Request { authorities, keys };
    match sends(store, None, runtime(name).unwrap(), &request).unwrap() {
        Sent::Identity { presented, .. } => Some(presented.entry),
        Sent::Nothing { .. } => None,
    }
}

/// A store with one key (leaf, issuer) and one trusted root, as the runtime sees it.
#[track_caller]
fn check_anchors(name: &str, format: Format, want: &[&str]) {
    let found: Vec<String> = anchors(&store(format, 1), runtime(name).unwrap())
        .iter()
        .map(|anchor| anchor.subject().common_name().unwrap_or_default())
        .collect();
    assert_eq!(found, want, "{name}");
}

/// `keys` keys, each with its leaf and an issuer, then a trusted root.
fn store(format: Format, keys: usize) -> Store {
    let mut store = match format {
        Format::CmsKdb => Store::empty_cms(CmsVersion::V4),
        format => Store::empty(format).unwrap(),
    };
    let mut zeros = Counter(0);
    let mut env = WriteEnv {
        now_ms: 0,
        entropy: &mut zeros,
    };
    let password = Password::new("changeit");
    if format != Format::Pem {
        store
            .edit(
                &Edit::SetPassword {
                    old: None,
                    new: password.clone(),
                },
                &mut env,
            )
            .unwrap();
    }
    for number in 0..keys {
        let (leaf, key) = made("leaf");
        let edit = Edit::PutKey {
            alias: named(format, &format!("key{number}")),
            key: PrivateKey::from_pkcs8_der(key).unwrap(),
            chain: vec![leaf, made("issuer").0],
            key_password: None,
            place: Place::Last,
        };
        store.edit(&edit, &mut env).unwrap();
    }
    let (certificate, _) = made("root");
    let edit = Edit::Trust {
        alias: named(format, "root"),
        certificate,
        place: Place::Last,
    };
    store.edit(&edit, &mut env).unwrap();
    store
}

fn named(format: Format, alias: &str) -> Option<String> {
    (format != Format::Pem).then(|| alias.to_owned())
}

/// A self-signed certificate of that common name, and its key.
fn made(name: &str) -> (Certificate, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let certificate = params.self_signed(&key).unwrap();
    (
        Certificate::parse(certificate.der()).unwrap(),
        key.serialize_der(),
    )
}

struct Counter(u8);

impl Entropy for Counter {
    fn fill(&mut self, into: &mut [u8]) {
        for octet in into {
            self.0 = self.0.wrapping_add(1);
            *octet = self.0;
        }
    }
}
