//! One slot of a key or request database.
//!
//! | Field | Bytes |
//! |---|---|
//! | type | 4: 1 = in use, 2 = free |
//! | number | 4 |
//! | DER | 4 + n: SEQUENCE { id, \[0\] \[1\] \[2\] \[3\] body, label, flags } |
//! | label | 4 + n: again, without a NUL |
//! | link | 4 |
//! | index keys | 5 × (4 + 20), certificates only |
//! | padding | up to the slot size |
//!
//! Source: docs/formats/kdb.md, section 3.

use crate::certificate::Certificate;
use crate::der::{self, Der, tag};
use crate::digest::Hash;
use crate::reader::{ReadError, Reader};

/// One slot: its bytes, and the record in it.
#[derive(Clone)]
pub(super) struct Slot {
    /// All bytes of the slot, padding included.
    pub(super) raw: Vec<u8>,
    /// Nothing in a free slot.
    pub(super) record: Option<Record>,
}

/// What a used slot holds.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) number: u32,
    /// The id, encoded as it stands there.
    id: Vec<u8>,
    pub(super) label: Vec<u8>,
    /// Tag of the label, kept over a rename.
    label_tag: u8,
    /// Content of the flags' BIT STRING: unused bits, then bits.
    flags: Vec<u8>,
    pub(super) body: Body,
    /// What follows the second label: link, index keys, padding. Kept while the certificate stays.
    rest: Vec<u8>,
}

/// What a record is about.
#[derive(Clone)]
pub(super) enum Body {
    /// A personal certificate, and its EncryptedPrivateKeyInfo.
    Personal { certificate: Vec<u8>, key: Vec<u8> },
    /// A request, and its EncryptedPrivateKeyInfo.
    Request { request: Vec<u8>, key: Vec<u8> },
    /// A record of a layout that nobody has described: the encoded body.
    Secret(Vec<u8>),
    /// A signer certificate.
    Signer(Vec<u8>),
}

impl Slot {
    /// Reads a slot that stands at `origin`. `is_request_database` says which bodies may stand there.
    ///
    /// # Errors
    /// [`ReadError`] with the offset from the start of the file; free slots are not looked into.
    pub(super) fn read(raw: &[u8], origin: usize, is_request_database: bool) -> Result<Self, ReadError> {
        let mut reader = Reader::at(raw, origin);
        let record = match reader.u32("slot type")? {
            FREE => None,
            _ => Some(Record::read(reader, is_request_database)?),
        };
        Ok(Self {
            raw: raw.to_vec(),
            record,
        })
    }

    /// A slot for a new or changed record; as long as it has to be, without padding.
    pub(super) fn write(record: Record) -> Self {
        let encoded = record.encode();
        let mut raw = Vec::with_capacity(encoded.len() + record.label.len() + 144);
        raw.extend_from_slice(&IN_USE.to_be_bytes());
        raw.extend_from_slice(&record.number.to_be_bytes());
        put_run(&mut raw, &encoded);
        put_run(&mut raw, &record.label);
        raw.extend_from_slice(&record.rest);
        Self {
            raw,
            record: Some(record),
        }
    }

    /// Makes the slot free and forgets what it held, keys above all.
    pub(super) fn clear(&mut self) {
        let number = self.raw.get(4..8).map(<[u8]>::to_vec).unwrap_or_default();
        self.raw.fill(0);
        self.raw[..4].copy_from_slice(&FREE.to_be_bytes());
        self.raw[4..4 + number.len()].copy_from_slice(&number);
        self.record = None;
    }

    /// Whether a new record may be put here. A slot that is in use is not free, whatever it holds.
    pub(super) fn is_free(&self) -> bool {
        self.raw.starts_with(&FREE.to_be_bytes())
    }

    /// How many bytes the slot must have: up to its last field, or up to noise in the padding.
    pub(super) fn needed(&self) -> usize {
        let used = self
            .raw
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        let Some(record) = &self.record else {
            return used.max(8);
        };
        let fields = self.raw.len() - record.rest.len() + 4;
        used.max(fields)
    }

    /// Brings the slot to the slot size of its file. Only padding is added or taken away.
    pub(super) fn pad(&mut self, slot_size: usize) {
        self.raw.resize(slot_size, 0);
    }
}

impl Record {
    /// A new record. Index keys are written for certificates.
    pub(super) fn new(number: u32, label: &str, flags: u8, body: Body) -> Self {
        let rest = rest_for(&body);
        Self {
            number,
            id: der::write_u64(u64::from(number)),
            label: label.as_bytes().to_vec(),
            label_tag: tag::VISIBLE_STRING,
            flags: flag_bits(flags),
            body,
            rest,
        }
    }

    fn read(mut reader: Reader<'_>, is_request_database: bool) -> Result<Self, ReadError> {
        let number = reader.u32("record number")?;
        let encoded = reader.run_u32("record")?;
        let start = reader.offset() - encoded.len();
        reader.run_u32("label copy")?;
        let rest = reader.peek().to_vec();
        let mut parts = der::only(encoded, start, tag::SEQUENCE, "record")?.children();
        let id = parts.expect(tag::INTEGER, "record id")?;
        let body = read_body(&mut parts, is_request_database)?;
        let label = parts.any("record label")?;
        if label.tag != tag::PRINTABLE_STRING {
            label.expect(tag::VISIBLE_STRING, "record label")?;
        }
        let flags = parts.expect(tag::BIT_STRING, "record flags")?;
        parts.finish("record flags")?;
        Ok(Self {
            number,
            id: id.full.to_vec(),
            label: label.content.to_vec(),
            label_tag: label.tag,
            flags: flags.content.to_vec(),
            body,
            rest,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let body = match &self.body {
            Body::Personal { certificate, key } => {
                der::write(PERSONAL, &[&der::write_sequence(&[certificate, key])])
            }
            Body::Request { request, key } => der::write(REQUEST, &[&der::write_sequence(&[request, key])]),
            Body::Secret(encoded) => encoded.clone(),
            Body::Signer(certificate) => der::write(SIGNER, &[certificate]),
        };
        let label = der::write(self.label_tag, &[&self.label]);
        let flags = der::write(tag::BIT_STRING, &[&self.flags]);
        der::write_sequence(&[&self.id, &body, &label, &flags])
    }

    /// The label as text; Latin-1 when it is not UTF-8.
    pub(super) fn label_text(&self) -> String {
        match std::str::from_utf8(&self.label) {
            Ok(text) => text.to_owned(),
            Err(_) => self.label.iter().map(|byte| char::from(*byte)).collect(),
        }
    }

    /// The record under another label.
    pub(super) fn renamed(mut self, label: &str) -> Self {
        self.label = label.as_bytes().to_vec();
        self.label_tag = tag::VISIBLE_STRING;
        self
    }

    /// The record about something else of the same kind.
    pub(super) fn with_body(mut self, body: Body) -> Self {
        self.rest = rest_for(&body);
        self.body = body;
        self
    }

    /// The record with the key of its body encrypted anew.
    pub(super) fn with_key(mut self, new: Vec<u8>) -> Self {
        if let Body::Personal { key, .. } | Body::Request { key, .. } = &mut self.body {
            *key = new;
        }
        self
    }

    /// Whether a flag is set.
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags.get(1).is_some_and(|bits| bits & flag != 0)
    }

    /// The record with a flag set or cleared; other bits stay.
    pub(super) fn flagged(mut self, flag: u8, set: bool) -> Self {
        let bits = self.flags.get(1).copied().unwrap_or(0);
        let wanted = if set { bits | flag } else { bits & !flag };
        if wanted != bits {
            self.flags = flag_bits(wanted);
        }
        self
    }
}

/// Index keys, each SHA-1: signature BIT STRING, tbsCertificate, subject, subjectPublicKeyInfo, issuer and serial.
/// Nothing for a certificate that cannot be parsed: GSKit opens the record all the same.
fn index_keys(certificate: &[u8]) -> Vec<u8> {
    let Ok(parsed) = Certificate::parse(certificate) else {
        return Vec::new();
    };
    let serial = der::write(tag::INTEGER, &[parsed.serial()]);
    let issuer_and_serial = der::write_sequence(&[parsed.issuer().der(), &serial]);
    let subject = parsed.subject();
    let keys = [
        parsed.signature_element(),
        parsed.tbs(),
        subject.der(),
        parsed.spki(),
        &issuer_and_serial,
    ];
    let mut out = Vec::with_capacity(5 * 24);
    for key in keys {
        put_run(&mut out, &Hash::Sha1.digest(&[key]));
    }
    out
}

/// Link, and index keys where the record has a certificate.
fn rest_for(body: &Body) -> Vec<u8> {
    let mut rest = vec![0; 4];
    if let Body::Personal { certificate, .. } | Body::Signer(certificate) = body {
        rest.extend(index_keys(certificate));
    }
    rest
}

fn read_body(parts: &mut Der<'_>, is_request_database: bool) -> Result<Body, ReadError> {
    let wrapped = parts.any("record body")?;
    let mut inner = wrapped.children();
    let body = match (wrapped.tag, is_request_database) {
        (SIGNER, false) => Body::Signer(inner.expect(tag::SEQUENCE, "certificate")?.full.to_vec()),
        (PERSONAL, false) => {
            let (certificate, key) = read_pair(&mut inner, "certificate")?;
            Body::Personal { certificate, key }
        }
        (REQUEST, true) => {
            let (request, key) = read_pair(&mut inner, "certificate request")?;
            Body::Request { request, key }
        }
        (SECRET, false) => return Ok(Body::Secret(wrapped.full.to_vec())),
        (found, _) => {
            let (what, offset) = ("record body", wrapped.offset);
            let expected = if is_request_database { REQUEST } else { SIGNER };
            return Err(ReadError::UnexpectedTag {
                what,
                offset,
                expected,
                found,
            });
        }
    };
    inner.finish("record body")?;
    Ok(body)
}

fn read_pair(inner: &mut Der<'_>, what: &'static str) -> Result<(Vec<u8>, Vec<u8>), ReadError> {
    let mut pair = inner.sequence(what)?;
    let first = pair.expect(tag::SEQUENCE, what)?.full.to_vec();
    let key = pair.expect(tag::SEQUENCE, "encrypted key")?.full.to_vec();
    pair.finish("encrypted key")?;
    Ok((first, key))
}

/// Unused bits counted as DER asks, then the bits.
fn flag_bits(flags: u8) -> Vec<u8> {
    match flags {
        0 => vec![0],
        _ => vec![flags.trailing_zeros() as u8, flags],
    }
}

fn put_run(out: &mut Vec<u8>, run: &[u8]) {
    out.extend_from_slice(&(run.len() as u32).to_be_bytes());
    out.extend_from_slice(run);
}

/// Marks a certificate as trusted.
pub(super) const TRUSTED: u8 = 0x80;
/// Marks the personal certificate that is presented when nobody asks for a label.
pub(super) const DEFAULT: u8 = 0x40;
const IN_USE: u32 = 1;
const FREE: u32 = 2;
const REQUEST: u8 = 0xa0;
const SIGNER: u8 = 0xa1;
const PERSONAL: u8 = 0xa2;
const SECRET: u8 = 0xa3;
