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

/// Identifier and first name of a curve that is known, if only by its other case.
pub(crate) fn known_curve(name: &str) -> Option<(&'static str, &'static str)> {
    let row = CURVES
        .iter()
        .find(|(_, known, _)| known.eq_ignore_ascii_case(name));
    row.map(|(oid, known, _)| (*oid, *known))
}

fn curve_row(curve: Curve<'_>) -> Option<&'static (&'static str, &'static str, usize)> {
    let Curve::Named(oid) = curve else { return None };
    let dotted = oid.to_string();
    CURVES.iter().find(|(known, ..)| *known == dotted)
}

/// The curves whose names Java 17 knows, with the bits of their order.
#[rustfmt::skip]
const CURVES: &[(&str, &str, usize)] = &[
    ("1.2.840.10045.3.0.11", "X9.62 c2tnb239v1", 238),
    ("1.2.840.10045.3.0.12", "X9.62 c2tnb239v2", 237),
    ("1.2.840.10045.3.0.13", "X9.62 c2tnb239v3", 236),
    ("1.2.840.10045.3.0.18", "X9.62 c2tnb359v1", 353),
    ("1.2.840.10045.3.0.20", "X9.62 c2tnb431r1", 418),
    ("1.2.840.10045.3.0.5", "X9.62 c2tnb191v1", 191),
    ("1.2.840.10045.3.0.6", "X9.62 c2tnb191v2", 190),
    ("1.2.840.10045.3.0.7", "X9.62 c2tnb191v3", 189),
    ("1.2.840.10045.3.1.1", "secp192r1", 192),
    ("1.2.840.10045.3.1.2", "X9.62 prime192v2", 192),
    ("1.2.840.10045.3.1.3", "X9.62 prime192v3", 192),
    ("1.2.840.10045.3.1.4", "X9.62 prime239v1", 239),
    ("1.2.840.10045.3.1.5", "X9.62 prime239v2", 239),
    ("1.2.840.10045.3.1.6", "X9.62 prime239v3", 239),
    ("1.2.840.10045.3.1.7", "secp256r1", 256),
    ("1.3.132.0.1", "sect163k1", 163),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.132.0.15", "sect163r2", 163),
    ("1.3.132.0.16", "sect283k1", 281),
    ("1.3.132.0.17", "sect283r1", 282),
    ("1.3.132.0.2", "sect163r1", 162),
    ("1.3.132.0.22", "sect131r1", 131),
    ("1.3.132.0.23", "sect131r2", 131),
    ("1.3.132.0.24", "sect193r1", 193),
    ("1.3.132.0.25", "sect193r2", 193),
    ("1.3.132.0.26", "sect233k1", 232),
    ("1.3.132.0.27", "sect233r1", 233),
    ("1.3.132.0.28", "secp128r1", 128),
    ("1.3.132.0.29", "secp128r2", 126),
    ("1.3.132.0.3", "sect239k1", 238),
    ("1.3.132.0.30", "secp160r2", 161),
    ("1.3.132.0.31", "secp192k1", 192),
    ("1.3.132.0.32", "secp224k1", 225),
    ("1.3.132.0.33", "secp224r1", 224),
    ("1.3.132.0.34", "secp384r1", 384),
    ("1.3.132.0.35", "secp521r1", 521),
    ("1.3.132.0.36", "sect409k1", 407),
    ("1.3.132.0.37", "sect409r1", 409),
    ("1.3.132.0.38", "sect571k1", 570),
    ("1.3.132.0.39", "sect571r1", 570),
    ("1.3.132.0.4", "sect113r1", 113),
    ("1.3.132.0.5", "sect113r2", 113),
    ("1.3.132.0.6", "secp112r1", 112),
    ("1.3.132.0.7", "secp112r2", 110),
    ("1.3.132.0.8", "secp160r1", 161),
    ("1.3.132.0.9", "secp160k1", 161),
    ("1.3.36.3.3.2.8.1.1.1", "brainpoolP160r1", 160),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
    ("1.3.36.3.3.2.8.1.1.3", "brainpoolP192r1", 192),
    ("1.3.36.3.3.2.8.1.1.5", "brainpoolP224r1", 224),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1", 320),
];
