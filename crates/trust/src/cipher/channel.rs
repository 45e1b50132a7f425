//! What two ends of an IBM MQ channel agree on, in the order in which MQ checks.

use super::end::{Key, Refused};
use super::spec::{Alias, Named, Spec, specs};
use super::suite::{KeyNeed, Protocol};
use super::{Agreed, Discord};

/// One end of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelEnd {
    /// SSLCIPH of this end's definition; `None` = no TLS.
    pub cipher: Option<Named>,
    /// What this end has enabled, in order of preference: see [`enabled`].
    pub enabled: Vec<&'static Spec>,
    /// Version, release, modification.
    pub level: [u8; 3],
    /// The key of its certificate; `None` = not known. Looked at for the server only.
    pub key: Option<Key>,
}

/// The CipherSpecs that an end has enabled. `allowed`: AllowedCipherSpecs, empty when not set; `weak`: the names in
/// AllowWeakCipherSpec; `allows_13`: AllowTLSV13.
///
/// Source: IBM MQ 9.2, "Providing a custom list of ordered and enabled CipherSpecs"; domain specification E.2, E.4.
pub fn enabled(allowed: &[Named], weak: &[Named], allows_13: Tls13Switch) -> Vec<&'static Spec> {
    let is_weak = |spec: &&Spec| {
        weak.iter()
            .any(|named| matches!(named, Named::One(one) if one.name == spec.name))
    };
    let has_version = |spec: &&'static Spec| allows_13 == Tls13Switch::On || spec.protocol != Protocol::Tls13;
    let all: Vec<&'static Spec> = specs()
        .filter(|spec| spec.is_enabled || is_weak(spec))
        .filter(has_version)
        .collect();
    if allowed.is_empty() {
        return all;
    }
    let mut found: Vec<&'static Spec> = Vec::new();
    for spec in allowed.iter().flat_map(|named| named.expand(&all)) {
        if all.contains(&spec) && !found.contains(&spec) {
            found.push(spec);
        }
    }
    found
}

/// AllowTLSV13 of the SSL stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls13Switch {
    /// TLS 1.3 is left out.
    Off,
    /// The default since 9.2.
    On,
}

/// Whether and with what the channel starts.
///
/// # Errors
/// [`Refused`] with the message of each end.
///
/// Source: domain specification E.4, steps 1 to 5. Where it chooses among several 1.2 suites, the order is not cited
/// there: the answer is marked derived.
pub fn negotiate_channel(client: &ChannelEnd, server: &ChannelEnd) -> Result<Agreed, Refused> {
    let (Some(offer), Some(required)) = (client.cipher, server.cipher) else {
        return without_tls(client, server);
    };
    known_to(client, offer, "client")?;
    known_to(server, required, "server")?;
    let offered = offer.expand(&client.enabled);
    let Some(highest) = highest(&offered, &server.enabled) else {
        return Err(not_enabled(offer.name(), "no protocol version in common"));
    };
    let key = server.key.map(Key::need).or(implied(required));
    let both: Vec<&'static Spec> = offered
        .iter()
        .copied()
        .filter(|spec| spec.protocol == highest && server.enabled.contains(spec))
        .collect();
    let usable: Vec<&'static Spec> = both
        .iter()
        .copied()
        .filter(|spec| spec.key == KeyNeed::Any || key.is_none_or(|key| key == spec.key))
        .collect();
    let Some(first) = usable.first() else {
        return Err(not_enabled(
            offer.name(),
            "none of the suites fits the key of the server's certificate",
        ));
    };
    let allowed = required.expand(&server.enabled);
    let has_choice = highest != Protocol::Tls13 && usable.len() > 1;
    let mut derived = Vec::new();
    if has_choice
        && usable
            .iter()
            .any(|spec| allowed.contains(spec) != allowed.contains(first))
    {
        derived.push("which of several suites is taken: the client's order, which no document states");
    }
    if !is_allowed(first, required, &allowed) {
        return Err(not_the_channels(first, required, derived));
    }
    let Some(suite) = first.suite() else {
        return Err(not_enabled(first.name, "no suite of that number"));
    };
    Ok(Agreed {
        protocol: first.protocol,
        suite,
        spec: Some(first),
        group: None,
        scheme: None,
        derived,
    })
}

/// A single 1.3 spec is met by any 1.3 suite only if it is that one; lists by what they hold.
fn is_allowed(agreed: &'static Spec, required: Named, allowed: &[&'static Spec]) -> bool {
    match required {
        Named::One(one) => one == agreed,
        Named::Alias(_) => allowed.contains(&agreed),
    }
}

/// The key type that a channel with one 1.2 spec lets expect of its certificate.
fn implied(required: Named) -> Option<KeyNeed> {
    match required {
        Named::One(spec) if matches!(spec.key, KeyNeed::Ec | KeyNeed::Rsa) => Some(spec.key),
        _ => None,
    }
}

fn highest(offered: &[&'static Spec], enabled: &[&'static Spec]) -> Option<Protocol> {
    let version = |list: &[&'static Spec], protocol| list.iter().any(|spec| spec.protocol == protocol);
    Protocol::ALL
        .into_iter()
        .rev()
        .find(|protocol| version(offered, *protocol) && version(enabled, *protocol))
}

fn known_to(end: &ChannelEnd, cipher: Named, who: &str) -> Result<(), Refused> {
    match cipher {
        Named::Alias(Alias { name, since, .. }) if end.level < since => {
            let [version, release, modification] = since;
            Err(Refused {
                reason: Discord::UnknownSpec,
                client: format!(
                    "AMQ9635E: the {who} does not know {name}, which is of {version}.{release}.{modification}"
                ),
                server: "AMQ9665E: connection closed by the remote end".to_owned(),
                derived: Vec::new(),
            })
        }
        _ => Ok(()),
    }
}

fn without_tls(client: &ChannelEnd, server: &ChannelEnd) -> Result<Agreed, Refused> {
    let (client_says, server_says) = match (client.cipher, server.cipher) {
        (None, Some(required)) => (
            format!("AMQ9641E: SSLCIPH() -> SSLCIPH({}); MQRC 2393", required.name()),
            "AMQ9639E: remote channel did not specify a CipherSpec".to_owned(),
        ),
        (Some(offer), None) => (
            format!("AMQ9641E: SSLCIPH({}) -> SSLCIPH(); MQRC 2393", offer.name()),
            "AMQ9635E or a plain channel: no CipherSpec is set".to_owned(),
        ),
        _ => (String::new(), String::new()),
    };
    Err(Refused {
        reason: Discord::NoTls,
        client: client_says,
        server: server_says,
        derived: Vec::new(),
    })
}

fn not_enabled(name: &str, why: &str) -> Refused {
    Refused {
        reason: Discord::Suite,
        client: "AMQ9641E, AMQ9503E or AMQ9665E; MQRC 2393 (MQRC_SSL_INITIALIZATION_ERROR)".to_owned(),
        server: format!("AMQ9616E: the CipherSpec proposed is not enabled on the server: {name} ({why})"),
        derived: Vec::new(),
    }
}

fn not_the_channels(agreed: &Spec, required: Named, derived: Vec<&'static str>) -> Refused {
    Refused {
        reason: Discord::ChannelSpec,
        client: format!(
            "AMQ9641E: SSLCIPH({}) -> SSLCIPH({}); MQRC 2393",
            agreed.name,
            required.name()
        ),
        server: format!(
            "AMQ9631E: the CipherSpec negotiated, {}, does not match the required {}",
            agreed.name,
            required.name()
        ),
        derived,
    }
}
