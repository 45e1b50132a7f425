//! Symmetric keys and pending requests that are put in here, in every format that holds them.

use keystore::{CmsVersion, Edit, EditError, Format, Limits, Password, Place, SecretKey, Store, WriteError};

use crate::made::{self, own};
use crate::random;

#[test]
fn a_secret_key_that_is_put_in_comes_out_again() {
    for format in [
        Format::Jceks,
        Format::Pkcs12,
        Format::Bks,
        Format::Uber,
        Format::Bcfks,
    ] {
        for own_password in [None, Some(Password::new("another"))] {
            let mut store = Store::empty(format).unwrap();
            for (number, (algorithm, len)) in KEYS.iter().enumerate() {
                let edit = Edit::PutSecret {
                    alias: Some(format!("key {number}")),
                    key: SecretKey::new(*algorithm, vec![number as u8 + 1; *len]),
                    key_password: own_password.clone(),
                    place: Place::Last,
                };
                store.edit(&edit, &mut random::env(3).env()).unwrap();
            }
            let password = Password::new("changeit");
            let written = store.write(Some(&password), &mut random::env(4).env()).unwrap();
            let again = keystore::read(&written, Some(&password), &Limits::default()).unwrap();
            assert_eq!(again.entries().len(), KEYS.len(), "{}", format.name());
            if matches!(format, Format::Jceks | Format::Pkcs12) {
                let names = again.entries().iter().filter_map(|entry| entry.alias());
                let in_order = (0..KEYS.len()).map(|number| format!("key {number}"));
                assert!(names.eq(in_order), "{} keeps the order", format.name());
            }
            for (number, (algorithm, len)) in KEYS.iter().enumerate() {
                let what = format!("{} {algorithm}", format.name());
                let entry = &again.entries()[again.find(&format!("key {number}")).expect("it is there")];
                assert_eq!(entry.kind_name(), "secret-key", "{what}");
                let key = entry.unlock_secret(own_password.as_ref().or(Some(&password)));
                let key = key.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(key.algorithm(), *algorithm, "{what}");
                assert_eq!(key.raw(), vec![number as u8 + 1; *len], "{what}");
                assert!(
                    entry.unlock_secret(Some(&Password::new("wrong"))).is_err(),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn formats_without_secret_keys_say_so() {
    for format in [Format::Jks, Format::Pem] {
        let mut store = Store::empty(format).unwrap();
        let edit = Edit::PutSecret {
            alias: Some("key".to_owned()),
            key: SecretKey::new("AES", vec![0; 16]),
            key_password: None,
            place: Place::Last,
        };
        let refused = store
            .edit(&edit, &mut random::env(1).env())
            .expect_err("a refusal");
        assert!(matches!(refused, EditError::NotInFormat { .. }), "{refused}");
    }
}

#[test]
fn an_algorithm_without_an_oid_is_refused_where_one_is_stored() {
    let edit = |algorithm: &str| Edit::PutSecret {
        alias: Some("key".to_owned()),
        key: SecretKey::new(algorithm, vec![0; 16]),
        key_password: None,
        place: Place::Last,
    };
    let mut store = Store::empty(Format::Pkcs12).unwrap();
    let refused = store.edit(&edit("Blowfish"), &mut random::env(1).env());
    assert!(matches!(refused, Err(EditError::NotInFormat { .. })));
    store
        .edit(&edit("1.2.3.4000000"), &mut random::env(1).env())
        .unwrap();
    let mut store = Store::empty(Format::Bcfks).unwrap();
    store.edit(&edit("Blowfish"), &mut random::env(1).env()).unwrap();
    let refused = store.write(Some(&Password::new("changeit")), &mut random::env(1).env());
    assert!(matches!(refused, Err(WriteError::Unsupported { .. })));
}

#[test]
fn a_case_exact_store_keeps_names_that_differ_in_case() {
    let certificate = made::certificate("root");
    let mut store = Store::empty(Format::Jks).unwrap();
    store.use_exact_aliases().unwrap();
    let trust = |alias: &str| Edit::Trust {
        alias: Some(alias.to_owned()),
        certificate: certificate.clone(),
        place: Place::Last,
    };
    for alias in ["Root", "root", "ROOT"] {
        store.edit(&trust(alias), &mut random::env(1).env()).unwrap();
    }
    let taken = store.edit(&trust("Root"), &mut random::env(1).env());
    assert!(matches!(taken, Err(EditError::AliasExists { index: 0, .. })));
    let password = Password::new("changeit");
    let written = store.write(Some(&password), &mut random::env(1).env()).unwrap();
    let mut again = keystore::read(&written, Some(&password), &Limits::default()).unwrap();
    let names = |store: &Store| -> Vec<String> {
        store
            .entries()
            .iter()
            .map(|entry| entry.alias().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&again), ["Root", "root", "ROOT"]);
    // It is recognised by what no other JKS can hold, and goes on as it is.
    let rename = Edit::Rename {
        index: 2,
        alias: "rOOT".to_owned(),
    };
    again.edit(&rename, &mut random::env(1).env()).unwrap();
    assert_eq!(names(&again), ["Root", "root", "rOOT"]);
    let mut jceks = Store::empty(Format::Jceks).unwrap();
    assert!(jceks.use_exact_aliases().is_err());
}

#[test]
fn a_request_waits_in_the_request_database_with_its_key() {
    let old = keystore::read(&own("v6.rdb"), Some(&made::password()), &Limits::default()).unwrap();
    let keystore::Body::Request { der, .. } = old.entries()[0].body() else {
        panic!("{old:?}")
    };
    let key = old.entries()[0]
        .unlock(Some(&made::password()))
        .unwrap_or_else(|error| panic!("{error}"));
    for version in [CmsVersion::V3, CmsVersion::V4, CmsVersion::V6] {
        let mut store = Store::empty_requests(version);
        let password = Password::new("secret");
        let set = Edit::SetPassword {
            old: None,
            new: password.clone(),
        };
        store.edit(&set, &mut random::env(1).env()).unwrap();
        let put = |label: &str| Edit::PutRequest {
            alias: label.to_owned(),
            request: der.clone(),
            key: key.clone(),
        };
        store.edit(&put("pending"), &mut random::env(2).env()).unwrap();
        let taken = store.edit(&put("pending"), &mut random::env(2).env());
        assert!(matches!(taken, Err(EditError::AliasExists { .. })));
        let written = store.write(None, &mut random::env(3).env()).unwrap();
        let again = keystore::read(&written, Some(&password), &Limits::default()).unwrap();
        assert_eq!(again.format(), Format::CmsRdb);
        assert_eq!(again.entries()[0].alias(), Some("pending"));
        let there = again.entries()[0].unlock(Some(&password));
        assert!(there.is_ok_and(|there| there == key));
    }
    let mut wrong = Store::empty(Format::CmsKdb).unwrap();
    let put = Edit::PutRequest {
        alias: "x".to_owned(),
        request: der.clone(),
        key,
    };
    assert!(wrong.edit(&put, &mut random::env(1).env()).is_err());
    let empty = Store::empty_revocations(CmsVersion::V4);
    let password = Password::new("secret");
    let written = empty.write(Some(&password), &mut random::env(1).env()).unwrap();
    let again = keystore::read(&written, Some(&password), &Limits::default()).unwrap();
    assert_eq!((again.format(), again.entries().len()), (Format::CmsCrl, 0));
}

const KEYS: [(&str, usize); 4] = [("AES", 32), ("DESede", 24), ("HmacSHA256", 32), ("AES", 16)];

#[test]
fn a_secret_key_beside_plain_keys_is_sealed_all_the_same() {
    let sample = crate::corpus::copied(&["PKCS12"])
        .into_iter()
        .find(|sample| sample.name == "pyca-none.p12");
    let sample = sample.expect("it is copied");
    let mut store = keystore::read(&sample.bytes, None, &Limits::default()).unwrap();
    let put = |password: Option<&str>| Edit::PutSecret {
        alias: Some("aes".to_owned()),
        key: SecretKey::new("AES", vec![5; 16]),
        key_password: password.map(Password::new),
        place: Place::Last,
    };
    let mut without = store.clone();
    without.edit(&put(None), &mut random::env(1).env()).unwrap();
    let refused = without.write(None, &mut random::env(1).env());
    assert!(
        matches!(refused, Err(WriteError::NeedsPassword { .. })),
        "{refused:?}"
    );
    store.edit(&put(Some("own")), &mut random::env(1).env()).unwrap();
    let written = store.write(None, &mut random::env(1).env());
    let Ok(written) = written else { return };
    let again = keystore::read(&written, None, &Limits::default()).unwrap();
    let entry = &again.entries()[again.find("aes").unwrap()];
    assert_eq!(
        entry.unlock_secret(Some(&Password::new("own"))).unwrap().raw(),
        [5; 16]
    );
}
