//! Bad input as its user meets it: each case damages one thing of a small fleet (a hub and an agent, PEM files,
//! nothing runs), then says what the binary answers. No run may change a file outside `.capgrow`.

pub mod certificates;
mod fleet_file;
mod material;
mod places;
mod plans;
mod settings;
mod stores;
mod waivers;
mod windows;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::run;

/// A fleet directory whose processes were never started.
pub struct Fleet {
    dir: tempfile::TempDir,
}

/// What the lines of a run must say: `OUT` on stdout, `ERR` on stderr.
type Says<'a> = &'a [&'a str];

impl Fleet {
    /// A copy of one that is made once: its keys take time.
    pub fn new() -> Fleet {
        static MADE: OnceLock<Vec<(PathBuf, u32, Vec<u8>)>> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            let spec = lab::LabSpec {
                dir: dir.path().to_owned(),
                kind: lab::Kind::Generic,
                exe: PathBuf::from(env!("CARGO_BIN_EXE_capgrow")),
            };
            lab::create(&spec).unwrap();
            let mut all = BTreeMap::new();
            look(dir.path(), &mut all);
            let files = all.into_iter().filter(|(path, _)| path.is_file());
            let inside = |path: PathBuf| path.strip_prefix(dir.path()).unwrap().to_owned();
            files
                .map(|(path, (facts, bytes))| (inside(path), facts[0] as u32, bytes))
                .collect()
        });
        let dir = tempfile::tempdir().unwrap();
        for (name, mode, bytes) in made {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode)).unwrap();
        }
        Fleet { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file of the hub.
    fn hub(&self, name: &str) -> PathBuf {
        self.path("hosts/hub/srv/hub").join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Changes a text of capgrow.toml, which must be there.
    pub fn toml(&self, from: &str, to: &str) -> &Fleet {
        let text = self.read("capgrow.toml");
        assert!(text.contains(from), "{from} is not in\n{text}");
        self.write("capgrow.toml", text.replacen(from, to, 1));
        self
    }

    /// Adds lines to capgrow.toml.
    pub fn toml_more(&self, lines: &str) -> &Fleet {
        let text = self.read("capgrow.toml");
        self.write("capgrow.toml", format!("{text}\n{lines}\n"));
        self
    }

    /// Runs the binary; `DIGEST` among the words is the only plan there is.
    pub fn run(&self, words: &str) -> Ran {
        let words: Vec<String> = words
            .split_whitespace()
            .map(|word| match word {
                "DIGEST" => self.digest(),
                "PLAN" => self.plan().display().to_string(),
                other => other.to_owned(),
            })
            .collect();
        run(capgrow(self.dir.path()).args(words))
    }

    /// The file of the only plan.
    fn plan(&self) -> PathBuf {
        let mut plans: Vec<PathBuf> = std::fs::read_dir(self.path(".capgrow/plans"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(plans.len(), 1, "{plans:?}");
        plans.remove(0)
    }

    fn digest(&self) -> String {
        self.plan().file_stem().unwrap().to_string_lossy().into_owned()
    }

    /// One run: its exit code, what stdout and stderr hold (`! ` before a text = stderr), nothing changed,
    /// nothing unescaped.
    pub fn check(&self, words: &str, code: i32, says: Says<'_>) -> &Fleet {
        let before = self.tree();
        let ran = self.run(words);
        let all = format!(
            "capgrow {words}\n--- stdout\n{}--- stderr\n{}--- exit code {}",
            ran.stdout, ran.stderr, ran.code
        );
        assert_eq!(ran.code, code, "{all}");
        for text in says {
            let found = match text.strip_prefix("! ") {
                Some(text) => ran.stderr.contains(text),
                None => ran.stdout.contains(text),
            };
            assert!(found, "`{text}` was not said by {all}");
        }
        let hidden = |letter: char| letter.is_control() && letter != '\n';
        assert!(
            !ran.stdout.contains(hidden) && !ran.stderr.contains(hidden),
            "{all:?}"
        );
        if code == 2 {
            assert!(ran.stderr.contains("error: "), "{all}");
        }
        assert!(!ran.stderr.contains("panicked"), "{all}");
        let after = self.tree();
        let changed: Vec<&PathBuf> = before
            .keys()
            .chain(after.keys())
            .filter(|path| before.get(*path) != after.get(*path))
            .collect();
        assert!(changed.is_empty(), "{changed:?} changed by {all}");
        self
    }

    /// Everything but `.capgrow`: kind, mode, owner, size, time, links, content.
    fn tree(&self) -> BTreeMap<PathBuf, (Vec<i64>, Vec<u8>)> {
        let mut all = BTreeMap::new();
        look(self.dir.path(), &mut all);
        all
    }
}

fn look(dir: &Path, all: &mut BTreeMap<PathBuf, (Vec<i64>, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".capgrow") {
            continue;
        }
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let facts = vec![
            i64::from(metadata.mode()),
            i64::from(metadata.uid()),
            i64::from(metadata.gid()),
            metadata.nlink() as i64,
            metadata.ino() as i64,
        ];
        if metadata.is_dir() {
            look(&path, all);
            all.insert(path, (facts, Vec::new()));
            continue;
        }
        let mut facts = facts;
        facts.extend([metadata.mtime(), metadata.mtime_nsec()]);
        let content = if metadata.is_file() {
            std::fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        all.insert(path, (facts, content));
    }
}

/// Runs a program of the system; false where it is not there or says no.
fn program(words: &[&std::ffi::OsStr]) -> bool {
    Command::new(words[0])
        .args(&words[1..])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Whether permissions mean nothing to who runs this test.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
