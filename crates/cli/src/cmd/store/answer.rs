//! What a command of `store` says that it did, for people and scripts.

use std::path::PathBuf;

use keystore::Entry;
use serde_json::Value;
use serde_json::json;

use super::Edited;
use super::commit::Output;
use crate::args::Args;
use crate::args::store::Keep;
use crate::cmd::inspect::hex;
use crate::print;

/// One thing done to one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub action: Action,
    /// The entry's name in the store, where it has one.
    pub alias: Option<String>,
    /// The name that it had before.
    pub was: Option<String>,
    /// `private-key`, `trusted-cert` …; empty where the whole store is meant.
    pub kind: &'static str,
    /// The fingerprint of its first certificate.
    pub sha256: Option<String>,
}

/// The things that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A new entry.
    Added,
    /// Nothing: it is as it should be.
    Kept,
    /// Another password.
    Password,
    /// No longer there.
    Removed,
    /// Another name.
    Renamed,
    /// Another content under its name.
    Replaced,
    /// The whole store in other algorithms.
    Rewritten,
    /// Copied into another file.
    Written,
}

impl Action {
    /// Whether the file has other bytes afterwards.
    pub fn changes(self) -> bool {
        self != Self::Kept
    }

    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Kept => "kept",
            Self::Password => "password",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Replaced => "replaced",
            Self::Rewritten => "rewritten",
            Self::Written => "written",
        }
    }
}

impl Line {
    /// About an entry of a store; `alias` as `inspect` shows it.
    pub fn about(action: Action, entry: &Entry, alias: Option<String>) -> Line {
        Line {
            action,
            alias,
            was: None,
            kind: entry.kind_name(),
            sha256: entry.certificates().first().map(|first| hex(&first.sha256())),
        }
    }

    /// About the whole store.
    pub fn whole(action: Action) -> Line {
        Line {
            action,
            alias: None,
            was: None,
            kind: "",
            sha256: None,
        }
    }

    /// Its JSON.
    pub fn value(&self) -> Value {
        json!({
            "action": self.action.word(), "alias": self.alias, "was": self.was,
            "kind": self.kind, "sha256": self.sha256,
        })
    }

    /// In words; what stands in quotes is escaped.
    pub fn text(&self) -> String {
        let mut text = match (&self.alias, self.kind) {
            (_, "") => return self.action.word().to_owned(),
            (Some(alias), kind) => format!("{} {kind} {alias:?}", self.action.word()),
            (None, kind) => format!("{} {kind}", self.action.word()),
        };
        if let Some(was) = &self.was {
            text.push_str(&format!(", was {was:?}"));
        }
        if let Some(sha256) = &self.sha256 {
            text.push_str(&format!(" ({})", &sha256[..16]));
        }
        text
    }
}

/// Prints the answer. `places` says which outputs belong to which store.
pub fn print(
    args: &Args,
    keep: &Keep,
    what: &'static str,
    edited: &[Edited],
    places: &[Vec<usize>],
    outputs: &[Output],
    backups: &[Option<PathBuf>],
) {
    if args.json || args.json_lines {
        let files: Vec<Value> = edited
            .iter()
            .zip(places)
            .map(|(one, own)| file(one, own, outputs, backups))
            .collect();
        let changed = !outputs.is_empty() && !keep.dry_run;
        let whole = json!({
            "version": 1, "command": what, "changed": changed, "dry_run": keep.dry_run, "files": files,
        });
        return if args.json_lines {
            print::json_line(&whole)
        } else {
            print::json(&whole)
        };
    }
    for (one, own) in edited.iter().zip(places) {
        let name = one.opened.path.display();
        for line in &one.lines {
            print::answer(&format!("{name}: {}", line.text()));
        }
        for note in &one.notes {
            print::answer(&format!("{name}: note: {note}"));
        }
        let would = if keep.dry_run {
            " (dry run: nothing was written)"
        } else {
            ""
        };
        if one.is_directory {
            // Its files are named below.
        } else if own.is_empty() {
            print::answer(&format!("{name}: nothing to change"));
        } else {
            print::answer(&format!(
                "{name}: {}, {} -> {} entries{would}",
                one.opened.store.format().name(),
                one.before,
                one.opened.store.entries().len()
            ));
        }
        for index in own {
            if outputs[*index].path != one.opened.path {
                print::answer(&format!("{}: written{would}", outputs[*index].path.display()));
            }
            if let Some(backup) = &backups[*index] {
                print::answer(&format!(
                    "{}: backup {}",
                    outputs[*index].path.display(),
                    backup.display()
                ));
            }
        }
    }
}

fn file(one: &Edited, own: &[usize], outputs: &[Output], backups: &[Option<PathBuf>]) -> Value {
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    let written: Vec<Value> = own
        .iter()
        .map(|index| {
            json!({ "path": path(&outputs[*index].path), "backup": backups[*index].as_ref().map(path),
                "sha256": exec::digest::Sha256::of(&outputs[*index].bytes).to_string() })
        })
        .collect();
    let backup = own.first().and_then(|index| backups[*index].as_ref()).map(path);
    json!({
        "path": path(&one.opened.path), "format": one.opened.store.format().name(),
        "changed": !own.is_empty(), "before": one.before, "after": after(one),
        "edits": one.lines.iter().map(Line::value).collect::<Vec<_>>(),
        "notes": one.notes, "backup": backup, "written": written,
    })
}

/// How many entries there are afterwards; a directory has one more for each file.
fn after(one: &Edited) -> usize {
    if one.is_directory {
        let added = one.lines.iter().filter(|line| line.action == Action::Added);
        one.before + added.count()
    } else {
        one.opened.store.entries().len()
    }
}
