//! The form of a key block: a key that takes the place of another keeps it, as its readers may know no other.

use super::blocks::Block;
use super::legacy::{self, LegacyKey};
use crate::cipher::Cipher;
use crate::entry::LockedKey;
use crate::keys::{EncryptedKey, Widening};
use crate::pbe::Scheme;
use crate::profile::WriteProfile;
use crate::secret::{Password, PrivateKey, WriteEnv};

/// How a key stands in a file.
#[derive(Clone)]
pub(super) enum KeyForm {
    /// PKCS#8; with the scheme where it is encrypted.
    Pkcs8(Option<Scheme>),
    /// PKCS#1 or SEC 1; with the cipher where it is encrypted.
    Traditional(Option<Cipher>),
}

impl KeyForm {
    /// The form of a block that holds a key.
    pub(super) fn of(block: &Block) -> Self {
        match block.label.as_str() {
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                Self::Traditional(block.header("DEK-Info").and_then(legacy::cipher_of))
            }
            _ => {
                let sealed = EncryptedKey::read(&block.der, 0, u64::MAX, Widening::Text).ok();
                Self::Pkcs8(sealed.and_then(|sealed| sealed.scheme().cloned()))
            }
        }
    }

    /// The block of a key, encrypted when there is a password. Keys that have no traditional form become PKCS#8.
    pub(super) fn write(
        &self,
        key: &PrivateKey,
        password: Option<&Password>,
        newline: &str,
        env: &mut WriteEnv<'_>,
    ) -> (Block, LockedKey) {
        let traditional = match self {
            Self::Pkcs8(_) => None,
            Self::Traditional(cipher) => key
                .traditional()
                .map(|form| (form, cipher.unwrap_or(Cipher::Aes256))),
        };
        match (traditional, password) {
            (None, None) => (
                Block::new("PRIVATE KEY", key.pkcs8_der(), newline),
                LockedKey::clear(key.clone()),
            ),
            (None, Some(password)) => {
                let scheme = match self {
                    Self::Pkcs8(Some(scheme)) => scheme.clone(),
                    _ => WriteProfile::AsRead.pem_scheme(),
                };
                let sealed = EncryptedKey::seal(key, &scheme.renewed(env), password, Widening::Text);
                let read = EncryptedKey::read(&sealed, 0, u64::MAX, Widening::Text);
                let locked = LockedKey::new(read.expect("it was just written"));
                (Block::new("ENCRYPTED PRIVATE KEY", &sealed, newline), locked)
            }
            (Some(((kind, inner), _)), None) => (
                Block::new(&format!("{kind} PRIVATE KEY"), &inner, newline),
                LockedKey::clear(key.clone()),
            ),
            (Some(((kind, inner), cipher)), Some(password)) => {
                let (dek, sealed) = legacy::seal(cipher, &inner, password, env);
                let headers = [("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", dek.as_str())];
                let block = Block::with_headers(&format!("{kind} PRIVATE KEY"), &headers, &sealed, newline);
                (block, LockedKey::new(LegacyKey::new(&dek, &sealed)))
            }
        }
    }
}
