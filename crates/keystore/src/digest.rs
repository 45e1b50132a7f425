//! The hash functions of stores: plain, as HMAC, and in the two derivations built on them.

use hmac::digest::{Digest, FixedOutputReset};
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use zeroize::Zeroizing;

use crate::oid::{self, Oid};

/// A hash function that some store names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md2,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha3x512,
    Sha512,
    Sha512t224,
    Sha512t256,
}

/// Calls `$with::<concrete type>(arguments)` for the hash chosen at run time.
macro_rules! with_hash {
    ($hash:expr, $with:ident $arguments:tt) => {
        match $hash {
            Hash::Md2 => $with::<md2::Md2> $arguments,
            Hash::Md5 => $with::<md5::Md5> $arguments,
            Hash::Sha1 => $with::<sha1::Sha1> $arguments,
            Hash::Sha224 => $with::<sha2::Sha224> $arguments,
            Hash::Sha256 => $with::<sha2::Sha256> $arguments,
            Hash::Sha384 => $with::<sha2::Sha384> $arguments,
            Hash::Sha3x512 => $with::<sha3::Sha3_512> $arguments,
            Hash::Sha512 => $with::<sha2::Sha512> $arguments,
            Hash::Sha512t224 => $with::<sha2::Sha512_224> $arguments,
            Hash::Sha512t256 => $with::<sha2::Sha512_256> $arguments,
        }
    };
}

impl Hash {
    /// By the OID of the hash itself.
    pub(crate) fn from_oid(oid: Oid<'_>) -> Option<Self> {
        HASHES.iter().find(|row| row.1 == oid).map(|row| row.0)
    }

    /// By the OID of its HMAC, as PBKDF2 and PBMAC1 name it.
    pub(crate) fn from_hmac_oid(oid: Oid<'_>) -> Option<Self> {
        HASHES.iter().find(|row| row.2 == Some(oid)).map(|row| row.0)
    }

    /// The OID of the hash itself.
    pub(crate) fn oid(self) -> Oid<'static> {
        let row = HASHES.iter().find(|row| row.0 == self);
        row.expect("every hash has its row").1
    }

    /// The OID of its HMAC; MD5 has none that stores use.
    pub(crate) fn hmac_oid(self) -> Option<Oid<'static>> {
        HASHES.iter().find(|row| row.0 == self).and_then(|row| row.2)
    }

    /// Such as `SHA-256`.
    pub(crate) fn name(self) -> &'static str {
        HASHES.iter().find(|row| row.0 == self).map_or("", |row| row.3)
    }

    /// Bytes of its result.
    pub(crate) fn len(self) -> usize {
        with_hash!(self, output_len())
    }

    /// Bytes of the blocks it works in: `v` of the PKCS#12 derivation.
    fn block_len(self) -> usize {
        match self {
            Self::Md2 => 16,
            Self::Sha3x512 => 72,
            Self::Md5 | Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512t224 | Self::Sha512t256 => 128,
        }
    }

    /// The hash of `parts`, one after the other.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        with_hash!(self, digest(parts))
    }

    /// HMAC over `message`.
    pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Md2 => hmac_of::<SimpleHmac<md2::Md2>>(key, message),
            Self::Md5 => hmac_of::<Hmac<md5::Md5>>(key, message),
            Self::Sha1 => hmac_of::<Hmac<sha1::Sha1>>(key, message),
            Self::Sha224 => hmac_of::<Hmac<sha2::Sha224>>(key, message),
            Self::Sha256 => hmac_of::<Hmac<sha2::Sha256>>(key, message),
            Self::Sha384 => hmac_of::<Hmac<sha2::Sha384>>(key, message),
            Self::Sha3x512 => hmac_of::<SimpleHmac<sha3::Sha3_512>>(key, message),
            Self::Sha512 => hmac_of::<Hmac<sha2::Sha512>>(key, message),
            Self::Sha512t224 => hmac_of::<Hmac<sha2::Sha512_224>>(key, message),
            Self::Sha512t256 => hmac_of::<Hmac<sha2::Sha512_256>>(key, message),
        }
    }

    /// PBKDF2 (RFC 8018 5.2) with HMAC of this hash.
    ///
    /// Cost: 2 compressions per round and `len()` bytes of output.
    pub(crate) fn pbkdf2(self, password: &[u8], salt: &[u8], rounds: u32, len: usize) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(vec![0; len]);
        let done = match self {
            Self::Md2 => pbkdf2::pbkdf2::<SimpleHmac<md2::Md2>>(password, salt, rounds, &mut key),
            Self::Md5 => pbkdf2::pbkdf2::<Hmac<md5::Md5>>(password, salt, rounds, &mut key),
            Self::Sha1 => pbkdf2::pbkdf2::<Hmac<sha1::Sha1>>(password, salt, rounds, &mut key),
            Self::Sha224 => pbkdf2::pbkdf2::<Hmac<sha2::Sha224>>(password, salt, rounds, &mut key),
            Self::Sha256 => pbkdf2::pbkdf2::<Hmac<sha2::Sha256>>(password, salt, rounds, &mut key),
            Self::Sha384 => pbkdf2::pbkdf2::<Hmac<sha2::Sha384>>(password, salt, rounds, &mut key),
            Self::Sha3x512 => pbkdf2::pbkdf2::<SimpleHmac<sha3::Sha3_512>>(password, salt, rounds, &mut key),
            Self::Sha512 => pbkdf2::pbkdf2::<Hmac<sha2::Sha512>>(password, salt, rounds, &mut key),
            Self::Sha512t224 => pbkdf2::pbkdf2::<Hmac<sha2::Sha512_224>>(password, salt, rounds, &mut key),
            Self::Sha512t256 => pbkdf2::pbkdf2::<Hmac<sha2::Sha512_256>>(password, salt, rounds, &mut key),
        };
        done.expect("HMAC takes keys of any length");
        key
    }

    /// The PKCS#12 derivation. `password` is already in UTF-16 with its two zero bytes.
    ///
    /// Cost: `rounds` hashes per `len()` bytes of output. Source: RFC 7292 appendix B.2.
    pub(crate) fn pkcs12_kdf(
        self,
        purpose: Purpose,
        password: &[u8],
        salt: &[u8],
        rounds: u32,
        len: usize,
    ) -> Zeroizing<Vec<u8>> {
        let v = self.block_len();
        let diversifier = vec![purpose as u8; v];
        let mut input = Zeroizing::new(stretch(salt, v));
        input.extend_from_slice(&Zeroizing::new(stretch(password, v)));
        let mut out = Zeroizing::new(Vec::with_capacity(len + self.len()));
        loop {
            let block = with_hash!(self, iterated(&diversifier, &input, rounds));
            out.extend_from_slice(&block);
            if out.len() >= len {
                out.truncate(len);
                return out;
            }
            let addend = Zeroizing::new(stretch(&block, v));
            for chunk in input.chunks_mut(v) {
                add_one_and(chunk, &addend);
            }
        }
    }
}

/// What the PKCS#12 derivation is asked for: its `ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

fn output_len<D: Digest>() -> usize {
    <D as Digest>::output_size()
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut hash = D::new();
    parts.iter().for_each(|part| hash.update(part));
    Zeroizing::new(hash.finalize().to_vec())
}

fn hmac_of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

/// H^rounds(first || second).
fn iterated<D: Digest + FixedOutputReset>(first: &[u8], second: &[u8], rounds: u32) -> Zeroizing<Vec<u8>> {
    let mut hash = D::new();
    Digest::update(&mut hash, first);
    Digest::update(&mut hash, second);
    let mut block = hash.finalize_fixed_reset();
    for _ in 1..rounds {
        Digest::update(&mut hash, &block);
        block = hash.finalize_fixed_reset();
    }
    let out = Zeroizing::new(block.to_vec());
    block.fill(0);
    out
}

/// `bytes` repeated up to the next multiple of `v`; nothing stays nothing.
fn stretch(bytes: &[u8], v: usize) -> Vec<u8> {
    let len = bytes.len().div_ceil(v) * v;
    bytes.iter().copied().cycle().take(len).collect()
}

/// `chunk + addend + 1` modulo 2^(8v), big-endian.
fn add_one_and(chunk: &mut [u8], addend: &[u8]) {
    let mut carry = 1u16;
    for (byte, add) in chunk.iter_mut().zip(addend).rev() {
        carry += u16::from(*byte) + u16::from(*add);
        *byte = carry as u8;
        carry >>= 8;
    }
}

/// Hash, its OID, the OID of its HMAC, its name.
#[rustfmt::skip]
const HASHES: [(Hash, Oid<'static>, Option<Oid<'static>>, &str); 10] = [
    (Hash::Md2, oid::MD2, None, "MD2"),
    (Hash::Md5, oid::MD5, None, "MD5"),
    (Hash::Sha1, oid::SHA1, Some(oid::HMAC_SHA1), "SHA-1"),
    (Hash::Sha224, oid::SHA224, Some(oid::HMAC_SHA224), "SHA-224"),
    (Hash::Sha256, oid::SHA256, Some(oid::HMAC_SHA256), "SHA-256"),
    (Hash::Sha384, oid::SHA384, Some(oid::HMAC_SHA384), "SHA-384"),
    (Hash::Sha3x512, oid::SHA3_512, Some(oid::HMAC_SHA3_512), "SHA3-512"),
    (Hash::Sha512, oid::SHA512, Some(oid::HMAC_SHA512), "SHA-512"),
    (Hash::Sha512t224, oid::SHA512_224, Some(oid::HMAC_SHA512_224), "SHA-512/224"),
    (Hash::Sha512t256, oid::SHA512_256, Some(oid::HMAC_SHA512_256), "SHA-512/256"),
];
