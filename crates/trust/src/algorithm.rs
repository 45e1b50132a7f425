//! Keys and signature algorithms as the policies name them.

use crate::asn1::{self, Element};

/// Hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hash {
    Md2,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Length of the digest.
    pub(crate) fn octets(self) -> usize {
        match self {
            Self::Md2 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Name as Java writes it: `SHA256`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md2 => "MD2",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }
}

/// How a certificate is signed, from its outer algorithm identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Dsa(Hash),
    Ecdsa(Hash),
    Ed25519,
    Ed448,
    RsaPkcs1(Hash),
    RsaPss { hash: Hash, mask: Hash, salt: usize },
    Unknown,
}

impl Signed {
    /// Reads an AlgorithmIdentifier.
    pub(crate) fn read(identifier: Element<'_>) -> Self {
        let mut parts = identifier.inside();
        let Some(oid) = parts.expect(asn1::OID) else {
            return Self::Unknown;
        };
        match SIGNATURES.iter().find(|(bytes, _)| *bytes == oid.content) {
            Some((_, Self::RsaPss { .. })) => pss(parts.any()).unwrap_or(Self::Unknown),
            Some((_, signed)) => *signed,
            None => Self::Unknown,
        }
    }

    pub(crate) fn hash(self) -> Option<Hash> {
        match self {
            Self::Dsa(hash) | Self::Ecdsa(hash) | Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } => {
                Some(hash)
            }
            Self::Ed25519 | Self::Ed448 | Self::Unknown => None,
        }
    }

    /// Whether a key of this kind can have made such a signature.
    pub(crate) fn fits(self, key: Key) -> bool {
        match self {
            Self::Dsa(_) => matches!(key, Key::Dsa { .. }),
            Self::Ecdsa(_) => matches!(key, Key::Ec(_)),
            Self::Ed25519 => key == Key::Ed25519,
            Self::Ed448 => key == Key::Ed448,
            Self::RsaPkcs1(_) => matches!(key, Key::Rsa { .. }),
            Self::RsaPss { .. } => matches!(key, Key::Rsa { .. } | Key::RsaPss { .. }),
            Self::Unknown => false,
        }
    }

    /// Name as Java writes it: `SHA256withRSA`.
    pub(crate) fn java_name(self) -> String {
        match self {
            Self::Dsa(hash) => format!("{}withDSA", hash.name()),
            Self::Ecdsa(hash) => format!("{}withECDSA", hash.name()),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Ed448 => "Ed448".to_owned(),
            Self::RsaPkcs1(hash) => format!("{}withRSA", hash.name()),
            Self::RsaPss { .. } => "RSASSA-PSS".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// A named curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    K256,
    P192,
    P224,
    P256,
    P384,
    P521,
    Unknown,
}

impl Curve {
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::P192 => 192,
            Self::P224 => 224,
            Self::K256 | Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
            Self::Unknown => 0,
        }
    }
}

/// Kind and size of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Dsa { bits: u32 },
    Ec(Curve),
    Ed25519,
    Ed448,
    Rsa { bits: u32, is_odd: bool },
    RsaPss { bits: u32 },
    Unknown,
}

impl Key {
    /// Reads a SubjectPublicKeyInfo.
    pub(crate) fn read(spki: Element<'_>) -> Self {
        read_key(spki).unwrap_or(Self::Unknown)
    }

    /// Size in bits as policies count it; 0 when unknown.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::Dsa { bits } | Self::Rsa { bits, .. } | Self::RsaPss { bits } => bits,
            Self::Ec(curve) => curve.bits(),
            Self::Ed25519 => 255,
            Self::Ed448 => 448,
            Self::Unknown => 0,
        }
    }

    /// Name as Java writes it.
    pub(crate) fn java_name(self) -> &'static str {
        match self {
            Self::Dsa { .. } => "DSA",
            Self::Ec(_) => "EC",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::Rsa { .. } => "RSA",
            Self::RsaPss { .. } => "RSASSA-PSS",
            Self::Unknown => "unknown",
        }
    }
}

fn read_key(spki: Element<'_>) -> Option<Key> {
    let mut parts = spki.inside();
    let mut algorithm = parts.expect(asn1::SEQUENCE)?.inside();
    let oid = algorithm.expect(asn1::OID)?;
    let bits = parts.expect(asn1::BIT_STRING)?.content.get(1..)?;
    Some(match oid.content {
        RSA => {
            let modulus = rsa_modulus(bits)?;
            Key::Rsa {
                bits: bit_length(modulus),
                is_odd: modulus.last()? & 1 == 1,
            }
        }
        RSA_PSS => Key::RsaPss {
            bits: bit_length(rsa_modulus(bits)?),
        },
        EC => {
            let curve = algorithm
                .optional(asn1::OID)
                .map_or(&[][..], |named| named.content);
            Key::Ec(
                CURVES
                    .iter()
                    .find(|(oid, _)| *oid == curve)
                    .map_or(Curve::Unknown, |row| row.1),
            )
        }
        DSA => {
            let prime = algorithm.expect(asn1::SEQUENCE)?.inside().expect(asn1::INTEGER)?;
            Key::Dsa {
                bits: bit_length(prime.content),
            }
        }
        ED25519 => Key::Ed25519,
        ED448 => Key::Ed448,
        _ => Key::Unknown,
    })
}

fn rsa_modulus(bits: &[u8]) -> Option<&[u8]> {
    let mut numbers = asn1::only(bits, asn1::SEQUENCE)?.inside();
    numbers.expect(asn1::INTEGER).map(|modulus| modulus.content)
}

fn bit_length(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    let leading = digits.first().map_or(0, |octet| octet.leading_zeros());
    u32::try_from(digits.len()).map_or(0, |count| (count * 8).saturating_sub(leading))
}

/// RFC 4055 3.1: hash [0], mask function [1], salt length [2], all with SHA-1 defaults.
fn pss(parameters: Option<Element<'_>>) -> Option<Signed> {
    let mut fields = parameters?.inside();
    let hash = match fields.optional(0xa0) {
        Some(tagged) => hash_of(tagged.inside().expect(asn1::SEQUENCE)?)?,
        None => Hash::Sha1,
    };
    let mask = match fields.optional(0xa1) {
        Some(tagged) => {
            let mut function = tagged.inside().expect(asn1::SEQUENCE)?.inside();
            function.expect(asn1::OID)?;
            hash_of(function.expect(asn1::SEQUENCE)?)?
        }
        None => Hash::Sha1,
    };
    let salt = match fields.optional(0xa2) {
        Some(tagged) => match tagged.inside().expect(asn1::INTEGER)?.content {
            [salt] => usize::from(*salt),
            _ => return None,
        },
        None => 20,
    };
    Some(Signed::RsaPss { hash, mask, salt })
}

fn hash_of(identifier: Element<'_>) -> Option<Hash> {
    let oid = identifier.inside().expect(asn1::OID)?;
    HASHES
        .iter()
        .find(|(bytes, _)| *bytes == oid.content)
        .map(|row| row.1)
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];

const CURVES: &[(&[u8], Curve)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01], Curve::P192),
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], Curve::P224),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], Curve::P256),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], Curve::P384),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], Curve::P521),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], Curve::K256),
];

const HASHES: &[(&[u8], Hash)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05], Hash::Md5),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1a], Hash::Sha1),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04],
        Hash::Sha224,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
        Hash::Sha256,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
        Hash::Sha384,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        Hash::Sha512,
    ),
];

/// Source: RFC 3279, RFC 4055, RFC 5758, RFC 8410.
const SIGNATURES: &[(&[u8], Signed)] = &[
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x02],
        Signed::RsaPkcs1(Hash::Md2),
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04],
        Signed::RsaPkcs1(Hash::Md5),
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05],
        Signed::RsaPkcs1(Hash::Sha1),
    ),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1d], Signed::RsaPkcs1(Hash::Sha1)),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0e],
        Signed::RsaPkcs1(Hash::Sha224),
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
        Signed::RsaPkcs1(Hash::Sha256),
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
        Signed::RsaPkcs1(Hash::Sha384),
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
        Signed::RsaPkcs1(Hash::Sha512),
    ),
    (
        RSA_PSS,
        Signed::RsaPss {
            hash: Hash::Sha1,
            mask: Hash::Sha1,
            salt: 20,
        },
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
        Signed::Ecdsa(Hash::Sha1),
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01],
        Signed::Ecdsa(Hash::Sha224),
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
        Signed::Ecdsa(Hash::Sha256),
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
        Signed::Ecdsa(Hash::Sha384),
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        Signed::Ecdsa(Hash::Sha512),
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03],
        Signed::Dsa(Hash::Sha1),
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x01],
        Signed::Dsa(Hash::Sha224),
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02],
        Signed::Dsa(Hash::Sha256),
    ),
    (ED25519, Signed::Ed25519),
    (ED448, Signed::Ed448),
];
