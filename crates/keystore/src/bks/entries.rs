//! The entries of BKS and UBER, and how their keys open.

use zeroize::Zeroizing;

use crate::bks::forms;
use crate::certificate::Certificate;
use crate::cipher::Cipher;
use crate::entry::{Body, Entry, LockedKey, Unlock};
use crate::error::{ParseError, UnlockError};
use crate::limits::Limits;
use crate::modified_utf8;
use crate::named::Piece;
use crate::pbe::Scheme;
use crate::reader::{ReadError, Reader};
use crate::secret::{Password, PrivateKey, SecretKey};
use crate::sniff::Format;

/// Reads entries up to and with the ending zero.
pub(super) fn read(
    reader: &mut Reader<'_>,
    format: Format,
    limits: &Limits,
) -> Result<(Vec<Entry>, Vec<Piece>), ParseError> {
    let (mut entries, mut pieces) = (Vec::new(), Vec::new());
    let mut walk = Walk {
        reader,
        format,
        limits,
        certificates: 0,
    };
    loop {
        let offset = walk.reader.offset();
        let kind = walk
            .reader
            .u8("entry type")
            .map_err(|error| walk.error(None, error))?;
        if kind == 0 {
            return Ok((entries, pieces));
        }
        if entries.len() >= limits.max_entries {
            return Err(walk.over_limit(offset, "entry count", entries.len() + 1));
        }
        entries.push(walk.entry(kind, offset)?);
        pieces.push(Piece::Kept(offset..walk.reader.offset()));
    }
}

struct Walk<'a, 'b> {
    reader: &'a mut Reader<'b>,
    format: Format,
    limits: &'a Limits,
    certificates: usize,
}

impl Walk<'_, '_> {
    fn entry(&mut self, kind: u8, offset: usize) -> Result<Entry, ParseError> {
        if kind > 4 {
            return Err(self.unsupported(offset, None, format!("entry type {kind}")));
        }
        let alias = self.utf("alias", None)?;
        let named = Some(alias.as_str());
        let date = self
            .reader
            .u64("creation date")
            .map_err(|error| self.error(named, error))?;
        let at = self.reader.offset();
        let count = self
            .reader
            .u32("chain length")
            .map_err(|error| self.error(named, error))?;
        let count = if count > i32::MAX as u32 {
            0
        } else {
            count as usize
        };
        if self.certificates.saturating_add(count) > self.limits.max_entries {
            return Err(self.over_limit(at, "certificate count", count));
        }
        let mut chain = Vec::new();
        for _ in 0..count {
            chain.push(self.certificate(&alias)?);
        }
        let body = match kind {
            1 => Body::TrustedCert {
                certificate: self.certificate(&alias)?,
                trusted: true,
            },
            2 => {
                let key = read_clear(self.reader).map_err(|error| self.error(named, error))?;
                let is_private = key.kind == PRIVATE;
                key_body(chain, is_private, LockedKey::new(ClearKey(key)))
            }
            3 => {
                self.reader
                    .run_u32("secret value")
                    .map_err(|error| self.error(named, error))?;
                Body::Opaque {
                    what: "secret value".to_owned(),
                }
            }
            _ => {
                let sealed = self
                    .reader
                    .run_u32("sealed key")
                    .map_err(|error| self.error(named, error))?;
                let sealed = SealedKey {
                    sealed: sealed.to_vec(),
                    max_rounds: self.limits.max_kdf_rounds,
                };
                // Whether it is private is sealed too; as in Java, a chain decides.
                let is_private = !chain.is_empty();
                key_body(chain, is_private, LockedKey::new(sealed))
            }
        };
        Ok(Entry {
            alias: Some(alias),
            created_ms: Some(date as i64),
            body,
        })
    }

    fn certificate(&mut self, alias: &str) -> Result<Certificate, ParseError> {
        let at = self.reader.offset();
        let kind = self.utf("certificate type", Some(alias))?;
        if kind != "X.509" {
            return Err(self.unsupported(at, Some(alias), format!("certificate type {kind:?}")));
        }
        self.certificates += 1;
        let der = self
            .reader
            .run_u32("certificate")
            .map_err(|error| self.error(Some(alias), error))?;
        let start = self.reader.offset() - der.len();
        Certificate::parse(der).map_err(|error| self.error(Some(alias), error.moved(start)))
    }

    fn utf(&mut self, what: &'static str, alias: Option<&str>) -> Result<String, ParseError> {
        read_utf(self.reader, what).map_err(|error| self.error(alias, error))
    }

    fn over_limit(&self, offset: usize, what: &'static str, found: usize) -> ParseError {
        let (found, limit) = (found as u64, self.limits.max_entries as u64);
        ParseError::OverLimit {
            format: self.format,
            offset,
            alias: None,
            what,
            found,
            limit,
        }
    }

    fn unsupported(&self, offset: usize, alias: Option<&str>, what: String) -> ParseError {
        ParseError::Unsupported {
            format: self.format,
            offset,
            alias: alias.map(str::to_owned),
            what,
        }
    }

    fn error(&self, alias: Option<&str>, error: ReadError) -> ParseError {
        ParseError::from_read(self.format, alias, error)
    }
}

fn key_body(chain: Vec<Certificate>, is_private: bool, key: LockedKey) -> Body {
    if is_private {
        Body::PrivateKey { chain, key }
    } else {
        Body::SecretKey { key }
    }
}

fn read_utf(reader: &mut Reader<'_>, what: &'static str) -> Result<String, ReadError> {
    let offset = reader.offset();
    let len = reader.u16(what)?;
    let bytes = reader.take(usize::from(len), what)?;
    modified_utf8::decode(bytes).ok_or(ReadError::BadValue { what, offset })
}

/// The body of a type 2 entry, and the plaintext of a type 4 one.
struct Clear {
    kind: u8,
    algorithm: String,
    bytes: Zeroizing<Vec<u8>>,
}

fn read_clear(reader: &mut Reader<'_>) -> Result<Clear, ReadError> {
    let kind = reader.u8("key kind")?;
    read_utf(reader, "key format")?;
    let algorithm = read_utf(reader, "key algorithm")?;
    let bytes = Zeroizing::new(reader.run_u32("key")?.to_vec());
    Ok(Clear {
        kind,
        algorithm,
        bytes,
    })
}

impl Clear {
    fn private_key(&self) -> Result<PrivateKey, UnlockError> {
        if self.kind != PRIVATE {
            return Err(UnlockError::NoKey);
        }
        let bad = UnlockError::Malformed {
            what: "private key is not PKCS#8",
        };
        PrivateKey::from_pkcs8_der(self.bytes.to_vec()).map_err(|_| bad)
    }

    fn secret_key(&self) -> Result<SecretKey, UnlockError> {
        if self.kind == PRIVATE {
            return Err(UnlockError::NoKey);
        }
        Ok(SecretKey::new(self.algorithm.clone(), self.bytes.as_slice()))
    }
}

struct ClearKey(Clear);

impl Unlock for ClearKey {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        self.0.private_key()
    }

    fn secret_key(&self, _password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        self.0.secret_key()
    }

    fn protection(&self) -> String {
        "none".to_owned()
    }
}

/// Salt, rounds and ciphertext of a type 4 entry.
struct SealedKey {
    sealed: Vec<u8>,
    max_rounds: u64,
}

impl SealedKey {
    fn split(&self) -> Result<(Scheme, &[u8]), UnlockError> {
        let mut reader = Reader::new(&self.sealed);
        let mut read = || -> Result<(Vec<u8>, u32), ReadError> {
            Ok((reader.run_u32("salt")?.to_vec(), reader.u32("iteration count")?))
        };
        let (salt, rounds) = read().map_err(|_| UnlockError::Malformed {
            what: "sealed key's header",
        })?;
        let start = self.sealed.len() - reader.left();
        let scheme = Scheme::Pkcs12 {
            cipher: Cipher::Des3,
            salt,
            rounds: u64::from(rounds),
        };
        Ok((scheme, &self.sealed[start..]))
    }

    fn open(&self, password: Option<&Password>) -> Result<Clear, UnlockError> {
        let password = password.ok_or(UnlockError::NeedsPassword)?;
        let (scheme, data) = self.split()?;
        for form in forms(password) {
            match scheme.decrypt(&form, data, self.max_rounds) {
                Ok(clear) => {
                    if let Ok(key) = read_clear(&mut Reader::new(&clear)) {
                        return Ok(key);
                    }
                }
                Err(UnlockError::WrongPassword) => {}
                Err(error) => return Err(error),
            }
        }
        Err(UnlockError::WrongPassword)
    }
}

impl Unlock for SealedKey {
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        self.open(password)?.private_key()
    }

    fn secret_key(&self, password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        self.open(password)?.secret_key()
    }

    fn protection(&self) -> String {
        self.split()
            .map_or_else(|error| error.to_string(), |(scheme, _)| scheme.describe())
    }
}

const PRIVATE: u8 = 0;
