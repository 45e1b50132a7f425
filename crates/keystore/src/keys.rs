//! Private keys in the forms that files have, brought to PKCS#8, and the public key that belongs to one.
//!
//! | Form | Bytes |
//! |---|---|
//! | PKCS#8 | SEQUENCE { version, AlgorithmIdentifier, OCTET STRING, attributes?, public key? } |
//! | PKCS#8, encrypted | SEQUENCE { AlgorithmIdentifier, OCTET STRING } |
//! | PKCS#1 | SEQUENCE { version, modulus, publicExponent, … }: RSA |
//! | DSA, OpenSSL's own | SEQUENCE { 0, p, q, g, y, x } |
//! | SEC 1 | SEQUENCE { 1, OCTET STRING, \[0\] curve?, \[1\] point? }: EC |
//!
//! Source: RFC 5958, RFC 8017 A.1.2, RFC 5915.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
};
use zeroize::Zeroizing;

use crate::certificate::{Algorithm, Certificate};
use crate::der::{self, Der, tag};
use crate::edwards448;
use crate::entry::Unlock;
use crate::error::{KeyError, UnlockError};
use crate::modular::Modulus;
use crate::oid::{self, Oid};
use crate::pbe::{KdfPassword, Scheme};
use crate::public_key::PublicKey;
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, WriteEnv};

/// Whether a private key and a certificate belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMatch {
    /// The certificate is for another key.
    Differs,
    /// The certificate is for this key.
    Matches,
    /// The public half is not in the key and cannot be computed here.
    Unknown,
}

impl PrivateKey {
    /// Takes an unencrypted RSAPrivateKey (PKCS#1).
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`] when it is none.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        der::only(der, 0, tag::SEQUENCE, "RSA key")
            .and_then(|whole| read_rsa(whole.full).map(|_| ()))
            .map_err(|_| KeyError::NotPkcs8)?;
        let algorithm = der::write_algorithm(oid::RSA, &der::write_null());
        Ok(Self::wrapped(&algorithm, der))
    }

    /// Takes an unencrypted ECPrivateKey (SEC 1), which must name its curve.
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`] when it is none.
    pub fn from_sec1_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = EcKey::read(der).map_err(|_| KeyError::NotPkcs8)?;
        let curve = key.curve.ok_or(KeyError::NotPkcs8)?;
        let mut parts = vec![der::write_u64(1), der::write_octets(key.secret)];
        parts.extend(
            key.point
                .map(|point| der::write(tag::context_constructed(1), &[&der::write_bits(point)])),
        );
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let inner = Zeroizing::new(der::write_sequence(&parts));
        Ok(Self::wrapped(&der::write_algorithm(oid::EC, curve), &inner))
    }

    /// Takes an unencrypted DSA key in the form of OpenSSL's `DSA PRIVATE KEY`.
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`] when it is none.
    pub fn from_dsa_der(der: &[u8]) -> Result<Self, KeyError> {
        let read = || -> Result<(Vec<u8>, Vec<u8>), ReadError> {
            let mut parts = der::only(der, 0, tag::SEQUENCE, "DSA key")?.children();
            parts.expect(tag::INTEGER, "DSA key version")?;
            let mut number = || parts.expect(tag::INTEGER, "DSA number").map(|number| number.full);
            let parameters = der::write_sequence(&[number()?, number()?, number()?]);
            number()?;
            let secret = number()?.to_vec();
            parts.finish("DSA key")?;
            Ok((parameters, secret))
        };
        let (parameters, secret) = read().map_err(|_| KeyError::NotPkcs8)?;
        let secret = Zeroizing::new(secret);
        Ok(Self::wrapped(
            &der::write_algorithm(oid::DSA, &parameters),
            &secret,
        ))
    }

    /// Takes a private key in any unencrypted DER form: PKCS#8, PKCS#1, SEC 1 or OpenSSL's of DSA.
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`] when it is none of them.
    pub fn from_any_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs8_der(der)
            .or_else(|_| Self::from_pkcs1_der(der))
            .or_else(|_| Self::from_sec1_der(der))
            .or_else(|_| Self::from_dsa_der(der))
    }

    /// The key in the form of its own algorithm, and the word for it in a PEM label: PKCS#1 (`RSA`) or SEC 1 (`EC`).
    /// `None` for keys that have no such form.
    pub(crate) fn traditional(&self) -> Option<(&'static str, Zeroizing<Vec<u8>>)> {
        let (algorithm, inner) = self.parts().ok()?;
        if algorithm.oid() == oid::RSA {
            return Some(("RSA", Zeroizing::new(inner.to_vec())));
        }
        if algorithm.oid() != oid::EC {
            return None;
        }
        let key = EcKey::read(inner).ok()?;
        let curve = key.curve.unwrap_or(algorithm.parameters());
        let mut parts = vec![
            der::write_u64(1),
            der::write_octets(key.secret),
            der::write(tag::context_constructed(0), &[curve]),
        ];
        parts.extend(
            key.point
                .map(|point| der::write(tag::context_constructed(1), &[&der::write_bits(point)])),
        );
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Some(("EC", Zeroizing::new(der::write_sequence(&parts))))
    }

    /// Kind and size in words, `RSA 2048`; `unknown` when the key cannot be walked.
    pub fn kind_name(&self) -> String {
        let Ok((algorithm, inner)) = self.parts() else {
            return "unknown".to_owned();
        };
        let bits = match algorithm.oid() {
            oid::RSA | oid::RSA_PSS => read_rsa(inner)
                .map(|(modulus, exponent)| {
                    der::write_sequence(&[&der::write_unsigned(modulus), &der::write_unsigned(exponent)])
                })
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        PublicKey {
            spki: &[],
            algorithm,
            bits: &bits,
        }
        .kind()
        .to_string()
    }

    /// Whether the certificate is for this key, by the numbers of both: RSA modulus and exponent, curve and point,
    /// Edwards point. A point that the key does not carry is computed for P-256, P-384, P-521, secp256k1 and Ed25519.
    pub fn matches(&self, certificate: &Certificate) -> KeyMatch {
        self.matches_spki(certificate.spki())
    }

    /// As [`PrivateKey::matches`], for an encoded subjectPublicKeyInfo.
    pub fn matches_spki(&self, spki: &[u8]) -> KeyMatch {
        let Ok(public) = PublicKey::parse(spki, 0) else {
            return KeyMatch::Unknown;
        };
        let Ok((algorithm, inner)) = self.parts() else {
            return KeyMatch::Unknown;
        };
        if let Some(same) = self.same_by_numbers(&public, &algorithm, inner) {
            return if same {
                KeyMatch::Matches
            } else {
                KeyMatch::Differs
            };
        }
        KeyMatch::Unknown
    }

    fn same_by_numbers(
        &self,
        public: &PublicKey<'_>,
        algorithm: &Algorithm<'_>,
        inner: &[u8],
    ) -> Option<bool> {
        if let oid::RSA | oid::RSA_PSS = algorithm.oid() {
            let (modulus, exponent) = read_rsa(inner).ok()?;
            return Some(public.rsa() == Some((modulus, exponent)));
        }
        if algorithm.oid() != public.algorithm.oid() {
            return Some(false);
        }
        if algorithm.oid() == oid::EC {
            let key = EcKey::read(inner).ok()?;
            let curve = key.curve.unwrap_or(algorithm.parameters());
            if curve != public.algorithm.parameters() {
                return Some(false);
            }
            let attached = key.point.or(self.attached_public()).map(<[u8]>::to_vec);
            let point = attached.or_else(|| ec_point(curve, self.pkcs8_der()))?;
            return same_point(&point, public.bits);
        }
        if algorithm.oid() == oid::DSA {
            return same_dsa(algorithm.parameters(), inner, public);
        }
        let attached = self.attached_public().map(<[u8]>::to_vec);
        let point = attached.or_else(|| edwards_point(algorithm.oid(), self.pkcs8_der(), inner))?;
        Some(point == public.bits)
    }

    /// The public key that PKCS#8 version 2 may carry behind the attributes.
    fn attached_public(&self) -> Option<&[u8]> {
        let mut parts = Der::new(self.pkcs8_der()).sequence("private key").ok()?;
        while let Ok(part) = parts.any("private key") {
            if part.tag == tag::context(1) {
                return part.whole_bits("public key").ok();
            }
        }
        None
    }

    /// The algorithm and the octets inside.
    fn parts(&self) -> Result<(Algorithm<'_>, &[u8]), ReadError> {
        let mut parts = Der::new(self.pkcs8_der()).sequence("private key")?;
        parts.expect(tag::INTEGER, "private key version")?;
        let algorithm = parts.expect(tag::SEQUENCE, "key algorithm")?;
        let inner = parts.expect(tag::OCTET_STRING, "private key")?;
        Ok((Algorithm::parse(algorithm.full, algorithm.offset)?, inner.content))
    }

    fn wrapped(algorithm: &[u8], inner: &[u8]) -> Self {
        let octets = Zeroizing::new(der::write_octets(inner));
        let whole = der::write_sequence(&[&der::write_u64(0), algorithm, &octets]);
        Self::from_pkcs8_der(whole).expect("the frame was just written")
    }
}

/// An EncryptedPrivateKeyInfo as a store holds it.
#[derive(Clone)]
pub(crate) struct EncryptedKey {
    scheme: Result<Scheme, String>,
    sealed: Vec<u8>,
    max_rounds: u64,
    widening: Widening,
}

/// How a password becomes the two-byte characters of the PKCS#12 schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widening {
    /// Each byte by itself: GSKit's databases.
    Bytes,
    /// As text: RFC 7292.
    Text,
}

impl EncryptedKey {
    /// Reads an EncryptedPrivateKeyInfo that stands at `origin` of its file.
    pub(crate) fn read(
        der: &[u8],
        origin: usize,
        max_rounds: u64,
        widening: Widening,
    ) -> Result<Self, ReadError> {
        let mut parts = der::only(der, origin, tag::SEQUENCE, "encrypted key")?.children();
        let scheme = Scheme::read(parts.sequence("encryption algorithm")?)?;
        let sealed = parts
            .expect(tag::OCTET_STRING, "encrypted key")?
            .octets()?
            .into_owned();
        parts.finish("encrypted key")?;
        Ok(Self {
            scheme,
            sealed,
            max_rounds,
            widening,
        })
    }

    /// How it is sealed; `None` for a scheme that is not known here.
    pub(crate) fn scheme(&self) -> Option<&Scheme> {
        self.scheme.as_ref().ok()
    }

    /// Encrypts `key` and gives the EncryptedPrivateKeyInfo.
    pub(crate) fn seal(
        key: &PrivateKey,
        scheme: &Scheme,
        password: &Password,
        widening: Widening,
    ) -> Vec<u8> {
        let password = widening.apply(password);
        let sealed = scheme
            .encrypt(&password, key.pkcs8_der(), u64::MAX)
            .expect("schemes made for writing have lengths and rounds that fit");
        der::write_sequence(&[&scheme.write(), &der::write_octets(&sealed)])
    }

    /// The key under another password, by the same scheme with new salt and vector.
    pub(crate) fn resealed(
        &self,
        old: &Password,
        new: &Password,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, UnlockError> {
        let key = self.private_key(Some(old))?;
        let scheme = self
            .scheme
            .as_ref()
            .map_err(|what| UnlockError::Unsupported { what: what.clone() })?;
        Ok(Self::seal(&key, &scheme.renewed(env), new, self.widening))
    }
}

impl Unlock for EncryptedKey {
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        let scheme = self
            .scheme
            .as_ref()
            .map_err(|what| UnlockError::Unsupported { what: what.clone() })?;
        let password = self.widening.apply(password.ok_or(UnlockError::NeedsPassword)?);
        let opened = scheme.decrypt(&password, &self.sealed, self.max_rounds)?;
        PrivateKey::from_pkcs8_der(opened.as_slice()).map_err(|_| UnlockError::WrongPassword)
    }

    fn protection(&self) -> String {
        match &self.scheme {
            Ok(scheme) => scheme.describe(),
            Err(what) => what.clone(),
        }
    }
}

impl Widening {
    fn apply(self, password: &Password) -> KdfPassword {
        match self {
            Self::Bytes => KdfPassword::bytes_widened(password),
            Self::Text => KdfPassword::new(password),
        }
    }
}

/// A key slot whose key lies elsewhere or nowhere.
pub(crate) struct NoKey;

impl Unlock for NoKey {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Err(UnlockError::NoKey)
    }

    fn protection(&self) -> String {
        "none".to_owned()
    }
}

/// The parts of an ECPrivateKey.
struct EcKey<'a> {
    secret: &'a [u8],
    curve: Option<&'a [u8]>,
    point: Option<&'a [u8]>,
}

impl<'a> EcKey<'a> {
    fn read(der: &'a [u8]) -> Result<Self, ReadError> {
        let mut parts = der::only(der, 0, tag::SEQUENCE, "EC key")?.children();
        let version = parts.expect(tag::INTEGER, "EC key version")?;
        if version.unsigned("EC key version")? != 1 {
            return Err(ReadError::BadValue {
                what: "EC key version",
                offset: version.offset,
            });
        }
        let secret = parts.expect(tag::OCTET_STRING, "EC key")?.content;
        let curve = parts
            .optional(tag::context_constructed(0), "curve")?
            .map(|wrapped| wrapped.content);
        let point = match parts.optional(tag::context_constructed(1), "point")? {
            Some(wrapped) => Some(
                wrapped
                    .children()
                    .expect(tag::BIT_STRING, "point")?
                    .whole_bits("point")?,
            ),
            None => None,
        };
        parts.finish("EC key")?;
        Ok(Self { secret, curve, point })
    }
}

/// Modulus and public exponent of an RSAPrivateKey, without leading zeros.
fn read_rsa(der: &[u8]) -> Result<(&[u8], &[u8]), ReadError> {
    let mut parts = der::only(der, 0, tag::SEQUENCE, "RSA key")?.children();
    parts.expect(tag::INTEGER, "RSA key version")?;
    let modulus = parts.expect(tag::INTEGER, "modulus")?.content;
    let exponent = parts.expect(tag::INTEGER, "exponent")?.content;
    for what in [
        "private exponent",
        "prime",
        "prime",
        "exponent",
        "exponent",
        "coefficient",
    ] {
        parts.expect(tag::INTEGER, what)?;
    }
    Ok((der::trim_zeros(modulus), der::trim_zeros(exponent)))
}

/// The point of a key that does not carry it, as Java writes its EC keys; nothing for a curve the library does not have.
fn ec_point(curve: &[u8], pkcs8: &[u8]) -> Option<Vec<u8>> {
    let curve = Der::new(curve).any("curve").ok()?.oid("curve").ok()?;
    let (_, algorithm) = EC_ALGORITHMS.iter().find(|(known, _)| *known == curve)?;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// Whether y = g^x modulo p, over the same p, q and g. Source: FIPS 186-4 4.1; the parameters of RFC 3279 2.3.2.
fn same_dsa(parameters: &[u8], inner: &[u8], public: &PublicKey<'_>) -> Option<bool> {
    if parameters != public.algorithm.parameters() {
        return Some(false);
    }
    let unsigned = |bytes, what| Some(der::only(bytes, 0, tag::INTEGER, what).ok()?.content);
    let mut parts = Der::new(parameters).sequence("DSA parameters").ok()?;
    let p = parts.expect(tag::INTEGER, "p").ok()?.content;
    parts.expect(tag::INTEGER, "q").ok()?;
    let g = parts.expect(tag::INTEGER, "g").ok()?.content;
    let modulus = Modulus::new(p)?;
    // A private key is below q, which is below p.
    if unsigned(inner, "private key")?.len() > p.len() {
        return Some(false);
    }
    let made = modulus.power(&modulus.residue(g)?, unsigned(inner, "private key")?);
    Some(modulus.residue(unsigned(public.bits, "public key")?)? == made)
}

fn edwards_point(kind: Oid<'_>, pkcs8: &[u8], inner: &[u8]) -> Option<Vec<u8>> {
    if kind == oid::ED448 {
        let private = der::only(inner, 0, tag::OCTET_STRING, "private key").ok()?;
        return edwards448::public_key(private.content);
    }
    if kind != oid::ED25519 {
        return None;
    }
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// Compares curve points; a compressed one is compared by its first coordinate and parity.
fn same_point(left: &[u8], right: &[u8]) -> Option<bool> {
    let ((left_form, left_rest), (right_form, right_rest)) = (left.split_first()?, right.split_first()?);
    if left_form == right_form {
        return Some(left_rest == right_rest);
    }
    let (short_form, short, long) = match (left_form, right_form) {
        (2 | 3, 4) => (left_form, left_rest, right_rest),
        (4, 2 | 3) => (right_form, right_rest, left_rest),
        _ => return None,
    };
    let parity = long.last()? & 1;
    Some(long.len() == short.len() * 2 && long.starts_with(short) && short_form & 1 == parity)
}

const EC_ALGORITHMS: [(Oid<'static>, &EcdsaSigningAlgorithm); 4] = [
    (oid::P256, &ECDSA_P256_SHA256_ASN1_SIGNING),
    (oid::P384, &ECDSA_P384_SHA384_ASN1_SIGNING),
    (oid::P521, &ECDSA_P521_SHA512_ASN1_SIGNING),
    (oid::SECP256K1, &ECDSA_P256K1_SHA256_ASN1_SIGNING),
];
