//! The one binary under another command's name.

use std::path::Path;
use std::process::{Command, Output};

fn run(program: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .env_clear()
        .output()
        .expect("the program starts")
}

#[test]
fn a_link_named_keytool_and_the_subcommand_are_keytool() {
    let capgrow = Path::new(env!("CARGO_BIN_EXE_capgrow"));
    let directory = tempfile::tempdir().expect("a directory");
    let link = directory.path().join("keytool");
    std::os::unix::fs::symlink(capgrow, &link).expect("a link");
    let want = "keytool error: java.lang.Exception: Keystore file does not exist: none\n";
    for (program, args) in [
        (link.as_path(), &["-list", "-keystore", "none"][..]),
        (capgrow, &["compat", "keytool", "-list", "-keystore", "none"][..]),
    ] {
        let output = run(program, args);
        assert_eq!(String::from_utf8_lossy(&output.stdout), want);
        assert_eq!(output.status.code(), Some(1));
    }
    let help = run(capgrow, &["compat", "keytool", "--help"]);
    assert!(String::from_utf8_lossy(&help.stderr).starts_with("Key and Certificate Management Tool\n"));
    assert_eq!(help.status.code(), Some(0));
}

#[test]
fn a_name_that_nothing_stands_in_for_is_said() {
    let output = run(
        Path::new(env!("CARGO_BIN_EXE_capgrow")),
        &["compat", "jarsigner", "-verify"],
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("no command jarsigner to stand in for; there is: "),
        "{said}"
    );
    for name in ["keytool", "gsk8capicmd_64", "runmqakm"] {
        assert!(said.contains(name), "{said}");
    }
    assert_eq!(output.status.code(), Some(2));
}
