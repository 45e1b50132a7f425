//! Stash files (`.sth`): the password of a database, disguised.
//!
//! | Version | Bytes |
//! |---|---|
//! | 1 | 129: each XOR F5 |
//! | 2 | 193 = A (32, random), B (32, SHA-256 of 01 and A), C (129, XOR F5 and a key stream made of A and B) |
//!
//! Behind the disguise: the password, a zero byte, filler up to 129 bytes. Neither form is tied to a host and neither
//! keeps a secret from whoever can read the file. Source: docs/formats/kdb.md, section 7.

use zeroize::Zeroizing;

use crate::digest::Hash;
use crate::secret::{Password, WriteEnv};

/// The two kinds of stash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StashVersion {
    /// 129 bytes.
    V1,
    /// 193 bytes, as tools since GSKit 8.0.50 write it.
    V2,
}

/// Why a stash cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StashError {
    /// The check value does not fit: the file was altered.
    #[error("stash: altered after it was written (its check value does not fit)")]
    Altered,
    /// No password in it; GSKit refuses such a stash.
    #[error("stash: holds an empty password, which GSKit refuses")]
    Empty,
    /// A password that a stash cannot hold.
    #[error("stash: a password of {length} bytes cannot be stashed, 1 to {limit} without a zero byte can")]
    PasswordUnusable {
        /// Its length.
        length: usize,
        /// The longest one.
        limit: usize,
    },
    /// Not one of the two lengths.
    #[error("stash: {found} bytes long, a stash has 129 or 193")]
    WrongSize {
        /// The length found.
        found: usize,
    },
}

/// Reads the password out of a stash.
///
/// # Errors
/// [`StashError`]; a stash written with the faulty algorithm that is published gives a wrong password and no error, as
/// with GSKit.
///
/// Cost: some hundred hashes.
pub fn read_stash(bytes: &[u8]) -> Result<(Password, StashVersion), StashError> {
    let (disguised, version) = match bytes.len() {
        SIZE => (Zeroizing::new(bytes.to_vec()), StashVersion::V1),
        SIZE_V2 => {
            let (salt, rest) = bytes.split_at(32);
            let (check, body) = rest.split_at(32);
            if *Hash::Sha256.digest(&[&[1], salt]) != check {
                return Err(StashError::Altered);
            }
            (mixed(body, &key_stream(salt, check)), StashVersion::V2)
        }
        found => return Err(StashError::WrongSize { found }),
    };
    let payload = Zeroizing::new(disguised.iter().map(|byte| byte ^ DISGUISE).collect::<Vec<u8>>());
    let end = payload.iter().position(|byte| *byte == 0).unwrap_or(SIZE);
    match end {
        0 => Err(StashError::Empty),
        _ => Ok((Password::new(&payload[..end]), version)),
    }
}

/// Whether the bytes can only be a stash, whatever they begin with: salt and filler are random, so a stash can begin like
/// a file of any other format.
pub(crate) fn is_surely_stash(bytes: &[u8]) -> bool {
    bytes.len() == SIZE_V2 && *Hash::Sha256.digest(&[&[1], &bytes[..32]]) == bytes[32..64]
}

/// Whether the bytes can be a stash of the first version: its length, and a password in text.
pub(crate) fn can_be_stash(bytes: &[u8]) -> bool {
    let plain = Zeroizing::new(bytes.iter().map(|byte| byte ^ DISGUISE).collect::<Vec<u8>>());
    let end = plain.iter().position(|byte| *byte == 0).unwrap_or(SIZE);
    bytes.len() == SIZE && end > 0 && std::str::from_utf8(&plain[..end]).is_ok()
}

/// Writes a stash with random filler.
///
/// # Errors
/// `PasswordUnusable` for an empty password, one with a zero byte, or one above 128 bytes.
pub fn write_stash(
    password: &Password,
    version: StashVersion,
    env: &mut WriteEnv<'_>,
) -> Result<Vec<u8>, StashError> {
    let typed = password.as_bytes();
    if !is_usable(password) {
        return Err(StashError::PasswordUnusable {
            length: typed.len(),
            limit: MAX_PASSWORD,
        });
    }
    let mut payload = Zeroizing::new(typed.to_vec());
    payload.push(0);
    while payload.len() < SIZE {
        let filler = env.random::<64>();
        payload.extend(filler.iter().filter(|byte| **byte != 0));
    }
    payload.truncate(SIZE);
    let salt = env.random::<32>();
    Ok(write_payload(&payload, version, &salt))
}

/// Whether GSKit's tools and stashes take this password.
pub(super) fn is_usable(password: &Password) -> bool {
    let typed = password.as_bytes();
    (1..=MAX_PASSWORD).contains(&typed.len()) && !typed.contains(&0)
}

fn write_payload(payload: &[u8], version: StashVersion, salt: &[u8]) -> Vec<u8> {
    let disguised = Zeroizing::new(payload.iter().map(|byte| byte ^ DISGUISE).collect::<Vec<u8>>());
    match version {
        StashVersion::V1 => disguised.to_vec(),
        StashVersion::V2 => {
            let check = Hash::Sha256.digest(&[&[1], salt]);
            let body = mixed(&disguised, &key_stream(salt, &check));
            [salt, &check, &body].concat()
        }
    }
}

/// The real loop hashes once before it looks at byte 8. Published code looks first; both differ for one salt in 256,
/// and there GSKit refuses what the published code writes.
fn key_stream(salt: &[u8], check: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut state = Hash::Sha256.digest(&[salt, check]);
    loop {
        state = Hash::Sha256.digest(&[&state]);
        if state[8] == 3 {
            break;
        }
    }
    for _ in 0..64 {
        state = Hash::Sha256.digest(&[&state]);
    }
    let seed = Hash::Sha256.hmac(&state, CONSTANT);
    let mut chained = Hash::Sha256.hmac(&seed, &[1, 1, 2, 3, 5, 8]);
    let mut stream = Zeroizing::new(Vec::with_capacity(160));
    while stream.len() < SIZE {
        stream.extend_from_slice(&Hash::Sha256.hmac(&seed, &chained));
        // The whole stream so far goes in front: 32, 64, 128, 224 … bytes.
        chained = Zeroizing::new([stream.as_slice(), chained.as_slice()].concat());
    }
    stream
}

fn mixed(bytes: &[u8], stream: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.iter().zip(stream).map(|(byte, key)| byte ^ key).collect())
}

const SIZE: usize = 129;
const SIZE_V2: usize = 193;
const DISGUISE: u8 = 0xf5;
/// The cap of the tools; a stash can hold one more.
pub(super) const MAX_PASSWORD: usize = 128;
const CONSTANT: &[u8] = b"13EC6D5C885056915AB35FAD2BDDF39F40D7C57B8B4D28F66B61B75F391446FDA96751174DBD9713D02E0B38732E763501DBBB85EC60E437929ED2AA8981B36B";

#[cfg(test)]
mod tests;
