//! BCFKS, the way in.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bcfks::FipsStore;
use crate::bcfks::sealing::{Check, Purpose, Sealing};
use crate::certificate::Certificate;
use crate::der::{self, Der, Element, tag};
use crate::digest::Hash;
use crate::entry::{Body, Entry, LockedKey, Unlock};
use crate::error::{ParseError, UnlockError};
use crate::kdf::Kdf;
use crate::limits::Limits;
use crate::named::{Case, Named, Piece};
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, SecretKey};
use crate::secret_names;
use crate::sniff::Format;
use crate::store::{Integrity, Note};
use crate::time;

/// Reads a BCFKS store. Nothing of it is in the clear, so the password is needed.
///
/// # Errors
/// `NeedsPassword`; `BadMac` — wrong password *or* altered bytes; `OverLimit`, `LengthPastEnd`, `Malformed`,
/// `Structure`, `Unsupported` with offset and alias; inside the sealed store the offset counts from where it stands.
///
/// Cost: one pass and two derivations.
pub(crate) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    limits: &Limits,
) -> Result<FipsStore, ParseError> {
    let mut file = Der::new(bytes);
    let mut parts = file.sequence("store").map_err(broken)?;
    let end = file.offset();
    let store = parts.expect(tag::SEQUENCE, "sealed store").map_err(broken)?;
    let (check, mac, check_offset) = read_check(&mut parts)?;
    let mut fields = store.children();
    let algorithm = fields
        .expect(tag::SEQUENCE, "protection algorithm")
        .map_err(broken)?;
    let sealing = Sealing::read(algorithm.children())
        .map_err(broken)?
        .map_err(|what| unsupported(algorithm.offset, what))?;
    let sealed = fields.expect(tag::OCTET_STRING, "sealed store").map_err(broken)?;
    let password = password.ok_or(ParseError::NeedsPassword {
        format: Format::Bcfks,
    })?;
    let fits = check.fits(password, store.full, &mac, limits.max_kdf_rounds);
    if !fits.map_err(|error| derivation_error(error, check_offset))? {
        return Err(BAD_MAC);
    }
    let clear = sealing.open(password, Purpose::Store, sealed.content, limits.max_kdf_rounds);
    let clear = clear.map_err(|error| derivation_error(error, algorithm.offset))?;
    let origin = sealed.content_offset;
    let inside = Inside::read(&clear, origin, &check, limits)?;
    let notes = match bytes.len() - end {
        0 => Vec::new(),
        len => vec![Note::BytesAfterEnd { offset: end, len }],
    };
    let integrity = match check {
        Check::Mac { .. } => Integrity::Verified,
        Check::Signature => Integrity::NotChecked,
    };
    let Inside {
        entries,
        pieces,
        created,
        comment,
    } = inside;
    Ok(FipsStore {
        named: Named {
            format: Format::Bcfks,
            case: Case::Exact,
            entries,
            pieces,
            source: Arc::new(clear),
        },
        original: Arc::new(Zeroizing::new(bytes.to_vec())),
        end,
        sealing,
        check,
        created,
        comment,
        password: Some(password.clone()),
        limits: limits.clone(),
        integrity,
        edited: false,
        notes,
    })
}

/// The integrity check, its value, and where it stands.
fn read_check(parts: &mut Der<'_>) -> Result<(Check, Vec<u8>, usize), ParseError> {
    let offset = parts.offset();
    if parts.peek_tag() == Some(tag::context_constructed(0)) {
        return Ok((Check::Signature, Vec::new(), offset));
    }
    let mut fields = parts.sequence("integrity check").map_err(broken)?;
    let read = || -> Result<_, ReadError> {
        let mut algorithm = fields.sequence("MAC algorithm")?;
        let oid = algorithm
            .expect(tag::OID, "MAC algorithm")?
            .oid("MAC algorithm")?;
        let kdf = Kdf::read(&mut fields.sequence("MAC key derivation")?)?;
        let mac = fields.expect(tag::OCTET_STRING, "MAC")?.content.to_vec();
        Ok((Hash::from_hmac_oid(oid).ok_or(oid), kdf, mac))
    };
    let mut read = read;
    let (hash, kdf, mac) = read().map_err(broken)?;
    let hash = hash.map_err(|oid| unsupported(offset, format!("MAC algorithm {oid}")))?;
    let kdf = kdf.map_err(|what| unsupported(offset, what))?;
    Ok((Check::Mac { hash, kdf }, mac, offset))
}

/// What the sealed store holds.
struct Inside {
    entries: Vec<Entry>,
    pieces: Vec<Piece>,
    created: Vec<u8>,
    comment: Vec<u8>,
}

impl Inside {
    fn read(clear: &[u8], origin: usize, check: &Check, limits: &Limits) -> Result<Self, ParseError> {
        let mut fields = Der::at(clear, origin).sequence("store").map_err(broken)?;
        fields.expect(tag::INTEGER, "store version").map_err(broken)?;
        let algorithm = fields
            .expect(tag::SEQUENCE, "integrity algorithm")
            .map_err(broken)?;
        if check
            .algorithm()
            .is_some_and(|wanted| !same_algorithm(algorithm.full, &wanted))
        {
            return Err(malformed(
                algorithm.offset,
                None,
                "integrity algorithm is not the one outside",
            ));
        }
        let created = fields.any("creation date").map_err(broken)?.full.to_vec();
        fields.any("modification date").map_err(broken)?;
        let row = fields.expect(tag::SEQUENCE, "entries").map_err(broken)?;
        let comment = fields.rest().to_vec();
        let mut walk = Walk {
            limits,
            certificates: 0,
        };
        let (mut entries, mut pieces) = (Vec::new(), Vec::new());
        let mut rows = row.children();
        while !rows.is_empty() {
            let offset = rows.offset();
            if entries.len() >= limits.max_entries {
                return Err(walk.over_limit(offset, "entry count", entries.len() + 1));
            }
            let element = rows.expect(tag::SEQUENCE, "entry").map_err(broken)?;
            entries.push(walk.entry(&element)?);
            let start = offset - origin;
            pieces.push(Piece::Kept(start..start + element.full.len()));
        }
        Ok(Self {
            entries,
            pieces,
            created,
            comment,
        })
    }
}

struct Walk<'a> {
    limits: &'a Limits,
    certificates: usize,
}

impl Walk<'_> {
    fn entry(&mut self, element: &Element<'_>) -> Result<Entry, ParseError> {
        let mut fields = element.children();
        let kind = fields
            .expect(tag::INTEGER, "entry kind")
            .and_then(|kind| kind.unsigned("entry kind"));
        let kind = kind.map_err(broken)?;
        let name = fields.expect(tag::UTF8_STRING, "entry name").map_err(broken)?;
        let alias = std::str::from_utf8(name.content)
            .map_err(|_| malformed(name.offset, None, "entry name is not UTF-8"))?
            .to_owned();
        let named = |error| ParseError::from_read(Format::Bcfks, Some(&alias), error);
        fields.any("creation date").map_err(named)?;
        let modified = fields.any("modification date").map_err(named)?;
        let seconds = time::read(modified, "modification date").map_err(named)?;
        let content = fields.expect(tag::OCTET_STRING, "entry content").map_err(named)?;
        let body = match kind {
            0 => Body::TrustedCert {
                certificate: self.certificate(content.content, content.content_offset, &alias)?,
                trusted: true,
            },
            1 | 3 => self.private_key(&content, &alias)?,
            2 | 4 => Body::SecretKey {
                key: LockedKey::new(SealedSecret {
                    sealed: content.content.to_vec(),
                    max_rounds: self.limits.max_kdf_rounds,
                }),
            },
            other => {
                let (offset, what) = (element.offset, format!("entry kind {other}"));
                return Err(ParseError::Unsupported {
                    format: Format::Bcfks,
                    offset,
                    alias: Some(alias),
                    what,
                });
            }
        };
        Ok(Entry {
            alias: Some(alias),
            created_ms: Some(seconds.saturating_mul(1000)),
            body,
        })
    }

    fn private_key(&mut self, content: &Element<'_>, alias: &str) -> Result<Body, ParseError> {
        let named = |error| ParseError::from_read(Format::Bcfks, Some(alias), error);
        let mut fields = Der::at(content.content, content.content_offset)
            .sequence("private key")
            .map_err(named)?;
        let sealed = fields
            .expect(tag::SEQUENCE, "sealed private key")
            .map_err(named)?;
        let row = fields.expect(tag::SEQUENCE, "chain").map_err(named)?;
        let (mut rows, mut chain) = (row.children(), Vec::new());
        while !rows.is_empty() {
            let certificate = rows.any("certificate").map_err(named)?;
            chain.push(self.certificate(certificate.full, certificate.offset, alias)?);
        }
        let key = SealedPrivate {
            sealed: sealed.full.to_vec(),
            max_rounds: self.limits.max_kdf_rounds,
        };
        Ok(Body::PrivateKey {
            chain,
            key: LockedKey::new(key),
        })
    }

    fn certificate(&mut self, der: &[u8], offset: usize, alias: &str) -> Result<Certificate, ParseError> {
        self.certificates += 1;
        if self.certificates > self.limits.max_entries {
            return Err(self.over_limit(offset, "certificate count", self.certificates));
        }
        Certificate::parse(der)
            .map_err(|error| ParseError::from_read(Format::Bcfks, Some(alias), error.moved(offset)))
    }

    fn over_limit(&self, offset: usize, what: &'static str, found: usize) -> ParseError {
        let (found, limit) = (found as u64, self.limits.max_entries as u64);
        ParseError::OverLimit {
            format: Format::Bcfks,
            offset,
            alias: None,
            what,
            found,
            limit,
        }
    }
}

/// An EncryptedPrivateKeyInfo.
struct SealedPrivate {
    sealed: Vec<u8>,
    max_rounds: u64,
}

impl Unlock for SealedPrivate {
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        let clear = open(&self.sealed, password, Purpose::PrivateKey, self.max_rounds)?;
        PrivateKey::from_pkcs8_der(clear.as_slice()).map_err(|_| UnlockError::Malformed {
            what: "private key is not PKCS#8",
        })
    }

    fn protection(&self) -> String {
        describe(&self.sealed)
    }
}

/// An encrypted secret key.
struct SealedSecret {
    sealed: Vec<u8>,
    max_rounds: u64,
}

impl Unlock for SealedSecret {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Err(UnlockError::NoKey)
    }

    fn secret_key(&self, password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        let clear = open(&self.sealed, password, Purpose::SecretKey, self.max_rounds)?;
        let read = || {
            let mut fields = der::only(&clear, 0, tag::SEQUENCE, "secret key")?.children();
            let mut algorithm = fields.clone();
            fields.any("secret key algorithm")?;
            secret_names::read_rest(&mut algorithm, &mut fields)
        };
        read().map_err(|_| UnlockError::Malformed {
            what: "secret key's frame",
        })
    }

    fn protection(&self) -> String {
        describe(&self.sealed)
    }
}

fn open(
    sealed: &[u8],
    password: Option<&Password>,
    purpose: Purpose,
    max_rounds: u64,
) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
    let password = password.ok_or(UnlockError::NeedsPassword)?;
    let (sealing, data) = split(sealed).map_err(|_| NOT_SEALED)?;
    let sealing = sealing.map_err(|what| UnlockError::Unsupported { what })?;
    sealing.open(password, purpose, &data, max_rounds)
}

fn describe(sealed: &[u8]) -> String {
    match split(sealed) {
        Ok((Ok(sealing), _)) => sealing.describe(),
        Ok((Err(what), _)) => what,
        Err(_) => NOT_SEALED.to_string(),
    }
}

type Split = (Result<Sealing, String>, Vec<u8>);

fn split(sealed: &[u8]) -> Result<Split, ReadError> {
    let mut fields = der::only(sealed, 0, tag::SEQUENCE, "sealed key")?.children();
    let sealing = Sealing::read(fields.sequence("protection algorithm")?)?;
    Ok((sealing, fields.any("sealed key")?.octets()?.into_owned()))
}

/// NULL parameters may be written or left out.
fn same_algorithm(left: &[u8], right: &[u8]) -> bool {
    let oid = |algorithm: &[u8]| {
        let mut fields = Der::new(algorithm).sequence("algorithm").ok()?;
        Some(fields.any("algorithm").ok()?.full.to_vec())
    };
    oid(left) == oid(right)
}

fn derivation_error(error: UnlockError, offset: usize) -> ParseError {
    let (format, alias) = (Format::Bcfks, None);
    match error {
        UnlockError::OverLimit { found, limit } => ParseError::OverLimit {
            format,
            offset,
            alias,
            what: "iteration count",
            found,
            limit,
        },
        UnlockError::OverMemory { found, limit } => ParseError::OverLimit {
            format,
            offset,
            alias,
            what: "memory of the key derivation",
            found,
            limit,
        },
        UnlockError::Malformed { what } => malformed(offset, None, what),
        UnlockError::Unsupported { what } => unsupported(offset, what),
        _ => BAD_MAC,
    }
}

fn malformed(offset: usize, alias: Option<&str>, what: &'static str) -> ParseError {
    ParseError::Malformed {
        format: Format::Bcfks,
        offset,
        alias: alias.map(str::to_owned),
        what,
    }
}

fn unsupported(offset: usize, what: String) -> ParseError {
    ParseError::Unsupported {
        format: Format::Bcfks,
        offset,
        alias: None,
        what,
    }
}

fn broken(error: ReadError) -> ParseError {
    ParseError::from_read(Format::Bcfks, None, error)
}

const BAD_MAC: ParseError = ParseError::BadMac {
    format: Format::Bcfks,
};
const NOT_SEALED: UnlockError = UnlockError::Malformed {
    what: "not an encrypted key",
};

#[cfg(test)]
mod tests;
