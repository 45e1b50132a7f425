//! The body of a PEM block.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// The bytes behind base64 without blanks; `None` where it is none.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
