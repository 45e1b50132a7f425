//! The command line of GSKit: what each action does to the files, and what GSKit itself says of them where it is there.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use compat::Io;

/// Runs a line (words by blanks, `~` stands for a blank within a word); the exit code and stdout.
fn gskit(directory: &Path, line: &str) -> (u8, String) {
    let mut io = Io::in_memory(directory, b"").with_variable("TZ", "UTC");
    let words: Vec<OsString> = line
        .split(' ')
        .map(|word| word.replace('~', " ").into())
        .collect();
    let code = compat::run("runmqakm".as_ref(), &words, &mut io).unwrap();
    (code, String::from_utf8_lossy(io.written_out()).into_owned())
}

#[track_caller]
fn check(directory: &Path, line: &str, code: u8, shown: &str) {
    let (found, text) = gskit(directory, line);
    assert_eq!(found, code, "{line}\n{text}");
    assert!(text.contains(shown), "{line}\n{text}");
}

/// Runs lines that must succeed.
#[track_caller]
fn all_good(directory: &Path, lines: &[&str]) {
    for line in lines {
        check(directory, line, 0, "");
    }
}

#[track_caller]
fn rows(directory: &Path, line: &str, want: &[&str]) {
    let (code, text) = gskit(directory, line);
    assert_eq!(code, 0, "{text}");
    let found: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(found, want, "{text}");
}

const MAKE: &str = "-keydb -create -db k.kdb -pw secret1 -type cms -stash";
const LIST: &str = "-cert -list -db k.kdb -stashed";

/// An authority in `ca.kdb`, its certificate in `ca.pem`, and a database that trusts it.
fn with_authority() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    all_good(
        directory.path(),
        &[
            "-keydb -create -db ca.kdb -pw capass -stash",
            "-cert -create -db ca.kdb -stashed -label root -dn CN=Lab~Root,O=Acme,C=DE -ca true -ku keyCertSign,cRLSign",
            "-cert -extract -db ca.kdb -stashed -label root -target ca.pem -format ascii",
            MAKE,
            "-cert -add -db k.kdb -stashed -label Root -file ca.pem",
        ],
    );
    directory
}

#[test]
fn a_new_database_has_its_sisters_and_nobody_else_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    check(directory.path(), MAKE, 0, "");
    for (end, size) in [("kdb", 88), ("rdb", 88), ("crl", 88), ("sth", 193)] {
        let file = std::fs::metadata(directory.path().join(format!("k.{end}"))).unwrap();
        assert_eq!(
            (file.len(), file.permissions().mode() & 0o777),
            (size, 0o600),
            "{end}"
        );
    }
    check(
        directory.path(),
        MAKE,
        9,
        "CTGSK2009W The database already exists.",
    );
    check(directory.path(), LIST, 0, "No certificates were found.");
    check(
        directory.path(),
        "-cert -list -db k.kdb -pw wrong",
        16,
        "CTGSK2016W",
    );
    check(
        directory.path(),
        "-cert -list -db none.kdb -pw x",
        101,
        "CTGSK2101W",
    );
    all_good(
        directory.path(),
        &["-keydb -stashpw -db k.kdb -pw secret1 -v1stash", LIST],
    );
    assert_eq!(
        std::fs::metadata(directory.path().join("k.sth")).unwrap().len(),
        129
    );
    std::fs::remove_file(directory.path().join("k.sth")).unwrap();
    check(directory.path(), LIST, 103, "CTGSK2103W");
}

#[test]
fn labels_keep_their_case_and_lists_have_the_lines_that_scripts_cut() {
    let directory = with_authority();
    all_good(
        directory.path(),
        &[
            "-cert -create -db k.kdb -stashed -label qm1 -dn CN=one -sigalg SHA256WithECDSA -default_cert yes",
            "-cert -create -db k.kdb -stashed -label QM1 -dn CN=two -sigalg EC_ecdsa_with_SHA384",
            "-cert -rename -db k.kdb -stashed -label Root -new_label my~root",
        ],
    );
    let (_, text) = gskit(directory.path(), LIST);
    assert!(
        text.starts_with("Certificates found\n* default, - personal, ! trusted, # secret key\n"),
        "{text}"
    );
    rows(directory.path(), LIST, &["!\t\"my root\"", "*-\tqm1", "-\tQM1"]);
    let personal = LIST.replace("-list", "-list personal");
    rows(directory.path(), &personal, &["*-\tqm1", "-\tQM1"]);
    all_good(
        directory.path(),
        &["-cert -setdefault -db k.kdb -stashed -label QM1"],
    );
    check(
        directory.path(),
        "-cert -getdefault -db k.kdb -stashed",
        0,
        "Label : QM1\n",
    );
    check(
        directory.path(),
        "-cert -delete -db k.kdb -stashed -label Qm1",
        117,
        "CTGSK3029W The database doesn't contain an entry with label \"Qm1\".",
    );
    all_good(directory.path(), &["-cert -delete -db k.kdb -stashed -label qm1"]);
    rows(directory.path(), LIST, &["!\t\"my root\"", "*-\tQM1"]);
}

#[test]
fn details_show_each_line_of_a_certificate() {
    let directory = with_authority();
    let (code, text) = gskit(directory.path(), "-cert -details -db k.kdb -stashed -label Root");
    assert_eq!(code, 0);
    for line in [
        "Label : Root\nKey Size : 2048\nVersion : X509 V3\nSerial : ",
        "Issuer : \"CN=Lab Root,O=Acme,C=DE\"\nSubject : \"CN=Lab Root,O=Acme,C=DE\"\nNot Before : ",
        " GMT+00:00\n\nNot After : ",
        "\n\nPublic Key\n    30 82 01 22 30 0D 06 09 2A 86 48 86 F7 0D 01 01\n",
        "Public Key Type : RSA (1.2.840.113549.1.1.1)\nFingerprint : SHA1 : \n    ",
        "    key usage: keyCertSign, cRLSign\n        critical\n",
        "    basicConstraints\n        ca = true\n        critical\n",
        "Signature Algorithm : SHA256WithRSASignature (1.2.840.113549.1.1.11)\nValue\n    ",
        "\nTrust Status : Enabled\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    all_good(
        directory.path(),
        &["-cert -modify -db k.kdb -stashed -label Root -trust disable"],
    );
    check(
        directory.path(),
        "-cert -details -db k.kdb -stashed -label Root",
        0,
        "Trust Status : Disabled",
    );
    check(
        directory.path(),
        "-cert -details -file ca.pem",
        0,
        "Subject : \"CN=Lab Root,O=Acme,C=DE\"",
    );
}

#[test]
fn a_request_is_signed_received_and_valid() {
    let directory = with_authority();
    all_good(
        directory.path(),
        &[
            "-certreq -create -db k.kdb -stashed -label qm -dn CN=qm.example,O=Acme -size 2048 -file r.csr -san_dnsname qm.example",
            "-cert -sign -db ca.kdb -stashed -label root -file r.csr -target c.pem -expire 30 -preserve",
        ],
    );
    let text = std::fs::read_to_string(directory.path().join("r.csr")).unwrap();
    assert!(
        text.starts_with("-----BEGIN NEW CERTIFICATE REQUEST-----\n"),
        "{text}"
    );
    check(
        directory.path(),
        "-certreq -list -db k.kdb -stashed",
        0,
        "Certificates requests found\n\tqm\n",
    );
    check(
        directory.path(),
        "-certreq -details -db k.kdb -stashed -label qm",
        0,
        "Subject : CN=qm.example,O=Acme\n",
    );
    let strange = "-cert -receive -db ca.kdb -stashed -file c.pem";
    check(directory.path(), strange, 108, "CTGSK2108W");
    all_good(
        directory.path(),
        &["-cert -receive -db k.kdb -stashed -file c.pem -default_cert yes"],
    );
    rows(directory.path(), LIST, &["!\tRoot", "*-\tqm"]);
    check(
        directory.path(),
        "-certreq -list -db k.kdb -stashed",
        0,
        "No certificate requests were found.",
    );
    check(
        directory.path(),
        "-cert -validate -db k.kdb -stashed -label qm -keymatch",
        0,
        "OK\n",
    );
    check(
        directory.path(),
        "-cert -details -db k.kdb -stashed -label qm",
        0,
        "        dNSName: qm.example\n",
    );
    // Renewed: a new request with the same key, and the new certificate in the place of the old one.
    all_good(
        directory.path(),
        &[
            "-certreq -recreate -db k.kdb -stashed -label qm -target r2.csr",
            "-cert -sign -db ca.kdb -stashed -label root -file r2.csr -target c2.pem -expire 60",
            "-cert -receive -db k.kdb -stashed -file c2.pem",
        ],
    );
    rows(directory.path(), LIST, &["!\tRoot", "*-\tqm"]);
}

#[test]
fn a_certificate_without_its_chain_is_taken_and_said() {
    let directory = with_authority();
    all_good(
        directory.path(),
        &[
            "-cert -delete -db k.kdb -stashed -label Root",
            "-certreq -create -db k.kdb -stashed -label qm -dn CN=qm -sigalg SHA256WithECDSA -file r.csr",
            "-cert -sign -db ca.kdb -stashed -label root -file r.csr -target c.der -format binary",
        ],
    );
    let (code, text) = gskit(
        directory.path(),
        "-cert -receive -db k.kdb -stashed -file c.der -format binary",
    );
    assert_eq!(code, 146, "{text}");
    for word in [
        "CTGSK2146W",
        "CTGSK2043W",
        "GSKKM_VALIDATIONFAIL_SUBJECT: [Class=]GSKVALMethod::PKIX[Issuer=]",
    ] {
        assert!(text.contains(word), "{text}");
    }
    rows(directory.path(), LIST, &["-\tqm"]);
    check(
        directory.path(),
        "-cert -validate -db k.kdb -stashed -label qm",
        146,
        "CTGSK2050W",
    );
}

#[test]
fn an_identity_goes_to_pkcs12_and_back_with_its_chain() {
    let directory = with_authority();
    all_good(
        directory.path(),
        &[
            "-certreq -create -db k.kdb -stashed -label qm -dn CN=qm -file r.csr",
            "-cert -sign -db ca.kdb -stashed -label root -file r.csr -target c.pem",
            "-cert -receive -db k.kdb -stashed -file c.pem",
            "-cert -export -db k.kdb -stashed -label qm -target qm.p12 -target_pw other1 -target_type pkcs12",
            "-keydb -create -db n.kdb -pw third1 -stash",
            "-cert -import -db qm.p12 -pw other1 -label qm -new_label moved -target n.kdb -target_stashed",
        ],
    );
    rows(
        directory.path(),
        "-cert -list -db n.kdb -pw third1",
        &["-\tmoved", "!\t\"CN=Lab Root,O=Acme,C=DE\""],
    );
    check(
        directory.path(),
        "-cert -validate -db n.kdb -pw third1 -label moved -keymatch",
        0,
        "OK",
    );
    all_good(
        directory.path(),
        &["-keydb -convert -db qm.p12 -pw other1 -old_format pkcs12 -target v.kdb -new_format cms -stash"],
    );
    check(
        directory.path(),
        "-cert -validate -db v.kdb -stashed -label qm -keymatch",
        0,
        "OK",
    );
    if crate::program("openssl").is_some() {
        let out = Command::new("openssl")
            .args([
                "pkcs12",
                "-in",
                "qm.p12",
                "-passin",
                "pass:other1",
                "-nodes",
                "-legacy",
            ])
            .current_dir(directory.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2, "{text}");
        assert!(text.contains("PRIVATE KEY"));
    }
}

#[test]
fn a_changed_password_holds_for_all_files_and_passwords_run_out() {
    let directory = with_authority();
    all_good(
        directory.path(),
        &[
            "-certreq -create -db k.kdb -stashed -label qm -dn CN=qm -sigalg SHA256WithECDSA -file r.csr",
            "-keydb -changepw -db k.kdb -pw secret1 -new_pw secret2 -stash -expire 10",
            "-certreq -list -db k.kdb -stashed",
            "-cert -list -db k.kdb -pw secret2",
        ],
    );
    check(
        directory.path(),
        "-cert -list -db k.kdb -pw secret1",
        16,
        "CTGSK2016W",
    );
    check(
        directory.path(),
        "-keydb -changepw -db k.kdb -stashed -new_pw secret2",
        104,
        "CTGSK2104W",
    );
    check(
        directory.path(),
        "-keydb -expiry -db k.kdb -stashed",
        0,
        "GMT+00:00",
    );
    check(
        directory.path(),
        "-keydb -create -db s.kdb -pw short -strong",
        130,
        "CTGSK2130W",
    );
    all_good(directory.path(), &["-keydb -delete -db k.kdb -stashed"]);
    let left = std::fs::read_dir(directory.path()).unwrap();
    let left = left.filter(|file| {
        file.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("k.")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn what_is_wrong_or_not_offered_is_said_with_a_code() {
    let directory = with_authority();
    let before = std::fs::read(directory.path().join("k.kdb")).unwrap();
    for (line, code, shown) in [
        (
            "-keydb",
            1,
            "CTGSK3000W An action must be specified for this object.\n-Command usage-\nObject      Action      Description\n",
        ),
        ("", 80, "CTGSK2080W"),
        ("-cert -list -db k.kdb -stashed -nonsense", 80, "-nonsense"),
        (
            "-cert -add -db k.kdb -stashed -file ca.pem -label again",
            25,
            "CTGSK2025W",
        ),
        ("-cert -add -db k.kdb -stashed -file none.pem", 89, "CTGSK3026W"),
        ("-cert -add -db k.kdb -stashed -file k.kdb", 2, "CTGSK2002W"),
        (
            "-cert -create -db k.kdb -stashed -label Root -dn CN=x",
            29,
            "CTGSK2029W",
        ),
        (
            "-cert -create -db k.kdb -stashed -label x -dn nonsense",
            116,
            "CTGSK2116W",
        ),
        (
            "-cert -create -db k.kdb -stashed -label x -dn CN=x -size 100",
            41,
            "CTGSK2041W",
        ),
        (
            "-cert -create -db k.kdb -stashed -label x -dn CN=x -sigalg ROT13",
            133,
            "CTGSK2133W",
        ),
        (
            "-cert -create -db k.kdb -stashed -label x -dn CN=x -expire 9999",
            129,
            "CTGSK2129W",
        ),
        (
            "-secretkey -create -db k.kdb -stashed -label x -size 15",
            67,
            "16, 24 or 32 is needed",
        ),
        (
            "-cert -list -crypto lib.so -tokenlabel x -pw y",
            1,
            "is not offered",
        ),
        ("-keydb -create -db k.kdb -pw x -type pkcs11", 9, "CTGSK2009W"),
    ] {
        check(directory.path(), line, code, shown);
    }
    assert_eq!(std::fs::read(directory.path().join("k.kdb")).unwrap(), before);
    let held = std::fs::File::open(directory.path().join("k.kdb")).unwrap();
    held.lock().unwrap();
    let line = "-cert -delete -db k.kdb -stashed -label Root";
    check(directory.path(), line, 6, "is being written by another program");
    drop(held);
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(directory.path().join("k.kdb"), mode).unwrap();
    all_good(directory.path(), &[line]);
    let file = std::fs::metadata(directory.path().join("k.kdb")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o640, "a store keeps its mode");
}

#[test]
fn a_link_of_each_name_works_without_any_other_program() {
    let directory = tempfile::tempdir().unwrap();
    let links = crate::links();
    for name in [
        "gsk8capicmd",
        "gsk8capicmd_64",
        "gskcapicmd",
        "runmqakm",
        "runmqckm",
    ] {
        let db = format!("{name}.kdb");
        let out = Command::new(links.path().join(name))
            .args(["-keydb", "-create", "-db", &db, "-pw", "secret1", "-stash"])
            .current_dir(directory.path())
            .env_clear()
            .output()
            .unwrap();
        assert!(out.status.success(), "{name}");
        let out = Command::new(links.path().join(name))
            .args(["-cert", "-list", "-db", &db, "-stashed"])
            .current_dir(directory.path())
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&out.stdout),
            "No certificates were found.\n"
        );
    }
}

/// GSKit opens what these commands wrote, trusts the authority that they added, and presents the key that they made.
#[test]
fn gskit_itself_takes_a_database_made_by_these_commands() {
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let environment = match std::env::var_os("CAPGROW_GSKIT_ORACLE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/gskit-oracle"),
    };
    let program = shared.join("oracle/gskit.py");
    if !program.exists() || !environment.join("bin/python").exists() {
        println!("SKIPPED: no GSKit (set CAPGROW_GSKIT_ORACLE to a Python environment with ibm_db)");
        return;
    }
    if crate::program("openssl").is_none() {
        return;
    }
    let directory = with_authority();
    let server =
        "-certreq -create -db ca.kdb -stashed -label server -dn CN=server -san_dnsname localhost -file s.csr";
    all_good(
        directory.path(),
        &[
            "-certreq -create -db k.kdb -stashed -label qm -dn CN=client~made~here -size 2048 -file r.csr",
            "-cert -sign -db ca.kdb -stashed -label root -file r.csr -target c.pem",
            "-cert -receive -db k.kdb -stashed -file c.pem -default_cert yes",
            "-secretkey -create -db k.kdb -stashed -label aes -size 32",
            server,
            "-cert -sign -db ca.kdb -stashed -label root -file s.csr -target s.pem",
            "-cert -receive -db ca.kdb -stashed -file s.pem",
            "-cert -export -db ca.kdb -stashed -label server -target s.p12 -target_pw other1",
        ],
    );
    let made = Command::new("openssl")
        .args([
            "pkcs12",
            "-in",
            "s.p12",
            "-passin",
            "pass:other1",
            "-nodes",
            "-legacy",
            "-nocerts",
            "-out",
            "s.key",
        ])
        .current_dir(directory.path())
        .status()
        .unwrap();
    assert!(made.success());
    let chain = ["s.pem", "ca.pem"].map(|name| std::fs::read_to_string(directory.path().join(name)).unwrap());
    std::fs::write(directory.path().join("chain.pem"), chain.concat()).unwrap();
    let ask = || {
        let out = Command::new("python3")
            .arg(&program)
            .arg("--venv")
            .arg(&environment)
            .args([
                "--kdb",
                "k.kdb",
                "--sth",
                "k.sth",
                "--chain",
                "chain.pem",
                "--key",
                "s.key",
                "--ask-client",
            ])
            .current_dir(directory.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&out.stderr).into_owned();
        let answer: serde_json::Value =
            serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{errors}"));
        answer
    };
    let answer = ask();
    assert_eq!(answer["verdict"], "handshake ok", "{answer}");
    let presented = answer["client_subject"].as_str().unwrap_or_default();
    assert!(presented.contains("client made here"), "{answer}");
    all_good(
        directory.path(),
        &["-cert -modify -db k.kdb -stashed -label Root -trust disable"],
    );
    assert_eq!(ask()["verdict"], "chain rejected");
    all_good(
        directory.path(),
        &["-keydb -changepw -db k.kdb -stashed -new_pw another1"],
    );
    assert_eq!(ask()["verdict"], "bad password", "the stash is the old one");
}
