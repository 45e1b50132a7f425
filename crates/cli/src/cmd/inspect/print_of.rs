//! Public keys by their numbers, so that a key and a certificate can be held together without either.

use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use keystore::Certificate;
use keystore::PrivateKey;
use keystore::PublicKey;
use keystore::der::Der;
use keystore::der::tag;
use keystore::der::trim_zeros;
use keystore::oid;

/// The print of a certificate's key; `None` where its form is not known here.
pub fn certificate(certificate: &Certificate) -> Option<String> {
    spki(certificate.spki())
}

/// The print of a private key, that of the certificates for it. `None` where its public half is not in it and cannot be
/// computed here.
pub fn key(key: &PrivateKey) -> Option<String> {
    let mut parts = Der::new(key.pkcs8_der()).sequence("private key").ok()?;
    parts.expect(tag::INTEGER, "version").ok()?;
    let mut algorithm = parts.expect(tag::SEQUENCE, "algorithm").ok()?.children();
    let name = algorithm
        .expect(tag::OID, "algorithm")
        .ok()?
        .oid("algorithm")
        .ok()?;
    let inner = parts.expect(tag::OCTET_STRING, "key").ok()?.content;
    if name == oid::RSA || name == oid::RSA_PSS {
        let mut numbers = Der::new(inner).sequence("RSA key").ok()?;
        numbers.expect(tag::INTEGER, "version").ok()?;
        let modulus = numbers.expect(tag::INTEGER, "modulus").ok()?.content;
        let exponent = numbers.expect(tag::INTEGER, "exponent").ok()?.content;
        return Some(rsa(modulus, exponent));
    }
    if name == oid::EC {
        let curve = algorithm.expect(tag::OID, "curve").ok()?.content;
        let point = attached_point(inner).or_else(|| computed_point(key.pkcs8_der()))?;
        return Some(ec(curve, &point));
    }
    if name == oid::ED25519 {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.pkcs8_der()).ok()?;
        return Some(plain(&keystore::der::write_oid(name), pair.public_key().as_ref()));
    }
    None
}

fn spki(spki: &[u8]) -> Option<String> {
    let public = PublicKey::parse(spki, 0).ok()?;
    if let Some((modulus, exponent)) = public.rsa() {
        return Some(rsa(modulus, exponent));
    }
    let mut parts = Der::new(spki).sequence("public key").ok()?;
    let mut algorithm = parts.expect(tag::SEQUENCE, "algorithm").ok()?.children();
    let name = algorithm
        .expect(tag::OID, "algorithm")
        .ok()?
        .oid("algorithm")
        .ok()?;
    let bits = parts
        .expect(tag::BIT_STRING, "public key")
        .ok()?
        .whole_bits("public key")
        .ok()?;
    if name == oid::EC {
        let curve = algorithm.expect(tag::OID, "curve").ok()?.content;
        return Some(ec(curve, bits));
    }
    Some(plain(&keystore::der::write_oid(name), bits))
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> String {
    digest(&[b"rsa", trim_zeros(modulus), b"/", trim_zeros(exponent)])
}

/// By the first coordinate: a point stands compressed or in full, and the two of one first coordinate are one key and its
/// negative.
fn ec(curve: &[u8], point: &[u8]) -> String {
    let first = match point.split_first() {
        Some((4 | 6 | 7, both)) => &both[..both.len() / 2],
        Some((2 | 3, first)) => first,
        _ => point,
    };
    digest(&[b"ec", curve, b"/", first])
}

fn plain(name: &[u8], bits: &[u8]) -> String {
    digest(&[b"plain", name, b"/", bits])
}

fn digest(parts: &[&[u8]]) -> String {
    fleet::snapshot::sha256_hex(&parts.concat())
}

fn attached_point(inner: &[u8]) -> Option<Vec<u8>> {
    let mut parts = Der::new(inner).sequence("EC key").ok()?;
    while let Ok(part) = parts.any("EC key") {
        if part.tag == tag::context_constructed(1) {
            let bits = part.children().expect(tag::BIT_STRING, "point").ok()?;
            return bits.whole_bits("point").ok().map(<[u8]>::to_vec);
        }
    }
    None
}

fn computed_point(pkcs8: &[u8]) -> Option<Vec<u8>> {
    use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1_SIGNING;
    use aws_lc_rs::signature::ECDSA_P521_SHA512_ASN1_SIGNING;
    [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ]
    .into_iter()
    .find_map(|curve| EcdsaKeyPair::from_pkcs8(curve, pkcs8).ok())
    .map(|pair| pair.public_key().as_ref().to_vec())
}
