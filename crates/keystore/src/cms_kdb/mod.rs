//! GSKit's databases: keys and certificates (`.kdb`), requests (`.rdb`), revocation lists (`.crl`), and the stash.
//!
//! | Part | Where |
//! |---|---|
//! | header, verifier, integrity value | `header.rs` |
//! | slots of equal size, each free or with one record | `record.rs` |
//! | the three databases under one password | `siblings.rs` |
//! | the stash | `stash.rs` |
//!
//! Source: docs/formats/kdb.md. Certificates and labels are in the clear, keys are not.

mod edits;
mod header;
mod record;
mod secret;
mod siblings;
mod stash;

pub use self::header::CmsVersion;
pub use self::siblings::{CmsFiles, PasswordChangeError, change_password};
pub use self::stash::{StashError, StashVersion, read_stash, write_stash};
pub(crate) use self::stash::{can_be_stash, is_surely_stash};

use self::header::Header;
use self::record::{DEFAULT, Record, Slot, TRUSTED};
use crate::certificate::Certificate;
use crate::edit::Edit;
use crate::entry::{Body, Entry, LockedKey, Unlock};
use crate::error::{EditError, ParseError, UnlockError, WriteError};
use crate::issuers::Issuers;
use crate::keys::{EncryptedKey, Widening};
use crate::limits::Limits;
use crate::reader::Reader;
use crate::secret::{Password, PrivateKey, WriteEnv, same_secret};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// A database: header, slots in file order, and what they mean.
#[derive(Clone)]
pub(crate) struct Database {
    header: Header,
    slots: Vec<Slot>,
    /// The bytes as they were read; nothing for a new file.
    original: Option<Vec<u8>>,
    is_changed: bool,
    /// Proved against the file, or set by an edit.
    password: Option<Password>,
    max_rounds: u64,
    entries: Vec<Entry>,
    /// For each entry its slot.
    places: Vec<usize>,
    notes: Vec<Note>,
}

impl Database {
    /// Reads a database of any of the three kinds. Without a password nothing is proved.
    ///
    /// Entries come in slot order, labels as they are; free slots are kept and not listed. A personal certificate's chain
    /// is what GSKit presents with it: the certificate, then its issuers among the trusted signers.
    ///
    /// # Errors
    /// `WrongPassword` when the verifier differs, `Altered` when only the integrity value does; `Malformed`, `Structure`,
    /// `LengthPastEnd`, `Unsupported`, `OverLimit` with their offsets.
    ///
    /// Cost: one pass, one hash over the file with a password.
    pub(crate) fn read(
        format: Format,
        bytes: &[u8],
        password: Option<&Password>,
        limits: &Limits,
    ) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let (header, proof, count) = Header::read(format, &mut reader)?;
        if count > limits.max_entries {
            let (what, found, limit) = ("slot count", count as u64, limits.max_entries as u64);
            return Err(ParseError::OverLimit {
                format,
                offset: 0x14,
                alias: None,
                what,
                found,
                limit,
            });
        }
        let broken = |error| ParseError::from_read(format, None, error);
        let mut slots = Vec::new();
        let mut first_error = None;
        for _ in 0..count {
            let origin = reader.offset();
            let raw = reader.take(header.slot_size as usize, "slot").map_err(broken)?;
            match Slot::read(raw, origin, format == Format::CmsRdb) {
                Ok(slot) => slots.push(slot),
                Err(error) => {
                    first_error = first_error.or(Some(broken(error)));
                    slots.push(Slot {
                        raw: raw.to_vec(),
                        record: None,
                    });
                }
            }
        }
        if let Some(password) = password {
            let wanted = header.proof(&slots, password);
            if !same_secret(&wanted.verifier, &proof.verifier) {
                return Err(ParseError::WrongPassword { format });
            }
            if !same_secret(&wanted.integrity, &proof.integrity) {
                return Err(ParseError::Altered { format });
            }
        }
        if let Some(error) = first_error {
            return Err(error);
        }
        let mut database = Self {
            header,
            slots,
            original: Some(bytes.to_vec()),
            is_changed: false,
            password: password.cloned(),
            max_rounds: limits.max_kdf_rounds,
            entries: Vec::new(),
            places: Vec::new(),
            notes: Vec::new(),
        };
        database.assemble();
        Ok(database)
    }

    /// A database without records: keys, requests or revocation lists.
    pub(crate) fn empty(format: Format, version: CmsVersion) -> Self {
        let header = Header {
            format,
            version,
            kind: if format == Format::CmsKdb { 2 } else { 1 },
            expiry: 0,
            slot_size: SLOT_SIZE,
            salt: [0; 24],
        };
        Self {
            header,
            slots: Vec::new(),
            original: None,
            is_changed: true,
            password: None,
            max_rounds: Limits::default().max_kdf_rounds,
            entries: Vec::new(),
            places: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Makes entries and notes of the slots.
    fn assemble(&mut self) {
        self.entries.clear();
        self.places.clear();
        let signers = self.trusted_signers();
        let issuers = Issuers::new(signers.iter().enumerate());
        for (place, slot) in self.slots.iter().enumerate() {
            let Some(record) = &slot.record else { continue };
            self.entries.push(Entry {
                alias: Some(record.label_text()),
                created_ms: None,
                body: self.entry_body(record, &signers, &issuers),
            });
            self.places.push(place);
        }
        self.notes = self.shadowed_labels();
        if self.header.expiry != 0 {
            self.notes.push(Note::PasswordExpiry {
                unix: i64::from(self.header.expiry),
            });
        }
    }

    fn entry_body(&self, record: &Record, signers: &[Certificate], issuers: &Issuers<'_>) -> Body {
        match &record.body {
            record::Body::Personal { certificate, key } => Body::PrivateKey {
                chain: match Certificate::from_der(certificate) {
                    Some(leaf) => {
                        let above: Vec<Certificate> = issuers
                            .above(&leaf)
                            .into_iter()
                            .map(|at| signers[at].clone())
                            .collect();
                        [vec![leaf], above].concat()
                    }
                    None => Vec::new(),
                },
                key: self.locked(key),
            },
            record::Body::Request { request, key } => Body::Request {
                der: request.clone(),
                key: self.locked(key),
            },
            record::Body::Secret(_) => Body::Opaque {
                what: "secret key".to_owned(),
            },
            record::Body::Signer(certificate) => match Certificate::from_der(certificate) {
                Some(certificate) => match self.secret_in(&certificate) {
                    Some(key) => Body::SecretKey { key },
                    None => Body::TrustedCert {
                        certificate,
                        trusted: record.has(TRUSTED),
                    },
                },
                None => Body::Opaque {
                    what: "certificate that cannot be parsed".to_owned(),
                },
            },
        }
    }

    fn locked(&self, key: &[u8]) -> LockedKey {
        match EncryptedKey::read(key, 0, self.max_rounds, Widening::Bytes) {
            Ok(key) => LockedKey::new(key),
            Err(_) => LockedKey::new(DamagedKey),
        }
    }

    /// The secret key that a certificate of ours carries.
    fn secret_in(&self, certificate: &Certificate) -> Option<LockedKey> {
        let sealed = secret::sealed_in(certificate)?;
        let key = EncryptedKey::read(&sealed, 0, self.max_rounds, Widening::Bytes).ok()?;
        Some(LockedKey::new(secret::SealedSecret(key)))
    }

    fn personal_entries(&self) -> Vec<usize> {
        (0..self.entries.len())
            .filter(|index| matches!(self.entries[*index].body, Body::PrivateKey { .. }))
            .collect()
    }

    fn trusted_signers(&self) -> Vec<Certificate> {
        let records = self.slots.iter().filter_map(|slot| slot.record.as_ref());
        let trusted = records
            .filter(|record| record.has(TRUSTED))
            .filter_map(|record| match &record.body {
                record::Body::Signer(certificate) => Certificate::from_der(certificate),
                _ => None,
            });
        trusted.collect()
    }

    fn shadowed_labels(&self) -> Vec<Note> {
        let labels: Vec<&str> = self
            .entries
            .iter()
            .map(|entry| entry.alias().unwrap_or_default())
            .collect();
        let mut sorted: Vec<usize> = (0..labels.len()).collect();
        sorted.sort_by_key(|index| (labels[*index], *index));
        let pairs = sorted
            .windows(2)
            .filter(|pair| labels[pair[0]] == labels[pair[1]]);
        pairs
            .map(|pair| Note::ShadowedAlias {
                alias: labels[pair[0]].to_owned(),
                index: pair[0],
            })
            .collect()
    }

    /// Whether `password` is the one of this database; every password fits a new one.
    fn is_password(&self, password: &Password) -> bool {
        match (&self.password, &self.original) {
            (Some(known), _) => known == password,
            (None, Some(original)) => {
                let limits = Limits {
                    max_bytes: usize::MAX,
                    max_entries: usize::MAX,
                    ..Limits::default()
                };
                Self::read(self.header.format, original, Some(password), &limits).is_ok()
            }
            (None, None) => true,
        }
    }
}

impl Form for Database {
    fn format(&self) -> Format {
        self.header.format
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Labels are compared byte for byte.
    fn find(&self, alias: &str) -> Option<usize> {
        self.entries
            .iter()
            .rposition(|entry| entry.alias() == Some(alias))
    }

    fn integrity(&self) -> Integrity {
        match (&self.original, &self.password) {
            (Some(_), None) => Integrity::NotChecked,
            _ => Integrity::Verified,
        }
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The flagged personal certificate, the later of two; without a flag the only one there is.
    fn default_entry(&self) -> Option<usize> {
        match (self.marked_default(), self.personal_entries().as_slice()) {
            (Some(marked), _) => Some(marked),
            (None, [only]) => Some(*only),
            _ => None,
        }
    }

    fn marked_default(&self) -> Option<usize> {
        let is_marked = |index: &usize| {
            let record = self.slots[self.places[*index]].record.as_ref();
            record.is_some_and(|record| record.has(DEFAULT))
        };
        self.personal_entries().into_iter().rev().find(is_marked)
    }

    fn distrust(&mut self, index: usize) -> Result<(), EditError> {
        self.clear_trust(index)?;
        self.is_changed = true;
        self.assemble();
        Ok(())
    }

    fn expire_password_at(&mut self, unix: u32) -> Result<(), EditError> {
        self.header.expiry = unix;
        self.is_changed = true;
        self.assemble();
        Ok(())
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        let mut next = self.clone();
        next.apply(edit, env)?;
        next.assemble();
        *self = next;
        Ok(())
    }

    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let format = self.header.format;
        if password.is_some_and(|password| !self.is_password(password)) {
            return Err(WriteError::WrongPassword { format });
        }
        if let (Some(original), false) = (&self.original, self.is_changed) {
            return Ok(original.clone());
        }
        let password = password
            .or(self.password.as_ref())
            .ok_or(WriteError::NeedsPassword { format })?;
        if !stash::is_usable(password) {
            let why = "it must have 1 to 128 bytes and no zero byte";
            return Err(WriteError::PasswordUnusable { format, why });
        }
        let mut header = self.header.clone();
        if self.original.is_none() {
            header.salt = new_salt(env);
        }
        Ok(header.write(&self.slots, password))
    }
}

/// 23 random bytes and a zero, as native tools draw it.
fn new_salt(env: &mut WriteEnv<'_>) -> [u8; 24] {
    let mut salt = env.random::<24>();
    salt[23] = 0;
    salt
}

/// A key whose EncryptedPrivateKeyInfo cannot be walked.
struct DamagedKey;

impl Unlock for DamagedKey {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Err(UnlockError::Malformed {
            what: "not an EncryptedPrivateKeyInfo",
        })
    }

    fn protection(&self) -> String {
        "unknown".to_owned()
    }
}

/// In every sample of every writer.
const SLOT_SIZE: u32 = 5000;

#[cfg(test)]
mod tests;
