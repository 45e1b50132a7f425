//! One X.509 certificate, kept as its bytes.

use std::fmt;
use std::sync::Arc;

use sha2::Digest;

use crate::secret::split_value;

/// A certificate: its DER, shared between clones.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificate(Arc<[u8]>);

impl Certificate {
    /// Takes one certificate. `None` when `der` is not exactly one ASN.1 SEQUENCE.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        match split_value(der) {
            Some((0x30, _, [])) => Some(Self(der.into())),
            _ => None,
        }
    }

    /// The bytes as stored.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 over the DER.
    pub fn sha256(&self) -> [u8; 32] {
        sha2::Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.sha256();
        write!(
            f,
            "Certificate({:02x}{:02x}{:02x}{:02x}..)",
            digest[0], digest[1], digest[2], digest[3]
        )
    }
}
