//! JKS and JCEKS: the two keystores of Java that share one frame.
//!
//! | item | size | meaning |
//! |---|---|---|
//! | magic | 4 | `FEEDFEED` JKS, `CECECECE` JCEKS |
//! | version | 4 | 2; in 1 certificates have no type string |
//! | count | 4 | entries; negative = none |
//! | entry | | tag(4), alias `utf`, date(8, ms since 1970), then by tag |
//! | 1 | | length(4), EncryptedPrivateKeyInfo, chain length(4), certificates |
//! | 2 | | one certificate |
//! | 3 | | JCEKS: a Java object stream, see `jceks.rs` |
//! | certificate | | type `utf`, length(4), DER |
//! | digest | 20 | SHA-1(password in UTF-16BE, `Mighty Aphrodite`, all bytes before) |
//!
//! `utf` is a two-byte length and Java's modified UTF-8. Source: OpenJDK `JavaKeyStore.engineLoad`,
//! `com.sun.crypto.provider.JceKeyStore`.

mod protect;
mod write;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::digest::Hash;
use crate::edit::Edit;
use crate::entry::{Body, Entry, LockedKey};
use crate::error::{EditError, ParseError, WriteError};
use crate::jceks;
use crate::jks::protect::ProtectedKey;
use crate::limits::Limits;
use crate::modified_utf8;
use crate::named::{Case, Named, Piece, with_utf};
use crate::reader::{ReadError, Reader};
use crate::secret::{Password, WriteEnv, same_secret};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// Reads a JKS or JCEKS keystore, by its magic. `bytes` is the whole file.
///
/// Entries come back in file order, aliases as written, duplicates included. Without a password the digest
/// is not checked, as in Java.
///
/// # Errors
/// `BadMac` — wrong password *or* altered bytes: the format cannot tell them apart. `LengthPastEnd`,
/// `Malformed`, `Structure`, `OverLimit`, `Unsupported` with offset and alias.
///
/// Cost: one pass and one SHA-1 over the file.
pub(crate) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    limits: &Limits,
) -> Result<JavaStore, ParseError> {
    let format = if bytes.starts_with(&JCEKS_MAGIC) {
        Format::Jceks
    } else {
        Format::Jks
    };
    let mut parser = Parser {
        format,
        reader: Reader::new(bytes),
        version: 2,
        certificates: 0,
        limits,
    };
    let (entries, pieces) = parser.entries()?;
    let body_len = parser.reader.offset();
    let digest = parser
        .reader
        .take(20, "digest")
        .map_err(|error| parser.error(None, error))?;
    if let Some(password) = password
        && !same_secret(digest, &store_digest(password, &bytes[..body_len]))
    {
        return Err(ParseError::BadMac { format });
    }
    let notes = notes(&entries, bytes.len() - parser.reader.left(), parser.reader.left());
    let named = Named {
        format,
        case: case_of(format, &entries),
        entries,
        pieces,
        source: Arc::new(Zeroizing::new(bytes.to_vec())),
    };
    Ok(JavaStore {
        named,
        version: parser.version,
        body_len,
        password: password.cloned(),
        verified: password.is_some(),
        edited: false,
        notes,
    })
}

/// A JKS or JCEKS store.
#[derive(Clone)]
pub(crate) struct JavaStore {
    named: Named,
    version: u32,
    /// Bytes of the file that its digest covers.
    body_len: usize,
    password: Option<Password>,
    verified: bool,
    edited: bool,
    notes: Vec<Note>,
}

impl JavaStore {
    /// A store without entries, as Java writes it today.
    pub(crate) fn empty(format: Format) -> Self {
        Self {
            named: Named::empty(format, Case::Lower),
            version: 2,
            body_len: 0,
            password: None,
            verified: false,
            edited: true,
            notes: Vec::new(),
        }
    }

    fn set_password(&mut self, old: Option<&Password>, new: &Password) -> Result<(), EditError> {
        match (&self.password, old) {
            (Some(known), Some(old)) if known != old => return Err(EditError::WrongPassword),
            (Some(_), _) => {}
            (None, _) if self.is_new() => {}
            (None, None) => return Err(EditError::Locked),
            (None, Some(old)) if !self.opens(old) => return Err(EditError::WrongPassword),
            (None, Some(_)) => {}
        }
        self.password = Some(new.clone());
        Ok(())
    }

    fn is_new(&self) -> bool {
        self.named.source.is_empty()
    }

    /// Whether the digest in the file was made with this password.
    fn opens(&self, password: &Password) -> bool {
        let (body, rest) = self.named.source.split_at(self.body_len);
        rest.starts_with(&store_digest(password, body))
    }
}

impl Form for JavaStore {
    fn format(&self) -> Format {
        self.named.format
    }

    fn entries(&self) -> &[Entry] {
        &self.named.entries
    }

    /// Exact spelling first (as in a CaseExactJKS, which has the same magic), then lower case as Java asks.
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
        if self.named.format == Format::Jceks {
            let (format, what) = (Format::Jceks, "keep the case of names");
            return Err(EditError::NotInFormat { format, what });
        }
        self.named.case = Case::Exact;
        self.notes
            .retain(|note| !matches!(note, Note::UnreachableAlias { .. }));
        Ok(())
    }

    fn use_jceks(&mut self) -> Result<(), EditError> {
        self.edited |= self.named.format != Format::Jceks;
        self.named.format = Format::Jceks;
        Ok(())
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        match edit {
            Edit::SetPassword { old, new } => self.set_password(old.as_ref(), new)?,
            Edit::PutSecret { .. } if self.named.format == Format::Jks => {
                let (format, what) = (Format::Jks, "hold secret keys: JCEKS and PKCS#12 can");
                return Err(EditError::NotInFormat { format, what });
            }
            edit => self.named.apply(edit, env, renamed)?,
        }
        self.edited = true;
        self.notes
            .retain(|note| matches!(note, Note::BytesAfterEnd { .. }));
        let all = alias_notes(&self.named.entries).into_iter();
        let is_exact = self.named.case == Case::Exact;
        self.notes
            .extend(all.filter(|note| !is_exact || !matches!(note, Note::UnreachableAlias { .. })));
        Ok(())
    }

    fn write(&self, password: Option<&Password>, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let original = &self.named.source;
        if !self.edited {
            return Ok(original.to_vec());
        }
        let format = self.named.format;
        let password = match (&self.password, password) {
            (Some(known), Some(given)) if known != given => return Err(WriteError::WrongPassword { format }),
            (Some(known), _) => known,
            (None, Some(given)) if self.is_new() || self.opens(given) => given,
            (None, Some(_)) => return Err(WriteError::WrongPassword { format }),
            (None, None) => return Err(WriteError::NeedsPassword { format }),
        };
        let mut out = self.encode(password, env)?;
        let digest = store_digest(password, &out);
        out.extend_from_slice(&digest);
        let after = (self.body_len + 20).min(original.len());
        out.extend_from_slice(&original[after..]);
        Ok(out)
    }
}

/// The alias stands behind the four bytes of the tag.
fn renamed(entry: &[u8], alias: &str) -> Vec<u8> {
    with_utf(entry, 4, alias)
}

/// Java's own JKS cannot hold two names that differ in case only: a file with such is a CaseExactJKS.
fn case_of(format: Format, entries: &[Entry]) -> Case {
    let mut names = std::collections::BTreeMap::new();
    for name in entries.iter().filter_map(Entry::alias) {
        let spelled = names.entry(name.to_lowercase()).or_insert(name);
        if *spelled != name && format == Format::Jks {
            return Case::Exact;
        }
    }
    Case::Lower
}

struct Parser<'a> {
    format: Format,
    reader: Reader<'a>,
    version: u32,
    /// Certificates seen so far, in all chains.
    certificates: usize,
    limits: &'a Limits,
}

impl Parser<'_> {
    fn entries(&mut self) -> Result<(Vec<Entry>, Vec<Piece>), ParseError> {
        self.reader
            .take(4, "magic")
            .map_err(|error| self.error(None, error))?;
        let at = self.reader.offset();
        self.version = self
            .reader
            .u32("version")
            .map_err(|error| self.error(None, error))?;
        if !matches!(self.version, 1 | 2) {
            return Err(self.unsupported(at, None, format!("version {}", self.version)));
        }
        let at = self.reader.offset();
        let count = self
            .reader
            .u32("entry count")
            .map_err(|error| self.error(None, error))?;
        let count = if count > i32::MAX as u32 {
            0
        } else {
            count as usize
        };
        self.within_limit(at, None, "entry count", count)?;
        let (mut entries, mut pieces) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let start = self.reader.offset();
            entries.push(self.entry()?);
            pieces.push(Piece::Kept(start..self.reader.offset()));
        }
        Ok((entries, pieces))
    }

    fn entry(&mut self) -> Result<Entry, ParseError> {
        let at = self.reader.offset();
        let tag = self
            .reader
            .u32("entry tag")
            .map_err(|error| self.error(None, error))?;
        let is_known = matches!((tag, self.format), (1 | 2, _) | (3, Format::Jceks));
        if !is_known {
            return Err(self.unsupported(at, None, format!("entry tag {tag}")));
        }
        let alias = self.utf("alias")?;
        let fields = self.fields(tag, &alias);
        let (created_ms, body) = fields?;
        Ok(Entry {
            alias: Some(alias),
            created_ms: Some(created_ms),
            body,
        })
    }

    fn fields(&mut self, tag: u32, alias: &str) -> Result<(i64, Body), ParseError> {
        let date = self
            .reader
            .u64("creation date")
            .map_err(|error| self.error(Some(alias), error))?;
        let body = match tag {
            1 => self.private_key(alias)?,
            2 => {
                let certificate = self.certificate(alias)?;
                Body::TrustedCert {
                    certificate,
                    trusted: true,
                }
            }
            _ => {
                let sealed = jceks::read_sealed(&mut self.reader, self.limits)
                    .map_err(|error| error.into_parse(self.format, alias))?;
                Body::SecretKey {
                    key: LockedKey::new(sealed),
                }
            }
        };
        Ok((date as i64, body))
    }

    fn private_key(&mut self, alias: &str) -> Result<Body, ParseError> {
        let alias_of = Some(alias);
        let sealed = self
            .reader
            .run_u32("private key")
            .map_err(|error| self.error(alias_of, error))?;
        let at = self.reader.offset();
        let count = self
            .reader
            .u32("chain length")
            .map_err(|error| self.error(alias_of, error))?;
        let count = if count > i32::MAX as u32 {
            0
        } else {
            count as usize
        };
        self.within_limit(
            at,
            alias_of,
            "certificate count",
            self.certificates.saturating_add(count),
        )?;
        let mut chain = Vec::new();
        for _ in 0..count {
            chain.push(self.certificate(alias)?);
        }
        let key = ProtectedKey {
            sealed: sealed.to_vec(),
            max_rounds: self.limits.max_kdf_rounds,
        };
        Ok(Body::PrivateKey {
            chain,
            key: LockedKey::new(key),
        })
    }

    fn certificate(&mut self, alias: &str) -> Result<Certificate, ParseError> {
        if self.version == 2 {
            let at = self.reader.offset();
            let kind = self.utf("certificate type")?;
            if kind != "X.509" {
                return Err(self.unsupported(at, Some(alias), format!("certificate type {kind:?}")));
            }
        }
        self.certificates += 1;
        let der = self
            .reader
            .run_u32("certificate")
            .map_err(|error| self.error(Some(alias), error))?;
        let start = self.reader.offset() - der.len();
        Certificate::parse(der).map_err(|error| self.error(Some(alias), error.moved(start)))
    }

    fn utf(&mut self, what: &'static str) -> Result<String, ParseError> {
        let at = self.reader.offset();
        let bytes = self
            .reader
            .u16(what)
            .and_then(|len| self.reader.take(usize::from(len), what));
        let bytes = bytes.map_err(|error| self.error(None, error))?;
        let bad = ReadError::BadValue { what, offset: at };
        modified_utf8::decode(bytes).ok_or_else(|| self.error(None, bad))
    }

    fn within_limit(
        &self,
        offset: usize,
        alias: Option<&str>,
        what: &'static str,
        found: usize,
    ) -> Result<(), ParseError> {
        if found <= self.limits.max_entries {
            return Ok(());
        }
        let (format, alias) = (self.format, alias.map(str::to_owned));
        let (found, limit) = (found as u64, self.limits.max_entries as u64);
        Err(ParseError::OverLimit {
            format,
            offset,
            alias,
            what,
            found,
            limit,
        })
    }

    fn unsupported(&self, offset: usize, alias: Option<&str>, what: String) -> ParseError {
        ParseError::Unsupported {
            format: self.format,
            offset,
            alias: alias.map(str::to_owned),
            what,
        }
    }

    fn error(&self, alias: Option<&str>, error: ReadError) -> ParseError {
        ParseError::from_read(self.format, alias, error)
    }
}

/// The digest that ends a store.
fn store_digest(password: &Password, body: &[u8]) -> [u8; 20] {
    let digest = Hash::Sha1.digest(&[&password.utf16be(), b"Mighty Aphrodite", body]);
    digest.as_slice().try_into().expect("SHA-1 has 20 bytes")
}

fn notes(entries: &[Entry], end: usize, left: usize) -> Vec<Note> {
    let mut notes = alias_notes(entries);
    if left > 0 {
        notes.push(Note::BytesAfterEnd {
            offset: end,
            len: left,
        });
    }
    notes
}

/// Names that Java cannot reach, or reaches in another entry. Cost: O(n log n).
fn alias_notes(entries: &[Entry]) -> Vec<Note> {
    let mut last = std::collections::BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        last.insert(entry.alias().unwrap_or_default(), index);
    }
    let mut notes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let alias = entry.alias().unwrap_or_default();
        if last.get(alias) != Some(&index) {
            notes.push(Note::ShadowedAlias {
                alias: alias.to_owned(),
                index,
            });
        } else if alias.to_lowercase() != alias {
            notes.push(Note::UnreachableAlias {
                alias: alias.to_owned(),
                index,
            });
        }
    }
    notes
}

const JCEKS_MAGIC: [u8; 4] = [0xce; 4];
