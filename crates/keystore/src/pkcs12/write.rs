//! PKCS#12, the way out. Safes without a change are copied, the others are encrypted anew.

use zeroize::Zeroizing;

use crate::der::{self, tag};
use crate::error::{UnlockError, WriteError};
use crate::oid;
use crate::pbe::{KdfPassword, Scheme};
use crate::pkcs12::bag::{BagBody, Sealing};
use crate::pkcs12::read::forms;
use crate::pkcs12::{Content, Pkcs12Store, Safe};
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, WriteEnv};
use crate::sniff::Format;

impl Pkcs12Store {
    /// The whole file, after edits. Bytes after the PFX are kept.
    pub(super) fn encode(
        &self,
        password: Option<&Password>,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let kdf = self.kdf_password(password)?;
        let mut safes = Vec::with_capacity(self.safes.len());
        for safe in &self.safes {
            safes.push(self.encode_safe(safe, kdf.as_ref(), env)?);
        }
        let safes: Vec<&[u8]> = safes.iter().map(Vec::as_slice).collect();
        let content = der::write_sequence(&safes);
        let mac = match (&self.mac, &kdf) {
            (None, _) => Vec::new(),
            (Some(_), None) => return Err(NEEDS_PASSWORD),
            (Some(mac), Some(kdf)) => mac
                .renewed(kdf, &content, self.limits.max_kdf_rounds, env)
                .map_err(unwritable)?,
        };
        let info = content_info(oid::DATA, &der::write_octets(&content));
        let mut out = der::write_sequence(&[&der::write_u64(self.version), &info, &mac]);
        out.extend_from_slice(&self.original[self.end..]);
        Ok(out)
    }

    /// The password to write with; `None` when there is none and none was given.
    fn kdf_password(&self, given: Option<&Password>) -> Result<Option<KdfPassword>, WriteError> {
        let wrong = WriteError::WrongPassword {
            format: Format::Pkcs12,
        };
        match (&self.opened, given) {
            (Some(opened), Some(given)) if opened.password != *given => Err(wrong),
            (Some(opened), _) => Ok(Some(opened.kdf.clone())),
            (None, None) => Ok(None),
            (None, Some(given)) => match &self.mac {
                Some(mac) if !self.original.is_empty() => {
                    let content = original_content(&self.original).map_err(|_| wrong.clone())?;
                    let fits = |form: &KdfPassword| {
                        mac.verify(form, &content, self.limits.max_kdf_rounds)
                            .unwrap_or(false)
                    };
                    forms(given).into_iter().find(fits).map(Some).ok_or(wrong)
                }
                _ => Ok(Some(KdfPassword::new(given))),
            },
        }
    }

    fn encode_safe(
        &self,
        safe: &Safe,
        kdf: Option<&KdfPassword>,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let (scheme, bags) = match (&safe.encoded, &safe.content) {
            (Some(encoded), _) => return Ok(encoded.clone()),
            (None, Content::Open { scheme, bags }) => (scheme, bags),
            (None, Content::Closed) => return Ok(Vec::new()),
        };
        let keys_are_plain = bags.iter().any(|bag| matches!(bag.body, BagBody::Key(_)));
        let mut seal = |key: &PrivateKey, own: Option<&Password>, sealing: Sealing| {
            let may_be_plain = keys_are_plain && own.is_none() && sealing == Sealing::LikeOthers;
            let own = own.map(KdfPassword::new);
            match own.as_ref().or(kdf) {
                _ if may_be_plain => Ok(None),
                Some(password) => self.seal(key.pkcs8_der(), password, env).map(Some),
                None => Err(NEEDS_PASSWORD),
            }
        };
        let mut encoded = Vec::with_capacity(bags.len());
        for bag in bags {
            encoded.push(Zeroizing::new(bag.encode(&mut seal)?));
        }
        let parts: Vec<&[u8]> = encoded.iter().map(|bag| bag.as_slice()).collect();
        let contents = Zeroizing::new(der::write_sequence(&parts));
        let Some(scheme) = scheme else {
            return Ok(content_info(oid::DATA, &der::write_octets(&contents)));
        };
        let (scheme, kdf) = (scheme.renewed(env), kdf.ok_or(NEEDS_PASSWORD)?);
        let sealed = scheme
            .encrypt(kdf, &contents, self.limits.max_kdf_rounds)
            .map_err(unwritable)?;
        Ok(encrypted_info(&scheme, &sealed))
    }

    /// An EncryptedPrivateKeyInfo by the store's own scheme.
    fn seal(
        &self,
        clear: &[u8],
        password: &KdfPassword,
        env: &mut WriteEnv<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let sealed = seal_key(&self.key_scheme, clear, password, self.limits.max_kdf_rounds, env);
        sealed.map_err(unwritable)
    }
}

/// An EncryptedPrivateKeyInfo by `scheme`, with a new salt.
pub(super) fn seal_key(
    scheme: &Scheme,
    clear: &[u8],
    password: &KdfPassword,
    max_rounds: u64,
    env: &mut WriteEnv<'_>,
) -> Result<Vec<u8>, UnlockError> {
    let scheme = scheme.renewed(env);
    let data = scheme.encrypt(password, clear, max_rounds)?;
    Ok(der::write_sequence(&[&scheme.write(), &der::write_octets(&data)]))
}

fn encrypted_info(scheme: &Scheme, sealed: &[u8]) -> Vec<u8> {
    let content = der::write_sequence(&[
        &der::write_oid(oid::DATA),
        &scheme.write(),
        &der::write(tag::context(0), &[sealed]),
    ]);
    content_info(
        oid::ENCRYPTED_DATA,
        &der::write_sequence(&[&der::write_u64(0), &content]),
    )
}

fn content_info(kind: oid::Oid<'_>, content: &[u8]) -> Vec<u8> {
    let content = der::write(tag::context_constructed(0), &[content]);
    der::write_sequence(&[&der::write_oid(kind), &content])
}

/// What the MAC of the file as read covers.
fn original_content(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut pfx = der::Der::new(bytes).sequence("PFX")?;
    pfx.expect(tag::INTEGER, "version")?;
    let mut info = pfx.sequence("authenticated safe")?;
    info.expect(tag::OID, "content type")?;
    let wrapped = info.expect(tag::context_constructed(0), "authenticated safe")?;
    Ok(wrapped
        .children()
        .any("authenticated safe")?
        .octets()?
        .into_owned())
}

fn unwritable(error: UnlockError) -> WriteError {
    WriteError::Unsupported {
        format: Format::Pkcs12,
        what: error.to_string(),
    }
}

const NEEDS_PASSWORD: WriteError = WriteError::NeedsPassword {
    format: Format::Pkcs12,
};
