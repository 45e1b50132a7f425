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

use crate::cipher;
use crate::digest::{Hash, Purpose};
use crate::edit::Edit;
use crate::entry::Entry;
use crate::error::{EditError, ParseError, UnlockError, WriteError};
use crate::kdf::checked_rounds;
use crate::limits::Limits;
use crate::named::{Case, Named, Piece, with_utf};
use crate::pbe::KdfPassword;
use crate::reader::{ReadError, Reader};
use crate::secret::{Password, WriteEnv, same_secret};
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
    named: Named,
    header: Header,
    /// The file as read; empty for a new store.
    original: Arc<Zeroizing<Vec<u8>>>,
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

impl BouncyStore {
    /// A store without entries, as BouncyCastle 1.72 writes it.
    pub(crate) fn empty(format: Format) -> Self {
        let version = if format == Format::Uber { 1 } else { 2 };
        let named = Named::empty(format, Case::Exact);
        Self {
            header: Header {
                version,
                salt: vec![0; 20],
                rounds: 2048,
                rounds_offset: 0,
                end: 0,
            },
            original: Arc::clone(&named.source),
            named,
            end: 0,
            password: None,
            limits: Limits::default(),
            verified: false,
            edited: true,
            notes: Vec::new(),
        }
    }

    /// Whether the file was made with this password.
    fn opens(&self, password: &Password) -> bool {
        let limits = Limits::default();
        read(&self.original, Some(password), &limits)
            .is_ok_and(|store| store.named.format == self.named.format && store.verified)
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
        self.named.format
    }

    fn entries(&self) -> &[Entry] {
        &self.named.entries
    }

    /// Exact spelling: BouncyCastle folds nothing.
    fn find(&self, alias: &str) -> Option<usize> {
        self.named.find(alias)
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

    fn use_exact_aliases(&mut self) -> Result<(), EditError> {
        Ok(())
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        match edit {
            Edit::SetPassword { old, new } => self.set_password(old.as_ref(), new)?,
            edit => self.named.apply(edit, env, renamed)?,
        }
        self.edited = true;
        Ok(())
    }

    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        if !self.edited {
            return Ok(self.original.to_vec());
        }
        let format = self.named.format;
        let password = match (&self.password, password) {
            (Some(known), Some(given)) if known != given => return Err(WriteError::WrongPassword { format }),
            (Some(known), _) => known,
            (None, Some(given)) if self.original.is_empty() || self.opens(given) => given,
            (None, Some(_)) => return Err(WriteError::WrongPassword { format }),
            (None, None) => return Err(WriteError::NeedsPassword { format }),
        };
        self.encode(password, env)
    }
}

/// The alias stands behind the byte of the type.
fn renamed(entry: &[u8], alias: &str) -> Vec<u8> {
    with_utf(entry, 1, alias)
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
    let original = Arc::new(Zeroizing::new(bytes.to_vec()));
    let named = Named {
        format,
        case: Case::Exact,
        entries,
        pieces,
        source: Arc::clone(&original),
    };
    Ok(store(named, header, (original, reader.offset()), fitting, limits))
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
        let Ok((entries, mut pieces)) = entries::read(&mut reader, format, limits) else {
            continue;
        };
        let body = &clear[..reader.offset() - header.end];
        let digest = reader.take(20, "digest").unwrap_or_default();
        if same_secret(&Hash::Sha1.digest(&[body]), digest) {
            for piece in &mut pieces {
                if let Piece::Kept(range) = piece {
                    *range = range.start - header.end..range.end - header.end;
                }
            }
            let named = Named {
                format,
                case: Case::Exact,
                entries,
                pieces,
                source: Arc::new(clear),
            };
            let original = Arc::new(Zeroizing::new(bytes.to_vec()));
            return Ok(store(
                named,
                header,
                (original, bytes.len()),
                Some(password),
                limits,
            ));
        }
    }
    Err(ParseError::BadMac { format })
}

fn store(
    named: Named,
    header: &Header,
    (original, end): (Arc<Zeroizing<Vec<u8>>>, usize),
    password: Option<&Password>,
    limits: &Limits,
) -> BouncyStore {
    let left = original.len() - end;
    let notes = if left > 0 {
        vec![Note::BytesAfterEnd {
            offset: end,
            len: left,
        }]
    } else {
        Vec::new()
    };
    BouncyStore {
        named,
        header: header.clone(),
        original,
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
