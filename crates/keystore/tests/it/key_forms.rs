//! Keys in every encrypted form that the `openssl` program can write.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keystore::{Limits, Password, Store, UnlockError};

#[test]
fn every_encrypted_form_of_a_key_that_openssl_writes_is_opened() {
    let Some(folder) = folder("key-forms") else { return };
    let key = folder.join("key.pem");
    assert!(
        run(&["genrsa", "-out", text(&key), "1024"]),
        "openssl makes no key"
    );
    let plain = open(&key, None).unwrap();
    let mut opened = 0;
    for (form, options) in forms() {
        let path = folder.join(format!("{}.pem", form.replace(' ', "-")));
        let _ = std::fs::remove_file(&path);
        let mut arguments = options.clone();
        arguments.extend([
            "-in",
            text(&key),
            "-out",
            text(&path),
            "-passout",
            "pass:changeit",
        ]);
        if !run(&arguments) {
            println!("SKIPPED: this openssl does not write {form}");
            continue;
        }
        let found = open(&path, Some("changeit")).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert!(found == plain, "{form}: another key");
        let wrong = open(&path, Some("changeIt")).err().expect("a wrong password");
        assert_eq!(wrong, UnlockError::WrongPassword, "{form}");
        opened += 1;
    }
    println!("{opened} forms opened");
    assert!(opened > 20, "only {opened}");
}

#[test]
fn a_dsa_key_in_the_form_of_openssl_is_the_same_key() {
    let Some(folder) = folder("key-forms-dsa") else {
        return;
    };
    let (parameters, key, old) = (folder.join("p.pem"), folder.join("k.pem"), folder.join("old.pem"));
    let sealed = folder.join("sealed.pem");
    let made = run(&["dsaparam", "-out", text(&parameters), "1024"])
        && run(&["gendsa", "-out", text(&key), text(&parameters)])
        && run(&["pkey", "-in", text(&key), "-traditional", "-out", text(&old)])
        && run(&[
            "pkey",
            "-in",
            text(&key),
            "-traditional",
            "-aes128",
            "-passout",
            "pass:changeit",
            "-out",
            text(&sealed),
        ]);
    if !made {
        println!("SKIPPED: this openssl makes no DSA key");
        return;
    }
    let bytes = std::fs::read(&old).unwrap();
    assert!(bytes.starts_with(b"-----BEGIN DSA PRIVATE KEY-----"));
    let wanted = open(&key, None).unwrap();
    assert!(open(&old, None).unwrap() == wanted);
    assert!(open(&sealed, Some("changeit")).unwrap() == wanted);
}

#[test]
fn a_scrypt_key_that_wants_too_much_is_refused_before_it_is_derived() {
    for (name, numbers, wanted) in [
        ("memory", ["20000", "8", "1"], "bytes of memory"),
        ("rounds", ["2", "400000", "64"], "rounds of key derivation"),
    ] {
        let number = |digits: &str| {
            keystore::der::write_unsigned(&u64::from_str_radix(digits, 16).unwrap().to_be_bytes())
        };
        let [cost, block, parallel] = numbers.map(number);
        let salt = keystore::der::write_octets(b"salt");
        let parameters = keystore::der::write_sequence(&[&salt, &cost, &block, &parallel]);
        let kdf = keystore::der::write_algorithm(keystore::oid::SCRYPT, &parameters);
        let cipher =
            keystore::der::write_algorithm(keystore::oid::AES256_CBC, &keystore::der::write_octets(&[0; 16]));
        let scheme = keystore::der::write_algorithm(
            keystore::oid::PBES2,
            &keystore::der::write_sequence(&[&kdf, &cipher]),
        );
        let file = keystore::der::write_sequence(&[&scheme, &keystore::der::write_octets(&[0; 32])]);
        let store = keystore::read(&file, None, &Limits::default()).unwrap();
        let error = store.entries()[0]
            .unlock(Some(&Password::new("x")))
            .err()
            .unwrap();
        assert!(error.to_string().contains(wanted), "{name}: {error}");
    }
}

/// Names and command lines. What an openssl lacks (SEED is not read here) it refuses by itself.
fn forms() -> Vec<(String, Vec<&'static str>)> {
    let mut forms = Vec::new();
    for cipher in [
        "-aes128",
        "-aes192",
        "-aes256",
        "-aria128",
        "-aria192",
        "-aria256",
        "-camellia128",
        "-camellia192",
        "-camellia256",
        "-des",
        "-des3",
    ] {
        forms.push((
            format!("traditional {cipher}"),
            vec!["rsa", "-traditional", cipher],
        ));
    }
    for cipher in [
        "aes-128-cbc",
        "aes-192-cbc",
        "aes-256-cbc",
        "aria-128-cbc",
        "aria-192-cbc",
        "aria-256-cbc",
        "camellia-128-cbc",
        "camellia-192-cbc",
        "camellia-256-cbc",
        "des-cbc",
        "des-ede3-cbc",
        "rc2-cbc",
        "rc2-64-cbc",
        "rc2-40-cbc",
    ] {
        forms.push((format!("PBES2 {cipher}"), vec!["pkcs8", "-topk8", "-v2", cipher]));
    }
    for prf in [
        "hmacWithSHA1",
        "hmacWithSHA224",
        "hmacWithSHA384",
        "hmacWithSHA512",
        "hmacWithSHA512-256",
    ] {
        forms.push((
            format!("PBES2 {prf}"),
            vec!["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", prf],
        ));
    }
    for scheme in [
        "PBE-MD2-DES",
        "PBE-MD5-DES",
        "PBE-SHA1-RC2-64",
        "PBE-MD2-RC2-64",
        "PBE-MD5-RC2-64",
        "PBE-SHA1-DES",
        "PBE-SHA1-RC4-128",
        "PBE-SHA1-RC4-40",
        "PBE-SHA1-3DES",
        "PBE-SHA1-2DES",
        "PBE-SHA1-RC2-128",
        "PBE-SHA1-RC2-40",
    ] {
        forms.push((scheme.to_owned(), vec!["pkcs8", "-topk8", "-v1", scheme]));
    }
    forms.push(("scrypt".to_owned(), vec!["pkcs8", "-topk8", "-scrypt"]));
    let scrypt = [
        "pkcs8",
        "-topk8",
        "-scrypt",
        "-scrypt_N",
        "1024",
        "-scrypt_r",
        "4",
        "-scrypt_p",
        "3",
    ];
    forms.push(("scrypt 1024 4 3".to_owned(), scrypt.to_vec()));
    forms
}

fn open(path: &Path, password: Option<&str>) -> Result<keystore::PrivateKey, UnlockError> {
    let bytes = std::fs::read(path).unwrap();
    let store: Store = keystore::read(&bytes, None, &Limits::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let password = password.map(Password::new);
    let key = store
        .entries()
        .iter()
        .find(|entry| entry.kind_name() == "private-key");
    key.expect("a key").unlock(password.as_ref())
}

/// Runs openssl with its old algorithms; says whether it did it.
fn run(arguments: &[&str]) -> bool {
    let (command, rest) = arguments.split_first().expect("a command");
    let with = |providers: &[&str]| {
        Command::new("openssl")
            .arg(command)
            .args(providers)
            .args(rest)
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success())
    };
    with(&["-provider", "legacy", "-provider", "default"]) || with(&[])
}

fn folder(name: &str) -> Option<PathBuf> {
    let there = Command::new("openssl").arg("version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: no openssl");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the target folder's name is text")
}
