//! Cipher suites: numbers, names, and what the names say.

mod table;

use crate::Version;

/// A registered cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite {
    /// Its number.
    pub number: u16,
    /// Its registered name: `TLS_RSA_WITH_AES_128_CBC_SHA`.
    pub name: &'static str,
    openssl: &'static str,
}

impl Suite {
    /// The suite of that number, where it is registered.
    pub fn of_number(number: u16) -> Option<Self> {
        let at = table::SUITES
            .binary_search_by_key(&number, |(number, _, _)| *number)
            .ok()?;
        Some(Self::of_row(&table::SUITES[at]))
    }

    fn of_row((number, name, openssl): &(u16, &'static str, &'static str)) -> Self {
        Self {
            number: *number,
            name,
            openssl,
        }
    }

    /// OpenSSL's name, else the registered one.
    pub fn openssl_name(self) -> &'static str {
        if self.openssl.is_empty() {
            self.name
        } else {
            self.openssl
        }
    }

    /// The versions that may agree on it, the oldest first: AEAD and SHA-2 need TLS 1.2, and 1.3 has its own.
    pub fn versions(self) -> (Version, Version) {
        if !self.name.contains("_WITH_") {
            return (Version::Tls13, Version::Tls13);
        }
        let is_new = ["GCM", "CCM", "POLY1305", "SHA256", "SHA384"]
            .iter()
            .any(|word| self.name.contains(word));
        let has_psk_sha2 = self.is_psk() && !self.name.contains("GCM") && !self.name.contains("CCM");
        match (is_new, has_psk_sha2 && self.name.contains("CBC")) {
            (true, false) => (Version::Tls12, Version::Tls12),
            // RFC 5487 and 5489 allow the CBC suites with SHA-2 in TLS 1.0, too.
            (true, true) => (Version::Tls10, Version::Tls12),
            (false, _) => (Version::Ssl3, Version::Tls12),
        }
    }

    /// Whether `version` may agree on it.
    pub fn is_for(self, version: Version) -> bool {
        let (oldest, newest) = self.versions();
        (oldest..=newest).contains(&version)
    }

    /// The part before `_WITH_`: `ECDHE_RSA`; nothing in TLS 1.3.
    pub fn exchange(self) -> &'static str {
        self.name
            .strip_prefix("TLS_")
            .and_then(|rest| rest.split_once("_WITH_"))
            .map_or("", |(exchange, _)| exchange)
    }

    /// The part after `_WITH_`: `AES_128_GCM_SHA256`.
    pub fn cipher(self) -> &'static str {
        self.name
            .split_once("_WITH_")
            .map_or_else(|| self.name.trim_start_matches("TLS_"), |(_, cipher)| cipher)
    }

    /// The key is agreed with an ephemeral elliptic curve key.
    pub fn is_ecdhe(self) -> bool {
        self.exchange().starts_with("ECDHE") || self.exchange() == "ECDH_anon"
    }

    /// The key is agreed with an ephemeral finite field key.
    pub fn is_dhe(self) -> bool {
        self.exchange().starts_with("DHE") || self.exchange().starts_with("DH_anon")
    }

    /// The client encrypts the secret to the server's RSA key.
    pub fn is_static_rsa(self) -> bool {
        let exchange = self.exchange();
        exchange == "RSA" || exchange.starts_with("RSA_EXPORT") || exchange == "RSA_FIPS"
    }

    /// A key that both know before.
    pub fn is_psk(self) -> bool {
        self.exchange().contains("PSK")
    }

    /// The server proves no identity.
    pub fn is_anonymous(self) -> bool {
        self.exchange().contains("anon")
    }

    /// Whoever records traffic today cannot read it with the server's key tomorrow.
    pub fn has_forward_secrecy(self) -> bool {
        self.exchange().is_empty() || self.is_ecdhe() || self.is_dhe() || self.exchange() == "PSK_DHE"
    }

    /// Bits of strength of the cipher: 112 for 3DES, 0 where nothing is encrypted.
    pub fn bits(self) -> u32 {
        let cipher = self.cipher();
        let known = BITS.iter().find(|(word, _)| cipher.starts_with(word));
        known.map_or(128, |(_, bits)| *bits)
    }

    /// Why it should not be offered, where it should not. Source: RFC 7465 (RC4), RFC 8996, RFC 9325 4.1, SWEET32.
    pub fn weakness(self) -> Option<&'static str> {
        let cipher = self.cipher();
        if self.is_anonymous() {
            Some("the server proves no identity")
        } else if cipher.starts_with("NULL") {
            Some("nothing is encrypted")
        } else if self.exchange().contains("EXPORT") || self.bits() < 80 {
            Some("export grade or single DES")
        } else if cipher.starts_with("RC4") {
            Some("RC4")
        } else if self.bits() < 128 || cipher.starts_with("IDEA") {
            Some("64-bit blocks (SWEET32)")
        } else if cipher.ends_with("MD5") {
            Some("MD5")
        } else {
            None
        }
    }
}

/// All registered suites, by number.
pub fn suites() -> impl Iterator<Item = Suite> {
    table::SUITES.iter().map(Suite::of_row)
}

/// By the beginning of the cipher's name; the first that fits counts.
const BITS: &[(&str, u32)] = &[
    ("NULL", 0),
    ("RC4_40", 40),
    ("RC4_56", 56),
    ("RC4_128", 128),
    ("RC2_CBC_40", 40),
    ("DES40", 40),
    ("DES_CBC_40", 40),
    ("DES_CBC", 56),
    ("3DES", 112),
    ("FORTEZZA", 80),
    ("AES_256", 256),
    ("ARIA_256", 256),
    ("CAMELLIA_256", 256),
    ("CHACHA20", 256),
];
