//! What a journal says: its records, and their JSON. The only serde of this crate.
//!
//! Records are facts that happened, in the order in which they became durable; nothing is ever changed in them.
//! New variants may be added; a name once written keeps its meaning.

use crate::digest::Sha256;
use crate::machine::{Attributes, Owner, Timestamp};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One durable fact of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Record {
    /// Somebody approved this plan; the first record of every run.
    Approved {
        /// Digest of the plan.
        plan: String,
        /// Who said so.
        who: String,
        /// The last wave that may run; all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_wave: Option<u32>,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A command of a set is about to run.
    CommandBegun {
        /// The set.
        step: String,
        /// Which of its lines, from 0.
        line: usize,
        /// Program and arguments; no secrets stand in them.
        command: Vec<String>,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A command of a set did what it should, or had nothing to do.
    CommandEnded {
        /// The set.
        step: String,
        /// Which of its lines, from 0.
        line: usize,
        /// How it ended, as the caller's document.
        outcome: serde_json::Value,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A product's own commands are about to change what lies in no file.
    Commands {
        /// The set: step and event.
        step: String,
        /// The host on which they run.
        host: String,
        /// The set that this one takes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reverses: Option<String>,
        /// The plan's write: the commands, and those that take them back.
        write: serde_json::Value,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// Every command of a set did what it should.
    CommandsDone {
        /// The set.
        step: String,
        /// What was seen, as the caller's document.
        evidence: serde_json::Value,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// Every file of the set is new, and durably so.
    Done {
        /// Which set.
        set: SetId,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A set of files is about to be changed; their old bytes are in durable backups.
    Intent(Intent),
    /// Something seen that shows a step to be effective.
    Observed {
        /// The step.
        step: String,
        /// What was seen, as the caller's document.
        evidence: serde_json::Value,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// Every file of the set is old again, except those that somebody else changed.
    RolledBack {
        /// Which set.
        set: SetId,
        /// Files with content that is neither ours nor what was there; left as they are.
        #[serde(with = "paths", default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<PathBuf>,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A step begins.
    StepBegun {
        /// The step.
        step: String,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A step is written, effective and observed.
    StepDone {
        /// The step.
        step: String,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// A command of a step ran, or another thing that makes it effective was done.
    StepMade {
        /// The step.
        step: String,
        /// The command's words; no secrets stand in them.
        command: Vec<String>,
        /// How it ended, as the caller's document.
        outcome: serde_json::Value,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// The run stopped before its end.
    Stopped {
        /// Why, in words.
        reason: String,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
    /// The run came to its end.
    Finished {
        /// `done`, `undone` …
        outcome: String,
        #[serde(with = "time")]
        /// When.
        at: Timestamp,
    },
}

/// The number of a file set within its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetId(pub u32);

/// What a file set will do: all that recovery and undo need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Intent {
    /// Which set.
    pub set: SetId,
    /// The step it belongs to.
    pub step: String,
    /// The host whose files they are.
    pub host: String,
    /// The set that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<SetId>,
    /// The changes in their order; every prefix is safe.
    pub changes: Vec<Intended>,
    /// When.
    #[serde(with = "time")]
    pub at: Timestamp,
}

/// One change of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Intended {
    /// Where the file really lies: no component is a link.
    #[serde(with = "path")]
    pub path: PathBuf,
    /// The path by which it was named.
    #[serde(with = "path")]
    pub named: PathBuf,
    /// What lies there now.
    pub before: State,
    /// What shall lie there.
    pub after: State,
    /// Name of the old bytes among the run's backups, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Nothing.
    Absent,
    /// A directory; its content does not matter.
    Directory {
        /// Owner, mode, extended attributes.
        #[serde(with = "AttributesTwin")]
        attributes: Attributes,
    },
    /// A regular file.
    File {
        /// Digest of its bytes.
        #[serde(with = "digest")]
        sha256: Sha256,
        /// Owner, mode, time, extended attributes.
        #[serde(with = "AttributesTwin")]
        attributes: Attributes,
    },
}

/// The bytes of a record in the journal.
pub(crate) fn encode(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have string keys and no failing parts")
}

/// A record from its bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, String> {
    serde_json::from_slice(bytes).map_err(|e| e.to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Attributes", rename_all = "kebab-case")]
struct AttributesTwin {
    mode: u32,
    #[serde(with = "owner", default)]
    owner: Option<Owner>,
    #[serde(with = "optional_time", default)]
    mtime: Option<Timestamp>,
    #[serde(with = "xattrs", default)]
    xattrs: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
}

mod time {
    use crate::machine::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        (time.seconds, time.nanoseconds).serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Timestamp, D::Error> {
        let (seconds, nanoseconds) = Deserialize::deserialize(from)?;
        Ok(Timestamp { seconds, nanoseconds })
    }
}

mod optional_time {
    use crate::machine::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        time.map(|time| (time.seconds, time.nanoseconds)).serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let pair: Option<(i64, u32)> = Deserialize::deserialize(from)?;
        Ok(pair.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds }))
    }
}

mod owner {
    use crate::machine::Owner;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(owner: &Option<Owner>, to: S) -> Result<S::Ok, S::Error> {
        owner.map(|owner| (owner.uid, owner.gid)).serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Owner>, D::Error> {
        let pair: Option<(u32, u32)> = Deserialize::deserialize(from)?;
        Ok(pair.map(|(uid, gid)| Owner { uid, gid }))
    }
}

mod digest {
    use crate::digest::Sha256;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(digest: &Sha256, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(digest)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Sha256, D::Error> {
        let text = String::deserialize(from)?;
        Sha256::parse(&text).ok_or_else(|| D::Error::custom("not a sha-256 in hexadecimal"))
    }
}

/// Paths are text where they are UTF-8, which absolute ones show by their slash, and `base64:` otherwise.
mod path {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    pub fn text(path: &Path) -> String {
        match path.to_str() {
            Some(text) => text.to_owned(),
            None => format!("base64:{}", STANDARD.encode(path.as_os_str().as_bytes())),
        }
    }

    pub fn parse(text: String) -> Result<PathBuf, base64::DecodeError> {
        match text.strip_prefix("base64:") {
            Some(code) => Ok(PathBuf::from(OsString::from_vec(STANDARD.decode(code)?))),
            None => Ok(PathBuf::from(text)),
        }
    }

    pub fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(path))
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<PathBuf, D::Error> {
        parse(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

mod paths {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use std::path::PathBuf;

    pub fn serialize<S: Serializer>(paths: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
        paths
            .iter()
            .map(|path| super::path::text(path))
            .collect::<Vec<_>>()
            .serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts
            .into_iter()
            .map(|text| super::path::parse(text).map_err(D::Error::custom))
            .collect()
    }
}

/// Pairs of base64: neither names nor values need be text.
mod xattrs {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(map: &BTreeMap<Vec<u8>, Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        let pairs: Vec<_> = map
            .iter()
            .map(|(k, v)| (STANDARD.encode(k), STANDARD.encode(v)))
            .collect();
        pairs.serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, D::Error> {
        let pairs = Vec::<(String, String)>::deserialize(from)?;
        let decode = |text: &String| STANDARD.decode(text).map_err(D::Error::custom);
        pairs.iter().map(|(k, v)| Ok((decode(k)?, decode(v)?))).collect()
    }
}
