//! The manifests of both corpora, line by line: no file of theirs is left out.

use std::collections::BTreeMap;

use keystore::{Entry, Format, Limits, ParseError, Password, UnlockError};
use serde_json::Value;

use crate::corpus::{Sample, big_corpus, every_sample};
use crate::{random, text_files, truth};

#[test]
fn every_file_of_the_manifest_gives_its_recorded_truth_and_its_own_bytes_again() {
    let mut failed = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for sample in every_sample() {
        *seen.entry(sample.format.clone()).or_default() += 1;
        if let Err(why) = check(&sample) {
            failed.push(format!("{}: {why}", sample.name));
        }
    }
    println!("{seen:?}");
    assert!(seen.len() >= 9, "only the formats {seen:?}");
    assert!(failed.is_empty(), "{}:\n{}", failed.len(), failed.join("\n"));
}

fn check(sample: &Sample) -> Result<(), String> {
    let store = sample.read().map_err(|error| error.to_string())?;
    let format = match sample.format.as_str() {
        "BCFKS" => Format::Bcfks,
        "BKS" | "BKS-V1" => Format::Bks,
        "BouncyCastle" => Format::Uber,
        "CaseExactJKS" | "JKS" => Format::Jks,
        "DER" => Format::Der,
        "JCEKS" => Format::Jceks,
        "P7B" => match sample.bytes.first() {
            Some(0x30) => Format::Pkcs7,
            _ => Format::Pem,
        },
        "PEM" => Format::Pem,
        "PKCS12" | "PKCS12-DEF" => Format::Pkcs12,
        other => return Err(format!("a format that no test knows: {other}")),
    };
    if store.format() != format {
        return Err(format!("read as {}", store.format().name()));
    }
    match sample.format.as_str() {
        "DER" | "P7B" | "PEM" => text_files::check(sample, &store)?,
        _ => truth::check(sample)?,
    }
    check_key_passwords(sample, store.entries())?;
    let written = store
        .write(None, &mut random::env(1).env())
        .map_err(|error| error.to_string())?;
    if written != sample.bytes {
        return Err("written without an edit it is another file".to_owned());
    }
    Ok(())
}

/// The passwords that the manifest names for single keys open these.
fn check_key_passwords(sample: &Sample, entries: &[Entry]) -> Result<(), String> {
    for (alias, password) in &sample.key_passwords {
        if alias.starts_with("block ") {
            let password = Password::new(password.as_str());
            let mut keys = entries.iter().filter(|entry| entry.kind_name() == "private-key");
            if !keys.any(|key| key.unlock(Some(&password)).is_ok()) {
                return Err(format!("the password of {alias} opens no key"));
            }
            continue;
        }
        let password = Some(Password::new(password.as_str()));
        let is_it = |entry: &&Entry| entry.alias().is_some_and(|name| name.eq_ignore_ascii_case(alias));
        let Some(entry) = entries.iter().find(is_it) else {
            return Err(format!("no entry {alias:?}"));
        };
        let opened = match entry.kind_name() {
            "private-key" => entry.unlock(password.as_ref()).map(|_| ()),
            _ => entry.unlock_secret(password.as_ref()).map(|_| ()),
        };
        opened.map_err(|error| format!("key {alias:?}: {error}"))?;
    }
    Ok(())
}

#[test]
fn every_bad_file_is_read_as_a_real_tool_reads_it_or_refused_with_its_place() {
    let Some(folder) = big_corpus().map(|folder| folder.join("bad")) else {
        println!("SKIPPED: the corpus beside the workspace is absent");
        return;
    };
    let verdicts = std::fs::read_to_string(folder.join("VERDICTS.jsonl")).unwrap();
    let (mut named, mut failed) = (Vec::new(), Vec::new());
    for line in verdicts.lines() {
        let verdict: Value = serde_json::from_str(line).unwrap();
        let name = verdict["file"].as_str().unwrap();
        named.push(name.to_owned());
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let password = verdict["password"].as_str().map(Password::new);
        let answer = keystore::read(&bytes, password.as_ref(), &Limits::default());
        let tools = verdict["verdicts"].as_object().unwrap();
        let is_read_by_a_tool = tools.values().any(|tool| tool["rc"] == 0);
        match answer {
            Ok(store) => {
                let written = store.write(None, &mut random::env(1).env());
                if written.as_ref().ok() != Some(&bytes) {
                    failed.push(format!("{name}: written as another file: {:?}", written.err()));
                }
                // Nothing of it may open under a wrong password or past the limit without a word.
                for entry in store
                    .entries()
                    .iter()
                    .filter(|entry| entry.kind_name() == "private-key")
                {
                    if let Err(UnlockError::Malformed { what }) = entry.unlock(password.as_ref()) {
                        println!("{name}: {what}");
                    }
                }
            }
            Err(error) if is_read_by_a_tool && !READ_BY_A_TOOL_ONLY.iter().any(|row| row.0 == name) => {
                failed.push(format!("{name}: a real tool reads it, we say {error}"));
            }
            Err(error) => {
                if error.offset().is_none() && !is_about_the_whole(&error) {
                    failed.push(format!("{name}: no place in {error}"));
                }
            }
        }
    }
    for file in std::fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().to_string_lossy().into_owned();
        if name != "VERDICTS.jsonl" && !named.contains(&name) {
            failed.push(format!("{name}: no verdict names it"));
        }
    }
    assert!(named.len() >= 90, "only {} bad files", named.len());
    assert!(failed.is_empty(), "{}:\n{}", failed.len(), failed.join("\n"));
}

/// Errors that no single byte can be blamed for.
fn is_about_the_whole(error: &ParseError) -> bool {
    matches!(
        error,
        ParseError::Altered { .. }
            | ParseError::BadMac { .. }
            | ParseError::Empty
            | ParseError::NeedsPassword { .. }
            | ParseError::UnknownFormat
            | ParseError::WrongPassword { .. }
    )
}

/// Files that some tool accepts although they are not what they say, with the reason why we do not.
const READ_BY_A_TOOL_ONLY: &[(&str, &str)] = &[
    (
        "p7b-data-type.p7b",
        "PKCS#7 without certificates: openssl prints nothing of it and calls that success",
    ),
    (
        "pem-empty.pem",
        "a listing of no certificates is success there; an empty file is said here",
    ),
    (
        "pem-second-bad.pem",
        "that tool stops behind the first block and never sees the second",
    ),
    (
        "pem-text-only.pem",
        "a listing of no certificates is success there; no format is known here",
    ),
];

/// BouncyCastle wrote these with few rounds: PBKDF2 with SHA-512 and SHA3-512, scrypt, CCM and key wrap.
#[test]
fn every_protection_that_bouncycastle_offers_is_opened() {
    let password = Password::new("changeit");
    for name in ["pbkdf2", "sha3", "scrypt", "kwp"] {
        let path = format!(
            "{}/../../fuzz/seeds/bcfks-{name}.bcfks",
            env!("CARGO_MANIFEST_DIR")
        );
        let bytes = std::fs::read(path).unwrap();
        let store = keystore::read(&bytes, Some(&password), &Limits::default());
        let mut store = store.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(store.integrity(), keystore::Integrity::Verified, "{name}");
        let open = |store: &keystore::Store| {
            let entry = |alias: &str| &store.entries()[store.find(alias).expect("it is there")];
            let key = entry("client")
                .unlock(Some(&password))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                key.matches(&entry("client").certificates()[0]),
                keystore::KeyMatch::Matches
            );
            let secret = entry("aes")
                .unlock_secret(Some(&password))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                (secret.algorithm(), secret.raw()),
                ("AES", [0; 16].as_slice()),
                "{name}"
            );
            assert_eq!(entry("Root").certificates().len(), 1);
        };
        open(&store);
        let rename = keystore::Edit::Rename {
            index: store.find("Root").unwrap(),
            alias: "Old".to_owned(),
        };
        store.edit(&rename, &mut random::env(1).env()).unwrap();
        let back = keystore::Edit::Rename {
            index: store.find("Old").unwrap(),
            alias: "Root".to_owned(),
        };
        store.edit(&back, &mut random::env(1).env()).unwrap();
        let written = store.write(None, &mut random::env(2).env()).unwrap();
        open(&keystore::read(&written, Some(&password), &Limits::default()).unwrap());
    }
}

/// The trust store of an installed Java, which is JKS or PKCS#12 by its version.
#[test]
fn the_cacerts_of_an_installed_java_are_read_and_written_again() {
    let places = [
        "/etc/ssl/certs/java/cacerts",
        "/usr/lib/jvm/default-java/lib/security/cacerts",
    ];
    let Some(bytes) = places.iter().find_map(|path| std::fs::read(path).ok()) else {
        println!("SKIPPED: no Java's cacerts");
        return;
    };
    for password in [None, Some(Password::new("changeit"))] {
        let store = keystore::read(&bytes, password.as_ref(), &Limits::default()).unwrap();
        println!("{} with {} entries", store.format().name(), store.entries().len());
        assert!(store.entries().len() > 50);
        assert!(
            store
                .entries()
                .iter()
                .all(|entry| entry.kind_name() == "trusted-cert")
        );
        assert_eq!(store.write(None, &mut random::env(1).env()).unwrap(), bytes);
    }
}
