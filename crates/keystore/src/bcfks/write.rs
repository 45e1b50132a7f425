//! BCFKS, the way out. Entries that no edit touched keep their bytes inside the sealed store.

use zeroize::Zeroizing;

use crate::bcfks::FipsStore;
use crate::bcfks::sealing::{Check, Purpose, Sealing};
use crate::der::{self, Der, tag};
use crate::entry::Entry;
use crate::error::{UnlockError, WriteError};
use crate::named::Piece;
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, SecretKey, WriteEnv};
use crate::secret_names;
use crate::sniff::Format;
use crate::time;

impl FipsStore {
    /// The whole file, with new salts and nonces.
    pub(super) fn encode(&self, password: &Password, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let algorithm = self.check.algorithm().ok_or_else(|| {
            let what = "a signature as its integrity check".to_owned();
            WriteError::Unsupported {
                format: Format::Bcfks,
                what,
            }
        })?;
        let mut rows: Vec<Zeroizing<Vec<u8>>> = Vec::with_capacity(self.named.entries.len());
        for (entry, piece) in self.named.entries.iter().zip(&self.named.pieces) {
            rows.push(Zeroizing::new(self.entry(entry, piece, password, env)?));
        }
        let rows: Vec<&[u8]> = rows.iter().map(|row| row.as_slice()).collect();
        let now = time::write_generalized(env.now_ms.div_euclid(1000));
        let created = if self.created.is_empty() {
            &now
        } else {
            &self.created
        };
        let clear = Zeroizing::new(der::write_sequence(&[
            &der::write_u64(1),
            &algorithm,
            created,
            &now,
            &Zeroizing::new(der::write_sequence(&rows)),
            &self.comment,
        ]));
        let max_rounds = self.limits.max_kdf_rounds;
        let sealing = self.sealing.renewed(env);
        let sealed = sealing
            .seal(password, Purpose::Store, &clear, max_rounds)
            .map_err(unwritable)?;
        let store = der::write_sequence(&[&sealing.write(), &der::write_octets(&sealed)]);
        let mut check = self.check.clone();
        let Check::Mac { kdf, .. } = &mut check else {
            return Ok(Vec::new());
        };
        kdf.renew(env);
        let kdf = kdf.write();
        let mac = check
            .compute(password, &store, max_rounds)
            .map_err(unwritable)?
            .unwrap_or_default();
        let integrity = der::write_sequence(&[&algorithm, &kdf, &der::write_octets(&mac)]);
        let mut out = der::write_sequence(&[&store, &integrity]);
        out.extend_from_slice(&self.original[self.end..]);
        Ok(out)
    }

    fn entry(
        &self,
        entry: &Entry,
        piece: &Piece,
        password: &Password,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let (kind, content) = match piece {
            Piece::Changed(_) | Piece::Kept(_) => {
                return Ok(self.named.encoded(piece).unwrap_or_default().to_vec());
            }
            Piece::NewCertificate => {
                let certificate = entry.certificates().first();
                (0, certificate.map(|one| one.der().to_vec()).unwrap_or_default())
            }
            Piece::NewKey { key, password: own } => {
                let sealed = self.private_key(key, own.as_ref().unwrap_or(password), env)?;
                let chain: Vec<&[u8]> = entry.certificates().iter().map(|one| one.der()).collect();
                (1, der::write_sequence(&[&sealed, &der::write_sequence(&chain)]))
            }
            Piece::NewSecret { key, password: own } => {
                (2, self.secret_key(key, own.as_ref().unwrap_or(password), env)?)
            }
        };
        let date = time::write_generalized(entry.created_ms.unwrap_or_default().div_euclid(1000));
        Ok(der::write_sequence(&[
            &der::write_u64(kind),
            &der::write(tag::UTF8_STRING, &[entry.alias().unwrap_or_default().as_bytes()]),
            &date,
            &date,
            &der::write_octets(&content),
        ]))
    }

    fn private_key(
        &self,
        key: &PrivateKey,
        password: &Password,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let sealing = self.key_sealing(env);
        let sealed = sealing
            .seal(
                password,
                Purpose::PrivateKey,
                key.pkcs8_der(),
                self.limits.max_kdf_rounds,
            )
            .map_err(unwritable)?;
        Ok(der::write_sequence(&[
            &sealing.write(),
            &der::write_octets(&sealed),
        ]))
    }

    fn secret_key(
        &self,
        key: &SecretKey,
        password: &Password,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let oid = secret_names::oid_of(key.algorithm(), Format::Bcfks);
        let oid = oid.ok_or_else(|| WriteError::Unsupported {
            format: Format::Bcfks,
            what: format!("a secret key for {}", key.algorithm()),
        })?;
        let clear = Zeroizing::new(der::write_sequence(&[&oid, &der::write_octets(key.raw())]));
        let sealing = self.key_sealing(env);
        let sealed = sealing
            .seal(password, Purpose::SecretKey, &clear, self.limits.max_kdf_rounds)
            .map_err(unwritable)?;
        Ok(der::write_sequence(&[
            &sealing.write(),
            &der::write_octets(&sealed),
        ]))
    }

    /// BouncyCastle's own derivation for keys, the store's where that is another kind of cipher.
    fn key_sealing(&self, env: &mut WriteEnv<'_>) -> Sealing {
        self.sealing.renewed(env)
    }
}

/// The entry under another name; every other field keeps its bytes.
pub(super) fn renamed(entry: &[u8], alias: &str) -> Vec<u8> {
    let read = || -> Result<Vec<u8>, ReadError> {
        let mut fields = Der::new(entry).sequence("entry")?;
        let kind = fields.any("entry kind")?.full;
        fields.any("entry name")?;
        let name = der::write(tag::UTF8_STRING, &[alias.as_bytes()]);
        Ok(der::write_sequence(&[kind, &name, fields.rest()]))
    };
    read().expect("the entry was walked when the store was read")
}

fn unwritable(error: UnlockError) -> WriteError {
    WriteError::Unsupported {
        format: Format::Bcfks,
        what: error.to_string(),
    }
}
