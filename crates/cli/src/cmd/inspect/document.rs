//! The document of `inspect --json`. Scripts rely on its keys: new ones may come, none goes.

use std::borrow::Cow;

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use keystore::Store;
use serde::Serialize;
use serde_json::Value;

use super::Seen;
use super::facts::CertificateFacts;
use super::facts::EntryFacts;
use super::finding::Finding;
use super::finding::Severity;

/// All files, and of the formats that speak of one file the line of it.
#[derive(Serialize)]
pub struct Whole<'a> {
    files: Vec<OneFile<'a>>,
    version: u32,
}

/// One file. `findings` holds errors and warnings, which decide the exit code; `notes` what is only worth knowing.
#[derive(Serialize)]
pub struct OneFile<'a> {
    entries: &'a [EntryFacts],
    findings: Vec<&'a Finding>,
    format: &'a str,
    notes: Vec<&'a Finding>,
    path: Cow<'a, str>,
    sha256: &'a str,
}

/// The document of all files.
pub fn whole<'a>(seen: &'a [&'a Seen], findings: &'a [Vec<Finding>]) -> Whole<'a> {
    let files = seen.iter().zip(findings).map(|(seen, own)| file(seen, own));
    Whole {
        files: files.collect(),
        version: 1,
    }
}

/// The document of one file.
pub fn file<'a>(seen: &'a Seen, findings: &'a [Finding]) -> OneFile<'a> {
    let of = |note: bool| {
        findings
            .iter()
            .filter(|one| (one.severity == Severity::Note) == note)
            .collect()
    };
    OneFile {
        entries: &seen.facts.entries,
        findings: of(false),
        format: &seen.facts.format,
        notes: of(true),
        path: seen.path.to_string_lossy(),
        sha256: &seen.facts.sha256,
    }
}

/// One certificate.
pub fn certificate(certificate: &Certificate) -> Value {
    serde_json::to_value(CertificateFacts::of(certificate)).unwrap_or_default()
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
