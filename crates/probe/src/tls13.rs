//! Reading the server's flight of TLS 1.3 with the secret of our own handshake.
//!
//! OpenSSL tells neither the authorities of a request for a certificate nor the chain before it is checked; the bytes
//! that came in and the handshake's traffic secret do. Source: RFC 8446, 5.2, 7.1 and 7.3.

use hello::Flight;
use hello::Message;
use hello::Reading;
use hello::Suite;
use hello::records;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::Cipher;
use openssl::symm::decrypt_aead;

/// Takes the encrypted messages of `incoming` into `flight`, up to the server's Finished. Says whether all was read.
pub(crate) fn take_encrypted(flight: &mut Flight, incoming: &[u8], secret: &[u8]) -> bool {
    let suite = flight
        .hello
        .as_ref()
        .and_then(|hello| Suite::of_number(hello.suite));
    let Some(keys) = suite.and_then(|suite| Keys::derive(suite, secret)) else {
        return false;
    };
    let mut handshake = Vec::new();
    let encrypted = records(incoming)
        .into_iter()
        .filter(|(kind, _)| *kind == APPLICATION);
    for (number, (_, content)) in encrypted.enumerate() {
        let Some((kind, plain)) = keys.open(number as u64, content) else {
            return false;
        };
        if kind == HANDSHAKE {
            handshake.extend(plain);
        }
        if messages(flight, &mut handshake) {
            return true;
        }
    }
    false
}

/// Takes whole messages off the front; says whether the last one was Finished.
fn messages(flight: &mut Flight, handshake: &mut Vec<u8>) -> bool {
    let bytes = std::mem::take(handshake);
    let mut rest = Reading::new(&bytes);
    let mut left = rest;
    while let (Some(kind), Some(body)) = (rest.number(1), rest.vector(3)) {
        left = rest;
        let kind = u8::try_from(kind).expect("one byte");
        if kind == FINISHED {
            return true;
        }
        flight.take(Message { kind, body });
    }
    *handshake = left.rest().to_vec();
    false
}

struct Keys {
    cipher: Cipher,
    key: Vec<u8>,
    iv: Vec<u8>,
}

impl Keys {
    fn derive(suite: Suite, secret: &[u8]) -> Option<Self> {
        let (cipher, digest) = match suite.number {
            0x1301 => (Cipher::aes_128_gcm(), MessageDigest::sha256()),
            0x1302 => (Cipher::aes_256_gcm(), MessageDigest::sha384()),
            0x1303 => (Cipher::chacha20_poly1305(), MessageDigest::sha256()),
            _ => return None,
        };
        Some(Self {
            cipher,
            key: expand(digest, secret, b"key", cipher.key_len())?,
            iv: expand(digest, secret, b"iv", NONCE)?,
        })
    }

    /// The kind and the content of a record.
    fn open(&self, number: u64, content: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (body, tag) = content.split_at_checked(content.len().checked_sub(TAG)?)?;
        let mut nonce = self.iv.clone();
        for (byte, count) in nonce.iter_mut().skip(NONCE - 8).zip(number.to_be_bytes()) {
            *byte ^= count;
        }
        let length = u16::try_from(content.len()).ok()?.to_be_bytes();
        let head = [APPLICATION, 3, 3, length[0], length[1]];
        let mut plain = decrypt_aead(self.cipher, &self.key, Some(&nonce), &head, body, tag).ok()?;
        while plain.last() == Some(&0) {
            plain.pop();
        }
        let kind = plain.pop()?;
        Some((kind, plain))
    }
}

/// HKDF-Expand-Label without context, for outputs of one block. Source: RFC 8446, 7.1; RFC 5869, 2.3.
pub(crate) fn expand(digest: MessageDigest, secret: &[u8], label: &[u8], length: usize) -> Option<Vec<u8>> {
    expand_with(digest, secret, label, &[], length)
}

/// HKDF-Expand-Label with a context.
pub(crate) fn expand_with(
    digest: MessageDigest,
    secret: &[u8],
    label: &[u8],
    context: &[u8],
    length: usize,
) -> Option<Vec<u8>> {
    let mut block = u16::try_from(length).ok()?.to_be_bytes().to_vec();
    block.push(u8::try_from(label.len() + 6).ok()?);
    block.extend(b"tls13 ");
    block.extend(label);
    block.push(u8::try_from(context.len()).ok()?);
    block.extend(context);
    block.push(1);
    let mut output = mac(digest, secret, &block)?;
    (output.len() >= length).then(|| output.truncate(length))?;
    Some(output)
}

/// HMAC.
pub(crate) fn mac(digest: MessageDigest, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let key = PKey::hmac(key).ok()?;
    let mut signer = Signer::new(digest, &key).ok()?;
    signer.update(message).ok()?;
    signer.sign_to_vec().ok()
}

const APPLICATION: u8 = 23;
const HANDSHAKE: u8 = 22;
const FINISHED: u8 = 20;
const NONCE: usize = 12;
const TAG: usize = 16;
