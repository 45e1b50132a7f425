//! Stores as files: read, opened with the password that is theirs, held against other writers.

use std::path::Path;
use std::path::PathBuf;

use exec::digest::Sha256;
use keystore::Body;
use keystore::Format;
use keystore::Integrity;
use keystore::Limits;
use keystore::Note;
use keystore::ParseError;
use keystore::Password;
use keystore::Store;
use keystore::WriteEnv;

use super::lock::Lock;
use crate::cmd::inspect;
use crate::passwords;
use crate::passwords::Given;
use crate::print::Failure;

/// A store that was read from a file.
pub struct Opened {
    /// As typed.
    pub path: PathBuf,
    /// What lies there, unless the store is new.
    pub was: Option<Sha256>,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// Its entries.
    pub store: Store,
    /// The password that opened it, or that it shall have.
    pub password: Option<Password>,
    /// The keys' own one, where it was given.
    pub key_password: Option<Password>,
    /// Whether it held a private or secret key when it was read.
    pub held_key: bool,
    /// Held until the new bytes are in place.
    pub lock: Option<Lock>,
}

/// What the file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be replaced: other writers are kept out.
    Edit,
    /// To be looked at.
    Read,
}

/// Opens a store: with the password given, else with its stash, else with what a person types, else without.
///
/// # Errors
/// Unreadable, locked by another writer, not a store, wrong password.
pub fn open(path: &Path, given: &Given, purpose: Purpose) -> Result<Opened, Failure> {
    let lock = match purpose {
        Purpose::Edit => Some(Lock::take(path)?),
        Purpose::Read => None,
    };
    // What a shell hands over is a pipe; any other would be waited for until somebody writes.
    if !path.starts_with("/dev/fd") {
        regular(path)?;
    }
    let (bytes, _) = inspect::read_file(path)?;
    let (store, password) = read_with(path, &bytes, given)?;
    Ok(Opened {
        path: path.to_owned(),
        was: Some(Sha256::of(&bytes)),
        held_key: holds_key(&store),
        bytes,
        store,
        password,
        key_password: given.key.clone(),
        lock,
    })
}

/// A store that is not there yet.
///
/// # Errors
/// Where the format cannot be created, or the password not be its.
pub fn create(path: &Path, format: Format, given: &Given) -> Result<Opened, Failure> {
    let mut store =
        Store::empty(format).map_err(|error| says(path, &error, "give another format with --create"))?;
    let has_password = !matches!(format, Format::Pem | Format::Der);
    let mut password = given.store.clone().filter(|_| has_password);
    if password.is_none() && has_password {
        password = passwords::ask(&path.display().to_string());
    }
    if let Some(new) = &password {
        let edit = keystore::Edit::SetPassword {
            old: None,
            new: new.clone(),
        };
        with_env(None, |env| store.edit(&edit, env))
            .map_err(|error| says(path, &error, "give another password"))?;
    }
    Ok(Opened {
        path: path.to_owned(),
        was: None,
        bytes: Vec::new(),
        store,
        password,
        key_password: given.key.clone(),
        held_key: false,
        lock: None,
    })
}

/// What lies at a path that is about to be written; `None` for nothing.
///
/// # Errors
/// Something that is no file, or cannot be read.
pub fn digest_of(path: &Path) -> Result<Option<Sha256>, Failure> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        _ => {
            regular(path)?;
            inspect::read_file(path).map(|(bytes, _)| Some(Sha256::of(&bytes)))
        }
    }
}

fn regular(path: &Path) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(failed(path, "not a regular file", "give a file")),
        _ => Ok(()),
    }
}

/// Runs what needs a clock and randomness; `ms` is the time that new entries bear, default now.
pub fn with_env<T>(ms: Option<i64>, run: impl FnOnce(&mut WriteEnv<'_>) -> T) -> T {
    let mut entropy = agent::OsEntropy;
    let mut env = WriteEnv {
        now_ms: ms.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond()),
        entropy: &mut entropy,
    };
    run(&mut env)
}

/// An error about a file, with the next step.
pub fn says(path: &Path, error: &dyn std::error::Error, hint: &str) -> Failure {
    let mut text = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push(error.to_string());
        cause = error.source();
    }
    failed(path, &text.join(": "), hint)
}

/// A refusal in our own words about a file.
pub fn failed(path: &Path, what: &str, hint: &str) -> Failure {
    Failure {
        what: format!("{}: {what}", path.display()),
        hints: vec![hint.to_owned()],
        source: None,
    }
}

/// Whether there is a private or secret key in it, or may be: a request has its key, too.
pub fn holds_key(store: &Store) -> bool {
    let is_key = |body: &Body| {
        matches!(
            body,
            Body::PrivateKey { .. } | Body::SecretKey { .. } | Body::Request { .. }
        )
    };
    // A request in PEM or DER stands alone; in a request database its key is beside it.
    let is_loose = matches!(store.format(), Format::Pem | Format::Der);
    store
        .entries()
        .iter()
        .any(|entry| is_key(entry.body()) && !(is_loose && matches!(entry.body(), Body::Request { .. })))
}

/// The hint of every error that a password would mend.
pub const PASSWORD_HINT: &str =
    "--password-file FILE, --password-env VAR or --password-fd N; without them its stash is tried";

fn read_with(path: &Path, bytes: &[u8], given: &Given) -> Result<(Store, Option<Password>), Failure> {
    let limits = Limits::default();
    let read = |password: Option<&Password>| keystore::read(bytes, password, &limits);
    let refused = |error: ParseError| {
        let hint = match error {
            ParseError::BadMac { .. }
            | ParseError::WrongPassword { .. }
            | ParseError::NeedsPassword { .. } => PASSWORD_HINT,
            ParseError::Empty => {
                "take the file away: --create FORMAT then makes a new one where it is needed"
            }
            _ => "capgrow inspect says more about the file",
        };
        says(path, &error, hint)
    };
    if let Some(password) = &given.store {
        return Ok((read(Some(password)).map_err(refused)?, Some(password.clone())));
    }
    for password in inspect::stashed_passwords(path) {
        if let Ok(store) = read(Some(&password))
            && inspect::opens(&store, &password)
        {
            return Ok((store, Some(password)));
        }
    }
    let without = read(None);
    let is_closed = match &without {
        Ok(store) => {
            store.integrity() == Integrity::NotChecked
                || store
                    .notes()
                    .iter()
                    .any(|note| matches!(note, Note::LockedPart { .. }))
        }
        Err(error) => matches!(error, ParseError::NeedsPassword { .. }),
    };
    if is_closed && let Some(typed) = passwords::ask(&path.display().to_string()) {
        return Ok((read(Some(&typed)).map_err(refused)?, Some(typed)));
    }
    Ok((without.map_err(refused)?, None))
}
