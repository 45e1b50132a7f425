//! Passwords and keys: wiped when dropped, never printed.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::KeyError;

/// A password as the bytes that were typed (UTF-8 on all platforms we know).
///
/// Each format makes of them what it needs: UTF-16 for JKS and the old PKCS#12 derivation, the bytes
/// themselves for PBES2 and CMS. An empty password is a password; its absence is `None`.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Takes the bytes over; they are wiped when the value is dropped.
    pub fn new(typed: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(typed.into()))
    }

    /// The bytes as typed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// UTF-16, high byte first, without a terminator: what Java hashes for JKS.
    ///
    /// Bytes that are not UTF-8 are taken as ISO-8859-1.
    pub(crate) fn utf16be(&self) -> Zeroizing<Vec<u8>> {
        let mut wide = Zeroizing::new(Vec::with_capacity(self.0.len() * 2 + 2));
        match std::str::from_utf8(&self.0) {
            Ok(text) => text
                .encode_utf16()
                .for_each(|unit| wide.extend_from_slice(&unit.to_be_bytes())),
            Err(_) => self.0.iter().for_each(|&byte| wide.extend_from_slice(&[0, byte])),
        }
        wide
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        same_secret(&self.0, &other.0)
    }
}

impl Eq for Password {}

/// Shows nothing of the password, not even its length.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A private key in the clear, as PKCS#8 DER. Wiped when dropped; it has no `Debug` and no `Display`.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// Takes an unencrypted PKCS#8 `PrivateKeyInfo` (version 0 or 1).
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`] when the frame SEQUENCE { INTEGER, SEQUENCE { OID .. }, OCTET STRING } is not
    /// there or bytes follow it. The key material itself is not looked at.
    pub fn from_pkcs8_der(der: impl Into<Vec<u8>>) -> Result<Self, KeyError> {
        let der = Zeroizing::new(der.into());
        if is_pkcs8(&der) {
            Ok(Self(der))
        } else {
            Err(KeyError::NotPkcs8)
        }
    }

    /// The PKCS#8 DER, as it was stored.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        same_secret(&self.0, &other.0)
    }
}

impl Eq for PrivateKey {}

/// A symmetric key in the clear. Wiped when dropped; it has no `Debug` and no `Display`.
#[derive(Clone)]
pub struct SecretKey {
    algorithm: String,
    raw: Zeroizing<Vec<u8>>,
}

impl SecretKey {
    /// Takes the raw key and the name of its algorithm (Java's name, or the dotted OID).
    pub fn new(algorithm: impl Into<String>, raw: impl Into<Vec<u8>>) -> Self {
        Self {
            algorithm: algorithm.into(),
            raw: Zeroizing::new(raw.into()),
        }
    }

    /// The algorithm, as the store names it.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The key's bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
}

/// What a writer needs from outside: the time of new entries, and random bytes for salts.
pub struct WriteEnv<'a> {
    /// Milliseconds since 1970, the creation date of entries that are added.
    pub now_ms: i64,
    /// Where salts and initial vectors come from.
    pub entropy: &'a mut dyn Entropy,
}

/// A source of random bytes. Tests use a seeded one.
pub trait Entropy {
    /// Fills all of `into`.
    fn fill(&mut self, into: &mut [u8]);
}

impl WriteEnv<'_> {
    /// `N` random bytes.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// `len` random bytes.
    pub(crate) fn random_vec(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

/// Compares without stopping at the first difference.
pub(crate) fn same_secret(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

fn is_pkcs8(der: &[u8]) -> bool {
    let Some((0x30, body, [])) = split_value(der) else {
        return false;
    };
    let Some((0x02, [0 | 1], rest)) = split_value(body) else {
        return false;
    };
    let Some((0x30, algorithm, rest)) = split_value(rest) else {
        return false;
    };
    let Some((0x04, _, _)) = split_value(rest) else {
        return false;
    };
    matches!(split_value(algorithm), Some((0x06, _, _)))
}

/// Tag, content and what follows, of one value with a definite length of at most four bytes.
pub(crate) fn split_value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                len.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)),
                rest,
            )
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}
