//! Key derivations with parameters of their own: PBKDF2 and scrypt.
//!
//! | derivation | parameters |
//! |---|---|
//! | PBKDF2 | SEQUENCE{ salt, rounds, keyLength?, prf? } |
//! | scrypt | SEQUENCE{ salt, N, r, p, keyLength? } |
//!
//! Source: RFC 8018 A.2, RFC 7914 7.

use zeroize::Zeroizing;

use crate::der::{self, Der, tag};
use crate::digest::Hash;
use crate::error::UnlockError;
use crate::oid;
use crate::reader::ReadError;
use crate::secret::WriteEnv;

/// A derivation with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kdf {
    Pbkdf2(Pbkdf2),
    Scrypt(Scrypt),
}

impl Kdf {
    /// Reads what stands inside an AlgorithmIdentifier. `Ok(Err(name))` is a sound one that is not supported.
    pub(crate) fn read(algorithm: &mut Der<'_>) -> Result<Result<Self, String>, ReadError> {
        let what = "key derivation";
        let oid = algorithm.expect(tag::OID, what)?.oid(what)?;
        if oid == oid::PBKDF2 {
            return Ok(Pbkdf2::read(algorithm.sequence("PBKDF2 parameters")?)?.map(Self::Pbkdf2));
        }
        if oid == oid::SCRYPT {
            return Ok(Ok(Self::Scrypt(Scrypt::read(
                algorithm.sequence("scrypt parameters")?,
            )?)));
        }
        Ok(Err(format!("key derivation {oid}")))
    }

    /// The AlgorithmIdentifier.
    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Self::Pbkdf2(pbkdf2) => pbkdf2.write(),
            Self::Scrypt(scrypt) => scrypt.write(),
        }
    }

    /// `len` bytes of key.
    ///
    /// # Errors
    /// `OverLimit` and `OverMemory` before anything is derived; `Malformed` for parameters out of range.
    ///
    /// Cost: PBKDF2 two compressions per round and block of output, scrypt 128 N r bytes and 4 N r p of its cores.
    pub(crate) fn derive(
        &self,
        password: &[u8],
        len: usize,
        max_rounds: u64,
    ) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let rounds = checked_rounds(self.rounds(), max_rounds)?;
        match self {
            Self::Pbkdf2(pbkdf2) => Ok(pbkdf2.prf.pbkdf2(password, &pbkdf2.salt, rounds, len)),
            Self::Scrypt(scrypt) => scrypt.derive(password, len),
        }
    }

    /// A new salt of the same length.
    pub(crate) fn renew(&mut self, env: &mut WriteEnv<'_>) {
        let (Self::Pbkdf2(Pbkdf2 { salt, .. }) | Self::Scrypt(Scrypt { salt, .. })) = self;
        *salt = env.random_vec(salt.len());
    }

    /// `keyLength` where it is written down: Java does, OpenSSL does not.
    pub(crate) fn key_len(&self) -> Option<u64> {
        match self {
            Self::Pbkdf2(pbkdf2) => pbkdf2.key_len,
            Self::Scrypt(scrypt) => scrypt.key_len,
        }
    }

    /// Rounds, for scrypt N r p: a round of one costs about as much as a round of the other.
    pub(crate) fn rounds(&self) -> u64 {
        match self {
            Self::Pbkdf2(pbkdf2) => pbkdf2.rounds,
            Self::Scrypt(Scrypt {
                cost,
                block,
                parallel,
                ..
            }) => cost.saturating_mul(*block).saturating_mul(*parallel),
        }
    }

    /// Such as `PBKDF2 HMAC-SHA-256, 10000 rounds`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Pbkdf2(pbkdf2) => format!("PBKDF2 HMAC-{}, {} rounds", pbkdf2.prf.name(), pbkdf2.rounds),
            Self::Scrypt(Scrypt {
                cost,
                block,
                parallel,
                ..
            }) => {
                format!("scrypt N={cost} r={block} p={parallel}")
            }
        }
    }
}

/// The parameters of PBKDF2, as PBES2 and PBMAC1 carry them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pbkdf2 {
    pub(crate) prf: Hash,
    pub(crate) salt: Vec<u8>,
    pub(crate) rounds: u64,
    pub(crate) key_len: Option<u64>,
}

impl Pbkdf2 {
    /// Reads what follows the OID. `prf` defaults to HMAC-SHA-1.
    pub(crate) fn read(mut parameters: Der<'_>) -> Result<Result<Self, String>, ReadError> {
        let salt = parameters
            .expect(tag::OCTET_STRING, "PBKDF2 salt")?
            .content
            .to_vec();
        let rounds = parameters
            .expect(tag::INTEGER, "iteration count")?
            .unsigned("iteration count")?;
        let key_len = match parameters.optional(tag::INTEGER, "key length")? {
            Some(len) => Some(len.unsigned("key length")?),
            None => None,
        };
        let prf = match parameters.optional(tag::SEQUENCE, "pseudo-random function")? {
            None => Hash::Sha1,
            Some(prf) => {
                let what = "pseudo-random function";
                let oid = prf.children().expect(tag::OID, what)?.oid(what)?;
                match Hash::from_hmac_oid(oid) {
                    Some(hash) => hash,
                    None => return Ok(Err(format!("pseudo-random function {oid}"))),
                }
            }
        };
        Ok(Ok(Self {
            prf,
            salt,
            rounds,
            key_len,
        }))
    }

    /// The AlgorithmIdentifier; HMAC-SHA-1 is the default and is left out.
    pub(crate) fn write(&self) -> Vec<u8> {
        let key_len = self.key_len.map(der::write_u64).unwrap_or_default();
        let prf = match self.prf {
            Hash::Sha1 => Vec::new(),
            hash => {
                let oid = hash.hmac_oid().expect("every PRF was read by its OID");
                der::write_algorithm(oid, &der::write_null())
            }
        };
        let (salt, rounds) = (der::write_octets(&self.salt), der::write_u64(self.rounds));
        der::write_algorithm(
            oid::PBKDF2,
            &der::write_sequence(&[&salt, &rounds, &key_len, &prf]),
        )
    }
}

/// The parameters of scrypt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scrypt {
    pub(crate) salt: Vec<u8>,
    /// N.
    pub(crate) cost: u64,
    /// r.
    pub(crate) block: u64,
    /// p.
    pub(crate) parallel: u64,
    pub(crate) key_len: Option<u64>,
}

impl Scrypt {
    fn read(mut parameters: Der<'_>) -> Result<Self, ReadError> {
        let salt = parameters
            .expect(tag::OCTET_STRING, "scrypt salt")?
            .content
            .to_vec();
        let mut number = |what| parameters.expect(tag::INTEGER, what)?.unsigned(what);
        let (cost, block) = (number("scrypt cost")?, number("scrypt block size")?);
        let parallel = number("scrypt parallelization")?;
        let key_len = match parameters.optional(tag::INTEGER, "key length")? {
            Some(len) => Some(len.unsigned("key length")?),
            None => None,
        };
        Ok(Self {
            salt,
            cost,
            block,
            parallel,
            key_len,
        })
    }

    fn write(&self) -> Vec<u8> {
        let numbers = [self.cost, self.block, self.parallel].map(der::write_u64);
        let key_len = self.key_len.map(der::write_u64).unwrap_or_default();
        let [cost, block, parallel] = &numbers;
        let salt = der::write_octets(&self.salt);
        der::write_algorithm(
            oid::SCRYPT,
            &der::write_sequence(&[&salt, cost, block, parallel, &key_len]),
        )
    }

    fn derive(&self, password: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let bytes = self
            .cost
            .saturating_add(self.parallel)
            .saturating_mul(self.block)
            .saturating_mul(128);
        if bytes > MAX_SCRYPT_BYTES {
            return Err(UnlockError::OverMemory {
                found: bytes,
                limit: MAX_SCRYPT_BYTES,
            });
        }
        let bad = UnlockError::Malformed {
            what: "scrypt parameters out of range",
        };
        if !self.cost.is_power_of_two() {
            return Err(bad);
        }
        let log_cost = self.cost.trailing_zeros() as u8;
        // Both were just found to be far below 2^32.
        let (block, parallel) = (self.block as u32, self.parallel as u32);
        let parameters = scrypt::Params::new(log_cost, block, parallel).map_err(|_| bad.clone())?;
        let mut key = Zeroizing::new(vec![0; len]);
        scrypt::scrypt(password, &self.salt, &parameters, &mut key).map_err(|_| bad)?;
        Ok(key)
    }
}

/// `rounds` if they are above zero and within the limit.
pub(crate) fn checked_rounds(rounds: u64, max_rounds: u64) -> Result<u32, UnlockError> {
    if rounds == 0 {
        return Err(UnlockError::Malformed {
            what: "iteration count is zero",
        });
    }
    let over = UnlockError::OverLimit {
        found: rounds,
        limit: max_rounds,
    };
    if rounds > max_rounds {
        Err(over)
    } else {
        u32::try_from(rounds).map_err(|_| over)
    }
}

/// Twice what OpenSSL allows by default (`SCRYPT_MAX_MEM`, 32 MiB).
const MAX_SCRYPT_BYTES: u64 = 64 << 20;
