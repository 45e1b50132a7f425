//! IBM MQ's CipherSpecs: their names, the suites behind them, the lists.

use super::suite::{KeyNeed, Protocol, Suite, suite, suite_named};

/// One CipherSpec.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// As SSLCIPH has it.
    pub name: &'static str,
    /// The suite's number.
    pub code: u16,
    /// The one version it is for.
    pub protocol: Protocol,
    /// The key it asks of the server's certificate.
    pub key: KeyNeed,
    /// Whether it is enabled without AllowWeakCipherSpec.
    pub is_enabled: bool,
}

impl Spec {
    /// The suite behind it. Many names end in `_SHA256` where the suite has HMAC-SHA1.
    pub fn suite(&self) -> Option<&'static Suite> {
        suite(self.code)
    }
}

/// What SSLCIPH or a client's `cipherSpec` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A list by name.
    Alias(Alias),
    /// One CipherSpec.
    One(&'static Spec),
}

/// The lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// `ANY_TLS12_OR_HIGHER`.
    pub name: &'static str,
    /// The name in Java: `*TLS12ORHIGHER`.
    pub java: &'static str,
    /// The lowest version in it.
    pub from: Protocol,
    /// The highest.
    pub to: Protocol,
    /// The first release that knows it, as version, release, modification.
    pub since: [u8; 3],
}

/// Reads a CipherSpec, an alias, or one of Java's names for either; upper and lower case do not matter.
pub fn named(text: &str) -> Option<Named> {
    let text = text.trim();
    let is = |name: &str| name.eq_ignore_ascii_case(text);
    if let Some(alias) = ALIASES.iter().find(|alias| is(alias.name) || is(alias.java)) {
        return Some(Named::Alias(*alias));
    }
    let by_name = SPECS.iter().find(|spec| is(spec.name));
    let other = OTHER_NAMES
        .iter()
        .find(|(name, _)| is(name))
        .and_then(|(_, name)| SPECS.iter().find(|spec| spec.name == *name));
    let by_suite = || {
        let found = suite_named(text)?;
        SPECS.iter().find(|spec| spec.code == found.code)
    };
    by_name.or(other).or_else(by_suite).map(Named::One)
}

/// All CipherSpecs: those enabled without more, in order of preference, then the deprecated ones.
pub fn specs() -> impl Iterator<Item = &'static Spec> {
    SPECS.iter()
}

/// All lists.
pub fn aliases() -> impl Iterator<Item = &'static Alias> {
    ALIASES.iter()
}

impl Named {
    /// The CipherSpecs among `enabled` that it stands for, in that order. One spec stands for itself, enabled or not.
    pub fn expand(self, enabled: &[&'static Spec]) -> Vec<&'static Spec> {
        match self {
            Self::One(spec) => vec![spec],
            Self::Alias(alias) => enabled
                .iter()
                .copied()
                .filter(|spec| (alias.from..=alias.to).contains(&spec.protocol))
                .collect(),
        }
    }

    /// The name as MQ writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alias(alias) => alias.name,
            Self::One(spec) => spec.name,
        }
    }
}

const fn on(name: &'static str, code: u16, protocol: Protocol, key: KeyNeed) -> Spec {
    Spec {
        name,
        code,
        protocol,
        key,
        is_enabled: true,
    }
}

const fn off(name: &'static str, code: u16, protocol: Protocol, key: KeyNeed) -> Spec {
    Spec {
        name,
        code,
        protocol,
        key,
        is_enabled: false,
    }
}

const fn alias(names: (&'static str, &'static str), from: Protocol, to: Protocol, since: [u8; 3]) -> Alias {
    Alias {
        name: names.0,
        java: names.1,
        from,
        to,
        since,
    }
}

use KeyNeed::{Any, Ec, None as NoKey, Rsa};
use Protocol::{Ssl3, Tls10, Tls12, Tls13};

/// Source: IBM MQ 9.2, "Enabling CipherSpecs"; domain specification E.3.
const ALIASES: &[Alias] = &[
    alias(("ANY", "*ANY"), Ssl3, Tls13, [9, 1, 4]),
    alias(("ANY_TLS12", "*TLS12"), Tls12, Tls12, [9, 1, 1]),
    alias(("ANY_TLS12_OR_HIGHER", "*TLS12ORHIGHER"), Tls12, Tls13, [9, 1, 4]),
    alias(("ANY_TLS13", "*TLS13"), Tls13, Tls13, [9, 1, 4]),
    alias(("ANY_TLS13_OR_HIGHER", "*TLS13ORHIGHER"), Tls13, Tls13, [9, 1, 4]),
];

/// Other spellings that are accepted. Source: domain specification E.3.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("ECDHE_ECDSA_AES_256_GCM_AEAD", "ECDHE_ECDSA_AES_256_GCM_SHA384"),
    ("ECDHE_ECDSA_AES_128_GCM_AEAD", "ECDHE_ECDSA_AES_128_GCM_SHA256"),
    ("ECDHE_RSA_AES_256_GCM_AEAD", "ECDHE_RSA_AES_256_GCM_SHA384"),
    ("ECDHE_RSA_AES_128_GCM_AEAD", "ECDHE_RSA_AES_128_GCM_SHA256"),
    ("TLS_RSA_WITH_AES_256_GCM_AEAD", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    ("TLS_RSA_WITH_AES_128_GCM_AEAD", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE_ECDSA_3DES_EDE_CBC_SHA", "ECDHE_ECDSA_3DES_EDE_CBC_SHA256"),
    ("ECDHE_RSA_3DES_EDE_CBC_SHA", "ECDHE_RSA_3DES_EDE_CBC_SHA256"),
    ("ECDHE_ECDSA_NULL_SHA", "ECDHE_ECDSA_NULL_SHA256"),
    ("ECDHE_RSA_NULL_SHA", "ECDHE_RSA_NULL_SHA256"),
    ("ECDHE_ECDSA_RC4_128_SHA", "ECDHE_ECDSA_RC4_128_SHA256"),
    ("ECDHE_RSA_RC4_128_SHA", "ECDHE_RSA_RC4_128_SHA256"),
];

/// Source: IBM MQ 9.2, "Enabling CipherSpecs", "Deprecated CipherSpecs"; domain specification E.3, in its order.
#[rustfmt::skip]
const SPECS: &[Spec] = &[
    on("TLS_CHACHA20_POLY1305_SHA256", 0x1303, Tls13, Any),
    on("TLS_AES_256_GCM_SHA384", 0x1302, Tls13, Any),
    on("TLS_AES_128_GCM_SHA256", 0x1301, Tls13, Any),
    on("TLS_AES_128_CCM_SHA256", 0x1304, Tls13, Any),
    on("TLS_AES_128_CCM_8_SHA256", 0x1305, Tls13, Any),
    on("ECDHE_ECDSA_AES_256_GCM_SHA384", 0xC02C, Tls12, Ec),
    on("ECDHE_ECDSA_AES_128_GCM_SHA256", 0xC02B, Tls12, Ec),
    on("ECDHE_ECDSA_AES_256_CBC_SHA384", 0xC024, Tls12, Ec),
    on("ECDHE_ECDSA_AES_128_CBC_SHA256", 0xC023, Tls12, Ec),
    on("ECDHE_RSA_AES_256_GCM_SHA384", 0xC030, Tls12, Rsa),
    on("ECDHE_RSA_AES_128_GCM_SHA256", 0xC02F, Tls12, Rsa),
    on("ECDHE_RSA_AES_256_CBC_SHA384", 0xC028, Tls12, Rsa),
    on("ECDHE_RSA_AES_128_CBC_SHA256", 0xC027, Tls12, Rsa),
    on("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009D, Tls12, Rsa),
    on("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009C, Tls12, Rsa),
    on("TLS_RSA_WITH_AES_256_CBC_SHA256", 0x003D, Tls12, Rsa),
    on("TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003C, Tls12, Rsa),
    off("ECDHE_ECDSA_3DES_EDE_CBC_SHA256", 0xC008, Tls12, Ec),
    off("ECDHE_RSA_3DES_EDE_CBC_SHA256", 0xC012, Tls12, Rsa),
    off("ECDHE_ECDSA_RC4_128_SHA256", 0xC007, Tls12, Ec),
    off("ECDHE_RSA_RC4_128_SHA256", 0xC011, Tls12, Rsa),
    off("ECDHE_ECDSA_NULL_SHA256", 0xC006, Tls12, Ec),
    off("ECDHE_RSA_NULL_SHA256", 0xC010, Tls12, Rsa),
    off("TLS_RSA_WITH_NULL_SHA256", 0x003B, Tls12, Rsa),
    off("TLS_RSA_WITH_RC4_128_SHA256", 0x0005, Tls12, Rsa),
    off("TLS_RSA_WITH_NULL_NULL", 0x0000, Tls12, NoKey),
    off("TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035, Tls10, Rsa),
    off("TLS_RSA_WITH_AES_128_CBC_SHA", 0x002F, Tls10, Rsa),
    off("TLS_RSA_WITH_3DES_EDE_CBC_SHA", 0x000A, Tls10, Rsa),
    off("TLS_RSA_WITH_DES_CBC_SHA", 0x0009, Tls10, Rsa),
    off("AES_SHA_US", 0x002F, Ssl3, Rsa),
    off("TRIPLE_DES_SHA_US", 0x000A, Ssl3, Rsa),
    off("RC4_SHA_US", 0x0005, Ssl3, Rsa),
    off("RC4_MD5_US", 0x0004, Ssl3, Rsa),
    off("RC4_MD5_EXPORT", 0x0003, Ssl3, Rsa),
    off("RC4_56_SHA_EXPORT1024", 0x0064, Ssl3, Rsa),
    off("RC2_MD5_EXPORT", 0x0006, Ssl3, Rsa),
    off("DES_SHA_EXPORT", 0x0009, Ssl3, Rsa),
    off("DES_SHA_EXPORT1024", 0x0062, Ssl3, Rsa),
    off("NULL_SHA", 0x0002, Ssl3, Rsa),
    off("NULL_MD5", 0x0001, Ssl3, Rsa),
    off("FIPS_WITH_3DES_EDE_CBC_SHA", 0xFEFF, Ssl3, Rsa),
    off("FIPS_WITH_DES_CBC_SHA", 0xFEFE, Ssl3, Rsa),
];
