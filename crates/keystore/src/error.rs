//! What can go wrong, one enum per operation; variants differ by what the caller can do about them.

use crate::reader::ReadError;
use crate::sniff::Format;

/// Why a file could not be read. Offsets are bytes from the start of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The right password, but the file does not have the bytes it was written with.
    #[error("{}: the password is right, but the store was altered or damaged after it was written", format.name())]
    Altered {
        /// The format being read.
        format: Format,
    },
    /// Wrong password *or* altered bytes: the format cannot tell them apart.
    #[error("{}: wrong password, or the store was altered", format.name())]
    BadMac {
        /// The format being read.
        format: Format,
    },
    /// A file of zero bytes.
    #[error("the file is empty")]
    Empty,
    /// A declared length points past the end: the file is cut, or the length is damaged.
    #[error("{}:{} {what} at byte {offset:#x} needs {needed} bytes, {left} are left", format.name(), entry(alias))]
    LengthPastEnd {
        /// The format being read.
        format: Format,
        /// Where the thing that does not fit begins.
        offset: usize,
        /// The entry it belongs to, where known.
        alias: Option<String>,
        /// What does not fit.
        what: &'static str,
        /// Bytes it declares.
        needed: u64,
        /// Bytes that are there.
        left: usize,
    },
    /// The bytes break the rules of the format.
    #[error("{}:{} {what} at byte {offset:#x}", format.name(), entry(alias))]
    Malformed {
        /// The format being read.
        format: Format,
        /// Where it was seen.
        offset: usize,
        /// The entry it belongs to, where known.
        alias: Option<String>,
        /// What is wrong.
        what: &'static str,
    },
    /// The store cannot be read at all without its password.
    #[error("{}: the store needs its password", format.name())]
    NeedsPassword {
        /// The format being read.
        format: Format,
    },
    /// More than [`Limits`](crate::Limits) allow.
    #[error("{}:{} {what} at byte {offset:#x} is {found}, the limit is {limit}", format.name(), entry(alias))]
    OverLimit {
        /// The format being read.
        format: Format,
        /// Where the number stands.
        offset: usize,
        /// The entry it belongs to, where known.
        alias: Option<String>,
        /// What is too large.
        what: &'static str,
        /// What the file says.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// No format we know.
    #[error("not a keystore, certificate or key in any format known here")]
    UnknownFormat,
    /// The bytes cannot be walked as the format asks.
    #[error("{}:{} {found}", format.name(), entry(alias))]
    Structure {
        /// The format being read.
        format: Format,
        /// The entry it belongs to, where known.
        alias: Option<String>,
        /// What was found, with its offset from the start of the file.
        found: ReadError,
    },
    /// A sound file with something in it that we cannot read.
    #[error("{}:{} {what} at byte {offset:#x} is not supported", format.name(), entry(alias))]
    Unsupported {
        /// The format being read.
        format: Format,
        /// Where it stands.
        offset: usize,
        /// The entry it belongs to, where known.
        alias: Option<String>,
        /// What it is, with its OID or name.
        what: String,
    },
    /// Certainly a wrong password: the format has a separate check of it.
    #[error("{}: wrong password", format.name())]
    WrongPassword {
        /// The format being read.
        format: Format,
    },
}

impl ParseError {
    /// Where in the file it was seen, counted from its first byte; `None` for what concerns the whole file.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::LengthPastEnd { offset, .. }
            | Self::Malformed { offset, .. }
            | Self::OverLimit { offset, .. }
            | Self::Unsupported { offset, .. } => Some(*offset),
            Self::Structure { found, .. } => Some(found.offset()),
            _ => None,
        }
    }

    /// An error of the byte readers, in the format and entry where it happened.
    pub(crate) fn from_read(format: Format, alias: Option<&str>, error: ReadError) -> Self {
        let alias = alias.map(str::to_owned);
        match error {
            ReadError::LengthPastEnd {
                what,
                offset,
                length,
                left,
            } => Self::LengthPastEnd {
                format,
                offset,
                alias,
                what,
                needed: length,
                left,
            },
            ReadError::TooDeep { offset, limit } => {
                let (found, limit) = (limit as u64 + 1, limit as u64);
                Self::OverLimit {
                    format,
                    offset,
                    alias,
                    what: "nesting",
                    found,
                    limit,
                }
            }
            found => Self::Structure { format, alias, found },
        }
    }
}

/// Why a key stayed locked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The key opens with a password only.
    #[error("the key needs its password")]
    NeedsPassword,
    /// The entry has no private key, or only its request.
    #[error("the entry holds no key")]
    NoKey,
    /// More rounds of key derivation than allowed.
    #[error("the key asks for {found} rounds of key derivation, the limit is {limit}")]
    OverLimit {
        /// What the key asks for.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// More memory for the key derivation (scrypt) than allowed.
    #[error("the key asks for {found} bytes of memory to derive it, the limit is {limit}")]
    OverMemory {
        /// What the key asks for.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The protected bytes break the rules of the format.
    #[error("the protected key is damaged: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// Protected in a way that we cannot undo.
    #[error("key protection {what} is not supported")]
    Unsupported {
        /// The algorithm's name or OID.
        what: String,
    },
    /// Wrong password, or the protected bytes were altered.
    #[error("wrong key password, or the key was altered")]
    WrongPassword,
}

/// Why bytes are not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not an unencrypted PKCS#8 `PrivateKeyInfo`.
    #[error("not an unencrypted PKCS#8 private key")]
    NotPkcs8,
}

/// Why an edit was refused. The store is then as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// An entry of this name (by the format's own case rule) exists: remove or rename it first.
    #[error("an entry {alias:?} exists already")]
    AliasExists {
        /// The name as it stands in the store.
        alias: String,
        /// Its index.
        index: usize,
    },
    /// The format has names for its entries and none was given.
    #[error("{} entries need an alias", format.name())]
    AliasNeeded {
        /// The format being edited.
        format: Format,
    },
    /// The format cannot hold this name.
    #[error("alias {alias:?} cannot be stored: {why}")]
    BadAlias {
        /// The name asked for.
        alias: String,
        /// What stands against it.
        why: &'static str,
    },
    /// The part of the store concerned is locked, as the store was read without its password.
    #[error("the store was read without its password, so this part of it cannot be edited")]
    Locked,
    /// No entry has this index.
    #[error("no entry number {index}: the store has {len}")]
    NoSuchEntry {
        /// The index asked for.
        index: usize,
        /// How many entries there are.
        len: usize,
    },
    /// The format has no way to say it.
    #[error("{} stores cannot {what}", format.name())]
    NotInFormat {
        /// The format being edited.
        format: Format,
        /// What was asked.
        what: &'static str,
    },
    /// The entry is of another kind than the edit needs.
    #[error("entry number {index} is a {found}")]
    WrongKind {
        /// The entry.
        index: usize,
        /// Its kind.
        found: &'static str,
    },
    /// The key is not the one of its certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The format cannot use this password.
    #[error("{} cannot use this password: {why}", format.name())]
    PasswordUnusable {
        /// The format being edited.
        format: Format,
        /// What stands against it.
        why: &'static str,
    },
    /// A key could not be opened on the way.
    #[error("the key of entry number {index} stays locked")]
    KeyLocked {
        /// The entry.
        index: usize,
        /// Why.
        #[source]
        source: UnlockError,
    },
    /// The old password given is not the store's.
    #[error("wrong store password")]
    WrongPassword,
}

/// Why a store could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The format needs a password for what it has to write.
    #[error("{} needs a password to write", format.name())]
    NeedsPassword {
        /// The format being written.
        format: Format,
    },
    /// The password cannot be used with this format.
    #[error("{} cannot use this password: {why}", format.name())]
    PasswordUnusable {
        /// The format being written.
        format: Format,
        /// What stands against it.
        why: &'static str,
    },
    /// Something in the store is larger than the format can say.
    #[error("{what} is too large for {}", format.name())]
    TooLarge {
        /// The format being written.
        format: Format,
        /// What is too large.
        what: &'static str,
    },
    /// The store uses an algorithm that we read but do not write.
    #[error("{} with {what} cannot be written", format.name())]
    Unsupported {
        /// The format being written.
        format: Format,
        /// The algorithm.
        what: String,
    },
    /// Not the password the store was read with (or was given by `SetPassword`).
    #[error("{}: not the password of this store", format.name())]
    WrongPassword {
        /// The format being written.
        format: Format,
    },
}

fn entry(alias: &Option<String>) -> String {
    alias
        .as_ref()
        .map(|alias| format!(" entry {alias:?}:"))
        .unwrap_or_default()
}
