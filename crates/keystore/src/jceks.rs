//! What JCEKS has beyond JKS: `PBEWithMD5AndTripleDES`, and secret keys as sealed Java objects.
//!
//! The key derivation takes each half of the 8-byte salt, `rounds` times h = MD5(h, password); the two results
//! give 24 bytes of key and 8 of initial vector for 3DES-CBC. A secret key is a serialized
//! `javax.crypto.SealedObject` whose plaintext is again a serialized object. Nothing is instantiated: the
//! stream is walked, and only the classes named here are taken.
//!
//! Source: OpenJDK `com.sun.crypto.provider.PBES1Core`, `SealedObjectForKeyProtector`, `java.security.KeyRep`.

mod object;

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::der::{self, Der, tag};
use crate::entry::Unlock;
use crate::error::{ParseError, UnlockError};
use crate::jceks::object::Object;
pub(crate) use crate::jceks::object::StreamError;
use crate::kdf::checked_rounds;
use crate::limits::Limits;
use crate::reader::{ReadError, Reader};
use crate::secret::{Password, PrivateKey, SecretKey, WriteEnv};
use crate::sniff::Format;

/// Reads a sealed secret key up to its last byte; the stream itself says where that is.
///
/// # Errors
/// `Unsupported` for an object of any class but the two of sealed keys; a read error with its offset.
pub(crate) fn read_sealed(reader: &mut Reader<'_>, limits: &Limits) -> Result<SealedKey, StreamError> {
    let offset = reader.offset();
    let object = object::read(reader, limits.max_depth)?;
    if !SEALED_CLASSES.contains(&object.class()) {
        return Err(StreamError::Unsupported {
            offset,
            what: format!("object of class {}", object.class()),
        });
    }
    Ok(SealedKey {
        parameters: object.bytes("encodedParams").unwrap_or_default().to_vec(),
        content: object.bytes("encryptedContent").unwrap_or_default().to_vec(),
        algorithm: object.text("sealAlg").unwrap_or_default().to_owned(),
        max_rounds: limits.max_kdf_rounds,
        max_depth: limits.max_depth,
    })
}

impl StreamError {
    /// The same error of a store's reader.
    pub(crate) fn into_parse(self, format: Format, alias: &str) -> ParseError {
        match self {
            Self::Read(error) => ParseError::from_read(format, Some(alias), error),
            Self::Unsupported { offset, what } => ParseError::Unsupported {
                format,
                offset,
                alias: Some(alias.to_owned()),
                what,
            },
        }
    }
}

/// A secret key as its store has it.
pub(crate) struct SealedKey {
    parameters: Vec<u8>,
    content: Vec<u8>,
    algorithm: String,
    max_rounds: u64,
    max_depth: usize,
}

impl SealedKey {
    fn scheme(&self) -> Result<Scheme, UnlockError> {
        if self.algorithm != "PBEWithMD5AndTripleDES" {
            return Err(UnlockError::Unsupported {
                what: self.algorithm.clone(),
            });
        }
        let read = Scheme::read(&mut Der::new(&self.parameters));
        read.map_err(|_| UnlockError::Malformed {
            what: "sealed object's parameters",
        })
    }
}

impl Unlock for SealedKey {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Err(UnlockError::NoKey)
    }

    fn secret_key(&self, password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        let password = password.ok_or(UnlockError::NeedsPassword)?;
        let clear = self.scheme()?.decrypt(password, &self.content, self.max_rounds)?;
        let object = object::read(&mut Reader::new(&clear), self.max_depth);
        let object = object.map_err(|_| UnlockError::WrongPassword)?;
        key_of(&object).ok_or_else(|| UnlockError::Unsupported {
            what: format!("class {}", object.class()),
        })
    }

    fn protection(&self) -> String {
        self.scheme()
            .map_or_else(|error| error.to_string(), |scheme| scheme.describe())
    }
}

/// The sealed object of a secret key, as Java writes it into a store; `None` when the password is not ASCII.
pub(crate) fn seal(key: &SecretKey, password: &Password, env: &mut WriteEnv<'_>) -> Option<Vec<u8>> {
    let scheme = Scheme::new(env);
    let clear = object::write_secret_key(key.algorithm(), key.raw())?;
    let sealed = scheme.encrypt(password, &clear)?;
    object::write_sealed(&scheme.write(), &sealed, "PBEWithMD5AndTripleDES")
}

/// The raw key of the two classes that hold one.
fn key_of(object: &Object) -> Option<SecretKey> {
    let raw = match object.class() {
        "javax.crypto.spec.SecretKeySpec" => object.bytes("key")?,
        "java.security.KeyRep" => object.bytes("encoded")?,
        _ => return None,
    };
    Some(SecretKey::new(object.text("algorithm")?, raw))
}

/// `PBEWithMD5AndTripleDES` with its salt and rounds.
pub(crate) struct Scheme {
    salt: [u8; 8],
    rounds: u64,
}

impl Scheme {
    /// With a new salt and the rounds that Java 11 to 25 write.
    pub(crate) fn new(env: &mut WriteEnv<'_>) -> Self {
        Self {
            salt: env.random(),
            rounds: 200_000,
        }
    }

    /// Reads the parameters SEQUENCE{ salt(8), rounds }.
    pub(crate) fn read(der: &mut Der<'_>) -> Result<Self, ReadError> {
        let mut parameters = der.sequence("protection parameters")?;
        let salt = parameters.expect(tag::OCTET_STRING, "salt")?;
        let bad = ReadError::BadValue {
            what: "salt",
            offset: salt.offset,
        };
        let rounds = parameters
            .expect(tag::INTEGER, "iteration count")?
            .unsigned("iteration count")?;
        Ok(Self {
            salt: salt.content.try_into().map_err(|_| bad)?,
            rounds,
        })
    }

    /// The parameters.
    pub(crate) fn write(&self) -> Vec<u8> {
        der::write_sequence(&[&der::write_octets(&self.salt), &der::write_u64(self.rounds)])
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        format!("PBEWithMD5AndTripleDES, {} rounds", self.rounds)
    }

    /// Opens `data`.
    pub(crate) fn decrypt(
        &self,
        password: &Password,
        data: &[u8],
        max_rounds: u64,
    ) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let rounds = checked_rounds(self.rounds, max_rounds)?;
        let (key, iv) = self.derive(password, rounds);
        Cipher::Des3
            .decrypt(&key, &iv, data)
            .ok_or(UnlockError::WrongPassword)
    }

    /// Protects `data`; `None` when the password is not ASCII, which Java refuses here.
    pub(crate) fn encrypt(&self, password: &Password, data: &[u8]) -> Option<Vec<u8>> {
        if !password.as_bytes().is_ascii() {
            return None;
        }
        let (key, iv) = self.derive(password, u32::try_from(self.rounds).ok()?);
        Cipher::Des3.encrypt(&key, &iv, data)
    }

    fn derive(&self, password: &Password, rounds: u32) -> (Zeroizing<Vec<u8>>, Vec<u8>) {
        let mut derived = Zeroizing::new(Vec::with_capacity(32));
        for half in self.halves() {
            let first = Md5::new().chain_update(half).chain_update(password.as_bytes());
            let mut block = first.finalize();
            for _ in 1..rounds {
                block = Md5::new()
                    .chain_update(block)
                    .chain_update(password.as_bytes())
                    .finalize();
            }
            derived.extend_from_slice(&block);
        }
        let iv = derived.split_off(24);
        (derived, iv)
    }

    /// Equal halves would cancel out; Java's way around it (with its slip: byte 2, not the mirrored one, is
    /// assigned) has been the format ever since.
    fn halves(&self) -> [[u8; 4]; 2] {
        let [a, b, c, d, rest @ ..] = self.salt;
        let first = if [a, b, c, d] == rest {
            [d, a, b, d]
        } else {
            [a, b, c, d]
        };
        [first, rest]
    }
}

const SEALED_CLASSES: [&str; 2] = [
    "com.sun.crypto.provider.SealedObjectForKeyProtector",
    "javax.crypto.SealedObject",
];
