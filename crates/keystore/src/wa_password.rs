//! Password files of Workload Automation agents (`tls.sth`): base64 of the password of the private key in PEM.
//!
//! The text inside has no line end; the file may have one. Base64 is not a protection. Source: docs/formats/wa-password.md.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::Password;

/// Why a password file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaPasswordError {
    /// The file has a byte order mark, or text that is no base64: perhaps the password itself.
    #[error("password file: not base64 (it must hold the encoded password, not the password itself)")]
    NotBase64,
    /// Nothing in it.
    #[error("password file: empty")]
    Empty,
    /// The encoded text ends in a line end, as `echo` without `-n` makes it: the product takes it for a part of the
    /// password.
    #[error("password file: the encoded password ends in a line end (made with echo instead of echo -n)")]
    LineEndInside,
}

/// Reads a password file, with or without a line end behind the text.
///
/// # Errors
/// [`WaPasswordError`].
pub fn read_wa_password(bytes: &[u8]) -> Result<Password, WaPasswordError> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err(WaPasswordError::Empty);
    }
    let decoded = Zeroizing::new(STANDARD.decode(text).map_err(|_| WaPasswordError::NotBase64)?);
    match decoded.last() {
        None => Err(WaPasswordError::Empty),
        Some(b'\n' | b'\r') => Err(WaPasswordError::LineEndInside),
        Some(_) => Ok(Password::new(decoded.as_slice())),
    }
}

/// Writes a password file as the product's own tools do: the text and one line end. 13 bytes for a password of 8.
pub fn write_wa_password(password: &Password) -> Vec<u8> {
    rewrite_wa_password(password, b"\n")
}

/// Writes a password file in the form of an `old` one: with its line end, or without.
pub fn rewrite_wa_password(password: &Password, old: &[u8]) -> Vec<u8> {
    let end = old.len() - old.trim_ascii_end().len();
    let mut out = STANDARD.encode(password.as_bytes()).into_bytes();
    out.extend_from_slice(&old[old.len() - end..]);
    out
}

#[cfg(test)]
mod tests;
