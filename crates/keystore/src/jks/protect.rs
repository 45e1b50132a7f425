//! How JKS and JCEKS protect a private key: an EncryptedPrivateKeyInfo whose algorithm is Sun's own.
//!
//! | algorithm | data |
//! |---|---|
//! | 1.3.6.1.4.1.42.2.17.1.1 (JKS) | salt(20), key XOR stream, SHA-1(password, key) |
//! | 1.3.6.1.4.1.42.2.19.1 (JCEKS) | `PBEWithMD5AndTripleDES`, see `jceks.rs` |
//!
//! The JKS stream is SHA-1(password, salt), then SHA-1(password, block before), and so on; the password in
//! UTF-16BE. Source: OpenJDK `sun.security.provider.KeyProtector`, `com.sun.crypto.provider.KeyProtector`.

use zeroize::Zeroizing;

use crate::der::{self, Der, tag};
use crate::digest::Hash;
use crate::entry::Unlock;
use crate::error::{UnlockError, WriteError};
use crate::jceks;
use crate::oid;
use crate::pbe::{KdfPassword, Scheme};
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, WriteEnv, same_secret};
use crate::sniff::Format;

/// The bytes of one EncryptedPrivateKeyInfo; looked at only when it is opened, as Java does.
pub(super) struct ProtectedKey {
    pub(super) sealed: Vec<u8>,
    pub(super) max_rounds: u64,
}

impl Unlock for ProtectedKey {
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        let password = password.ok_or(UnlockError::NeedsPassword)?;
        let (algorithm, data) = split(&self.sealed).map_err(|_| NOT_SEALED)?;
        let clear = match algorithm? {
            Protection::Jks => open_jks(password, &data)?,
            Protection::Jceks(scheme) => scheme.decrypt(password, &data, self.max_rounds)?,
            Protection::Standard(scheme) => {
                scheme.decrypt(&KdfPassword::new(password), &data, self.max_rounds)?
            }
        };
        PrivateKey::from_pkcs8_der(clear.to_vec()).map_err(|_| UnlockError::WrongPassword)
    }

    fn protection(&self) -> String {
        match split(&self.sealed) {
            Ok((Ok(Protection::Jks), _)) => "JKS key protector, SHA-1".to_owned(),
            Ok((Ok(Protection::Jceks(scheme)), _)) => scheme.describe(),
            Ok((Ok(Protection::Standard(scheme)), _)) => scheme.describe(),
            Ok((Err(unknown), _)) => unknown.to_string(),
            Err(_) => NOT_SEALED.to_string(),
        }
    }
}

/// Protects a key the way the format's own tool does.
pub(super) fn seal(
    format: Format,
    key: &PrivateKey,
    password: &Password,
    env: &mut WriteEnv<'_>,
) -> Result<Vec<u8>, WriteError> {
    let (algorithm, data) = if format == Format::Jceks {
        let scheme = jceks::Scheme::new(env);
        let data = scheme.encrypt(password, key.pkcs8_der());
        let why = "JCEKS keys take ASCII passwords only";
        let data = data.ok_or(WriteError::PasswordUnusable { format, why })?;
        (
            der::write_algorithm(oid::JCEKS_KEY_PROTECTOR, &scheme.write()),
            data,
        )
    } else {
        let data = seal_jks(password, key.pkcs8_der(), env.random());
        (
            der::write_algorithm(oid::JKS_KEY_PROTECTOR, &der::write_null()),
            data,
        )
    };
    Ok(der::write_sequence(&[&algorithm, &der::write_octets(&data)]))
}

enum Protection {
    Jks,
    Jceks(jceks::Scheme),
    Standard(Scheme),
}

type Split = (Result<Protection, UnlockError>, Vec<u8>);

/// The protection of an EncryptedPrivateKeyInfo and its data.
fn split(sealed: &[u8]) -> Result<Split, ReadError> {
    let mut outer = der::only(sealed, 0, tag::SEQUENCE, "protected key")?.children();
    let algorithm = outer.sequence("protection algorithm")?;
    let data = outer
        .expect(tag::OCTET_STRING, "protected key data")?
        .octets()?
        .into_owned();
    Ok((protection(algorithm)?, data))
}

fn protection(algorithm: Der<'_>) -> Result<Result<Protection, UnlockError>, ReadError> {
    let mut fields = algorithm.clone();
    let oid = fields
        .expect(tag::OID, "protection algorithm")?
        .oid("protection algorithm")?;
    if oid == oid::JKS_KEY_PROTECTOR {
        return Ok(Ok(Protection::Jks));
    }
    if oid == oid::JCEKS_KEY_PROTECTOR {
        return jceks::Scheme::read(&mut fields).map(|scheme| Ok(Protection::Jceks(scheme)));
    }
    let scheme = Scheme::read(algorithm)?;
    Ok(scheme
        .map(Protection::Standard)
        .map_err(|what| UnlockError::Unsupported { what }))
}

fn open_jks(password: &Password, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
    let too_short = UnlockError::Malformed {
        what: "protected key shorter than its salt and check",
    };
    let (salt, rest) = data.split_at_checked(20).ok_or(too_short.clone())?;
    let (hidden, check) = rest
        .split_at_checked(rest.len().wrapping_sub(20))
        .ok_or(too_short)?;
    let password = password.utf16be();
    let clear = jks_stream(&password, salt, hidden);
    if same_secret(&Hash::Sha1.digest(&[&password, &clear]), check) {
        Ok(clear)
    } else {
        Err(UnlockError::WrongPassword)
    }
}

fn seal_jks(password: &Password, clear: &[u8], salt: [u8; 20]) -> Vec<u8> {
    let password = password.utf16be();
    let hidden = jks_stream(&password, &salt, clear);
    let check = Hash::Sha1.digest(&[&password, clear]);
    [&salt, hidden.as_slice(), &check].concat()
}

fn jks_stream(password: &[u8], salt: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut block = Zeroizing::new(salt.to_vec());
    for chunk in bytes.chunks(20) {
        block = Hash::Sha1.digest(&[password, &block]);
        out.extend(chunk.iter().zip(block.iter()).map(|(byte, mask)| byte ^ mask));
    }
    out
}

const NOT_SEALED: UnlockError = UnlockError::Malformed {
    what: "not an EncryptedPrivateKeyInfo",
};
