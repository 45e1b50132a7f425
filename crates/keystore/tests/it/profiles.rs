//! Stores written for one reader: the same content in that reader's algorithms.

use keystore::{Edit, EditError, Format, Limits, Password, Place, Store, WriteProfile};

use crate::corpus::copied;
use crate::edits::identity;
use crate::random;

#[test]
fn a_store_for_a_reader_has_the_same_content_in_that_readers_algorithms() {
    for sample in copied(&["PKCS12"]) {
        let store = sample.read().unwrap();
        for profile in WriteProfile::ALL {
            // A hundred thousand rounds for each key: two stores are enough.
            let is_slow = profile == WriteProfile::Fips;
            if is_slow && !["osl36-default.p12", "p12j17-mixed.p12"].contains(&sample.name.as_str()) {
                continue;
            }
            let mut next = store.clone();
            match next.use_profile(profile, &mut random::env(5).env()) {
                Ok(()) => {}
                Err(EditError::Locked) if sample.password.is_none() => continue,
                // Keys under a password of their own cannot be sealed anew.
                Err(EditError::KeyLocked { .. })
                    if has_own_key_password(&store, sample.password.as_ref()) =>
                {
                    continue;
                }
                Err(error) => panic!("{} {}: {error}", sample.name, profile.name()),
            }
            let written = next.write(None, &mut random::env(6).env());
            let written =
                written.unwrap_or_else(|error| panic!("{} {}: {error}", sample.name, profile.name()));
            let again = keystore::read(&written, sample.password.as_ref(), &Limits::default());
            let again = again.unwrap_or_else(|error| panic!("{} {}: {error}", sample.name, profile.name()));
            assert_eq!(
                rows(&store, &sample.password),
                rows(&again, &sample.password),
                "{}",
                sample.name
            );
            if profile == WriteProfile::AsRead {
                assert_eq!(written, sample.bytes, "{}", sample.name);
                continue;
            }
            for entry in again.entries() {
                let Some(protection) = entry.protection().filter(|protection| protection != "none") else {
                    continue;
                };
                assert_eq!(
                    protection,
                    key_protection(profile),
                    "{} {}",
                    sample.name,
                    profile.name()
                );
            }
        }
    }
}

#[test]
fn a_new_store_for_a_reader_is_written_in_its_algorithms() {
    let (key, chain) = identity("server");
    for profile in WriteProfile::ALL {
        let mut store = Store::empty(Format::Pkcs12).unwrap();
        store.use_profile(profile, &mut random::env(1).env()).unwrap();
        let put = Edit::PutKey {
            alias: Some("server".to_owned()),
            key: key.clone(),
            chain: chain.clone(),
            key_password: None,
            place: Place::Last,
        };
        store.edit(&put, &mut random::env(1).env()).unwrap();
        let password = Password::new("changeit");
        let written = store.write(Some(&password), &mut random::env(2).env()).unwrap();
        let again = keystore::read(&written, Some(&password), &Limits::default()).unwrap();
        assert_eq!(again.integrity(), keystore::Integrity::Verified);
        let wanted = match profile {
            WriteProfile::AsRead => key_protection(WriteProfile::Java17),
            profile => key_protection(profile),
        };
        assert_eq!(again.entries()[0].protection().as_deref(), Some(wanted));
    }
}

#[test]
fn a_format_that_the_reader_does_not_read_is_refused() {
    for (format, profile) in [
        (Format::Jks, WriteProfile::Openssl3),
        (Format::Jks, WriteProfile::Gskit8),
        (Format::Jceks, WriteProfile::Fips),
        (Format::Bks, WriteProfile::Fips),
        (Format::CmsKdb, WriteProfile::Java17),
        (Format::Bcfks, WriteProfile::Gskit8),
    ] {
        let mut store = Store::empty(format).unwrap();
        let refused = store.use_profile(profile, &mut random::env(1).env());
        assert!(
            matches!(refused, Err(EditError::NotInFormat { .. })),
            "{} {}",
            format.name(),
            profile.name()
        );
    }
    let mut jks = Store::empty(Format::Jks).unwrap();
    jks.use_profile(WriteProfile::Java8, &mut random::env(1).env())
        .unwrap();
}

#[test]
fn names_of_profiles_lead_back_to_them() {
    for profile in WriteProfile::ALL {
        assert_eq!(WriteProfile::from_name(profile.name()), Some(profile));
    }
    assert_eq!(WriteProfile::from_name("java9"), None);
    assert_eq!(WriteProfile::default(), WriteProfile::AsRead);
}

fn key_protection(profile: WriteProfile) -> &'static str {
    match profile {
        WriteProfile::Fips => "PBES2 AES-256-CBC, PBKDF2 HMAC-SHA-256, 100000 rounds",
        WriteProfile::Gskit8 => "PKCS#12 PBE 3DES-CBC, SHA-1, 1024 rounds",
        WriteProfile::Java8 => "PKCS#12 PBE 3DES-CBC, SHA-1, 50000 rounds",
        WriteProfile::Java17 => "PBES2 AES-256-CBC, PBKDF2 HMAC-SHA-256, 10000 rounds",
        WriteProfile::Openssl3 => "PBES2 AES-256-CBC, PBKDF2 HMAC-SHA-256, 2048 rounds",
        other => panic!("{} keeps what is there", other.name()),
    }
}

fn has_own_key_password(store: &Store, password: Option<&Password>) -> bool {
    let keys = store
        .entries()
        .iter()
        .filter(|entry| entry.kind_name() == "private-key");
    keys.into_iter().any(|entry| entry.unlock(password).is_err())
}

fn rows(store: &Store, password: &Option<Password>) -> Vec<String> {
    let row = |entry: &keystore::Entry| {
        let chain: Vec<String> = entry
            .certificates()
            .iter()
            .map(|one| crate::truth::hex(&one.sha256()))
            .collect();
        let key = entry
            .unlock(password.as_ref())
            .map(|key| key.pkcs8_der().to_vec());
        let secret = entry
            .unlock_secret(password.as_ref())
            .map(|key| key.raw().to_vec());
        format!(
            "{:?} {} {:?} {chain:?} {:?} {:?}",
            entry.alias(),
            entry.kind_name(),
            entry.created_ms(),
            key.ok().map(|key| crate::truth::hex(&key)),
            secret.ok().map(|key| crate::truth::hex(&key)),
        )
    };
    store.entries().iter().map(row).collect()
}
