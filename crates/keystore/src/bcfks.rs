//! BCFKS: the keystore of BouncyCastle's FIPS module.
//!
//! | level | content |
//! |---|---|
//! | file | SEQUENCE{ sealed store, integrity } |
//! | sealed store | SEQUENCE{ PBES2 algorithm, OCTET STRING } |
//! | integrity | SEQUENCE{ MAC algorithm, key derivation, OCTET STRING }, over the bytes of the sealed store |
//! | store | SEQUENCE{ INTEGER 1, MAC algorithm, created, modified, SEQUENCE OF entry, comment? } |
//! | entry | SEQUENCE{ INTEGER kind, UTF8String name, created, modified, OCTET STRING, comment? } |
//! | 0 | certificate |
//! | 1, 3 | SEQUENCE{ EncryptedPrivateKeyInfo, SEQUENCE OF certificate } |
//! | 2, 4 | SEQUENCE{ PBES2 algorithm, OCTET STRING }, inside SEQUENCE{ OID, OCTET STRING } |
//!
//! PBES2 is PBKDF2 (HMAC-SHA-512 or HMAC-SHA3-512) or scrypt with AES-256-CCM or AES-256 key wrap with padding. The
//! derivation takes the password in UTF-16 with two zero bytes, then a word for its purpose in the same form. Names are
//! case-sensitive. The date that BouncyCastle shows is the later one.
//!
//! Source: BouncyCastle 1.72 `BcFKSKeyStoreSpi`, `org.bouncycastle.asn1.bc`.

mod read;
mod sealing;
mod write;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bcfks::sealing::{Check, Sealing};
use crate::edit::Edit;
use crate::entry::Entry;
use crate::error::{EditError, WriteError};
use crate::limits::Limits;
use crate::named::{Case, Named};
use crate::secret::{Password, WriteEnv};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

pub(crate) use crate::bcfks::read::read;

/// A BCFKS store.
#[derive(Clone)]
pub(crate) struct FipsStore {
    named: Named,
    /// The file as read; empty for a new store.
    original: Arc<Zeroizing<Vec<u8>>>,
    /// Where the store ends in `original`.
    end: usize,
    /// How the whole is sealed, and new keys are.
    sealing: Sealing,
    check: Check,
    /// Encoded, as it stands in the store; empty for a new one.
    created: Vec<u8>,
    /// The comment behind the entries, encoded; mostly empty.
    comment: Vec<u8>,
    password: Option<Password>,
    limits: Limits,
    integrity: Integrity,
    edited: bool,
    notes: Vec<Note>,
}

impl FipsStore {
    /// A store without entries, as BouncyCastle 1.72 writes it.
    pub(crate) fn empty() -> Self {
        let named = Named::empty(Format::Bcfks, Case::Exact);
        Self {
            original: Arc::clone(&named.source),
            named,
            end: 0,
            sealing: Sealing::usual(),
            check: Check::usual(),
            created: Vec::new(),
            comment: Vec::new(),
            password: None,
            limits: Limits::default(),
            integrity: Integrity::NotChecked,
            edited: true,
            notes: Vec::new(),
        }
    }
}

impl Form for FipsStore {
    fn format(&self) -> Format {
        Format::Bcfks
    }

    fn entries(&self) -> &[Entry] {
        &self.named.entries
    }

    fn find(&self, alias: &str) -> Option<usize> {
        self.named.find(alias)
    }

    fn integrity(&self) -> Integrity {
        self.integrity
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn use_exact_aliases(&mut self) -> Result<(), EditError> {
        Ok(())
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        match edit {
            Edit::SetPassword { old, new } => {
                if let (Some(known), Some(old)) = (&self.password, old)
                    && known != old
                {
                    return Err(EditError::WrongPassword);
                }
                self.password = Some(new.clone());
            }
            Edit::PutKey { chain, .. } if chain.is_empty() => {
                let (format, what) = (Format::Bcfks, "hold a key without its certificate");
                return Err(EditError::NotInFormat { format, what });
            }
            edit => self.named.apply(edit, env, write::renamed)?,
        }
        self.edited = true;
        Ok(())
    }

    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        if !self.edited {
            return Ok(self.original.to_vec());
        }
        let format = Format::Bcfks;
        let password = match (&self.password, password) {
            (Some(known), Some(given)) if known != given => return Err(WriteError::WrongPassword { format }),
            (Some(known), _) => known,
            (None, Some(given)) => given,
            (None, None) => return Err(WriteError::NeedsPassword { format }),
        };
        self.encode(password, env)
    }
}
