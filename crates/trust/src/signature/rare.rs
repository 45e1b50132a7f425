//! DSA and the small curves: old certificates have them, aws-lc-rs has not.

use dsa::signature::hazmat::PrehashVerifier as _;
use rsa::BoxedUint;

use crate::asn1;

/// DSA with keys of 1024, 2048 and 3072 bits. `spki` is the whole SubjectPublicKeyInfo; a key that takes its
/// parameters from its issuer's gives `None`.
///
/// Source: RFC 3279 2.3.2; FIPS 186-4 4.2.
pub(super) fn dsa(spki: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool> {
    let mut parts = asn1::only(spki, asn1::SEQUENCE)?.inside();
    let mut algorithm = parts.expect(asn1::SEQUENCE)?.inside();
    algorithm.expect(asn1::OID)?;
    let mut numbers = algorithm.expect(asn1::SEQUENCE)?.inside();
    let mut number = || Some(unsigned(numbers.expect(asn1::INTEGER)?.content));
    let components = dsa::Components::from_components(number()?, number()?, number()?).ok()?;
    let value = asn1::only(parts.expect(asn1::BIT_STRING)?.content.get(1..)?, asn1::INTEGER)?;
    let key = dsa::VerifyingKey::from_components(components, unsigned(value.content)).ok()?;
    let mut pair = asn1::only(signature, asn1::SEQUENCE)?.inside();
    let (first, second) = (pair.expect(asn1::INTEGER)?, pair.expect(asn1::INTEGER)?);
    let signature = dsa::Signature::from_components(unsigned(first.content), unsigned(second.content))?;
    Some(key.verify_prehash(hash, &signature).is_ok())
}

/// ECDSA on P-192.
pub(super) fn p192(point: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool> {
    let key = p192::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p192::ecdsa::Signature::from_der(signature).ok()?;
    Some(key.verify_prehash(hash, &signature).is_ok())
}

/// ECDSA on P-224.
pub(super) fn p224(point: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool> {
    let key = p224::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p224::ecdsa::Signature::from_der(signature).ok()?;
    Some(key.verify_prehash(hash, &signature).is_ok())
}

/// Without the zeros in front: the numbers' own lengths decide which key sizes are taken.
fn unsigned(number: &[u8]) -> BoxedUint {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    BoxedUint::from_be_slice_vartime(number.get(zeros..).unwrap_or_default())
}
