//! The block and stream ciphers of stores, in CBC mode with PKCS#7 padding.

use aes::cipher::array::Array;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt};
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher};
use zeroize::Zeroizing;

use crate::oid::{self, Oid};

/// A cipher that some store names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Aria128,
    Aria192,
    Aria256,
    Camellia128,
    Camellia192,
    Camellia256,
    Des,
    Des2,
    Des3,
    Rc2 { key_bytes: usize, bits: usize },
    Rc4 { key_bytes: usize },
    Twofish256,
}

impl Cipher {
    /// By the OID of its CBC mode; RC2 needs its parameters, see [`Cipher::rc2`].
    pub(crate) fn from_oid(oid: Oid<'_>) -> Option<Self> {
        CBC.iter().find(|row| row.0 == oid).map(|row| row.1)
    }

    /// RC2 by its version number, which stands for the effective bits. Source: RFC 8018 B.2.3.
    pub(crate) fn rc2(version: u64, key_len: Option<u64>) -> Option<Self> {
        let bits = match version {
            0 => 32,
            160 => 40,
            120 => 64,
            58 => 128,
            256..=1024 => version as usize,
            _ => return None,
        };
        let key_bytes = key_len.map_or(bits / 8, |len| usize::try_from(len).unwrap_or(usize::MAX));
        (1..=128)
            .contains(&key_bytes)
            .then_some(Self::Rc2 { key_bytes, bits })
    }

    /// The version number of RC2's effective bits.
    pub(crate) fn rc2_version(self) -> Option<u64> {
        let Self::Rc2 { bits, .. } = self else { return None };
        Some(match bits {
            40 => 160,
            64 => 120,
            128 => 58,
            other => other as u64,
        })
    }

    /// The OID of its CBC mode.
    pub(crate) fn oid(self) -> Oid<'static> {
        let known = CBC.iter().find(|row| row.1 == self);
        known.map_or(oid::RC2_CBC, |row| row.0)
    }

    /// Such as `AES-256-CBC`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "AES-128-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes256 => "AES-256-CBC",
            Self::Aria128 => "ARIA-128-CBC",
            Self::Aria192 => "ARIA-192-CBC",
            Self::Aria256 => "ARIA-256-CBC",
            Self::Camellia128 => "CAMELLIA-128-CBC",
            Self::Camellia192 => "CAMELLIA-192-CBC",
            Self::Camellia256 => "CAMELLIA-256-CBC",
            Self::Des => "DES-CBC",
            Self::Des2 => "2-key 3DES-CBC",
            Self::Des3 => "3DES-CBC",
            Self::Rc2 { bits: 40, .. } => "RC2-40-CBC",
            Self::Rc2 { bits: 128, .. } => "RC2-128-CBC",
            Self::Rc2 { .. } => "RC2-CBC",
            Self::Rc4 { key_bytes: 5 } => "RC4-40",
            Self::Rc4 { .. } => "RC4-128",
            Self::Twofish256 => "Twofish-256-CBC",
        }
    }

    /// Bytes of its key.
    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aria128 | Self::Camellia128 | Self::Des2 => 16,
            Self::Aes192 | Self::Aria192 | Self::Camellia192 | Self::Des3 => 24,
            Self::Aes256 | Self::Aria256 | Self::Camellia256 | Self::Twofish256 => 32,
            Self::Des => 8,
            Self::Rc2 { key_bytes, .. } | Self::Rc4 { key_bytes } => key_bytes,
        }
    }

    /// Bytes of its block and initial vector; 0 for a stream cipher.
    pub(crate) fn block_len(self) -> usize {
        match self {
            Self::Des | Self::Des2 | Self::Des3 | Self::Rc2 { .. } => 8,
            Self::Rc4 { .. } => 0,
            _ => 16,
        }
    }

    /// The plaintext; `None` when key, vector, length or padding do not fit.
    pub(crate) fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if key.len() != self.key_len() {
            return None;
        }
        match self {
            Self::Aes128 => open(aes::Aes128::new_from_slice(key).ok()?, iv, data),
            Self::Aes192 => open(aes::Aes192::new_from_slice(key).ok()?, iv, data),
            Self::Aes256 => open(aes::Aes256::new_from_slice(key).ok()?, iv, data),
            Self::Aria128 => open(aria::Aria128::new_from_slice(key).ok()?, iv, data),
            Self::Aria192 => open(aria::Aria192::new_from_slice(key).ok()?, iv, data),
            Self::Aria256 => open(aria::Aria256::new_from_slice(key).ok()?, iv, data),
            Self::Camellia128 => open(camellia::Camellia128::new_from_slice(key).ok()?, iv, data),
            Self::Camellia192 => open(camellia::Camellia192::new_from_slice(key).ok()?, iv, data),
            Self::Camellia256 => open(camellia::Camellia256::new_from_slice(key).ok()?, iv, data),
            Self::Des => open(des::Des::new_from_slice(key).ok()?, iv, data),
            Self::Des2 => open(des::TdesEde2::new_from_slice(key).ok()?, iv, data),
            Self::Des3 => open(des::TdesEde3::new_from_slice(key).ok()?, iv, data),
            Self::Rc2 { bits, .. } => open(rc2::Rc2::new_with_eff_key_len(key, bits), iv, data),
            Self::Rc4 { .. } => rc4_stream(key, data).map(Zeroizing::new),
            Self::Twofish256 => open(twofish::Twofish::new_from_slice(key).ok()?, iv, data),
        }
    }

    /// The ciphertext; `None` when key or vector have a wrong length.
    pub(crate) fn encrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        if key.len() != self.key_len() {
            return None;
        }
        match self {
            Self::Aes128 => seal(aes::Aes128::new_from_slice(key).ok()?, iv, data),
            Self::Aes192 => seal(aes::Aes192::new_from_slice(key).ok()?, iv, data),
            Self::Aes256 => seal(aes::Aes256::new_from_slice(key).ok()?, iv, data),
            Self::Aria128 => seal(aria::Aria128::new_from_slice(key).ok()?, iv, data),
            Self::Aria192 => seal(aria::Aria192::new_from_slice(key).ok()?, iv, data),
            Self::Aria256 => seal(aria::Aria256::new_from_slice(key).ok()?, iv, data),
            Self::Camellia128 => seal(camellia::Camellia128::new_from_slice(key).ok()?, iv, data),
            Self::Camellia192 => seal(camellia::Camellia192::new_from_slice(key).ok()?, iv, data),
            Self::Camellia256 => seal(camellia::Camellia256::new_from_slice(key).ok()?, iv, data),
            Self::Des => seal(des::Des::new_from_slice(key).ok()?, iv, data),
            Self::Des2 => seal(des::TdesEde2::new_from_slice(key).ok()?, iv, data),
            Self::Des3 => seal(des::TdesEde3::new_from_slice(key).ok()?, iv, data),
            Self::Rc2 { bits, .. } => seal(rc2::Rc2::new_with_eff_key_len(key, bits), iv, data),
            Self::Rc4 { .. } => rc4_stream(key, data),
            Self::Twofish256 => seal(twofish::Twofish::new_from_slice(key).ok()?, iv, data),
        }
    }
}

/// Twofish in CBC mode over all whole blocks, padding left in: a UBER store can lack its last block.
pub(crate) fn twofish_blocks(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = twofish::Twofish::new_from_slice(key).ok()?;
    let mut cbc = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    let mut out = Zeroizing::new(data[..data.len() / 16 * 16].to_vec());
    let (blocks, _) = Array::slice_as_chunks_mut(&mut out);
    cbc.decrypt_blocks(blocks);
    Some(out)
}

fn open<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cbc = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    cbc.decrypt_padded_vec::<Pkcs7>(data).ok().map(Zeroizing::new)
}

fn seal<C: BlockCipherEncrypt>(cipher: C, iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let cbc = cbc::Encryptor::inner_iv_slice_init(cipher, iv).ok()?;
    Some(cbc.encrypt_padded_vec::<Pkcs7>(data))
}

fn rc4_stream(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut out = data.to_vec();
    rc4::Rc4::new_from_slice(key).ok()?.apply_keystream(&mut out);
    Some(out)
}

const CBC: [(Oid<'static>, Cipher); 11] = [
    (oid::AES128_CBC, Cipher::Aes128),
    (oid::AES192_CBC, Cipher::Aes192),
    (oid::AES256_CBC, Cipher::Aes256),
    (oid::ARIA128_CBC, Cipher::Aria128),
    (oid::ARIA192_CBC, Cipher::Aria192),
    (oid::ARIA256_CBC, Cipher::Aria256),
    (oid::CAMELLIA128_CBC, Cipher::Camellia128),
    (oid::CAMELLIA192_CBC, Cipher::Camellia192),
    (oid::CAMELLIA256_CBC, Cipher::Camellia256),
    (oid::DES_CBC, Cipher::Des),
    (oid::DES_EDE3_CBC, Cipher::Des3),
];
