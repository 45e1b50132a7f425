//! Which files are looked at: those named, and those below the directories named.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use crate::print::Failure;

/// One file to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it lies, as typed or below what was typed.
    pub path: PathBuf,
    /// Whether it was typed; a stranger found in a directory is no error.
    pub named: bool,
}

/// The files in order, and what could not be looked at.
///
/// Directories are read in the order of names. FIFOs, sockets and devices are never opened; a directory is entered
/// once, whatever links lead to it. Links come last, so that what they lead to is named by its own path where it lies
/// in one of the trees.
pub fn candidates(named: &[PathBuf]) -> (Vec<Candidate>, Vec<Failure>) {
    let mut walk = Walk {
        found: Vec::new(),
        failures: Vec::new(),
        seen: BTreeSet::new(),
        links: VecDeque::new(),
    };
    for path in named {
        walk.named(path);
    }
    while let Some(link) = walk.links.pop_front() {
        walk.below_or_file(link);
    }
    (walk.found, walk.failures)
}

struct Walk {
    found: Vec<Candidate>,
    failures: Vec<Failure>,
    seen: BTreeSet<(u64, u64)>,
    links: VecDeque<PathBuf>,
}

impl Walk {
    fn named(&mut self, path: &Path) {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.fail(format!("cannot look at {}", path.display()), error),
        };
        if metadata.is_dir() {
            if self.seen.insert((metadata.dev(), metadata.ino())) {
                self.below(path);
            }
        } else if metadata.is_file() {
            self.seen.insert((metadata.dev(), metadata.ino()));
            self.found.push(Candidate {
                path: path.to_owned(),
                named: true,
            });
        } else {
            self.failures.push(Failure {
                what: format!("{} is neither a file nor a directory", path.display()),
                hints: Vec::new(),
                source: None,
            });
        }
    }

    /// Breadth is bounded by the tree, depth by the worklist: no recursion.
    fn below(&mut self, top: &Path) {
        let mut open = vec![top.to_owned()];
        while let Some(dir) = open.pop() {
            let entries = match std::fs::read_dir(&dir) {
                Ok(entries) => entries,
                Err(error) => {
                    self.fail(format!("cannot read directory {}", dir.display()), error);
                    continue;
                }
            };
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            let mut inner = Vec::new();
            for path in paths {
                let Ok(metadata) = std::fs::symlink_metadata(&path) else {
                    continue;
                };
                let place = (metadata.dev(), metadata.ino());
                if metadata.is_symlink() {
                    self.links.push_back(path);
                } else if metadata.is_dir() && self.seen.insert(place) {
                    inner.push(path);
                } else if metadata.is_file() {
                    self.seen.insert(place);
                    self.found.push(Candidate { path, named: false });
                }
            }
            open.extend(inner.into_iter().rev());
        }
    }

    /// What a link leads to, unless it was seen; a link that leads nowhere is nothing to look at.
    fn below_or_file(&mut self, link: PathBuf) {
        let Ok(metadata) = std::fs::metadata(&link) else {
            return;
        };
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            return;
        }
        if metadata.is_dir() {
            self.below(&link);
        } else if metadata.is_file() {
            self.found.push(Candidate {
                path: link,
                named: false,
            });
        }
    }

    fn fail(&mut self, what: String, error: std::io::Error) {
        self.failures.push(Failure {
            what,
            hints: Vec::new(),
            source: Some(Box::new(error)),
        });
    }
}
