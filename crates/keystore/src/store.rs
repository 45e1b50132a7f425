//! A store of any format, and the way to its reader.

use std::fmt;

use crate::bcfks::{self, FipsStore};
use crate::bks::{self, BouncyStore};
use crate::cms_kdb::{CmsVersion, Database};
use crate::der_file::DerFile;
use crate::edit::Edit;
use crate::entry::Entry;
use crate::error::{EditError, ParseError, WriteError};
use crate::jks::{self, JavaStore};
use crate::limits::Limits;
use crate::pem::PemStore;
use crate::pkcs7::Pkcs7Store;
use crate::pkcs12::{self, Pkcs12Store};
use crate::profile::WriteProfile;
use crate::secret::{Password, WriteEnv};
use crate::sniff::{Format, sniff};

/// Reads a store of any format, recognised by its content. `bytes` is the whole file.
///
/// Entries come back in file order, aliases as written. Without a password most formats still list what is
/// in the clear; [`Store::integrity`] then says `NotChecked`. Keys stay locked until [`Entry::unlock`].
///
/// # Errors
/// `Empty`, `UnknownFormat`, and what the format's reader finds, with byte offset and alias where known.
///
/// Cost: one pass, O(bytes), plus the key derivations that the store asks for.
pub fn read(bytes: &[u8], password: Option<&Password>, limits: &Limits) -> Result<Store, ParseError> {
    if bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    if bytes.starts_with(&KEEPASS) {
        let (format, alias, what) = (
            Format::CmsKdb,
            None,
            "a KeePass database, which has the same ending,".to_owned(),
        );
        return Err(ParseError::Unsupported {
            format,
            offset: 0,
            alias,
            what,
        });
    }
    let format = sniff(bytes).ok_or(ParseError::UnknownFormat)?;
    if bytes.len() > limits.max_bytes {
        return Err(ParseError::OverLimit {
            format,
            offset: 0,
            alias: None,
            what: "file size",
            found: bytes.len() as u64,
            limit: limits.max_bytes as u64,
        });
    }
    // One line per format that has a reader.
    let form: Box<dyn Form> = match format {
        Format::CmsCrl | Format::CmsKdb | Format::CmsRdb => {
            Box::new(Database::read(format, bytes, password, limits)?)
        }
        Format::Bcfks => Box::new(bcfks::read(bytes, password, limits)?),
        Format::Bks | Format::Uber => Box::new(bks::read(bytes, password, limits)?),
        Format::Der => Box::new(DerFile::read(bytes, limits)?),
        Format::Jks | Format::Jceks => Box::new(jks::read(bytes, password, limits)?),
        Format::Pem => Box::new(PemStore::read(bytes, password, limits)?),
        Format::Pkcs12 => Box::new(pkcs12::read(bytes, password, limits)?),
        Format::Pkcs7 => Box::new(Pkcs7Store::read(bytes, limits)?),
        other => {
            let what = format!("reading {}", other.name());
            return Err(ParseError::Unsupported {
                format: other,
                offset: 0,
                alias: None,
                what,
            });
        }
    };
    Ok(Store(form))
}

/// A store in memory: its entries, and every byte that its format needs to be written again.
#[derive(Clone)]
pub struct Store(Box<dyn Form>);

impl Store {
    /// A store without entries, with the algorithms that its usual tool writes today.
    ///
    /// # Errors
    /// [`WriteError::Unsupported`] for formats that we cannot create.
    pub fn empty(format: Format) -> Result<Self, WriteError> {
        match format {
            Format::Bcfks => Ok(Self(Box::new(FipsStore::empty()))),
            Format::CmsCrl | Format::CmsKdb | Format::CmsRdb => {
                Ok(Self(Box::new(Database::empty(format, CmsVersion::V6))))
            }
            Format::Bks | Format::Uber => Ok(Self(Box::new(BouncyStore::empty(format)))),
            Format::Jks | Format::Jceks => Ok(Self(Box::new(JavaStore::empty(format)))),
            Format::Pkcs12 => Ok(Self(Box::new(Pkcs12Store::empty()))),
            Format::Pem => Ok(Self(Box::new(PemStore::empty()))),
            other => Err(WriteError::Unsupported {
                format: other,
                what: "a new store".to_owned(),
            }),
        }
    }

    /// A GSKit key database without records, in one of its versions.
    pub fn empty_cms(version: CmsVersion) -> Self {
        Self(Box::new(Database::empty(Format::CmsKdb, version)))
    }

    /// The request database (`.rdb`) that stands beside a key database, without records.
    pub fn empty_requests(version: CmsVersion) -> Self {
        Self(Box::new(Database::empty(Format::CmsRdb, version)))
    }

    /// The file of revocation lists (`.crl`) that stands beside a key database, without records.
    pub fn empty_revocations(version: CmsVersion) -> Self {
        Self(Box::new(Database::empty(Format::CmsCrl, version)))
    }

    /// The format it was read from, and will be written in.
    pub fn format(&self) -> Format {
        self.0.format()
    }

    /// All entries, in file order.
    pub fn entries(&self) -> &[Entry] {
        self.0.entries()
    }

    /// The entry of that name by the format's own case rule; the later one where the file has two.
    pub fn find(&self, alias: &str) -> Option<usize> {
        self.0.find(alias)
    }

    /// The key entry that is presented when nobody asks for a name: the flagged one in CMS, or the only one there.
    /// `None` where the format has no such mark, and where GSKit would present nothing.
    pub fn default_entry(&self) -> Option<usize> {
        self.0.default_entry()
    }

    /// The key entry that carries the mark of the default one; `None` where none does, even if only one key is there.
    /// Always `None` in formats other than GSKit's.
    pub fn marked_default(&self) -> Option<usize> {
        self.0.marked_default()
    }

    /// Whether the bytes are those that a holder of the password wrote.
    pub fn integrity(&self) -> Integrity {
        self.0.integrity()
    }

    /// What is odd about the file and did not stop us.
    pub fn notes(&self) -> &[Note] {
        self.0.notes()
    }

    /// Writes for this reader from now on. New keys and parts are sealed with its algorithms; in PKCS#12 so is
    /// everything that is there, in PEM and in formats with one protection only what is there stays as it is.
    ///
    /// # Errors
    /// `NotInFormat` when the reader does not read this format; in PKCS#12 `Locked` when a part was not opened and
    /// `KeyLocked` when a key has a password of its own. The store is then as it was.
    ///
    /// Cost: two derivations for each key of a PKCS#12 store.
    pub fn use_profile(&mut self, profile: WriteProfile, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        if !profile.reads(self.format()) {
            let (format, what) = (
                self.format(),
                "be written for that reader, which does not read them",
            );
            return Err(EditError::NotInFormat { format, what });
        }
        self.0.use_profile(profile, env)
    }

    /// Takes names as they are spelled from now on, as Java's `CaseExactJKS` does, which has the same bytes as JKS.
    /// A JKS file with two names that differ in case only is taken so by itself; BKS, UBER and BCFKS always are.
    ///
    /// # Errors
    /// `NotInFormat` where the format folds names or has none.
    pub fn use_exact_aliases(&mut self) -> Result<(), EditError> {
        self.0.use_exact_aliases()
    }

    /// Makes a JKS store one of JCEKS, as Java does when it opens the one as the other and writes it. Entries keep their
    /// bytes, keys the protection they have.
    ///
    /// # Errors
    /// `NotInFormat` for any other format.
    ///
    /// Cost: none until it is written. Source: OpenJDK `com.sun.crypto.provider.JceKeyStore.engineLoad`, which reads both.
    pub fn use_jceks(&mut self) -> Result<(), EditError> {
        self.0.use_jceks()
    }

    /// Takes the mark of trust from a certificate and keeps the certificate (GSKit's databases only).
    ///
    /// # Errors
    /// `NotInFormat` where the format has no such mark, `NoSuchEntry`, `WrongKind` for what is no certificate.
    pub fn distrust(&mut self, index: usize) -> Result<(), EditError> {
        self.0.distrust(index)
    }

    /// From when on GSKit refuses the password, in seconds since 1970; 0 = never. A new password takes the date away.
    ///
    /// # Errors
    /// `NotInFormat` where the format has no such date.
    pub fn expire_password_at(&mut self, unix: u32) -> Result<(), EditError> {
        self.0.expire_password_at(unix)
    }

    /// Changes one entry. On an error the store is as it was.
    ///
    /// # Errors
    /// [`EditError`]; a name that exists is never overwritten.
    pub fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        self.0.edit(edit, env)
    }

    /// The bytes of the file. Without edits exactly those that were read.
    ///
    /// `password` is the store's; `None` = the one it was read with or given by `SetPassword`.
    ///
    /// # Errors
    /// `WrongPassword` when `password` is not the store's, `NeedsPassword` when none is known and one is needed.
    pub fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        self.0.write(password, env)
    }
}

/// Shows format and entries, no secrets.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("format", &self.format())
            .field("entries", &self.entries())
            .finish()
    }
}

/// Whether the bytes are those that a holder of the password wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// The format, or this file, has no such check.
    Absent,
    /// There is one, and no password to check it with.
    NotChecked,
    /// Checked with the password given.
    Verified,
}

/// Something odd about a file that did not stop the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Bytes after the end of the store; real tools ignore them, and so does `write`, which keeps them.
    BytesAfterEnd {
        /// Where they begin.
        offset: usize,
        /// How many.
        len: usize,
    },
    /// An END marker and the next BEGIN marker of a PEM file stand on one line: OpenSSL stops there. Any edit puts the
    /// missing line end in.
    GluedMarkers {
        /// Where the BEGIN marker starts.
        offset: usize,
    },
    /// A BEGIN marker of a PEM file stands behind blanks: OpenSSL does not see the block.
    IndentedMarker {
        /// Where the marker starts.
        offset: usize,
    },
    /// A part of the store is encrypted and no password was given: its entries are not listed.
    LockedPart {
        /// What it is.
        what: &'static str,
    },
    /// The file has a date after which GSKit refuses its password (GSKit 107).
    PasswordExpiry {
        /// Seconds since 1970.
        unix: i64,
    },
    /// Two entries that the format's own tools take for one: only the later is reachable there.
    ShadowedAlias {
        /// The name.
        alias: String,
        /// The entry that is hidden.
        index: usize,
    },
    /// The name is in a case that the format's own tools never look up.
    UnreachableAlias {
        /// The name.
        alias: String,
        /// The entry.
        index: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BytesAfterEnd { offset, len } => {
                write!(f, "{len} bytes after the end of the store at {offset:#x}")
            }
            Self::GluedMarkers { offset } => {
                write!(
                    f,
                    "END and BEGIN markers share a line at {offset:#x}: a line end is missing between two files"
                )
            }
            Self::IndentedMarker { offset } => {
                write!(
                    f,
                    "BEGIN marker at {offset:#x} stands behind blanks: OpenSSL does not see this block"
                )
            }
            Self::LockedPart { what } => write!(
                f,
                "{what} is encrypted and was not read, as no password was given"
            ),
            Self::PasswordExpiry { unix } => {
                write!(
                    f,
                    "the store's password expires {unix} seconds after 1970; GSKit refuses it from then on"
                )
            }
            Self::ShadowedAlias { alias, index } => {
                write!(
                    f,
                    "entry {index} is hidden behind a later one of the same name {alias:?}"
                )
            }
            Self::UnreachableAlias { alias, index } => {
                write!(
                    f,
                    "entry {index} {alias:?}: Java looks names up in lower case and does not reach it"
                )
            }
        }
    }
}

/// What each format implements; one type per format, behind [`Store`].
pub(crate) trait Form: CloneForm + Send + Sync {
    fn format(&self) -> Format;
    fn entries(&self) -> &[Entry];
    fn find(&self, alias: &str) -> Option<usize>;
    fn default_entry(&self) -> Option<usize> {
        None
    }
    fn marked_default(&self) -> Option<usize> {
        None
    }
    fn distrust(&mut self, _index: usize) -> Result<(), EditError> {
        let (format, what) = (self.format(), "hold a certificate that is not trusted");
        Err(EditError::NotInFormat { format, what })
    }
    fn expire_password_at(&mut self, _unix: u32) -> Result<(), EditError> {
        let (format, what) = (self.format(), "have a date for their password");
        Err(EditError::NotInFormat { format, what })
    }
    /// Called for profiles that read the format.
    fn use_profile(&mut self, _profile: WriteProfile, _env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        Ok(())
    }
    fn use_exact_aliases(&mut self) -> Result<(), EditError> {
        let (format, what) = (self.format(), "keep the case of names");
        Err(EditError::NotInFormat { format, what })
    }
    fn use_jceks(&mut self) -> Result<(), EditError> {
        let (format, what) = (self.format(), "become JCEKS");
        Err(EditError::NotInFormat { format, what })
    }
    fn integrity(&self) -> Integrity;
    fn notes(&self) -> &[Note];
    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError>;
    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError>;
}

/// Lets a boxed form be cloned.
pub(crate) trait CloneForm {
    fn clone_form(&self) -> Box<dyn Form>;
}

impl<T: Form + Clone + 'static> CloneForm for T {
    fn clone_form(&self) -> Box<dyn Form> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Form> {
    fn clone(&self) -> Self {
        (**self).clone_form()
    }
}

/// First bytes of KeePass 1 and 2.
const KEEPASS: [u8; 4] = [0x03, 0xd9, 0xa2, 0x9a];
