//! New bytes into their places: all files of a command or none, with the old bytes kept.
//!
//! It is the executor's own way of replacing files, so a command that is killed in between is taken back or finished by
//! the next one. The journal and the old bytes lie below the directory of edits, never among the product's files.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use agent::OsMachine;
use exec::digest::Sha256;
use exec::journal::Journal;
use exec::journal::RunId;
use exec::log::Record;
use exec::machine::Attributes;
use exec::machine::Hosts;
use exec::machine::Machine;
use exec::machine::Obstacle;
use exec::replace::AttributeSource;
use exec::replace::Change;
use exec::replace::FileSet;

use super::open::failed;
use crate::args::Args;
use crate::args::store::Keep;
use crate::carry::own_machine;
use crate::document;
use crate::fleet_dir;
use crate::print;
use crate::print::Failure;
use crate::runs;

/// One file as it shall be.
pub struct Output {
    /// As typed.
    pub path: PathBuf,
    /// What lies there now, by its digest; `None`: nothing.
    pub was: Option<Sha256>,
    /// What shall lie there.
    pub bytes: Vec<u8>,
    /// Who may read it.
    pub access: Access,
}

/// Who may read a file afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As the file that is replaced; a new one is its owner's only.
    Keep,
    /// Its owner only, whoever could before: there is a key in it now and was none.
    Private,
    /// A new file may be read as the umask allows.
    Public,
}

/// Puts all files in their places. The answer names the backup of each, where there is one.
///
/// # Errors
/// Whatever stands in the way of any file; all files are then as they were.
pub fn commit(
    args: &Args,
    keep: &Keep,
    what: &str,
    outputs: &[Output],
) -> anyhow::Result<Vec<Option<PathBuf>>> {
    if outputs.is_empty() || keep.dry_run {
        return Ok(outputs.iter().map(|_| None).collect());
    }
    let machine = own_machine();
    let set = FileSet {
        step: format!("store {what}"),
        host: HERE.to_owned(),
        changes: changes(&machine, outputs)?,
        reverses: None,
    };
    let edits = edits(args, keep)?;
    let _lock = lock(&edits)?;
    settle(&machine, &edits);
    let run = runs::fresh_id()?;
    let mut journal =
        Journal::create(&machine, &edits, run.clone()).map_err(|error| unusable(&edits, &error))?;
    let set = exec::replace::apply(&machine, &mut journal, &set).map_err(|error| Failure {
        what: "nothing was changed".to_owned(),
        hints: vec!["type the same again when what stands in the way is gone".to_owned()],
        source: Some(Box::new(error)),
    })?;
    journal.append(Record::Finished {
        outcome: "done".to_owned(),
        at: machine.now(),
    })?;
    let place = edits.join(run.as_str());
    if keep.no_backup {
        remove(&place);
        return Ok(outputs.iter().map(|_| None).collect());
    }
    let intent = journal.intent(set);
    let backups = intent.into_iter().flat_map(|intent| &intent.changes);
    Ok(backups
        .map(|change| {
            change
                .backup
                .as_ref()
                .map(|name| place.join("backups").join(name))
        })
        .collect())
}

/// Where journals and backups of edits by hand lie: as named, in the fleet directory, or the user's own.
fn edits(args: &Args, keep: &Keep) -> anyhow::Result<PathBuf> {
    let place = match (&keep.backup_dir, fleet_dir::find(args)) {
        (Some(dir), _) => std::path::absolute(dir)?,
        (None, Ok(fleet)) => fleet.join(".capgrow/edits"),
        (None, Err(_)) => match (state_dir(), keep.no_backup) {
            (Some(state), _) => state.join("capgrow/edits"),
            (None, true) => own_temporary()?,
            (None, false) => {
                return Err(print::failure(
                    "there is no place for backups: neither XDG_STATE_HOME nor HOME is set",
                    "--backup-dir DIR, or --no-backup",
                ));
            }
        },
    };
    document::private_dir(&place).map_err(|error| {
        error.context(Failure {
            what: "no backup can be kept".to_owned(),
            hints: vec!["--backup-dir DIR, or --no-backup".to_owned()],
            source: None,
        })
    })?;
    // The executor follows no links, and the way to a home directory may have some.
    Ok(std::fs::canonicalize(&place)?)
}

/// A directory below the common one for temporary files, where others may have put something under its name.
fn own_temporary() -> anyhow::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let place = std::env::temp_dir().join(format!("capgrow-edits-{user}"));
    document::private_dir(&place)?;
    let found = std::fs::symlink_metadata(&place)?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0 {
        return Ok(place);
    }
    Err(print::failure(
        format!("{}: somebody else's, or open to others", place.display()),
        "remove it, or set XDG_STATE_HOME to a directory of your own",
    ))
}

fn state_dir() -> Option<PathBuf> {
    let named = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")))
}

fn unusable(edits: &Path, error: &dyn std::error::Error) -> Failure {
    failed(
        edits,
        &fleet::rotation::chain_of(error),
        "the directory of backups must be writable: --backup-dir DIR names another",
    )
}

/// One edit at a time: the journal of a second one might be taken for that of one that was killed.
fn lock(edits: &Path) -> anyhow::Result<File> {
    let path = edits.join("lock");
    let deadline = Instant::now() + PATIENCE;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| unusable(&path, &error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => {
                return Err(failed(
                    &path,
                    &format!("another edit of stores is under way: {error}"),
                    "wait until it has ended, then type the same again",
                )
                .into());
            }
        }
    }
}

/// Finishes or takes back what a killed edit left; what cannot be settled is told and left.
fn settle(machine: &OsMachine, edits: &Path) {
    let Ok(entries) = std::fs::read_dir(edits) else {
        return;
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    for run in names.iter().filter_map(|name| RunId::parse(name)) {
        let Ok(records) = Journal::read(machine, edits, &run) else {
            continue;
        };
        if records.is_empty() || matches!(records.last(), Some(Record::Finished { .. })) {
            continue;
        }
        let hosts: Hosts<'_> = [(HERE.to_owned(), machine as &dyn Machine)].into();
        let outcome = Journal::open(machine, edits, run.clone())
            .map_err(|error| fleet::rotation::chain_of(&error))
            .and_then(|(mut journal, _)| {
                let recovered = exec::recover::recover(&hosts, &mut journal)
                    .map_err(|error| fleet::rotation::chain_of(&error))?;
                for one in &recovered {
                    print::line(&format!(
                        "capgrow: warning: an earlier `{}` was interrupted: {}",
                        one.step,
                        words(&one.fate)
                    ));
                }
                journal
                    .append(Record::Finished {
                        outcome: "recovered".to_owned(),
                        at: machine.now(),
                    })
                    .map_err(|error| fleet::rotation::chain_of(&error))
            });
        if let Err(why) = outcome {
            print::line(&format!(
                "capgrow: warning: what an interrupted edit left in {} cannot be settled: {why}",
                edits.join(run.as_str()).display()
            ));
        }
    }
}

fn words(fate: &exec::recover::Fate) -> String {
    use exec::recover::Fate;
    match fate {
        Fate::Finished => "it was finished".to_owned(),
        Fate::RolledBack { kept } if kept.is_empty() => "it was taken back".to_owned(),
        Fate::RolledBack { kept } | Fate::Blocked { foreign: kept } => {
            let paths: Vec<String> = kept.iter().map(|path| path.display().to_string()).collect();
            format!("left as somebody else changed them: {}", paths.join(", "))
        }
    }
}

fn changes(machine: &OsMachine, outputs: &[Output]) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut obstacles: Vec<Failure> = Vec::new();
    for output in outputs {
        let path = std::path::absolute(&output.path)?;
        let found = machine.preflight(&path, output.bytes.len() as u64);
        obstacles.extend(found.iter().map(|obstacle| blocked(&output.path, obstacle)));
        let bytes = output.bytes.clone();
        let attributes = attributes(machine, &path, output)?;
        changes.push(match output.was {
            Some(expected) => Change::Replace {
                path,
                expected,
                bytes,
                attributes,
            },
            None => Change::Create {
                path,
                bytes,
                attributes,
            },
        });
    }
    match obstacles.pop() {
        None => Ok(changes),
        Some(last) => {
            obstacles
                .into_iter()
                .for_each(|failure| print::error(&failure.into()));
            Err(last.into())
        }
    }
}

fn blocked(path: &Path, obstacle: &Obstacle) -> Failure {
    let hint = match obstacle {
        Obstacle::HardLink { .. } => {
            "give each name a file of its own, or convert it to another place with --out"
        }
        _ => "nothing was changed; type the same again when this is out of the way",
    };
    failed(path, &fleet::rotation::chain_of(obstacle), hint)
}

fn attributes(machine: &OsMachine, path: &Path, output: &Output) -> anyhow::Result<AttributeSource> {
    let exactly = |mode: u32| {
        AttributeSource::Exactly(Attributes {
            mode,
            ..Attributes::private()
        })
    };
    Ok(match (output.was.is_some(), output.access) {
        (true, Access::Keep | Access::Public) => AttributeSource::Original,
        (true, Access::Private) => {
            let place = machine.resolve(path)?;
            let mut attributes = machine
                .look(&place)?
                .map_or_else(Attributes::private, |found| found.attributes);
            attributes.mode &= 0o600;
            attributes.mtime = None;
            // An access list could let others in beside the mode.
            attributes.xattrs.remove(b"system.posix_acl_access".as_slice());
            AttributeSource::Exactly(attributes)
        }
        (false, Access::Public) => exactly(0o666 & !umask()),
        (false, _) => exactly(0o600),
    })
}

/// The process's umask, by setting it and setting it back; no other thread makes files now.
fn umask() -> u32 {
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(old);
    old.as_raw_mode() & 0o777
}

/// Takes away the journal and backups of an edit that is done and shall leave none.
fn remove(place: &Path) {
    if let Err(error) = std::fs::remove_dir_all(place) {
        print::line(&format!(
            "capgrow: warning: cannot remove {}: {error}",
            place.display()
        ));
    }
}

/// The one host of an edit by hand.
const HERE: &str = "here";
const PATIENCE: Duration = Duration::from_secs(10);
