//! What is there: the versioned snapshot that `scan` writes and `plan` and `check` work on.
//!
//! Facts only, each from a file, a setting or an answer; no passwords and no keys. Certificates lie once
//! in a table and are named by their SHA-256 everywhere else. The serialised form is JSON; its digest is
//! the SHA-256 of the canonical bytes (sorted keys, no blanks).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::Certificate;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::file::ComponentDoc;
use crate::meaning::MeaningError;

/// SHA-256 in lower-case hexadecimal.
pub type Fingerprint = String;

/// Everything `scan` saw, at one time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Snapshot {
    /// 1.
    pub version: u32,
    /// Seconds since 1970.
    pub taken_at: i64,
    /// The digest of the snapshot that was the latest before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Fingerprint>,
    /// Whether something could not be derived, so that a plan over it lists what it assumed.
    pub partial: bool,
    /// By name.
    pub hosts: BTreeMap<String, HostFacts>,
    /// By id, as the fleet file would say it.
    pub components: BTreeMap<String, serde_json::Value>,
    /// In order of host and path.
    pub stores: Vec<StoreFacts>,
    /// Which component reads which store for what.
    pub uses: Vec<UseFacts>,
    /// Settings files whose content a plan builds on.
    pub files: Vec<FileFacts>,
    /// The values of settings that move with the certificates.
    pub settings: Vec<SettingFacts>,
    /// Who calls whom.
    pub links: Vec<LinkFacts>,
    /// What cannot be derived and a person must say.
    pub questions: Vec<QuestionFacts>,
    /// What is wrong or worth knowing.
    pub findings: Vec<FindingFacts>,
    /// Changes by a product's own commands that come before every step of a plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<FirstFacts>,
    /// New material and old generation, as read when a plan was asked for; empty after a scan.
    pub rotations: Vec<RotationFacts>,
    /// DER in base64, by fingerprint.
    pub certificates: BTreeMap<Fingerprint, String>,
}

/// One host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Where its tree lies on this machine, as in the fleet file.
    pub root: Option<String>,
    /// How it is reached.
    pub reach: String,
}

/// One store as it lies on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreFacts {
    /// Of [`Snapshot::hosts`].
    pub host: String,
    /// The host path, links followed.
    pub path: String,
    /// By content: `jks`, `pkcs12`, ….
    pub format: String,
    /// Of the file.
    pub sha256: Fingerprint,
    /// In file order.
    pub entries: Vec<EntryFacts>,
    /// Why its entries are not known, or not all.
    pub problem: Option<String>,
}

/// One entry of a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryFacts {
    /// As written.
    pub alias: Option<String>,
    /// `private-key`, `trusted-cert`, `secret-key`, `request`, `opaque`.
    pub kind: String,
    /// Leaf first.
    pub chain: Vec<Fingerprint>,
    /// Whether the format marks it as trusted.
    pub trusted: bool,
}

/// One store of one component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UseFacts {
    /// The component.
    pub component: String,
    /// The id of the store in the component.
    pub id: String,
    /// The host.
    pub host: String,
    /// The host path, links followed: equal paths are one store.
    pub path: String,
    /// What is presented from it, leaf first; empty where it holds no identity.
    pub presented: Vec<Fingerprint>,
    /// The alias of that entry.
    pub alias: Option<String>,
    /// What its runtime reads from it as anchors.
    pub anchors: Vec<Fingerprint>,
    /// Those of them that stand in key entries alone: their own certificates, or their whole chains where the runtime
    /// reads every certificate of the file.
    pub anchors_with_key: Vec<Fingerprint>,
    /// How many private keys lie in it.
    pub keys: usize,
}

/// A change by a product's own commands, for the whole fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstFacts {
    /// The component on whose host they run.
    pub component: String,
    /// As a plan's write says it; the event is open.
    pub write: serde_json::Value,
}

/// One settings file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The host.
    pub host: String,
    /// The host path.
    pub path: String,
    /// Of the file.
    pub sha256: Fingerprint,
}

/// One setting of one component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingFacts {
    /// The component.
    pub component: String,
    /// The host path.
    pub file: String,
    /// In the syntax's notation.
    pub key: String,
    /// As the component declares it: `alias of id`, `path of id`, `allowed-names`.
    pub selects: String,
    /// The value that counts; absent where the key does not occur.
    pub value: Option<String>,
}

/// One link: `from` calls `endpoint` of `to`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkFacts {
    /// The component that calls.
    pub from: String,
    /// The component called.
    pub to: String,
    /// The name of the listening address.
    pub endpoint: String,
    /// Which dial of `from`, counted from 0.
    pub dial: usize,
    /// Whether the client presents a certificate too.
    pub mutual: bool,
}

impl LinkFacts {
    /// `from -> to.endpoint`, as waivers and findings write it.
    pub fn text(&self) -> String {
        format!("{} -> {}.{}", self.from, self.to, self.endpoint)
    }
}

/// Something a person must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionFacts {
    /// What it is about: a component, a link, a store.
    pub about: String,
    /// The question.
    pub text: String,
    /// Lines for the fleet file that would answer it.
    pub proposal: Option<String>,
}

/// Something worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingFacts {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// A file, alias, component or setting.
    pub target: String,
    /// What was seen.
    pub text: String,
    /// What to do.
    pub fix: Option<String>,
}

/// One `[[rotate]]` with its material resolved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotationFacts {
    /// Its name.
    pub name: String,
    /// The certificates to leave: identities and anchors.
    pub leave: Vec<Fingerprint>,
    /// The anchors to grow.
    pub anchors: Vec<Fingerprint>,
    /// By component; only those that move.
    pub new: BTreeMap<String, NewFacts>,
    /// Whether the old generation is retired at the end.
    pub retire: bool,
    /// `cap-and-grow` or `rip-and-replace`.
    pub strategy: String,
}

/// One component's new identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFacts {
    /// Leaf first; the root last where the file holds it.
    pub chain: Vec<Fingerprint>,
    /// Wanted alias.
    pub alias: Option<String>,
    /// Names the private key: `component` or `rotate:NAME`.
    pub material: String,
}

impl Snapshot {
    /// Puts a certificate in the table.
    pub fn keep(&mut self, certificate: &Certificate) -> Fingerprint {
        let name = hex(&certificate.sha256());
        self.certificates
            .entry(name.clone())
            .or_insert_with(|| STANDARD.encode(certificate.der()));
        name
    }

    /// A certificate of the table.
    pub fn certificate(&self, name: &str) -> Option<Certificate> {
        let der = STANDARD.decode(self.certificates.get(name)?).ok()?;
        Certificate::parse(&der).ok()
    }

    /// All certificates of the table, parsed once.
    pub fn all_certificates(&self) -> BTreeMap<Fingerprint, Certificate> {
        self.certificates
            .keys()
            .filter_map(|name| Some((name.clone(), self.certificate(name)?)))
            .collect()
    }

    /// The component of that id, as domain type.
    ///
    /// # Errors
    /// `NoComponent`; `Unreadable`, `UnfitComponent` where another version wrote it.
    pub fn component(&self, id: &str) -> Result<product::Component, MeaningError> {
        let value = self
            .components
            .get(id)
            .ok_or_else(|| MeaningError::NoComponent(id.to_owned()))?;
        let doc: ComponentDoc = serde_json::from_value(value.clone())
            .map_err(|error| MeaningError::Unreadable(error.to_string()))?;
        crate::declare::component(id, &doc).map_err(MeaningError::UnfitComponent)
    }

    /// The canonical bytes: sorted keys, no blanks.
    pub fn bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).expect("a snapshot has string keys only");
        serde_json::to_vec(&value).expect("a JSON value always has text")
    }

    /// Reads what [`Snapshot::bytes`] wrote.
    ///
    /// # Errors
    /// `Unreadable` with line and column, `UnknownVersion`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, MeaningError> {
        let snapshot: Snapshot =
            serde_json::from_slice(bytes).map_err(|error| MeaningError::Unreadable(error.to_string()))?;
        if snapshot.version != 1 {
            return Err(MeaningError::UnknownVersion(u64::from(snapshot.version)));
        }
        Ok(snapshot)
    }

    /// The use of that store by that component.
    pub fn use_of(&self, component: &str, id: &str) -> Option<&UseFacts> {
        self.uses
            .iter()
            .find(|facts| facts.component == component && facts.id == id)
    }
}

/// The SHA-256 of a file, in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> Fingerprint {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of 64 hexadecimal digits.
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (index, pair) in text.chunks_exact(2).enumerate() {
        let digits = std::str::from_utf8(pair).ok()?;
        out[index] = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(out)
}
