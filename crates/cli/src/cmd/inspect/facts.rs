//! What is known of one file once it was looked at: enough for every answer, without keys, passwords and the clock.

use std::borrow::Cow;

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use keystore::Store;
use serde::Deserialize;
use serde::Serialize;

use super::certificates::is_authority;
use super::document::aliases;
use super::hex;
use super::look::Content;
use super::look::Looked;
use super::look::Refused;
use super::look::is_locked_key;
use super::print_of;
use super::rules;
use super::rules::Remark;
use crate::print;

/// One file. It holds nothing that depends on the path, the permission bits or the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The format's name.
    pub format: String,
    /// Over the whole file.
    pub sha256: String,
    /// What it is.
    pub kind: Kind,
    /// What a store holds: the JSON of its [`EntryFacts`], which most answers take as it is.
    #[serde(skip)]
    pub entries: Cow<'static, str>,
    /// How many these are.
    pub entry_count: usize,
    /// How many certificates they have.
    pub certificate_count: usize,
    /// What is to be said about it.
    #[serde(skip)]
    pub remarks: Vec<Remark>,
    /// Why a password that was given is not its own.
    pub refused: Option<Refused>,
    /// Whether it holds a private key.
    pub holds_key: bool,
    /// Whether it holds a key or a password that opens without another.
    pub clear_secret: bool,
    /// Whether a person could open more of it with a password.
    pub is_locked_away: bool,
    /// Public prints of its private keys, each once.
    pub keys: Vec<String>,
    /// The print of the only key of a file that holds no certificate.
    pub lone_key: Option<String>,
    /// The only end-entity certificate of a file without keys.
    pub lone_leaf: Option<Leaf>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Recognised, and not readable.
    Broken,
    /// A password.
    Stash,
    /// A store.
    Store,
}

/// A certificate that waits for its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// The print of its public key.
    pub print: String,
    /// Its subject.
    pub subject: String,
}

/// An entry as `inspect --json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFacts {
    /// As stored, else as its reader names it.
    pub alias: Option<String>,
    /// Leaf first.
    pub chain: Vec<CertificateFacts>,
    /// When it was made, UTC.
    pub created: Option<String>,
    /// `private-key`, `trusted-cert` …
    pub kind: String,
    /// How its key is protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<String>,
    /// The certificate request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestFacts>,
    /// Whether its store marks it as trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// What is not understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// A certificate as `inspect --json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Who issued it.
    pub issuer: String,
    /// Kind and size of its key.
    pub key: String,
    /// UTC.
    pub not_after: String,
    /// UTC.
    pub not_before: String,
    /// Hexadecimal.
    pub serial: String,
    /// Of its DER.
    pub sha256: String,
    /// The signature's algorithm.
    pub signature: String,
    /// Whose it is.
    pub subject: String,
}

/// A certificate request as `inspect --json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFacts {
    /// Kind and size of its key.
    pub key: String,
    /// The signature's algorithm.
    pub signature: String,
    /// Who asks.
    pub subject: String,
}

/// The facts about a file that was looked at.
pub fn of(looked: &Looked) -> Facts {
    let store = match &looked.content {
        Content::Store(store) => Some(store),
        _ => None,
    };
    let entries = store.map_or(&[][..], Store::entries);
    let is_key = |entry: &&Entry| matches!(entry.body(), Body::PrivateKey { .. });
    let clear_key = entries.iter().filter(is_key).any(|entry| !is_locked_key(entry));
    Facts {
        format: looked.format.to_owned(),
        sha256: looked.sha256.clone(),
        kind: match &looked.content {
            Content::Broken(_) => Kind::Broken,
            Content::Stash(_) => Kind::Stash,
            Content::Store(_) => Kind::Store,
        },
        entries: Cow::Owned(
            serde_json::to_string(&store.map_or_else(Vec::new, entry_facts)).unwrap_or_default(),
        ),
        entry_count: entries.len(),
        certificate_count: entries.iter().map(|entry| entry.certificates().len()).sum(),
        remarks: rules::remarks(looked),
        refused: looked.refused.clone(),
        holds_key: entries.iter().any(|entry| is_key(&entry)),
        clear_secret: clear_key || matches!(looked.content, Content::Stash(Ok(()))),
        is_locked_away: is_locked_away(looked),
        keys: keys(looked, entries),
        lone_key: lone_key(looked, entries),
        lone_leaf: store.and_then(lone_leaf),
    }
}

impl Facts {
    /// What a store holds.
    pub fn entries(&self) -> Vec<EntryFacts> {
        serde_json::from_str(&self.entries).unwrap_or_default()
    }
}

impl CertificateFacts {
    /// Of a certificate.
    pub fn of(certificate: &Certificate) -> CertificateFacts {
        let validity = certificate.validity();
        CertificateFacts {
            issuer: certificate.issuer().to_string(),
            key: certificate.public_key().kind().to_string(),
            not_after: print::utc_time(validity.not_after),
            not_before: print::utc_time(validity.not_before),
            serial: certificate.serial_hex(),
            sha256: hex(&certificate.sha256()),
            signature: certificate.signature_algorithm().to_string(),
            subject: certificate.subject().to_string(),
        }
    }
}

fn entry_facts(store: &Store) -> Vec<EntryFacts> {
    let of = |(entry, alias): (&Entry, Option<String>)| {
        let mut facts = EntryFacts {
            alias,
            chain: entry.certificates().iter().map(CertificateFacts::of).collect(),
            created: entry.created_ms().and_then(utc_ms),
            kind: entry.kind_name().to_owned(),
            protection: None,
            request: None,
            trusted: None,
            what: None,
        };
        match entry.body() {
            Body::Opaque { what } => facts.what = Some(what.clone()),
            Body::Request { der, .. } => facts.request = request(der),
            Body::TrustedCert { trusted, .. } => facts.trusted = Some(*trusted),
            Body::PrivateKey { .. } | Body::SecretKey { .. } => facts.protection = entry.protection(),
            _ => {}
        }
        facts
    };
    store.entries().iter().zip(aliases(store)).map(of).collect()
}

fn request(der: &[u8]) -> Option<RequestFacts> {
    let request = keystore::Request::parse(der).ok()?;
    Some(RequestFacts {
        key: request.public_key().kind().to_string(),
        signature: request.signature_algorithm.to_string(),
        subject: request.subject.to_string(),
    })
}

/// UTC text of milliseconds since 1970; `None` beyond the years that a date can say.
fn utc_ms(ms: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms)
        .ok()
        .map(|time| time.to_string())
}

fn is_locked_away(looked: &Looked) -> bool {
    match &looked.content {
        Content::Broken(error) => matches!(error, keystore::ParseError::NeedsPassword { .. }),
        Content::Store(store) => store
            .notes()
            .iter()
            .any(|note| matches!(note, keystore::Note::LockedPart { .. })),
        Content::Stash(_) => false,
    }
}

/// A private key is known by its certificate, else by its own numbers.
fn keys(looked: &Looked, entries: &[Entry]) -> Vec<String> {
    let mut prints = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Body::PrivateKey { chain, .. } = entry.body() else {
            continue;
        };
        let print = match chain.first() {
            Some(leaf) => print_of::certificate(leaf),
            None => opened(looked, index).and_then(print_of::key),
        };
        if let Some(print) = print
            && !prints.contains(&print)
        {
            prints.push(print);
        }
    }
    prints
}

fn opened(looked: &Looked, index: usize) -> Option<&keystore::PrivateKey> {
    let (_, key) = looked.keys.iter().find(|(at, _)| *at == index)?;
    Some(key)
}

fn is_loose(looked: &Looked) -> bool {
    matches!(&looked.content, Content::Store(store) if matches!(store.format(), Format::Der | Format::Pem))
}

fn lone_key(looked: &Looked, entries: &[Entry]) -> Option<String> {
    let without = entries.iter().all(|entry| entry.certificates().is_empty());
    match looked.keys.as_slice() {
        [(_, key)] if is_loose(looked) && without => print_of::key(key),
        _ => None,
    }
}

fn lone_leaf(store: &Store) -> Option<Leaf> {
    let is_loose = matches!(store.format(), Format::Der | Format::Pem);
    let is_other = |entry: &Entry| !matches!(entry.body(), Body::TrustedCert { .. });
    if !is_loose || store.entries().iter().any(is_other) {
        return None;
    }
    let mut leaves = store
        .entries()
        .iter()
        .flat_map(Entry::certificates)
        .filter(|one| !is_authority(one));
    match (leaves.next(), leaves.next()) {
        (Some(leaf), None) => Some(Leaf {
            print: print_of::certificate(leaf)?,
            subject: leaf.subject().to_string(),
        }),
        _ => None,
    }
}
