//! Ends written as text: `java17`, `openssl3,level=1,key=rsa1024`, `mq,spec=ANY_TLS12,tls13=no,key=p256`.

use super::channel::{ChannelEnd, Tls13Switch, enabled, negotiate_channel};
use super::end::{End, Group, Key, Refused};
use super::runtimes::{end, ends};
use super::spec::named;
use super::suite::{Protocol, suite_named};
use super::{Agreed, negotiate};

/// One end, of a TLS connection or of an MQ channel.
#[derive(Debug, Clone)]
pub enum Side {
    /// An IBM MQ channel.
    Channel(ChannelEnd),
    /// A runtime.
    Tls(End),
}

/// Why a text is no end, or two ends cannot meet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SideError {
    /// The word before the first comma.
    #[error("there is no runtime `{name}`; known: mq, {known}")]
    NoRuntime {
        /// As written.
        name: String,
        /// All that are.
        known: String,
    },
    /// A setting that an end of this kind does not have.
    #[error("`{key}` is no setting here; known: {known}")]
    NoSetting {
        /// As written.
        key: String,
        /// All that are.
        known: &'static str,
    },
    /// A value that a setting does not take.
    #[error("`{value}` is no value of {key}")]
    BadValue {
        /// The setting.
        key: String,
        /// As written.
        value: String,
    },
    /// An MQ channel at one end, something else at the other.
    #[error("an MQ channel meets only an MQ channel: give `mq,spec=…` for both ends")]
    Mixed,
}

/// Reads `RUNTIME[,SETTING=VALUE…]`; several values of one setting are joined by `+`.
///
/// Settings of a runtime: `protocols`, `suites`, `groups`, `key`, `level`; of `mq`: `spec` (absent = no TLS), `key`,
/// `tls13`, `allowed`, `weak`, `version`.
///
/// # Errors
/// [`SideError`], which names what is known.
pub fn read_side(text: &str) -> Result<Side, SideError> {
    let mut parts = text.split(',').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let settings: Vec<(&str, &str)> = parts
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .collect();
    if name == "mq" {
        return channel(&settings).map(Side::Channel);
    }
    let found = end(name).ok_or_else(|| SideError::NoRuntime {
        name: name.to_owned(),
        known: ends().collect::<Vec<_>>().join(", "),
    })?;
    settings
        .iter()
        .try_fold(found, |end, (key, value)| set(end, key, value))
        .map(Side::Tls)
}

/// What a client and a server agree on.
///
/// # Errors
/// [`SideError::Mixed`]; the answer itself is the inner result.
pub fn meet(client: &Side, server: &Side) -> Result<Result<Agreed, Refused>, SideError> {
    match (client, server) {
        (Side::Tls(client), Side::Tls(server)) => Ok(negotiate(client, server)),
        (Side::Channel(client), Side::Channel(server)) => Ok(negotiate_channel(client, server)),
        _ => Err(SideError::Mixed),
    }
}

fn set(mut end: End, key: &str, value: &str) -> Result<End, SideError> {
    let bad = || bad(key, value);
    match key {
        "protocols" => end.protocols = each(value, Protocol::named).ok_or_else(bad)?,
        "suites" => end.suites = each(value, suite_named).ok_or_else(bad)?,
        "groups" => end.groups = each(value, Group::named).ok_or_else(bad)?,
        "key" => end.key = Some(Key::named(value).ok_or_else(bad)?),
        "level" => end.level = value.parse().ok().filter(|level| *level <= 5).ok_or_else(bad)?,
        _ => {
            return Err(SideError::NoSetting {
                key: key.to_owned(),
                known: "protocols, suites, groups, key, level",
            });
        }
    }
    Ok(end)
}

fn channel(settings: &[(&str, &str)]) -> Result<ChannelEnd, SideError> {
    let (mut cipher, mut key) = (None, None);
    let (mut allowed, mut weak) = (Vec::new(), Vec::new());
    let (mut allows_13, mut level) = (Tls13Switch::On, [9, 4, 0]);
    for (name, value) in settings {
        let bad = || bad(name, value);
        match *name {
            "spec" if value.is_empty() => cipher = None,
            "spec" => cipher = Some(named(value).ok_or_else(bad)?),
            "key" => key = Some(Key::named(value).ok_or_else(bad)?),
            "tls13" => allows_13 = switch(value).ok_or_else(bad)?,
            "allowed" => allowed = each(value, named).ok_or_else(bad)?,
            "weak" => weak = each(value, named).ok_or_else(bad)?,
            "version" => level = release(value).ok_or_else(bad)?,
            _ => {
                return Err(SideError::NoSetting {
                    key: (*name).to_owned(),
                    known: "spec, key, tls13, allowed, weak, version",
                });
            }
        }
    }
    // TLS 1.3 came with 9.1.4.
    if level < [9, 1, 4] {
        allows_13 = Tls13Switch::Off;
    }
    Ok(ChannelEnd {
        cipher,
        enabled: enabled(&allowed, &weak, allows_13),
        level,
        key,
    })
}

fn bad(key: &str, value: &str) -> SideError {
    SideError::BadValue {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn each<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split('+').map(|one| read(one.trim())).collect()
}

/// Source: IBM MQ, SSL stanza: Y, YES, T, TRUE; N, NO, F, FALSE.
fn switch(value: &str) -> Option<Tls13Switch> {
    match value.to_ascii_uppercase().as_str() {
        "Y" | "YES" | "T" | "TRUE" => Some(Tls13Switch::On),
        "N" | "NO" | "F" | "FALSE" => Some(Tls13Switch::Off),
        _ => None,
    }
}

fn release(value: &str) -> Option<[u8; 3]> {
    let mut numbers = value.split('.').map(str::parse::<u8>);
    let mut next = |or: u8| numbers.next().map_or(Some(or), Result::ok);
    Some([next(9)?, next(0)?, next(0)?])
}
