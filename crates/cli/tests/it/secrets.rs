//! No password ever comes out, and nothing in a store reaches the terminal unescaped.

mod commands;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use keystore::Format;

use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::copies;
use crate::corpus::run;
use crate::made;

#[test]
fn no_output_and_no_error_holds_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let (key, chain) = made::identity("server");
    write(
        dir.path(),
        "right.jks",
        &made::store(
            Format::Jks,
            Some(CANARY),
            &[made::key(Some("a"), &key, &chain, None)],
        ),
    );
    write(
        dir.path(),
        "right.p12",
        &made::store(
            Format::Pkcs12,
            Some(CANARY),
            &[made::key(Some("a"), &key, &chain, None)],
        ),
    );
    write(
        dir.path(),
        "right.kdb",
        &made::store(
            Format::CmsKdb,
            Some(CANARY),
            &[made::key(Some("a"), &key, &chain, None)],
        ),
    );
    write(
        dir.path(),
        "right.pem",
        &made::store(Format::Pem, None, &[made::key(None, &key, &[], Some(CANARY))]),
    );
    write(dir.path(), "right.sth", &made::stash(CANARY));
    write(
        dir.path(),
        "agent.sth",
        &keystore::write_wa_password(&keystore::Password::new(CANARY)),
    );
    for name in [
        "jks17-mixed.jks",
        "osl36-default.p12",
        "kdb/own/v6.kdb",
        "key-p8enc.der",
    ] {
        let name_here = format!("wrong-{}", name.rsplit('/').next().unwrap());
        write(dir.path(), &name_here, &std::fs::read(copies(name)).unwrap());
    }
    write(dir.path(), "password", format!("{CANARY}\r\n").as_bytes());
    let mut runs = 0;
    for source in SOURCES {
        for form in [
            &["inspect"][..],
            &["inspect", "--json"],
            &["inspect", "-v", "--json-lines"],
        ] {
            for target in files(dir.path()) {
                let mut command = capgrow(dir.path());
                command
                    .args(form)
                    .args(*source)
                    .arg(&target)
                    .env("CANARY_VARIABLE", CANARY);
                let ran = run(&mut command);
                assert!(
                    !holds_canary(&ran),
                    "{form:?} {source:?} {target}:\n{}{}",
                    ran.stdout,
                    ran.stderr
                );
                let wrong = target.starts_with("wrong-") && !source.is_empty();
                assert_eq!(
                    ran.code == 2,
                    wrong || target == "password",
                    "{form:?} {source:?} {target}:\n{}{}",
                    ran.stdout,
                    ran.stderr
                );
                assert!(
                    !wrong || ran.stderr.contains(&target),
                    "{target} is not named: {}",
                    ran.stderr
                );
                runs += 1;
            }
        }
    }
    assert!(runs >= 90, "only {runs} runs");
}

#[test]
fn an_unset_variable_is_an_error_and_an_empty_one_the_empty_password() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "empty.p12",
        &std::fs::read(copies("osl36-emptypw.p12")).unwrap(),
    );
    let with = |value: Option<&str>| {
        let mut command = capgrow(dir.path());
        command.args([
            "inspect",
            "--json",
            "--password-env",
            "SOME_VARIABLE",
            "empty.p12",
        ]);
        if let Some(value) = value {
            command.env("SOME_VARIABLE", value);
        }
        run(&mut command)
    };
    let unset = with(None);
    assert_eq!(unset.code, 2);
    assert!(
        unset.stderr.contains("SOME_VARIABLE is not set"),
        "{}",
        unset.stderr
    );
    assert!(with(Some("")).code < 2, "{}", with(Some("")).stderr);
    assert_eq!(with(Some("not it")).code, 2);
}

#[test]
fn only_one_line_end_is_no_part_of_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let password = "ends in a line end\n";
    let certificate = made::root();
    write(
        dir.path(),
        "a.jks",
        &made::store(
            Format::Jks,
            Some(password),
            &[made::trust(Some("root"), &certificate)],
        ),
    );
    for (content, fits) in [
        ("ends in a line end\n\n", true),
        ("ends in a line end\n\r\n", true),
        (password, false),
    ] {
        write(dir.path(), "password", content.as_bytes());
        let ran = run(capgrow(dir.path()).args(["inspect", "--password-file", "password", "a.jks"]));
        assert_eq!(
            ran.code,
            if fits { 0 } else { 2 },
            "{content:?}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}

#[test]
fn a_descriptor_gives_the_password_and_two_options_for_one_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "a.jks",
        &std::fs::read(copies("jks17-mixed.jks")).unwrap(),
    );
    write(dir.path(), "password", b"changeit\n");
    let mut command = capgrow(dir.path());
    command.args(["inspect", "--password-fd", "0", "a.jks"]);
    command.stdin(std::fs::File::open(dir.path().join("password")).unwrap());
    let ran = run(&mut command);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stdout.contains("not-checked"), "{}", ran.stdout);
    let two = run(capgrow(dir.path()).args([
        "inspect",
        "--password-fd",
        "0",
        "--password-file",
        "password",
        "a.jks",
    ]));
    assert_eq!(two.code, 2);
}

#[test]
fn aliases_are_escaped_for_people_and_raw_for_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let alias = "evil\u{1b}[2j\u{7}\r\nfake: 0 errors\u{202e}";
    let bytes = made::store(
        Format::Jks,
        Some("changeit"),
        &[made::trust(Some(alias), &made::root())],
    );
    write(dir.path(), "a.jks", &bytes);
    let people = run(capgrow(dir.path()).args(["inspect", "a.jks"]));
    let raw = ['\u{1b}', '\u{7}', '\r', '\u{202e}'];
    assert!(
        !people.stdout.contains(raw) && !people.stdout.contains("\nfake"),
        "{:?}",
        people.stdout
    );
    assert!(people.stdout.contains("evil\\u{1b}"), "{}", people.stdout);
    let scripts = run(capgrow(dir.path()).args(["inspect", "--json", "a.jks"]));
    assert_eq!(scripts.json()["files"][0]["entries"][0]["alias"], alias);
}

fn holds_canary(ran: &Ran) -> bool {
    let encoded = keystore::write_wa_password(&keystore::Password::new(CANARY));
    let encoded = String::from_utf8(encoded).unwrap();
    [&ran.stdout, &ran.stderr]
        .into_iter()
        .any(|text| text.contains("canary") || text.contains(encoded.trim()))
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

const CANARY: &str = "canary-of-the-mine-7";
const SOURCES: &[&[&str]] = &[
    &[],
    &["--password-file", "password"],
    &["--password-env", "CANARY_VARIABLE"],
];
