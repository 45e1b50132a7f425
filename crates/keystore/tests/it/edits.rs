//! Edits change what they name and nothing else.

use keystore::der::{Der, tag};
use keystore::{
    Body, Certificate, Edit, EditError, Entry, Format, Password, Place, PrivateKey, Store, WriteError,
};

use crate::corpus::{Sample, big_corpus, samples};
use crate::random;

#[test]
fn stores_without_an_edit_are_written_as_they_were() {
    for sample in java_and_pkcs12() {
        let store = sample.read().unwrap();
        let written = store.write(None, &mut random::env(1).env()).unwrap();
        assert!(written == sample.bytes, "{}", sample.name);
    }
}

#[test]
fn an_added_certificate_leaves_all_other_entries() {
    for sample in java_and_pkcs12() {
        for place in [Place::First, Place::Last] {
            let (_, chain) = identity("selfie");
            let certificate = chain[0].clone();
            check(
                &sample,
                &Edit::Trust {
                    alias: Some("added".to_owned()),
                    certificate,
                    place,
                },
                Touched::Added,
            );
        }
    }
}

#[test]
fn an_added_key_leaves_all_other_entries_and_opens() {
    for sample in java_and_pkcs12() {
        let (key, chain) = identity("client");
        let (alias, place) = (Some("added key".to_owned()), Place::Last);
        check(
            &sample,
            &Edit::PutKey {
                alias,
                key,
                chain,
                key_password: None,
                place,
            },
            Touched::Added,
        );
    }
}

#[test]
fn a_removed_entry_leaves_all_others() {
    for_each_entry(|sample, index, _| check(sample, &Edit::Remove { index }, Touched::Removed(index)));
}

#[test]
fn a_renamed_entry_keeps_all_but_its_name() {
    for_each_entry(|sample, index, _| {
        let alias = "another näme 🔑".to_owned();
        check(sample, &Edit::Rename { index, alias }, Touched::Renamed(index));
    });
}

#[test]
fn a_replaced_identity_stays_in_its_place_under_its_name() {
    for_each_entry(|sample, index, entry| {
        if entry.kind_name() == "private-key" {
            let (key, chain) = identity("client");
            let edit = Edit::ReplaceIdentity {
                index,
                key,
                chain,
                key_password: None,
            };
            check(sample, &edit, Touched::Replaced(index));
        }
    });
}

#[test]
fn a_new_password_opens_the_store_and_the_old_one_does_not() {
    for sample in java_and_pkcs12() {
        let original = sample.read().unwrap();
        let mut store = original.clone();
        let new = Password::new("another-one");
        let edit = Edit::SetPassword {
            old: sample.password.clone(),
            new: new.clone(),
        };
        let is_open = sample.password.is_some() || store.format() == Format::Pkcs12;
        match store.edit(&edit, &mut random::env(7).env()) {
            Ok(()) => {}
            Err(EditError::WrongPassword) if lacks_password(&sample, &original) => continue,
            Err(EditError::Locked) if !is_open || sample.password.is_none() => continue,
            Err(error) => panic!("{}: {error}", sample.name),
        }
        let written = store.write(Some(&new), &mut random::env(8).env()).unwrap();
        let again = keystore::read(&written, Some(&new), &keystore::Limits::default()).unwrap();
        assert_eq!(names(&store), names(&again), "{}", sample.name);
        if store.format() != Format::Pkcs12 || store.integrity() == keystore::Integrity::Verified {
            let old = keystore::read(&written, sample.password.as_ref(), &keystore::Limits::default());
            assert!(old.is_err(), "{}: the old password still opens it", sample.name);
        }
        for (before, after) in original.entries().iter().zip(again.entries()) {
            let had_it =
                before.kind_name() == "private-key" && before.unlock(sample.password.as_ref()).is_ok();
            if had_it && store.format() == Format::Pkcs12 {
                assert!(
                    after.unlock(Some(&new)).is_ok(),
                    "{}: {:?}",
                    sample.name,
                    after.alias()
                );
            }
        }
    }
}

#[test]
fn a_name_in_use_is_refused_in_every_case() {
    for format in [Format::Jks, Format::Jceks, Format::Pkcs12] {
        let mut store = Store::empty(format).unwrap();
        let (key, chain) = identity("server");
        let trust = |alias: &str| Edit::Trust {
            alias: Some(alias.to_owned()),
            certificate: chain[2].clone(),
            place: Place::Last,
        };
        store.edit(&trust("Root"), &mut random::env(1).env()).unwrap();
        let taken = store.edit(&trust("rOOt"), &mut random::env(1).env()).unwrap_err();
        assert!(
            matches!(taken, EditError::AliasExists { index: 0, .. }),
            "{taken}"
        );
        let alias = Some("ROOT".to_owned());
        let put = Edit::PutKey {
            alias,
            key,
            chain: chain.clone(),
            key_password: None,
            place: Place::First,
        };
        assert!(matches!(
            store.edit(&put, &mut random::env(1).env()),
            Err(EditError::AliasExists { .. })
        ));
        assert_eq!(store.entries().len(), 1);
        assert_eq!(store.find("root"), Some(0));
    }
}

#[test]
fn a_wrong_password_is_refused_when_writing() {
    for sample in java_and_pkcs12()
        .iter()
        .filter(|sample| sample.password.is_some())
    {
        let (_, chain) = identity("selfie");
        let alias = Some("added".to_owned());
        let edit = Edit::Trust {
            alias,
            certificate: chain[0].clone(),
            place: Place::Last,
        };
        let wrong = Some(Password::new("not the password"));
        let mut store = sample.read().unwrap();
        store.edit(&edit, &mut random::env(1).env()).unwrap();
        let refused = store.write(wrong.as_ref(), &mut random::env(1).env());
        assert!(
            matches!(refused, Err(WriteError::WrongPassword { .. })),
            "{}",
            sample.name
        );
        // The same when the store was read without any password.
        let Ok(mut store) = keystore::read(&sample.bytes, None, &keystore::Limits::default()) else {
            assert!(matches!(sample.format.as_str(), "BCFKS" | "BouncyCastle"));
            continue;
        };
        if store.edit(&edit, &mut random::env(1).env()).is_ok()
            && store.integrity() == keystore::Integrity::NotChecked
        {
            let refused = store.write(wrong.as_ref(), &mut random::env(1).env());
            assert!(
                matches!(refused, Err(WriteError::WrongPassword { .. })),
                "{}",
                sample.name
            );
            let written = store.write(sample.password.as_ref(), &mut random::env(1).env());
            assert!(written.is_ok(), "{}: {written:?}", sample.name);
        }
    }
}

/// Which entry an edit is about.
#[derive(Debug, Clone, Copy)]
enum Touched {
    Added,
    Removed(usize),
    Renamed(usize),
    Replaced(usize),
}

#[track_caller]
fn check(sample: &Sample, edit: &Edit, touched: Touched) {
    let before = sample.read().unwrap();
    let mut store = before.clone();
    let seed = 0x5eed ^ sample.bytes.len() as u64;
    let what = format!("{} {touched:?}, seed {seed:#x}", sample.name);
    store
        .edit(edit, &mut random::env(seed).env())
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let written = match store.write(None, &mut random::env(seed + 1).env()) {
        // A new key in a store without a password; or JCEKS, which takes ASCII only.
        Err(WriteError::NeedsPassword { .. }) if lacks_password(sample, &before) => return,
        Err(WriteError::PasswordUnusable { .. }) if before.format() == Format::Jceks => return,
        written => written.unwrap_or_else(|error| panic!("{what}: {error}")),
    };
    let after = keystore::read(&written, sample.password.as_ref(), &keystore::Limits::default());
    let after = after.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(names(&store), names(&after), "{what}: in memory and read back");
    let mut kept: Vec<&Entry> = before.entries().iter().collect();
    let mut there: Vec<&Entry> = after.entries().iter().collect();
    match touched {
        Touched::Added => {
            let new = after
                .find("added")
                .or(after.find("added key"))
                .expect("the new entry");
            let entry = there.remove(new);
            if entry.kind_name() == "private-key" {
                let opened = entry
                    .unlock(sample.password.as_ref())
                    .map(|key| key.pkcs8_der().to_vec());
                assert_eq!(
                    opened.as_deref().ok(),
                    Some(identity("client").0.pkcs8_der()),
                    "{what}"
                );
                assert_eq!(entry.certificates(), identity("client").1, "{what}");
            }
        }
        Touched::Removed(index) => {
            kept.remove(index);
            // What was trusted and is still needed by a key stays, as part of its chain.
        }
        Touched::Renamed(index) | Touched::Replaced(index) => {
            let before_it = kept[..index]
                .iter()
                .filter(|entry| is_in_a_chain(entry, &after))
                .count();
            let (old, new) = (kept.remove(index), there.remove(index - before_it));
            assert_eq!(old.kind_name(), new.kind_name(), "{what}");
            check_touched(sample, touched, old, new, &what);
        }
    }
    // New certificates can complete a chain of PKCS#12, and take in those that belonged to nobody.
    kept.retain(|entry| !is_in_a_chain(entry, &after));
    assert_eq!(kept.len(), there.len(), "{what}: entries that were not touched");
    for (old, new) in kept.iter().zip(&there) {
        assert!(
            new.certificates().starts_with(old.certificates()),
            "{what}: chain of {:?}",
            old.alias()
        );
        assert_eq!(head(old), head(new), "{what}");
    }
    for (old, new) in kept.iter().zip(&there) {
        if old.kind_name() == "private-key" {
            let open = |entry: &Entry| {
                entry
                    .unlock(sample.password.as_ref())
                    .ok()
                    .map(|key| key.pkcs8_der().to_vec())
            };
            assert!(open(old) == open(new), "{what}: key of {:?}", old.alias());
        }
    }
    check_bytes(&before, touched, sample, &written, &what);
}

/// The touched entry has what the edit gave it, and else what it had.
fn check_touched(sample: &Sample, touched: Touched, old: &Entry, new: &Entry, what: &str) {
    match touched {
        Touched::Renamed(_) => {
            assert_eq!(old.certificates(), new.certificates(), "{what}");
            assert_eq!(new.alias(), Some("another näme 🔑"), "{what}");
            assert_eq!(old.created_ms(), new.created_ms(), "{what}");
        }
        _ => {
            assert_eq!(old.alias(), new.alias(), "{what}");
            assert_eq!(new.certificates(), identity("client").1, "{what}");
            assert!(new.unlock(sample.password.as_ref()).is_ok(), "{what}");
        }
    }
}

/// The bytes of untouched entries (JKS, JCEKS) and safes (PKCS#12) are in the new file.
fn check_bytes(before: &Store, touched: Touched, sample: &Sample, written: &[u8], what: &str) {
    let index = match touched {
        Touched::Added => None,
        Touched::Removed(index) | Touched::Renamed(index) | Touched::Replaced(index) => Some(index),
    };
    if before.format() == Format::Pkcs12 {
        let (old, new) = (safes(&sample.bytes), safes(written));
        let lost = old.iter().filter(|safe| !new.contains(safe)).count();
        let is_key = index.is_some_and(|index| before.entries()[index].kind_name() == "private-key");
        // A key has its bag in one safe and its certificates in others; GnuTLS has one for each of them.
        let may_change = if matches!(touched, Touched::Added) {
            2
        } else if is_key {
            1 + 3
        } else {
            1
        };
        assert!(
            lost <= may_change,
            "{what}: {lost} of {} safes changed",
            old.len()
        );
        return;
    }
    if !matches!(before.format(), Format::Jks | Format::Jceks) {
        return;
    }
    for (number, entry) in jks_entries(&sample.bytes).into_iter().enumerate() {
        if Some(number) != index {
            assert!(
                contains(written, entry),
                "{what}: bytes of entry {number} changed"
            );
        }
    }
}

fn for_each_entry(mut then: impl FnMut(&Sample, usize, &Entry)) {
    for sample in java_and_pkcs12() {
        let store = sample.read().unwrap();
        // Of the stores with hundreds of entries a few are enough.
        let step = (store.entries().len() / 5).max(1);
        for (index, entry) in store.entries().iter().enumerate().step_by(step) {
            then(&sample, index, entry);
        }
    }
}

/// An empty password can stand for none: the store is then read without a check.
fn lacks_password(sample: &Sample, store: &Store) -> bool {
    sample.password.is_none() || store.integrity() == keystore::Integrity::NotChecked
}

/// Samples without the ones whose derivations take long.
fn java_and_pkcs12() -> Vec<Sample> {
    let mut samples = samples(&[
        "BCFKS",
        "BKS",
        "BKS-V1",
        "BouncyCastle",
        "JKS",
        "CaseExactJKS",
        "JCEKS",
        "PKCS12",
        "PKCS12-DEF",
    ]);
    let slow = ["gnutls-", "nss-", "p12-java25", "kt25", "fetched/"];
    // Each reading and writing of a BCFKS store is two derivations of 51,200 rounds: two such stores are enough.
    let is_quick =
        |name: &str| !name.starts_with("bcfks-") || name.contains("casedup") || name.contains("trustonly");
    samples
        .retain(|sample| is_quick(&sample.name) && !slow.iter().any(|start| sample.name.starts_with(start)));
    if big_corpus().is_some() {
        assert!(samples.len() > 80);
    }
    samples
}

/// A key and chain that really belong together.
pub fn identity(alias: &str) -> (PrivateKey, Vec<Certificate>) {
    let bytes = include_bytes!("../vectors/jks17-mixed.jks");
    let password = Password::new("changeit");
    let store = keystore::read(bytes, Some(&password), &keystore::Limits::default()).unwrap();
    let entry = &store.entries()[store.find(alias).expect("it is there")];
    let key = entry
        .unlock(Some(&password))
        .unwrap_or_else(|error| panic!("{error}"));
    (key, entry.certificates().to_vec())
}

fn names(store: &Store) -> Vec<String> {
    store.entries().iter().map(row).collect()
}

/// Whether a certificate without a key is now part of some key's chain.
fn is_in_a_chain(entry: &Entry, store: &Store) -> bool {
    let Body::TrustedCert {
        certificate,
        trusted: false,
    } = entry.body()
    else {
        return false;
    };
    let keys = store
        .entries()
        .iter()
        .filter(|entry| entry.kind_name() == "private-key");
    keys.into_iter()
        .any(|key| key.certificates().contains(certificate))
}

fn head(entry: &Entry) -> (Option<&str>, &'static str, Option<i64>) {
    (entry.alias(), entry.kind_name(), entry.created_ms())
}

fn row(entry: &Entry) -> String {
    let chain: Vec<String> = entry
        .certificates()
        .iter()
        .map(|certificate| crate::truth::hex(&certificate.sha256()[..6]))
        .collect();
    format!(
        "{:?} {} {:?} {chain:?}",
        entry.alias(),
        entry.kind_name(),
        entry.created_ms()
    )
}

/// The ContentInfos of a PKCS#12 file.
fn safes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pfx = Der::new(bytes).sequence("PFX").unwrap();
    pfx.any("version").unwrap();
    let mut info = pfx.sequence("content").unwrap();
    info.any("type").unwrap();
    let octets = info
        .expect(tag::context_constructed(0), "content")
        .unwrap()
        .children()
        .any("octets")
        .unwrap();
    let content = octets.octets().unwrap();
    let mut row = Der::new(&content).sequence("safes").unwrap();
    let mut safes = Vec::new();
    while !row.is_empty() {
        safes.push(row.any("safe").unwrap().full.to_vec());
    }
    safes
}

/// The entries of a JKS file; of JCEKS those before the first secret key.
fn jks_entries(bytes: &[u8]) -> Vec<&[u8]> {
    let u16_at = |at: usize| usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()));
    let u32_at = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let certificate = |at: usize| {
        let at = at + 2 + u16_at(at);
        at + 4 + u32_at(at)
    };
    let (count, mut at, mut entries) = (u32_at(8), 12, Vec::new());
    for _ in 0..count {
        let start = at;
        let tag = u32_at(at);
        at += 6 + u16_at(at + 4) + 8;
        match tag {
            1 => {
                at += 4 + u32_at(at);
                let chain = u32_at(at);
                at += 4;
                (0..chain).for_each(|_| at = certificate(at));
            }
            2 => at = certificate(at),
            _ => break,
        }
        entries.push(&bytes[start..at]);
    }
    entries
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
