//! H-11: something else stands where a certificate is expected.

use keystore::Certificate;
use keystore::PrivateKey;
use keystore::Request;

use crate::base64;
use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-11",
    title: "something else stands where a certificate is expected",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the file holds no X.509 certificate: a PKCS#7 collection, a request, a key, or base64 of base64",
    fix: "take the certificate out of the collection (openssl pkcs7 -print_certs), or export it again as one certificate (RACDCERT EXPORT FORMAT(CERTB64))",
    source: "keytool; OpenSSL asn1 d2i errors; domain specification R-249; domain specification H-11",
    states: &[
        "input not an x.509 certificate",
        "x509_cinf",
        "nested asn1 error",
        "asn1_check_tlen:wrong tag",
        "wrong tag && x509",
    ],
    hints: &["wrong tag"],
    explains: &["H-10", "H-13"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &inputs.files {
        let evidence = |what: &str| Evidence::file(&file.path, what);
        if let Some(what) = labelled(&file.bytes) {
            found.push(Finding::proven(&RULE, &file.path, evidence(what)));
        } else if named_certificate(file.name())
            && let Some(what) = other(inputs, &file.path)
        {
            found.push(Finding::proven(&RULE, &file.path, evidence(what)));
        }
    }
    found
}

/// Whether a block that calls itself a certificate is none.
pub(super) fn is_other(bytes: &[u8]) -> bool {
    labelled(bytes).is_some()
}

fn named_certificate(name: &str) -> bool {
    let name = name.to_lowercase();
    [".crt", ".cer", ".arm"].iter().any(|end| name.ends_with(end))
}

/// The kind of file behind a name that promises a certificate.
fn other(inputs: &Inputs, path: &str) -> Option<&'static str> {
    let store = inputs
        .stores
        .iter()
        .find(|store| store.file == path && !store.is_listing)?;
    match store.format {
        "pkcs7" => return Some("a PKCS#7 collection"),
        "pkcs12" | "jks" | "jceks" | "cms-kdb" => return Some("a keystore"),
        _ => {}
    }
    let kinds: Vec<EntryKind> = store.entries.iter().map(|entry| entry.kind).collect();
    if !kinds.is_empty() && kinds.iter().all(|kind| *kind == EntryKind::Request) {
        return Some("a certificate request");
    }
    let no_certificate = store.certificates().next().is_none();
    (!kinds.is_empty() && no_certificate && kinds.contains(&EntryKind::Key))
        .then_some("a private key without certificate")
}

/// What the first block with the label CERTIFICATE holds in truth.
fn labelled(bytes: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(bytes).ok()?;
    for piece in text.split(BEGIN).skip(1).take(MAX_BLOCKS) {
        let body: String = piece.split("-----END").next()?.split_whitespace().collect();
        let Some(der) = base64::decode(&body) else {
            continue;
        };
        if Certificate::parse(&der).is_ok() {
            continue;
        }
        if der
            .windows(PKCS7_SIGNED.len())
            .take(32)
            .any(|window| window == PKCS7_SIGNED)
        {
            return Some("a block with the label CERTIFICATE holds a PKCS#7 collection");
        }
        if Request::parse(&der).is_ok() {
            return Some("a block with the label CERTIFICATE holds a request");
        }
        if PrivateKey::from_any_der(&der).is_ok() {
            return Some("a block with the label CERTIFICATE holds a private key");
        }
        if der.starts_with(b"MII") || der.starts_with(b"-----BEGIN") {
            return Some("a block with the label CERTIFICATE holds base64 of base64");
        }
    }
    None
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const MAX_BLOCKS: usize = 1_000;
/// 1.2.840.113549.1.7.2.
const PKCS7_SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
