//! What is wrong between the files of one call.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use super::Seen;
use super::facts::Leaf;
use super::finding::Finding;
use super::finding::Severity;

/// Findings with the index of the file they belong to.
///
/// Cost: O(n log n), and O(keys times certificates) where these stand in files of their own in one directory.
pub fn findings(all: &[&Seen]) -> Vec<(usize, Finding)> {
    let mut list = Vec::new();
    for files in holders(all).values().filter(|files| files.len() > 1) {
        list.extend(shared(all, files));
        list.extend(left_over(all, files));
    }
    list.extend(separated(all));
    list
}

/// The files that hold each private key.
fn holders<'a>(all: &[&'a Seen]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, seen) in all.iter().enumerate() {
        for key in &seen.facts.keys {
            holders.entry(key).or_default().push(index);
        }
    }
    holders
}

/// One private key in several files.
fn shared(all: &[&Seen], files: &[usize]) -> Vec<(usize, Finding)> {
    let paths: Vec<String> = files.iter().map(|index| shown(all[*index])).collect();
    let of = |index: &usize| {
        let own = shown(all[*index]);
        let others: Vec<&str> = paths
            .iter()
            .filter(|path| **path != own)
            .map(String::as_str)
            .take(MAX_NAMED)
            .collect();
        let more = (paths.len() - 1).saturating_sub(others.len());
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        let finding = Finding {
            rule: "shared-key".to_owned(),
            severity: Severity::Note,
            evidence: format!("the same private key lies in {}{more}", others.join(", ")),
            cause: "whoever takes one of these files can pretend to be all who use them".to_owned(),
            fix: "a key of its own for every host, where they are several".to_owned(),
            target: own,
        };
        (*index, finding)
    };
    files.iter().map(of).collect()
}

/// What a procedure left where a server reads its stores: the PKCS#12 or PEM that its key was imported from.
///
/// Source: spec F-01; elsewhere several formats of one key side by side are as they should be.
fn left_over(all: &[&Seen], files: &[usize]) -> Vec<(usize, Finding)> {
    let is_import = |seen: &Seen| {
        let end = seen
            .path
            .extension()
            .map(|end| end.to_string_lossy().to_lowercase());
        matches!(end.as_deref(), Some("key" | "pem" | "pfx" | "p12"))
    };
    let mut list = Vec::new();
    for index in files {
        let seen = all[*index];
        let Some(dir) = seen
            .path
            .parent()
            .filter(|dir| dir.ends_with("resources/security"))
        else {
            continue;
        };
        let store = files
            .iter()
            .map(|other| all[*other])
            .find(|other| other.path.parent() == Some(dir) && other.path != seen.path && !is_import(other));
        let (true, Some(store)) = (is_import(seen), store) else {
            continue;
        };
        let finding = Finding {
            rule: "left-over-key".to_owned(),
            severity: Severity::Warning,
            target: shown(seen),
            evidence: format!("its key is in {} as well, which the server reads", shown(store)),
            cause: "a copy that a procedure left: nobody rotates, guards or remembers it".to_owned(),
            fix: "move it to a safe place, or destroy it".to_owned(),
        };
        list.push((*index, finding));
    }
    list
}

/// A key and its certificate in two files: those of one name in one directory, or the only two of the call.
fn separated(all: &[&Seen]) -> Vec<(usize, Finding)> {
    let keys: Vec<(usize, &str)> = all
        .iter()
        .enumerate()
        .filter_map(|(index, seen)| Some((index, seen.facts.lone_key.as_deref()?)))
        .collect();
    let mut leaves: BTreeMap<PathBuf, Vec<(usize, &Leaf)>> = BTreeMap::new();
    for (index, seen) in all.iter().enumerate() {
        if let Some(leaf) = &seen.facts.lone_leaf {
            leaves.entry(stem(&seen.path)).or_default().push((index, leaf));
        }
    }
    let only = match (keys.as_slice(), leaves.len()) {
        ([_], 1) => leaves.values().next().filter(|all| all.len() == 1),
        _ => None,
    };
    let mut list = Vec::new();
    for (key_at, key) in &keys {
        let pairs = only.or_else(|| leaves.get(&stem(&all[*key_at].path)));
        for (leaf_at, leaf) in pairs.into_iter().flatten() {
            if leaf.print == *key {
                continue;
            }
            let finding = Finding {
                rule: "key-mismatch".to_owned(),
                severity: Severity::Error,
                target: shown(all[*key_at]),
                evidence: format!(
                    "the private key does not belong to {} in {}",
                    leaf.subject,
                    shown(all[*leaf_at])
                ),
                cause: "a program that is given both does not start, or fails every handshake".to_owned(),
                fix: "put the certificate that was issued for this key beside it, or the key of this certificate"
                    .to_owned(),
            };
            list.push((*key_at, finding));
        }
    }
    list
}

fn shown(seen: &Seen) -> String {
    seen.path.display().to_string()
}

fn stem(path: &Path) -> PathBuf {
    path.with_extension("")
}

/// Files that are named in one finding.
const MAX_NAMED: usize = 5;
