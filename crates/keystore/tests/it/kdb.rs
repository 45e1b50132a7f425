//! GSKit databases and stashes: the ones of other writers, and what our own edits make of them.

use std::path::{Path, PathBuf};

use keystore::{
    Body, CmsFiles, CmsVersion, Edit, EditError, Entry, Integrity, Limits, Note, ParseError, Password,
    StashError, StashVersion, Store, change_password, read_stash, write_stash,
};
use serde_json::Value;
use sha2::Digest;

use crate::made::{
    certificate, database, filler, first_key, identity, kdb_vectors, label_of, own, own_v6, password, put,
    trust,
};
use crate::random;

struct Sample {
    name: String,
    bytes: Vec<u8>,
    password: String,
    truth: Value,
}

/// The copied samples, and those beside the workspace that must not be copied.
fn samples(ends: &[&str]) -> Vec<Sample> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/kdb"));
    let folder = if beside.join("MANIFEST.tsv").exists() {
        beside
    } else {
        println!("SKIPPED: the corpus beside the workspace is absent, only the copied databases are read");
        kdb_vectors()
    };
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let rows = manifest
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<&str>>());
    let samples: Vec<Sample> = rows
        .filter(|row| ends.iter().any(|end| row[0].ends_with(end)))
        .map(|row| Sample {
            name: row[0].to_owned(),
            bytes: std::fs::read(folder.join(row[0])).unwrap(),
            password: row[3].to_owned(),
            truth: serde_json::from_str(row[6]).unwrap(),
        })
        .collect();
    assert!(samples.len() >= 4, "only {} samples", samples.len());
    samples
}

fn is_bad(sample: &Sample) -> bool {
    Path::new(&sample.name)
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("bad-"))
}

fn is_cms(sample: &Sample) -> bool {
    sample.truth["format"]
        .as_str()
        .is_some_and(|format| format.starts_with("CMS"))
}

fn good() -> Vec<Sample> {
    samples(&[".kdb", ".rdb", ".crl"])
        .into_iter()
        .filter(|sample| is_cms(sample) && !is_bad(sample))
        .collect()
}

fn read(bytes: &[u8], password: &str) -> Result<Store, ParseError> {
    keystore::read(bytes, Some(&Password::new(password)), &Limits::default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_database_holds_what_its_manifest_says() {
    for sample in good() {
        let store =
            read(&sample.bytes, &sample.password).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(store.integrity(), Integrity::Verified);
        let theirs = sample.truth["entries"].as_array().unwrap();
        assert_eq!(store.entries().len(), theirs.len(), "{}", sample.name);
        for (index, (our, their)) in store.entries().iter().zip(theirs).enumerate() {
            check_entry(&sample, our, their);
            if their["default"] == true {
                assert_eq!(store.default_entry(), Some(index), "{}", sample.name);
            }
        }
        let expires = sample.truth["expires"].as_i64().unwrap();
        let noted = store.notes().contains(&Note::PasswordExpiry { unix: expires });
        assert_eq!(noted, expires != 0, "{}", sample.name);
    }
}

fn check_entry(sample: &Sample, our: &Entry, their: &Value) {
    let place = format!("{} {}", sample.name, their["label"]);
    assert_eq!(our.alias(), their["label"].as_str(), "{place}");
    let kind = match our.body() {
        Body::PrivateKey { .. } => "personal",
        Body::Request { .. } => "request",
        Body::TrustedCert { trusted, .. } => {
            assert_eq!(their["trusted"], *trusted, "{place}");
            "signer"
        }
        _ => "other",
    };
    assert_eq!(their["kind"], kind, "{place}");
    if let Some(certificate) = our.certificates().first() {
        assert_eq!(their["sha256"], hex(&certificate.sha256()).as_str(), "{place}");
        assert_eq!(
            their["subject"],
            certificate.subject().to_string().as_str(),
            "{place}"
        );
        assert_eq!(their["serial"], certificate.serial_hex().as_str(), "{place}");
    }
    if let Body::Request { der, .. } = our.body() {
        assert_eq!(
            their["csr_sha256"],
            hex(&sha2::Sha256::digest(der)).as_str(),
            "{place}"
        );
        assert!(keystore::Request::parse(der).is_ok(), "{place}");
    }
    if their["has_key"] == true {
        let key = our.unlock(Some(&Password::new(sample.password.as_str())));
        let key = key.unwrap_or_else(|error| panic!("{place}: {error}"));
        if let Some(certificate) = our.certificates().first() {
            assert_eq!(key.matches(certificate), keystore::KeyMatch::Matches, "{place}");
        }
        assert!(our.unlock(Some(&Password::new("not it"))).is_err(), "{place}");
    }
}

#[track_caller]
fn check_bad(name: &str, is_right: fn(&ParseError) -> bool) {
    let error = read(&own(name), "password").expect_err(name);
    assert!(is_right(&error), "{name}: {error:?}");
}

#[test]
fn damaged_databases_are_refused_for_the_right_reason() {
    check_bad("bad-count.kdb", |error| {
        matches!(
            error,
            ParseError::LengthPastEnd { .. } | ParseError::Malformed { offset: 0x10, .. }
        )
    });
    check_bad("bad-integrity.kdb", |error| {
        matches!(error, ParseError::Altered { .. })
    });
    check_bad("bad-label-tag.kdb", |error| {
        matches!(error, ParseError::Structure { .. })
    });
    check_bad("bad-truncated.kdb", |error| {
        matches!(error, ParseError::LengthPastEnd { .. })
    });
    check_bad("bad-verifier.kdb", |error| {
        matches!(error, ParseError::WrongPassword { .. })
    });
}

#[test]
fn files_of_another_kind_under_the_same_ending_are_named() {
    for sample in samples(&[".kdb"]).iter().filter(|sample| !is_cms(sample)) {
        let read = read(&sample.bytes, &sample.password);
        match read {
            Ok(store) => assert_eq!(store.format(), keystore::Format::Pkcs12, "{}", sample.name),
            Err(error) => assert!(error.to_string().contains("KeePass"), "{}: {error}", sample.name),
        }
    }
}

#[test]
fn a_wrong_password_and_an_altered_slot_are_told_apart() {
    for sample in good() {
        let wrong = read(&sample.bytes, "something else").expect_err("a wrong password");
        assert!(
            matches!(wrong, ParseError::WrongPassword { .. }),
            "{}: {wrong}",
            sample.name
        );
        if sample.truth["count"] == 0 {
            continue;
        }
        let mut altered = sample.bytes.clone();
        *altered.last_mut().unwrap() ^= 1;
        let error = read(&altered, &sample.password).expect_err("an altered slot");
        assert!(
            matches!(error, ParseError::Altered { .. }),
            "{}: {error}",
            sample.name
        );
    }
}

#[test]
fn without_a_password_the_entries_are_listed_and_nothing_is_proved() {
    let store = keystore::read(&own("v6.kdb"), None, &Limits::default()).unwrap();
    assert_eq!(store.integrity(), Integrity::NotChecked);
    assert_eq!(store.entries().len(), 5);
}

#[test]
fn a_rewrite_that_changes_nothing_gives_the_same_bytes() {
    for sample in good() {
        let store = read(&sample.bytes, &sample.password).unwrap();
        assert_eq!(
            store.write(None, &mut random::env(1).env()).unwrap(),
            sample.bytes,
            "{}",
            sample.name
        );
    }
}

/// Each edit once on each key database: other slots keep every byte, the file proves again, the edit is seen.
#[test]
fn slots_that_an_edit_does_not_concern_keep_their_bytes() {
    let seed = 7;
    println!("seed {seed}");
    let mut random = random::env(seed);
    for sample in good().iter().filter(|sample| sample.truth["type"] == "X509KEY") {
        let store = read(&sample.bytes, &sample.password).unwrap();
        let mut edits = vec![
            trust("new signer", &filler(1)),
            put("new key", &identity("client ec")),
        ];
        for index in 0..store.entries().len() {
            edits.push(Edit::Remove { index });
            edits.push(Edit::Rename {
                index,
                alias: label_of(100),
            });
            if matches!(store.entries()[index].body(), Body::PrivateKey { .. }) {
                let (key, leaf) = identity("client ec");
                edits.push(Edit::SetDefault { index });
                edits.push(Edit::ReplaceIdentity {
                    index,
                    key,
                    chain: vec![leaf],
                    key_password: None,
                });
            }
        }
        for edit in edits {
            let mut edited = store.clone();
            edited.edit(&edit, &mut random.env()).unwrap();
            let written = edited.write(None, &mut random.env()).unwrap();
            let again =
                read(&written, &sample.password).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
            assert_eq!(rows(&again), rows(&edited), "{}", sample.name);
            let changed = changed_slots(&sample.bytes, &written, &sample.truth);
            let allowed = if matches!(edit, Edit::SetDefault { .. }) {
                2
            } else {
                1
            };
            assert!(changed <= allowed, "{}: {changed} slots changed", sample.name);
        }
    }
}

fn rows(store: &Store) -> Vec<String> {
    let row = |entry: &Entry| {
        let sums: Vec<String> = entry
            .certificates()
            .iter()
            .map(|one| hex(&one.sha256()))
            .collect();
        format!("{:?} {} {}", entry.alias(), entry.kind_name(), sums.join(" "))
    };
    store.entries().iter().map(row).collect()
}

/// How many of the old slots do not stand at their place with their bytes; both files have one slot size.
fn changed_slots(old: &[u8], new: &[u8], truth: &Value) -> usize {
    let head = match truth["format"].as_str().unwrap() {
        "CMS v3" => 0x50,
        "CMS v4" => 0x58,
        _ => 0x90,
    };
    let size = truth["slot_size"].as_u64().unwrap() as usize;
    assert_eq!(old[..0x14], new[..0x14]);
    assert_eq!(old[0x18..0x30], new[0x18..0x30]);
    let pairs = old[head..].chunks(size).zip(new[head..].chunks(size));
    pairs.filter(|(old, new)| old != new).count()
}

#[test]
fn new_databases_of_every_size_and_version_read_back() {
    let mut random = random::env(3);
    for version in [CmsVersion::V3, CmsVersion::V4, CmsVersion::V6] {
        for entries in [0, 1, 7, 300] {
            let store = database(Store::empty_cms(version), entries, 30, &mut random);
            let written = store.write(None, &mut random.env()).unwrap();
            let again = read(&written, "password").unwrap();
            assert_eq!(rows(&again), rows(&store), "{version:?} {entries}");
            if entries > 0 {
                let entry = &again.entries()[first_key(&again)];
                let key = entry.unlock(Some(&password())).ok().unwrap();
                assert!(key == identity("client").0);
            }
        }
    }
}

#[test]
fn labels_of_1_to_1500_bytes_are_kept_and_raise_the_slot_size_when_they_must() {
    let mut random = random::env(4);
    for bytes in [1, 2, 99, 100, 101, 127, 128, 255, 256, 1500, 6000] {
        let store = database(Store::empty_cms(CmsVersion::V6), 7, bytes, &mut random);
        let again = read(&store.write(None, &mut random.env()).unwrap(), "password").unwrap();
        assert!(again.find(&label_of(bytes)).is_some(), "{bytes}");
        assert_eq!(rows(&again), rows(&store), "{bytes}");
    }
    let mut store = own_v6();
    store
        .edit(&trust("Prüfstelle €", &filler(2)), &mut random.env())
        .unwrap();
    let again = read(&store.write(None, &mut random.env()).unwrap(), "password").unwrap();
    assert!(again.find("Prüfstelle €").is_some());
}

#[test]
fn an_edit_that_would_lose_something_is_refused_and_changes_nothing() {
    let mut random = random::env(5);
    let mut store = own_v6();
    let (key, _) = identity("client");
    let root = certificate("root");
    let mismatch = Edit::ReplaceIdentity {
        index: first_key(&store),
        key: key.clone(),
        chain: vec![root.clone()],
        key_password: None,
    };
    let own_password = Edit::ReplaceIdentity {
        index: first_key(&store),
        key,
        chain: vec![certificate("client")],
        key_password: Some(Password::new("another")),
    };
    let too_long = Edit::SetPassword {
        old: None,
        new: Password::new("x".repeat(129)),
    };
    let mut check = |edit: Edit, is_right: fn(&EditError) -> bool| {
        let error = store.edit(&edit, &mut random.env()).expect_err("a refusal");
        assert!(is_right(&error), "{error:?}");
        assert_eq!(store.write(None, &mut random.env()).unwrap(), own("v6.kdb"));
    };
    check(trust("client", &filler(1)), |error| {
        matches!(error, EditError::AliasExists { .. })
    });
    check(trust("again", &root), |error| {
        matches!(error, EditError::AliasExists { .. })
    });
    check(trust("", &filler(1)), |error| {
        matches!(error, EditError::BadAlias { .. })
    });
    check(Edit::Remove { index: 99 }, |error| {
        matches!(error, EditError::NoSuchEntry { .. })
    });
    check(Edit::SetDefault { index: 0 }, |error| {
        matches!(error, EditError::WrongKind { .. })
    });
    check(mismatch, |error| *error == EditError::KeyMismatch);
    check(own_password, |error| {
        matches!(error, EditError::NotInFormat { .. })
    });
    check(too_long, |error| {
        matches!(error, EditError::PasswordUnusable { .. })
    });
}

#[test]
fn trusting_a_signer_that_is_there_without_the_flag_sets_the_flag() {
    let mut random = random::env(6);
    let mut store = own_v6();
    let count = store.entries().len();
    store
        .edit(&trust("whatever", &certificate("not trusted")), &mut random.env())
        .unwrap();
    assert_eq!(store.entries().len(), count);
    let entry = &store.entries()[store.find("not trusted").unwrap()];
    assert!(matches!(entry.body(), Body::TrustedCert { trusted: true, .. }));
}

#[test]
fn a_removed_key_is_gone_from_the_bytes() {
    let mut random = random::env(8);
    let mut store = own_v6();
    let index = first_key(&store);
    let leaf = store.entries()[index].certificates()[0].der().to_vec();
    store.edit(&Edit::Remove { index }, &mut random.env()).unwrap();
    let written = store.write(None, &mut random.env()).unwrap();
    assert!(!written.windows(leaf.len()).any(|window| window == leaf));
    assert_eq!(written.len(), own("v6.kdb").len());
}

#[test]
fn a_password_change_covers_all_siblings_and_every_key() {
    for version in ["v3", "v4", "v6"] {
        let files = CmsFiles {
            kdb: Some(own(&format!("{version}.kdb"))),
            rdb: Some(own(&format!("{version}.rdb"))),
            crl: Some(own(&format!("{version}.crl"))),
            sth: Some(own("stash-v2.sth")),
        };
        let new = Password::new("näu");
        let mut random = random::env(9);
        let changed = change_password(&files, &password(), &new, &mut random.env()).unwrap();
        assert!(read_stash(changed.sth.as_ref().unwrap()).unwrap() == (new.clone(), StashVersion::V2));
        for (old, bytes) in [
            (files.kdb, changed.kdb),
            (files.rdb, changed.rdb),
            (files.crl, changed.crl),
        ] {
            let (old, bytes) = (old.unwrap(), bytes.unwrap());
            let store = keystore::read(&bytes, Some(&new), &Limits::default()).unwrap();
            assert_eq!(rows(&store), rows(&read(&old, "password").unwrap()), "{version}");
            for entry in store
                .entries()
                .iter()
                .filter(|entry| entry.protection().is_some())
            {
                assert!(entry.unlock(Some(&new)).is_ok(), "{version}");
                assert!(entry.unlock(Some(&password())).is_err(), "{version}");
            }
            assert!(matches!(
                read(&bytes, "password"),
                Err(ParseError::WrongPassword { .. })
            ));
        }
        let foreign = CmsFiles {
            sth: Some(own("utf8.sth")),
            ..CmsFiles::default()
        };
        assert!(change_password(&foreign, &password(), &new, &mut random.env()).is_err());
    }
}

#[test]
fn a_database_read_without_password_writes_with_the_right_one_only() {
    let mut random = random::env(10);
    let mut store = keystore::read(&own("v4.kdb"), None, &Limits::default()).unwrap();
    store.edit(&trust("new", &filler(1)), &mut random.env()).unwrap();
    assert!(store.write(None, &mut random.env()).is_err());
    assert!(
        store
            .write(Some(&Password::new("wrong")), &mut random.env())
            .is_err()
    );
    let written = store.write(Some(&password()), &mut random.env()).unwrap();
    assert_eq!(read(&written, "password").unwrap().entries().len(), 6);
}

#[test]
fn every_stash_gives_its_password() {
    for sample in samples(&[".sth"]) {
        let (found, version) =
            read_stash(&sample.bytes).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        let version = if version == StashVersion::V1 {
            "stash v1"
        } else {
            "stash v2"
        };
        assert_eq!(sample.truth["format"], version, "{}", sample.name);
        match sample.truth["reads_as_hex"].as_str() {
            Some(garbage) => assert_eq!(hex(found.as_bytes()), garbage, "{}", sample.name),
            None => assert!(
                found == Password::new(sample.password.as_str()),
                "{}",
                sample.name
            ),
        }
    }
}

#[test]
fn a_stash_that_we_write_gives_the_password_back() {
    let mut random = random::env(11);
    for version in [StashVersion::V1, StashVersion::V2] {
        for length in 1..=128 {
            let typed = Password::new("p".repeat(length));
            let stash = write_stash(&typed, version, &mut random.env()).unwrap();
            assert!(read_stash(&stash).unwrap() == (typed, version), "{length}");
        }
        for unusable in [
            Password::new(""),
            Password::new("a\0b"),
            Password::new("x".repeat(129)),
        ] {
            let error = write_stash(&unusable, version, &mut random.env()).expect_err("a refusal");
            assert!(matches!(error, StashError::PasswordUnusable { .. }));
        }
    }
}

#[test]
fn altered_files_never_panic() {
    let seed = 12;
    println!("seed {seed}");
    let mut random = random::env(seed);
    for name in ["v3.kdb", "v4.kdb", "v6.kdb", "v6.rdb", "stash-v2.sth"] {
        let original = own(name);
        for _ in 0..400 {
            let mut bytes = original.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len().min(700));
                bytes[at] = random.next() as u8;
            }
            bytes.truncate(bytes.len() - random.below(3) * random.below(bytes.len() / 3));
            let store = keystore::read(
                &bytes,
                None,
                &Limits {
                    max_kdf_rounds: 5000,
                    ..Limits::default()
                },
            );
            if let Ok(store) = store {
                for entry in store.entries() {
                    let _ = entry.unlock(Some(&password()));
                }
            }
            let _ = read_stash(&bytes);
        }
    }
}

/// What GSKit's commands do to flags and to the date of the password.
#[test]
fn marks_and_the_date_of_the_password_are_written_and_read_again() {
    let mut random = random::env(31);
    let mut store = database(Store::empty_cms(CmsVersion::V6), 7, 20, &mut random);
    let again = |store: &Store, random: &mut random::Random| {
        let bytes = store.write(None, &mut random.env()).unwrap();
        keystore::read(&bytes, Some(&password()), &Limits::default()).unwrap()
    };
    let key = first_key(&store);
    store
        .edit(&Edit::SetDefault { index: key }, &mut random.env())
        .unwrap();
    let signer = store
        .entries()
        .iter()
        .position(|entry| matches!(entry.body(), Body::TrustedCert { trusted: true, .. }))
        .unwrap();
    store.distrust(signer).unwrap();
    assert!(matches!(store.distrust(key), Err(EditError::WrongKind { .. })));
    assert!(matches!(store.distrust(999), Err(EditError::NoSuchEntry { .. })));
    store.expire_password_at(2_000_000_000).unwrap();
    let read = again(&store, &mut random);
    assert_eq!(read.marked_default(), Some(key));
    assert!(matches!(
        read.entries()[signer].body(),
        Body::TrustedCert { trusted: false, .. }
    ));
    assert_eq!(read.notes(), [Note::PasswordExpiry { unix: 2_000_000_000 }]);
    // Another password takes the date away, and never is a date too.
    for never in [false, true] {
        let mut next = read.clone();
        match never {
            true => next.expire_password_at(0).unwrap(),
            false => next
                .edit(
                    &Edit::SetPassword {
                        old: None,
                        new: Password::new("another"),
                    },
                    &mut random.env(),
                )
                .unwrap(),
        }
        assert_eq!(next.notes(), []);
    }
    let mut other = Store::empty(keystore::Format::Jks).unwrap();
    assert_eq!(other.marked_default(), None);
    assert!(matches!(
        other.expire_password_at(1),
        Err(EditError::NotInFormat { .. })
    ));
}
