//! What Java 17 calls weak or disabled, by the lists of its `java.security`.
//!
//! `jdk.certpath.disabledAlgorithms`: MD2, MD5, RSA and DSA below 1024 bits, EC below 224, SHA1 for what signs code or
//! times (since 2019). `jdk.security.legacyAlgorithms`: SHA1, RSA and DSA below 2048 bits. The entry `SHA1 jdkCA` does
//! not count here: it asks whether the issuer came with Java.

use keystore::{Certificate, Curve, KeyKind, PublicKey};

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    Weak,
    Disabled,
}

impl Verdict {
    /// ` (weak)` behind the name, where it applies.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Weak => " (weak)",
            Self::Disabled => " (disabled)",
        }
    }
}

/// A signature algorithm by name; `is_for_code` for certificates that sign code or times.
pub(crate) fn signature(name: &str, is_for_code: bool) -> Verdict {
    let upper = name.to_uppercase();
    if upper.starts_with("MD2") || upper.starts_with("MD5") {
        return Verdict::Disabled;
    }
    match upper.starts_with("SHA1") {
        true if is_for_code => Verdict::Disabled,
        true => Verdict::Weak,
        false => Verdict::Fine,
    }
}

/// A public key.
pub(crate) fn key(key: &PublicKey<'_>) -> Verdict {
    match key.kind() {
        KeyKind::Rsa { bits } | KeyKind::Dsa { bits } => match bits {
            0..1024 => Verdict::Disabled,
            1024..2048 => Verdict::Weak,
            _ => Verdict::Fine,
        },
        _ if matches!(bits(key), Some(0..224)) => Verdict::Disabled,
        _ => Verdict::Fine,
    }
}

/// Whether a certificate is for signing code, or for time stamps and not for TLS.
pub(crate) fn is_for_code(certificate: &Certificate) -> bool {
    let Ok(Some(purposes)) = certificate.extended_key_usage() else {
        return false;
    };
    let has = |last: u8| {
        let wanted = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last];
        purposes.iter().any(|purpose| purpose.content() == wanted)
    };
    has(3) || (has(8) && !has(1) && !has(2))
}

/// A key in words, `2048-bit RSA key`, without its verdict.
pub(crate) fn key_text(key: &PublicKey<'_>) -> String {
    let name = key_name(key);
    match bits(key) {
        Some(bits) => format!("{bits}-bit {name} key"),
        None => format!("{name} key of unknown size"),
    }
}

/// `RSA`, `EC (secp256r1)`, `Ed25519`.
pub(crate) fn key_name(key: &PublicKey<'_>) -> String {
    match key.kind() {
        KeyKind::Rsa { .. } => "RSA".to_owned(),
        KeyKind::RsaPss { .. } => "RSASSA-PSS".to_owned(),
        KeyKind::Dsa { .. } => "DSA".to_owned(),
        KeyKind::Ed25519 => "Ed25519".to_owned(),
        KeyKind::Ed448 => "Ed448".to_owned(),
        KeyKind::X25519 | KeyKind::X448 => "XDH".to_owned(),
        KeyKind::Ec { curve } => match curve_row(curve) {
            Some((_, name, _)) => format!("EC ({name})"),
            None => "EC".to_owned(),
        },
        other => other.to_string(),
    }
}

/// The size of a key in bits.
pub(crate) fn bits(key: &PublicKey<'_>) -> Option<usize> {
    match key.kind() {
        KeyKind::Rsa { bits } | KeyKind::RsaPss { bits } | KeyKind::Dsa { bits } => Some(bits),
        KeyKind::Ed25519 | KeyKind::X25519 => Some(255),
        KeyKind::Ed448 | KeyKind::X448 => Some(448),
        KeyKind::Ec { curve } => curve_row(curve).map(|(_, _, bits)| *bits),
        _ => None,
    }
}

fn curve_row(curve: Curve<'_>) -> Option<&'static (&'static str, &'static str, usize)> {
    let Curve::Named(oid) = curve else { return None };
    let dotted = oid.to_string();
    CURVES.iter().find(|(known, ..)| *known == dotted)
}

/// The curves whose names Java 17 knows.
const CURVES: &[(&str, &str, usize)] = &[
    ("1.2.840.10045.3.1.7", "secp256r1", 256),
    ("1.3.132.0.34", "secp384r1", 384),
    ("1.3.132.0.35", "secp521r1", 521),
    ("1.3.132.0.33", "secp224r1", 224),
    ("1.2.840.10045.3.1.1", "secp192r1", 192),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];
