//! Keys with `Proc-Type: 4,ENCRYPTED`, as OpenSSL before 1.0 wrote them and still does for `-traditional`.
//!
//! Key = first bytes of D1 || D2 …, D1 = MD5(password || salt), Dn = MD5(Dn-1 || password || salt); salt = the first
//! eight bytes of the initial vector. Source: OpenSSL `PEM_do_header`, `EVP_BytesToKey`.

use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::digest::Hash;
use crate::entry::Unlock;
use crate::error::UnlockError;
use crate::secret::{Password, PrivateKey, WriteEnv};

/// A PKCS#1 or SEC 1 key under a password.
#[derive(Clone)]
pub(super) struct LegacyKey {
    cipher: Result<(Cipher, Vec<u8>), UnlockError>,
    name: String,
    sealed: Vec<u8>,
}

impl LegacyKey {
    /// `dek` is the value of `DEK-Info`: cipher and initial vector.
    pub(super) fn new(dek: &str, sealed: &[u8]) -> Self {
        let (name, iv) = dek.split_once(',').unwrap_or((dek, ""));
        let name = name.trim().to_owned();
        let cipher = match CIPHERS.iter().find(|(known, _)| *known == name) {
            None => Err(UnlockError::Unsupported { what: name.clone() }),
            Some((_, cipher)) => hex(iv.trim())
                .filter(|iv| iv.len() == cipher.block_len())
                .map(|iv| (*cipher, iv))
                .ok_or(UnlockError::Malformed {
                    what: "initial vector in DEK-Info",
                }),
        };
        Self {
            cipher,
            name,
            sealed: sealed.to_vec(),
        }
    }
}

/// Whether keys can be sealed with the cipher of this `DEK-Info`.
pub(super) fn cipher_of(dek: &str) -> Option<Cipher> {
    let name = dek.split(',').next().unwrap_or_default().trim();
    CIPHERS.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// Seals a key in its traditional form: the value of `DEK-Info` and the ciphertext.
pub(super) fn seal(
    cipher: Cipher,
    key: &[u8],
    password: &Password,
    env: &mut WriteEnv<'_>,
) -> (String, Vec<u8>) {
    let iv = env.random_vec(cipher.block_len());
    let derived = derive(cipher, password, &iv[..8]);
    let sealed = cipher.encrypt(&derived, &iv, key);
    let name = CIPHERS.iter().find(|row| row.1 == cipher).map_or("", |row| row.0);
    let digits: Vec<String> = iv.iter().map(|byte| format!("{byte:02X}")).collect();
    let sealed = sealed.expect("key and vector have the lengths of the cipher");
    (format!("{name},{}", digits.concat()), sealed)
}

fn derive(cipher: Cipher, password: &Password, salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    let mut block = Hash::Md5.digest(&[password.as_bytes(), salt]);
    while key.len() < cipher.key_len() {
        key.extend_from_slice(&block);
        block = Hash::Md5.digest(&[&block, password.as_bytes(), salt]);
    }
    key.truncate(cipher.key_len());
    key
}

impl Unlock for LegacyKey {
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        let (cipher, iv) = self.cipher.as_ref().map_err(Clone::clone)?;
        let password = password.ok_or(UnlockError::NeedsPassword)?;
        let key = derive(*cipher, password, &iv[..8]);
        let opened = cipher
            .decrypt(&key, iv, &self.sealed)
            .ok_or(UnlockError::WrongPassword)?;
        PrivateKey::from_any_der(&opened).map_err(|_| UnlockError::WrongPassword)
    }

    fn protection(&self) -> String {
        format!("{} (traditional PEM), MD5, 1 round", self.name)
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// OpenSSL's names. Source: OpenSSL `objects.txt`.
#[rustfmt::skip]
const CIPHERS: [(&str, Cipher); 15] = [
    ("AES-128-CBC", Cipher::Aes128),
    ("AES-192-CBC", Cipher::Aes192),
    ("AES-256-CBC", Cipher::Aes256),
    ("ARIA-128-CBC", Cipher::Aria128),
    ("ARIA-192-CBC", Cipher::Aria192),
    ("ARIA-256-CBC", Cipher::Aria256),
    ("CAMELLIA-128-CBC", Cipher::Camellia128),
    ("CAMELLIA-192-CBC", Cipher::Camellia192),
    ("CAMELLIA-256-CBC", Cipher::Camellia256),
    ("DES-CBC", Cipher::Des),
    ("DES-EDE-CBC", Cipher::Des2),
    ("RC2-40-CBC", Cipher::Rc2 { key_bytes: 5, bits: 40 }),
    ("RC2-64-CBC", Cipher::Rc2 { key_bytes: 8, bits: 64 }),
    ("RC2-CBC", Cipher::Rc2 { key_bytes: 16, bits: 128 }),
    ("DES-EDE3-CBC", Cipher::Des3),
];
