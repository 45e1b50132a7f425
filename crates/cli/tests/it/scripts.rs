//! Runs of the binary as text: `cmd/*.txt`.
//!
//! ```text
//! # a comment
//! copy VECTOR NAME          a file of the keystore crate's vectors, mode 0600
//! write NAME TEXT           a file with this text (\n is a line end)
//! chmod MODE NAME           mkdir NAME, link TARGET NAME, fifo NAME
//! $ capgrow ARGUMENTS       a run in the directory of these files, its stdout, then
//! ! TEXT                    its stderr, and
//! ? CODE                    its exit code
//! ```
//! `[..]` in an expected line stands for any text. With `UPDATE_EXPECT=1` what was printed is written into the file.
//! No run may change a file that the script did not say it changes: every command here only looks.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use crate::corpus::capgrow;
use crate::corpus::copies;
use crate::corpus::run;

#[test]
fn every_script_prints_what_it_says() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd"));
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    let failed: Vec<String> = scripts.iter().filter_map(|script| check(script).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn check(script: &Path) -> Result<(), String> {
    let wanted = std::fs::read_to_string(script).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    let mut lines = wanted.lines().peekable();
    while let Some(line) = lines.next() {
        found.push(line.to_owned());
        let Some(arguments) = line.strip_prefix("$ capgrow ") else {
            prepare(dir.path(), line);
            continue;
        };
        let mut expected = Vec::new();
        while let Some(next) = lines.next_if(|next| !next.starts_with('?')) {
            expected.push(next);
        }
        let code = lines.next();
        let before = tree(dir.path());
        let ran = run(capgrow(dir.path()).args(arguments.split_whitespace()));
        assert_eq!(
            before,
            tree(dir.path()),
            "{}: {line} changed files",
            script.display()
        );
        let errors = ran.stderr.lines().map(|text| format!("! {text}"));
        let printed: Vec<String> = ran.stdout.lines().map(str::to_owned).chain(errors).collect();
        let fits = printed.len() == expected.len()
            && printed
                .iter()
                .zip(&expected)
                .all(|(text, pattern)| matches(text, pattern));
        found.extend(if fits {
            expected.iter().map(|text| (*text).to_owned()).collect()
        } else {
            printed
        });
        found.push(match code {
            Some(code) if code == format!("? {}", ran.code) => code.to_owned(),
            _ => format!("? {}", ran.code),
        });
    }
    let found = found.join("\n") + "\n";
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(script, found).unwrap();
        return Ok(());
    }
    Err(format!(
        "{}: expected\n{wanted}\nfound\n{found}",
        script.display()
    ))
}

/// One line that makes files.
fn prepare(dir: &Path, line: &str) {
    let words: Vec<&str> = line.splitn(3, ' ').collect();
    match words.as_slice() {
        [] | [""] | ["#", ..] => {}
        ["copy", vector, name] => {
            std::fs::copy(copies(vector), dir.join(name)).unwrap();
            chmod(&dir.join(name), 0o600);
        }
        ["write", name, text] => {
            std::fs::write(dir.join(name), text.replace("\\n", "\n")).unwrap();
            chmod(&dir.join(name), 0o600);
        }
        ["chmod", mode, name] => chmod(&dir.join(name), u32::from_str_radix(mode, 8).unwrap()),
        ["mkdir", name] => std::fs::create_dir(dir.join(name)).unwrap(),
        ["link", target, name] => std::os::unix::fs::symlink(target, dir.join(name)).unwrap(),
        ["fifo", name] => {
            let status = std::process::Command::new("mkfifo")
                .arg(dir.join(name))
                .status()
                .unwrap();
            assert!(status.success(), "mkfifo {name}");
        }
        _ => panic!("no such line: {line}"),
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether the text is the pattern, with `[..]` for anything.
fn matches(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Every file below, with mode and content; of what is no plain file its mode alone. What `inspect` keeps of what it saw
/// is the user's, not the directory's.
fn tree(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".cache") {
            continue;
        }
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_file() {
            std::fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        if metadata.is_dir() {
            files.extend(tree(&path));
        }
        files.insert(path, (metadata.permissions().mode(), content));
    }
    files
}
