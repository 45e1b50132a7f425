//! SSL 2.0: whether a server still speaks it. Source: draft-hickman-netscape-ssl-00.

use crate::Reading;

/// What an SSL 2.0 server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssl2Hello {
    /// Its certificate; empty where it sent none.
    pub certificate: Vec<u8>,
    /// Cipher kinds that both have.
    pub kinds: Vec<&'static str>,
}

/// A CLIENT-HELLO of SSL 2.0 with all its cipher kinds.
pub fn ssl2_hello(challenge: [u8; 16]) -> Vec<u8> {
    let mut body = vec![1, 0, 2];
    let kinds_length = u16::try_from(KINDS.len() * 3).expect("eight kinds");
    body.extend(kinds_length.to_be_bytes());
    body.extend([0, 0, 0, 16]);
    for (number, _) in KINDS {
        body.extend(&number.to_be_bytes()[1..]);
    }
    body.extend(challenge);
    let length = u16::try_from(body.len()).expect("a short message") | 0x8000;
    let mut record = length.to_be_bytes().to_vec();
    record.extend(body);
    record
}

/// Reads a SERVER-HELLO of SSL 2.0; `None` where it is something else, or not whole yet.
pub fn ssl2_kinds(bytes: &[u8]) -> Option<Ssl2Hello> {
    let mut record = Reading::new(bytes);
    let head = record.number(2)?;
    if head & 0x8000 == 0 {
        return None;
    }
    let mut body = Reading::new(record.take(head & 0x7fff)?);
    if body.take(1)? != [4] {
        return None;
    }
    body.take(2)?;
    if body.word()? != 0x0002 {
        return None;
    }
    let (certificate, kinds) = (body.number(2)?, body.number(2)?);
    body.take(2)?;
    let certificate = body.take(certificate)?.to_vec();
    let kinds = body.take(kinds)?;
    let known = kinds.chunks_exact(3).filter_map(|kind| {
        let number = u32::from_be_bytes([0, kind[0], kind[1], kind[2]]);
        KINDS
            .iter()
            .find(|(known, _)| *known == number)
            .map(|(_, name)| *name)
    });
    Some(Ssl2Hello {
        certificate,
        kinds: known.collect(),
    })
}

const KINDS: [(u32, &str); 8] = [
    (0x01_0080, "SSL_CK_RC4_128_WITH_MD5"),
    (0x02_0080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5"),
    (0x03_0080, "SSL_CK_RC2_128_CBC_WITH_MD5"),
    (0x04_0080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5"),
    (0x05_0080, "SSL_CK_IDEA_128_CBC_WITH_MD5"),
    (0x06_0040, "SSL_CK_DES_64_CBC_WITH_MD5"),
    (0x07_00c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"),
    (0x08_0080, "SSL_CK_RC4_64_WITH_MD5"),
];
