//! What makes a crash harmless: every unfinished set becomes wholly old or wholly new, whatever the disk shows.
//!
//! A set goes forward when part of it is new and the rest lies whole under its temporary names; else it goes back to
//! the backups, in reverse order. A file that is neither old nor new was changed by somebody else: it is never
//! touched. If its temporary file is still there, the set had not reached it and the others go back; else nobody can
//! know what its writer started from, and a person has to decide.

use crate::digest::Sha256;
use crate::journal::{Journal, JournalError};
use crate::log::{Intended, Intent, Record, SetId, State};
use crate::machine::{Hosts, IoError, Kind, Machine, Metadata};
use crate::replace::{Direction, MAX_FILE_BYTES, ReplaceError, old_bytes, parent, temp_path, turn};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Settles every unfinished set of a run, the newest first. Nothing unfinished: nothing happens. Running it again
/// after a crash, or after success, ends in the same state.
///
/// # Errors
/// `NoHost` — a set's host is not among `hosts`. `Replace` — a backup is damaged, or a file cannot be read or
/// written; what was settled before stays so.
pub fn recover(hosts: &Hosts<'_>, journal: &mut Journal<'_>) -> Result<Vec<Recovered>, RecoverError> {
    let unfinished: Vec<Intent> = journal.unfinished().into_iter().cloned().collect();
    let mut recovered = Vec::new();
    for intent in unfinished.into_iter().rev() {
        let machine = *hosts.get(&intent.host).ok_or_else(|| RecoverError::NoHost {
            host: intent.host.clone(),
        })?;
        let fate = settle(machine, journal, &intent)?;
        recovered.push(Recovered {
            set: intent.set,
            step: intent.step,
            host: intent.host,
            fate,
        });
    }
    Ok(recovered)
}

/// What became of an unfinished set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Which set.
    pub set: SetId,
    /// Its step.
    pub step: String,
    /// Its host.
    pub host: String,
    /// What became of it.
    pub fate: Fate,
}

/// The ways a recovery ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Nothing was changed and the set stays unfinished: these files have foreign content, and a person has to
    /// decide.
    Blocked {
        /// The files.
        foreign: Vec<PathBuf>,
    },
    /// All files are new.
    Finished,
    /// All files are old, except those that somebody else changed meanwhile.
    RolledBack {
        /// The exceptions, left as they are.
        kept: Vec<PathBuf>,
    },
}

/// A recovery that could not end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// The journal took no record.
    #[error("the recovery could not be recorded")]
    Journal(#[from] JournalError),
    /// A host of the journal is not known.
    #[error("the journal names host {host}, which is not known here")]
    NoHost {
        /// Its name.
        host: String,
    },
    /// A file or backup could not be read or written.
    #[error("files of an unfinished change could not be restored")]
    Replace(#[from] ReplaceError),
}

/// Puts back the files of a set that failed in this very process.
pub(crate) fn roll_back(
    machine: &dyn Machine,
    journal: &mut Journal<'_>,
    intent: &Intent,
) -> Result<(), RecoverError> {
    let seen = look_at(machine, journal, intent)?;
    go_back(machine, journal, intent, &seen)?;
    Ok(())
}

fn settle(machine: &dyn Machine, journal: &mut Journal<'_>, intent: &Intent) -> Result<Fate, RecoverError> {
    let seen = look_at(machine, journal, intent)?;
    // After a mere kill a name may be seen that is not durable yet. It must be, before the next one changes: the order
    // of the set is kept on every disk that can be left over.
    sync_dirs(machine, intent).map_err(ReplaceError::Io)?;
    let begun = seen.iter().any(|seen| seen.now == Now::New);
    let foreign = unexplained(intent, &seen);
    if begun && !foreign.is_empty() {
        return Ok(Fate::Blocked { foreign });
    }
    let can_finish = seen.iter().all(|seen| match seen.now {
        Now::Foreign => false,
        Now::New => true,
        Now::Old => seen.staged,
    });
    if !(begun && can_finish) {
        let kept = go_back(machine, journal, intent, &seen)?;
        return Ok(Fate::RolledBack { kept });
    }
    for (index, (intended, seen)) in intent.changes.iter().zip(&seen).enumerate() {
        if seen.now == Now::Old {
            let temp = temp_path(journal, intent, index, Direction::Forward);
            if let State::File { .. } = intended.after {
                // It is whole to the eye; whether it was synced, a killed program cannot tell.
                machine.sync_file(&temp).map_err(ReplaceError::Io)?;
            }
            turn(machine, &intended.path, &intended.before, &intended.after, &temp)
                .map_err(ReplaceError::Io)?;
        }
    }
    clear_away(machine, journal, intent).map_err(ReplaceError::Io)?;
    journal.append(Record::Done {
        set: intent.set,
        at: journal.now(),
    })?;
    Ok(Fate::Finished)
}

/// Foreign files of which it cannot be shown that the set had not reached them.
///
/// Invariant: changes are made in order and put back in reverse order. So where an earlier one is old, or the new
/// file still lies under its temporary name, this one is not ours.
fn unexplained(intent: &Intent, seen: &[Seen]) -> Vec<PathBuf> {
    let mut earlier_is_old = false;
    let mut foreign = Vec::new();
    for (intended, seen) in intent.changes.iter().zip(seen) {
        let waiting = seen.staged && matches!(intended.after, State::File { .. });
        if seen.now == Now::Foreign && !waiting && !earlier_is_old {
            foreign.push(intended.path.clone());
        }
        earlier_is_old |= seen.now == Now::Old;
    }
    foreign
}

fn go_back(
    machine: &dyn Machine,
    journal: &mut Journal<'_>,
    intent: &Intent,
    seen: &[Seen],
) -> Result<Vec<PathBuf>, RecoverError> {
    let mut kept = Vec::new();
    for (index, (intended, seen)) in intent.changes.iter().zip(seen).enumerate().rev() {
        match seen.now {
            Now::Foreign => kept.push(intended.path.clone()),
            Now::New => match put_back(machine, journal, intent, index) {
                Err(ReplaceError::Io(error)) if error.reason.kind == ErrorKind::DirectoryNotEmpty => {
                    kept.push(intended.path.clone());
                }
                outcome => outcome?,
            },
            Now::Old => {}
        }
    }
    clear_away(machine, journal, intent).map_err(ReplaceError::Io)?;
    journal.append(Record::RolledBack {
        set: intent.set,
        kept: kept.clone(),
        at: journal.now(),
    })?;
    Ok(kept)
}

fn put_back(
    machine: &dyn Machine,
    journal: &Journal<'_>,
    intent: &Intent,
    index: usize,
) -> Result<(), ReplaceError> {
    let intended = &intent.changes[index];
    let temp = temp_path(journal, intent, index, Direction::Back);
    if let State::File { sha256, attributes } = &intended.before {
        let bytes = old_bytes(journal, intended, sha256)?;
        remove_if_there(machine, &temp)?;
        machine.write_new(&temp, &bytes, attributes)?;
        machine.sync_file(&temp)?;
    }
    if let State::Directory { .. } = &intended.after {
        for (other, inside) in intent.changes.iter().enumerate() {
            if parent(&inside.path) == intended.path {
                remove_if_there(machine, &temp_path(journal, intent, other, Direction::Forward))?;
            }
        }
    }
    Ok(turn(
        machine,
        &intended.path,
        &intended.after,
        &intended.before,
        &temp,
    )?)
}

/// Removes temporary files, durably.
fn clear_away(machine: &dyn Machine, journal: &Journal<'_>, intent: &Intent) -> Result<(), IoError> {
    for index in 0..intent.changes.len() {
        for way in [Direction::Back, Direction::Forward] {
            remove_if_there(machine, &temp_path(journal, intent, index, way))?;
        }
    }
    sync_dirs(machine, intent)
}

fn sync_dirs(machine: &dyn Machine, intent: &Intent) -> Result<(), IoError> {
    let dirs: BTreeSet<&Path> = intent
        .changes
        .iter()
        .map(|intended| parent(&intended.path))
        .collect();
    for dir in dirs {
        if look(machine, dir)?.is_some() {
            machine.sync_dir(dir)?;
        }
    }
    Ok(())
}

/// What a file of an unfinished set is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Foreign,
    New,
    Old,
}

struct Seen {
    now: Now,
    /// The new state could still be reached: nothing to stage, or it lies whole under its temporary name.
    staged: bool,
}

fn look_at(machine: &dyn Machine, journal: &Journal<'_>, intent: &Intent) -> Result<Vec<Seen>, ReplaceError> {
    let mut all = Vec::new();
    for (index, intended) in intent.changes.iter().enumerate() {
        let temp = temp_path(journal, intent, index, Direction::Forward);
        let staged = match &intended.after {
            State::File { .. } => fits(machine, &temp, &intended.after, Closeness::BytesAndAccess)?,
            State::Absent | State::Directory { .. } => true,
        };
        all.push(Seen {
            now: now(machine, intended)?,
            staged,
        });
    }
    Ok(all)
}

fn now(machine: &dyn Machine, intended: &Intended) -> Result<Now, IoError> {
    let closeness = match (&intended.before, &intended.after) {
        // Only the attributes change, so only they can tell.
        (State::File { sha256: before, .. }, State::File { sha256: after, .. }) if before == after => {
            Closeness::BytesAndAccess
        }
        _ => Closeness::Bytes,
    };
    if fits(machine, &intended.path, &intended.after, closeness)? {
        return Ok(Now::New);
    }
    let is_old = fits(machine, &intended.path, &intended.before, closeness)?;
    Ok(if is_old { Now::Old } else { Now::Foreign })
}

/// How much of a file has to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closeness {
    Bytes,
    BytesAndAccess,
}

fn fits(machine: &dyn Machine, path: &Path, wanted: &State, closeness: Closeness) -> Result<bool, IoError> {
    let Some(seen) = look(machine, path)? else {
        return Ok(matches!(wanted, State::Absent));
    };
    Ok(match (wanted, seen.kind) {
        (State::File { sha256, attributes }, Kind::File) => {
            (closeness == Closeness::Bytes || attributes.same_access(&seen.attributes))
                && seen.size_bytes <= MAX_FILE_BYTES
                && Sha256::of(&machine.read(path, MAX_FILE_BYTES)?) == *sha256
        }
        (State::Directory { .. }, Kind::Directory) => true,
        _ => false,
    })
}

/// As [`Machine::look`]; nothing lies in a directory that is not there.
fn look(machine: &dyn Machine, path: &Path) -> Result<Option<Metadata>, IoError> {
    machine.look(path).or_else(|e| {
        if e.reason.kind == ErrorKind::NotFound {
            Ok(None)
        } else {
            Err(e)
        }
    })
}

fn remove_if_there(machine: &dyn Machine, path: &Path) -> Result<(), IoError> {
    if look(machine, path)?.is_some() {
        machine.unlink(path)
    } else {
        Ok(())
    }
}
