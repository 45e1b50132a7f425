//! Entries with a name each, and how each is written again: what JKS, JCEKS, BKS, UBER and BCFKS have in common.

use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::edit::{Edit, Place};
use crate::entry::{Body, Entry, LockedKey};
use crate::error::EditError;
use crate::modified_utf8;
use crate::secret::{Password, PrivateKey, SecretKey, WriteEnv};
use crate::sniff::Format;

/// Whether two names that differ in case are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// They are two, and are stored as given.
    Exact,
    /// They are one, and are stored in lower case.
    Lower,
}

/// The entries of a store and, in the same order, where their bytes are.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) format: Format,
    pub(crate) case: Case,
    pub(crate) entries: Vec<Entry>,
    pub(crate) pieces: Vec<Piece>,
    /// What [`Piece::Kept`] points into: the file, or what was decrypted of it.
    pub(crate) source: Arc<Zeroizing<Vec<u8>>>,
}

/// How an entry is written again.
#[derive(Clone)]
pub(crate) enum Piece {
    /// As it was read, but under another name.
    Changed(Zeroizing<Vec<u8>>),
    /// As it was read.
    Kept(Range<usize>),
    NewCertificate,
    /// A key put in by an edit; it is sealed when the store is written.
    NewKey {
        key: PrivateKey,
        password: Option<Password>,
    },
    NewSecret {
        key: SecretKey,
        password: Option<Password>,
    },
}

impl Named {
    /// No entries.
    pub(crate) fn empty(format: Format, case: Case) -> Self {
        let source = Arc::new(Zeroizing::new(Vec::new()));
        Self {
            format,
            case,
            entries: Vec::new(),
            pieces: Vec::new(),
            source,
        }
    }

    /// The bytes of an entry that keeps them.
    pub(crate) fn encoded<'a>(&'a self, piece: &'a Piece) -> Option<&'a [u8]> {
        match piece {
            Piece::Changed(bytes) => Some(bytes),
            Piece::Kept(range) => self.source.get(range.clone()),
            _ => None,
        }
    }

    /// Exact spelling first, then, where case does not matter, lower case; the later of two.
    pub(crate) fn find(&self, alias: &str) -> Option<usize> {
        let exact = |wanted: &str| {
            self.entries
                .iter()
                .rposition(|entry| entry.alias() == Some(wanted))
        };
        match self.case {
            Case::Exact => exact(alias),
            Case::Lower => exact(alias).or_else(|| exact(&alias.to_lowercase())),
        }
    }

    /// Applies every edit that concerns entries. `renamed` gives the bytes of an entry under another name.
    ///
    /// # Errors
    /// [`EditError`]; nothing is changed then. Passwords and default marks are the format's own.
    pub(crate) fn apply(
        &mut self,
        edit: &Edit,
        env: &WriteEnv<'_>,
        renamed: fn(&[u8], &str) -> Vec<u8>,
    ) -> Result<(), EditError> {
        match edit {
            Edit::Trust {
                alias,
                certificate,
                place,
            } => {
                let body = Body::TrustedCert {
                    certificate: certificate.clone(),
                    trusted: true,
                };
                self.add(alias.as_deref(), body, *place, Piece::NewCertificate, env)
            }
            Edit::PutKey {
                alias,
                key,
                chain,
                key_password,
                place,
            } => {
                let (body, piece) = new_key(key, chain, key_password.as_ref());
                self.add(alias.as_deref(), body, *place, piece, env)
            }
            Edit::PutSecret {
                alias,
                key,
                key_password,
                place,
            } => {
                let body = Body::SecretKey {
                    key: LockedKey::clear_secret(key.clone()),
                };
                let piece = Piece::NewSecret {
                    key: key.clone(),
                    password: key_password.clone(),
                };
                self.add(alias.as_deref(), body, *place, piece, env)
            }
            Edit::ReplaceIdentity {
                index,
                key,
                chain,
                key_password,
            } => {
                let found = self.existing(*index)?.kind_name();
                if found != "private-key" {
                    return Err(EditError::WrongKind { index: *index, found });
                }
                let (body, piece) = new_key(key, chain, key_password.as_ref());
                self.pieces[*index] = piece;
                let entry = &mut self.entries[*index];
                (entry.created_ms, entry.body) = (Some(env.now_ms), body);
                Ok(())
            }
            Edit::Remove { index } => {
                self.existing(*index)?;
                self.entries.remove(*index);
                self.pieces.remove(*index);
                Ok(())
            }
            Edit::Rename { index, alias } => self.rename(*index, alias, renamed),
            Edit::PutRequest { .. } => Err(EditError::NotInFormat {
                format: self.format,
                what: "hold requests",
            }),
            Edit::SetDefault { .. } | Edit::SetPassword { .. } => Err(EditError::NotInFormat {
                format: self.format,
                what: "mark a default entry",
            }),
        }
    }

    fn add(
        &mut self,
        alias: Option<&str>,
        body: Body,
        place: Place,
        piece: Piece,
        env: &WriteEnv<'_>,
    ) -> Result<(), EditError> {
        let alias = Some(self.free_alias(alias, None)?);
        let at = match place {
            Place::First => 0,
            Place::Last => self.entries.len(),
        };
        let created_ms = Some(env.now_ms);
        self.entries.insert(
            at,
            Entry {
                alias,
                created_ms,
                body,
            },
        );
        self.pieces.insert(at, piece);
        Ok(())
    }

    fn rename(
        &mut self,
        index: usize,
        alias: &str,
        renamed: fn(&[u8], &str) -> Vec<u8>,
    ) -> Result<(), EditError> {
        self.existing(index)?;
        let alias = self.free_alias(Some(alias), Some(index))?;
        if let Some(bytes) = self.encoded(&self.pieces[index]) {
            self.pieces[index] = Piece::Changed(Zeroizing::new(renamed(bytes, &alias)));
        }
        self.entries[index].alias = Some(alias);
        Ok(())
    }

    fn existing(&self, index: usize) -> Result<&Entry, EditError> {
        let len = self.entries.len();
        self.entries
            .get(index)
            .ok_or(EditError::NoSuchEntry { index, len })
    }

    /// The name as it is stored, if it is free.
    fn free_alias(&self, alias: Option<&str>, but: Option<usize>) -> Result<String, EditError> {
        let alias = alias.ok_or(EditError::AliasNeeded { format: self.format })?;
        let folded = |alias: &str| match self.case {
            Case::Exact => alias.to_owned(),
            Case::Lower => alias.to_lowercase(),
        };
        let wanted = folded(alias);
        if modified_utf8::encode(&wanted).len() > usize::from(u16::MAX) {
            let why = "longer than 65535 bytes";
            return Err(EditError::BadAlias { alias: wanted, why });
        }
        let taken = |(index, entry): (usize, &Entry)| {
            let there = entry.alias().unwrap_or_default();
            let is_same = match self.case {
                Case::Exact => there == wanted,
                Case::Lower => there == wanted || there.to_lowercase() == wanted,
            };
            (is_same && Some(index) != but).then(|| (index, there.to_owned()))
        };
        match self.entries.iter().enumerate().find_map(taken) {
            Some((index, alias)) => Err(EditError::AliasExists { alias, index }),
            None => Ok(wanted),
        }
    }
}

fn new_key(key: &PrivateKey, chain: &[Certificate], password: Option<&Password>) -> (Body, Piece) {
    let body = Body::PrivateKey {
        chain: chain.to_vec(),
        key: LockedKey::clear(key.clone()),
    };
    let piece = Piece::NewKey {
        key: key.clone(),
        password: password.cloned(),
    };
    (body, piece)
}

/// A string of Java behind its two-byte length. Names are checked for their length when they are set.
pub(crate) fn utf(text: &str) -> Vec<u8> {
    let bytes = modified_utf8::encode(text);
    let len = u16::try_from(bytes.len()).expect("names are at most 65535 bytes");
    [&len.to_be_bytes(), bytes.as_slice()].concat()
}

/// `bytes` with the string of Java that starts at `at` replaced by another.
pub(crate) fn with_utf(bytes: &[u8], at: usize, text: &str) -> Vec<u8> {
    let old = usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    [&bytes[..at], utf(text).as_slice(), &bytes[at + 2 + old..]].concat()
}
