//! What `inspect` keeps between two runs, and when it does not believe it.

use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use super::Files;
use crate::bad_input::certificates::Wanted;
use crate::bad_input::certificates::make;
use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::run;

/// A tree of stores and a home of its own for what is kept.
struct Tree {
    dir: tempfile::TempDir,
    files: Files,
}

impl Tree {
    fn new() -> Tree {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new().at(&dir.path().join("tree"));
        for (name, alias) in [("a.jks", "one"), ("b.p12", "two"), ("c.bks", "three")] {
            files.trust(name, &[(alias, "root"), ("more", "mid")]);
        }
        files.key_with("d.jks", &["leaf", "mid"]);
        files.key_with("e.kdb", &["leaf", "mid"]);
        files.stash("e.sth", "changeit");
        std::fs::write(dir.path().join("pw"), "changeit").unwrap();
        std::fs::write(dir.path().join("wrong"), "quite another").unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        Tree { dir, files }
    }

    fn inspect(&self, words: &str) -> Ran {
        let mut command = capgrow(self.dir.path());
        command.env("HOME", self.dir.path().join("home"));
        run(command.args(["inspect", "tree"]).args(words.split_whitespace()))
    }

    /// With what is kept and without: the same to the letter.
    #[track_caller]
    fn check(&self, words: &str) -> Ran {
        let kept = self.inspect(words);
        let anew = self.inspect(&format!("{words} --no-cache"));
        assert_eq!(kept.stdout, anew.stdout, "{words}");
        assert_eq!((kept.code, &kept.stderr), (anew.code, &anew.stderr), "{words}");
        kept
    }

    /// What was written last.
    fn kept(&self) -> PathBuf {
        let dir = self.dir.path().join("home/.cache/capgrow/inspect");
        let all = std::fs::read_dir(dir).unwrap().flatten();
        let last = all.max_by_key(|entry| entry.metadata().unwrap().modified().unwrap());
        last.unwrap().path()
    }

    /// Waits until the stash is so old that another write would give it another time.
    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(120));
    }
}

#[test]
fn a_repeat_says_the_same_with_any_password_and_in_any_form() {
    let tree = Tree::new();
    tree.settle();
    for words in [
        "--json",
        "--json",
        "",
        "--json-lines",
        "--json --password-file pw",
        "--json --password-file pw",
        "--json --password-file wrong",
        "--json --password-file wrong",
        "--json --key-password-file pw",
        "--json",
    ] {
        tree.check(words);
    }
    tree.inspect("--json --password-file pw");
    let before = std::fs::metadata(tree.kept()).unwrap().modified().unwrap();
    tree.inspect("--json --password-file pw");
    let after = std::fs::metadata(tree.kept()).unwrap().modified().unwrap();
    assert_eq!(before, after, "a run that finds everything writes nothing");
}

#[test]
fn what_is_kept_is_its_owners_only_and_holds_no_password() {
    let tree = Tree::new();
    tree.settle();
    tree.inspect("--password-file pw");
    let kept = tree.kept();
    assert_eq!(std::fs::metadata(&kept).unwrap().mode() & 0o777, 0o600);
    let text = String::from_utf8(std::fs::read(&kept).unwrap()).unwrap();
    let digest = fleet::snapshot::sha256_hex(b"changeit");
    for secret in ["changeit", "Y2hhbmdlaXQ", "6368616e67656974", digest.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("d.jks"));
}

#[test]
fn altered_content_is_seen_though_its_time_and_length_are_as_before() {
    let tree = Tree::new();
    tree.settle();
    tree.inspect("--json");
    for name in ["a.jks", "c.bks"] {
        let path = tree.dir.path().join("tree").join(name);
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(4).position(|window| window == b"more").unwrap();
        bytes[at..at + 4].copy_from_slice(b"evil");
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        let ran = tree.check("--json");
        assert!(ran.stdout.contains("evil"), "{name}");
    }
    let stash = tree.dir.path().join("tree/e.sth");
    std::fs::write(&stash, crate::made::stash("another!")).unwrap();
    let ran = tree.check("--json");
    assert!(ran.stdout.contains("stash-mismatch"), "{}", ran.stdout);
    std::fs::remove_file(&stash).unwrap();
    tree.check("--json");
    std::fs::set_permissions(
        tree.dir.path().join("tree/d.jks"),
        std::fs::Permissions::from_mode(0o604),
    )
    .unwrap();
    let ran = tree.check("--json");
    assert!(ran.stdout.contains("readable-by-others"), "{}", ran.stdout);
}

#[test]
fn a_damaged_or_foreign_cache_is_not_believed() {
    let tree = Tree::new();
    tree.settle();
    let right = tree.inspect("--json");
    let kept = tree.kept();
    let good = std::fs::read(&kept).unwrap();
    let mut seed = 7_u64;
    for round in 0..12 {
        let mut bytes = good.clone();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = (seed >> 20) as usize % bytes.len();
        match round % 4 {
            0 => bytes[at] ^= 1,
            1 => bytes.truncate(at),
            2 => bytes.splice(at..at, *b"\"expired\"").for_each(drop),
            // A certificate that it does not hold, in every line.
            _ => {
                bytes = String::from_utf8(bytes)
                    .unwrap()
                    .replace("CN=Root", "CN=Boot")
                    .into_bytes()
            }
        }
        write(&kept, &bytes);
        let ran = tree.inspect("--json");
        assert_eq!(ran.stdout, right.stdout, "seed 7, round {round}, byte {at}");
    }
    for bytes in [&b""[..], b"\0\0\0", &[0xff; 100]] {
        write(&kept, bytes);
        assert_eq!(tree.inspect("--json").stdout, right.stdout);
    }
    // Right to the last byte, but anybody could have written it.
    let text = String::from_utf8(good.clone()).unwrap();
    write(&kept, text.as_bytes());
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(tree.inspect("--json").stdout, right.stdout);
    // Another tree of the same names at another place.
    let other = Tree::new();
    other.files.trust("a.jks", &[("strange", "other root")]);
    other.settle();
    let wanted = other.inspect("--json");
    write(&other.kept(), &good);
    assert_eq!(other.inspect("--json").stdout, wanted.stdout);
}

#[test]
fn a_certificate_that_expires_between_two_runs_is_told_by_the_second() {
    let tree = Tree::new();
    let soon = make(
        &Wanted {
            valid: (-1, 0),
            seconds: 4,
            ..Wanted::default()
        },
        None,
    );
    std::fs::write(tree.dir.path().join("tree/soon.pem"), soon.pem()).unwrap();
    tree.settle();
    let first = tree.inspect("--json");
    assert!(
        first.stdout.contains("\"expires-soon\"") && !first.stdout.contains("\"expired\""),
        "{}",
        first.stdout
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while !tree.inspect("--json").stdout.contains("\"expired\"") {
        assert!(Instant::now() < deadline, "it never expired");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
