//! Passwords in Liberty and WebSphere settings: `{xor}` and base64 of each byte XOR `5F` (an underscore).
//!
//! A disguise, not a protection. Source: Open Liberty `PasswordCipherUtil`, `PasswordUtil`; docs/formats/liberty-xor.md.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::Password;

/// Why a setting cannot be read as a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XorError {
    /// Encrypted with a key that lies elsewhere, or hashed.
    #[error("password is encoded as {{{algorithm}}}, which cannot be read here")]
    OtherAlgorithm {
        /// What stands in the braces.
        algorithm: String,
    },
    /// What follows `{xor}` is no base64.
    #[error("what follows {{xor}} is not base64")]
    NotBase64,
}

/// Reads the value of a setting: `{xor}…`, or the password itself when there are no braces in front.
///
/// # Errors
/// [`XorError`].
pub fn read_xor(value: &str) -> Result<Password, XorError> {
    let Some((algorithm, text)) = value.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return Ok(Password::new(value));
    };
    if !algorithm.eq_ignore_ascii_case("xor") {
        return Err(XorError::OtherAlgorithm {
            algorithm: algorithm.to_owned(),
        });
    }
    let disguised = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| XorError::NotBase64)?);
    let typed: Vec<u8> = disguised.iter().map(|byte| byte ^ UNDERSCORE).collect();
    Ok(Password::new(typed))
}

/// Writes a password as `{xor}…`.
pub fn write_xor(password: &Password) -> String {
    let disguised: Vec<u8> = password.as_bytes().iter().map(|byte| byte ^ UNDERSCORE).collect();
    format!("{{xor}}{}", STANDARD.encode(Zeroizing::new(disguised).as_slice()))
}

const UNDERSCORE: u8 = b'_';

#[cfg(test)]
mod tests;
