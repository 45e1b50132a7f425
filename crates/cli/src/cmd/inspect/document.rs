//! The document of `inspect --json`. Scripts rely on its keys: new ones may come, none goes.

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use keystore::Store;
use serde_json::Value;
use serde_json::json;

use super::finding::Finding;
use super::finding::Severity;
use super::hex;
use super::look::Content;
use super::look::Looked;
use crate::print;

/// All files.
pub fn whole(looked: &[&Looked], findings: &[Vec<Finding>]) -> Value {
    let files: Vec<Value> = looked
        .iter()
        .zip(findings)
        .map(|(looked, own)| file(looked, own))
        .collect();
    json!({ "version": 1, "files": files })
}

/// One file. `findings` holds errors and warnings, which decide the exit code; `notes` what is only worth knowing.
pub fn file(looked: &Looked, findings: &[Finding]) -> Value {
    let entries = match &looked.content {
        Content::Store(store) => entries(store),
        _ => Vec::new(),
    };
    let of = |note: bool| -> Vec<Value> {
        findings
            .iter()
            .filter(|one| (one.severity == Severity::Note) == note)
            .map(Finding::value)
            .collect()
    };
    json!({
        "path": looked.path.to_string_lossy(), "format": looked.format, "sha256": looked.sha256,
        "entries": entries, "findings": of(false), "notes": of(true),
    })
}

/// The alias of every entry: as stored, else the one its reader gives.
///
/// Java numbers nameless PKCS#12 entries from 1 as it meets them; it does not see certificates without its trust
/// mark and keys in the clear, which are numbered behind those. PEM and DER have no names at all.
pub fn aliases(store: &Store) -> Vec<Option<String>> {
    let mut aliases: Vec<Option<String>> = store
        .entries()
        .iter()
        .map(|entry| entry.alias().map(str::to_owned))
        .collect();
    if store.format() != Format::Pkcs12 {
        return aliases;
    }
    let mut number = 0;
    for seen_by_java in [true, false] {
        for (alias, entry) in aliases.iter_mut().zip(store.entries()) {
            if alias.is_none() && is_seen_by_java(entry) == seen_by_java {
                number += 1;
                *alias = Some(number.to_string());
            }
        }
    }
    aliases
}

fn is_seen_by_java(entry: &Entry) -> bool {
    match entry.body() {
        Body::TrustedCert { trusted, .. } => *trusted,
        Body::PrivateKey { .. } | Body::SecretKey { .. } => entry.protection().as_deref() != Some("none"),
        _ => false,
    }
}

fn entries(store: &Store) -> Vec<Value> {
    store
        .entries()
        .iter()
        .zip(aliases(store))
        .map(|(one, alias)| entry(one, alias))
        .collect()
}

fn entry(entry: &Entry, alias: Option<String>) -> Value {
    let chain: Vec<Value> = entry.certificates().iter().map(certificate).collect();
    let mut value = json!({
        "alias": alias, "kind": entry.kind_name(), "created": entry.created_ms().and_then(utc_ms), "chain": chain,
    });
    match entry.body() {
        Body::Opaque { what } => value["what"] = json!(what),
        Body::Request { der, .. } => value["request"] = request(der),
        Body::TrustedCert { trusted, .. } => value["trusted"] = json!(trusted),
        _ => {}
    }
    if matches!(entry.body(), Body::PrivateKey { .. } | Body::SecretKey { .. }) {
        value["protection"] = json!(entry.protection());
    }
    value
}

/// One certificate.
pub fn certificate(certificate: &Certificate) -> Value {
    let validity = certificate.validity();
    json!({
        "subject": certificate.subject().to_string(),
        "issuer": certificate.issuer().to_string(),
        "serial": certificate.serial_hex(),
        "not_before": print::utc_time(validity.not_before),
        "not_after": print::utc_time(validity.not_after),
        "sha256": hex(&certificate.sha256()),
        "key": certificate.public_key().kind().to_string(),
        "signature": certificate.signature_algorithm().to_string(),
    })
}

fn request(der: &[u8]) -> Value {
    keystore::Request::parse(der).map_or(Value::Null, |request| {
        json!({
            "subject": request.subject.to_string(),
            "key": request.public_key().kind().to_string(),
            "signature": request.signature_algorithm.to_string(),
        })
    })
}

/// UTC text of milliseconds since 1970; `None` beyond the years that a date can say.
fn utc_ms(ms: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms)
        .ok()
        .map(|time| time.to_string())
}
