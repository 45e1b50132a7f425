//! H-17: a key or password can be read by everybody.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::InputFile;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-17",
    title: "a key or password can be read by everybody",
    severity: Severity::Warning,
    stage: Stage::Stores,
    cause: "every user of the machine can take the private key, or the password that opens it",
    fix: "chmod 600 (or 640 with the service's group) on keys, stores and stashes",
    source: "domain specification R-056, C.6; domain specification H-17",
    states: &["permissions && are too open", "world readable"],
    hints: &[],
    explains: &[],
    find,
};

/// Where every file at hand is open to all, the modes are those of a copy: that is a note.
fn find(inputs: &Inputs) -> Vec<Finding> {
    let is_copy = inputs
        .files
        .iter()
        .all(|file| file.mode == 0 || file.mode & 0o044 != 0);
    inputs
        .files
        .iter()
        .filter(|file| file.mode & 0o004 != 0 && is_secret(inputs, file))
        .map(|file| {
            let evidence = Evidence::file(&file.path, format!("mode {:04o}", file.mode & 0o7777));
            let finding = Finding::proven(&RULE, &file.path, evidence);
            if is_copy {
                finding.at(Severity::Note)
            } else {
                finding
            }
        })
        .collect()
}

fn is_secret(inputs: &Inputs, file: &InputFile) -> bool {
    let is_stash = file.name().ends_with(".sth") || file.name().ends_with(".pwd");
    let clear = inputs
        .stores
        .iter()
        .filter(|store| store.file == file.path && store.is_loose())
        .flat_map(|store| store.keys())
        .any(|entry| entry.protection.as_deref().is_none_or(|words| words == "none"));
    is_stash || clear
}
