//! What is wrong between the files of one call.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use keystore::KeyMatch;
use keystore::PrivateKey;

use super::certificates::is_authority;
use super::finding::Finding;
use super::finding::Severity;
use super::look::Content;
use super::look::Looked;

/// Findings with the index of the file they belong to.
///
/// Cost: O(keys without certificate times certificates) comparisons of numbers, the rest O(n log n).
pub fn findings(all: &[&Looked]) -> Vec<(usize, Finding)> {
    let mut list = shared_keys(all);
    list.extend(separated(all));
    list
}

/// One private key in several files: known by its certificate, else by its own bytes.
fn shared_keys(all: &[&Looked]) -> Vec<(usize, Finding)> {
    let certificates: Vec<&Certificate> = all
        .iter()
        .flat_map(|looked| entries(looked))
        .flat_map(Entry::certificates)
        .collect();
    let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, looked) in all.iter().enumerate() {
        for (at, entry) in entries(looked).iter().enumerate() {
            let Body::PrivateKey { chain, .. } = entry.body() else {
                continue;
            };
            let opened = looked
                .keys
                .iter()
                .find(|(number, _)| *number == at)
                .map(|(_, key)| key);
            let name = match (opened, chain.first()) {
                (_, Some(leaf)) => Some(super::hex(&leaf.spki_sha256())),
                (Some(key), None) => Some(name_of(key, &certificates)),
                (None, None) => None,
            };
            if let Some(name) = name {
                let files = holders.entry(name).or_default();
                if files.last() != Some(&index) {
                    files.push(index);
                }
            }
        }
    }
    let mut list = Vec::new();
    for files in holders.values().filter(|files| files.len() > 1) {
        let paths: Vec<String> = files
            .iter()
            .map(|index| all[*index].path.display().to_string())
            .collect();
        list.extend(files.iter().map(|index| {
            let others: Vec<&str> = paths
                .iter()
                .filter(|path| **path != all[*index].path.display().to_string())
                .map(String::as_str)
                .collect();
            (
                *index,
                Finding {
                    rule: "shared-key",
                    severity: Severity::Note,
                    target: all[*index].path.display().to_string(),
                    evidence: format!("the same private key lies in {}", others.join(", ")),
                    cause: "whoever takes one of these files can pretend to be all who use them".to_owned(),
                    fix: "a key of its own for every host, where they are several".to_owned(),
                },
            )
        }));
    }
    list
}

fn name_of(key: &PrivateKey, certificates: &[&Certificate]) -> String {
    certificates
        .iter()
        .find(|certificate| key.matches(certificate) == KeyMatch::Matches)
        .map_or_else(
            || fleet::snapshot::sha256_hex(key.pkcs8_der()),
            |certificate| super::hex(&certificate.spki_sha256()),
        )
}

/// A key and its certificate in two files: those of one name in one directory, or the only two of the call.
fn separated(all: &[&Looked]) -> Vec<(usize, Finding)> {
    let keys: Vec<(usize, &PrivateKey)> = all
        .iter()
        .enumerate()
        .filter_map(|(index, looked)| Some((index, lone_key(looked)?)))
        .collect();
    let leaves: Vec<(usize, &Certificate)> = all
        .iter()
        .enumerate()
        .filter_map(|(index, looked)| Some((index, lone_leaf(looked)?)))
        .collect();
    let only = keys.len() == 1 && leaves.len() == 1;
    let mut list = Vec::new();
    for (key_at, key) in &keys {
        for (leaf_at, leaf) in &leaves {
            let pair = only || stem(&all[*key_at].path) == stem(&all[*leaf_at].path);
            if !pair || key.matches(leaf) != KeyMatch::Differs {
                continue;
            }
            list.push((*key_at, Finding {
                rule: "key-mismatch",
                severity: Severity::Error,
                target: all[*key_at].path.display().to_string(),
                evidence: format!("the private key does not belong to {} in {}", leaf.subject(), all[*leaf_at].path.display()),
                cause: "a program that is given both does not start, or fails every handshake".to_owned(),
                fix: "put the certificate that was issued for this key beside it, or the key of this certificate".to_owned(),
            }));
        }
    }
    list
}

fn entries(looked: &Looked) -> &[Entry] {
    match &looked.content {
        Content::Store(store) => store.entries(),
        _ => &[],
    }
}

fn is_loose(looked: &Looked) -> bool {
    matches!(&looked.content, Content::Store(store) if matches!(store.format(), Format::Der | Format::Pem))
}

/// The key of a file that holds one key and no certificate.
fn lone_key(looked: &Looked) -> Option<&PrivateKey> {
    let without = entries(looked)
        .iter()
        .all(|entry| entry.certificates().is_empty());
    match looked.keys.as_slice() {
        [(_, key)] if is_loose(looked) && without => Some(key),
        _ => None,
    }
}

/// The end-entity certificate of a file without keys that holds exactly one.
fn lone_leaf(looked: &Looked) -> Option<&Certificate> {
    if !is_loose(looked)
        || entries(looked)
            .iter()
            .any(|entry| !matches!(entry.body(), Body::TrustedCert { .. }))
    {
        return None;
    }
    let mut leaves = entries(looked)
        .iter()
        .flat_map(Entry::certificates)
        .filter(|one| !is_authority(one));
    match (leaves.next(), leaves.next()) {
        (Some(leaf), None) => Some(leaf),
        _ => None,
    }
}

fn stem(path: &Path) -> PathBuf {
    path.with_extension("")
}
