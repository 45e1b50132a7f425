//! BKS and UBER, the way back. Entries that no edit touched are copied.

use zeroize::Zeroizing;

use crate::bks::{BouncyStore, Header, derive, forms};
use crate::certificate::Certificate;
use crate::cipher::Cipher;
use crate::der::{Der, tag};
use crate::digest::{Hash, Purpose};
use crate::entry::Entry;
use crate::error::WriteError;
use crate::named::{Piece, utf};
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
        for (entry, piece) in self.named.entries.iter().zip(&self.named.pieces) {
            match piece {
                Piece::Changed(_) | Piece::Kept(_) => {
                    body.extend_from_slice(self.named.encoded(piece).unwrap_or_default());
                }
                Piece::NewCertificate => self.certificate_entry(&mut body, entry)?,
                Piece::NewKey { key, password: own } => {
                    let own = own.as_ref().map(|own| forms(own).swap_remove(0));
                    let clear = self.clear(PRIVATE, "PKCS#8", &java_name(key), key.pkcs8_der())?;
                    self.key_entry(&mut body, entry, &clear, own.as_ref().unwrap_or(&kdf), env)?;
                }
                Piece::NewSecret { key, password: own } => {
                    let own = own.as_ref().map(|own| forms(own).swap_remove(0));
                    let clear = self.clear(SECRET, "RAW", key.algorithm(), key.raw())?;
                    self.key_entry(&mut body, entry, &clear, own.as_ref().unwrap_or(&kdf), env)?;
                }
            }
        }
        body.push(0);
        let key_of = |purpose, len| {
            derive(self.named.format, &header, &kdf, purpose, len, &self.limits)
                .map_err(|_| self.too_large("the iteration count"))
        };
        let mut out = header.version.to_be_bytes().to_vec();
        self.run(&mut out, &header.salt, "the salt")?;
        out.extend_from_slice(&header.rounds.to_be_bytes());
        if self.named.format == Format::Uber {
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
        clear: &[u8],
        password: &KdfPassword,
        env: &mut WriteEnv<'_>,
    ) -> Result<(), WriteError> {
        self.head(out, 4, entry, entry.certificates())?;
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
        let data = scheme.encrypt(password, clear, u64::from(u32::MAX));
        sealed.extend_from_slice(&data.expect("key and vector have the lengths of the cipher"));
        self.run(out, &sealed, "a key")
    }

    /// What a sealed entry holds: kind, format, algorithm and the key.
    fn clear(
        &self,
        kind: u8,
        encoding: &str,
        algorithm: &str,
        key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, WriteError> {
        if algorithm.len() > 1000 {
            return Err(self.too_large("the name of an algorithm"));
        }
        let mut clear = Zeroizing::new(Vec::with_capacity(key.len() + algorithm.len() + 32));
        clear.push(kind);
        clear.extend_from_slice(&utf(encoding));
        clear.extend_from_slice(&utf(algorithm));
        self.run(&mut clear, key, "a key")?;
        Ok(clear)
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
            format: self.named.format,
            what,
        }
    }
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

/// Kinds of keys inside a sealed entry.
const PRIVATE: u8 = 0;
const SECRET: u8 = 2;

const JAVA_NAMES: [(Oid<'static>, &str); 6] = [
    (oid::RSA, "RSA"),
    (oid::RSA_PSS, "RSASSA-PSS"),
    (oid::EC, "EC"),
    (oid::DSA, "DSA"),
    (oid::ED25519, "Ed25519"),
    (oid::ED448, "Ed448"),
];
