//! Prompts at a pseudo-terminal: passwords are asked for, and not shown.

use std::process::Command;

/// Types `keys` at a terminal that runs keytool in `directory`; what the terminal showed, and the exit code.
fn typed(directory: &std::path::Path, args: &[&str], keys: &[(&str, &str)]) -> Option<(String, i32)> {
    typed_into("keytool", directory, args, keys)
}

/// The same for any of the front ends.
fn typed_into(
    program: &str,
    directory: &std::path::Path,
    args: &[&str],
    keys: &[(&str, &str)],
) -> Option<(String, i32)> {
    let python = crate::program("python3")?;
    let links = crate::links();
    let output = Command::new(python)
        .arg("-c")
        .arg(DRIVER)
        .arg(links.path().join(program))
        .arg(
            keys.iter()
                .map(|(prompt, line)| format!("{prompt}\t{line}"))
                .collect::<Vec<_>>()
                .join("\n"),
        )
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some((shown, output.status.code().unwrap()))
}

#[test]
fn a_new_store_gets_a_password_that_is_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let args = [
        "-genkeypair",
        "-keystore",
        "n.p12",
        "-alias",
        "a",
        "-keyalg",
        "EC",
        "-dname",
        "CN=a",
    ];
    let keys = [
        ("Enter keystore password:", "sesame1"),
        ("Re-enter new password:", "sesame2"),
        ("Enter keystore password:", "sesame1"),
        ("Re-enter new password:", "sesame1"),
    ];
    let Some((shown, code)) = typed(directory.path(), &args, &keys) else {
        return;
    };
    assert_eq!(
        shown,
        "Enter keystore password:  \nRe-enter new password: \nThey don't match. Try again\nEnter keystore password:  \n\
         Re-enter new password: \nGenerating 256 bit EC (secp256r1) key pair and self-signed certificate \
         (SHA256withECDSA) with a validity of 90 days\n\tfor: CN=a\n"
    );
    assert_eq!(code, 0);
    let bytes = std::fs::read(directory.path().join("n.p12")).unwrap();
    let password = keystore::Password::new("sesame1");
    assert!(keystore::read(&bytes, Some(&password), &keystore::Limits::default()).is_ok());
}

#[test]
fn answers_to_several_questions_are_each_taken() {
    let directory = tempfile::tempdir().unwrap();
    let make = [
        "-genkeypair",
        "-keystore",
        "n.jks",
        "-storetype",
        "JKS",
        "-alias",
        "a",
        "-keyalg",
        "EC",
    ];
    let keys = [
        ("Enter keystore password:", "sesame1"),
        ("Re-enter new password:", "sesame1"),
        ("[Unknown]:", "Jo Doe"),
        ("[Unknown]:", ""),
        ("[Unknown]:", "Acme"),
        ("[Unknown]:", ""),
        ("[Unknown]:", ""),
        ("[Unknown]:", "DE"),
        ("[no]:", "yes"),
        ("keystore password):", "sesame2"),
        ("Re-enter new password:", "sesame2"),
    ];
    let Some((shown, code)) = typed(directory.path(), &make, &keys) else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("Is CN=Jo Doe, OU=Unknown, O=Acme, L=Unknown, ST=Unknown, C=DE correct?"),
        "{shown}"
    );
    assert!(!shown.contains("sesame"), "{shown}");
    let bytes = std::fs::read(directory.path().join("n.jks")).unwrap();
    let store = keystore::read(
        &bytes,
        Some(&keystore::Password::new("sesame1")),
        &keystore::Limits::default(),
    )
    .unwrap();
    assert!(
        store.entries()[0]
            .unlock(Some(&keystore::Password::new("sesame2")))
            .is_ok()
    );
}

/// Each command that asks for something, one after the other on the same stores: `words | prompt=typed | …`.
#[test]
fn every_command_that_asks_takes_what_is_typed_and_shows_no_password() {
    let directory = tempfile::tempdir().unwrap();
    for line in [
        "keytool -genkeypair -keystore a.jks -storetype JKS -alias a -keyalg EC -dname CN=a -storepass sesame1 | as keystore password):=sesame2 | Re-enter new password:=sesame2",
        "keytool -genseckey -keystore a.jceks -storetype JCEKS -alias s -keyalg AES -keysize 128 | Enter keystore password:=sesame1 | Re-enter new password:=sesame1 | as keystore password):=",
        "keytool -importpass -keystore a.jceks -alias p | Enter keystore password:=sesame1 | password to be stored:=sesame9 | Re-enter password:=sesame9 | as keystore password):=",
        "keytool -list -keystore a.jks | Enter keystore password:=sesame1",
        "keytool -certreq -keystore a.jks -alias a -file a.csr | Enter keystore password:=sesame1 | Enter key password for <a>=sesame2",
        "keytool -gencert -keystore a.jks -alias a -infile a.csr -outfile a.crt | Enter keystore password:=sesame1 | Enter key password for <a>=sesame2",
        "keytool -exportcert -keystore a.jks -alias a -file own.crt | Enter keystore password:=sesame1",
        "keytool -importcert -keystore t.p12 -alias t -file own.crt | Enter keystore password:=sesame3 | Re-enter new password:=sesame3 | Trust this certificate? [no]:=yes",
        "keytool -keypasswd -keystore a.jks -alias a | Enter keystore password:=sesame1 | Enter key password for <a>=sesame2 | New key password for <a>:=sesame4 | Re-enter new key password for <a>:=sesame4",
        "keytool -changealias -keystore a.jks -alias a | Enter destination alias name:=b | Enter keystore password:=sesame1 | Enter key password for <a>=sesame4",
        "keytool -importkeystore -srckeystore a.jks -destkeystore c.p12 | destination keystore password:=sesame5 | Re-enter new password:=sesame5 | source keystore password:=sesame1 | Enter key password for <b>=sesame4",
        "keytool -storepasswd -keystore c.p12 | Enter keystore password:=sesame5 | New keystore password:=sesame6 | Re-enter new keystore password:=sesame6",
        "keytool -selfcert -keystore c.p12 -alias b | Enter keystore password:=sesame6",
        "keytool -gencrl -keystore c.p12 -alias b -id 1 -file c.crl | Enter keystore password:=sesame6",
        "keytool -keyclone -keystore c.p12 -alias b | Enter destination alias name:=d | Enter keystore password:=sesame6",
        "keytool -delete -keystore c.p12 | Enter alias name:=d | Enter keystore password:=sesame6",
        "runmqakm -keydb -create -db k.kdb | a password for=sesame7 | Enter it again:=sesame7",
        "runmqakm -keydb -stashpw -db k.kdb | Enter the password of=sesame7",
        "gsk8capicmd_64 -cert -create -db k.kdb -label x -dn CN=x -prompt | Enter the password of=sesame7",
        "gsk8capicmd_64 -cert -list -db k.kdb | Enter the password of=sesame7",
        "gsk8capicmd_64 -cert -export -db k.kdb -label x -target x.p12 -target_type p12 | Enter the password of=sesame7 | a password for=sesame8 | Enter it again:=sesame8",
        "gsk8capicmd_64 -cert -import -db x.p12 -label x -new_label y -target k.kdb | Enter the password of=sesame8 | Enter the password of=sesame7",
        "gsk8capicmd_64 -keydb -changepw -db k.kdb | Enter the password of=sesame7 | Enter the new password:=sesame8 | Enter it again:=sesame8",
    ] {
        let mut parts = line.split(" | ");
        let mut words = parts.next().unwrap().split(' ');
        let program = words.next().unwrap();
        let keys: Vec<(&str, &str)> = parts.map(|part| part.rsplit_once('=').unwrap()).collect();
        let words: Vec<&str> = words.collect();
        let Some((shown, code)) = typed_into(program, directory.path(), &words, &keys) else {
            return;
        };
        assert_eq!(code, 0, "{line}\n{shown}");
        assert!(!shown.contains("sesame"), "{line}\n{shown}");
    }
}

/// Waits for each prompt, types its line, and prints what the terminal showed.
const DRIVER: &str = r#"
import os, pty, select, sys, time
program, script, args = sys.argv[1], sys.argv[2], sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.environ.clear()
    os.environ["TZ"] = "UTC"
    os.execv(program, [program] + args)
seen, at = b"", 0
def read(deadline):
    global seen
    ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.time()))
    if not ready:
        raise SystemExit("nothing came: " + repr(seen))
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        piece = b""
    seen += piece
    return bool(piece)
for line in script.split("\n"):
    prompt, keys = line.split("\t")
    deadline = time.time() + 30
    while seen.find(prompt.encode(), at) < 0:
        if not read(deadline):
            break
    at = seen.find(prompt.encode(), at) + len(prompt)
    time.sleep(0.1)
    os.write(terminal, keys.encode() + b"\n")
while read(time.time() + 30):
    pass
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
"#;
