//! The real keytool and openssl read what we write, entry by entry. A tool that is absent is said.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keystore::{Body, Certificate, Edit, Entry, Format, Limits, Password, Place, Store};

use crate::corpus::{Sample, copied};
use crate::edits::identity;
use crate::random;
use crate::truth::{hex, plain_pkcs8};

#[test]
fn keytool_lists_stores_made_here() {
    let Some(folder) = folder("keytool", "made-keytool") else {
        return;
    };
    for format in [Format::Jks, Format::Jceks, Format::Pkcs12] {
        for count in [0, 1, 7, 300] {
            let store = made(format, count);
            let path = folder.join(format!("{count}.{}", format.name()));
            write(&store, Some(&changeit()), &path);
            keytool_agrees(&store, &path);
        }
    }
}

#[test]
fn keytool_takes_every_key_out_of_stores_made_here() {
    let Some(folder) = folder("keytool", "keys-keytool") else {
        return;
    };
    for format in [Format::Jks, Format::Jceks, Format::Pkcs12] {
        let store = made(format, 7);
        let from = folder.join(format!("from.{}", format.name()));
        write(&store, Some(&changeit()), &from);
        for target in ["PKCS12", "JKS"] {
            let to = folder.join(format!("{}-to.{target}", format.name()));
            let _ = std::fs::remove_file(&to);
            let arguments = [
                "-importkeystore",
                "-noprompt",
                "-srckeystore",
                text(&from),
                "-srcstorepass",
                "changeit",
            ];
            let more = [
                "-destkeystore",
                text(&to),
                "-deststoretype",
                target,
                "-deststorepass",
                "changeit",
            ];
            run("keytool", &[arguments.as_slice(), &more].concat());
            let copy = read(&to);
            for entry in store
                .entries()
                .iter()
                .filter(|entry| entry.kind_name() == "private-key")
            {
                let there = &copy.entries()[copy.find(entry.alias().unwrap()).expect("copied")];
                assert!(
                    key_of(there) == key_of(entry),
                    "{:?} of {}",
                    entry.alias(),
                    from.display()
                );
                assert_eq!(there.certificates(), entry.certificates());
            }
        }
    }
}

#[test]
fn keytool_lists_stores_of_other_tools_after_an_edit_here() {
    let Some(folder) = folder("keytool", "edited-keytool") else {
        return;
    };
    for sample in java_readable() {
        let mut store = sample.read().unwrap();
        for edit in edits(&store) {
            store
                .edit(&edit, &mut random::env(11).env())
                .unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        }
        let path = folder.join(sample.name.replace('/', "-"));
        write(&store, None, &path);
        keytool_agrees(&store, &path);
    }
}

#[test]
fn openssl_reads_pkcs12_made_here() {
    let Some(folder) = folder("openssl", "made-openssl") else {
        return;
    };
    for count in [0, 1, 7, 300] {
        let store = made(Format::Pkcs12, count);
        let path = folder.join(format!("{count}.p12"));
        write(&store, Some(&changeit()), &path);
        openssl_agrees(&store, &path, "changeit");
    }
}

#[test]
fn openssl_reads_pkcs12_of_other_tools_after_an_edit_here_with_the_same_algorithms() {
    let Some(folder) = folder("openssl", "edited-openssl") else {
        return;
    };
    for sample in copied(&["PKCS12"]).iter().filter(|sample| can_openssl(sample)) {
        let mut store = sample.read().unwrap();
        let path = folder.join(sample.name.replace('/', "-"));
        std::fs::write(&path, &sample.bytes).unwrap();
        let password = password_text(sample);
        let before = algorithms(&path, &password);
        for edit in edits(&store) {
            store
                .edit(&edit, &mut random::env(13).env())
                .unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        }
        write(&store, None, &path);
        openssl_agrees(&store, &path, &password);
        let after = algorithms(&path, &password);
        // A file without keys or certificates gets its first ones by its other algorithm.
        let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
        let is_complete = before.iter().any(|line| line.starts_with("Shrouded"))
            && before.iter().any(|line| line.starts_with("PKCS7 Encrypted"));
        assert!(
            new.is_empty() || !is_complete,
            "{}: {new:?} was not there: {before:?}",
            sample.name
        );
    }
}

/// What keytool lists is what the store holds.
#[track_caller]
fn keytool_agrees(store: &Store, path: &Path) {
    let listing = run(
        "keytool",
        &["-list", "-v", "-keystore", text(path), "-storepass", "changeit"],
    );
    let written = read(path);
    assert_eq!(
        written.entries().len(),
        store.entries().len(),
        "{}",
        path.display()
    );
    let seen_by_java: Vec<&Entry> = written
        .entries()
        .iter()
        .filter(|entry| is_java_entry(&written, entry))
        .collect();
    let count = match seen_by_java.len() {
        1 => "contains 1 entry".to_owned(),
        count => format!("contains {count} entries"),
    };
    assert!(
        listing.contains(&count),
        "{}: no {count:?} in {listing:.600}",
        path.display()
    );
    for entry in seen_by_java {
        let alias = entry.alias().unwrap().to_lowercase();
        let head = format!("Alias name: {alias}\n");
        let at = listing
            .find(&head)
            .unwrap_or_else(|| panic!("{}: no {alias:?}", path.display()));
        let section = &listing[at + head.len()..];
        let section = &section[..section.find("Alias name: ").unwrap_or(section.len())];
        let kind = match entry.body() {
            Body::PrivateKey { .. } => "Entry type: PrivateKeyEntry",
            Body::SecretKey { .. } => "Entry type: SecretKeyEntry",
            _ => "Entry type: trustedCertEntry",
        };
        assert!(
            section.contains(kind),
            "{}: {alias:?} is no {kind}",
            path.display()
        );
        let prints: Vec<String> = section
            .lines()
            .filter_map(|line| line.trim().strip_prefix("SHA256: "))
            .map(str::to_owned)
            .collect();
        let ours: Vec<String> = entry.certificates().iter().map(fingerprint).collect();
        assert_eq!(prints, ours, "{}: certificates of {alias:?}", path.display());
    }
}

/// What openssl takes out is what the store holds.
#[track_caller]
fn openssl_agrees(store: &Store, path: &Path, password: &str) {
    let pem = openssl_pem(path, password);
    let copy = keystore::read(pem.as_bytes(), None, &Limits::default());
    let all = |store: &Store| {
        let certificates = store
            .entries()
            .iter()
            .flat_map(|entry| entry.certificates().to_vec());
        let mut all: Vec<_> = certificates.map(|certificate| certificate.sha256()).collect();
        all.sort();
        all.dedup();
        all
    };
    let keys = |store: &Store, password: Option<&Password>| {
        let open = |entry: &Entry| {
            entry
                .unlock(password)
                .ok()
                .map(|key| plain_pkcs8(key.pkcs8_der()))
        };
        let mut keys: Vec<_> = store.entries().iter().filter_map(open).collect();
        keys.sort();
        keys
    };
    match copy {
        Ok(copy) => {
            assert_eq!(all(&copy), all(store), "{}", path.display());
            let (theirs, ours) = (keys(&copy, None), keys(store, Some(&Password::new(password))));
            assert!(
                theirs == ours,
                "{}: {} keys, {} here",
                path.display(),
                theirs.len(),
                ours.len()
            );
        }
        Err(_) => assert!(store.entries().is_empty(), "{}: {pem}", path.display()),
    }
}

/// One trusted certificate more, one key more, and the first key under another name.
fn edits(store: &Store) -> Vec<Edit> {
    let (key, chain) = identity("client");
    let root = identity("selfie").1[0].clone();
    let (alias, place) = (Some("new key".to_owned()), Place::Last);
    let mut edits = vec![
        Edit::Trust {
            alias: Some("New Root".to_owned()),
            certificate: root,
            place,
        },
        Edit::PutKey {
            alias,
            key,
            chain,
            key_password: None,
            place,
        },
    ];
    let first = store
        .entries()
        .iter()
        .position(|entry| entry.kind_name() == "private-key");
    edits.extend(first.map(|index| Edit::Rename {
        index,
        alias: "renamed".to_owned(),
    }));
    edits
}

/// A store with so many entries: two keys (RSA and EC) among them as soon as there is room.
fn made(format: Format, count: usize) -> Store {
    let mut store = Store::empty(format).unwrap();
    let mut random = random::env(count as u64 + 1);
    for number in 0..count {
        let (key, chain) = identity(["server", "client", "selfie"][number % 3]);
        let alias = Some(format!("entry {number}"));
        let edit = if number < 6 {
            let place = if number % 2 == 0 {
                Place::First
            } else {
                Place::Last
            };
            Edit::PutKey {
                alias,
                key,
                chain,
                key_password: None,
                place,
            }
        } else {
            Edit::Trust {
                alias,
                certificate: chain[0].clone(),
                place: Place::Last,
            }
        };
        store
            .edit(&edit, &mut random.env())
            .unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(store.entries().len(), count);
    store
}

/// Java shows no certificate without its mark and no plain key.
fn is_java_entry(store: &Store, entry: &Entry) -> bool {
    let is_plain = store.format() == Format::Pkcs12 && entry.protection().as_deref() == Some("none");
    !is_plain && !matches!(entry.body(), Body::TrustedCert { trusted: false, .. })
}

/// Stores with the usual password, whose every entry has a name that keytool prints as it is.
fn java_readable() -> Vec<Sample> {
    let mut samples = copied(&["JKS", "JCEKS", "PKCS12"]);
    samples.retain(|sample| {
        let truth = sample.truth();
        let entries = truth["java17"]["entries"].as_array().cloned().unwrap_or_default();
        let is_plain =
            |alias: &str| alias.is_ascii() && !alias.is_empty() && !alias.contains(char::is_control);
        let has_plain_names = entries
            .iter()
            .all(|entry| entry["alias"].as_str().is_some_and(is_plain));
        let is_named = sample
            .read()
            .is_ok_and(|store| store.entries().iter().all(|entry| entry.alias().is_some()));
        truth["java17"]["loads"] == true
            && !sample.name.starts_with("fetched/")
            && truth["store_password"] == "changeit"
            && has_plain_names
            && is_named
            && entries.len() < 100
            && !sample.name.contains("casedup")
            && !sample.name.contains("prop-plain")
    });
    assert!(samples.len() >= 10, "only {} samples", samples.len());
    samples
}

fn can_openssl(sample: &Sample) -> bool {
    let truth = sample.truth();
    truth["openssl36"]["rc"] == 0
        && sample.password.is_some()
        && !sample.name.starts_with("fetched/")
        && !sample.name.contains("pbmac1")
        && !sample.name.contains("many500")
}

/// The algorithm lines of `openssl pkcs12 -info`, each once.
fn algorithms(path: &Path, password: &str) -> Vec<String> {
    let output = openssl(path, password, &["-info", "-noout"]);
    let mut lines: Vec<String> = output
        .lines()
        .filter(|line| {
            ["MAC:", "PKCS7 Encrypted", "Shrouded Keybag"]
                .iter()
                .any(|head| line.starts_with(head))
        })
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

fn openssl_pem(path: &Path, password: &str) -> String {
    openssl(path, password, &["-noenc"])
}

fn openssl(path: &Path, password: &str, more: &[&str]) -> String {
    let password = format!("pass:{password}");
    let arguments = ["pkcs12", "-legacy", "-in", text(path), "-passin", &password];
    run("openssl", &[arguments.as_slice(), more].concat())
}

fn password_text(sample: &Sample) -> String {
    let bytes = sample
        .password
        .as_ref()
        .map(|password| password.as_bytes().to_vec())
        .unwrap_or_default();
    String::from_utf8(bytes).expect("the corpus has text passwords")
}

fn key_of(entry: &Entry) -> Option<Vec<u8>> {
    entry
        .unlock(Some(&changeit()))
        .ok()
        .map(|key| key.pkcs8_der().to_vec())
}

fn fingerprint(certificate: &Certificate) -> String {
    let digits = hex(&certificate.sha256()).to_uppercase();
    let pairs: Vec<&str> = (0..digits.len())
        .step_by(2)
        .map(|at| &digits[at..at + 2])
        .collect();
    pairs.join(":")
}

fn write(store: &Store, password: Option<&Password>, path: &Path) {
    let bytes = store.write(password, &mut random::env(99).env());
    std::fs::write(
        path,
        bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    )
    .unwrap();
}

fn read(path: &Path) -> Store {
    let bytes = std::fs::read(path).unwrap();
    keystore::read(&bytes, Some(&changeit()), &Limits::default()).unwrap()
}

/// Both streams of a command that must succeed.
#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

/// A folder for the files of one test, when the tool is there.
fn folder(tool: &str, name: &str) -> Option<PathBuf> {
    let version = if tool == "keytool" { "-help" } else { "version" };
    let there = Command::new(tool).arg(version).stdin(Stdio::null()).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: no {tool}");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the target folder's name is text")
}

fn changeit() -> Password {
    Password::new("changeit")
}
