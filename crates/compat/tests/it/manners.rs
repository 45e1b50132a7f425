//! What the original does not promise: whole files, one writer, modes.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use compat::Io;

#[track_caller]
fn keytool(directory: &Path, line: &str, want: &str) {
    let mut io = Io::in_memory(directory, b"").with_variable("TZ", "UTC");
    let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
    let code = compat::keytool(&words, &mut io);
    let shown = String::from_utf8_lossy(io.written_out()).into_owned();
    assert_eq!(
        format!("{code} {shown}").trim_end(),
        want,
        "{}",
        String::from_utf8_lossy(io.written_err())
    );
}

const MAKE: &str = "-genkeypair -keystore s.p12 -storepass changeit -alias a -keyalg EC -dname CN=a";

#[test]
fn a_store_that_another_writer_holds_is_said_and_left() {
    let directory = tempfile::tempdir().unwrap();
    keytool(directory.path(), MAKE, "0");
    let path = directory.path().join("s.p12");
    let before = std::fs::read(&path).unwrap();
    let held = std::fs::File::open(&path).unwrap();
    held.lock().unwrap();
    keytool(
        directory.path(),
        "-delete -keystore s.p12 -storepass changeit -alias a",
        "1 keytool error: java.io.IOException: s.p12 is being written by another program; try again when it is done",
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    keytool(
        directory.path(),
        "-list -keystore s.p12 -storepass changeit -alias b",
        "1 keytool error: java.lang.Exception: Alias <b> does not exist",
    );
    drop(held);
    keytool(
        directory.path(),
        "-delete -keystore s.p12 -storepass changeit -alias a",
        "0",
    );
}

#[test]
fn a_replaced_store_keeps_its_mode_and_its_link() {
    let directory = tempfile::tempdir().unwrap();
    keytool(directory.path(), MAKE, "0");
    let real = directory.path().join("real.p12");
    std::fs::rename(directory.path().join("s.p12"), &real).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.p12", directory.path().join("s.p12")).unwrap();
    keytool(
        directory.path(),
        "-changealias -keystore s.p12 -storepass changeit -alias a -destalias b",
        "0",
    );
    assert!(
        std::fs::symlink_metadata(directory.path().join("s.p12"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(
        std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing is left beside the store");
}

#[test]
fn a_file_is_read_and_written_by_the_same_command() {
    let directory = tempfile::tempdir().unwrap();
    keytool(directory.path(), MAKE, "0");
    keytool(
        directory.path(),
        "-certreq -keystore s.p12 -storepass changeit -alias a -file x",
        "0",
    );
    keytool(
        directory.path(),
        "-gencert -keystore s.p12 -storepass changeit -alias a -infile x -outfile x -rfc",
        "0",
    );
    let text = std::fs::read_to_string(directory.path().join("x")).unwrap();
    assert!(text.starts_with("-----BEGIN CERTIFICATE-----"), "{text}");
}

#[test]
fn no_arguments_and_bad_bytes_end_well() {
    use std::os::unix::ffi::OsStringExt;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("bad"),
        [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0xff, 0xff, 0xff],
    )
    .unwrap();
    for words in [
        vec![],
        vec![OsString::from_vec(vec![b'-', 0xff])],
        vec![
            "-list".into(),
            "-keystore".into(),
            OsString::from_vec(vec![0xff, 0xfe]),
        ],
        vec![
            "-list".into(),
            "-keystore".into(),
            "bad".into(),
            "-storepass".into(),
            "x".into(),
        ],
        vec!["-printcert".into(), "-file".into(), "bad".into()],
        vec!["-keysize".into(), "99999999999999999999".into()],
        vec![
            "-genkeypair".into(),
            "-ext".into(),
            "=".into(),
            "-keyalg".into(),
            "EC".into(),
            "-dname".into(),
            "+".into(),
        ],
    ] {
        let mut io = Io::in_memory(directory.path(), b"changeit\nchangeit\n");
        let code = compat::keytool(&words, &mut io);
        assert_eq!(code, u8::from(!words.is_empty()), "{words:?}");
    }
}
