//! H-15: private key and certificate do not belong together.

use keystore::KeyMatch;

use crate::facts::CertFacts;
use crate::facts::EntryFacts;
use crate::facts::EntryKind;
use crate::facts::StoreFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-15",
    title: "private key and certificate do not belong together",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the certificate is for another key than the one beside it: files of two deliveries were mixed",
    fix: "put the certificate that was issued for this key beside it, or the key of this certificate; compare openssl pkey -pubout with openssl x509 -pubkey",
    source: "OpenSSL X509_check_private_key; domain specification H-15",
    states: &[
        "key values mismatch",
        "x509_check_private_key",
        "private key does not match",
        "key and certificate do not match",
    ],
    hints: &[],
    explains: &["H-07", "H-30", "H-72", "H-80", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for (store, entry) in inputs
        .stores
        .iter()
        .flat_map(|store| store.keys().map(move |entry| (store, entry)))
    {
        let Some(key) = &entry.opened else { continue };
        let own = entry.chain.first().filter(|_| !store.is_loose());
        let pair = match own {
            Some(leaf) => Some((store, leaf)),
            None => partner(inputs, store, entry),
        };
        let Some((other, leaf)) = pair else { continue };
        let Some(certificate) = &leaf.certificate else {
            continue;
        };
        if key.matches(certificate) == KeyMatch::Differs {
            let evidence = Evidence::file(
                &store.file,
                format!("the private key is not that of {} in {}", leaf.name(), other.file),
            )
            .alias(entry.alias.as_deref());
            found.push(Finding::proven(&RULE, store.file.clone(), evidence));
        }
    }
    found
}

/// The leaf that a loose key is used with: in the file itself, of the same name, or the only one of the directory.
fn partner<'a>(
    inputs: &'a Inputs,
    store: &'a StoreFacts,
    entry: &'a EntryFacts,
) -> Option<(&'a StoreFacts, &'a CertFacts)> {
    if let Some(leaf) = entry.chain.first() {
        return Some((store, leaf));
    }
    let dir = dir_of(&store.file);
    let own: Vec<_> = leaves(store);
    if !own.is_empty() {
        let fits = own.iter().any(|leaf| matches(entry, leaf));
        return (!fits).then(|| (store, own[0]));
    }
    let beside = |other: &&StoreFacts| {
        other.is_loose() && !other.is_listing && dir_of(&other.file) == dir && other.keys().next().is_none()
    };
    let same_stem = inputs
        .stores
        .iter()
        .filter(beside)
        .find(|other| stem(&other.file) == stem(&store.file));
    if let Some(other) = same_stem {
        return leaves(other).first().map(|leaf| (other, *leaf));
    }
    let all: Vec<_> = inputs
        .stores
        .iter()
        .filter(beside)
        .flat_map(|other| leaves(other).into_iter().map(move |leaf| (other, leaf)))
        .collect();
    let keys = inputs
        .stores
        .iter()
        .filter(|other| other.is_loose() && dir_of(&other.file) == dir)
        .flat_map(StoreFacts::keys)
        .count();
    match all.as_slice() {
        [only] if keys == 1 => Some(*only),
        _ => None,
    }
}

fn leaves(store: &StoreFacts) -> Vec<&CertFacts> {
    store
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Trusted(_)))
        .flat_map(|entry| &entry.chain)
        .filter(|one| !one.is_authority())
        .collect()
}

fn matches(entry: &EntryFacts, leaf: &CertFacts) -> bool {
    match (&entry.opened, &leaf.certificate) {
        (Some(key), Some(certificate)) => key.matches(certificate) != KeyMatch::Differs,
        _ => false,
    }
}

/// `tls` of `tls.key` and of `tls.crt`, `web` of `web-key.pem` and of `web-cert.pem`.
fn stem(path: &str) -> String {
    let name = name_of(path).to_lowercase();
    let mut stem = name.split('.').next().unwrap_or(&name).to_owned();
    for end in ["-key", "_key", "key", "-cert", "_cert", "cert", "-crt"] {
        if let Some(short) = stem.strip_suffix(end).filter(|short| !short.is_empty()) {
            stem = short.to_owned();
            break;
        }
    }
    stem
}
