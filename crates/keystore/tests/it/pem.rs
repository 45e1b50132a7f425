//! PEM files: damaged ones, and what edits leave alone.

use keystore::{Body, Certificate, Edit, EditError, Limits, Note, Password, Place, PrivateKey, Store};

use crate::corpus::{big_corpus, samples};
use crate::made::{certificate, filler, identity, own};
use crate::random;

fn read(bytes: &[u8]) -> Store {
    keystore::read(bytes, Some(&Password::new("changeit")), &Limits::default()).unwrap()
}

fn edited(store: &Store, edit: Edit) -> (Store, Vec<u8>) {
    let mut random = random::env(31);
    let mut store = store.clone();
    store.edit(&edit, &mut random.env()).unwrap();
    let written = store.write(None, &mut random.env()).unwrap();
    (store, written)
}

fn trust(certificate: &Certificate, place: Place) -> Edit {
    Edit::Trust {
        alias: None,
        certificate: certificate.clone(),
        place,
    }
}

fn pem_of(certificate: &Certificate) -> Vec<u8> {
    let (_, written) = edited(
        &Store::empty(keystore::Format::Pem).unwrap(),
        trust(certificate, Place::Last),
    );
    written
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn subjects(store: &Store) -> Vec<String> {
    store
        .entries()
        .iter()
        .flat_map(|entry| entry.certificates())
        .map(|one| one.subject().to_string())
        .collect()
}

/// What a damaged file says. `ok` = it is read, as OpenSSL reads it.
#[test]
fn bad_files_say_what_is_wrong_with_them() {
    let Some(folder) = big_corpus().map(|folder| folder.join("bad")) else {
        println!("SKIPPED: the corpus beside the workspace is absent");
        return;
    };
    for (name, want) in [
        ("der-cert-trailing.der", "ok"),
        ("der-cert-trunc.der", "at byte 0x4 needs 847 bytes, 296 are left"),
        ("der-empty.der", "the file is empty"),
        ("der-nonminimal-len.der", "ok"),
        ("p7b-data-type.p7b", "no certificate, request, CRL or key"),
        ("p7b-trailing.p7b", "ok"),
        ("p7b-trunc.p7b", "left"),
        ("pem-bad-base64.pem", "block is not sound base64 at byte 0x0"),
        ("pem-bad-padding.pem", "block is not sound base64 at byte 0x0"),
        ("pem-dek-shortiv.pem", "ok"),
        ("pem-dek-unknown.pem", "ok"),
        ("pem-empty-block.pem", "block is empty"),
        ("pem-empty.pem", "the file is empty"),
        ("pem-end-mismatch.pem", "END line names another block"),
        ("pem-key-cert-mismatch.pem", "ok"),
        ("pem-no-end.pem", "block without an END line at byte 0x0"),
        ("pem-nul.pem", "block is not sound base64"),
        ("pem-second-bad.pem", "at byte 0x4b8"),
        ("pem-text-only.pem", "not a keystore"),
        ("pem-trailing-der.pem", "ok"),
        (
            "pem-trunc-der.pem",
            "certificate block cannot be read at byte 0x0",
        ),
        ("pem-utf16.pem", "not a keystore"),
        ("pem-wrong-password.pem", "ok"),
    ] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let found = keystore::read(&bytes, Some(&Password::new("wrongpass")), &Limits::default());
        let found = found.map_or_else(|error| error.to_string(), |_| "ok".to_owned());
        assert!(found.contains(want), "{name}: {found}, expected {want}");
    }
}

#[test]
fn locked_keys_of_bad_files_say_why() {
    let Some(folder) = big_corpus().map(|folder| folder.join("bad")) else {
        println!("SKIPPED: the corpus beside the workspace is absent");
        return;
    };
    for (name, want) in [
        (
            "pem-dek-shortiv.pem",
            "the protected key is damaged: initial vector in DEK-Info",
        ),
        ("pem-dek-unknown.pem", "is not supported"),
        (
            "pem-wrong-password.pem",
            "wrong key password, or the key was altered",
        ),
    ] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let store = read(&bytes);
        let found = store.entries()[0]
            .unlock(Some(&Password::new("wrongpass")))
            .err()
            .unwrap()
            .to_string();
        assert!(found.contains(want), "{name}: {found}");
    }
}

#[test]
fn a_key_that_fits_no_certificate_stands_alone() {
    let (key, _) = identity("client");
    let mut random = random::env(1);
    let mut store = Store::empty(keystore::Format::Pem).unwrap();
    let put = Edit::PutKey {
        alias: None,
        key,
        chain: Vec::new(),
        key_password: None,
        place: Place::Last,
    };
    store.edit(&put, &mut random.env()).unwrap();
    store
        .edit(&trust(&certificate("root"), Place::Last), &mut random.env())
        .unwrap();
    let kinds: Vec<&str> = store.entries().iter().map(|entry| entry.kind_name()).collect();
    assert_eq!(kinds, ["private-key", "trusted-cert"]);
    assert!(store.entries()[0].certificates().is_empty());
}

#[test]
fn typographic_dashes_are_named_and_placed() {
    let root = String::from_utf8(pem_of(&certificate("root"))).unwrap();
    for (bad, at) in [
        (root.replace("-----BEGIN", "—–BEGIN"), "0x0"),
        (root.replace("-----BEGIN", "–----BEGIN"), "0x0"),
        (root.replace("CERTIFICATE-----\nM", "CERTIFICATE—–\nM"), "0x0"),
        (
            format!("# text\n{}", root.replace("-----BEGIN", "−−−−−BEGIN")),
            "0x7",
        ),
    ] {
        let both = format!("{bad}{root}");
        let error = keystore::read(both.as_bytes(), None, &Limits::default())
            .expect_err("a refusal")
            .to_string();
        assert!(
            error.contains("typographic dashes") && error.contains(at),
            "{error}"
        );
    }
    let alone = root.replace("-----", "—–");
    let error = keystore::read(alone.as_bytes(), None, &Limits::default())
        .expect_err("a refusal")
        .to_string();
    assert!(error.contains("typographic dashes"), "{error}");
}

#[test]
fn markers_that_share_a_line_are_read_noted_and_parted_by_the_next_edit() {
    let (root, inter) = (pem_of(&certificate("root")), pem_of(&certificate("inter")));
    let glued = joined(&[root.trim_ascii_end(), &inter]);
    let store = read(&glued);
    assert_eq!(subjects(&store).len(), 2);
    assert!(matches!(store.notes(), [Note::GluedMarkers { offset }] if *offset == root.len() - 1));
    assert_eq!(store.write(None, &mut random::env(1).env()).unwrap(), glued);
    let filler = filler(1);
    let (store, written) = edited(&store, trust(&filler, Place::Last));
    assert_eq!(written, joined(&[&root, &inter, &pem_of(&filler)]));
    assert!(store.notes().is_empty());
}

#[test]
fn a_marker_behind_other_text_is_refused() {
    let root = pem_of(&certificate("root"));
    let error = keystore::read(&joined(&[b"text ", &root]), None, &Limits::default()).expect_err("a refusal");
    assert!(error.to_string().contains("does not stand alone"), "{error}");
}

#[test]
fn a_new_certificate_leaves_every_other_byte() {
    let new = filler(1);
    for sample in samples(&["PEM"]) {
        let store = read_sample(&sample.bytes, &sample.password);
        let newline: &[u8] = if sample.bytes.windows(2).any(|pair| pair == b"\r\n") {
            b"\r\n"
        } else {
            b"\n"
        };
        let (_, first) = edited(&store, trust(&new, Place::First));
        let (_, last) = edited(&store, trust(&new, Place::Last));
        let block = String::from_utf8(pem_of(&new))
            .unwrap()
            .replace('\n', std::str::from_utf8(newline).unwrap());
        let expected = joined(&[block.as_bytes(), without_mark(&sample.bytes)]);
        assert_eq!(without_mark(&first), expected, "{}", sample.name);
        assert_eq!(
            subjects(&read_sample(&first, &sample.password)).len(),
            subjects(&store).len() + 1
        );
        assert!(
            last.starts_with(&sample.bytes) && last.ends_with(block.as_bytes()),
            "{}",
            sample.name
        );
        let gap = last.len() - sample.bytes.len() - block.len();
        assert!(gap == 0 || !sample.bytes.ends_with(b"\n"), "{}", sample.name);
    }
}

fn read_sample(bytes: &[u8], password: &Option<Password>) -> Store {
    keystore::read(bytes, password.as_ref(), &Limits::default()).unwrap()
}

/// What goes is the blocks of the entry and their own Bag Attributes: the rest, in order, is the file.
#[test]
fn a_removed_entry_leaves_every_other_byte() {
    for sample in samples(&["PEM"]) {
        let store = read_sample(&sample.bytes, &sample.password);
        for index in 0..store.entries().len() {
            let (after, written) = edited(&store, Edit::Remove { index });
            assert_eq!(
                after.entries().len(),
                store.entries().len() - 1,
                "{}",
                sample.name
            );
            assert!(
                is_subsequence_of_lines(&written, &sample.bytes),
                "{}",
                sample.name
            );
            let gone = sample.bytes.len() - written.len();
            let certificates = store.entries()[index]
                .certificates()
                .iter()
                .map(|one| one.der().len())
                .sum::<usize>();
            assert!(gone > certificates, "{}", sample.name);
        }
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn is_subsequence_of_lines(short: &[u8], long: &[u8]) -> bool {
    let (short, long) = (without_mark(short), without_mark(long));
    let mut lines = long.split_inclusive(|byte| *byte == b'\n');
    short
        .split_inclusive(|byte| *byte == b'\n')
        .all(|wanted| lines.any(|line| line == wanted))
}

#[test]
fn bag_attributes_go_with_their_block_and_comments_stay() {
    let (root, inter) = (pem_of(&certificate("root")), pem_of(&certificate("inter")));
    let bag = b"Bag Attributes\n    friendlyName: x\nsubject=CN = x\nissuer=CN = y\n".as_slice();
    let comment = b"# ours\n".as_slice();
    let file = joined(&[comment, bag, &root, b"# between\n", &inter, b"# end\n"]);
    let (_, written) = edited(&read(&file), Edit::Remove { index: 0 });
    let wanted = joined(&[comment, b"# between\n", &inter, b"# end\n"]);
    assert_eq!(String::from_utf8(written), String::from_utf8(wanted));
    let (_, written) = edited(&read(&file), Edit::Remove { index: 1 });
    let wanted = joined(&[comment, bag, &root, b"# between\n", b"# end\n"]);
    assert_eq!(String::from_utf8(written), String::from_utf8(wanted));
}

#[test]
fn a_replaced_identity_takes_the_place_and_order_of_the_old_one() {
    let new_identity: (PrivateKey, Certificate) = identity("client ec");
    for name in ["bundle-bag.pem", "bundle-keyfirst.pem", "bundle-disorder.pem"] {
        let Some(sample) = samples(&["PEM"]).into_iter().find(|sample| sample.name == name) else {
            println!("SKIPPED: {name} is not there");
            continue;
        };
        for key_password in [None, Some(Password::new("changeit"))] {
            let store = read_sample(&sample.bytes, &Some(Password::new("changeit")));
            let is_key = |entry: &keystore::Entry| matches!(entry.body(), Body::PrivateKey { .. });
            let index = store.entries().iter().position(is_key).unwrap();
            let old_chain = store.entries()[index].certificates().to_vec();
            assert!(!old_chain.is_empty(), "{name}");
            let (key, leaf) = new_identity.clone();
            let edit = Edit::ReplaceIdentity {
                index,
                key,
                chain: vec![leaf.clone(), certificate("inter")],
                key_password: key_password.clone(),
            };
            let (_, written) = edited(&store, edit);
            let again = read_sample(&written, &Some(Password::new("changeit")));
            let index = again.entries().iter().position(is_key).unwrap();
            let entry = &again.entries()[index];
            assert_eq!(entry.certificates(), [leaf, certificate("inter")], "{name}");
            assert!(
                entry.unlock(key_password.as_ref()).ok() == Some(new_identity.0.clone()),
                "{name}"
            );
            assert_eq!(entry.unlock(None).is_err(), key_password.is_some(), "{name}");
            assert!(
                !subjects(&again).contains(&old_chain[0].subject().to_string()),
                "{name}"
            );
        }
    }
}

/// A bound on work, not on size: beyond it keys stand alone, and nothing is lost.
#[test]
fn a_file_of_too_many_keys_and_certificates_is_read_without_chains() {
    let key = own_key_pem();
    let mut file: Vec<u8> = key.repeat(600);
    (0..600).for_each(|number| file.extend(pem_of(&filler(number))));
    let store = read(&file);
    assert_eq!(store.entries().len(), 1200);
    assert_eq!(store.write(None, &mut random::env(1).env()).unwrap(), file);
}

fn own_key_pem() -> Vec<u8> {
    let (key, _) = identity("client ec");
    let put = Edit::PutKey {
        alias: None,
        key,
        chain: Vec::new(),
        key_password: None,
        place: Place::Last,
    };
    edited(&Store::empty(keystore::Format::Pem).unwrap(), put).1
}

#[test]
fn edits_that_pem_cannot_express_are_refused() {
    let mut store = read(&pem_of(&certificate("root")));
    let mut random = random::env(2);
    for edit in [
        Edit::Rename {
            index: 0,
            alias: "x".into(),
        },
        Edit::SetDefault { index: 0 },
        Edit::Trust {
            alias: Some("x".into()),
            certificate: filler(1),
            place: Place::Last,
        },
    ] {
        let error = store.edit(&edit, &mut random.env()).expect_err("a refusal");
        assert!(matches!(error, EditError::NotInFormat { .. }), "{error:?}");
    }
    let error = store
        .edit(&Edit::Remove { index: 1 }, &mut random.env())
        .expect_err("a refusal");
    assert_eq!(error, EditError::NoSuchEntry { index: 1, len: 1 });
}

#[test]
fn altered_files_never_panic() {
    let seed = 33;
    println!("seed {seed}");
    let mut random = random::env(seed);
    let limits = Limits {
        max_kdf_rounds: 3000,
        ..Limits::default()
    };
    let samples: Vec<_> = ["PEM", "DER", "P7B"]
        .iter()
        .flat_map(|format| samples(&[format]))
        .collect();
    for sample in samples.iter().chain(&[]) {
        for _ in 0..60 {
            let mut bytes = sample.bytes.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                match random.below(3) {
                    0 => bytes[at] = random.next() as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"-\n\x80\x30"[random.below(4)]),
                }
            }
            let password = Password::new("changeit");
            let Ok(mut store) = keystore::read(&bytes, Some(&password), &limits) else {
                continue;
            };
            assert_eq!(
                store.write(None, &mut random.env()).unwrap(),
                bytes,
                "{}",
                sample.name
            );
            if !store.entries().is_empty() {
                let _ = store.edit(&Edit::Remove { index: 0 }, &mut random.env());
            }
            let _ = store.write(None, &mut random.env());
        }
    }
    assert_eq!(own("server-chain.pem").first(), Some(&b'-'));
}

/// A key in the place of another keeps its form, as the file's readers may know no other.
#[test]
fn a_replaced_key_keeps_the_form_of_the_old_one() {
    for (label, kind) in [("client", "RSA"), ("client ec", "EC")] {
        let (key, leaf) = identity(label);
        for old in [
            "key-trad-rsa-aes128.pem",
            "key-trad-ec.pem",
            "key-p8enc_pbesha1rc240.pem",
            "key-p8-eck1.pem",
        ] {
            let Some(sample) = samples(&["PEM"]).into_iter().find(|sample| sample.name == old) else {
                println!("SKIPPED: {old} is not there");
                continue;
            };
            for password in [None, Some(Password::new("changeit"))] {
                let store = keystore::read(
                    &sample.bytes,
                    Some(&Password::new("changeit")),
                    &Limits::default(),
                )
                .unwrap();
                let edit = Edit::ReplaceIdentity {
                    index: 0,
                    key: key.clone(),
                    chain: vec![leaf.clone()],
                    key_password: password.clone(),
                };
                let (_, written) = edited(&store, edit);
                let text = String::from_utf8(written.clone()).unwrap();
                let wanted = match (old.contains("trad"), password.is_some()) {
                    (true, _) => format!("-----BEGIN {kind} PRIVATE KEY-----"),
                    (false, true) => "-----BEGIN ENCRYPTED PRIVATE KEY-----".to_owned(),
                    (false, false) => "-----BEGIN PRIVATE KEY-----".to_owned(),
                };
                assert!(text.contains(&wanted), "{old} {label}: {text}");
                if old.contains("aes128") && password.is_some() {
                    assert!(text.contains("DEK-Info: AES-128-CBC,"), "{text}");
                }
                let again = keystore::read(&written, password.as_ref(), &Limits::default()).unwrap();
                let opened = again.entries()[0].unlock(password.as_ref());
                let opened = opened.unwrap_or_else(|error| panic!("{old} {label}: {error}"));
                assert_eq!(
                    opened.matches(&leaf),
                    keystore::KeyMatch::Matches,
                    "{old} {label}"
                );
                if old.contains("rc240") && password.is_some() {
                    let protection = again.entries()[0].protection().unwrap();
                    assert!(protection.contains("RC2-40"), "{protection}");
                }
                assert!(
                    openssl_opens(&written, password.is_some()),
                    "{old} {label}: openssl does not read {text}"
                );
            }
        }
    }
}

fn openssl_opens(file: &[u8], is_encrypted: bool) -> bool {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut command = Command::new("openssl");
    command.args(["pkey", "-provider", "legacy", "-provider", "default", "-noout"]);
    if is_encrypted {
        command.args(["-passin", "pass:changeit"]);
    }
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        println!("SKIPPED: no openssl");
        return true;
    };
    child.stdin.take().unwrap().write_all(file).unwrap();
    child.wait().unwrap().success()
}
