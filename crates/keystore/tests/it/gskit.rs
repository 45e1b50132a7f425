//! GSKit itself opens the databases that we write, trusts what they trust, and presents the client's identity.
//!
//! GSKit comes with IBM's Db2 driver in the Python package `ibm_db`. The test runs where an environment with it is at
//! `$CAPGROW_GSKIT_ORACLE` or `~/.cache/gskit-oracle`, and the program that asks it lies beside the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use keystore::{CmsVersion, Edit, Limits, Password, Place, StashVersion, Store, write_stash};
use serde_json::Value;

use crate::made::{
    certificate, database, first_key, identity, kdb_vectors, label_of, own, password, put, trust,
    without_point,
};
use crate::random::{self, Random};

/// GSKit, and the program that asks it.
pub struct Oracle {
    program: PathBuf,
    environment: PathBuf,
    folder: tempfile::TempDir,
}

/// Nothing, with a word why, where GSKit is not there.
pub fn oracle() -> Option<Oracle> {
    let program = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/oracle/gskit.py"
    ));
    let environment = match std::env::var_os("CAPGROW_GSKIT_ORACLE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/gskit-oracle"),
    };
    if !program.exists() || !environment.join("bin/python").exists() {
        println!("SKIPPED: no GSKit (set CAPGROW_GSKIT_ORACLE to a Python environment with ibm_db)");
        return None;
    }
    Some(Oracle {
        program,
        environment,
        folder: tempfile::tempdir().expect("a temporary directory"),
    })
}

impl Oracle {
    /// What GSKit says about a database. It meets a server whose certificate the copied root and intermediate vouch for.
    fn ask(&self, name: &str, store: &Store, stash: StashVersion, random: &mut Random) -> Value {
        let kdb = self.folder.path().join(format!("{name}.kdb"));
        let sth = self.folder.path().join(format!("{name}.sth"));
        std::fs::write(&kdb, store.write(None, &mut random.env()).unwrap()).unwrap();
        std::fs::write(&sth, write_stash(&password(), stash, &mut random.env()).unwrap()).unwrap();
        self.ask_files(&kdb, &sth)
    }

    /// What GSKit says about a store of any format that it reads, under the name of a database.
    pub fn ask_with(&self, store: &Path, password: &str) -> Value {
        let stem = store.file_stem().unwrap().to_string_lossy();
        let kdb = self.folder.path().join(format!("any-{stem}.kdb"));
        let sth = kdb.with_extension("sth");
        std::fs::copy(store, &kdb).unwrap();
        let stash = write_stash(
            &Password::new(password),
            StashVersion::V2,
            &mut random::env(5).env(),
        );
        std::fs::write(&sth, stash.unwrap()).unwrap();
        self.ask_files(&kdb, &sth)
    }

    fn ask_files(&self, kdb: &Path, sth: &Path) -> Value {
        let own = kdb_vectors().join("own");
        let out = Command::new("python3")
            .arg(&self.program)
            .arg("--venv")
            .arg(&self.environment)
            .args([
                "--kdb".as_ref(),
                kdb.as_os_str(),
                "--sth".as_ref(),
                sth.as_os_str(),
            ])
            .args(["--chain".as_ref(), own.join("server-chain.pem").as_os_str()])
            .args(["--key".as_ref(), own.join("server-key.pem").as_os_str()])
            .arg("--ask-client")
            .output()
            .expect("python3 runs");
        serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)))
    }
}

#[track_caller]
fn check(answer: &Value, verdict: &str, presented: Option<&str>) {
    assert_eq!(answer["verdict"], verdict, "{answer}");
    match (answer["client_subject"].as_str(), presented) {
        (Some(found), Some(wanted)) => assert!(found.contains(wanted), "{answer}"),
        (found, wanted) => assert_eq!(found, wanted, "{answer}"),
    }
}

#[test]
fn databases_of_0_1_7_and_300_entries_open_in_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(21);
    for version in [CmsVersion::V4, CmsVersion::V6] {
        for entries in [0, 1, 7, 300] {
            let store = database(Store::empty_cms(version), entries, 20, &mut random);
            let name = format!("{version:?}-{entries}");
            let answer = oracle.ask(&name, &store, StashVersion::V2, &mut random);
            match entries {
                0 | 1 => check(&answer, "chain rejected", None),
                _ => check(&answer, "handshake ok", Some("CN = client one")),
            }
        }
    }
}

#[test]
fn labels_of_1_to_100_bytes_and_both_stashes_are_taken_by_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(22);
    for (bytes, stash) in [
        (1, StashVersion::V1),
        (2, StashVersion::V2),
        (63, StashVersion::V1),
        (64, StashVersion::V2),
        (100, StashVersion::V2),
    ] {
        let store = database(Store::empty_cms(CmsVersion::V6), 7, bytes, &mut random);
        let answer = oracle.ask(&format!("label-{bytes}"), &store, stash, &mut random);
        check(&answer, "handshake ok", Some("CN = client one"));
    }
    assert_eq!(label_of(100).len(), 100);
}

#[test]
fn an_elliptic_curve_key_that_we_put_in_is_presented_by_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(23);
    for version in [CmsVersion::V3, CmsVersion::V4, CmsVersion::V6] {
        let mut store = database(Store::empty_cms(version), 0, 1, &mut random);
        for edit in [
            put("ec", &identity("client ec")),
            put("rsa", &identity("client")),
            trust("root", &certificate("root")),
            trust("inter", &certificate("inter")),
        ] {
            store.edit(&edit, &mut random.env()).unwrap();
        }
        for (label, presented) in [("ec", "CN = client ec"), ("rsa", "CN = client one")] {
            let index = store.find(label).unwrap();
            store
                .edit(&Edit::SetDefault { index }, &mut random.env())
                .unwrap();
            let name = format!("{version:?}-{label}");
            let answer = oracle.ask(&name, &store, StashVersion::V1, &mut random);
            check(&answer, "handshake ok", Some(presented));
        }
    }
}

#[test]
fn edited_copies_of_other_writers_databases_open_in_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(24);
    for name in ["v3.kdb", "v4.kdb", "v6.kdb", "odd-slot.kdb"] {
        let mut store = keystore::read(&own(name), Some(&password()), &Limits::default()).unwrap();
        let index = first_key(&store);
        let (key, leaf) = identity("client ec");
        for edit in [
            Edit::ReplaceIdentity {
                index,
                key,
                chain: vec![leaf],
                key_password: None,
            },
            Edit::Rename {
                index,
                alias: label_of(100),
            },
            Edit::Trust {
                alias: Some("f".into()),
                certificate: crate::made::filler(1),
                place: Place::Last,
            },
        ] {
            store.edit(&edit, &mut random.env()).unwrap();
        }
        let answer = oracle.ask(name, &store, StashVersion::V2, &mut random);
        check(&answer, "handshake ok", Some("CN = client ec"));
        let mut without_root = store.clone();
        let index = store.find("root").unwrap();
        without_root
            .edit(&Edit::Remove { index }, &mut random.env())
            .unwrap();
        let answer = oracle.ask(
            &format!("no-root-{name}"),
            &without_root,
            StashVersion::V2,
            &mut random,
        );
        check(&answer, "chain rejected", None);
    }
}

/// Java leaves the point out of its elliptic curve keys; from such a store the key goes into a database all the same.
#[test]
fn an_elliptic_curve_key_out_of_a_java_store_is_presented_by_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(27);
    let (key, leaf) = identity("client ec");
    let key = without_point(&key);
    assert_eq!(key.matches(&leaf), keystore::KeyMatch::Matches);
    let mut store = database(Store::empty_cms(CmsVersion::V6), 0, 1, &mut random);
    for edit in [
        put("ec", &(key, leaf)),
        trust("root", &certificate("root")),
        trust("inter", &certificate("inter")),
    ] {
        store.edit(&edit, &mut random.env()).unwrap();
    }
    let answer = oracle.ask("without-point", &store, StashVersion::V2, &mut random);
    check(&answer, "handshake ok", Some("CN = client ec"));
}

/// A personal certificate may be a signer as well: a self-signed one trusts its own kind that way.
#[test]
fn a_certificate_that_is_personal_and_signer_does_not_hinder_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(28);
    let mut store = database(Store::empty_cms(CmsVersion::V6), 7, 20, &mut random);
    store
        .edit(&trust("itself", &certificate("client")), &mut random.env())
        .unwrap();
    let answer = oracle.ask("itself", &store, StashVersion::V2, &mut random);
    check(&answer, "handshake ok", Some("CN = client one"));
}

/// The negative control: the same question about a stash of another password.
#[test]
fn gskit_refuses_a_database_with_the_stash_of_another() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(25);
    let store = database(Store::empty_cms(CmsVersion::V6), 7, 20, &mut random);
    let (kdb, sth) = (
        oracle.folder.path().join("other.kdb"),
        oracle.folder.path().join("other.sth"),
    );
    std::fs::write(&kdb, store.write(None, &mut random.env()).unwrap()).unwrap();
    let other = write_stash(&Password::new("passwort"), StashVersion::V2, &mut random.env()).unwrap();
    std::fs::write(&sth, other).unwrap();
    check(&oracle.ask_files(&kdb, &sth), "bad password", None);
}

/// New password in all four files: GSKit opens the `.kdb` and the `.rdb` beside it, and uses the re-encrypted key.
#[test]
fn a_changed_password_opens_all_siblings_in_gskit() {
    let Some(oracle) = oracle() else { return };
    let mut random = random::env(26);
    for version in ["v3", "v4", "v6"] {
        let files = keystore::CmsFiles {
            kdb: Some(own(&format!("{version}.kdb"))),
            rdb: Some(own(&format!("{version}.rdb"))),
            crl: Some(own(&format!("{version}.crl"))),
            sth: Some(own("stash-v2.sth")),
        };
        let new = Password::new("a longer one, with blanks and ümläuts, of more than sixty-four bytes");
        let changed = keystore::change_password(&files, &password(), &new, &mut random.env()).unwrap();
        let path = |end: &str| oracle.folder.path().join(format!("changed-{version}.{end}"));
        for (end, bytes) in [
            ("kdb", changed.kdb),
            ("rdb", changed.rdb),
            ("crl", changed.crl),
            ("sth", changed.sth),
        ] {
            std::fs::write(path(end), bytes.unwrap()).unwrap();
        }
        let answer = oracle.ask_files(&path("kdb"), &path("sth"));
        check(&answer, "handshake ok", Some("CN = client one"));
        std::fs::write(path("rdb"), files.rdb.unwrap()).unwrap();
        check(
            &oracle.ask_files(&path("kdb"), &path("sth")),
            "bad password",
            None,
        );
    }
}
