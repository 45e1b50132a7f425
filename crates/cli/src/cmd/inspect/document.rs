//! The document of `inspect --json`. Scripts rely on its keys: new ones may come, none goes.

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

/// The document of all files, a line for each.
pub fn whole(seen: &[&Seen], findings: &[Vec<Finding>]) -> String {
    let mut text = String::from("{\"files\":[");
    for (index, (seen, own)) in seen.iter().zip(findings).enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        file_to(&mut text, seen, own);
    }
    text.push_str("\n],\"version\":1}\n");
    text
}

/// One file. `findings` holds errors and warnings, which decide the exit code; `notes` what is only worth knowing.
pub fn file(seen: &Seen, findings: &[Finding]) -> String {
    let mut text = String::new();
    file_to(&mut text, seen, findings);
    text
}

/// What is known of the entries is JSON already: most of the document, and all of it that takes long.
fn file_to(text: &mut String, seen: &Seen, findings: &[Finding]) {
    let json = |value: &str| serde_json::to_string(value).unwrap_or_default();
    let of = |note: bool| {
        let some: Vec<&Finding> = findings
            .iter()
            .filter(|one| (one.severity == Severity::Note) == note)
            .collect();
        serde_json::to_string(&some).unwrap_or_default()
    };
    let parts = [
        ("{\"entries\":", seen.facts.entries.as_str()),
        (",\"findings\":", &of(false)),
        (",\"format\":", &json(&seen.facts.format)),
        (",\"notes\":", &of(true)),
        (",\"path\":", &json(&seen.path.to_string_lossy())),
        (",\"sha256\":", &json(&seen.facts.sha256)),
    ];
    for (name, value) in parts {
        text.push_str(name);
        text.push_str(value);
    }
    text.push('}');
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
