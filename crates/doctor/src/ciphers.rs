//! Which CipherSpec two ends of an IBM MQ channel agree on. Source: domain specification E.3, E.4.

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
    let no_13 = inputs
        .setting(SettingsKind::MqIni, "AllowTLSV13")
        .is_some_and(|(_, item)| item.value.to_uppercase().starts_with(['N', 'F']));
    let mut found = Vec::new();
    for server in &servers {
        for client in clients
            .iter()
            .filter(|client| client.channel == server.channel || servers.len() == 1 && clients.len() == 1)
        {
            found.push((
                server.clone(),
                client.clone(),
                negotiate(&client.name, &server.name, !no_13),
            ));
        }
    }
    found
}

/// What comes of a client's and a server channel's SSLCIPH.
pub fn negotiate(client: &str, server: &str, allows_13: bool) -> Outcome {
    let (Some(offers), Some(takes)) = (Spec::of(client), Spec::of(server)) else {
        return Outcome::Agree;
    };
    let agreed_13 = allows_13 && offers.has_13();
    if agreed_13 {
        return if takes.has_13() || takes.is_13_alone(server, client) {
            Outcome::Agree
        } else {
            Outcome::NotTheChannels
        };
    }
    if !offers.has_12() {
        return Outcome::NoneEnabled;
    }
    match (offers, takes) {
        (_, Spec::Range { has_12: true, .. }) | (Spec::Range { .. }, Spec::One12(_)) => Outcome::Agree,
        (_, Spec::Range { .. } | Spec::One13) => Outcome::NotTheChannels,
        (Spec::One12(one), Spec::One12(other)) => {
            if client == server {
                Outcome::Agree
            } else if one == other {
                Outcome::NotTheChannels
            } else {
                Outcome::NoneEnabled
            }
        }
        (Spec::One13, Spec::One12(_)) => Outcome::NotTheChannels,
    }
}

/// The kind of key that a CipherSpec needs; `None` for lists and TLS 1.3, which take both.
pub fn key_of(name: &str) -> Option<KeyType> {
    match Spec::of(&name.to_uppercase())? {
        Spec::One12(key) => Some(key),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spec {
    One12(KeyType),
    One13,
    Range { has_12: bool, has_13: bool },
}

impl Spec {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ANY" | "ANY_TLS12_OR_HIGHER" => Self::Range {
                has_12: true,
                has_13: true,
            },
            "ANY_TLS12" => Self::Range {
                has_12: true,
                has_13: false,
            },
            "ANY_TLS13" | "ANY_TLS13_OR_HIGHER" => Self::Range {
                has_12: false,
                has_13: true,
            },
            "TLS_CHACHA20_POLY1305_SHA256"
            | "TLS_AES_256_GCM_SHA384"
            | "TLS_AES_128_GCM_SHA256"
            | "TLS_AES_128_CCM_SHA256"
            | "TLS_AES_128_CCM_8_SHA256" => Self::One13,
            _ if name.contains("ECDSA") => Self::One12(KeyType::Ec),
            _ if name.contains("RSA") => Self::One12(KeyType::Rsa),
            _ => return None,
        })
    }

    fn has_13(self) -> bool {
        matches!(self, Self::One13 | Self::Range { has_13: true, .. })
    }

    fn has_12(self) -> bool {
        matches!(self, Self::One12(_) | Self::Range { has_12: true, .. })
    }

    fn is_13_alone(self, server: &str, client: &str) -> bool {
        self == Self::One13 && server == client
    }
}
