//! Encryption under a password, as an AlgorithmIdentifier describes it: PBES2, the PKCS#12 schemes, PBES1.
//!
//! | scheme | parameters | key from |
//! |---|---|---|
//! | PBES2 | SEQUENCE{ PBKDF2 or scrypt, cipher{ iv } } | password bytes as typed |
//! | PKCS#12 | SEQUENCE{ salt, rounds } | UTF-16 with two zero bytes, PKCS#12 derivation |
//! | PBES1 | SEQUENCE{ salt(8), rounds } | password bytes as typed, PBKDF1 |
//!
//! Source: RFC 8018 6.1, 6.2 and appendix A; RFC 7292 appendix C.

use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::der::{self, Der, tag};
use crate::digest::{Hash, Purpose};
use crate::error::UnlockError;
use crate::kdf::{Kdf, Pbkdf2, checked_rounds};
use crate::oid::{self, Oid};
use crate::reader::ReadError;
use crate::secret::{Password, WriteEnv};

/// One scheme with its salt and rounds: opens what it protects, and protects anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scheme {
    Pbes1 {
        hash: Hash,
        cipher: Cipher,
        salt: Vec<u8>,
        rounds: u64,
    },
    Pbes2(Pbes2),
    Pkcs12 {
        cipher: Cipher,
        salt: Vec<u8>,
        rounds: u64,
    },
}

/// PBES2 with PBKDF2 or scrypt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pbes2 {
    pub(crate) kdf: Kdf,
    pub(crate) cipher: Cipher,
    pub(crate) iv: Vec<u8>,
}

/// What the derivations take of a password: its bytes as typed, and its UTF-16 form with terminator.
#[derive(Clone)]
pub(crate) struct KdfPassword {
    pub(crate) plain: Zeroizing<Vec<u8>>,
    pub(crate) wide: Zeroizing<Vec<u8>>,
}

impl KdfPassword {
    /// The usual forms: UTF-16 ends in two zero bytes, also for an empty password.
    pub(crate) fn new(password: &Password) -> Self {
        let mut wide = password.utf16be();
        wide.extend_from_slice(&[0, 0]);
        Self {
            plain: Zeroizing::new(password.as_bytes().to_vec()),
            wide,
        }
    }

    /// No password at all: zero bytes in both forms (GnuTLS `--null-password`).
    pub(crate) fn absent() -> Self {
        Self {
            plain: Zeroizing::new(Vec::new()),
            wide: Zeroizing::new(Vec::new()),
        }
    }

    /// Each byte of a non-ASCII password widened by itself, as OpenSSL before 1.1 did.
    pub(crate) fn bytes_widened(password: &Password) -> Self {
        let mut wide = Zeroizing::new(Vec::with_capacity(password.as_bytes().len() * 2 + 2));
        password
            .as_bytes()
            .iter()
            .for_each(|&byte| wide.extend_from_slice(&[0, byte]));
        wide.extend_from_slice(&[0, 0]);
        Self {
            plain: Zeroizing::new(password.as_bytes().to_vec()),
            wide,
        }
    }
}

impl Scheme {
    /// What Java 17 writes; salt and vector are placeholders until [`Scheme::renewed`].
    pub(crate) fn java17() -> Self {
        Self::pbes2(Hash::Sha256, 20, 10_000, Some(32))
    }

    /// PBES2 with AES-256-CBC; salt and vector are placeholders until [`Scheme::renewed`].
    pub(crate) fn pbes2(prf: Hash, salt_len: usize, rounds: u64, key_len: Option<u64>) -> Self {
        let kdf = Kdf::Pbkdf2(Pbkdf2 {
            prf,
            salt: vec![0; salt_len],
            rounds,
            key_len,
        });
        Self::Pbes2(Pbes2 {
            kdf,
            cipher: Cipher::Aes256,
            iv: vec![0; 16],
        })
    }

    /// Reads an AlgorithmIdentifier. `algorithm` stands on the OID.
    ///
    /// `Ok(Err(name))` is a sound identifier of a scheme that is not supported.
    pub(crate) fn read(mut algorithm: Der<'_>) -> Result<Result<Self, String>, ReadError> {
        let oid = algorithm
            .expect(tag::OID, "encryption algorithm")?
            .oid("encryption algorithm")?;
        if oid == oid::PBES2 {
            return Pbes2::read(algorithm.sequence("PBES2 parameters")?).map(|read| read.map(Self::Pbes2));
        }
        let Some(row) = OLD_SCHEMES.iter().find(|row| row.0 == oid) else {
            return Ok(Err(format!("encryption scheme {oid}")));
        };
        let mut parameters = algorithm.sequence("encryption parameters")?;
        let salt = parameters.expect(tag::OCTET_STRING, "salt")?.content.to_vec();
        let rounds = parameters
            .expect(tag::INTEGER, "iteration count")?
            .unsigned("iteration count")?;
        Ok(Ok(match row.1 {
            Some(hash) => Self::Pbes1 {
                hash,
                cipher: row.2,
                salt,
                rounds,
            },
            None => Self::Pkcs12 {
                cipher: row.2,
                salt,
                rounds,
            },
        }))
    }

    /// The AlgorithmIdentifier.
    pub(crate) fn write(&self) -> Vec<u8> {
        let (wanted_hash, wanted_cipher, salt, rounds) = match self {
            Self::Pbes2(pbes2) => return pbes2.write(),
            Self::Pbes1 {
                hash,
                cipher,
                salt,
                rounds,
            } => (Some(*hash), *cipher, salt, *rounds),
            Self::Pkcs12 { cipher, salt, rounds } => (None, *cipher, salt, *rounds),
        };
        let row = OLD_SCHEMES
            .iter()
            .find(|row| row.1 == wanted_hash && row.2 == wanted_cipher);
        let oid = row.expect("schemes are made from this table only").0;
        let parameters = der::write_sequence(&[&der::write_octets(salt), &der::write_u64(rounds)]);
        der::write_algorithm(oid, &parameters)
    }

    /// The same scheme with a new salt (and initial vector) of the same length.
    pub(crate) fn renewed(&self, env: &mut WriteEnv<'_>) -> Self {
        let mut next = self.clone();
        match &mut next {
            Self::Pbes1 { salt, .. } | Self::Pkcs12 { salt, .. } => *salt = env.random_vec(salt.len()),
            Self::Pbes2(pbes2) => {
                pbes2.kdf.renew(env);
                pbes2.iv = env.random_vec(pbes2.iv.len());
            }
        }
        next
    }

    /// Rounds of key derivation it asks for.
    pub(crate) fn rounds(&self) -> u64 {
        match self {
            Self::Pbes1 { rounds, .. } | Self::Pkcs12 { rounds, .. } => *rounds,
            Self::Pbes2(pbes2) => pbes2.kdf.rounds(),
        }
    }

    /// Such as `PBES2 AES-256-CBC, PBKDF2 HMAC-SHA-256, 10000 rounds`.
    pub(crate) fn describe(&self) -> String {
        let rounds = self.rounds();
        match self {
            Self::Pbes1 { hash, cipher, .. } => {
                format!("PBES1 {}, {}, {rounds} rounds", cipher.name(), hash.name())
            }
            Self::Pbes2(pbes2) => {
                format!("PBES2 {}, {}", pbes2.cipher.name(), pbes2.kdf.describe())
            }
            Self::Pkcs12 { cipher, .. } => format!("PKCS#12 PBE {}, SHA-1, {rounds} rounds", cipher.name()),
        }
    }

    /// Opens `ciphertext`.
    ///
    /// # Errors
    /// `OverLimit` before any derivation; `WrongPassword` when the padding does not fit.
    pub(crate) fn decrypt(
        &self,
        password: &KdfPassword,
        ciphertext: &[u8],
        max_rounds: u64,
    ) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let (key, iv) = self.key_and_iv(password, max_rounds)?;
        self.cipher()
            .decrypt(&key, &iv, ciphertext)
            .ok_or(UnlockError::WrongPassword)
    }

    /// Protects `plaintext`.
    ///
    /// # Errors
    /// As [`Scheme::decrypt`], but never `WrongPassword`.
    pub(crate) fn encrypt(
        &self,
        password: &KdfPassword,
        plaintext: &[u8],
        max_rounds: u64,
    ) -> Result<Vec<u8>, UnlockError> {
        let (key, iv) = self.key_and_iv(password, max_rounds)?;
        let sealed = self.cipher().encrypt(&key, &iv, plaintext);
        sealed.ok_or(UnlockError::Malformed {
            what: "key or initial vector of a wrong length",
        })
    }

    fn cipher(&self) -> Cipher {
        match self {
            Self::Pbes1 { cipher, .. } | Self::Pkcs12 { cipher, .. } => *cipher,
            Self::Pbes2(pbes2) => pbes2.cipher,
        }
    }

    fn key_and_iv(&self, password: &KdfPassword, max_rounds: u64) -> Result<KeyAndIv, UnlockError> {
        let rounds = checked_rounds(self.rounds(), max_rounds)?;
        Ok(match self {
            Self::Pbes1 { hash, salt, .. } => pbkdf1(*hash, &password.plain, salt, rounds),
            Self::Pbes2(pbes2) => {
                let len = pbes2.cipher.key_len();
                if pbes2.kdf.key_len().is_some_and(|said| said != len as u64) {
                    return Err(UnlockError::Malformed {
                        what: "key length does not fit the cipher",
                    });
                }
                let key = pbes2.kdf.derive(&password.plain, len, max_rounds)?;
                (key, pbes2.iv.clone())
            }
            Self::Pkcs12 { cipher, salt, .. } => {
                let derive = |purpose, len| Hash::Sha1.pkcs12_kdf(purpose, &password.wide, salt, rounds, len);
                let iv = match cipher.block_len() {
                    0 => Vec::new(),
                    len => derive(Purpose::Iv, len).to_vec(),
                };
                (derive(Purpose::Key, cipher.key_len()), iv)
            }
        })
    }
}

impl Pbes2 {
    fn read(mut parameters: Der<'_>) -> Result<Result<Self, String>, ReadError> {
        let mut kdf = parameters.sequence("PBES2 key derivation")?;
        let mut encryption = parameters.sequence("PBES2 encryption")?;
        let derivation = match Kdf::read(&mut kdf)? {
            Ok(derivation) => derivation,
            Err(what) => return Ok(Err(what)),
        };
        let cipher_oid = encryption.expect(tag::OID, "cipher")?.oid("cipher")?;
        let Some((cipher, iv)) = read_cipher(cipher_oid, derivation.key_len(), &mut encryption)? else {
            return Ok(Err(format!("cipher {cipher_oid}")));
        };
        Ok(Ok(Self {
            kdf: derivation,
            cipher,
            iv,
        }))
    }

    fn write(&self) -> Vec<u8> {
        let Self { kdf, cipher, iv } = self;
        let iv = match cipher.rc2_version() {
            Some(version) => der::write_sequence(&[&der::write_u64(version), &der::write_octets(iv)]),
            None => der::write_octets(iv),
        };
        let encryption = der::write_algorithm(cipher.oid(), &iv);
        der::write_algorithm(oid::PBES2, &der::write_sequence(&[&kdf.write(), &encryption]))
    }
}

type KeyAndIv = (Zeroizing<Vec<u8>>, Vec<u8>);

/// PBKDF1: the first eight bytes are the key, the next eight the initial vector. Source: RFC 8018 5.1, 6.1.
fn pbkdf1(hash: Hash, password: &[u8], salt: &[u8], rounds: u32) -> KeyAndIv {
    let mut block = hash.digest(&[password, salt]);
    for _ in 1..rounds {
        block = hash.digest(&[&block]);
    }
    let iv = block[8..16].to_vec();
    block.truncate(8);
    (block, iv)
}

fn read_cipher(
    oid: Oid<'_>,
    key_len: Option<u64>,
    rest: &mut Der<'_>,
) -> Result<Option<(Cipher, Vec<u8>)>, ReadError> {
    if oid == oid::RC2_CBC {
        let mut parameters = rest.sequence("RC2 parameters")?;
        let version = match parameters.optional(tag::INTEGER, "RC2 version")? {
            Some(version) => version.unsigned("RC2 version")?,
            None => 0,
        };
        let iv = parameters
            .expect(tag::OCTET_STRING, "initial vector")?
            .content
            .to_vec();
        let cipher = Cipher::rc2(version, key_len);
        return Ok(cipher.map(|cipher| (cipher, iv)));
    }
    let Some(cipher) = Cipher::from_oid(oid) else {
        return Ok(None);
    };
    let iv = rest.expect(tag::OCTET_STRING, "initial vector")?;
    if iv.content.len() != cipher.block_len() {
        return Err(ReadError::BadValue {
            what: "initial vector",
            offset: iv.offset,
        });
    }
    Ok(Some((cipher, iv.content.to_vec())))
}

/// OID, hash of PBES1 (none: a PKCS#12 scheme), cipher.
#[rustfmt::skip]
const OLD_SCHEMES: [(Oid<'static>, Option<Hash>, Cipher); 12] = [
    (oid::PBE_MD2_DES, Some(Hash::Md2), Cipher::Des),
    (oid::PBE_MD2_RC2, Some(Hash::Md2), Cipher::Rc2 { key_bytes: 8, bits: 64 }),
    (oid::PBE_MD5_DES, Some(Hash::Md5), Cipher::Des),
    (oid::PBE_SHA1_DES, Some(Hash::Sha1), Cipher::Des),
    (oid::PBE_MD5_RC2, Some(Hash::Md5), Cipher::Rc2 { key_bytes: 8, bits: 64 }),
    (oid::PBE_SHA1_RC2, Some(Hash::Sha1), Cipher::Rc2 { key_bytes: 8, bits: 64 }),
    (oid::PBE_SHA1_RC4_128, None, Cipher::Rc4 { key_bytes: 16 }),
    (oid::PBE_SHA1_RC4_40, None, Cipher::Rc4 { key_bytes: 5 }),
    (oid::PBE_SHA1_3DES, None, Cipher::Des3),
    (oid::PBE_SHA1_2DES, None, Cipher::Des2),
    (oid::PBE_SHA1_RC2_128, None, Cipher::Rc2 { key_bytes: 16, bits: 128 }),
    (oid::PBE_SHA1_RC2_40, None, Cipher::Rc2 { key_bytes: 5, bits: 40 }),
];
