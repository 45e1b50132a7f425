//! Which CipherSpec two ends of an IBM MQ channel agree on. Source: domain specification E.3, E.4.

use trust::cipher;
use trust::cipher::ChannelEnd;
use trust::cipher::Discord;
use trust::cipher::KeyNeed;
use trust::cipher::Named;
use trust::cipher::Refused;
use trust::cipher::Tls13Switch;

use crate::inputs::Inputs;
use crate::settings::SettingsKind;
use crate::text::mqsc::MqKind;

/// The kind of key that a suite needs of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// Elliptic curve.
    Ec,
    /// RSA.
    Rsa,
}

/// How a negotiation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// They agree, or what they do is not known.
    Agree,
    /// No suite is left: AMQ9616E.
    NoneEnabled,
    /// What is agreed is not what the channel allows: AMQ9631E, AMQ9641E.
    NotTheChannels,
}

/// One end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The file that says it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The channel.
    pub channel: String,
    /// The CipherSpec or alias.
    pub name: String,
}

/// Server and client ends of the same channel, with how they get along.
pub fn pairs(inputs: &Inputs) -> Vec<(End, End, Outcome)> {
    let channels = inputs.mq.iter().filter(|object| object.kind == MqKind::Channel);
    let mut servers = Vec::new();
    let mut clients = Vec::new();
    for object in channels {
        let Some(name) = object.get("SSLCIPH").filter(|name| !name.is_empty()) else {
            continue;
        };
        let end = End {
            file: object.file.clone(),
            line: object.line,
            channel: object.name().to_owned(),
            name: name.to_uppercase(),
        };
        if object.get("CHLTYPE") == Some("CLNTCONN") {
            clients.push(end)
        } else {
            servers.push(end)
        }
    }
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::JsonChannels)
    {
        for item in settings
            .items
            .iter()
            .filter(|item| item.key == "cipherSpecification")
        {
            let channel = settings
                .items
                .iter()
                .find(|other| other.section == item.section && other.key == "name");
            clients.push(End {
                file: settings.file.clone(),
                line: item.line,
                channel: channel.map_or_else(String::new, |item| item.value.clone()),
                name: item.value.to_uppercase(),
            });
        }
    }
    let is_off = inputs
        .setting(SettingsKind::MqIni, "AllowTLSV13")
        .is_some_and(|(_, item)| item.value.to_uppercase().starts_with(['N', 'F']));
    let tls13 = if is_off { Tls13Switch::Off } else { Tls13Switch::On };
    let mut found = Vec::new();
    for server in &servers {
        for client in clients
            .iter()
            .filter(|client| client.channel == server.channel || servers.len() == 1 && clients.len() == 1)
        {
            found.push((
                server.clone(),
                client.clone(),
                negotiate(&client.name, &server.name, tls13),
            ));
        }
    }
    found
}

/// What comes of a client's and a server channel's SSLCIPH, both ends with the lists of today's releases.
///
/// What is not known, or only derived, counts as agreed: the doctor is silent about it.
pub fn negotiate(client: &str, server: &str, tls13: Tls13Switch) -> Outcome {
    let (Some(offer), Some(required)) = (cipher::named(client), cipher::named(server)) else {
        return Outcome::Agree;
    };
    // Whether a deprecated one is enabled stands in files that need not be here.
    let weak = [offer, required];
    let end = |cipher| ChannelEnd {
        cipher: Some(cipher),
        enabled: cipher::enabled(&[], &weak, tls13),
        level: [9, 4, 0],
        key: None,
    };
    match cipher::negotiate_channel(&end(offer), &end(required)) {
        Err(refused) if !refused.derived.is_empty() => Outcome::Agree,
        Err(Refused {
            reason: Discord::Suite,
            ..
        }) => Outcome::NoneEnabled,
        Err(Refused {
            reason: Discord::ChannelSpec,
            ..
        }) => Outcome::NotTheChannels,
        Ok(_) | Err(_) => Outcome::Agree,
    }
}

/// The kind of key that a CipherSpec needs; `None` for lists and TLS 1.3, which take both.
pub fn key_of(name: &str) -> Option<KeyType> {
    match cipher::named(name)? {
        Named::One(spec) if spec.key == KeyNeed::Rsa => Some(KeyType::Rsa),
        Named::One(spec) if spec.key == KeyNeed::Ec => Some(KeyType::Ec),
        Named::One(_) | Named::Alias(_) => None,
    }
}
