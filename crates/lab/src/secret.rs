//! A password in a form that its holder alone can read, as Liberty's `{aes}` is.

use openssl::base64::{decode_block, encode_block};
use openssl::error::ErrorStack;
use openssl::symm::{Cipher, decrypt, encrypt};

use crate::LabError;
use crate::place::{Place, read, write_mode};

/// Encrypts with a key that lies among the lab's own things.
pub(crate) fn conceal(place: &Place, password: &str) -> Result<String, LabError> {
    let mut key = [0; 16];
    let mut iv = [0; 16];
    openssl::rand::rand_bytes(&mut key).map_err(openssl)?;
    openssl::rand::rand_bytes(&mut iv).map_err(openssl)?;
    write_mode(&place.aes_key(), &key, 0o600)?;
    let sealed = encrypt(Cipher::aes_128_cbc(), &key, Some(&iv), password.as_bytes()).map_err(openssl)?;
    Ok(format!(
        "{PREFIX}{}",
        encode_block(&[iv.as_slice(), &sealed].concat())
    ))
}

/// The password in a setting: `{xor}`, `{aes}` of this lab, or as it stands.
pub(crate) fn reveal(place: &Place, written: &str) -> Result<Vec<u8>, LabError> {
    if let Some(turned) = written.strip_prefix("{xor}") {
        let bytes = decode_block(turned).map_err(openssl)?;
        return Ok(bytes.into_iter().map(|b| b ^ 0x5f).collect());
    }
    let Some(sealed) = written.strip_prefix(PREFIX) else {
        return Ok(written.as_bytes().to_vec());
    };
    let path = place.aes_key();
    let key = read(&path)?;
    let sealed = decode_block(sealed).map_err(openssl)?;
    match sealed.split_first_chunk::<16>() {
        Some((iv, rest)) if key.len() == 16 => {
            decrypt(Cipher::aes_128_cbc(), &key, Some(iv), rest).map_err(openssl)
        }
        _ => Err(LabError::Content {
            path,
            what: "too short".to_owned(),
        }),
    }
}

fn openssl(source: ErrorStack) -> LabError {
    LabError::OpenSsl {
        verb: "encrypt or decrypt a password",
        source,
    }
}

const PREFIX: &str = "{aes}";
