//! PKCS#12, as Java, OpenSSL, GnuTLS, NSS and others write it.
//!
//! | level | content |
//! |---|---|
//! | PFX | SEQUENCE{ INTEGER 3, ContentInfo data{ OCTET STRING }, MacData OPTIONAL } |
//! | in the OCTET STRING | SEQUENCE OF safe: ContentInfo, plain (`data`) or `encryptedData` |
//! | safe | SEQUENCE OF bag{ OID, \[0\] value, SET OF attribute OPTIONAL } |
//! | MacData | DigestInfo, salt, rounds DEFAULT 1; or PBMAC1 as the DigestInfo's algorithm |
//!
//! Indefinite lengths and strings in pieces are read. Entries are built as Java builds them (see `entries.rs`).
//! A safe that no edit touched is written as the bytes it was read as; one that was is encrypted anew with its
//! own algorithm and rounds.
//!
//! Source: RFC 7292, RFC 9879; OpenJDK `sun.security.pkcs12.PKCS12KeyStore`.

mod bag;
mod edit;
mod entries;
mod mac;
mod read;
mod write;

use std::sync::Arc;

use crate::edit::Edit;
use crate::entry::Entry;
use crate::error::{EditError, WriteError};
use crate::limits::Limits;
use crate::pbe::{KdfPassword, Scheme};
use crate::pkcs12::bag::Bag;
use crate::pkcs12::entries::Source;
use crate::pkcs12::mac::Mac;
pub(crate) use crate::pkcs12::read::read;
use crate::profile::WriteProfile;
use crate::secret::{Password, WriteEnv};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// A PKCS#12 store.
#[derive(Clone)]
pub(crate) struct Pkcs12Store {
    version: u64,
    /// The file as read; empty for a new store.
    original: Arc<[u8]>,
    /// Where the PFX ends in `original`.
    end: usize,
    safes: Vec<Safe>,
    mac: Option<Mac>,
    opened: Option<Opened>,
    /// How new keys are sealed: as the file's own, where it has one.
    key_scheme: Scheme,
    /// How a new safe of certificates is sealed.
    certificate_scheme: Scheme,
    entries: Vec<Entry>,
    /// One per entry, in the same order.
    sources: Vec<Source>,
    limits: Limits,
    integrity: Integrity,
    notes: Vec<Note>,
    edited: bool,
}

/// The password that opened the store, and the form of it that did.
#[derive(Clone)]
struct Opened {
    password: Password,
    kdf: KdfPassword,
}

/// One ContentInfo of the AuthenticatedSafe.
#[derive(Clone)]
struct Safe {
    /// Its bytes; `None` when they must be made.
    encoded: Option<Vec<u8>>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// Encrypted and not opened, or of a kind not known here.
    Closed,
    /// `scheme` is `None` for a plain safe.
    Open { scheme: Option<Scheme>, bags: Vec<Bag> },
}

impl Safe {
    fn bags(&self) -> &[Bag] {
        match &self.content {
            Content::Closed => &[],
            Content::Open { bags, .. } => bags,
        }
    }

    /// The bags, to be changed: the safe is then written anew.
    fn bags_mut(&mut self) -> Option<&mut Vec<Bag>> {
        match &mut self.content {
            Content::Closed => None,
            Content::Open { bags, .. } => {
                self.encoded = None;
                Some(bags)
            }
        }
    }
}

impl Pkcs12Store {
    /// A store without entries, with the algorithms of Java 17.
    pub(crate) fn empty() -> Self {
        Self {
            version: 3,
            original: Arc::new([]),
            end: 0,
            safes: Vec::new(),
            mac: Some(Mac::java17()),
            opened: None,
            key_scheme: Scheme::java17(),
            certificate_scheme: Scheme::java17(),
            entries: Vec::new(),
            sources: Vec::new(),
            limits: Limits::default(),
            integrity: Integrity::NotChecked,
            notes: Vec::new(),
            edited: true,
        }
    }

    /// Builds entries and notes again from the bags.
    fn rebuild(&mut self) {
        let built = entries::build(&self.safes, self.limits.max_kdf_rounds);
        (self.entries, self.sources) = (built.entries, built.sources);
        self.notes = entries::alias_notes(&self.entries);
        for safe in &self.safes {
            if matches!(safe.content, Content::Closed) {
                self.notes.push(Note::LockedPart {
                    what: "a part of the store",
                });
            }
        }
        if self.end < self.original.len() {
            self.notes.push(Note::BytesAfterEnd {
                offset: self.end,
                len: self.original.len() - self.end,
            });
        }
    }
}

impl Form for Pkcs12Store {
    fn format(&self) -> Format {
        Format::Pkcs12
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Names are compared in lower case, as Java does on load and on use.
    fn find(&self, alias: &str) -> Option<usize> {
        let wanted = alias.to_lowercase();
        self.entries
            .iter()
            .rposition(|entry| entry.alias().is_some_and(|name| name.to_lowercase() == wanted))
    }

    fn integrity(&self) -> Integrity {
        self.integrity
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn use_profile(&mut self, profile: WriteProfile, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        if let Some(suite) = profile.suite() {
            *self = self.resealed(suite, env)?;
        }
        Ok(())
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        *self = self.edited(edit, env)?;
        Ok(())
    }

    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        if !self.edited {
            return Ok(self.original.to_vec());
        }
        self.encode(password, env)
    }
}
