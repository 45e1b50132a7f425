//! PKCS#7 that carries certificates only (`.p7b`, `.p7c`).
//!
//! ```text
//! SEQUENCE { OID signedData, [0] SEQUENCE { version, digests, contentInfo, [0] certificates?, [1] CRLs?, signers } }
//! ```
//!
//! Source: RFC 5652 3 and 5.1. Bytes behind the structure are ignored, as OpenSSL and keytool do.

use crate::certificate::Certificate;
use crate::der::{Der, tag};
use crate::edit::Edit;
use crate::entry::{Body, Entry};
use crate::error::{EditError, ParseError, WriteError};
use crate::limits::Limits;
use crate::oid;
use crate::reader::ReadError;
use crate::secret::{Password, WriteEnv};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// A PKCS#7 file. It is read, not edited.
#[derive(Clone)]
pub(crate) struct Pkcs7Store {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    notes: Vec<Note>,
}

impl Pkcs7Store {
    /// Reads the certificates in file order.
    ///
    /// # Errors
    /// `LengthPastEnd`, `Structure`, `OverLimit`, with the offset from the start of the file.
    ///
    /// Cost: one pass.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let broken = |error| ParseError::from_read(Format::Pkcs7, None, error);
        let whole = Der::new(bytes).any("PKCS#7").map_err(broken)?;
        let certificates = certificates(bytes).map_err(broken)?;
        if certificates.len() > limits.max_entries {
            return Err(ParseError::OverLimit {
                format: Format::Pkcs7,
                offset: 0,
                alias: None,
                what: "number of certificates",
                found: certificates.len() as u64,
                limit: limits.max_entries as u64,
            });
        }
        let entries = certificates.into_iter().map(|certificate| Entry {
            alias: None,
            created_ms: None,
            body: Body::TrustedCert {
                certificate,
                trusted: true,
            },
        });
        let mut notes = Vec::new();
        if whole.full.len() < bytes.len() {
            let offset = whole.full.len();
            notes.push(Note::BytesAfterEnd {
                offset,
                len: bytes.len() - offset,
            });
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            entries: entries.collect(),
            notes,
        })
    }
}

/// The certificates of an encoded ContentInfo, in file order.
///
/// # Errors
/// [`ReadError`] with the offset from the start of `bytes`.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, ReadError> {
    let mut content = Der::new(bytes).sequence("PKCS#7")?;
    let kind = content.expect(tag::OID, "content type")?;
    if kind.oid("content type")? != oid::SIGNED_DATA {
        return Err(ReadError::BadValue {
            what: "content type (not signedData)",
            offset: kind.offset,
        });
    }
    let mut wrapped = content
        .expect(tag::context_constructed(0), "signedData")?
        .children();
    let mut parts = wrapped.sequence("signedData")?;
    parts.expect(tag::INTEGER, "version")?;
    parts.expect(tag::SET, "digest algorithms")?;
    parts.expect(tag::SEQUENCE, "content")?;
    let mut found = Vec::new();
    if let Some(set) = parts.optional(tag::context_constructed(0), "certificates")? {
        let mut rows = set.children();
        while !rows.is_empty() {
            let row = rows.any("certificate")?;
            // Attribute certificates and other kinds carry context tags and are nobody's trust anchor.
            if row.tag == tag::SEQUENCE {
                let base = row.offset;
                found.push(Certificate::parse(row.full).map_err(|error| error.moved(base))?);
            }
        }
    }
    Ok(found)
}

impl Form for Pkcs7Store {
    fn format(&self) -> Format {
        Format::Pkcs7
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

    fn edit(&mut self, _edit: &Edit, _env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        Err(EditError::NotInFormat {
            format: Format::Pkcs7,
            what: "be edited here: convert it to PEM",
        })
    }

    fn write(&self, _password: Option<&Password>, _env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        Ok(self.bytes.clone())
    }
}
