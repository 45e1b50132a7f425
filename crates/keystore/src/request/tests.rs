//! What we ask for is read back as it was asked, and verifies with the key that asks.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};

use super::*;
use crate::limits::Limits;
use crate::store::read;
use crate::{Body, name};

const SUBJECT: &str = "CN=billing,O=Ops\\, Europe,C=DE";

fn names(texts: &[&str]) -> Vec<LinkName> {
    texts.iter().map(|text| LinkName::read(text).unwrap()).collect()
}

/// The request as text: subject, names, extensions with their mark, algorithm.
fn shown(request: &Request<'_>) -> String {
    let names: Vec<String> = request
        .link_names()
        .unwrap()
        .iter()
        .map(LinkName::to_string)
        .collect();
    let extensions: Vec<String> = request
        .extensions
        .iter()
        .map(|extension| format!("{}{}", extension.oid, if extension.critical { "!" } else { "" }))
        .collect();
    format!(
        "{} | {} | {} | {}",
        request.subject,
        names.join(" "),
        extensions.join(" "),
        request.signature_algorithm.oid()
    )
}

/// The DER of the one request in a PEM text, as our reader finds it.
fn der_of(pem: &str) -> Vec<u8> {
    let store = read(pem.as_bytes(), None, &Limits::default()).unwrap();
    let [entry] = store.entries() else {
        panic!("{} entries", store.entries().len())
    };
    let Body::Request { der, .. } = entry.body() else {
        panic!("no request")
    };
    der.clone()
}

#[track_caller]
fn check(
    spki: &[u8],
    by: Oid<'_>,
    sign: impl Fn(&[u8]) -> Vec<u8>,
    verify: &'static dyn VerificationAlgorithm,
    public: &[u8],
    want: &str,
) {
    let asked = names(&["billing.example", "*.Example.", "127.0.0.7", "[fd00::7]"]);
    let body = RequestBody::new(&name::encode(SUBJECT).unwrap(), spki, &asked).unwrap();
    let der = der_of(&body.pem(by, &sign(body.der())));
    let request = Request::parse(&der).unwrap();
    assert_eq!(request.link_names().unwrap(), asked);
    assert_eq!(request.spki, spki);
    assert_eq!(shown(&request), want);
    let purposes = request.extensions[2].extended_key_usage().unwrap();
    assert_eq!(purposes, [oid::SERVER_AUTH, oid::CLIENT_AUTH]);
    let mut parts = Der::new(&der).sequence("request").unwrap();
    let signed = parts.any("body").unwrap().full;
    parts.any("algorithm").unwrap();
    let signature = parts.any("signature").unwrap().whole_bits("signature").unwrap();
    UnparsedPublicKey::new(verify, public)
        .verify(signed, signature)
        .unwrap();
}

#[test]
fn an_rsa_request_is_read_back_and_verifies() {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let sign = |body: &[u8]| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature)
            .unwrap();
        signature
    };
    let want = "CN=billing,O=Ops\\, Europe,C=DE | billing.example *.example 127.0.0.7 fd00::7 \
                | 2.5.29.17 2.5.29.15! 2.5.29.37 | 1.2.840.113549.1.1.11";
    check(
        spki.as_ref(),
        oid::SHA256_RSA,
        sign,
        &RSA_PKCS1_2048_8192_SHA256,
        key.public_key().as_ref(),
        want,
    );
}

#[test]
fn an_ec_request_is_read_back_and_verifies() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let sign = |body: &[u8]| key.sign(&SystemRandom::new(), body).unwrap().as_ref().to_vec();
    let want = "CN=billing,O=Ops\\, Europe,C=DE | billing.example *.example 127.0.0.7 fd00::7 \
                | 2.5.29.17 2.5.29.15! 2.5.29.37 | 1.2.840.10045.4.3.2";
    check(
        spki.as_ref(),
        oid::ECDSA_SHA256,
        sign,
        &ECDSA_P256_SHA256_ASN1,
        key.public_key().as_ref(),
        want,
    );
}

#[test]
fn rsa_keys_also_encipher_and_ec_keys_do_not() {
    let subject = name::encode("CN=a").unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let ec: PublicKeyX509Der<'_> = ec.public_key().as_der().unwrap();
    for (spki, want) in [
        (rsa.as_ref(), "digitalSignature, keyEncipherment"),
        (ec.as_ref(), "digitalSignature"),
    ] {
        let body = RequestBody::new(&subject, spki, &[]).unwrap();
        let der = der_of(&body.pem(oid::SHA256_RSA, &[0; 64]));
        let request = Request::parse(&der).unwrap();
        assert_eq!(request.link_names().unwrap(), []);
        assert_eq!(request.extensions[0].key_usage().unwrap().to_string(), want);
    }
}

#[test]
fn a_subject_or_key_that_is_none_is_refused() {
    let subject = name::encode("CN=a").unwrap();
    assert!(RequestBody::new(b"CN=a", &subject, &[]).is_err());
    assert!(RequestBody::new(&subject, b"key", &[]).is_err());
}

#[test]
fn hosts_are_taken_as_addresses_and_settings_write_them() {
    for (text, want) in [
        ("Billing.Example.", Some("billing.example")),
        ("127.0.0.7", Some("127.0.0.7")),
        ("[fd00::7]", Some("fd00::7")),
        ("fd00:0::7", Some("fd00::7")),
        ("mdm_1", Some("mdm_1")),
        ("*.example", Some("*.example")),
        ("0.0.0.0", None),
        ("[::]", None),
        ("*", None),
        ("", None),
        ("a..b", None),
        ("-a.example", None),
        ("a.*.example", None),
        ("b\u{fc}cher.example", None),
        ("two words", None),
    ] {
        assert_eq!(
            LinkName::read(text).map(|name| name.to_string()).as_deref(),
            want,
            "{text:?}"
        );
    }
}

#[test]
fn a_name_covers_itself_and_a_star_one_label() {
    for (has, wanted, covers) in [
        ("a.example", "a.example", true),
        ("*.example", "a.example", true),
        ("*.example", "a.b.example", false),
        ("*.example", "example", false),
        ("*.example", "*.example", true),
        ("a.example", "*.example", false),
        ("127.0.0.7", "127.0.0.7", true),
        ("127.0.0.7", "127.0.0.8", false),
    ] {
        let (has, wanted) = (LinkName::read(has).unwrap(), LinkName::read(wanted).unwrap());
        assert_eq!(has.covers(&wanted), covers, "{has} {wanted}");
    }
}
