//! One end of a handshake: what it offers or takes.

use super::Discord;
use super::suite::{KeyNeed, Protocol, Suite};
use crate::profile::Evidence;

/// The key of a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// DSA, with its bits.
    Dsa(u32),
    /// On a curve.
    Ec(Group),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// RSA, with its bits.
    Rsa(u32),
}

impl Key {
    /// `rsa2048`, `p256`, `ed25519`, `dsa2048`; `rsa` and `ec` alone are RSA-2048 and P-256.
    pub fn named(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        Some(match text.as_str() {
            "rsa" => Self::Rsa(2048),
            "ec" | "ecdsa" => Self::Ec(Group::P256),
            "ed25519" => Self::Ed25519,
            "ed448" => Self::Ed448,
            _ => match (text.strip_prefix("rsa"), text.strip_prefix("dsa")) {
                (Some(bits), _) => Self::Rsa(bits.parse().ok()?),
                (_, Some(bits)) => Self::Dsa(bits.parse().ok()?),
                _ => Self::Ec(Group::named(&text)?),
            },
        })
    }

    /// The kind, as suites ask for it.
    pub fn need(self) -> KeyNeed {
        match self {
            Self::Dsa(_) => KeyNeed::Dsa,
            Self::Ec(_) | Self::Ed25519 | Self::Ed448 => KeyNeed::Ec,
            Self::Rsa(_) => KeyNeed::Rsa,
        }
    }

    /// Bits of security. Source: NIST SP 800-57 part 1, table 2.
    pub fn security(self) -> u16 {
        match self {
            Self::Dsa(bits) | Self::Rsa(bits) => match bits {
                0..1024 => 56,
                1024..2048 => 80,
                2048..3072 => 112,
                3072..7680 => 128,
                _ => 192,
            },
            Self::Ec(group) => group.security(),
            Self::Ed25519 => 128,
            Self::Ed448 => 224,
        }
    }
}

/// Groups of the key exchange, and curves of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the registry's")]
pub enum Group {
    BrainpoolP256,
    BrainpoolP384,
    BrainpoolP512,
    Ffdhe2048,
    Ffdhe3072,
    K256,
    P224,
    P256,
    P384,
    P521,
    X25519,
    X448,
}

impl Group {
    /// By the registry's name, OpenSSL's or the short one.
    pub fn named(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        GROUPS
            .iter()
            .find(|(_, names)| names.contains(&text.as_str()))
            .map(|row| row.0)
    }

    /// The registry's name.
    pub fn name(self) -> &'static str {
        GROUPS
            .iter()
            .find(|(group, _)| *group == self)
            .and_then(|(_, names)| names.first().copied())
            .unwrap_or_default()
    }

    fn security(self) -> u16 {
        match self {
            Self::Ffdhe2048 | Self::P224 => 112,
            Self::BrainpoolP256 | Self::Ffdhe3072 | Self::K256 | Self::P256 | Self::X25519 => 128,
            Self::BrainpoolP384 | Self::P384 => 192,
            Self::X448 => 224,
            Self::BrainpoolP512 | Self::P521 => 256,
        }
    }
}

/// How a server signs its part of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    /// The registry's name.
    pub name: &'static str,
    /// The key it is made with.
    pub key: KeyNeed,
    /// The one curve it is for in TLS 1.3.
    pub curve: Option<Group>,
    /// Whether TLS 1.3 takes it for the handshake.
    pub is_for_13: bool,
    /// The smallest RSA key that can make it: hash and salt must fit.
    pub min_rsa_bits: u32,
    /// Bits of security of its hash.
    pub security: u16,
}

impl Scheme {
    pub(crate) fn fits(&self, key: Key, protocol: Protocol) -> bool {
        let has_kind = match key {
            Key::Ed25519 => self.name == "ed25519",
            Key::Ed448 => self.name == "ed448",
            key => key.need() == self.key && !self.name.starts_with("ed"),
        };
        let has_curve = match (protocol, key, self.curve) {
            (Protocol::Tls13, Key::Ec(curve), Some(wanted)) => curve == wanted,
            _ => true,
        };
        let is_big_enough = !matches!(key, Key::Rsa(bits) if bits < self.min_rsa_bits);
        has_kind && has_curve && is_big_enough && (protocol < Protocol::Tls13 || self.is_for_13)
    }
}

/// What one end offers or takes.
#[derive(Debug, Clone)]
pub struct End {
    /// The runtime's name.
    pub runtime: &'static str,
    /// Whose words it prints.
    pub family: Family,
    /// How well it is known.
    pub evidence: Evidence,
    /// Where the lists come from.
    pub source: &'static str,
    /// Versions.
    pub protocols: Vec<Protocol>,
    /// Suites in order of preference.
    pub suites: Vec<&'static Suite>,
    /// Groups in order of preference.
    pub groups: Vec<Group>,
    /// Signature schemes in order of preference.
    pub schemes: Vec<&'static Scheme>,
    /// OpenSSL's security level; 0 where there is none.
    pub level: u8,
    /// Whether as a server it goes by its own order of suites.
    pub has_own_order: bool,
    /// As a server: the key of its certificate.
    pub key: Option<Key>,
}

/// Whose words are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// GnuTLS.
    GnuTls,
    /// Go.
    Go,
    /// IBM GSKit.
    Gskit,
    /// JSSE.
    Java,
    /// Node.js.
    Node,
    /// NSS.
    Nss,
    /// OpenSSL.
    OpenSsl,
    /// rustls.
    Rustls,
}

/// Why a handshake does not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub reason: Discord,
    /// What the client prints.
    pub client: String,
    /// What the server prints.
    pub server: String,
    /// What in this answer is derived and not cited.
    pub derived: Vec<&'static str>,
}

const GROUPS: &[(Group, &[&str])] = &[
    (Group::BrainpoolP256, &["brainpoolP256r1", "brainpoolp256r1"]),
    (Group::BrainpoolP384, &["brainpoolP384r1", "brainpoolp384r1"]),
    (Group::BrainpoolP512, &["brainpoolP512r1", "brainpoolp512r1"]),
    (Group::Ffdhe2048, &["ffdhe2048"]),
    (Group::Ffdhe3072, &["ffdhe3072"]),
    (Group::K256, &["secp256k1", "k256"]),
    (Group::P224, &["secp224r1", "p224", "p-224"]),
    (Group::P256, &["secp256r1", "p256", "p-256", "prime256v1"]),
    (Group::P384, &["secp384r1", "p384", "p-384"]),
    (Group::P521, &["secp521r1", "p521", "p-521"]),
    (Group::X25519, &["x25519"]),
    (Group::X448, &["x448"]),
];
