//! Which protocol and suite two ends agree on, or why they do not and what each of them prints.
//!
//! [`negotiate`] answers for two TLS ends, [`negotiate_channel`] for the two ends of an IBM MQ channel, [`read_side`] and
//! [`meet`] for ends written as text. Tables and rules only: nothing is dialled.

mod channel;
mod end;
mod prints;
mod runtimes;
mod side;
mod spec;
mod suite;

pub use channel::{ChannelEnd, Tls13Switch, enabled, negotiate_channel};
pub use end::{End, Family, Group, Key, Refused, Scheme};
pub use runtimes::{end, ends, scheme};
pub use side::{Side, SideError, meet, read_side};
pub use spec::{Alias, Named, Spec, aliases, named, specs};
pub use suite::{Exchange, KeyNeed, Protocol, Suite, suite, suite_named, suites};

/// What is agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The version.
    pub protocol: Protocol,
    /// The suite.
    pub suite: &'static Suite,
    /// On an MQ channel: the CipherSpec.
    pub spec: Option<&'static Spec>,
    /// The group of the key exchange, where there is one.
    pub group: Option<Group>,
    /// How the server signs; `None` with static RSA, before TLS 1.2, and where the key is not known.
    pub scheme: Option<&'static Scheme>,
    /// What in this answer is derived and not cited.
    pub derived: Vec<&'static str>,
}

/// Why two ends do not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discord {
    /// What was agreed is not what the channel's definition asks.
    ChannelSpec,
    /// No group of the key exchange in common.
    Group,
    /// The server's key is weaker than a security level allows.
    KeyWeak,
    /// Only one end speaks TLS.
    NoTls,
    /// No version in common.
    Protocol,
    /// The server's key can make no signature that the client takes.
    Scheme,
    /// No suite in common that fits the server's key.
    Suite,
    /// A CipherSpec or list that this release does not know.
    UnknownSpec,
}

impl Discord {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ChannelSpec => "what is negotiated is not what the channel requires",
            Self::Group => "no group for the key exchange in common",
            Self::KeyWeak => "the server's key is too weak for the security level",
            Self::NoTls => "only one end speaks TLS",
            Self::Protocol => "no protocol version in common",
            Self::Scheme => "no signature scheme in common that fits the server's key",
            Self::Suite => "no cipher suite in common that fits the server's key",
            Self::UnknownSpec => "this release does not know the CipherSpec",
        }
    }
}

/// What a client and a server agree on. The highest common version is taken, and nothing falls back from it.
///
/// # Errors
/// [`Refused`] with the reason and each end's words.
///
/// Cost: the product of the lists' lengths. Source: RFC 5246 7.4, RFC 8446 4.1, RFC 8422 5.1, 5.3.
pub fn negotiate(client: &End, server: &End) -> Result<Agreed, Refused> {
    let refuse = |reason| Err(prints::refused(reason, client, server));
    let weak = |end: &End| {
        server
            .key
            .is_some_and(|key| key.security() < LEVELS[usize::from(end.level.min(5))])
    };
    let protocol = versions(client)
        .filter(|protocol| versions(server).any(|other| other == *protocol))
        .max();
    let Some(protocol) = protocol else {
        return refuse(Discord::Protocol);
    };
    if weak(client) || weak(server) {
        return refuse(Discord::KeyWeak);
    }
    let (leading, other) = if server.has_own_order {
        (server, client)
    } else {
        (client, server)
    };
    let common: Vec<&'static Suite> = leading
        .suites
        .iter()
        .copied()
        .filter(|suite| suite.fits(protocol) && other.suites.contains(suite))
        .filter(|suite| [client, server].iter().all(|end| has_level(end, suite)))
        .filter(|suite| suite.key == KeyNeed::Any || server.key.is_none_or(|key| key.need() == suite.key))
        .collect();
    if common.is_empty() {
        return refuse(Discord::Suite);
    }
    let mut worst = Discord::Group;
    for suite in common {
        match complete(client, server, protocol, suite) {
            Ok(agreed) => return Ok(agreed),
            Err(reason) => worst = worst.max(reason),
        }
    }
    refuse(worst)
}

/// Group and signature for one suite.
fn complete(
    client: &End,
    server: &End,
    protocol: Protocol,
    suite: &'static Suite,
) -> Result<Agreed, Discord> {
    let shared = || {
        client
            .groups
            .iter()
            .copied()
            .filter(|group| server.groups.contains(group))
    };
    let is_finite = |group: &Group| matches!(group, Group::Ffdhe2048 | Group::Ffdhe3072);
    let group = match suite.exchange {
        Exchange::Ecdhe => Some(shared().find(|group| !is_finite(group)).ok_or(Discord::Group)?),
        Exchange::Separate => Some(shared().next().ok_or(Discord::Group)?),
        Exchange::Dhe | Exchange::Null | Exchange::Rsa => None,
    };
    if let (Some(Key::Ec(curve)), true) = (server.key, protocol < Protocol::Tls13)
        && !client.groups.contains(&curve)
    {
        return Err(Discord::Scheme);
    }
    let signs = !matches!(suite.exchange, Exchange::Null | Exchange::Rsa) && protocol >= Protocol::Tls12;
    let scheme = match server.key {
        Some(key) if signs => Some(scheme_for(client, server, key, protocol).ok_or(Discord::Scheme)?),
        _ => None,
    };
    Ok(Agreed {
        protocol,
        suite,
        spec: None,
        group,
        scheme,
        derived: Vec::new(),
    })
}

fn scheme_for(client: &End, server: &End, key: Key, protocol: Protocol) -> Option<&'static Scheme> {
    let floor = LEVELS[usize::from(client.level.max(server.level).min(5))];
    client.schemes.iter().copied().find(|scheme| {
        scheme.fits(key, protocol) && scheme.security >= floor && server.schemes.contains(scheme)
    })
}

/// OpenSSL 3 has no version before TLS 1.2 from level 1 on: its handshake signs with SHA-1 and MD5.
///
/// Source: SSL_CTX_set_security_level(3), "Level 1".
fn versions(end: &End) -> impl Iterator<Item = Protocol> {
    let needs_sha2 = end.level >= 1 && end.runtime != "openssl1.1";
    let floor = if needs_sha2 {
        Protocol::Tls12
    } else {
        Protocol::Ssl3
    };
    end.protocols
        .iter()
        .copied()
        .filter(move |protocol| *protocol >= floor)
}

/// Strength of the cipher, and from level 3 on a key for the occasion. Source: SSL_CTX_set_security_level(3).
fn has_level(end: &End, suite: &Suite) -> bool {
    let is_static = suite.exchange == Exchange::Rsa;
    suite.bits >= LEVELS[usize::from(end.level.min(5))] && !(end.level >= 3 && is_static)
}

/// Bits of security by level.
const LEVELS: [u16; 6] = [0, 80, 112, 128, 192, 256];
