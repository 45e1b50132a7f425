//! The header of a database file, and the two values that prove password and content.
//!
//! | Offset | Size | Field |
//! |---|---|---|
//! | 0x00 | 2 | `37 48` |
//! | 0x02 | 1 | version: 3, 4 or 6 |
//! | 0x03 | 1 | 2 in a key database, 1 in its siblings |
//! | 0x04 | 4 | when the password expires, Unix time; 0 = never |
//! | 0x08 | 8 | `X509KEY`, `X509KYP` or `X509CRL`, and a zero byte |
//! | 0x10 | 4 | slot size |
//! | 0x14 | 4 | slot count, free ones included |
//! | 0x18 | 24 | salt |
//! | 0x30 | M | verifier |
//! | 0x30+M | M | integrity |
//!
//! | Version | M | verifier | integrity |
//! |---|---|---|---|
//! | 3 | 16 | MD5(head, pw) | MD5(head, verifier, pw) XOR MD5(slot, pw) of each slot |
//! | 4 | 20 | HMAC-SHA1(pw, head) | HMAC-SHA1(pw, head, verifier, slots) |
//! | 6 | 48 | HMAC-SHA384(pw, head) | HMAC-SHA384(pw, head, verifier, slots) |
//!
//! Source: docs/formats/kdb.md, section 2.

use super::record::Slot;
use crate::digest::Hash;
use crate::error::ParseError;
use crate::reader::{ReadError, Reader};
use crate::secret::Password;
use crate::sniff::Format;

/// The versions of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CmsVersion {
    /// z/OS, and request databases of the Java tools.
    V3,
    /// GSKit 8.
    V4,
    /// Newer GSKit 8, and 9.
    V6,
}

impl CmsVersion {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    fn hash(self) -> Hash {
        match self {
            Self::V3 => Hash::Md5,
            Self::V4 => Hash::Sha1,
            Self::V6 => Hash::Sha384,
        }
    }
}

/// A header without the counts and proofs that follow from the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) format: Format,
    pub(super) version: CmsVersion,
    /// Byte 3 as it was.
    pub(super) kind: u8,
    /// Unix time; 0 = never.
    pub(super) expiry: u32,
    pub(super) slot_size: u32,
    pub(super) salt: [u8; 24],
}

/// Verifier and integrity value of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) verifier: Vec<u8>,
    pub(super) integrity: Vec<u8>,
}

impl Header {
    /// Reads the header, its proof, and the number of slots, which must fill the rest of the file exactly.
    pub(super) fn read(format: Format, reader: &mut Reader<'_>) -> Result<(Self, Proof, usize), ParseError> {
        let broken = |error| ParseError::from_read(format, None, error);
        let malformed = |offset, what| ParseError::Malformed {
            format,
            offset,
            alias: None,
            what,
        };
        let short = |error: ReadError| broken(error);
        reader.take(2, "header").map_err(short)?;
        let version = match reader.u8("version").map_err(short)? {
            3 => CmsVersion::V3,
            4 => CmsVersion::V4,
            6 => CmsVersion::V6,
            other => {
                let what = format!("database version {other}");
                return Err(ParseError::Unsupported {
                    format,
                    offset: 2,
                    alias: None,
                    what,
                });
            }
        };
        let kind = reader.u8("kind").map_err(short)?;
        if !matches!((format, kind), (Format::CmsKdb, 1 | 2) | (_, 1)) {
            return Err(malformed(3, "file kind that GSKit refuses"));
        }
        let expiry = reader.u32("password expiry").map_err(short)?;
        if reader.array::<8>("file tag").map_err(short)? != tag_of(format) {
            return Err(malformed(8, "unknown file tag"));
        }
        let slot_size = reader.u32("slot size").map_err(short)?;
        let count = reader.u32("slot count").map_err(short)?;
        let salt = reader.array::<24>("salt").map_err(short)?;
        let length = version.hash().len();
        let verifier = reader.take(length, "verifier").map_err(short)?.to_vec();
        let integrity = reader.take(length, "integrity value").map_err(short)?.to_vec();
        let wanted = u64::from(slot_size) * u64::from(count);
        let left = reader.left();
        if wanted > left as u64 {
            let (offset, what, needed) = (reader.offset(), "row of slots", wanted);
            return Err(ParseError::LengthPastEnd {
                format,
                offset,
                alias: None,
                what,
                needed,
                left,
            });
        }
        if wanted < left as u64 || (count > 0 && slot_size < LEAST_SLOT) {
            return Err(malformed(
                0x10,
                "slot size and count do not fit the size of the file",
            ));
        }
        let header = Self {
            format,
            version,
            kind,
            expiry,
            slot_size,
            salt,
        };
        Ok((header, Proof { verifier, integrity }, count as usize))
    }

    /// The file: header, proof and slots.
    pub(super) fn write(&self, slots: &[Slot], password: &Password) -> Vec<u8> {
        let proof = self.proof(slots, password);
        let mut out = self.head(slots.len());
        out.extend_from_slice(&proof.verifier);
        out.extend_from_slice(&proof.integrity);
        slots.iter().for_each(|slot| out.extend_from_slice(&slot.raw));
        out
    }

    /// What verifier and integrity value must be.
    ///
    /// Cost: one hash over the file.
    pub(super) fn proof(&self, slots: &[Slot], password: &Password) -> Proof {
        let (hash, password) = (self.version.hash(), password.as_bytes());
        let mut head = self.head(slots.len());
        if self.version == CmsVersion::V3 {
            let verifier = hash.digest(&[&head, password]).to_vec();
            let mut integrity = hash.digest(&[&head, &verifier, password]).to_vec();
            for slot in slots {
                let digest = hash.digest(&[&slot.raw, password]);
                integrity
                    .iter_mut()
                    .zip(digest.iter())
                    .for_each(|(sum, byte)| *sum ^= byte);
            }
            return Proof { verifier, integrity };
        }
        let verifier = hash.hmac(password, &head).to_vec();
        head.extend_from_slice(&verifier);
        slots.iter().for_each(|slot| head.extend_from_slice(&slot.raw));
        let integrity = hash.hmac(password, &head).to_vec();
        Proof { verifier, integrity }
    }

    /// The first 0x30 bytes.
    fn head(&self, count: usize) -> Vec<u8> {
        let mut head = vec![0x37, 0x48, self.version.byte(), self.kind];
        head.extend_from_slice(&self.expiry.to_be_bytes());
        head.extend_from_slice(&tag_of(self.format));
        head.extend_from_slice(&self.slot_size.to_be_bytes());
        head.extend_from_slice(&(count as u32).to_be_bytes());
        head.extend_from_slice(&self.salt);
        head
    }
}

fn tag_of(format: Format) -> [u8; 8] {
    match format {
        Format::CmsCrl => *b"X509CRL\0",
        Format::CmsRdb => *b"X509KYP\0",
        _ => *b"X509KEY\0",
    }
}

/// No record fits into less; it keeps the number of slots in proportion to the file.
const LEAST_SLOT: u32 = 64;
