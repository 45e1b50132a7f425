//! The document of `inspect --json`. Scripts rely on its keys: new ones may come, none goes.

use std::io;
use std::io::Write;

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use keystore::Store;
use serde_json::Value;

use super::Seen;
use super::facts::CertificateFacts;
use super::finding::Finding;
use super::finding::Severity;

/// Writes the document of all files, a line for each.
///
/// # Errors
/// Of the stream.
pub fn whole(out: &mut impl Write, seen: &[&Seen], findings: &[Vec<Finding>]) -> io::Result<()> {
    out.write_all(b"{\"files\":[")?;
    for (index, (seen, own)) in seen.iter().zip(findings).enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        file(out, seen, own)?;
    }
    out.write_all(b"\n],\"version\":1}\n")
}

/// Writes one file. `findings` holds errors and warnings, which decide the exit code; `notes` what is only worth knowing.
///
/// What is known of the entries is JSON already: most of the document, and all of it that takes long.
///
/// # Errors
/// Of the stream.
pub fn file(out: &mut impl Write, seen: &Seen, findings: &[Finding]) -> io::Result<()> {
    let of = |note: bool| -> Vec<&Finding> {
        findings
            .iter()
            .filter(|one| (one.severity == Severity::Note) == note)
            .collect()
    };
    out.write_all(b"{\"entries\":")?;
    out.write_all(seen.facts.entries.as_bytes())?;
    out.write_all(b",\"findings\":")?;
    serde_json::to_writer(&mut *out, &of(false))?;
    out.write_all(b",\"format\":")?;
    serde_json::to_writer(&mut *out, &seen.facts.format)?;
    out.write_all(b",\"notes\":")?;
    serde_json::to_writer(&mut *out, &of(true))?;
    out.write_all(b",\"path\":")?;
    serde_json::to_writer(&mut *out, &seen.path.to_string_lossy())?;
    out.write_all(b",\"sha256\":")?;
    serde_json::to_writer(&mut *out, &seen.facts.sha256)?;
    out.write_all(b"}")
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
