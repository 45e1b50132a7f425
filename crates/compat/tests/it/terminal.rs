//! Prompts at a pseudo-terminal: passwords are asked for, and not shown.

use std::process::Command;

/// Types `keys` at a terminal that runs keytool in `directory`; what the terminal showed, and the exit code.
fn typed(directory: &std::path::Path, args: &[&str], keys: &[(&str, &str)]) -> Option<(String, i32)> {
    let python = crate::program("python3")?;
    let links = crate::links();
    let output = Command::new(python)
        .arg("-c")
        .arg(DRIVER)
        .arg(links.path().join("keytool"))
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

/// Waits for each prompt, types its line, and prints what the terminal showed.
const DRIVER: &str = r#"
import os, pty, select, sys, time
program, script, args = sys.argv[1], sys.argv[2], sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.environ.clear()
    os.environ["TZ"] = "UTC"
    os.execv(program, ["keytool"] + args)
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
    time.sleep(0.15)
    os.write(terminal, keys.encode() + b"\n")
while read(time.time() + 30):
    pass
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
"#;
