//! `capgrow inspect`: what is in files, and what is wrong with them.

mod across;
mod certificates;
pub mod document;
mod finding;
mod look;
mod rules;
mod show;
pub mod walk;

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use keystore::Password;

use self::finding::Finding;
use self::finding::Severity;
use self::look::Content;
use self::look::Looked;
use self::look::Sight;
use self::walk::Candidate;
use crate::Answer;
use crate::args::Args;
use crate::args::Inspect;
use crate::cmd::now;
use crate::passwords;
use crate::passwords::Given;
use crate::print;

/// Looks at every file, prints all, and says no where an error or a warning was found.
///
/// Fails where a file could not be looked at as asked: unreadable, unrecognised (when named), wrong password. What
/// could be seen is printed all the same, and every such file is named.
pub fn run(args: &Args, these: &Inspect) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let (candidates, mut failures) = walk::candidates(&these.files);
    let mut sights = look_at_all(&candidates, &given);
    if !args.json && !args.json_lines {
        ask_where_needed(&candidates, &given, &mut sights);
    }
    failures.extend(sights.iter_mut().filter_map(|sight| sight.failure.take()));
    let looked: Vec<&Looked> = sights.iter().filter_map(|sight| sight.looked.as_ref()).collect();
    let findings = all_findings(&looked);
    let negative = findings
        .iter()
        .flatten()
        .any(|finding| finding.severity != Severity::Note);
    if !looked.is_empty() || failures.is_empty() {
        if args.json_lines {
            looked
                .iter()
                .zip(&findings)
                .for_each(|(looked, own)| print::json_line(&document::file(looked, own)));
        } else if args.json {
            print::json(&document::whole(&looked, &findings));
        } else {
            show::files(&looked, &findings);
        }
    }
    if let Some(last) = failures.pop() {
        failures
            .into_iter()
            .for_each(|failure| print::error(&failure.into()));
        return Err(last.into());
    }
    Ok(if negative { Answer::No } else { Answer::Yes })
}

pub use certificates::is_authority;
pub use document::aliases;
pub use look::opens;
pub use look::product_stashes;
pub use look::read as read_file;

/// The passwords that lie beside a store: in the stash of its name, then in those of the product.
pub fn stashed_passwords(path: &Path) -> Vec<Password> {
    look::stash_of(path)
        .into_iter()
        .chain(product_stashes(path))
        .filter_map(|(_, password)| password.ok())
        .collect()
}

/// The password in the stash that belongs to this file by its name.
pub fn stashed_password(path: &Path) -> Option<Password> {
    look::stash_of(path).and_then(|(_, password)| password.ok())
}

/// Looks at the files on all cores; the answers are in the order of the files.
fn look_at_all(candidates: &[Candidate], given: &Given) -> Vec<Sight> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Sight)>> = Mutex::new(Vec::with_capacity(candidates.len()));
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(candidates.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(candidate) = candidates.get(index) else {
                        break;
                    };
                    let sight = look::look(candidate, given);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, sight));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, sight)| sight).collect()
}

/// At a terminal, asks for the password of a named store of which nothing can be seen without.
fn ask_where_needed(candidates: &[Candidate], given: &Given, sights: &mut [Sight]) {
    if given.store.is_some() {
        return;
    }
    for (candidate, sight) in candidates.iter().zip(sights) {
        let needs = candidate.named && sight.looked.as_ref().is_some_and(is_locked_away);
        let Some(typed) = needs
            .then(|| passwords::ask(&candidate.path.display().to_string()))
            .flatten()
        else {
            continue;
        };
        let key: Option<Password> = given.key.clone();
        *sight = look::look(
            candidate,
            &Given {
                store: Some(typed),
                key,
            },
        );
    }
}

fn is_locked_away(looked: &Looked) -> bool {
    match &looked.content {
        Content::Broken(error) => matches!(error, keystore::ParseError::NeedsPassword { .. }),
        Content::Store(store) => store
            .notes()
            .iter()
            .any(|note| matches!(note, keystore::Note::LockedPart { .. })),
        Content::Stash(_) => false,
    }
}

/// The findings of each file: its own, then those it has together with others.
fn all_findings(looked: &[&Looked]) -> Vec<Vec<Finding>> {
    let now = now();
    let mut findings: Vec<Vec<Finding>> = looked.iter().map(|looked| rules::findings(looked, now)).collect();
    for (index, finding) in across::findings(looked) {
        findings[index].push(finding);
    }
    findings
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first 8 bytes of a fingerprint.
fn short(sha256: &[u8; 32]) -> String {
    hex(&sha256[..8])
}
