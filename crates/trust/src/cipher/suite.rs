//! Cipher suites, as the registry has them.

/// Versions of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// SSL 3.0.
    Ssl3,
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Protocol {
    /// All, oldest first.
    pub const ALL: [Self; 5] = [Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// `TLSv1.2`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLSv1",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    /// By name, with or without `TLSv` and a dot: `1.2`, `TLSv1.2`, `TLSv12`, `SSLv3`.
    pub fn named(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_ssl = text.to_ascii_lowercase().starts_with("ssl");
        Some(match (is_ssl, digits.as_str()) {
            (true, "3" | "30") => Self::Ssl3,
            (false, "1" | "10") => Self::Tls10,
            (false, "11") => Self::Tls11,
            (false, "12") => Self::Tls12,
            (false, "13") => Self::Tls13,
            _ => return None,
        })
    }
}

/// What a suite asks of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNeed {
    /// Any kind of key (TLS 1.3).
    Any,
    /// DSA.
    Dsa,
    /// Elliptic curve: ECDSA, or Ed25519 and Ed448 where the peer has them.
    Ec,
    /// No certificate.
    None,
    /// RSA.
    Rsa,
}

/// How the secret is agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// Finite-field Diffie-Hellman with a key for the occasion.
    Dhe,
    /// The same on a curve.
    Ecdhe,
    /// Nothing is agreed.
    Null,
    /// Static RSA: the server's key deciphers.
    Rsa,
    /// TLS 1.3, where the group is agreed apart.
    Separate,
}

/// One cipher suite.
#[derive(Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its number in the hello.
    pub code: u16,
    /// Name in the registry, which is JSSE's.
    pub name: &'static str,
    /// OpenSSL's name; empty where it has none.
    pub openssl: &'static str,
    /// The first version that has it.
    pub since: Protocol,
    /// What it asks of the server's certificate.
    pub key: KeyNeed,
    /// How the secret is agreed.
    pub exchange: Exchange,
    /// Bits of the cipher's strength.
    pub bits: u16,
}

impl Suite {
    /// Whether it can be agreed in that version.
    pub fn fits(&self, protocol: Protocol) -> bool {
        match self.since {
            Protocol::Tls13 => protocol == Protocol::Tls13,
            since => protocol >= since && protocol < Protocol::Tls13,
        }
    }

    /// IBM JSSE's name: `SSL_` for `TLS_` before TLS 1.3.
    ///
    /// Source: IBM MQ, "TLS CipherSpecs and CipherSuites in IBM MQ classes for JMS".
    pub fn ibm_name(&self) -> String {
        match (self.since, self.name.strip_prefix("TLS_")) {
            (Protocol::Tls13, _) | (_, None) => self.name.to_owned(),
            (_, Some(rest)) => format!("SSL_{rest}"),
        }
    }
}

/// The suite of that number.
pub fn suite(code: u16) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.code == code)
}

/// The suite of that name: the registry's, IBM JSSE's or OpenSSL's.
pub fn suite_named(name: &str) -> Option<&'static Suite> {
    let same = |other: &str| !other.is_empty() && other.eq_ignore_ascii_case(name);
    SUITES
        .iter()
        .find(|suite| same(suite.name) || same(suite.openssl) || same(&suite.ibm_name()))
}

/// All suites that are known here.
pub fn suites() -> impl Iterator<Item = &'static Suite> {
    SUITES.iter()
}

const fn row(
    code: u16,
    names: (&'static str, &'static str),
    since: Protocol,
    (exchange, key): (Exchange, KeyNeed),
    bits: u16,
) -> Suite {
    Suite {
        code,
        name: names.0,
        openssl: names.1,
        since,
        key,
        exchange,
        bits,
    }
}

use Protocol::{Ssl3, Tls12, Tls13};

const ECDHE_EC: (Exchange, KeyNeed) = (Exchange::Ecdhe, KeyNeed::Ec);
const ECDHE_RSA: (Exchange, KeyNeed) = (Exchange::Ecdhe, KeyNeed::Rsa);
const DHE_RSA: (Exchange, KeyNeed) = (Exchange::Dhe, KeyNeed::Rsa);
const DHE_DSA: (Exchange, KeyNeed) = (Exchange::Dhe, KeyNeed::Dsa);
const STATIC: (Exchange, KeyNeed) = (Exchange::Rsa, KeyNeed::Rsa);
const ANY: (Exchange, KeyNeed) = (Exchange::Separate, KeyNeed::Any);
const NONE: (Exchange, KeyNeed) = (Exchange::Null, KeyNeed::None);

/// Source: IANA TLS Cipher Suites; OpenSSL ciphers(1).
#[rustfmt::skip]
const SUITES: &[Suite] = &[
    row(0x1301, ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"), Tls13, ANY, 128),
    row(0x1302, ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"), Tls13, ANY, 256),
    row(0x1303, ("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"), Tls13, ANY, 256),
    row(0x1304, ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256"), Tls13, ANY, 128),
    row(0x1305, ("TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256"), Tls13, ANY, 64),
    row(0xC02C, ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"), Tls12, ECDHE_EC, 256),
    row(0xC02B, ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"), Tls12, ECDHE_EC, 128),
    row(0xC024, ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"), Tls12, ECDHE_EC, 256),
    row(0xC023, ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"), Tls12, ECDHE_EC, 128),
    row(0xC00A, ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"), Ssl3, ECDHE_EC, 256),
    row(0xC009, ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"), Ssl3, ECDHE_EC, 128),
    row(0xCCA9, ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"), Tls12, ECDHE_EC, 256),
    row(0xC008, ("TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-ECDSA-DES-CBC3-SHA"), Ssl3, ECDHE_EC, 112),
    row(0xC007, ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE-ECDSA-RC4-SHA"), Ssl3, ECDHE_EC, 64),
    row(0xC006, ("TLS_ECDHE_ECDSA_WITH_NULL_SHA", "ECDHE-ECDSA-NULL-SHA"), Ssl3, ECDHE_EC, 0),
    row(0xC030, ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"), Tls12, ECDHE_RSA, 256),
    row(0xC02F, ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"), Tls12, ECDHE_RSA, 128),
    row(0xC028, ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384"), Tls12, ECDHE_RSA, 256),
    row(0xC027, ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"), Tls12, ECDHE_RSA, 128),
    row(0xC014, ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"), Ssl3, ECDHE_RSA, 256),
    row(0xC013, ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"), Ssl3, ECDHE_RSA, 128),
    row(0xCCA8, ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"), Tls12, ECDHE_RSA, 256),
    row(0xC012, ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA"), Ssl3, ECDHE_RSA, 112),
    row(0xC011, ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "ECDHE-RSA-RC4-SHA"), Ssl3, ECDHE_RSA, 64),
    row(0xC010, ("TLS_ECDHE_RSA_WITH_NULL_SHA", "ECDHE-RSA-NULL-SHA"), Ssl3, ECDHE_RSA, 0),
    row(0x009F, ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384"), Tls12, DHE_RSA, 256),
    row(0x009E, ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256"), Tls12, DHE_RSA, 128),
    row(0xCCAA, ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305"), Tls12, DHE_RSA, 256),
    row(0x006B, ("TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256"), Tls12, DHE_RSA, 256),
    row(0x0067, ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256"), Tls12, DHE_RSA, 128),
    row(0x0039, ("TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA"), Ssl3, DHE_RSA, 256),
    row(0x0033, ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA"), Ssl3, DHE_RSA, 128),
    row(0x00A3, ("TLS_DHE_DSS_WITH_AES_256_GCM_SHA384", "DHE-DSS-AES256-GCM-SHA384"), Tls12, DHE_DSA, 256),
    row(0x00A2, ("TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", "DHE-DSS-AES128-GCM-SHA256"), Tls12, DHE_DSA, 128),
    row(0x009D, ("TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"), Tls12, STATIC, 256),
    row(0x009C, ("TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"), Tls12, STATIC, 128),
    row(0x003D, ("TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256"), Tls12, STATIC, 256),
    row(0x003C, ("TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"), Tls12, STATIC, 128),
    row(0x003B, ("TLS_RSA_WITH_NULL_SHA256", "NULL-SHA256"), Tls12, STATIC, 0),
    row(0x0035, ("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"), Ssl3, STATIC, 256),
    row(0x002F, ("TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"), Ssl3, STATIC, 128),
    row(0x000A, ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA"), Ssl3, STATIC, 112),
    row(0x0009, ("TLS_RSA_WITH_DES_CBC_SHA", "DES-CBC-SHA"), Ssl3, STATIC, 56),
    row(0x0005, ("TLS_RSA_WITH_RC4_128_SHA", "RC4-SHA"), Ssl3, STATIC, 64),
    row(0x0004, ("TLS_RSA_WITH_RC4_128_MD5", "RC4-MD5"), Ssl3, STATIC, 64),
    row(0x0003, ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", "EXP-RC4-MD5"), Ssl3, STATIC, 40),
    row(0x0006, ("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", "EXP-RC2-CBC-MD5"), Ssl3, STATIC, 40),
    row(0x0008, ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", "EXP-DES-CBC-SHA"), Ssl3, STATIC, 40),
    row(0x0062, ("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", "EXP1024-DES-CBC-SHA"), Ssl3, STATIC, 56),
    row(0x0064, ("TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", "EXP1024-RC4-SHA"), Ssl3, STATIC, 56),
    row(0xFEFF, ("SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA", ""), Ssl3, STATIC, 112),
    row(0xFEFE, ("SSL_RSA_FIPS_WITH_DES_CBC_SHA", ""), Ssl3, STATIC, 56),
    row(0x0002, ("TLS_RSA_WITH_NULL_SHA", "NULL-SHA"), Ssl3, STATIC, 0),
    row(0x0001, ("TLS_RSA_WITH_NULL_MD5", "NULL-MD5"), Ssl3, STATIC, 0),
    row(0x0000, ("TLS_NULL_WITH_NULL_NULL", ""), Ssl3, NONE, 0),
];
