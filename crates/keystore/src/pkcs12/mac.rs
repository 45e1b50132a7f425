//! MacData: the old HMAC keyed by the PKCS#12 derivation, and PBMAC1.
//!
//! Source: RFC 7292 4 and appendix B.4; RFC 9879.

use crate::der::{self, Der, tag};
use crate::digest::{Hash, Purpose};
use crate::error::UnlockError;
use crate::kdf::{Pbkdf2, checked_rounds};
use crate::oid;
use crate::pbe::KdfPassword;
use crate::profile::MacSuite;
use crate::reader::ReadError;
use crate::secret::{WriteEnv, same_secret};

/// The integrity check of a store, with the algorithms it will be written with again.
#[derive(Clone)]
pub(super) struct Mac {
    kind: MacKind,
    /// The AlgorithmIdentifier of an old MAC as it stands in the file.
    algorithm: Vec<u8>,
    value: Vec<u8>,
    /// For PBMAC1 this and the rounds mean nothing, but are kept.
    salt: Vec<u8>,
    rounds: u64,
    /// Where the rounds stand in the file.
    pub(super) rounds_offset: usize,
}

#[derive(Clone)]
enum MacKind {
    Old(Hash),
    Pbmac1 { derivation: Pbkdf2, hash: Hash },
    Unknown(String),
}

impl Mac {
    /// What Java 17 writes; the value is made when the store is written.
    pub(super) fn java17() -> Self {
        Self {
            kind: MacKind::Old(Hash::Sha256),
            algorithm: der::write_algorithm(oid::SHA256, &der::write_null()),
            value: Vec::new(),
            salt: vec![0; 20],
            rounds: 10_000,
            rounds_offset: 0,
        }
    }

    /// As a profile asks; the value is made when the store is written.
    pub(super) fn of(suite: &MacSuite) -> Self {
        let blank = |kind, algorithm, salt_len, rounds| Self {
            kind,
            algorithm,
            value: Vec::new(),
            salt: vec![0; salt_len],
            rounds,
            rounds_offset: 0,
        };
        match suite {
            MacSuite::Old {
                hash,
                salt_len,
                rounds,
            } => {
                let algorithm = der::write_algorithm(hash.oid(), &der::write_null());
                blank(MacKind::Old(*hash), algorithm, *salt_len, *rounds)
            }
            MacSuite::Pbmac1 { rounds } => {
                let hash = Hash::Sha256;
                let derivation = Pbkdf2 {
                    prf: hash,
                    salt: vec![0; 16],
                    rounds: *rounds,
                    key_len: Some(32),
                };
                // RFC 9879 4: the old salt and rounds mean nothing; one round as OpenSSL writes.
                blank(MacKind::Pbmac1 { derivation, hash }, Vec::new(), 8, 1)
            }
        }
    }

    /// Reads the fields of MacData.
    pub(super) fn read(mut fields: Der<'_>) -> Result<Self, ReadError> {
        let mut digest_info = fields.sequence("MAC digest")?;
        let algorithm = digest_info.expect(tag::SEQUENCE, "MAC algorithm")?;
        let value = digest_info
            .expect(tag::OCTET_STRING, "MAC value")?
            .octets()?
            .into_owned();
        let salt = fields
            .expect(tag::OCTET_STRING, "MAC salt")?
            .octets()?
            .into_owned();
        let mut rounds_offset = fields.offset();
        let rounds = match fields.optional(tag::INTEGER, "MAC iteration count")? {
            Some(rounds) => rounds.unsigned("MAC iteration count")?,
            None => 1,
        };
        let mut parts = algorithm.children();
        let oid = parts.expect(tag::OID, "MAC algorithm")?.oid("MAC algorithm")?;
        let kind = if oid == oid::PBMAC1 {
            rounds_offset = parts.offset();
            read_pbmac1(parts)?
        } else {
            let unknown = || MacKind::Unknown(format!("MAC algorithm {oid}"));
            Hash::from_oid(oid).map_or_else(unknown, MacKind::Old)
        };
        Ok(Self {
            kind,
            algorithm: algorithm.full.to_vec(),
            value,
            salt,
            rounds,
            rounds_offset,
        })
    }

    /// Whether the MAC over `content` is the one in the file.
    ///
    /// # Errors
    /// `OverLimit`, `Malformed` (zero rounds, key length absent or too short), `Unsupported`.
    pub(super) fn verify(
        &self,
        password: &KdfPassword,
        content: &[u8],
        max_rounds: u64,
    ) -> Result<bool, UnlockError> {
        Ok(same_secret(
            &self.compute(password, content, max_rounds)?,
            &self.value,
        ))
    }

    /// MacData over new content, with a new salt.
    pub(super) fn renewed(
        &self,
        password: &KdfPassword,
        content: &[u8],
        max_rounds: u64,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, UnlockError> {
        let mut next = self.clone();
        next.salt = env.random_vec(self.salt.len());
        if let MacKind::Pbmac1 { derivation, hash } = &mut next.kind {
            derivation.salt = env.random_vec(derivation.salt.len());
            let oid = hash.hmac_oid().ok_or(UnlockError::Unsupported {
                what: hash.name().to_owned(),
            })?;
            let scheme = der::write_algorithm(oid, &der::write_null());
            let parameters = der::write_sequence(&[&derivation.write(), &scheme]);
            next.algorithm = der::write_algorithm(oid::PBMAC1, &parameters);
        }
        let value = next.compute(password, content, max_rounds)?;
        let digest_info = der::write_sequence(&[&next.algorithm, &der::write_octets(&value)]);
        let rounds = if next.rounds == 1 {
            Vec::new()
        } else {
            der::write_u64(next.rounds)
        };
        Ok(der::write_sequence(&[
            &digest_info,
            &der::write_octets(&next.salt),
            &rounds,
        ]))
    }

    fn compute(
        &self,
        password: &KdfPassword,
        content: &[u8],
        max_rounds: u64,
    ) -> Result<Vec<u8>, UnlockError> {
        let key_and_hash = match &self.kind {
            MacKind::Old(hash) => {
                let rounds = checked_rounds(self.rounds, max_rounds)?;
                let wide = &password.wide;
                (
                    hash.pkcs12_kdf(Purpose::Mac, wide, &self.salt, rounds, hash.len()),
                    *hash,
                )
            }
            MacKind::Pbmac1 { derivation, hash } => {
                let rounds = checked_rounds(derivation.rounds, max_rounds)?;
                let len = match derivation.key_len {
                    Some(len @ 20..=1024) => len as usize,
                    Some(_) => {
                        return Err(UnlockError::Malformed {
                            what: "PBMAC1 key length out of range",
                        });
                    }
                    None => {
                        return Err(UnlockError::Malformed {
                            what: "PBMAC1 key length is missing",
                        });
                    }
                };
                (
                    derivation
                        .prf
                        .pbkdf2(&password.plain, &derivation.salt, rounds, len),
                    *hash,
                )
            }
            MacKind::Unknown(what) => return Err(UnlockError::Unsupported { what: what.clone() }),
        };
        let (key, hash) = key_and_hash;
        Ok(hash.hmac(&key, content).to_vec())
    }
}

fn read_pbmac1(mut parts: Der<'_>) -> Result<MacKind, ReadError> {
    let mut parameters = parts.sequence("PBMAC1 parameters")?;
    let mut kdf = parameters.sequence("PBMAC1 key derivation")?;
    let mut scheme = parameters.sequence("PBMAC1 message authentication")?;
    let kdf_oid = kdf.expect(tag::OID, "key derivation")?.oid("key derivation")?;
    if kdf_oid != oid::PBKDF2 {
        return Ok(MacKind::Unknown(format!("key derivation {kdf_oid}")));
    }
    let derivation = match Pbkdf2::read(kdf.sequence("PBKDF2 parameters")?)? {
        Ok(derivation) => derivation,
        Err(what) => return Ok(MacKind::Unknown(what)),
    };
    let hash_oid = scheme
        .expect(tag::OID, "message authentication")?
        .oid("message authentication")?;
    Ok(match Hash::from_hmac_oid(hash_oid) {
        Some(hash) => MacKind::Pbmac1 { derivation, hash },
        None => MacKind::Unknown(format!("message authentication {hash_oid}")),
    })
}
