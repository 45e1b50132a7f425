//! Chains in every order, whole and not.

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::x509::X509;
use openssl::x509::X509Name;
use openssl::x509::extension::BasicConstraints;

use super::*;

/// `names` are those of a chain made for this: leaf, middle, root, and stranger; `known` what verifiers have.
#[track_caller]
fn check(names: &str, known: &str, want: &str) {
    let all = made();
    let pick = |names: &str| -> Vec<Certificate> {
        names
            .split_whitespace()
            .map(|name| {
                all.iter()
                    .find(|(known, _)| *known == name)
                    .expect("made")
                    .1
                    .clone()
            })
            .collect()
    };
    let faults: Vec<String> = chain_faults(&pick(names), &pick(known))
        .iter()
        .map(short)
        .collect();
    assert_eq!(faults.join(", "), want, "{names}");
}

#[test]
fn a_chain_in_order_has_no_fault() {
    check("leaf middle", "", "");
    check("leaf middle", "root", "");
    check("root", "", "");
    check("leaf", "middle", "");
    check("", "", "");
}

#[test]
fn every_fault_is_named_with_its_place() {
    check("leaf", "", "missing CN=middle");
    check("leaf", "stranger", "missing CN=middle");
    check("leaf middle", "stranger", "missing CN=root");
    check("leaf middle root", "root", "root 2");
    check("leaf root middle", "", "order 2 to 1, order 1 to 2, root 1");
    check("leaf middle stranger", "", "superfluous 2");
    check("leaf middle middle", "", "again 2");
    check("middle leaf", "", "leaf is 1");
}

fn short(fault: &ChainFault) -> String {
    match fault {
        ChainFault::Duplicate { at } => format!("again {at}"),
        ChainFault::LeafNotFirst { leaf } => format!("leaf is {leaf}"),
        ChainFault::Missing { issuer } => format!("missing {issuer}"),
        ChainFault::OutOfOrder { at, belongs } => format!("order {at} to {belongs}"),
        ChainFault::RootSent { at } => format!("root {at}"),
        ChainFault::Superfluous { at } => format!("superfluous {at}"),
    }
}

fn made() -> Vec<(&'static str, Certificate)> {
    let key = PKey::generate_ed25519().expect("a key");
    let one = |name: &str, issuer: &str, is_ca: bool| {
        let bytes = sign(name, issuer, is_ca, &key).to_der().expect("bytes");
        Certificate::parse(&bytes).expect("a certificate")
    };
    vec![
        ("leaf", one("leaf", "middle", false)),
        ("middle", one("middle", "root", true)),
        ("root", one("root", "root", true)),
        ("stranger", one("stranger", "stranger", true)),
    ]
}

fn sign(name: &str, issuer: &str, is_ca: bool, key: &PKey<Private>) -> X509 {
    let named = |name: &str| {
        let mut builder = X509Name::builder().expect("a name");
        builder.append_entry_by_text("CN", name).expect("a name");
        builder.build()
    };
    let mut builder = X509::builder().expect("a builder");
    builder.set_version(2).expect("version 3");
    builder.set_subject_name(&named(name)).expect("a subject");
    builder.set_issuer_name(&named(issuer)).expect("an issuer");
    builder
        .set_not_before(&Asn1Time::days_from_now(0).expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&Asn1Time::days_from_now(9).expect("a time"))
        .expect("a time");
    builder.set_pubkey(key).expect("a key");
    if is_ca {
        let extension = BasicConstraints::new()
            .critical()
            .ca()
            .build()
            .expect("an extension");
        builder.append_extension(extension).expect("an extension");
    }
    builder.sign(key, MessageDigest::null()).expect("a signature");
    builder.build()
}
