//! Directories of hashed CA files, as `openssl rehash` makes them and as OpenSSL searches them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use keystore::{
    Certificate, HashedFinding, Limits, hashed_names, name_hash, old_name_hash, read_hashed_directory,
};

use crate::corpus::big_corpus;
use crate::corpus::samples;
use crate::made::{certificate, filler};

fn pem(certificate: &Certificate) -> Vec<u8> {
    let mut store = keystore::Store::empty(keystore::Format::Pem).unwrap();
    let edit = keystore::Edit::Trust {
        alias: None,
        certificate: certificate.clone(),
        place: keystore::Place::Last,
    };
    store.edit(&edit, &mut crate::random::env(1).env()).unwrap();
    store.write(None, &mut crate::random::env(1).env()).unwrap()
}

#[test]
fn hashes_of_all_names_of_the_corpus_are_those_of_openssl() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("name-hashes");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut seen, mut compared) = (BTreeSet::new(), 0);
    for sample in ["JKS", "PKCS12", "PEM", "P7B"]
        .iter()
        .flat_map(|format| samples(&[format]))
    {
        let Ok(store) = sample.read() else { continue };
        for one in store
            .entries()
            .iter()
            .flat_map(|entry| entry.certificates().to_vec())
        {
            if !seen.insert(one.subject().der().to_vec()) || compared >= 80 {
                continue;
            }
            let path = folder.join("one.pem");
            std::fs::write(&path, pem(&one)).unwrap();
            let asked = Command::new("openssl")
                .args(["x509", "-noout", "-subject_hash", "-subject_hash_old", "-in"])
                .arg(&path)
                .stdin(Stdio::null())
                .output();
            let Ok(output) = asked else {
                println!("SKIPPED: no openssl");
                return;
            };
            let theirs = String::from_utf8_lossy(&output.stdout).into_owned();
            if !output.status.success() {
                println!("openssl does not read {one:?}");
                continue;
            }
            let ours = format!(
                "{}\n{}\n",
                name_hash(&one.subject()),
                old_name_hash(&one.subject())
            );
            assert_eq!(ours, theirs, "{} {}", sample.name, one.subject());
            compared += 1;
        }
    }
    println!("{compared} names");
    // The stores that were copied into the project bear few different names.
    let least = if big_corpus().is_some() { 20 } else { 2 };
    assert!(compared > least, "only {compared}");
}

#[test]
fn a_directory_is_read_as_openssl_searches_it() {
    let (root, inter, other) = (certificate("root"), certificate("inter"), filler(3));
    let hash = |one: &Certificate| name_hash(&one.subject());
    let mut files = BTreeMap::new();
    files.insert(format!("{}.0", hash(&root)), pem(&root));
    files.insert(format!("{}.1", hash(&root)), pem(&root));
    files.insert(format!("{}.0", hash(&inter)), pem(&other));
    files.insert(format!("{}.2", hash(&other)), pem(&other));
    files.insert(format!("{}.0", old_name_hash(&inter.subject())), pem(&inter));
    files.insert("ca-bundle.crt".to_owned(), pem(&other));
    files.insert("00000000.0".to_owned(), b"no certificate".to_vec());
    let found = read_hashed_directory(&files, &Limits::default());
    let names: Vec<&str> = found.certificates.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [format!("{}.0", hash(&root)), format!("{}.1", hash(&root))]
    );
    let findings = &found.findings;
    assert_eq!(findings.len(), 4, "{findings:?}");
    let has = |wanted: &dyn Fn(&HashedFinding) -> bool| findings.iter().any(wanted);
    assert!(has(
        &|one| matches!(one, HashedFinding::Gap { missing, .. } if missing.ends_with(".0"))
    ));
    assert!(has(
        &|one| matches!(one, HashedFinding::OldHash { expected, .. } if *expected == hash(&inter))
    ));
    assert!(has(
        &|one| matches!(one, HashedFinding::WrongHash { expected, .. } if *expected == hash(&other))
    ));
    assert!(has(
        &|one| matches!(one, HashedFinding::Unreadable { file, .. } if file == "00000000.0")
    ));
}

#[test]
fn the_names_given_here_are_those_of_rehash_and_openssl_finds_them() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rehash");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let all = [
        certificate("root"),
        certificate("inter"),
        certificate("root"),
        filler(3),
        filler(4),
    ];
    let names = hashed_names(&all, &BTreeSet::new());
    assert_eq!(names.iter().filter(|name| name.is_none()).count(), 1);
    for (number, one) in all.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.pem")), pem(one)).unwrap();
    }
    let rehashed = Command::new("openssl")
        .arg("rehash")
        .arg(&folder)
        .stdin(Stdio::null())
        .output();
    if !rehashed.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: no openssl rehash");
        return;
    }
    let mut theirs = BTreeMap::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".pem") {
            theirs.insert(name, std::fs::read(&path).unwrap());
        }
    }
    let ours: BTreeSet<String> = names.into_iter().flatten().collect();
    assert_eq!(ours, theirs.keys().cloned().collect());
    let found = read_hashed_directory(&theirs, &Limits::default());
    assert_eq!((found.certificates.len(), found.findings.len()), (4, 0));
}
