//! A host in memory, for tests: files by path, answers by command.

use std::collections::BTreeMap;

use crate::files::AskError;
use crate::files::FileEntry;
use crate::files::FileKind;
use crate::files::HostFiles;
use crate::files::ReadError;

pub(crate) struct MapFiles {
    pub(crate) host: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// By the words of the command, blanks between them.
    pub(crate) answers: BTreeMap<String, String>,
}

impl MapFiles {
    /// `== path` begins a file; what follows `$ command` is its answer.
    pub(crate) fn new(host: &str, text: &str) -> Self {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut answers: BTreeMap<String, String> = BTreeMap::new();
        let mut into: Option<(bool, String)> = None;
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("== ") {
                files.entry(path.to_owned()).or_default();
                into = Some((true, path.to_owned()));
            } else if let Some(command) = line.strip_prefix("$ ") {
                answers.entry(command.to_owned()).or_default();
                into = Some((false, command.to_owned()));
            } else if let Some((is_file, name)) = &into {
                if *is_file {
                    files
                        .entry(name.clone())
                        .or_default()
                        .extend(format!("{line}\n").bytes());
                } else {
                    answers
                        .entry(name.clone())
                        .or_default()
                        .push_str(&format!("{line}\n"));
                }
            }
        }
        MapFiles {
            host: host.to_owned(),
            files,
            answers,
        }
    }
}

impl HostFiles for MapFiles {
    fn host(&self) -> &str {
        &self.host
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.files.get(path).cloned().ok_or_else(|| ReadError::Absent {
            path: path.to_owned(),
        })
    }

    fn list(&self, dir: &str) -> Vec<FileEntry> {
        let prefix = format!("{}/", dir.trim_end_matches('/'));
        let mut entries: BTreeMap<String, FileKind> = BTreeMap::new();
        for path in self.files.keys() {
            let Some(rest) = path.strip_prefix(&prefix) else {
                continue;
            };
            match rest.split_once('/') {
                Some((name, _)) => entries.insert(name.to_owned(), FileKind::Directory),
                None => entries.insert(rest.to_owned(), FileKind::File),
            };
        }
        entries
            .into_iter()
            .map(|(name, kind)| FileEntry { name, kind })
            .collect()
    }

    fn ask(&self, _dir: &str, argv: &[&str]) -> Result<String, AskError> {
        let command = argv[0].to_owned();
        self.answers
            .get(&argv.join(" "))
            .cloned()
            .ok_or(AskError::Absent { command })
    }
}
