//! `capgrow store …`: stores edited by hand. Every file of a command changes or none, with a backup, without loss.

mod add_trust;
mod answer;
mod combine;
mod commit;
mod content;
mod convert;
mod diff;
mod export;
mod hashed;
mod import;
mod lock;
mod merge;
mod open;
mod password;
mod remove;
mod rename;
mod select;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use keystore::Format;
use keystore::WriteProfile;

use self::answer::Line;
use self::commit::Access;
use self::commit::Output;
use self::open::Opened;
use self::open::Purpose;
use crate::Answer;
use crate::args::Args;
use crate::args::store::For;
use crate::args::store::FromPasswords;
use crate::args::store::Keep;
use crate::args::store::NewPassword;
use crate::args::store::Store;
use crate::args::store::To;
use crate::passwords::Given;
use crate::passwords::Sources;
use crate::print;
use crate::print::Failure;

/// Runs one of the commands.
pub fn run(args: &Args, these: &Store) -> anyhow::Result<Answer> {
    match these {
        Store::AddTrust(these) => add_trust::run(args, these),
        Store::Convert(these) => convert::run(args, these),
        Store::Diff(these) => diff::run(args, these),
        Store::Export(these) => export::run(args, these),
        Store::Import(these) => import::run(args, these),
        Store::Merge(these) => merge::run(args, these),
        Store::Password(these) => password::run(args, these),
        Store::Remove(these) => remove::run(args, these),
        Store::Rename(these) => rename::run(args, these),
    }
}

/// A store with its edits, not yet written.
struct Edited {
    /// The store as it shall be.
    opened: Opened,
    /// How many entries it had.
    before: usize,
    /// A directory has no bytes of its own.
    is_directory: bool,
    /// What is different.
    lines: Vec<Line>,
    /// What is worth knowing.
    notes: Vec<String>,
    /// Files that change with it: stash, request database.
    beside: Vec<Output>,
}

impl Edited {
    fn of(opened: Opened) -> Edited {
        Edited {
            before: if opened.was.is_some() {
                opened.store.entries().len()
            } else {
                0
            },
            opened,
            is_directory: false,
            lines: Vec::new(),
            notes: Vec::new(),
            beside: Vec::new(),
        }
    }

    fn is_changed(&self) -> bool {
        !self.is_directory
            && (self.opened.was.is_none() || self.lines.iter().any(|line| line.action.changes()))
    }
}

/// Opens the stores of a command, each file once however often it is named.
///
/// One password may be given for many stores; one that it does not open is opened by its own stash.
fn open_all(paths: &[PathBuf], given: &Given, create: Option<To>) -> anyhow::Result<Vec<Edited>> {
    let mut failures = Vec::new();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for path in paths {
        if let Ok(place) = std::fs::canonicalize(path)
            && !seen.insert(place)
        {
            continue;
        }
        let opened = match create.filter(|_| is_absent(path)) {
            Some(to) => open::create(path, format_of(to), given),
            None => open::open(path, given, Purpose::Edit),
        };
        let opened = opened.or_else(|failure| {
            let alone = Given {
                store: None,
                key: given.key.clone(),
            };
            let by_stash = paths.len() > 1 && given.store.is_some() && !is_absent(path);
            match by_stash.then(|| open::open(path, &alone, Purpose::Edit)) {
                Some(Ok(opened)) if opened.password.is_some() => Ok(opened),
                _ => Err(failure),
            }
        });
        match opened {
            Ok(opened) => all.push(Edited::of(opened)),
            Err(failure) => failures.push(failure),
        }
    }
    all_or_none(all, failures)
}

fn is_absent(path: &Path) -> bool {
    matches!(std::fs::symlink_metadata(path), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
}

/// The value, or every failure: all but the last are printed here.
fn all_or_none<T>(value: T, mut failures: Vec<Failure>) -> anyhow::Result<T> {
    match failures.pop() {
        None => Ok(value),
        Some(last) => {
            failures
                .into_iter()
                .for_each(|failure| print::error(&failure.into()));
            Err(last.into())
        }
    }
}

/// Writes what was edited, all files or none, and says what was done.
fn finish(args: &Args, keep: &Keep, what: &'static str, edited: Vec<Edited>) -> anyhow::Result<Answer> {
    let mut failures = Vec::new();
    let mut outputs = Vec::new();
    let mut places = Vec::new();
    for one in &edited {
        let mut own = Vec::new();
        if one.is_changed() {
            match content::bytes_of(&one.opened.store, one.opened.password.as_ref()) {
                Ok(bytes) => {
                    own.push(outputs.len());
                    outputs.push(Output {
                        path: one.opened.path.clone(),
                        was: one.opened.was,
                        bytes,
                        access: access(&one.opened),
                    });
                }
                Err(error) => failures.push(unwritable(&one.opened.path, error)),
            }
        }
        for beside in &one.beside {
            own.push(outputs.len());
            outputs.push(Output {
                path: beside.path.clone(),
                was: beside.was,
                bytes: beside.bytes.clone(),
                access: beside.access,
            });
        }
        places.push(own);
    }
    all_or_none((), failures)?;
    let backups = commit::commit(args, keep, what, &outputs)?;
    answer::print(args, keep, what, &edited, &places, &outputs, &backups);
    Ok(Answer::Yes)
}

fn unwritable(path: &Path, error: Option<keystore::WriteError>) -> Failure {
    match error {
        Some(error @ keystore::WriteError::NeedsPassword { .. }) => {
            open::says(path, &error, open::PASSWORD_HINT)
        }
        Some(error) => open::says(path, &error, "nothing was changed"),
        None => open::failed(
            path,
            "the new bytes do not read back as what they should hold",
            "nothing was changed; this is a mistake of capgrow, please report it",
        ),
    }
}

/// Owner and mode stay, but a file that gets its first key is for its owner only.
fn access(opened: &Opened) -> Access {
    let holds_key = open::holds_key(&opened.store);
    match (opened.was.is_some(), holds_key, opened.held_key) {
        (true, true, false) => Access::Private,
        (false, false, _) if opened.store.format() == Format::Pem => Access::Public,
        _ => Access::Keep,
    }
}

fn format_of(to: To) -> Format {
    match to {
        To::Bcfks => Format::Bcfks,
        To::Bks => Format::Bks,
        To::CmsKdb => Format::CmsKdb,
        To::Der => Format::Der,
        To::Jceks => Format::Jceks,
        To::Jks => Format::Jks,
        To::Pem => Format::Pem,
        To::Pkcs12 => Format::Pkcs12,
        To::Uber => Format::Uber,
    }
}

fn profile_of(reader: Option<For>) -> WriteProfile {
    match reader {
        None => WriteProfile::AsRead,
        Some(For::Fips) => WriteProfile::Fips,
        Some(For::Gskit8) => WriteProfile::Gskit8,
        Some(For::Java8) => WriteProfile::Java8,
        Some(For::Java17) => WriteProfile::Java17,
        Some(For::Openssl3) => WriteProfile::Openssl3,
    }
}

/// The password that is to be written.
fn new_password(these: &NewPassword) -> anyhow::Result<Option<keystore::Password>> {
    Sources {
        name: "new-password",
        file: these.new_password_file.as_deref(),
        env: these.new_password_env.as_deref(),
        fd: these.new_password_fd,
    }
    .take()
}

/// The passwords of the stores that entries come from.
fn from_passwords(these: &FromPasswords) -> anyhow::Result<Given> {
    let store = Sources {
        name: "from-password",
        file: these.from_password_file.as_deref(),
        env: these.from_password_env.as_deref(),
        fd: these.from_password_fd,
    };
    let key = Sources {
        name: "from-key-password",
        file: these.from_key_password_file.as_deref(),
        env: these.from_key_password_env.as_deref(),
        fd: these.from_key_password_fd,
    };
    Ok(Given {
        store: store.take()?,
        key: key.take()?,
    })
}
