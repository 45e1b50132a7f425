//! JKS and JCEKS, the way back.

use crate::certificate::Certificate;
use crate::entry::{Body, Entry};
use crate::error::WriteError;
use crate::jks::{JavaStore, Piece, protect};
use crate::modified_utf8;
use crate::secret::{Password, WriteEnv};
use crate::sniff::Format;

impl JavaStore {
    /// Everything before the digest. Entries that no edit touched are copied.
    pub(super) fn encode(&self, password: &Password, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let too_large = |what| WriteError::TooLarge {
            format: self.format,
            what,
        };
        let magic: [u8; 4] = if self.format == Format::Jceks {
            [0xce; 4]
        } else {
            [0xfe, 0xed, 0xfe, 0xed]
        };
        let count = i32::try_from(self.entries.len()).map_err(|_| too_large("the number of entries"))?;
        let mut out = Vec::with_capacity(self.original.len() + 4096);
        out.extend_from_slice(&magic);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        for (entry, piece) in self.entries.iter().zip(&self.pieces) {
            match piece {
                Piece::Encoded(bytes) => out.extend_from_slice(bytes),
                Piece::NewCertificate => {
                    self.head(&mut out, 2, entry);
                    for certificate in entry.certificates() {
                        self.certificate(&mut out, certificate)?;
                    }
                }
                Piece::NewKey { key, password: own } => {
                    self.head(&mut out, 1, entry);
                    let own = own.as_ref().unwrap_or(password);
                    let sealed = protect::seal(self.format, key, own, env)?;
                    run(&mut out, &sealed).ok_or_else(|| too_large("a key"))?;
                    let Body::PrivateKey { chain, .. } = &entry.body else {
                        continue;
                    };
                    let count = i32::try_from(chain.len()).map_err(|_| too_large("a chain"))?;
                    out.extend_from_slice(&count.to_be_bytes());
                    for certificate in chain {
                        self.certificate(&mut out, certificate)?;
                    }
                }
            }
        }
        Ok(out)
    }

    fn head(&self, out: &mut Vec<u8>, tag: u32, entry: &Entry) {
        out.extend_from_slice(&tag.to_be_bytes());
        out.extend_from_slice(&utf(entry.alias().unwrap_or_default()));
        out.extend_from_slice(&entry.created_ms.unwrap_or_default().to_be_bytes());
    }

    fn certificate(&self, out: &mut Vec<u8>, certificate: &Certificate) -> Result<(), WriteError> {
        if self.version == 2 {
            out.extend_from_slice(&utf("X.509"));
        }
        let too_large = WriteError::TooLarge {
            format: self.format,
            what: "a certificate",
        };
        run(out, certificate.der()).ok_or(too_large)
    }
}

/// A string behind its two-byte length. Names are checked for their length when they are set.
pub(super) fn utf(text: &str) -> Vec<u8> {
    let bytes = modified_utf8::encode(text);
    let len = u16::try_from(bytes.len()).expect("names are at most 65535 bytes");
    [&len.to_be_bytes(), bytes.as_slice()].concat()
}

fn run(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let len = i32::try_from(bytes.len()).ok()?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
    Some(())
}
