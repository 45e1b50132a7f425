//! BKS and UBER, the way back. Entries that no edit touched are copied.

use zeroize::Zeroizing;

use crate::bks::{BouncyStore, Header, Piece, derive, forms};
use crate::certificate::Certificate;
use crate::cipher::Cipher;
use crate::der::{Der, tag};
use crate::digest::{Hash, Purpose};
use crate::entry::Entry;
use crate::error::WriteError;
use crate::modified_utf8;
use crate::oid::{self, Oid};
use crate::pbe::{KdfPassword, Scheme};
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, WriteEnv};
use crate::sniff::Format;

impl BouncyStore {
    /// The whole file, with a new salt.
    pub(super) fn encode(&self, password: &Password, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let header = Header {
            salt: env.random_vec(self.header.salt.len()),
            ..self.header.clone()
        };
        let kdf = forms(password).swap_remove(0);
        let mut body = Zeroizing::new(Vec::with_capacity(self.original.len() + 4096));
        for (entry, piece) in self.entries.iter().zip(&self.pieces) {
            match piece {
                Piece::Encoded(bytes) => body.extend_from_slice(bytes),
                Piece::NewCertificate => self.certificate_entry(&mut body, entry)?,
                Piece::NewKey { key, password: own } => {
                    let own = own.as_ref().map(|own| forms(own).swap_remove(0));
                    self.key_entry(&mut body, entry, key, own.as_ref().unwrap_or(&kdf), env)?;
                }
            }
        }
        body.push(0);
        let key_of = |purpose, len| {
            derive(self.format, &header, &kdf, purpose, len, &self.limits)
                .map_err(|_| self.too_large("the iteration count"))
        };
        let mut out = header.version.to_be_bytes().to_vec();
        self.run(&mut out, &header.salt, "the salt")?;
        out.extend_from_slice(&header.rounds.to_be_bytes());
        if self.format == Format::Uber {
            let digest = Hash::Sha1.digest(&[&body]);
            body.extend_from_slice(&digest);
            let (key, iv) = (key_of(Purpose::Key, 32)?, key_of(Purpose::Iv, 16)?);
            let sealed = Cipher::Twofish256.encrypt(&key, &iv, &body);
            out.extend_from_slice(&sealed.expect("key and vector have the lengths of the cipher"));
            return Ok(out);
        }
        let key = key_of(Purpose::Mac, if header.version == 1 { 2 } else { 20 })?;
        out.extend_from_slice(&body);
        out.extend_from_slice(&Hash::Sha1.hmac(&key, &body));
        out.extend_from_slice(&self.original[self.end..]);
        Ok(out)
    }

    fn certificate_entry(&self, out: &mut Vec<u8>, entry: &Entry) -> Result<(), WriteError> {
        self.head(out, 1, entry, &[])?;
        entry
            .certificates()
            .iter()
            .try_for_each(|certificate| self.certificate(out, certificate))
    }

    fn key_entry(
        &self,
        out: &mut Vec<u8>,
        entry: &Entry,
        key: &PrivateKey,
        password: &KdfPassword,
        env: &mut WriteEnv<'_>,
    ) -> Result<(), WriteError> {
        self.head(out, 4, entry, entry.certificates())?;
        let mut clear = Zeroizing::new(vec![0]);
        clear.extend_from_slice(&utf("PKCS#8"));
        clear.extend_from_slice(&utf(&java_name(key)));
        self.run(&mut clear, key.pkcs8_der(), "a key")?;
        let salt = env.random_vec(20);
        let [high, low] = env.random();
        let rounds = 1024 + u32::from(u16::from_be_bytes([high, low]) & 0x3ff);
        let mut sealed = Vec::new();
        self.run(&mut sealed, &salt, "the salt")?;
        sealed.extend_from_slice(&rounds.to_be_bytes());
        let scheme = Scheme::Pkcs12 {
            cipher: Cipher::Des3,
            salt,
            rounds: u64::from(rounds),
        };
        let data = scheme.encrypt(password, &clear, u64::from(u32::MAX));
        sealed.extend_from_slice(&data.expect("key and vector have the lengths of the cipher"));
        self.run(out, &sealed, "a key")
    }

    fn head(
        &self,
        out: &mut Vec<u8>,
        kind: u8,
        entry: &Entry,
        chain: &[Certificate],
    ) -> Result<(), WriteError> {
        out.push(kind);
        out.extend_from_slice(&utf(entry.alias().unwrap_or_default()));
        out.extend_from_slice(&entry.created_ms.unwrap_or_default().to_be_bytes());
        let count = i32::try_from(chain.len()).map_err(|_| self.too_large("a chain"))?;
        out.extend_from_slice(&count.to_be_bytes());
        chain
            .iter()
            .try_for_each(|certificate| self.certificate(out, certificate))
    }

    fn certificate(&self, out: &mut Vec<u8>, certificate: &Certificate) -> Result<(), WriteError> {
        out.extend_from_slice(&utf("X.509"));
        self.run(out, certificate.der(), "a certificate")
    }

    fn run(&self, out: &mut Vec<u8>, bytes: &[u8], what: &'static str) -> Result<(), WriteError> {
        let len = i32::try_from(bytes.len()).map_err(|_| self.too_large(what))?;
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn too_large(&self, what: &'static str) -> WriteError {
        WriteError::TooLarge {
            format: self.format,
            what,
        }
    }
}

/// A string behind its two-byte length. Names are checked for their length when they are set.
pub(super) fn utf(text: &str) -> Vec<u8> {
    let bytes = modified_utf8::encode(text);
    let len = u16::try_from(bytes.len()).expect("names are at most 65535 bytes");
    [&len.to_be_bytes(), bytes.as_slice()].concat()
}

/// The algorithm as Java names it, the OID where it has no name here.
fn java_name(key: &PrivateKey) -> String {
    fn name(der: &[u8]) -> Result<String, ReadError> {
        let mut fields = Der::new(der).sequence("key")?;
        fields.expect(tag::INTEGER, "version")?;
        let mut algorithm = fields.sequence("key algorithm")?;
        let oid = algorithm
            .expect(tag::OID, "key algorithm")?
            .oid("key algorithm")?;
        let known = JAVA_NAMES.iter().find(|row| row.0 == oid);
        Ok(known.map_or_else(|| oid.to_string(), |row| row.1.to_owned()))
    }
    name(key.pkcs8_der()).unwrap_or_default()
}

const JAVA_NAMES: [(Oid<'static>, &str); 6] = [
    (oid::RSA, "RSA"),
    (oid::RSA_PSS, "RSASSA-PSS"),
    (oid::EC, "EC"),
    (oid::DSA, "DSA"),
    (oid::ED25519, "Ed25519"),
    (oid::ED448, "Ed448"),
];
