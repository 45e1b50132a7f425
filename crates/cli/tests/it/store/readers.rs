//! What `store` writes, as the programs see it that it is for.

use std::path::Path;
use std::process::Command;

use keystore::Format;

use super::Material;
use super::Place;

/// `FORMAT READER`: the store is converted to it, then read.
const KEYTOOL: &[(&str, &str)] = &[
    ("jks", "java8"),
    ("jceks", "java17"),
    ("p12", "java8"),
    ("p12", "java17"),
];
const OPENSSL: &[(&str, &str)] = &[
    ("p12", "openssl3"),
    ("p12", "gskit8"),
    ("pem", "openssl3"),
    ("p12", "fips"),
];

#[test]
fn keytool_lists_what_was_converted_imported_renamed_and_given_another_password() {
    let Some(keytool) = tool("keytool") else { return };
    let place = Place::new(Format::Bks, &Material::new());
    for (number, (to, reader)) in KEYTOOL.iter().enumerate() {
        let name = format!("new{number}.store");
        let ran = place.run(&format!("convert S --to {to} --for {reader} --out {name} PW"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for words in [
            format!("import {name} --from leaf.key --from leaf.pem --as web PW"),
            format!("rename {name} --alias own --to mine PW"),
            format!("password {name} PW NEW"),
            format!("add-trust {name} --cert extra.pem --password-file new"),
        ] {
            let ran = place.run(&words);
            assert_eq!(ran.code, 0, "{words}: {}", ran.stderr);
        }
        let mut command = Command::new(&keytool);
        command
            .current_dir(place.dir.path())
            .args([
                "-importkeystore",
                "-noprompt",
                "-srckeystore",
                &name,
                "-srcstorepass",
                "quite new",
            ])
            .args([
                "-destkeystore",
                &format!("read{number}.p12"),
                "-deststorepass",
                "quite new",
            ]);
        let text = output(&mut command);
        // Every key opened with the new password, else it could not be brought over.
        assert!(
            text.contains("4 entries successfully imported, 0 entries failed"),
            "{to} {reader}: {text}"
        );
        for alias in ["mine", "web", "root", "extra ca"] {
            assert!(
                text.contains(&format!("Entry for alias {alias} ")),
                "{to} {reader}: {text}"
            );
        }
    }
}

#[test]
fn openssl_opens_what_was_converted_for_it() {
    let Some(openssl) = tool("openssl") else { return };
    let place = Place::new(Format::Jks, &Material::new());
    for (number, (to, reader)) in OPENSSL.iter().enumerate() {
        let name = format!("new{number}.store");
        let ran = place.run(&format!("convert S --to {to} --for {reader} --out {name} PW NEW"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let mut command = Command::new(&openssl);
        command.current_dir(place.dir.path());
        match *to {
            "pem" => command.args([
                "pkey",
                "-noout",
                "-text",
                "-passin",
                "pass:quite new",
                "-in",
                &name,
            ]),
            _ => command.args(["pkcs12", "-nodes", "-passin", "pass:quite new", "-in", &name]),
        };
        // OpenSSL before 3.4 does not know the MAC that approved readers want.
        if *reader == "fips" {
            command.arg("-nomacver");
        }
        let text = output(&mut command);
        let mark = if *to == "pem" {
            "256 bit"
        } else {
            "BEGIN PRIVATE KEY"
        };
        assert!(text.contains(mark), "{to} {reader}: {text}");
    }
}

fn tool(name: &str) -> Option<String> {
    let found = std::env::var("PATH")
        .unwrap_or_default()
        .split(':')
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("SKIPPED: no {name}");
    }
    found.map(|path| path.to_string_lossy().into_owned())
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
