//! JKS and JCEKS, the way back.

use crate::certificate::Certificate;
use crate::entry::Entry;
use crate::error::WriteError;
use crate::jceks;
use crate::jks::{JavaStore, protect};
use crate::named::{Piece, utf};
use crate::secret::{Password, WriteEnv};
use crate::sniff::Format;

impl JavaStore {
    /// Everything before the digest. Entries that no edit touched are copied.
    pub(super) fn encode(&self, password: &Password, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let too_large = |what| WriteError::TooLarge {
            format: self.named.format,
            what,
        };
        let magic: [u8; 4] = if self.named.format == Format::Jceks {
            [0xce; 4]
        } else {
            [0xfe, 0xed, 0xfe, 0xed]
        };
        let count =
            i32::try_from(self.named.entries.len()).map_err(|_| too_large("the number of entries"))?;
        let mut out = Vec::with_capacity(self.named.source.len() + 4096);
        out.extend_from_slice(&magic);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        for (entry, piece) in self.named.entries.iter().zip(&self.named.pieces) {
            match piece {
                Piece::Changed(_) | Piece::Kept(_) => {
                    out.extend_from_slice(self.named.encoded(piece).unwrap_or_default());
                }
                Piece::NewCertificate => {
                    self.head(&mut out, 2, entry);
                    for certificate in entry.certificates() {
                        self.certificate(&mut out, certificate)?;
                    }
                }
                Piece::NewKey { key, password: own } => {
                    self.head(&mut out, 1, entry);
                    let own = own.as_ref().unwrap_or(password);
                    let sealed = protect::seal(self.named.format, key, own, env)?;
                    run(&mut out, &sealed).ok_or_else(|| too_large("a key"))?;
                    let chain = entry.certificates();
                    let count = i32::try_from(chain.len()).map_err(|_| too_large("a chain"))?;
                    out.extend_from_slice(&count.to_be_bytes());
                    for certificate in chain {
                        self.certificate(&mut out, certificate)?;
                    }
                }
                Piece::NewSecret { key, password: own } => {
                    self.head(&mut out, 3, entry);
                    let why = "JCEKS keys take ASCII passwords only";
                    let sealed = jceks::seal(key, own.as_ref().unwrap_or(password), env);
                    let (format, bad) = (self.named.format, |format| WriteError::PasswordUnusable {
                        format,
                        why,
                    });
                    out.extend_from_slice(&sealed.ok_or_else(|| bad(format))?);
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
            format: self.named.format,
            what: "a certificate",
        };
        run(out, certificate.der()).ok_or(too_large)
    }
}

fn run(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let len = i32::try_from(bytes.len()).ok()?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
    Some(())
}
