//! What the stores hold as the runbook goes on, so that the original programs can be told which entry is meant.

use std::collections::BTreeMap;

use fleet::Snapshot;
use fleet::snapshot::EntryFacts;
use product::StoreEdit;

use super::book::Act;
use super::book::KeyAct;

/// The entries of every store, by host and path.
pub struct Entries {
    stores: BTreeMap<(String, String), (String, Vec<EntryFacts>)>,
    bodies: BTreeMap<String, String>,
}

/// The variables of a store's password and of its keys' own.
type Passwords<'a> = (Option<&'a str>, Option<&'a str>);

impl Entries {
    /// As the scan saw them.
    pub fn of(snapshot: &Snapshot) -> Entries {
        let store = |store: &fleet::snapshot::StoreFacts| {
            (
                (store.host.clone(), store.path.clone()),
                (store.format.clone(), store.entries.clone()),
            )
        };
        Entries {
            stores: snapshot.stores.iter().map(store).collect(),
            bodies: snapshot.certificates.clone(),
        }
    }

    /// The format of a store, by content; empty where it is not known.
    pub fn format(&self, host: &str, path: &str) -> String {
        let slot = (host.to_owned(), path.to_owned());
        self.stores
            .get(&slot)
            .map_or_else(String::new, |(format, _)| format.clone())
    }

    /// A file was written anew: from here on it is PEM with these certificates, each an entry of its own.
    pub fn written(&mut self, host: &str, path: &str, certificates: &[String]) {
        let entry = |name: &String| EntryFacts {
            alias: None,
            kind: "trusted-cert".to_owned(),
            chain: vec![name.clone()],
            trusted: true,
        };
        let slot = (host.to_owned(), path.to_owned());
        self.stores
            .insert(slot, ("pem".to_owned(), certificates.iter().map(entry).collect()));
    }

    /// What an original program is told for one edit. `new` are the names in the book of the certificates that it brings,
    /// and the variable of the key.
    pub fn acts(
        &mut self,
        (host, path): (&str, &str),
        edit: &StoreEdit,
        new: &(Vec<String>, String),
        (password, key_password): Passwords<'_>,
    ) -> Vec<Act> {
        let slot = (host.to_owned(), path.to_owned());
        let Some((format, entries)) = self.stores.get_mut(&slot) else {
            return vec![Act::ByHand(format!("what {path} holds is not known"))];
        };
        let mut shelf = Shelf {
            format,
            entries,
            bodies: &self.bodies,
        };
        let kind = match shelf.format {
            "jks" => "JKS",
            "jceks" => "JCEKS",
            "pkcs12" => "PKCS12",
            "bks" => "BKS",
            "uber" => "UBER",
            "bcfks" => "BCFKS",
            _ => "",
        };
        let wrap = |act: KeyAct| match shelf_kind(kind, password) {
            Kind::Java(kind, password) => Act::Java(kind, password.to_owned(), act),
            Kind::Gsk => Act::Gsk(password.map(str::to_owned), act),
        };
        if shelf.format == "pem" {
            return shelf
                .pem(edit, new, key_password)
                .into_iter()
                .map(Act::Pem)
                .collect();
        }
        if kind.is_empty() && shelf.format != "cms-kdb" || !kind.is_empty() && password.is_none() {
            let what = format!(
                "{} stores without a password, or of this kind, need a person: {path}",
                shelf.format
            );
            return vec![Act::ByHand(what)];
        }
        let key_password = key_password.filter(|own| Some(*own) != password && kind != "PKCS12");
        shelf
            .named(edit, new, key_password)
            .into_iter()
            .map(wrap)
            .collect()
    }
}

enum Kind<'a> {
    Java(&'static str, &'a str),
    Gsk,
}

fn shelf_kind<'a>(kind: &'static str, password: Option<&'a str>) -> Kind<'a> {
    match password {
        Some(password) if !kind.is_empty() => Kind::Java(kind, password),
        _ => Kind::Gsk,
    }
}

struct Shelf<'a> {
    format: &'a str,
    entries: &'a mut Vec<EntryFacts>,
    bodies: &'a BTreeMap<String, String>,
}

impl Shelf<'_> {
    /// A store whose entries have names.
    fn named(
        &mut self,
        edit: &StoreEdit,
        new: &(Vec<String>, String),
        key_password: Option<&str>,
    ) -> Vec<KeyAct> {
        let key = |alias: &str| {
            KeyAct::Key(
                alias.to_owned(),
                new.1.clone(),
                new.0.clone(),
                key_password.map(str::to_owned),
            )
        };
        match edit {
            StoreEdit::Trust {
                alias,
                certificate,
                first,
            } => {
                let name = fleet::snapshot::hex(&certificate.sha256());
                if self.trusts(&name) {
                    return Vec::new();
                }
                let alias = self.free(alias.as_deref().unwrap_or("ca"));
                self.put(&alias, "trusted-cert", vec![name]);
                vec![KeyAct::Trust(alias, new.0[0].clone(), *first)]
            }
            StoreEdit::Untrust { sha256 } => {
                let name = fleet::snapshot::hex(sha256);
                self.take(|entry| entry.kind == "trusted-cert" && entry.chain.first() == Some(&name))
            }
            StoreEdit::RemoveIdentity { sha256 } => {
                let name = fleet::snapshot::hex(sha256);
                let keys = self
                    .entries
                    .iter()
                    .filter(|entry| entry.kind == "private-key")
                    .count();
                if keys < 2 {
                    return Vec::new();
                }
                self.take(|entry| entry.kind == "private-key" && entry.chain.first() == Some(&name))
            }
            StoreEdit::AddIdentity { alias, chain, .. } => {
                let names = fingerprints(chain);
                if self.presents(&names) {
                    return Vec::new();
                }
                let alias = alias.clone().unwrap_or_else(|| "new".to_owned());
                self.put(&alias, "private-key", names);
                vec![key(&alias)]
            }
            StoreEdit::ReplaceIdentity {
                old_sha256,
                alias,
                chain,
                ..
            } => {
                let Some((gone, alias)) = self.replaced(old_sha256, alias.as_deref(), chain) else {
                    return Vec::new();
                };
                vec![KeyAct::Delete(gone), key(&alias)]
            }
            StoreEdit::SetDefault { sha256 } => {
                let name = fleet::snapshot::hex(sha256);
                let found = self
                    .entries
                    .iter()
                    .find(|entry| entry.chain.first() == Some(&name));
                let alias = found.and_then(|entry| entry.alias.clone());
                alias.map(KeyAct::Default).into_iter().collect()
            }
        }
    }

    /// The name of the key entry that goes, and of the one that comes; `None` where it is gone already.
    fn replaced(
        &mut self,
        old_sha256: &[u8; 32],
        alias: Option<&str>,
        chain: &[keystore::Certificate],
    ) -> Option<(String, String)> {
        let old = fleet::snapshot::hex(old_sha256);
        let is_old = |entry: &EntryFacts| entry.kind == "private-key" && entry.chain.first() == Some(&old);
        let at = self.entries.iter().position(is_old)?;
        // What has no name is counted from 1 by its readers.
        let gone = self.entries.remove(at).alias.unwrap_or_else(|| "1".to_owned());
        let new = alias.map_or_else(|| gone.clone(), str::to_owned);
        self.put(&new, "private-key", fingerprints(chain));
        Some((gone, new))
    }

    /// A PEM file: blocks without names.
    fn pem(
        &mut self,
        edit: &StoreEdit,
        new: &(Vec<String>, String),
        key_password: Option<&str>,
    ) -> Vec<KeyAct> {
        let key = |chain: &[keystore::Certificate], shelf: &mut Self| {
            let names = fingerprints(chain);
            shelf.put("", "private-key", names);
            KeyAct::KeyFirst(new.1.clone(), new.0.clone(), key_password.map(str::to_owned))
        };
        match edit {
            StoreEdit::Trust {
                certificate, first, ..
            } => {
                let name = fleet::snapshot::hex(&certificate.sha256());
                if self.trusts(&name) {
                    return Vec::new();
                }
                self.put("", "trusted-cert", vec![name]);
                vec![KeyAct::Trust(String::new(), new.0[0].clone(), *first)]
            }
            StoreEdit::Untrust { sha256 } => {
                let name = fleet::snapshot::hex(sha256);
                self.entries
                    .retain(|entry| entry.kind != "trusted-cert" || entry.chain.first() != Some(&name));
                self.drop_of(&name)
            }
            StoreEdit::ReplaceIdentity { chain, .. } | StoreEdit::AddIdentity { chain, .. } => {
                let keys: Vec<EntryFacts> = self
                    .entries
                    .iter()
                    .filter(|entry| entry.kind == "private-key")
                    .cloned()
                    .collect();
                self.entries.retain(|entry| entry.kind != "private-key");
                let mut acts = vec![KeyAct::DropKeys];
                for name in keys.iter().flat_map(|entry| &entry.chain) {
                    if !self.trusts(name) {
                        acts.extend(self.drop_of(name));
                    }
                }
                acts.push(key(chain, self));
                acts
            }
            StoreEdit::RemoveIdentity { .. } | StoreEdit::SetDefault { .. } => Vec::new(),
        }
    }

    fn drop_of(&self, name: &str) -> Vec<KeyAct> {
        self.bodies
            .get(name)
            .cloned()
            .map(KeyAct::Drop)
            .into_iter()
            .collect()
    }

    fn trusts(&self, name: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.kind == "trusted-cert" && entry.chain.first().is_some_and(|one| one == name))
    }

    fn presents(&self, chain: &[String]) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.kind == "private-key" && entry.chain.first() == chain.first())
    }

    /// The wanted alias, or with the first free number behind it. Upper and lower case are alike but in CMS.
    fn free(&self, wanted: &str) -> String {
        let taken = |alias: &str| {
            self.entries
                .iter()
                .filter_map(|entry| entry.alias.as_deref())
                .any(|one| match self.format {
                    "cms-kdb" => one == alias,
                    _ => one.eq_ignore_ascii_case(alias),
                })
        };
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        std::iter::once(wanted.to_owned())
            .chain(numbered)
            .find(|alias| !taken(alias))
            .unwrap_or_default()
    }

    fn put(&mut self, alias: &str, kind: &str, chain: Vec<String>) {
        self.entries.push(EntryFacts {
            alias: (!alias.is_empty()).then(|| alias.to_owned()),
            kind: kind.to_owned(),
            chain,
            trusted: kind == "trusted-cert",
        });
    }

    fn take(&mut self, goes: impl Fn(&EntryFacts) -> bool) -> Vec<KeyAct> {
        let gone: Vec<EntryFacts> = self.entries.iter().filter(|entry| goes(entry)).cloned().collect();
        self.entries.retain(|entry| !goes(entry));
        let named = gone
            .into_iter()
            .map(|entry| entry.alias.unwrap_or_else(|| "1".to_owned()));
        named.map(KeyAct::Delete).collect()
    }
}

fn fingerprints(chain: &[keystore::Certificate]) -> Vec<String> {
    chain
        .iter()
        .map(|one| fleet::snapshot::hex(&one.sha256()))
        .collect()
}
