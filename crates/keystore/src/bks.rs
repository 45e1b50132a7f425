//! BKS and UBER: the keystores of BouncyCastle.
//!
//! | item | size | meaning |
//! |---|---|---|
//! | version | 4 | BKS 1 or 2, UBER 1 |
//! | salt | 4 + n | length, salt |
//! | rounds | 4 | of the PKCS#12 derivation |
//! | entries | | until a type byte 0; in a UBER they and their SHA-1 are encrypted to the end of the file |
//! | MAC | 20 | BKS: HMAC-SHA-1 over entries and the 0; its key has 20 bytes, in version 1 only 2 |
//!
//! Entry: type(1), alias `utf`, date(8), chain length(4), certificates, then by type: 1 a certificate; 2 a key in
//! the clear: kind(1), format `utf`, algorithm `utf`, length(4), bytes; 3 length(4), bytes; 4 length(4), the bytes of
//! a 2 sealed by PBEWithSHAAnd3-KeyTripleDES-CBC behind salt and rounds of their own. UBER: Twofish-256-CBC.
//!
//! Names are case-sensitive. Source: BouncyCastle 1.72 `BcKeyStoreSpi`.

mod entries;
mod write;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::cipher;
use crate::digest::{Hash, Purpose};
use crate::edit::{Edit, Place};
use crate::entry::{Body, Entry, LockedKey};
use crate::error::{EditError, ParseError, UnlockError, WriteError};
use crate::limits::Limits;
use crate::modified_utf8;
use crate::pbe::{KdfPassword, checked_rounds};
use crate::reader::{ReadError, Reader};
use crate::secret::{Password, PrivateKey, WriteEnv, same_secret};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// Reads a BKS or UBER keystore. Version 1 of both begins alike: what cannot be a BKS is tried as UBER.
///
/// Without a password a BKS is listed and its MAC is not checked; a UBER cannot be read.
///
/// # Errors
/// `BadMac` — wrong password *or* altered bytes. `NeedsPassword` for a UBER. `OverLimit`, `LengthPastEnd`,
/// `Structure`, `Unsupported` with offset and alias; inside a UBER the offset is that of the ciphertext.
///
/// Cost: one pass and one derivation.
pub(crate) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    limits: &Limits,
) -> Result<BouncyStore, ParseError> {
    let header = read_header(bytes)?;
    if crate::sniff::sniff(bytes) == Some(Format::Uber) {
        return read_uber(bytes, &header, password, limits);
    }
    let as_bks = read_bks(bytes, &header, password, limits);
    let is_certain = header.version == 2 || as_bks.as_ref().is_ok_and(|store| store.verified);
    if is_certain {
        return as_bks;
    }
    // Unverified, and not to the last byte a BKS: without its password a UBER cannot be told from it.
    let is_whole = as_bks.as_ref().is_ok_and(|store| store.notes.is_empty());
    match read_uber(bytes, &header, password, limits) {
        Err(error) if password.is_none() && !is_whole => Err(error),
        Err(_) => as_bks,
        as_uber => as_uber,
    }
}

/// A BKS or UBER store.
#[derive(Clone)]
pub(crate) struct BouncyStore {
    format: Format,
    header: Header,
    entries: Vec<Entry>,
    /// One per entry, in the same order.
    pieces: Vec<Piece>,
    /// The file as read; empty for a new store.
    original: Arc<[u8]>,
    /// Where the MAC ends in `original`.
    end: usize,
    password: Option<Password>,
    limits: Limits,
    verified: bool,
    edited: bool,
    notes: Vec<Note>,
}

#[derive(Clone)]
struct Header {
    version: u32,
    salt: Vec<u8>,
    rounds: u32,
    rounds_offset: usize,
    /// Where the entries begin.
    end: usize,
}

/// How an entry is written again.
#[derive(Clone)]
enum Piece {
    Encoded(Zeroizing<Vec<u8>>),
    NewCertificate,
    NewKey {
        key: PrivateKey,
        password: Option<Password>,
    },
}

impl BouncyStore {
    /// A store without entries, as BouncyCastle 1.72 writes it.
    pub(crate) fn empty(format: Format) -> Self {
        let version = if format == Format::Uber { 1 } else { 2 };
        Self {
            format,
            header: Header {
                version,
                salt: vec![0; 20],
                rounds: 2048,
                rounds_offset: 0,
                end: 0,
            },
            entries: Vec::new(),
            pieces: Vec::new(),
            original: Arc::new([]),
            end: 0,
            password: None,
            limits: Limits::default(),
            verified: false,
            edited: true,
            notes: Vec::new(),
        }
    }

    fn free_alias(&self, alias: Option<&str>, but: Option<usize>) -> Result<String, EditError> {
        let alias = alias
            .ok_or(EditError::AliasNeeded { format: self.format })?
            .to_owned();
        if modified_utf8::encode(&alias).len() > usize::from(u16::MAX) {
            return Err(EditError::BadAlias {
                alias,
                why: "longer than 65535 bytes",
            });
        }
        match self.find(&alias) {
            Some(index) if Some(index) != but => Err(EditError::AliasExists { alias, index }),
            _ => Ok(alias),
        }
    }

    fn existing(&self, index: usize) -> Result<&Entry, EditError> {
        let len = self.entries.len();
        self.entries
            .get(index)
            .ok_or(EditError::NoSuchEntry { index, len })
    }

    fn insert(&mut self, place: Place, entry: Entry, piece: Piece) {
        let at = match place {
            Place::First => 0,
            Place::Last => self.entries.len(),
        };
        self.entries.insert(at, entry);
        self.pieces.insert(at, piece);
    }

    /// Whether the file was made with this password.
    fn opens(&self, password: &Password) -> bool {
        let limits = Limits::default();
        read(&self.original, Some(password), &limits)
            .is_ok_and(|store| store.format == self.format && store.verified)
    }

    fn replace_key(
        &mut self,
        index: usize,
        body: Body,
        piece: Piece,
        created_ms: i64,
    ) -> Result<(), EditError> {
        let found = self.existing(index)?.kind_name();
        if found != "private-key" {
            return Err(EditError::WrongKind { index, found });
        }
        self.pieces[index] = piece;
        let entry = &mut self.entries[index];
        (entry.created_ms, entry.body) = (Some(created_ms), body);
        Ok(())
    }

    fn rename(&mut self, index: usize, alias: &str) -> Result<(), EditError> {
        self.existing(index)?;
        let alias = self.free_alias(Some(alias), Some(index))?;
        if let Piece::Encoded(bytes) = &mut self.pieces[index] {
            let old_len = usize::from(u16::from_be_bytes([bytes[1], bytes[2]]));
            bytes.splice(1..3 + old_len, write::utf(&alias));
        }
        self.entries[index].alias = Some(alias);
        Ok(())
    }

    fn set_password(&mut self, old: Option<&Password>, new: &Password) -> Result<(), EditError> {
        match (&self.password, old) {
            (Some(known), Some(old)) if known != old => return Err(EditError::WrongPassword),
            (Some(_), _) => {}
            (None, _) if self.original.is_empty() => {}
            (None, None) => return Err(EditError::Locked),
            (None, Some(old)) if !self.opens(old) => return Err(EditError::WrongPassword),
            (None, Some(_)) => {}
        }
        self.password = Some(new.clone());
        Ok(())
    }
}

impl Form for BouncyStore {
    fn format(&self) -> Format {
        self.format
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Exact spelling: BouncyCastle folds nothing.
    fn find(&self, alias: &str) -> Option<usize> {
        self.entries
            .iter()
            .rposition(|entry| entry.alias() == Some(alias))
    }

    fn integrity(&self) -> Integrity {
        if self.verified {
            Integrity::Verified
        } else {
            Integrity::NotChecked
        }
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        let created_ms = Some(env.now_ms);
        match edit {
            Edit::Trust {
                alias,
                certificate,
                place,
            } => {
                let alias = Some(self.free_alias(alias.as_deref(), None)?);
                let body = Body::TrustedCert {
                    certificate: certificate.clone(),
                    trusted: true,
                };
                self.insert(
                    *place,
                    Entry {
                        alias,
                        created_ms,
                        body,
                    },
                    Piece::NewCertificate,
                );
            }
            Edit::PutKey {
                alias,
                key,
                chain,
                key_password,
                place,
            } => {
                let alias = Some(self.free_alias(alias.as_deref(), None)?);
                let piece = Piece::NewKey {
                    key: key.clone(),
                    password: key_password.clone(),
                };
                let body = key_body(key, chain);
                self.insert(
                    *place,
                    Entry {
                        alias,
                        created_ms,
                        body,
                    },
                    piece,
                );
            }
            Edit::ReplaceIdentity {
                index,
                key,
                chain,
                key_password,
            } => {
                let piece = Piece::NewKey {
                    key: key.clone(),
                    password: key_password.clone(),
                };
                self.replace_key(*index, key_body(key, chain), piece, env.now_ms)?;
            }
            Edit::Remove { index } => {
                self.existing(*index)?;
                self.entries.remove(*index);
                self.pieces.remove(*index);
            }
            Edit::Rename { index, alias } => self.rename(*index, alias)?,
            Edit::SetPassword { old, new } => self.set_password(old.as_ref(), new)?,
            Edit::SetDefault { .. } => {
                return Err(EditError::NotInFormat {
                    format: self.format,
                    what: "mark a default entry",
                });
            }
        }
        self.edited = true;
        Ok(())
    }

    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        if !self.edited {
            return Ok(self.original.to_vec());
        }
        let wrong = WriteError::WrongPassword { format: self.format };
        let password = match (&self.password, password) {
            (Some(known), Some(given)) if known != given => return Err(wrong),
            (Some(known), _) => known,
            (None, Some(given)) if self.original.is_empty() || self.opens(given) => given,
            (None, Some(_)) => return Err(wrong),
            (None, None) => return Err(WriteError::NeedsPassword { format: self.format }),
        };
        self.encode(password, env)
    }
}

fn key_body(key: &PrivateKey, chain: &[Certificate]) -> Body {
    Body::PrivateKey {
        chain: chain.to_vec(),
        key: LockedKey::clear(key.clone()),
    }
}

fn read_header(bytes: &[u8]) -> Result<Header, ParseError> {
    let mut reader = Reader::new(bytes);
    let mut read = || -> Result<Header, ReadError> {
        let version = reader.u32("version")?;
        let salt = reader.run_u32("salt")?.to_vec();
        let rounds_offset = reader.offset();
        let rounds = reader.u32("iteration count")?;
        Ok(Header {
            version,
            salt,
            rounds,
            rounds_offset,
            end: reader.offset(),
        })
    };
    read().map_err(|error| ParseError::from_read(Format::Bks, None, error))
}

fn read_bks(
    bytes: &[u8],
    header: &Header,
    password: Option<&Password>,
    limits: &Limits,
) -> Result<BouncyStore, ParseError> {
    let format = Format::Bks;
    let mut reader = Reader::at(&bytes[header.end..], header.end);
    let (entries, pieces) = entries::read(&mut reader, format, limits)?;
    let body = &bytes[header.end..reader.offset()];
    let mac = reader
        .take(20, "MAC")
        .map_err(|error| ParseError::from_read(format, None, error))?;
    let mut fitting = None;
    if let Some(password) = password {
        let key_len = if header.version == 1 { 2 } else { 20 };
        for form in forms(password) {
            let key = derive(format, header, &form, Purpose::Mac, key_len, limits)?;
            if same_secret(&Hash::Sha1.hmac(&key, body), mac) {
                fitting = Some(password);
            }
        }
        // An empty password stands for none in BouncyCastle: the MAC is then not checked.
        if fitting.is_none() && !password.as_bytes().is_empty() {
            return Err(ParseError::BadMac { format });
        }
    }
    Ok(store(
        format,
        header,
        (entries, pieces),
        (bytes, reader.offset()),
        fitting,
        limits,
    ))
}

fn read_uber(
    bytes: &[u8],
    header: &Header,
    password: Option<&Password>,
    limits: &Limits,
) -> Result<BouncyStore, ParseError> {
    let format = Format::Uber;
    let password = password.ok_or(ParseError::NeedsPassword { format })?;
    for form in forms(password) {
        let key = derive(format, header, &form, Purpose::Key, 32, limits)?;
        let iv = derive(format, header, &form, Purpose::Iv, 16, limits)?;
        let clear = cipher::twofish_blocks(&key, &iv, &bytes[header.end..]);
        let clear = clear.expect("key and vector have the lengths of the cipher");
        let mut reader = Reader::at(&clear, header.end);
        // With a wrong key anything can come out, so what is wrong inside is not worth telling.
        let Ok(found) = entries::read(&mut reader, format, limits) else {
            continue;
        };
        let body = &clear[..reader.offset() - header.end];
        let digest = reader.take(20, "digest").unwrap_or_default();
        if same_secret(&Hash::Sha1.digest(&[body]), digest) {
            return Ok(store(
                format,
                header,
                found,
                (bytes, bytes.len()),
                Some(password),
                limits,
            ));
        }
    }
    Err(ParseError::BadMac { format })
}

fn store(
    format: Format,
    header: &Header,
    (entries, pieces): (Vec<Entry>, Vec<Piece>),
    (bytes, end): (&[u8], usize),
    password: Option<&Password>,
    limits: &Limits,
) -> BouncyStore {
    let left = bytes.len() - end;
    let notes = if left > 0 {
        vec![Note::BytesAfterEnd {
            offset: end,
            len: left,
        }]
    } else {
        Vec::new()
    };
    BouncyStore {
        format,
        header: header.clone(),
        entries,
        pieces,
        original: bytes.into(),
        end,
        password: password.cloned(),
        limits: limits.clone(),
        verified: password.is_some(),
        edited: false,
        notes,
    }
}

/// BouncyCastle gives an empty password no terminator.
fn forms(password: &Password) -> Vec<KdfPassword> {
    match password.as_bytes() {
        [] => vec![KdfPassword::absent(), KdfPassword::new(password)],
        _ => vec![KdfPassword::new(password)],
    }
}

fn derive(
    format: Format,
    header: &Header,
    password: &KdfPassword,
    purpose: Purpose,
    len: usize,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, ParseError> {
    let (offset, alias) = (header.rounds_offset, None);
    match checked_rounds(u64::from(header.rounds), limits.max_kdf_rounds) {
        Ok(rounds) => Ok(Hash::Sha1.pkcs12_kdf(purpose, &password.wide, &header.salt, rounds, len)),
        Err(UnlockError::OverLimit { found, limit }) => Err(ParseError::OverLimit {
            format,
            offset,
            alias,
            what: "iteration count",
            found,
            limit,
        }),
        Err(_) => Err(ParseError::Malformed {
            format,
            offset,
            alias,
            what: "iteration count is zero",
        }),
    }
}
