//! Stores in files: opened with the password that the command line names, saved whole, with their sisters.

use std::ffi::OsStr;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use keystore::{
    CmsVersion, Edit, Format, Limits, Note, ParseError, Password, StashVersion, Store, WriteEnv,
    WriteProfile, read_stash, write_stash,
};

use crate::gskit::args::Args;
use crate::gskit::fault::{self, Fault, Result};
use crate::io::{Io, SystemEntropy};
use crate::replace::{replace, replace_private};

/// One store and where it lies.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) store: Store,
    pub(crate) password: Password,
    /// Keeps other writers of ours out as long as it lives.
    _lock: Option<File>,
}

/// The options that name a store.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub(crate) file: &'static str,
    pub(crate) password: &'static [&'static str],
    pub(crate) stashed: &'static str,
    pub(crate) kind: &'static str,
}

/// The store that an action is about.
pub(crate) const OWN: Names = Names {
    file: "-db",
    password: &["-pw"],
    stashed: "-stashed",
    kind: "-type",
};

/// The store that something goes into.
pub(crate) const TARGET: Names = Names {
    file: "-target",
    password: &["-target_pw", "-new_pw"],
    stashed: "-target_stashed",
    kind: "-target_type",
};

impl Database {
    /// Opens what is there, to be read.
    ///
    /// # Errors
    /// 101 without the file, 103 without its stash, 16, 19 or 120 for a wrong password, 70 for one out of date, 17 and 18 for
    /// what is no store or a damaged one.
    pub(crate) fn open(args: &Args, names: Names, io: &mut Io) -> Result<Self> {
        let path = io.path(args.file(names.file)?);
        let bytes = read_store(&path)?;
        let password = password(args, names, &path, io)?;
        let store = open_bytes(&bytes, &password, io)?;
        check_type(args, names, &store)?;
        Ok(Self {
            path,
            store,
            password,
            _lock: None,
        })
    }

    /// As [`Database::open`], to be changed: no other writer of ours has it in the meantime.
    pub(crate) fn open_to_write(args: &Args, names: Names, io: &mut Io) -> Result<Self> {
        let path = io.path(args.file(names.file)?);
        let lock = lock(&path)?;
        let opened = Self::open(args, names, io)?;
        Ok(Self {
            _lock: lock,
            ..opened
        })
    }

    /// A new store, not in its file yet.
    pub(crate) fn create(path: PathBuf, kind: Format, password: Password, io: &Io) -> Result<Self> {
        let mut store = match kind {
            Format::CmsKdb => Store::empty_cms(CmsVersion::V4),
            other => Store::empty(other)?,
        };
        if kind == Format::Pkcs12 {
            with_env(io, |env| store.use_profile(WriteProfile::Gskit8, env))?;
        }
        let edit = Edit::SetPassword {
            old: None,
            new: password.clone(),
        };
        with_env(io, |env| store.edit(&edit, env))?;
        Ok(Self {
            path,
            store,
            password,
            _lock: None,
        })
    }

    /// Protects a new PKCS#12 store as `-encryption` asks: `weak` is RC2 with 40 bits for certificates.
    pub(crate) fn use_encryption(&mut self, args: &Args, io: &Io) -> Result<()> {
        let profile = match args.text("-encryption")?.map(str::to_lowercase).as_deref() {
            None | Some("strong") => WriteProfile::Gskit8,
            Some("weak") => WriteProfile::Java8,
            Some(other) => {
                let about = format!("-encryption {other}: strong or weak is needed");
                return Err(fault::with(65, &about));
            }
        };
        with_env(io, |env| self.store.use_profile(profile, env))?;
        Ok(())
    }

    /// The requests that wait beside this store; empty where there is no such file.
    pub(crate) fn requests(&self, io: &Io) -> Result<Self> {
        let path = self.path.with_extension("rdb");
        let store = match std::fs::read(&path) {
            Ok(bytes) => open_bytes(&bytes, &self.password, io)?,
            Err(error) if error.kind() == ErrorKind::NotFound => self.empty_requests(io)?,
            Err(error) => return Err(not_read(&path, &error)),
        };
        Ok(Self {
            path,
            store,
            password: self.password.clone(),
            _lock: None,
        })
    }

    fn empty_requests(&self, io: &Io) -> Result<Store> {
        self.empty_sister(Store::empty_requests(CmsVersion::V4), io)
    }

    fn empty_sister(&self, mut store: Store, io: &Io) -> Result<Store> {
        let edit = Edit::SetPassword {
            old: None,
            new: self.password.clone(),
        };
        with_env(io, |env| store.edit(&edit, env))?;
        Ok(store)
    }

    /// Writes the empty `.rdb` and `.crl` of a new key database.
    pub(crate) fn save_sisters(&self, io: &Io) -> Result<()> {
        let sisters = [
            ("rdb", self.empty_requests(io)?),
            (
                "crl",
                self.empty_sister(Store::empty_revocations(CmsVersion::V4), io)?,
            ),
        ];
        for (end, store) in sisters {
            let path = self.path.with_extension(end);
            let password = self.password.clone();
            let sister = Self {
                path,
                store,
                password,
                _lock: None,
            };
            sister.save(io)?;
        }
        Ok(())
    }

    /// Changes the store in memory.
    pub(crate) fn edit(&mut self, edit: &Edit, io: &Io) -> Result<()> {
        with_env(io, |env| self.store.edit(edit, env))?;
        Ok(())
    }

    /// Puts the store into its file: the old one stays until the new one is whole.
    pub(crate) fn save(&self, io: &Io) -> Result<()> {
        let bytes = with_env(io, |env| self.store.write(Some(&self.password), env))?;
        replace_private(&self.path, &bytes).map_err(|error| not_written(&self.path, &error))
    }

    /// Writes the stash beside the store, readable by its owner only.
    pub(crate) fn save_stash(&self, args: &Args, io: &Io) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let version = match args.has("-v1stash") {
            true => StashVersion::V1,
            false => StashVersion::V2,
        };
        let path = self.path.with_extension("sth");
        let bytes = with_env(io, |env| write_stash(&self.password, version, env))?;
        // An old stash that others can read is narrowed before the new password goes in.
        let narrow = || match std::fs::metadata(&path) {
            Ok(_) => std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)),
            Err(_) => Ok(()),
        };
        narrow()
            .and_then(|()| replace_private(&path, &bytes))
            .map_err(|error| not_written(&path, &error))?;
        Ok(path)
    }

    /// Whether the store is GSKit's own kind.
    pub(crate) fn is_cms(&self) -> bool {
        self.store.format() == Format::CmsKdb
    }
}

/// Runs something that needs time and random bytes.
pub(crate) fn with_env<T>(io: &Io, act: impl FnOnce(&mut WriteEnv<'_>) -> T) -> T {
    let mut entropy = SystemEntropy;
    let mut env = WriteEnv {
        now_ms: io.now_ms(),
        entropy: &mut entropy,
    };
    act(&mut env)
}

/// The format that a type's name, or else a file's end, stands for.
pub(crate) fn kind(args: &Args, option: &str, path: &Path) -> Result<Format> {
    let by_end = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let word = args.text(option)?;
    match word.unwrap_or(by_end).to_lowercase().as_str() {
        "cms" | "kdb" => Ok(Format::CmsKdb),
        "p12" | "pkcs12" | "pfx" => Ok(Format::Pkcs12),
        "jks" => Ok(Format::Jks),
        "jceks" => Ok(Format::Jceks),
        "pkcs11" | "mscapi" | "pkcs11direct" => Err(fault::not_offered("A store of type PKCS11 or MSCAPI")),
        other if word.is_some() => Err(fault::with(134, other)),
        _ => Ok(Format::CmsKdb),
    }
}

/// The password of a store: from the command line, the stash, or asked for.
pub(crate) fn password(args: &Args, names: Names, path: &Path, io: &mut Io) -> Result<Password> {
    match given(args, names, path)? {
        Some(password) => Ok(password),
        None => {
            let typed = ask(&format!("Enter the password of {}: ", path.display()), io);
            typed.ok_or_else(|| fault::code(16))
        }
    }
}

/// The password that a store gets: as [`password`], but typed twice where it is asked for.
pub(crate) fn new_password(args: &Args, names: Names, path: &Path, io: &mut Io) -> Result<Password> {
    match given(args, names, path)? {
        Some(password) => Ok(password),
        None => ask_new(&format!("Enter a password for {}: ", path.display()), io),
    }
}

/// Asks for a new password twice.
///
/// # Errors
/// 69 for none, and for two that differ.
pub(crate) fn ask_new(question: &str, io: &mut Io) -> Result<Password> {
    let first = ask(question, io).ok_or_else(|| fault::code(69))?;
    match ask("Enter it again: ", io) == Some(first.clone()) {
        true => Ok(first),
        false => Err(fault::with(69, "the two passwords differ")),
    }
}

fn ask(question: &str, io: &mut Io) -> Option<Password> {
    io.complain(question);
    let typed = io.read_password();
    io.complain_line("");
    typed.map(|typed| Password::new(typed.to_vec()))
}

fn given(args: &Args, names: Names, path: &Path) -> Result<Option<Password>> {
    if let (Some(name), true) = (args.one_of(names.password), args.has(names.stashed)) {
        let about = format!("{name} and {} exclude each other", names.stashed);
        return Err(fault::with(65, &about));
    }
    if let Some(name) = args.one_of(names.password) {
        let typed = args.raw(name).unwrap_or_default();
        return Ok(Some(Password::new(typed.as_encoded_bytes())));
    }
    args.has(names.stashed).then(|| stashed(path)).transpose()
}

/// Reads a file that is no store.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let too_large = std::fs::metadata(path).is_ok_and(|file| file.len() > Limits::default().max_bytes as u64);
    if too_large {
        return Err(fault::with(67, &format!("{} is too large", path.display())));
    }
    std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let words = format!(
                "The key file \"{}\" does not exist or cannot be read.",
                path.display()
            );
            fault::of_line(89, 3026, &words)
        }
        _ => not_read(path, &error),
    })
}

/// Writes a file that holds nothing secret.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(|error| not_written(path, &error))
}

/// Keeps other writers of ours out; nothing where there is no file yet.
pub(crate) fn lock(path: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(path) else {
        return Ok(None);
    };
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => {
            let about = format!(
                "{} is being written by another program; try again when it is done",
                path.display()
            );
            Err(fault::with(6, &about))
        }
        _ => Ok(Some(file)),
    }
}

/// What the system says of a file that was not written.
pub(crate) fn not_written(path: &Path, error: &std::io::Error) -> Fault {
    let code = match error.kind() {
        ErrorKind::PermissionDenied => 90,
        ErrorKind::NotFound => 88,
        _ => 91,
    };
    fault::with(code, &format!("{}: {error}", path.display()))
}

/// The empty password opens nothing of GSKit's; a bad MAC there is a wrong password.
fn open_bytes(bytes: &[u8], password: &Password, io: &Io) -> Result<Store> {
    let store = keystore::read(bytes, Some(password), &Limits::default()).map_err(|error| match error {
        ParseError::WrongPassword { .. } => fault::code(16),
        other => other.into(),
    })?;
    let now = io.now_ms() / 1000;
    let is_over = |note: &Note| matches!(note, Note::PasswordExpiry { unix } if *unix <= now);
    if store.notes().iter().any(is_over) {
        return Err(fault::code(70));
    }
    Ok(store)
}

/// A store is known by its content; a type that says otherwise is an error as with the original.
fn check_type(args: &Args, names: Names, store: &Store) -> Result<()> {
    if !args.has(names.kind) {
        return Ok(());
    }
    let said = kind(args, names.kind, Path::new(""))?;
    let is_key_store = |format: Format| matches!(format, Format::CmsKdb | Format::Pkcs12);
    // The original opens PKCS#12 under the name of CMS and the other way round.
    if said == store.format() || is_key_store(said) && is_key_store(store.format()) {
        return Ok(());
    }
    Err(fault::with(
        17,
        &format!("the store is {}", store.format().name()),
    ))
}

fn read_store(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => fault::with(101, &path.display().to_string()),
        _ => not_read(path, &error),
    })
}

fn stashed(path: &Path) -> Result<Password> {
    let stash = path.with_extension("sth");
    let bytes = std::fs::read(&stash).map_err(|error| match error.kind() {
        ErrorKind::NotFound => fault::with(103, &stash.display().to_string()),
        _ => not_read(&stash, &error),
    })?;
    Ok(read_stash(&bytes)?.0)
}

fn not_read(path: &Path, error: &std::io::Error) -> Fault {
    let code = match error.kind() {
        ErrorKind::PermissionDenied => 90,
        _ => 86,
    };
    fault::with(code, &format!("{}: {error}", path.display()))
}
