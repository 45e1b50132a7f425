//! The directory that agents fetch their certificates from (`ca.crt`, `tls.crt`, `tls.key`, `tls.sth`, `additionalCAs/`):
//! what `certman verify` looks for. Dates, lengths of keys, the stash and the match of key and certificate are findings of
//! the files themselves. Source: spec B.8, B.9, R-059, R-065.

use std::collections::BTreeMap;
use std::path::Path;

use keystore::Certificate;
use keystore::Entry;
use keystore::KeyUsage;
use keystore::Limits;
use keystore::oid;

use super::Seen;
use super::certificates::can_verify;
use super::certificates::is_authority;
use super::certificates::is_signed_by;
use super::facts::Kind;
use super::finding::Finding;
use super::finding::Severity;
use super::look;

/// Findings with the index of the file they belong to.
pub fn findings(all: &[&Seen]) -> Vec<(usize, Finding)> {
    let mut directories: BTreeMap<&Path, Depot<'_>> = BTreeMap::new();
    for (index, seen) in all.iter().enumerate() {
        let (Some(dir), Some(name)) = (
            seen.path.parent(),
            seen.path.file_name().and_then(|name| name.to_str()),
        ) else {
            continue;
        };
        let in_more = dir.file_name().is_some_and(|name| name == MORE);
        if let (true, Some(above)) = (in_more, dir.parent()) {
            directories.entry(above).or_default().more.push(*seen);
        } else if FILES.contains(&name) {
            directories
                .entry(dir)
                .or_default()
                .files
                .insert(name, (index, *seen));
        }
    }
    let mut list = Vec::new();
    for (dir, depot) in &directories {
        if depot.is_one(dir) {
            depot.check(dir, &mut list);
        }
    }
    list
}

#[derive(Default)]
struct Depot<'a> {
    files: BTreeMap<&'a str, (usize, &'a Seen)>,
    /// Those below `additionalCAs`.
    more: Vec<&'a Seen>,
}

impl Depot<'_> {
    /// `tls.crt` and `tls.key` alone are names that others use as well.
    fn is_one(&self, dir: &Path) -> bool {
        let has = |name: &str| self.files.contains_key(name);
        let is_marked =
            has("tls.sth") || !self.more.is_empty() || dir.file_name().is_some_and(|name| name == "depot");
        (has("tls.crt") || has("tls.key")) && is_marked
    }

    fn check(&self, dir: &Path, list: &mut Vec<(usize, Finding)>) {
        let Some((owner, _)) = ["tls.crt", "tls.key"]
            .iter()
            .find_map(|name| self.files.get(name))
        else {
            return;
        };
        let mut add = |rule: &str, severity, evidence: String, cause: &str, fix: &str| {
            let finding = Finding {
                rule: rule.to_owned(),
                severity,
                target: dir.display().to_string(),
                evidence,
                cause: cause.to_owned(),
                fix: fix.to_owned(),
            };
            list.push((*owner, finding));
        };
        let missing: Vec<&str> = FILES
            .into_iter()
            .filter(|name| !self.files.contains_key(name) && !dir.join(name).exists())
            .collect();
        if !missing.is_empty() {
            add(
                "depot-incomplete",
                Severity::Warning,
                format!("the depot has no {}", missing.join(", ")),
                "agents fetch all of ca.crt, tls.crt, tls.key and tls.sth, and take none when one is missing",
                "put the missing file there: certman extract writes all of them",
            );
        }
        for wrong in self.forms() {
            add(
                "depot-form",
                Severity::Error,
                wrong,
                "the agents' download reads PEM only, one certificate per file of additionalCAs",
                "write it as PEM: capgrow store export --to pem",
            );
        }
        if let Some(wrong) = self.chain() {
            add(
                "depot-chain",
                Severity::Error,
                wrong,
                "an agent that takes these files trusts neither itself nor its domain manager",
                "the root goes into ca.crt, every intermediate into a file of its own in additionalCAs",
            );
        }
        if let Some(wrong) = self.purpose() {
            add(
                "depot-purpose",
                Severity::Error,
                wrong,
                "agents dial with it and are dialled: either fails",
                "have it issued for server and client authentication",
            );
        }
    }

    fn forms(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, (_, seen)) in &self.files {
            let facts = &seen.facts;
            let certificates = facts.certificate_count;
            if *name == "tls.sth" {
                if facts.kind != Kind::Stash {
                    wrong.push(format!("{name} is {} and no stash", facts.format));
                }
            } else if facts.format != "pem" {
                wrong.push(format!("{name} is {}, not PEM", facts.format));
            } else if *name == "tls.key" && !facts.holds_key {
                wrong.push(format!("{name} holds no private key"));
            } else if *name != "tls.key" && certificates == 0 {
                wrong.push(format!("{name} holds no certificate"));
            } else if *name == "ca.crt" && facts.holds_key {
                wrong.push(format!("{name} holds a private key, which every agent would get"));
            }
        }
        for seen in &self.more {
            let facts = &seen.facts;
            let name = seen.path.file_name().unwrap_or_default().to_string_lossy();
            let certificates = facts.certificate_count;
            if facts.format != "pem" {
                wrong.push(format!("{MORE}/{name} is {}, not PEM", facts.format));
            } else if certificates != 1 {
                wrong.push(format!("{MORE}/{name} holds {certificates} certificates"));
            }
        }
        wrong
    }

    /// Why the leaf does not lead to the root in `ca.crt`.
    fn chain(&self) -> Option<String> {
        let own = self.certificates_of("tls.crt");
        let anchors = self.certificates_of("ca.crt");
        let mut known = own.clone();
        known.extend(anchors.iter().cloned());
        known.extend(self.more.iter().flat_map(|seen| certificates(&seen.path)));
        let leaf = own.iter().find(|one| !is_authority(one)).or(own.first())?;
        let mut chain = vec![leaf];
        loop {
            let last = *chain.last()?;
            if last.is_self_issued() {
                break;
            }
            let named: Vec<&Certificate> = known
                .iter()
                .filter(|one| last.names_as_issuer(one) && !chain.contains(one))
                .collect();
            let signer = named
                .iter()
                .find(|one| !can_verify(last) || is_signed_by(last, one));
            match (signer, named.first()) {
                (Some(signer), _) => chain.push(signer),
                (None, Some(_)) => {
                    return Some(format!(
                        "the key of {} in the depot did not sign {}",
                        last.issuer(),
                        last.subject()
                    ));
                }
                (None, None) => {
                    return Some(format!(
                        "no file of the depot holds {}, which issued {}",
                        last.issuer(),
                        last.subject()
                    ));
                }
            }
        }
        let root = *chain.last()?;
        let is_anchored = anchors.contains(root) || anchors.is_empty();
        (!is_anchored).then(|| {
            format!(
                "{} ends the chain of tls.crt and is not in ca.crt",
                root.subject()
            )
        })
    }

    fn purpose(&self) -> Option<String> {
        let own = self.certificates_of("tls.crt");
        let leaf = own.iter().find(|one| !is_authority(one)).or(own.first())?;
        if let Ok(Some(purposes)) = leaf.extended_key_usage() {
            let any = purposes.contains(&oid::ANY_EXTENDED_KEY_USAGE);
            for (purpose, words) in [(oid::SERVER_AUTH, "server"), (oid::CLIENT_AUTH, "client")] {
                if !any && !purposes.contains(&purpose) {
                    return Some(format!("{} is not for {words} authentication", leaf.subject()));
                }
            }
        }
        let usage = leaf.key_usage().ok().flatten()?;
        (!usage.allows(KeyUsage::DIGITAL_SIGNATURE))
            .then(|| format!("the key usage of {} has no digital signature", leaf.subject()))
    }

    fn certificates_of(&self, name: &str) -> Vec<Certificate> {
        self.files
            .get(name)
            .map_or_else(Vec::new, |(_, seen)| certificates(&seen.path))
    }
}

/// The certificates of a file; what cannot be read is another finding.
fn certificates(path: &Path) -> Vec<Certificate> {
    let read = look::read(path).ok();
    let store = read.and_then(|read| keystore::read(&read.bytes, None, &Limits::default()).ok());
    store.map_or_else(Vec::new, |store| {
        let entries = store.entries().iter();
        entries.flat_map(Entry::certificates).cloned().collect()
    })
}

const FILES: [&str; 4] = ["ca.crt", "tls.crt", "tls.key", "tls.sth"];
const MORE: &str = "additionalCAs";
