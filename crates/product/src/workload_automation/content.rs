//! What a store holds, and what each certificate is in a rotation.

use keystore::Certificate;
use keystore::oid;
use keystore::oid::Oid;

use crate::change::Rotation;

/// What one store of a component holds on disk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoreContent {
    /// The id in the component.
    pub id: String,
    /// The leaf that is presented from it, where it holds an identity.
    pub presented: Option<Certificate>,
    /// In file order.
    pub entries: Vec<EntryContent>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryContent {
    /// As written.
    pub alias: Option<String>,
    /// Whether it holds a private key.
    pub kind: EntryKind,
    /// Leaf first; one for a trusted certificate.
    pub chain: Vec<Certificate>,
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A private key with its certificate.
    Key,
    /// Anything else.
    Other,
    /// A trusted certificate.
    Trusted,
}

impl StoreContent {
    /// The content of a parsed store; `presented` is for the caller to say.
    pub fn of(id: &str, store: &keystore::Store) -> Self {
        let entries = store.entries().iter().map(|entry| EntryContent {
            alias: entry.alias().map(str::to_owned),
            kind: match entry.body() {
                keystore::Body::PrivateKey { .. } => EntryKind::Key,
                keystore::Body::TrustedCert { .. } => EntryKind::Trusted,
                _ => EntryKind::Other,
            },
            chain: entry.certificates().to_vec(),
        });
        StoreContent {
            id: id.to_owned(),
            presented: None,
            entries: entries.collect(),
        }
    }

    /// The trusted certificates with their aliases.
    pub(super) fn trusted(&self) -> impl Iterator<Item = (Option<&str>, &Certificate)> {
        self.entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Trusted)
            .filter_map(|entry| Some((entry.alias.as_deref(), entry.chain.first()?)))
    }

    /// The leaves of its private keys with their aliases.
    pub(super) fn keys(&self) -> impl Iterator<Item = (Option<&str>, &Certificate)> {
        self.entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Key)
            .filter_map(|entry| Some((entry.alias.as_deref(), entry.chain.first()?)))
    }

    /// What is presented: as said, else the only key.
    pub(super) fn identity(&self) -> Option<(Option<&str>, &Certificate)> {
        if let Some(leaf) = &self.presented {
            // A certificate file beside a key file has no key of its own.
            return self.keys().find(|(_, key)| *key == leaf).or(Some((None, leaf)));
        }
        let mut keys = self.keys();
        keys.next().filter(|_| keys.next().is_none())
    }
}

/// The new chain by the parts that the product's files keep apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NewChain {
    /// Absent for a component that only trusts.
    pub(super) leaf: Option<Certificate>,
    /// Leaf side first.
    pub(super) intermediates: Vec<Certificate>,
    /// Usually one.
    pub(super) roots: Vec<Certificate>,
}

impl NewChain {
    pub(super) fn of(rotation: &Rotation) -> Self {
        let mut new = NewChain {
            leaf: rotation.chain.first().cloned(),
            ..NewChain::default()
        };
        for certificate in rotation.chain.iter().skip(1).chain(&rotation.anchors) {
            let own = new.leaf.as_ref() == Some(certificate);
            let list = if certificate.is_self_issued() {
                &mut new.roots
            } else {
                &mut new.intermediates
            };
            if !own && !list.contains(certificate) {
                list.push(certificate.clone());
            }
        }
        new
    }

    /// Intermediates, then roots: `CHAIN` of the documents.
    pub(super) fn authorities(&self) -> Vec<Certificate> {
        self.intermediates.iter().chain(&self.roots).cloned().collect()
    }

    /// The leaf and what it needs to reach a root, the root itself left out.
    pub(super) fn presented(&self) -> Vec<Certificate> {
        self.leaf.iter().chain(&self.intermediates).cloned().collect()
    }
}

/// The CN of one of the product's own default certificates. Source: state table, `defaults`.
pub(super) fn default_name(certificate: &Certificate) -> Option<&'static str> {
    let subject = certificate.subject();
    let all: Vec<_> = subject
        .rows()
        .flatten()
        .map(|attribute| (attribute.kind, attribute.text()))
        .collect();
    let has = |kind: Oid<'_>, text: &str| all.iter().any(|(seen, value)| *seen == kind && value == text);
    let unit =
        has(oid::ORGANIZATIONAL_UNIT, "TWS") && has(oid::ORGANIZATION, "IBM") && has(oid::COUNTRY, "US");
    let name = DEFAULT_NAMES.iter().find(|name| has(oid::COMMON_NAME, name))?;
    (unit && all.len() == 4 && certificate.is_self_issued()).then_some(name)
}

/// The four of the documents, in the order of the depot.
pub(super) const DEFAULT_NAMES: &[&str] = &["Server", "Client", "ClientNew", "ServerNew"];
