//! Groups for the key exchange.

/// A group: an elliptic curve, a finite field, or a key encapsulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Its registered number.
    pub number: u16,
    /// Its name, as OpenSSL and the registry write it.
    pub name: &'static str,
}

impl Group {
    /// The group of that number, where it is known.
    pub fn of_number(number: u16) -> Option<Self> {
        groups().find(|group| group.number == number)
    }

    /// Finite fields of RFC 7919, which a server up to TLS 1.2 rarely chooses by name.
    pub fn is_finite_field(self) -> bool {
        (256..=260).contains(&self.number)
    }

    /// Whether TLS 1.3 may agree on it.
    pub fn is_for_tls13(self) -> bool {
        !(1..=22).contains(&self.number) && !(26..=28).contains(&self.number)
    }

    /// Whether a key exchange up to TLS 1.2 may name it.
    pub fn is_for_tls12(self) -> bool {
        self.number <= 30
    }
}

/// All groups that are offered, the usual ones first. Source: IANA's registry "TLS Supported Groups".
pub fn groups() -> impl Iterator<Item = Group> {
    GROUPS.iter().map(|(number, name)| Group {
        number: *number,
        name,
    })
}

const GROUPS: &[(u16, &str)] = &[
    (29, "x25519"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (30, "x448"),
    (0x11ec, "X25519MLKEM768"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
    (0x6399, "X25519Kyber768Draft00"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (41, "curveSM2"),
    (22, "secp256k1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
];
