//! AES-CCM as BCFKS uses it: one nonce, one tag at the end, nothing authenticated besides.
//!
//! | block | content |
//! |---|---|
//! | B0 | flags 8(t-2)/2 + (q-1), nonce (15-q bytes), message length (q bytes) |
//! | A0, A1 … | flags q-1, nonce, counter (q bytes) |
//!
//! The tag is the CBC-MAC of B0 and the padded message, masked by A0. Source: RFC 3610 2; NIST SP 800-38C.

use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::secret::same_secret;

/// The plaintext; `None` when the tag differs, or nonce, tag or key have a length that CCM does not know.
pub(crate) fn open(key: &[u8], nonce: &[u8], tag_len: usize, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = Aes256::new_from_slice(key).ok()?;
    let shape = Shape::new(nonce, tag_len)?;
    let (body, tag) = sealed.split_at_checked(sealed.len().checked_sub(tag_len)?)?;
    let mut clear = Zeroizing::new(body.to_vec());
    shape.mask(&cipher, &mut clear);
    let wanted = shape.tag(&cipher, &clear)?;
    same_secret(&wanted, tag).then_some(clear)
}

/// The ciphertext with its tag behind it; `None` as [`open`], and for a message that the counter cannot count.
pub(crate) fn seal(key: &[u8], nonce: &[u8], tag_len: usize, clear: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256::new_from_slice(key).ok()?;
    let shape = Shape::new(nonce, tag_len)?;
    let tag = shape.tag(&cipher, clear)?;
    let mut out = clear.to_vec();
    shape.mask(&cipher, &mut out);
    out.extend_from_slice(&tag);
    Some(out)
}

/// Nonce and tag length, checked.
struct Shape<'a> {
    nonce: &'a [u8],
    tag_len: usize,
}

type Block = [u8; 16];

impl<'a> Shape<'a> {
    fn new(nonce: &'a [u8], tag_len: usize) -> Option<Self> {
        let is_known = (7..=13).contains(&nonce.len()) && matches!(tag_len, 4 | 6 | 8 | 10 | 12 | 14 | 16);
        is_known.then_some(Self { nonce, tag_len })
    }

    /// Bytes of the length and counter fields: q.
    fn width(&self) -> usize {
        15 - self.nonce.len()
    }

    /// A block of flags, nonce and number.
    fn block(&self, flags: u8, number: u64) -> Block {
        let mut block = [0; 16];
        block[0] = flags;
        block[1..=self.nonce.len()].copy_from_slice(self.nonce);
        for (at, byte) in number.to_be_bytes().iter().rev().enumerate().take(self.width()) {
            block[15 - at] = *byte;
        }
        block
    }

    fn mask(&self, cipher: &Aes256, bytes: &mut [u8]) {
        for (number, chunk) in (1..).zip(bytes.chunks_mut(16)) {
            let stream = encrypted(cipher, self.block(self.width() as u8 - 1, number));
            chunk
                .iter_mut()
                .zip(stream)
                .for_each(|(byte, mask)| *byte ^= mask);
        }
    }

    fn tag(&self, cipher: &Aes256, clear: &[u8]) -> Option<Vec<u8>> {
        let length = clear.len() as u64;
        if self.width() < 8 && length >> (8 * self.width()) != 0 {
            return None;
        }
        let flags = ((self.tag_len as u8 - 2) / 2) << 3 | (self.width() as u8 - 1);
        let mut sum = encrypted(cipher, self.block(flags, length));
        for chunk in clear.chunks(16) {
            sum.iter_mut().zip(chunk).for_each(|(sum, byte)| *sum ^= byte);
            sum = encrypted(cipher, sum);
        }
        let mask = encrypted(cipher, self.block(self.width() as u8 - 1, 0));
        let tag = sum.iter().zip(mask).map(|(sum, mask)| sum ^ mask);
        Some(tag.take(self.tag_len).collect())
    }
}

fn encrypted(cipher: &Aes256, block: Block) -> Block {
    let mut block = Array::from(block);
    cipher.encrypt_block(&mut block);
    block.into()
}

#[cfg(test)]
mod tests;
