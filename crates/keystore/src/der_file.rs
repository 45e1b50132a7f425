//! One bare DER object as a store of one entry: certificate, request, CRL, private or public key.
//!
//! | Object | Told by |
//! |---|---|
//! | certificate | SEQUENCE { SEQUENCE, algorithm, BIT STRING } that parses as one |
//! | request | the same frame, and the inner SEQUENCE starts with version, name, key |
//! | CRL | the same frame otherwise |
//! | private key | PKCS#8, plain or encrypted, PKCS#1, SEC 1 |
//! | public key | SEQUENCE { algorithm, BIT STRING } |

use crate::certificate::Certificate;
use crate::der::{self, Der, tag};
use crate::edit::Edit;
use crate::entry::{Body, Entry, LockedKey};
use crate::error::{EditError, ParseError, WriteError};
use crate::keys::{EncryptedKey, NoKey, Widening};
use crate::limits::Limits;
use crate::public_key::PublicKey;
use crate::request::Request;
use crate::revocation::RevocationList;
use crate::secret::{Password, PrivateKey, WriteEnv};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// A file with one DER object.
#[derive(Clone)]
pub(crate) struct DerFile {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    notes: Vec<Note>,
}

impl DerFile {
    /// Reads the object. Bytes behind it are kept and noted, as OpenSSL and keytool ignore them.
    ///
    /// # Errors
    /// `LengthPastEnd` for a file that is cut, `Malformed` for an object that is none of the known ones.
    ///
    /// Cost: one pass.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let broken = |error| ParseError::from_read(Format::Der, None, error);
        let whole = Der::new(bytes).expect(tag::SEQUENCE, "object").map_err(broken)?;
        let body = body(whole.full, limits).ok_or_else(|| match Certificate::parse(whole.full) {
            Err(error) if looks_signed(whole.full) => broken(error),
            _ => ParseError::Malformed {
                format: Format::Der,
                offset: 0,
                alias: None,
                what: "no certificate, request, CRL or key",
            },
        })?;
        let mut notes = Vec::new();
        if whole.full.len() < bytes.len() {
            let offset = whole.full.len();
            notes.push(Note::BytesAfterEnd {
                offset,
                len: bytes.len() - offset,
            });
        }
        let entries = vec![Entry {
            alias: None,
            created_ms: None,
            body,
        }];
        Ok(Self {
            bytes: bytes.to_vec(),
            entries,
            notes,
        })
    }

    fn only_body(&self) -> &Body {
        &self.entries[0].body
    }
}

fn body(der: &[u8], limits: &Limits) -> Option<Body> {
    if let Ok(certificate) = Certificate::parse(der) {
        return Some(Body::TrustedCert {
            certificate,
            trusted: true,
        });
    }
    if let Ok(key) = PrivateKey::from_any_der(der) {
        return Some(Body::PrivateKey {
            chain: Vec::new(),
            key: LockedKey::clear(key),
        });
    }
    if let Ok(key) = EncryptedKey::read(der, 0, limits.max_kdf_rounds, Widening::Text) {
        return Some(Body::PrivateKey {
            chain: Vec::new(),
            key: LockedKey::new(key),
        });
    }
    if Request::parse(der).is_ok() {
        return Some(Body::Request {
            der: der.to_vec(),
            key: LockedKey::new(NoKey),
        });
    }
    if RevocationList::parse(der).is_ok() {
        return Some(Body::Opaque {
            what: "certificate revocation list".to_owned(),
        });
    }
    PublicKey::parse(der, 0).ok().map(|_| Body::Opaque {
        what: "public key".to_owned(),
    })
}

/// Whether the outer frame is that of a certificate, request or CRL.
fn looks_signed(der: &[u8]) -> bool {
    let Ok(whole) = der::only(der, 0, tag::SEQUENCE, "object") else {
        return false;
    };
    let mut parts = whole.children();
    let frame = [tag::SEQUENCE, tag::SEQUENCE, tag::BIT_STRING];
    frame.iter().all(|tag| parts.expect(*tag, "object").is_ok()) && parts.is_empty()
}

impl Form for DerFile {
    fn format(&self) -> Format {
        Format::Der
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn find(&self, _alias: &str) -> Option<usize> {
        None
    }

    fn integrity(&self) -> Integrity {
        Integrity::Absent
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// A key or certificate can be replaced by another of its kind; nothing can be added or taken away.
    fn edit(&mut self, edit: &Edit, _env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        let wrong = || EditError::NotInFormat {
            format: Format::Der,
            what: "hold more or less than the one object they are",
        };
        let Edit::ReplaceIdentity {
            index: 0,
            key,
            chain,
            key_password: None,
        } = edit
        else {
            return Err(wrong());
        };
        if !matches!(self.only_body(), Body::PrivateKey { .. }) || !chain.is_empty() {
            return Err(wrong());
        }
        self.bytes = key.pkcs8_der().to_vec();
        self.entries[0].body = Body::PrivateKey {
            chain: Vec::new(),
            key: LockedKey::clear(key.clone()),
        };
        self.notes.clear();
        Ok(())
    }

    fn write(&self, _password: Option<&Password>, _env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        Ok(self.bytes.clone())
    }
}
