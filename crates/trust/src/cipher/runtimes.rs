//! What the runtimes offer and take without further settings.

use super::end::{End, Family, Group, Scheme};
use super::suite::{KeyNeed, Protocol, suite};
use crate::profile::Evidence;

/// One runtime's defaults as data.
pub(super) struct Defaults {
    name: &'static str,
    family: Family,
    evidence: Evidence,
    source: &'static str,
    protocols: &'static [Protocol],
    suites: &'static [u16],
    groups: &'static [Group],
    schemes: &'static [&'static str],
    level: u8,
    has_own_order: bool,
}

/// The names that [`end`] knows.
pub fn ends() -> impl Iterator<Item = &'static str> {
    RUNTIMES.iter().map(|defaults| defaults.name)
}

/// The runtime of that name with its defaults and no key; `None` when there is none.
pub fn end(name: &str) -> Option<End> {
    let found = RUNTIMES.iter().find(|defaults| defaults.name == name)?;
    Some(End {
        runtime: found.name,
        family: found.family,
        evidence: found.evidence,
        source: found.source,
        protocols: found.protocols.to_vec(),
        suites: found.suites.iter().filter_map(|code| suite(*code)).collect(),
        groups: found.groups.to_vec(),
        schemes: found.schemes.iter().filter_map(|name| scheme(name)).collect(),
        level: found.level,
        has_own_order: found.has_own_order,
        key: None,
    })
}

/// The signature scheme of that name.
pub fn scheme(name: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.name == name)
}

const fn row(
    name: &'static str,
    (key, curve): (KeyNeed, Option<Group>),
    is_for_13: bool,
    min_rsa_bits: u32,
    security: u16,
) -> Scheme {
    Scheme {
        name,
        key,
        curve,
        is_for_13,
        min_rsa_bits,
        security,
    }
}

const RSA: (KeyNeed, Option<Group>) = (KeyNeed::Rsa, None);
const DSA: (KeyNeed, Option<Group>) = (KeyNeed::Dsa, None);
const fn ec(curve: Option<Group>) -> (KeyNeed, Option<Group>) {
    (KeyNeed::Ec, curve)
}

/// Source: RFC 8446 4.2.3; RSASSA-PSS needs a modulus of twice the hash and two octets (RFC 8017 9.1.1).
const SCHEMES: &[Scheme] = &[
    row("ecdsa_secp256r1_sha256", ec(Some(Group::P256)), true, 0, 128),
    row("ecdsa_secp384r1_sha384", ec(Some(Group::P384)), true, 0, 192),
    row("ecdsa_secp521r1_sha512", ec(Some(Group::P521)), true, 0, 256),
    row("ed25519", ec(None), true, 0, 128),
    row("ed448", ec(None), true, 0, 224),
    row("rsa_pss_rsae_sha256", RSA, true, 522, 128),
    row("rsa_pss_rsae_sha384", RSA, true, 778, 192),
    row("rsa_pss_rsae_sha512", RSA, true, 1034, 256),
    row("rsa_pkcs1_sha256", RSA, false, 496, 128),
    row("rsa_pkcs1_sha384", RSA, false, 624, 192),
    row("rsa_pkcs1_sha512", RSA, false, 752, 256),
    row("ecdsa_sha224", ec(None), false, 0, 112),
    row("rsa_pkcs1_sha224", RSA, false, 464, 112),
    row("ecdsa_sha1", ec(None), false, 0, 63),
    row("rsa_pkcs1_sha1", RSA, false, 368, 63),
    row("dsa_sha256", DSA, false, 0, 112),
    row("dsa_sha1", DSA, false, 0, 63),
];

use Group::{Ffdhe2048, Ffdhe3072, P256, P384, P521, X448, X25519};
use Protocol::{Tls10, Tls11, Tls12, Tls13};

const MODERN: &[Protocol] = &[Tls12, Tls13];
const OLD_TOO: &[Protocol] = &[Tls10, Tls11, Tls12, Tls13];

/// Source: `openssl ciphers -s -V DEFAULT` of 3.0.19.
const OPENSSL: &[u16] = &[
    0x1302, 0x1303, 0x1301, 0xC02C, 0xC030, 0x009F, 0xCCA9, 0xCCA8, 0xCCAA, 0xC02B, 0xC02F, 0x009E, 0xC024,
    0xC028, 0x006B, 0xC023, 0xC027, 0x0067, 0xC00A, 0xC014, 0x0039, 0xC009, 0xC013, 0x0033, 0x009D, 0x009C,
    0x003D, 0x003C, 0x0035, 0x002F,
];
const OPENSSL_GROUPS: &[Group] = &[X25519, P256, X448, P521, P384, Ffdhe2048, Ffdhe3072];
const OPENSSL_SCHEMES: &[&str] = &[
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "ed25519",
    "ed448",
    "rsa_pss_rsae_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512",
    "rsa_pkcs1_sha256",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha512",
    "ecdsa_sha224",
    "rsa_pkcs1_sha224",
    "ecdsa_sha1",
    "rsa_pkcs1_sha1",
    "dsa_sha256",
    "dsa_sha1",
];

/// Source: `SSLEngine.getEnabledCipherSuites` of OpenJDK 17.0.15.
const JAVA: &[u16] = &[
    0x1302, 0x1301, 0x1303, 0xC02C, 0xC02B, 0xCCA9, 0xC030, 0xCCA8, 0xC02F, 0x009F, 0xCCAA, 0x00A3, 0x009E,
    0x00A2, 0xC024, 0xC028, 0xC023, 0xC027, 0x006B, 0x0067, 0xC00A, 0xC014, 0xC009, 0xC013, 0x0039, 0x0033,
    0x009D, 0x009C, 0x003D, 0x003C, 0x0035, 0x002F,
];
const JAVA_GROUPS: &[Group] = &[X25519, P256, P384, P521, X448, Ffdhe2048, Ffdhe3072];
const JAVA_SCHEMES: &[&str] = &[
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "ed25519",
    "ed448",
    "rsa_pss_rsae_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512",
    "rsa_pkcs1_sha256",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha512",
    "dsa_sha256",
    "ecdsa_sha224",
    "rsa_pkcs1_sha224",
    "ecdsa_sha1",
    "rsa_pkcs1_sha1",
    "dsa_sha1",
];

/// Source: `gnutls-cli -l --priority NORMAL` of 3.7.9.
const GNUTLS: &[u16] = &[
    0x1302, 0x1303, 0x1301, 0x1304, 0xC02C, 0xCCA9, 0xC00A, 0xC02B, 0xC009, 0xC030, 0xCCA8, 0xC014, 0xC02F,
    0xC013, 0x009D, 0x0035, 0x009C, 0x002F, 0x009F, 0xCCAA, 0x0039, 0x009E, 0x0033,
];

/// Source: Go 1.19 crypto/tls/cipher_suites.go `cipherSuitesPreferenceOrder` without `disabledCipherSuites`.
const GO: &[u16] = &[
    0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014,
    0x009C, 0x009D, 0x002F, 0x0035, 0xC012, 0x000A,
];

/// Source: rustls 0.23 src/crypto/ring/mod.rs `ALL_CIPHER_SUITES`.
const RUSTLS: &[u16] = &[
    0x1302, 0x1301, 0x1303, 0xC02C, 0xC02B, 0xCCA9, 0xC030, 0xC02F, 0xCCA8,
];
const RUSTLS_SCHEMES: &[&str] = &[
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp256r1_sha256",
    "ed25519",
    "rsa_pss_rsae_sha512",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha256",
    "rsa_pkcs1_sha512",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha256",
];

/// Source: IBM MQ 9.2 "Enabling CipherSpecs"; the toolkit's own default list is not documented.
const GSKIT: &[u16] = &[
    0x1303, 0x1302, 0x1301, 0x1304, 0x1305, 0xC02C, 0xC02B, 0xC024, 0xC023, 0xC030, 0xC02F, 0xC028, 0xC027,
    0x009D, 0x009C, 0x003D, 0x003C,
];
const GSKIT_SCHEMES: &[&str] = &[
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "rsa_pss_rsae_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512",
    "rsa_pkcs1_sha256",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha512",
    "ecdsa_sha1",
    "rsa_pkcs1_sha1",
];

const fn java(name: &'static str, evidence: Evidence, source: &'static str) -> Defaults {
    Defaults {
        name,
        family: Family::Java,
        evidence,
        source,
        protocols: MODERN,
        suites: JAVA,
        groups: JAVA_GROUPS,
        schemes: JAVA_SCHEMES,
        level: 0,
        has_own_order: true,
    }
}

const fn openssl(
    name: &'static str,
    family: Family,
    evidence: Evidence,
    level: u8,
    source: &'static str,
) -> Defaults {
    Defaults {
        name,
        family,
        evidence,
        source,
        protocols: MODERN,
        suites: OPENSSL,
        groups: OPENSSL_GROUPS,
        schemes: OPENSSL_SCHEMES,
        level,
        has_own_order: matches!(family, Family::Node),
    }
}

const RUNTIMES: &[Defaults] = &[
    openssl(
        "openssl3",
        Family::OpenSsl,
        Evidence::Measured("OpenSSL 3.0.19, Debian 12"),
        2,
        "openssl ciphers -s -V; SSL_CTX_set_security_level(3)",
    ),
    openssl(
        "openssl1.1",
        Family::OpenSsl,
        Evidence::Documented,
        1,
        "OpenSSL 1.1.1 ciphers(1), SSL_CTX_set_security_level(3)",
    ),
    openssl(
        "node20",
        Family::Node,
        Evidence::Measured("Node 20.20.2"),
        1,
        "Node tls.DEFAULT_CIPHERS, tls.DEFAULT_MIN_VERSION; honorCipherOrder is on for servers",
    ),
    java(
        "java8",
        Evidence::Documented,
        "java.security of OpenJDK 8u341, jdk.tls.disabledAlgorithms",
    ),
    java(
        "java11",
        Evidence::Documented,
        "java.security of OpenJDK 11.0.11, jdk.tls.disabledAlgorithms",
    ),
    java(
        "java17",
        Evidence::Measured("OpenJDK 17.0.15; since 17.0.17 without the suites of static RSA"),
        "SSLEngine.getEnabledCipherSuites; java.security",
    ),
    java(
        "java21",
        Evidence::Documented,
        "java.security of OpenJDK 21, jdk.tls.disabledAlgorithms",
    ),
    java(
        "ibmjdk8",
        Evidence::Documented,
        "IBM SDK 8 JSSE2 guide, cipher suites and protocols",
    ),
    Defaults {
        name: "gskit8",
        family: Family::Gskit,
        evidence: Evidence::Documented,
        source: "IBM MQ 9.2, Enabling CipherSpecs",
        protocols: MODERN,
        suites: GSKIT,
        groups: &[P256, P384, P521, X25519, X448],
        schemes: GSKIT_SCHEMES,
        level: 0,
        has_own_order: false,
    },
    Defaults {
        name: "gnutls",
        family: Family::GnuTls,
        evidence: Evidence::Measured("GnuTLS 3.7.9"),
        source: "gnutls-cli -l --priority NORMAL",
        protocols: OLD_TOO,
        suites: GNUTLS,
        groups: &[P256, P384, P521, X25519, X448, Ffdhe2048, Ffdhe3072],
        schemes: OPENSSL_SCHEMES,
        level: 0,
        has_own_order: false,
    },
    Defaults {
        name: "go",
        family: Family::Go,
        evidence: Evidence::Documented,
        source: "Go 1.19 crypto/tls/common.go, cipher_suites.go",
        protocols: MODERN,
        suites: GO,
        groups: &[X25519, P256, P384, P521],
        schemes: &[
            "rsa_pss_rsae_sha256",
            "ecdsa_secp256r1_sha256",
            "ed25519",
            "rsa_pss_rsae_sha384",
            "rsa_pss_rsae_sha512",
            "rsa_pkcs1_sha256",
            "rsa_pkcs1_sha384",
            "rsa_pkcs1_sha512",
            "ecdsa_secp384r1_sha384",
            "ecdsa_secp521r1_sha512",
            "rsa_pkcs1_sha1",
            "ecdsa_sha1",
        ],
        level: 0,
        has_own_order: true,
    },
    Defaults {
        name: "rustls",
        family: Family::Rustls,
        evidence: Evidence::Documented,
        source: "rustls 0.23 src/crypto/ring/mod.rs",
        protocols: MODERN,
        suites: RUSTLS,
        groups: &[X25519, P256, P384],
        schemes: RUSTLS_SCHEMES,
        level: 0,
        has_own_order: false,
    },
    Defaults {
        name: "nss",
        family: Family::Nss,
        evidence: Evidence::Documented,
        source: "NSS 3.87 lib/ssl/sslsock.c, ssl3con.c",
        protocols: MODERN,
        suites: &[
            0x1301, 0x1303, 0x1302, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC02C, 0xC030, 0xC00A, 0xC009, 0xC013,
            0xC014, 0x009E, 0xCCAA, 0x0033, 0x0039, 0x009C, 0x009D, 0x002F, 0x0035,
        ],
        groups: &[X25519, P256, P384, P521, Ffdhe2048, Ffdhe3072],
        schemes: OPENSSL_SCHEMES,
        level: 0,
        has_own_order: false,
    },
];
