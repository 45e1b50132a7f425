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

/// Flips, cuts and doubles bytes of files, and shows what is left: any answer will do, a panic will not.
#[test]
fn damaged_certificates_requests_lists_and_stores_end_with_an_answer() {
    let directory = tempfile::tempdir().unwrap();
    let at = "-storepass changeit -alias a";
    keytool(
        directory.path(),
        &format!(
            "-genkeypair -keystore s.jks -storetype JKS -keypass changeit {at} -keyalg EC -dname CN=a,O=b -ext bc:c=1 \
             -ext san=dns:x,ip:::1,uri:http://u,oid:1.2.3 -ext eku=sA,1.2.3 -ext aia=ocsp:uri:http://o -ext crl=uri:http://c \
             -ext ku=dS -ext 1.2.3.4=0500"
        ),
        "0",
    );
    keytool(
        directory.path(),
        &format!("-exportcert -keystore s.jks {at} -file c.der"),
        "0",
    );
    keytool(
        directory.path(),
        &format!("-certreq -keystore s.jks {at} -file c.csr -ext san=dns:x"),
        "0",
    );
    keytool(
        directory.path(),
        &format!("-gencrl -keystore s.jks {at} -id 5:1 -file c.crl"),
        "0",
    );
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut state = seed | 1;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    let files = [
        ("c.der", "-printcert -file m"),
        ("c.csr", "-printcertreq -file m"),
        ("c.crl", "-printcrl -file m -nowarn"),
        ("s.jks", "-list -v -keystore m"),
    ];
    for (name, line) in files {
        let sound = std::fs::read(directory.path().join(name)).unwrap();
        for _ in 0..700 {
            let mut bytes = sound.clone();
            for _ in 0..1 + below(3) {
                let place = below(bytes.len());
                match below(4) {
                    0 => bytes[place] ^= 1 << below(8),
                    1 => bytes[place] = [0, 0x7f, 0x80, 0xff, 0x30][below(5)],
                    2 => bytes.truncate(place.max(1)),
                    _ => bytes.insert(place, bytes[place]),
                }
            }
            std::fs::write(directory.path().join("m"), &bytes).unwrap();
            let mut io = Io::in_memory(directory.path(), b"\n");
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert!(compat::keytool(&words, &mut io) <= 1);
        }
    }
}
