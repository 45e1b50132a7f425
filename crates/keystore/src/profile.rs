//! For whom a store is written: the algorithms that a reader understands.
//!
//! | profile | PKCS#12 keys | PKCS#12 certificates | PKCS#12 MAC | PEM keys |
//! |---|---|---|---|---|
//! | `java8` | 3DES, SHA-1, 50,000 | RC2-40, SHA-1, 50,000 | HMAC-SHA-1, 100,000 | 3DES, SHA-1, 50,000 |
//! | `java17` | AES-256, PBKDF2 SHA-256, 10,000 | the same | HMAC-SHA-256, 10,000 | AES-256, SHA-256, 10,000 |
//! | `openssl3` | AES-256, PBKDF2 SHA-256, 2,048 | the same | HMAC-SHA-256, 2,048 | the same, 10,000 |
//! | `gskit8` | 3DES, SHA-1, 1,024 | the same | HMAC-SHA-1, 1,024 | 3DES, SHA-1, 2,048 |
//! | `fips` | AES-256, PBKDF2 SHA-256, 100,000 | the same | PBMAC1 SHA-256, 100,000 | AES-256, SHA-256, 100,000 |
//!
//! Source: what the tools write themselves (docs/formats/pkcs12.md); for `fips` NIST SP 800-132 and RFC 9879, without
//! anything that rests on SHA-1, RC2, DES or the PKCS#12 derivation.

use crate::cipher::Cipher;
use crate::digest::Hash;
use crate::pbe::Scheme;
use crate::sniff::Format;

/// The reader that a store is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum WriteProfile {
    /// What the file already used; what its usual tool writes today for a new one.
    #[default]
    AsRead,
    /// Readers that allow approved algorithms only.
    Fips,
    /// IBM GSKit 8.
    Gskit8,
    /// Java 8 to 11, whatever their update.
    Java8,
    /// Java 17 and later.
    Java17,
    /// OpenSSL 3 with its default provider.
    Openssl3,
}

impl WriteProfile {
    /// Every profile, in the order of their names.
    pub const ALL: [Self; 6] = [
        Self::AsRead,
        Self::Fips,
        Self::Gskit8,
        Self::Java17,
        Self::Java8,
        Self::Openssl3,
    ];

    /// The name in settings and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsRead => "as-read",
            Self::Fips => "fips",
            Self::Gskit8 => "gskit8",
            Self::Java8 => "java8",
            Self::Java17 => "java17",
            Self::Openssl3 => "openssl3",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether the reader reads this format at all. JKS, JCEKS, BKS and UBER rest on SHA-1 and 3DES, which no approved
    /// reader takes.
    pub(crate) fn reads(self, format: Format) -> bool {
        match format {
            Format::Der | Format::Pem | Format::Pkcs12 | Format::Pkcs7 => true,
            Format::Bcfks => !matches!(self, Self::Gskit8 | Self::Openssl3),
            Format::Bks | Format::Jceks | Format::Jks | Format::Uber => {
                matches!(self, Self::AsRead | Self::Java8 | Self::Java17)
            }
            Format::CmsCrl | Format::CmsKdb | Format::CmsRdb | Format::Stash => {
                matches!(self, Self::AsRead | Self::Gskit8)
            }
        }
    }

    /// How a key of a PEM file is sealed; salt and vector are placeholders.
    pub(crate) fn pem_scheme(self) -> Scheme {
        match self {
            Self::AsRead | Self::Java17 | Self::Openssl3 => Scheme::pbes2(Hash::Sha256, 16, 10_000, None),
            Self::Fips => Scheme::pbes2(Hash::Sha256, 16, FIPS_ROUNDS, None),
            Self::Java8 => old(Cipher::Des3, 20, 50_000),
            Self::Gskit8 => old(Cipher::Des3, 8, 2048),
        }
    }

    /// How the parts of a PKCS#12 file are sealed; `None` for [`WriteProfile::AsRead`].
    pub(crate) fn suite(self) -> Option<Suite> {
        let suite = |key: Scheme, certificate: Scheme, mac| Suite {
            key,
            certificate,
            mac,
        };
        let same = |scheme: Scheme, mac| suite(scheme.clone(), scheme, mac);
        let old_mac = |hash, salt_len, rounds| MacSuite::Old {
            hash,
            salt_len,
            rounds,
        };
        Some(match self {
            Self::AsRead => return None,
            Self::Fips => same(
                Scheme::pbes2(Hash::Sha256, 16, FIPS_ROUNDS, Some(32)),
                MacSuite::Pbmac1 { rounds: FIPS_ROUNDS },
            ),
            Self::Gskit8 => same(old(Cipher::Des3, 8, 1024), old_mac(Hash::Sha1, 8, 1024)),
            Self::Java8 => {
                let rc2 = Cipher::Rc2 {
                    key_bytes: 5,
                    bits: 40,
                };
                let (key, certificate) = (old(Cipher::Des3, 20, 50_000), old(rc2, 20, 50_000));
                suite(key, certificate, old_mac(Hash::Sha1, 20, 100_000))
            }
            Self::Java17 => same(Scheme::java17(), old_mac(Hash::Sha256, 20, 10_000)),
            Self::Openssl3 => same(
                Scheme::pbes2(Hash::Sha256, 16, 2048, None),
                old_mac(Hash::Sha256, 16, 2048),
            ),
        })
    }
}

/// The algorithms of a PKCS#12 file; salts and vectors are placeholders.
pub(crate) struct Suite {
    pub(crate) key: Scheme,
    pub(crate) certificate: Scheme,
    pub(crate) mac: MacSuite,
}

/// The MAC of a PKCS#12 file.
pub(crate) enum MacSuite {
    Old {
        hash: Hash,
        salt_len: usize,
        rounds: u64,
    },
    Pbmac1 {
        rounds: u64,
    },
}

fn old(cipher: Cipher, salt_len: usize, rounds: u64) -> Scheme {
    Scheme::Pkcs12 {
        cipher,
        salt: vec![0; salt_len],
        rounds,
    }
}

/// NIST SP 800-132 asks for as many as the user bears; a hundred thousand cost some 30 milliseconds.
const FIPS_ROUNDS: u64 = 100_000;
