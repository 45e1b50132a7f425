//! How BCFKS seals: PBES2 with a purpose in the derivation, and the MAC over the whole.

use aes_kw::KwpAes256;
use aes_kw::cipher::KeyInit;
use zeroize::Zeroizing;

use crate::ccm;
use crate::der::{self, Der, tag};
use crate::digest::Hash;
use crate::error::UnlockError;
use crate::kdf::{Kdf, Pbkdf2, Scrypt};
use crate::oid;
use crate::pbe::KdfPassword;
use crate::reader::ReadError;
use crate::secret::{Password, WriteEnv, same_secret};

/// What a derived key is for; the words are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Integrity,
    PrivateKey,
    SecretKey,
    Store,
}

/// A derivation and a cipher with their parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sealing {
    pub(super) kdf: Kdf,
    cipher: SealingCipher,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SealingCipher {
    Ccm { nonce: Vec<u8>, tag_len: u64 },
    Wrap,
}

impl Sealing {
    /// What BouncyCastle 1.72 writes; salt and nonce are placeholders until [`Sealing::renewed`].
    pub(super) fn usual() -> Self {
        let cipher = SealingCipher::Ccm {
            nonce: vec![0; 12],
            tag_len: 8,
        };
        Self {
            kdf: usual_kdf(32),
            cipher,
        }
    }

    /// Reads an AlgorithmIdentifier. `Ok(Err(name))` is a sound one that is not supported.
    pub(super) fn read(mut algorithm: Der<'_>) -> Result<Result<Self, String>, ReadError> {
        let what = "protection algorithm";
        let oid = algorithm.expect(tag::OID, what)?.oid(what)?;
        if oid != oid::PBES2 {
            return Ok(Err(format!("protection algorithm {oid}")));
        }
        let mut parameters = algorithm.sequence("PBES2 parameters")?;
        let mut kdf = parameters.sequence("PBES2 key derivation")?;
        let mut encryption = parameters.sequence("PBES2 encryption")?;
        let kdf = match Kdf::read(&mut kdf)? {
            Ok(kdf) => kdf,
            Err(what) => return Ok(Err(what)),
        };
        let oid = encryption.expect(tag::OID, "cipher")?.oid("cipher")?;
        let cipher = if oid == oid::AES256_CCM {
            let mut fields = encryption.sequence("CCM parameters")?;
            let nonce = fields.expect(tag::OCTET_STRING, "CCM nonce")?.content.to_vec();
            let tag_len = match fields.optional(tag::INTEGER, "CCM tag length")? {
                Some(len) => len.unsigned("CCM tag length")?,
                None => 12,
            };
            SealingCipher::Ccm { nonce, tag_len }
        } else if oid == oid::AES256_WRAP_PAD {
            SealingCipher::Wrap
        } else {
            return Ok(Err(format!("cipher {oid}")));
        };
        Ok(Ok(Self { kdf, cipher }))
    }

    /// The AlgorithmIdentifier.
    pub(super) fn write(&self) -> Vec<u8> {
        let encryption = match &self.cipher {
            SealingCipher::Ccm { nonce, tag_len } => {
                // RFC 5084: 12 is the default and is left out.
                let tag_len = if *tag_len == 12 {
                    Vec::new()
                } else {
                    der::write_u64(*tag_len)
                };
                let parameters = der::write_sequence(&[&der::write_octets(nonce), &tag_len]);
                der::write_algorithm(oid::AES256_CCM, &parameters)
            }
            SealingCipher::Wrap => der::write_algorithm(oid::AES256_WRAP_PAD, &[]),
        };
        der::write_algorithm(
            oid::PBES2,
            &der::write_sequence(&[&self.kdf.write(), &encryption]),
        )
    }

    /// The same with new salt and nonce.
    pub(super) fn renewed(&self, env: &mut WriteEnv<'_>) -> Self {
        let mut next = self.clone();
        next.kdf.renew(env);
        if let SealingCipher::Ccm { nonce, .. } = &mut next.cipher {
            *nonce = env.random_vec(nonce.len());
        }
        next
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        let cipher = match &self.cipher {
            SealingCipher::Ccm { .. } => "AES-256-CCM",
            SealingCipher::Wrap => "AES-256 key wrap",
        };
        format!("PBES2 {cipher}, {}", self.kdf.describe())
    }

    /// Opens `sealed`.
    ///
    /// # Errors
    /// Those of the derivation; `WrongPassword` when the cipher's own check fails.
    pub(super) fn open(
        &self,
        password: &Password,
        purpose: Purpose,
        sealed: &[u8],
        max_rounds: u64,
    ) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let key = derive(&self.kdf, password, purpose, 32, max_rounds)?;
        let clear = match &self.cipher {
            SealingCipher::Ccm { nonce, tag_len } => {
                let tag_len = usize::try_from(*tag_len).unwrap_or(usize::MAX);
                ccm::open(&key, nonce, tag_len, sealed)
            }
            SealingCipher::Wrap => {
                let mut out = Zeroizing::new(vec![0; sealed.len()]);
                let wrap = KwpAes256::new_from_slice(&key).ok();
                let len = wrap.and_then(|wrap| wrap.unwrap_key(sealed, &mut out).ok().map(<[u8]>::len));
                len.map(|len| {
                    out.truncate(len);
                    out
                })
            }
        };
        clear.ok_or(UnlockError::WrongPassword)
    }

    /// Seals `clear`.
    ///
    /// # Errors
    /// Those of the derivation; `Malformed` for lengths that the cipher does not know.
    pub(super) fn seal(
        &self,
        password: &Password,
        purpose: Purpose,
        clear: &[u8],
        max_rounds: u64,
    ) -> Result<Vec<u8>, UnlockError> {
        let key = derive(&self.kdf, password, purpose, 32, max_rounds)?;
        let sealed = match &self.cipher {
            SealingCipher::Ccm { nonce, tag_len } => {
                let tag_len = usize::try_from(*tag_len).unwrap_or(usize::MAX);
                ccm::seal(&key, nonce, tag_len, clear)
            }
            SealingCipher::Wrap => {
                let mut out = vec![0; clear.len().next_multiple_of(8) + 8];
                let wrap = KwpAes256::new_from_slice(&key).ok();
                let len = wrap.and_then(|wrap| wrap.wrap_key(clear, &mut out).ok().map(<[u8]>::len));
                len.map(|len| {
                    out.truncate(len);
                    out
                })
            }
        };
        sealed.ok_or(UnlockError::Malformed {
            what: "nonce or tag of a wrong length",
        })
    }
}

/// The integrity check of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    Mac {
        hash: Hash,
        kdf: Kdf,
    },
    /// A signature, which needs a public key from elsewhere: it is not checked, and the store is not written anew.
    Signature,
}

impl Check {
    /// What BouncyCastle 1.72 writes.
    pub(super) fn usual() -> Self {
        Self::Mac {
            hash: Hash::Sha512,
            kdf: usual_kdf(64),
        }
    }

    /// The AlgorithmIdentifier of the MAC.
    pub(super) fn algorithm(&self) -> Option<Vec<u8>> {
        match self {
            Self::Mac { hash, .. } => Some(der::write_algorithm(hash.hmac_oid()?, &der::write_null())),
            Self::Signature => None,
        }
    }

    /// The MAC over `store`; `None` for a signature.
    ///
    /// # Errors
    /// Those of the derivation; `Malformed` when it does not say how long the key is.
    pub(super) fn compute(
        &self,
        password: &Password,
        store: &[u8],
        max_rounds: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, UnlockError> {
        let Self::Mac { hash, kdf } = self else {
            return Ok(None);
        };
        let len = match kdf.key_len() {
            Some(len @ 1..=1024) => len as usize,
            _ => {
                return Err(UnlockError::Malformed {
                    what: "length of the MAC key is missing or out of range",
                });
            }
        };
        let key = derive(kdf, password, Purpose::Integrity, len, max_rounds)?;
        Ok(Some(hash.hmac(&key, store)))
    }

    /// Whether `mac` is the one over `store`.
    ///
    /// # Errors
    /// As [`Check::compute`].
    pub(super) fn fits(
        &self,
        password: &Password,
        store: &[u8],
        mac: &[u8],
        max_rounds: u64,
    ) -> Result<bool, UnlockError> {
        let wanted = self.compute(password, store, max_rounds)?;
        Ok(wanted.is_none_or(|wanted| same_secret(&wanted, mac)))
    }
}

fn derive(
    kdf: &Kdf,
    password: &Password,
    purpose: Purpose,
    len: usize,
    max_rounds: u64,
) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
    if kdf.key_len().is_some_and(|said| said != len as u64) {
        return Err(UnlockError::Malformed {
            what: "key length does not fit the cipher",
        });
    }
    // BouncyCastle gives an empty password no terminator.
    let mut input = match password.as_bytes() {
        [] => Zeroizing::new(Vec::new()),
        _ => KdfPassword::new(password).wide,
    };
    for unit in purpose.words().encode_utf16() {
        input.extend_from_slice(&unit.to_be_bytes());
    }
    input.extend_from_slice(&[0, 0]);
    match kdf {
        // BouncyCastle takes the block size for the parallelization as well.
        Kdf::Scrypt(scrypt) => Kdf::Scrypt(Scrypt {
            parallel: scrypt.block,
            ..scrypt.clone()
        })
        .derive(&input, len, max_rounds),
        other => other.derive(&input, len, max_rounds),
    }
}

impl Purpose {
    fn words(self) -> &'static str {
        match self {
            Self::Integrity => "INTEGRITY_CHECK",
            Self::PrivateKey => "PRIVATE_KEY_ENCRYPTION",
            Self::SecretKey => "SECRET_KEY_ENCRYPTION",
            Self::Store => "STORE_ENCRYPTION",
        }
    }
}

fn usual_kdf(key_len: u64) -> Kdf {
    Kdf::Pbkdf2(Pbkdf2 {
        prf: Hash::Sha512,
        salt: vec![0; 64],
        rounds: 51_200,
        key_len: Some(key_len),
    })
}
