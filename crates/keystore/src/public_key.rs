//! Public keys: kind and size as people say them.

use std::fmt;

use crate::certificate::Algorithm;
use crate::der::{self, Der, tag};
use crate::oid::{self, Oid};
use crate::reader::ReadError;

/// A subjectPublicKeyInfo, borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// The encoded subjectPublicKeyInfo.
    pub spki: &'a [u8],
    /// Which algorithm, with its parameters.
    pub algorithm: Algorithm<'a>,
    /// The key's octets: an RSAPublicKey, a curve point, 32 octets of Ed25519 …
    pub bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Reads a subjectPublicKeyInfo that stands at `origin` of its file. The key's own structure is not looked at.
    ///
    /// # Errors
    /// Any [`ReadError`].
    pub fn parse(spki: &'a [u8], origin: usize) -> Result<Self, ReadError> {
        let mut parts = der::only(spki, origin, tag::SEQUENCE, "subjectPublicKeyInfo")?.children();
        let algorithm = parts.expect(tag::SEQUENCE, "key algorithm")?;
        let algorithm = Algorithm::parse(algorithm.full, algorithm.offset)?;
        let bits = parts
            .expect(tag::BIT_STRING, "public key")?
            .whole_bits("public key")?;
        parts.finish("public key")?;
        Ok(Self {
            spki,
            algorithm,
            bits,
        })
    }

    /// Kind and size, `RSA 2048`, `EC P-256`.
    pub fn kind(&self) -> KeyKind<'a> {
        match self.algorithm.oid() {
            oid::RSA => KeyKind::Rsa {
                bits: self.rsa().map_or(0, |(modulus, _)| bit_length(modulus)),
            },
            oid::RSA_PSS => KeyKind::RsaPss {
                bits: self.rsa().map_or(0, |(modulus, _)| bit_length(modulus)),
            },
            oid::EC => KeyKind::Ec {
                curve: Curve::of(self.algorithm.parameters()),
            },
            oid::DSA => KeyKind::Dsa {
                bits: self.dsa_bits(),
            },
            oid::ED25519 => KeyKind::Ed25519,
            oid::ED448 => KeyKind::Ed448,
            oid::X25519 => KeyKind::X25519,
            oid::X448 => KeyKind::X448,
            other => KeyKind::Other(other),
        }
    }

    /// Modulus and public exponent of an RSA key, big-endian, without leading zeros; nothing for another kind or a
    /// broken structure.
    pub fn rsa(&self) -> Option<(&'a [u8], &'a [u8])> {
        if !matches!(self.algorithm.oid(), oid::RSA | oid::RSA_PSS) {
            return None;
        }
        let mut parts = Der::new(self.bits).sequence("RSA key").ok()?;
        let modulus = parts.expect(tag::INTEGER, "modulus").ok()?.content;
        let exponent = parts.expect(tag::INTEGER, "exponent").ok()?.content;
        Some((der::trim_zeros(modulus), der::trim_zeros(exponent)))
    }

    fn dsa_bits(&self) -> usize {
        let prime = Der::new(self.algorithm.parameters())
            .sequence("DSA parameters")
            .and_then(|mut parts| parts.expect(tag::INTEGER, "prime"));
        prime.map_or(0, |prime| bit_length(prime.content))
    }
}

/// What kind of key, with its size. A size of 0 means that the key's own structure could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind<'a> {
    /// DSA, by the bits of its prime.
    Dsa {
        /// Bits of the prime.
        bits: usize,
    },
    /// An elliptic curve key.
    Ec {
        /// Its curve.
        curve: Curve<'a>,
    },
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// A kind that is not listed here.
    Other(Oid<'a>),
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// RSA that may be used with PSS only.
    RsaPss {
        /// Bits of the modulus.
        bits: usize,
    },
    /// X25519.
    X25519,
    /// X448.
    X448,
}

impl fmt::Display for KeyKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dsa { bits } => write!(f, "DSA {bits}"),
            Self::Ec { curve } => write!(f, "EC {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Other(oid) => write!(f, "{oid}"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::RsaPss { bits } => write!(f, "RSA-PSS {bits}"),
            Self::X25519 => f.write_str("X25519"),
            Self::X448 => f.write_str("X448"),
        }
    }
}

/// The curve of an EC key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Curve<'a> {
    /// All parameters written out instead of a name; Java and most others refuse such keys.
    Explicit,
    /// Named, by identifier.
    Named(Oid<'a>),
    /// No parameters, or something that is no curve.
    Unknown,
}

impl<'a> Curve<'a> {
    fn of(parameters: &'a [u8]) -> Self {
        let Ok(element) = Der::new(parameters).any("curve") else {
            return Self::Unknown;
        };
        match element.tag {
            tag::OID => element.oid("curve").map_or(Self::Unknown, Self::Named),
            tag::SEQUENCE => Self::Explicit,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Curve<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit => f.write_str("explicit parameters"),
            Self::Unknown => f.write_str("unknown curve"),
            Self::Named(oid) => match CURVE_NAMES.iter().find(|(known, _)| known == oid) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "{oid}"),
            },
        }
    }
}

fn bit_length(digits: &[u8]) -> usize {
    let digits = der::trim_zeros(digits);
    digits
        .first()
        .map_or(0, |first| digits.len() * 8 - first.leading_zeros() as usize)
}

const CURVE_NAMES: &[(Oid<'static>, &str)] = &[
    (oid::BRAINPOOL_P256, "brainpoolP256r1"),
    (oid::BRAINPOOL_P384, "brainpoolP384r1"),
    (oid::BRAINPOOL_P512, "brainpoolP512r1"),
    (oid::P192, "P-192"),
    (oid::P224, "P-224"),
    (oid::P256, "P-256"),
    (oid::P384, "P-384"),
    (oid::P521, "P-521"),
    (oid::SECP256K1, "secp256k1"),
];
