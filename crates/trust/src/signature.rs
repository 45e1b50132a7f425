//! Does this signature verify under that key: the real arithmetic, and a recorded one.

mod rare;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, UnparsedPublicKey};
use md5::Digest as _;
use rsa::{BoxedUint, RsaPublicKey};

use crate::algorithm::{Curve, Hash, Key, Signed};
use crate::asn1;

/// One signature to check: everything in DER as the certificates have it.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The signed bytes (TBSCertificate).
    pub tbs: &'a [u8],
    /// The outer AlgorithmIdentifier.
    pub algorithm: &'a [u8],
    /// The signature's bits.
    pub signature: &'a [u8],
    /// The issuer's SubjectPublicKeyInfo.
    pub issuer_spki: &'a [u8],
}

impl Claim<'_> {
    /// SHA-256 over all four parts, each with its length: the key of caches and records.
    pub fn digest(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [self.tbs, self.algorithm, self.signature, self.issuer_spki] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.finish().as_ref());
        out
    }
}

/// Whoever can say whether a signature verifies. Which algorithms a runtime *allows* is the profile's matter:
/// this is arithmetic only.
pub trait Signatures {
    /// Whether the claim holds. `false` also for algorithms and keys that cannot be computed here.
    fn holds(&self, claim: &Claim<'_>) -> bool;
}

/// Real arithmetic, each claim computed once.
///
/// RSA of any size from 512 bits with MD5, SHA-1 and SHA-2, PKCS#1 v1.5 and PSS; ECDSA on P-192, P-224, P-256, P-384,
/// P-521 and secp256k1 with SHA-1 and SHA-2; DSA; Ed25519. Not: Ed448 (no released crate), MD2.
#[derive(Default)]
pub struct Computed {
    seen: Mutex<BTreeMap<[u8; 32], bool>>,
}

impl Computed {
    /// With nothing computed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many different claims were computed so far.
    pub fn len(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was computed so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was computed, for replay by [`Recorded`].
    pub fn record(&self) -> Recorded {
        Recorded {
            seen: self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Signatures for Computed {
    fn holds(&self, claim: &Claim<'_>) -> bool {
        let key = claim.digest();
        let known = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .copied();
        if let Some(known) = known {
            return known;
        }
        let holds = compute(claim);
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, holds);
        holds
    }
}

/// Answers from a record; a claim that is not in it does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    seen: BTreeMap<[u8; 32], bool>,
}

impl Recorded {
    /// From pairs of [`Claim::digest`] and answer.
    pub fn new(pairs: impl IntoIterator<Item = ([u8; 32], bool)>) -> Self {
        Self {
            seen: pairs.into_iter().collect(),
        }
    }
}

impl Signatures for Recorded {
    fn holds(&self, claim: &Claim<'_>) -> bool {
        self.seen.get(&claim.digest()).copied().unwrap_or(false)
    }
}

/// The arithmetic alone, nothing kept. `false` also for algorithms and keys that cannot be computed here.
pub fn compute(claim: &Claim<'_>) -> bool {
    computed(claim).unwrap_or(false)
}

fn computed(claim: &Claim<'_>) -> Option<bool> {
    let signed = Signed::read(asn1::only(claim.algorithm, asn1::SEQUENCE)?);
    let spki = asn1::only(claim.issuer_spki, asn1::SEQUENCE)?;
    let mut parts = spki.inside();
    parts.expect(asn1::SEQUENCE)?;
    let point = parts.expect(asn1::BIT_STRING)?.content.get(1..)?;
    match (signed, Key::read(spki)) {
        (Signed::Ed25519, Key::Ed25519) => {
            let key = UnparsedPublicKey::new(&signature::ED25519, point);
            Some(key.verify(claim.tbs, claim.signature).is_ok())
        }
        (Signed::Ecdsa(hash), Key::Ec(curve)) => {
            ecdsa(curve, point, &hashed(hash, claim.tbs)?, claim.signature)
        }
        (Signed::Dsa(hash), Key::Dsa { .. }) => {
            rare::dsa(claim.issuer_spki, &hashed(hash, claim.tbs)?, claim.signature)
        }
        (signed, Key::Rsa { bits, .. }) if bits >= MIN_QUICK_RSA_BITS && quick_rsa(signed, point, claim) => {
            Some(true)
        }
        (Signed::RsaPkcs1(hash), Key::Rsa { .. }) => {
            pkcs1(&rsa_key(point)?, hash, &hashed(hash, claim.tbs)?, claim.signature)
        }
        (Signed::RsaPss { hash, mask, salt }, Key::Rsa { .. } | Key::RsaPss { .. }) if hash == mask => pss(
            &rsa_key(point)?,
            hash,
            salt,
            &hashed(hash, claim.tbs)?,
            claim.signature,
        ),
        _ => None,
    }
}

fn hashed(hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match hash {
        Hash::Md2 => return None,
        Hash::Md5 => return Some(md5::Md5::digest(message).to_vec()),
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &digest::SHA224,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    Some(digest::digest(algorithm, message).as_ref().to_vec())
}

/// ECDSA takes the leftmost bits of the hash as an integer (FIPS 186-5 6.4): so every hash becomes one of the
/// length of the curve, cut at the right or filled with zeros at the left.
fn ecdsa(curve: Curve, point: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool> {
    let (algorithm, digest_algorithm, length) = match curve {
        Curve::P256 => (&signature::ECDSA_P256_SHA256_ASN1, &digest::SHA256, 32),
        Curve::K256 => (&signature::ECDSA_P256K1_SHA256_ASN1, &digest::SHA256, 32),
        Curve::P384 => (&signature::ECDSA_P384_SHA384_ASN1, &digest::SHA384, 48),
        Curve::P521 => (&signature::ECDSA_P521_SHA512_ASN1, &digest::SHA512, 64),
        Curve::P192 => return rare::p192(point, hash, signature),
        Curve::P224 => return rare::p224(point, hash, signature),
        Curve::Unknown => return None,
    };
    let mut fitted = vec![0; length];
    let kept = hash.len().min(length);
    fitted
        .get_mut(length - kept..)?
        .copy_from_slice(hash.get(..kept)?);
    let hash = digest::Digest::import_less_safe(&fitted, digest_algorithm).ok()?;
    Some(
        UnparsedPublicKey::new(algorithm, point)
            .verify_digest(&hash, signature)
            .is_ok(),
    )
}

/// What nearly every RSA certificate has, by the quick provider. `false` may mean that it does not take such keys.
fn quick_rsa(signed: Signed, key: &[u8], claim: &Claim<'_>) -> bool {
    let algorithm = match signed {
        Signed::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        Signed::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        Signed::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return false,
    };
    let key = UnparsedPublicKey::new(algorithm, key);
    key.verify(claim.tbs, claim.signature).is_ok()
}

fn rsa_key(bits: &[u8]) -> Option<RsaPublicKey> {
    let mut numbers = asn1::only(bits, asn1::SEQUENCE)?.inside();
    let modulus = BoxedUint::from_be_slice_vartime(numbers.expect(asn1::INTEGER)?.content);
    let exponent = BoxedUint::from_be_slice_vartime(numbers.expect(asn1::INTEGER)?.content);
    RsaPublicKey::new_with_size_limits(modulus, exponent, MIN_RSA_BITS..=MAX_RSA_BITS).ok()
}

fn pkcs1(key: &RsaPublicKey, hash: Hash, hashed: &[u8], signature: &[u8]) -> Option<bool> {
    let scheme = match hash {
        Hash::Md2 => return None,
        Hash::Md5 => rsa::Pkcs1v15Sign::new::<md5::Md5>(),
        Hash::Sha1 => rsa::Pkcs1v15Sign::new::<sha1::Sha1>(),
        Hash::Sha224 => rsa::Pkcs1v15Sign::new::<sha2::Sha224>(),
        Hash::Sha256 => rsa::Pkcs1v15Sign::new::<sha2::Sha256>(),
        Hash::Sha384 => rsa::Pkcs1v15Sign::new::<sha2::Sha384>(),
        Hash::Sha512 => rsa::Pkcs1v15Sign::new::<sha2::Sha512>(),
    };
    Some(key.verify(scheme, hashed, signature).is_ok())
}

fn pss(key: &RsaPublicKey, hash: Hash, salt: usize, hashed: &[u8], signature: &[u8]) -> Option<bool> {
    let answer = match hash {
        Hash::Md2 | Hash::Md5 => return None,
        Hash::Sha1 => key.verify(rsa::Pss::<sha1::Sha1>::new_with_salt(salt), hashed, signature),
        Hash::Sha224 => key.verify(rsa::Pss::<sha2::Sha224>::new_with_salt(salt), hashed, signature),
        Hash::Sha256 => key.verify(rsa::Pss::<sha2::Sha256>::new_with_salt(salt), hashed, signature),
        Hash::Sha384 => key.verify(rsa::Pss::<sha2::Sha384>::new_with_salt(salt), hashed, signature),
        Hash::Sha512 => key.verify(rsa::Pss::<sha2::Sha512>::new_with_salt(salt), hashed, signature),
    };
    Some(answer.is_ok())
}

/// Below this the quick provider takes none. Source: aws-lc-rs `RSA_PKCS1_2048_8192_SHA256`.
const MIN_QUICK_RSA_BITS: u32 = 2048;

/// Old stores go down to this.
const MIN_RSA_BITS: usize = 512;

/// Keys above this take seconds. Source: OpenSSL `OPENSSL_RSA_MAX_MODULUS_BITS`.
const MAX_RSA_BITS: usize = 16_384;
