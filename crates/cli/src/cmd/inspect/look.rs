//! One file: what it is, which password opens it, what it holds.

use std::path::Path;
use std::path::PathBuf;

use keystore::Body;
use keystore::Format;
use keystore::Limits;
use keystore::ParseError;
use keystore::Password;
use keystore::PrivateKey;
use keystore::Store;
use keystore::UnlockError;
use serde::Deserialize;
use serde::Serialize;

use super::walk::Candidate;
use crate::passwords::Given;
use crate::print::Failure;

/// What was seen in one file.
pub struct Looked {
    /// The format's name.
    pub format: &'static str,
    /// Over the whole file.
    pub sha256: String,
    /// What it is.
    pub content: Content,
    /// Keys that could be opened, by entry.
    pub keys: Vec<(usize, PrivateKey)>,
    /// Keys that a password at hand did not open, by entry, and why.
    pub locked: Vec<(usize, UnlockError)>,
    /// Whether a password was at hand: given, or out of a stash.
    pub has_password: bool,
    /// Why a password that was given is not this file's.
    pub refused: Option<Refused>,
    /// How it went with the file's own stash (same name, `.sth`), where there is one.
    pub stash: Option<StashFit>,
}

/// What a file is.
pub enum Content {
    /// The format was recognised and the reader stopped.
    Broken(ParseError),
    /// A file that holds a password; `Err` says what is wrong with it.
    Stash(Result<(), String>),
    /// A store.
    Store(Store),
}

/// Whether a stash fits the store beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StashFit {
    /// Its password opens the store, or nothing in the store asks for one.
    Opens,
    /// Its password is another one.
    Other,
    /// No password can be read out of it.
    Unreadable(String),
}

/// A password that was given and does not open the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    why: String,
    option: String,
}

impl Refused {
    fn new(why: impl Into<String>, option: &str) -> Refused {
        Refused {
            why: why.into(),
            option: option.to_owned(),
        }
    }

    /// The error about the file.
    pub fn failure(&self, path: &Path) -> Failure {
        Failure {
            what: format!("{}: {}", path.display(), self.why),
            hints: vec![format!(
                "{} FILE must hold the password of this very file; without the option its stash is tried",
                self.option
            )],
            source: None,
        }
    }
}

/// How looking at a file ended.
pub struct Sight {
    /// What was seen; `None` where the file is nothing we know, or could not be read.
    pub looked: Option<Looked>,
    /// Why nothing can be said: unrecognised.
    pub failure: Option<Failure>,
}

/// The bytes of a file, and what the system says about it.
pub struct Bytes {
    /// All of them.
    pub bytes: Vec<u8>,
    /// Over all of them.
    pub sha256: String,
    /// As it was when they were read.
    pub metadata: std::fs::Metadata,
}

/// Looks at one file. Without a given password its stash is tried, then the product's stashes in the same directory.
pub fn look(candidate: &Candidate, read: &Bytes, given: &Given) -> Sight {
    let path = candidate.path.as_path();
    let bytes = read.bytes.as_slice();
    let stash_like = keystore::sniff(bytes).is_none_or(|format| format == Format::Stash);
    if stash_like {
        return match stash_content(candidate, bytes) {
            Some((format, content)) => Sight {
                looked: Some(looked(format, read, Content::Stash(content))),
                failure: None,
            },
            None if candidate.named => Sight {
                looked: None,
                failure: Some(unrecognised(path, bytes)),
            },
            None => Sight {
                looked: None,
                failure: None,
            },
        };
    }
    look_store(candidate, read, given)
}

fn looked(format: &'static str, read: &Bytes, content: Content) -> Looked {
    Looked {
        format,
        sha256: read.sha256.clone(),
        content,
        keys: Vec::new(),
        locked: Vec::new(),
        has_password: false,
        refused: None,
        stash: None,
    }
}

/// Reads a file whole.
///
/// # Errors
/// Unreadable, larger than any store.
pub fn read(path: &Path) -> Result<Bytes, Failure> {
    let failed = |what: String, error: Option<std::io::Error>| Failure {
        what,
        hints: Vec::new(),
        source: error.map(|error| Box::new(error) as _),
    };
    let cannot = |error| failed(format!("cannot read {}", path.display()), Some(error));
    let file = std::fs::File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    let limit = Limits::default().max_bytes as u64;
    if metadata.len() > limit {
        let what = format!(
            "{} has {} bytes, the limit is {limit}",
            path.display(),
            metadata.len()
        );
        return Err(failed(what, None));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    std::io::Read::read_to_end(&mut std::io::Read::take(file, limit + 1), &mut bytes).map_err(cannot)?;
    Ok(Bytes {
        sha256: fleet::snapshot::sha256_hex(&bytes),
        bytes,
        metadata,
    })
}

/// A stash by its content: GSKit's by length and check value, the product's (base64) by its ending only, since most
/// text is base64 of something. A version 1 stash has no mark at all: in a directory its ending decides.
fn stash_content(candidate: &Candidate, bytes: &[u8]) -> Option<(&'static str, Result<(), String>)> {
    let named_so = candidate
        .path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("sth"));
    let gskit = keystore::read_stash(bytes);
    let certain = bytes.len() == 193 && gskit.is_ok();
    let sized = keystore::sniff(bytes) == Some(Format::Stash);
    if certain || sized && (named_so || candidate.named && gskit.is_ok()) {
        return Some(("stash", gskit.map(|_| ()).map_err(|error| error.to_string())));
    }
    named_so.then(|| {
        (
            "wa-password",
            keystore::read_wa_password(bytes)
                .map(|_| ())
                .map_err(|error| error.to_string()),
        )
    })
}

fn unrecognised(path: &Path, bytes: &[u8]) -> Failure {
    // The reader knows why some files are refused (a KeePass database, an empty file).
    let why = keystore::read(bytes, None, &Limits::default()).err().map_or_else(
        || ParseError::UnknownFormat.to_string(),
        |error| error.to_string(),
    );
    Failure {
        what: format!("{}: {why}", path.display()),
        hints: vec![
            "give a keystore (JKS, JCEKS, PKCS#12, CMS .kdb), a PEM, DER or PKCS#7 file, or a .sth stash"
                .to_owned(),
        ],
        source: None,
    }
}

fn look_store(candidate: &Candidate, file: &Bytes, given: &Given) -> Sight {
    let path = candidate.path.as_path();
    let bytes = file.bytes.as_slice();
    let limits = Limits::default();
    let read = |password: Option<&Password>| keystore::read(bytes, password, &limits);
    let format = keystore::sniff(bytes).map_or("unknown", Format::name);
    let own_stash = stash_of(path);
    let mut refused = None;
    let mut used = None;
    let mut store = None;
    if let Some(password) = &given.store {
        match read(Some(password)) {
            Err(error) if is_password(&error) => {
                refused = Some(Refused::new(error.to_string(), "--password-file"));
            }
            other => (store, used) = (Some(other), Some(password.clone())),
        }
    }
    // One password may be given for a whole tree; a store in it that has its own stash is opened by that.
    if given.store.is_none() || refused.is_some() && !candidate.named {
        for (_, stashed) in own_stash.iter().cloned().chain(product_stashes(path)) {
            let Ok(password) = stashed else { continue };
            if let Ok(found) = read(Some(&password))
                && opens(&found, &password)
            {
                (store, used, refused) = (Some(Ok(found)), Some(password), None);
                break;
            }
        }
    }
    let spare = own_stash
        .as_ref()
        .filter(|_| !candidate.named)
        .and_then(|(_, stashed)| stashed.clone().ok());
    let stash = own_stash.map(|(_, stashed)| match stashed {
        Err(why) => StashFit::Unreadable(why),
        Ok(password) if used.as_ref() == Some(&password) => StashFit::Opens,
        Ok(password) => fit(&read(Some(&password)), &password),
    });
    let content = match store.unwrap_or_else(|| read(None)) {
        Ok(store) => Content::Store(store),
        Err(error) => Content::Broken(error),
    };
    let mut looked = looked(format, file, content);
    looked.has_password = used.is_some() || given.key.is_some();
    looked.stash = stash;
    if refused.is_none() {
        refused = open_keys(&mut looked, given, [used.as_ref(), spare.as_ref()]);
    }
    looked.refused = refused;
    Sight {
        looked: Some(looked),
        failure: None,
    }
}

/// Whether a password that the reader took is really the store's: formats without a check take any.
pub fn opens(store: &Store, password: &Password) -> bool {
    let locked: Vec<_> = store
        .entries()
        .iter()
        .filter(|entry| is_locked_key(entry))
        .collect();
    match store.integrity() {
        keystore::Integrity::Verified => true,
        _ => locked.is_empty() || locked.iter().any(|entry| entry.unlock(Some(password)).is_ok()),
    }
}

fn fit(read: &Result<Store, ParseError>, password: &Password) -> StashFit {
    match read {
        Ok(store) if opens(store, password) => StashFit::Opens,
        Ok(_) => StashFit::Other,
        Err(error) if is_password(error) => StashFit::Other,
        // The store itself is broken; that is its own finding.
        Err(_) => StashFit::Opens,
    }
}

/// Opens every private key that can be opened. `Some` where a password that was given opens none of them.
fn open_keys(looked: &mut Looked, given: &Given, others: [Option<&Password>; 2]) -> Option<Refused> {
    let Content::Store(store) = &looked.content else {
        return None;
    };
    let mut wrong_for = Vec::new();
    for (index, entry) in store.entries().iter().enumerate() {
        if !matches!(entry.body(), Body::PrivateKey { .. } | Body::Request { .. }) {
            continue;
        }
        if !is_locked_key(entry) {
            looked
                .keys
                .extend(entry.unlock(None).ok().map(|key| (index, key)));
            continue;
        }
        let mut refusal = None;
        for password in given.key.as_ref().into_iter().chain(others.into_iter().flatten()) {
            match entry.unlock(Some(password)) {
                Ok(key) => {
                    looked.keys.push((index, key));
                    refusal = None;
                    break;
                }
                Err(UnlockError::WrongPassword) if refusal.is_some() => {}
                Err(error) => refusal = Some(error),
            }
        }
        wrong_for.push(refusal == Some(UnlockError::WrongPassword));
        looked.locked.extend(refusal.map(|error| (index, error)));
    }
    // In these files a password can only be the key's; in the others keys may well have their own.
    let loose = matches!(store.format(), Format::Pem | Format::Der);
    let asked = given.key.is_some() || loose && given.store.is_some();
    if !asked || wrong_for.is_empty() || !wrong_for.iter().all(|wrong| *wrong) {
        return None;
    }
    let option = if given.key.is_some() {
        "--key-password-file"
    } else {
        "--password-file"
    };
    Some(Refused::new(
        "wrong password: it opens no private key in it",
        option,
    ))
}

/// A private key that opens with a password only.
pub fn is_locked_key(entry: &keystore::Entry) -> bool {
    let is_key = matches!(entry.body(), Body::PrivateKey { .. } | Body::Request { .. });
    is_key && entry.protection().is_some_and(|words| words != "none")
}

fn is_password(error: &ParseError) -> bool {
    matches!(
        error,
        ParseError::BadMac { .. } | ParseError::WrongPassword { .. }
    )
}

/// A stash file, and the password in it or why there is none.
pub type Stashed = (PathBuf, Result<Password, String>);

/// The stash that belongs to this file by its name.
pub fn stash_of(path: &Path) -> Option<Stashed> {
    let place = path.with_extension("sth");
    if place == path {
        return None;
    }
    let bytes = stash_bytes(&place)?;
    Some((place, password_of(&bytes)))
}

/// What the product's own agents name their password files.
pub fn product_stashes(path: &Path) -> Vec<Stashed> {
    let [_, named @ ..] = neighbours(path);
    let found = named
        .into_iter()
        .filter_map(|place| Some((stash_bytes(&place)?, place)));
    found.map(|(bytes, place)| (place, password_of(&bytes))).collect()
}

/// Where stashes can lie that concern this file: its own first.
pub fn neighbours(path: &Path) -> [PathBuf; 3] {
    [
        path.with_extension("sth"),
        path.with_file_name("tls.sth"),
        path.with_file_name("password.sth"),
    ]
}

fn stash_bytes(place: &Path) -> Option<Vec<u8>> {
    let metadata = std::fs::metadata(place).ok()?;
    (metadata.is_file() && metadata.len() < 4096)
        .then(|| std::fs::read(place).ok())
        .flatten()
}

fn password_of(bytes: &[u8]) -> Result<Password, String> {
    keystore::read_stash(bytes)
        .map(|(password, _)| password)
        .or_else(|why| keystore::read_wa_password(bytes).map_err(|_| why.to_string()))
}
