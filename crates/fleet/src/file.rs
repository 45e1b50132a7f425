//! `capgrow.toml` as it is written: the serialised twin of the domain types. Source: docs/fleet-file contract.
//!
//! The same shapes serve the snapshot, so that what `scan` finds can be proposed as lines of the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::date::DateDoc;
use crate::window::Window;

/// Reads a fleet file.
///
/// # Errors
/// [`FileError`] with the line, what was seen, and for an unknown key the nearest known one.
pub fn read(text: &str) -> Result<FleetDoc, FileError> {
    let doc: FleetDoc = toml::from_str(text).map_err(|error| FileError::from_toml(text, &error))?;
    if doc.version != 1 {
        return Err(FileError {
            line: 1,
            what: format!("version = {} is not known here", doc.version),
            hint: Some("this program reads version = 1".to_owned()),
        });
    }
    for written in &doc.policy.windows {
        if let Err(error) = Window::parse(written) {
            let line = text.lines().position(|line| line.contains(written.as_str()));
            return Err(FileError {
                line: line.unwrap_or(0) + 1,
                what: error.to_string(),
                hint: None,
            });
        }
    }
    Ok(doc)
}

/// Why a fleet file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct FileError {
    /// Counted from 1.
    pub line: usize,
    /// What was seen.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl FileError {
    fn from_toml(text: &str, error: &toml::de::Error) -> FileError {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.as_bytes()[..at.min(text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        let what = error.message().to_owned();
        let hint = nearest_hint(&what);
        FileError { line, what, hint }
    }
}

/// From serde's ``unknown field `x`, expected one of `a`, `b` `` the nearest known key.
fn nearest_hint(message: &str) -> Option<String> {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (seen, known) = words.split_first()?;
    if !message.starts_with("unknown") {
        return None;
    }
    let nearest = known.iter().min_by_key(|word| distance(seen, word))?;
    Some(format!("the nearest known key is `{nearest}`"))
}

/// Edit distance of two short words. Cost: O(a·b).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs)]
pub struct FleetDoc {
    #[serde(default = "one")]
    pub version: u32,
    #[serde(default)]
    pub hosts: BTreeMap<String, HostDoc>,
    #[serde(default)]
    pub components: BTreeMap<String, ComponentDoc>,
    #[serde(default)]
    pub rotate: Vec<RotateDoc>,
    #[serde(default)]
    pub policy: PolicyDoc,
    #[serde(default)]
    pub waiver: Vec<WaiverDoc>,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Where it stands: what canaries by site go by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    #[serde(default)]
    pub sudo: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_in: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<PasswordRuleDoc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PasswordRuleDoc {
    pub r#for: String,
    pub password: SecretDoc,
}

/// Exactly one of its keys is set; [`crate::declare`] says so otherwise.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<bool>,
    #[serde(default, skip_serializing)]
    pub literal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<SettingRefDoc>,
    /// The fleet file's literal for this store: the words stay there, the snapshot names the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fleet_file: Option<String>,
}

impl std::fmt::Debug for SecretDoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDoc(..)")
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingRefDoc {
    pub file: String,
    pub syntax: String,
    pub key: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ComponentDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definitions: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<bool>,
    /// A person makes its steps on a host that nobody else reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusts_new_since: Option<DateDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps_no_old_identity: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreDoc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<EffectiveDoc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listens: Vec<ListenDoc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dials: Vec<DialDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<NewDoc>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<String>,
    #[serde(default)]
    pub holds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_password: Option<SecretDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stash: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingDoc {
    pub file: String,
    pub syntax: String,
    pub key: String,
    pub selects: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
}

/// One command, or several in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandsDoc {
    One(Vec<String>),
    Many(Vec<Vec<String>>),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MeansDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<CommandsDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<CommandsDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_run: Option<bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EffectiveDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<CommandsDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<CommandsDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_run: Option<bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<MeansDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<MeansDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<HealthyDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProcessDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// `"tcp:8443"`, `["argv"]`, or what a product file found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HealthyDoc {
    Address(String),
    Command(Vec<String>),
    Linked {
        linked: String,
        command: Vec<String>,
        host: String,
        dir: String,
    },
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ListenDoc {
    pub name: String,
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DialDoc {
    pub to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<String>,
}

/// New material of one component, or `[[rotate]].to`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pfx: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RotateDoc {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<LeaveDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<OneOrMore>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NewDoc>,
    /// The last day on which it may be finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DateDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retire: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

/// `"*"` or a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LeaveDoc {
    All(String),
    Some(LeaveSomeDoc),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LeaveSomeDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<OneOrMore>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiring_within: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    /// All of them.
    pub fn all(&self) -> Vec<&str> {
        match self {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more.iter().map(String::as_str).collect(),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyDoc {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at_once: BTreeMap<String, AtOnceDoc>,
    /// What makes a class of which one member goes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canary: Vec<CanaryDoc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redundancy: Vec<RedundancyDoc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standards: Option<StandardsDoc>,
}

/// By what components are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CanaryDoc {
    Site,
    Store,
}

/// `"10%"` or a number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AtOnceDoc {
    Count(u32),
    Share(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedundancyDoc {
    pub members: Vec<String>,
    pub down: u32,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StandardsDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_rsa: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ec: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WaiverDoc {
    pub links: Vec<String>,
    pub who: String,
    pub why: String,
    pub until: DateDoc,
}
