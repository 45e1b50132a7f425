//! Directories of CA certificates and CRLs that OpenSSL searches by name hash (`-CApath`, `SSL_CERT_DIR`).
//!
//! | file name | holds |
//! |---|---|
//! | `HHHHHHHH.N` | certificates whose subject has this hash |
//! | `HHHHHHHH.rN` | revocation lists whose issuer has this hash |
//!
//! The hash is the first four bytes, least significant first, of SHA-1 over the canonical name, in lower-case hex; `N`
//! counts from 0 and the search ends at the first number that is not there. Source: OpenSSL 3.0 `X509_NAME_hash_ex`,
//! `crypto/x509/by_dir.c`; `openssl rehash` for the names.

use std::collections::{BTreeMap, BTreeSet};

use crate::certificate::Certificate;
use crate::digest::Hash;
use crate::entry::Body;
use crate::error::ParseError;
use crate::limits::Limits;
use crate::name::Name;
use crate::revocation::RevocationList;
use crate::sniff::{Format, sniff};
use crate::store;

/// What such a directory holds for OpenSSL.
#[derive(Debug, Clone, Default)]
pub struct HashedDirectory {
    /// Certificates that are found, with the name of their file, in the order of file names.
    pub certificates: Vec<(String, Certificate)>,
    /// Revocation lists that are found: name of the file, and DER.
    pub revocations: Vec<(String, Vec<u8>)>,
    /// Files with a hash for a name that are not found, or not by all that is in them.
    pub findings: Vec<HashedFinding>,
}

/// Why OpenSSL does not find what a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashedFinding {
    /// The file before it in the count is absent, so the search ends there.
    Gap {
        /// The file.
        file: String,
        /// The first name that is not there.
        missing: String,
    },
    /// The hash is the one that OpenSSL before 1.0 used.
    OldHash {
        /// The file.
        file: String,
        /// The name it should have, up to its number.
        expected: String,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        error: ParseError,
    },
    /// The file holds a certificate or list of another name than its hash says.
    WrongHash {
        /// The file.
        file: String,
        /// The hash of what it holds.
        expected: String,
    },
}

/// Reads a directory: file names and their bytes, links resolved. Files whose names are no hash are left out, as
/// OpenSSL leaves them out.
///
/// Cost: one parse per file.
pub fn read_hashed_directory(files: &BTreeMap<String, Vec<u8>>, limits: &Limits) -> HashedDirectory {
    let mut found = HashedDirectory::default();
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    for (file, bytes) in files {
        let Some(slot) = Slot::of(file) else { continue };
        let missing = (0..slot.number).map(|number| slot.numbered(number));
        if let Some(missing) = missing
            .take(MAX_SAME_NAME)
            .find(|name| !names.contains(name.as_str()))
        {
            let file = file.clone();
            found.findings.push(HashedFinding::Gap { file, missing });
            continue;
        }
        match contents(bytes, limits) {
            Ok(contents) => found.take(file, &slot, contents),
            Err(error) => {
                let file = file.clone();
                found.findings.push(HashedFinding::Unreadable { file, error });
            }
        }
    }
    found
}

/// The names under which OpenSSL finds these certificates, one for each; the same certificate twice gets one name, and
/// the second time `None`. `taken` are names that exist already.
pub fn hashed_names(certificates: &[Certificate], taken: &BTreeSet<String>) -> Vec<Option<String>> {
    let (mut taken, mut seen) = (taken.clone(), BTreeSet::new());
    let mut name = |certificate: &Certificate| {
        if !seen.insert(certificate.sha256()) {
            return None;
        }
        let slot = Slot {
            hash: name_hash(&certificate.subject()),
            is_revocation: false,
            number: 0,
        };
        let free = (0..).map(|number| slot.numbered(number));
        let name = free.into_iter().find(|name| !taken.contains(name))?;
        taken.insert(name.clone());
        Some(name)
    };
    certificates.iter().map(&mut name).collect()
}

/// The hash of a name as `openssl x509 -subject_hash` prints it.
pub fn name_hash(name: &Name<'_>) -> String {
    little_endian(&Hash::Sha1.digest(&[&name.canonical()]))
}

/// The hash of a name as OpenSSL before 1.0 made it (`-subject_hash_old`).
pub fn old_name_hash(name: &Name<'_>) -> String {
    little_endian(&Hash::Md5.digest(&[name.der()]))
}

impl HashedDirectory {
    fn take(&mut self, file: &str, slot: &Slot, contents: Contents) {
        let fits = |name: &Name<'_>| {
            let expected = name_hash(name);
            match expected == slot.hash {
                true => None,
                false if old_name_hash(name) == slot.hash => Some(HashedFinding::OldHash {
                    file: file.to_owned(),
                    expected,
                }),
                false => Some(HashedFinding::WrongHash {
                    file: file.to_owned(),
                    expected,
                }),
            }
        };
        if slot.is_revocation {
            for der in contents.revocations {
                let Ok(list) = RevocationList::parse(&der) else {
                    continue;
                };
                match fits(&list.issuer) {
                    None => self.revocations.push((file.to_owned(), der)),
                    Some(finding) => self.findings.push(finding),
                }
            }
            return;
        }
        for certificate in contents.certificates {
            match fits(&certificate.subject()) {
                None => self.certificates.push((file.to_owned(), certificate)),
                Some(finding) => self.findings.push(finding),
            }
        }
    }
}

/// A file name that is a hash and a number.
struct Slot {
    hash: String,
    is_revocation: bool,
    number: usize,
}

impl Slot {
    fn of(file: &str) -> Option<Self> {
        let (hash, number) = file.split_once('.')?;
        let is_hash = hash.len() == 8 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (is_revocation, digits) = match number.strip_prefix('r') {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        let is_number =
            digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        if !is_hash || !is_number {
            return None;
        }
        Some(Self {
            hash: hash.to_owned(),
            is_revocation,
            number: digits.parse().ok()?,
        })
    }

    fn numbered(&self, number: usize) -> String {
        let kind = if self.is_revocation { "r" } else { "" };
        format!("{}.{kind}{number}", self.hash)
    }
}

/// What one file holds.
struct Contents {
    certificates: Vec<Certificate>,
    revocations: Vec<Vec<u8>>,
}

fn contents(bytes: &[u8], limits: &Limits) -> Result<Contents, ParseError> {
    let read = store::read(bytes, None, limits)?;
    let mut revocations = Vec::new();
    if sniff(bytes) == Some(Format::Der) && RevocationList::parse(bytes).is_ok() {
        revocations.push(bytes.to_vec());
    }
    revocations.extend(crate::pem::revocation_lists(bytes));
    let entries = read.entries().iter();
    let all = entries.flat_map(|entry| match entry.body() {
        Body::PrivateKey { .. } | Body::TrustedCert { .. } => entry.certificates().to_vec(),
        _ => Vec::new(),
    });
    Ok(Contents {
        certificates: all.collect(),
        revocations,
    })
}

fn little_endian(digest: &[u8]) -> String {
    digest[..4]
        .iter()
        .rev()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Nobody has more names of one hash; it bounds the search for gaps.
const MAX_SAME_NAME: usize = 10_000;
