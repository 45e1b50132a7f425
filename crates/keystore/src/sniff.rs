//! Which format a file has, by its content alone; names and endings are not looked at.

use crate::secret::split_value;

/// The formats known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// BouncyCastle FIPS keystore.
    Bcfks,
    /// BouncyCastle keystore, version 1 or 2.
    Bks,
    /// GSKit CRL file.
    CmsCrl,
    /// GSKit key database.
    CmsKdb,
    /// GSKit request database.
    CmsRdb,
    /// One bare DER object: certificate, key, request or CRL.
    Der,
    /// Java keystore with stronger key protection and secret keys.
    Jceks,
    /// Java keystore.
    Jks,
    /// PEM blocks, with any text between them.
    Pem,
    /// PKCS#12.
    Pkcs12,
    /// PKCS#7 certificates, DER.
    Pkcs7,
    /// GSKit password stash.
    Stash,
    /// BouncyCastle keystore, wholly encrypted.
    Uber,
}

impl Format {
    /// The name used in output and in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bcfks => "bcfks",
            Self::Bks => "bks",
            Self::CmsCrl => "cms-crl",
            Self::CmsKdb => "cms-kdb",
            Self::CmsRdb => "cms-rdb",
            Self::Der => "der",
            Self::Jceks => "jceks",
            Self::Jks => "jks",
            Self::Pem => "pem",
            Self::Pkcs12 => "pkcs12",
            Self::Pkcs7 => "pkcs7",
            Self::Stash => "stash",
            Self::Uber => "uber",
        }
    }
}

/// Recognises a file by its first bytes. `None` = nothing known here.
///
/// A GSKit stash has no magic. Of the second version it proves itself by its check value, whatever it begins with; else
/// a file of exactly 129 or 193 bytes that fits nothing else is taken as one.
/// The answer says which reader to try, not that the file is sound.
///
/// Cost: constant, except for PEM, where text before the first block is searched.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    if crate::cms_kdb::is_surely_stash(bytes) {
        return Some(Format::Stash);
    }
    match bytes {
        [0xfe, 0xed, 0xfe, 0xed, ..] => return Some(Format::Jks),
        [0xce, 0xce, 0xce, 0xce, ..] => return Some(Format::Jceks),
        [0x37, 0x48, ..] => return Some(sniff_cms(bytes)),
        [0x30, ..] if crate::cms_kdb::can_be_stash(bytes) && !is_one_value(bytes) => {}
        [0x30, ..] => {
            if let Some(format) = sniff_der(bytes) {
                return Some(format);
            }
        }
        [0, 0, 0, 2, _, _, _, _, ..] | [0, 0, 0, 1, 0, 0, _, _, ..] => return Some(sniff_bouncy(bytes)),
        _ => {}
    }
    if bytes.windows(PEM_MARK.len()).any(|window| window == PEM_MARK) {
        return Some(Format::Pem);
    }
    if crate::pem::has_typographic_markers(bytes) {
        return Some(Format::Pem);
    }
    matches!(bytes.len(), 129 | 193).then_some(Format::Stash)
}

fn sniff_cms(bytes: &[u8]) -> Format {
    match bytes.get(8..16) {
        Some(b"X509KYP\0") => Format::CmsRdb,
        Some(b"X509CRL\0") => Format::CmsCrl,
        _ => Format::CmsKdb,
    }
}

/// Whether a DER value begins and ends with the file.
fn is_one_value(bytes: &[u8]) -> bool {
    matches!(split_value(bytes), Some((_, _, [])))
}

/// Looks at the first value inside the outer SEQUENCE, whose length may be indefinite or too long.
fn sniff_der(bytes: &[u8]) -> Option<Format> {
    let first = match *bytes.get(1)? {
        0..=0x80 => 2,
        long @ 0x81..=0x89 => 2 + usize::from(long & 0x7f),
        _ => return None,
    };
    let inside = bytes.get(first..)?;
    match inside {
        [0x02, 1, 3 | 4, 0x30, ..] => Some(Format::Pkcs12),
        _ if inside.starts_with(&PKCS7_SIGNED) => Some(Format::Pkcs7),
        _ if is_bcfks(inside) => Some(Format::Bcfks),
        _ => Some(Format::Der),
    }
}

/// BCFKS begins with SEQUENCE { SEQUENCE { SEQUENCE { PBES2, .. }, long OCTET STRING }, SEQUENCE .. }; an
/// encrypted PKCS#8 key has the same first algorithm, one level less deep.
fn is_bcfks(inside: &[u8]) -> bool {
    let Some((0x30, outer, [0x30, ..])) = split_value(inside) else {
        return false;
    };
    matches!(split_value(outer), Some((0x30, algorithm, [0x04, ..])) if algorithm.starts_with(&PBES2))
}

/// BKS version 1 and UBER share their first bytes; a BKS has a plain entry type after its header.
fn sniff_bouncy(bytes: &[u8]) -> Format {
    let word = |at: usize| {
        bytes
            .get(at..at + 4)
            .and_then(|word| word.try_into().ok())
            .map(u32::from_be_bytes)
    };
    let salt = word(4)
        .and_then(|len| usize::try_from(len).ok())
        .unwrap_or(usize::MAX);
    let kind = salt.checked_add(12).and_then(|at| bytes.get(at));
    match (word(0), kind) {
        (Some(1), Some(0..=4)) | (Some(2), _) => Format::Bks,
        _ => Format::Uber,
    }
}

const PEM_MARK: &[u8] = b"-----BEGIN ";
const PKCS7_SIGNED: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const PBES2: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
