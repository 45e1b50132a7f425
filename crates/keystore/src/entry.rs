//! One entry of a store.

use std::fmt;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::error::UnlockError;
use crate::secret::{Password, PrivateKey, SecretKey};

/// One entry: a name, a date, and what it holds.
#[derive(Clone)]
pub struct Entry {
    pub(crate) alias: Option<String>,
    pub(crate) created_ms: Option<i64>,
    pub(crate) body: Body,
}

/// What an entry holds.
#[derive(Clone)]
#[non_exhaustive]
pub enum Body {
    /// Something we keep and do not understand.
    Opaque {
        /// What it seems to be.
        what: String,
    },
    /// A private key with its chain.
    PrivateKey {
        /// Leaf first; empty where the store has none.
        chain: Vec<Certificate>,
        /// The key, until [`Entry::unlock`].
        key: LockedKey,
    },
    /// A certificate request that waits for its certificate.
    Request {
        /// The PKCS#10 DER.
        der: Vec<u8>,
        /// Its key, until [`Entry::unlock`].
        key: LockedKey,
    },
    /// A symmetric key.
    SecretKey {
        /// The key, until [`Entry::unlock_secret`].
        key: LockedKey,
    },
    /// A certificate without a key.
    TrustedCert {
        /// The certificate.
        certificate: Certificate,
        /// Whether the store marks it as trusted: the flag in CMS; in PKCS#12 the attribute without
        /// which Java does not see it; always set where the format has no mark.
        trusted: bool,
    },
}

/// A protected key: opened by [`Entry::unlock`]. It shows how it is protected, never what it holds.
#[derive(Clone)]
pub struct LockedKey(Arc<dyn Unlock + Send + Sync>);

/// How one format opens its keys. A format implements the one it has.
pub(crate) trait Unlock {
    /// The private key as PKCS#8.
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError>;

    /// The symmetric key.
    fn secret_key(&self, _password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        Err(UnlockError::NoKey)
    }

    /// The protection in words, such as `PBES2 AES-256-CBC, PBKDF2 HMAC-SHA256, 10000 rounds`.
    fn protection(&self) -> String;
}

impl Entry {
    /// The name as the store has it, in its own case; `None` when it has none.
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// Milliseconds since 1970, where the format keeps a date.
    pub fn created_ms(&self) -> Option<i64> {
        self.created_ms
    }

    /// What it holds.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// `private-key`, `trusted-cert`, `secret-key`, `request` or `opaque`.
    pub fn kind_name(&self) -> &'static str {
        match &self.body {
            Body::Opaque { .. } => "opaque",
            Body::PrivateKey { .. } => "private-key",
            Body::Request { .. } => "request",
            Body::SecretKey { .. } => "secret-key",
            Body::TrustedCert { .. } => "trusted-cert",
        }
    }

    /// The certificates of the entry: a key's chain leaf first, or the one trusted certificate.
    pub fn certificates(&self) -> &[Certificate] {
        match &self.body {
            Body::PrivateKey { chain, .. } => chain,
            Body::TrustedCert { certificate, .. } => std::slice::from_ref(certificate),
            _ => &[],
        }
    }

    /// How the key is protected, in words; `None` when there is no key.
    pub fn protection(&self) -> Option<String> {
        self.locked().map(|key| key.0.protection())
    }

    /// Opens the private key. `password` is the key's own one; most stores use the store password for it.
    ///
    /// # Errors
    /// `WrongPassword` — or altered bytes, where the format cannot tell. `NeedsPassword`, `OverLimit`,
    /// `Unsupported` and `Malformed` as they say; `NoKey` when the entry has no private key.
    ///
    /// Cost: one key derivation, as long as the store asks for.
    pub fn unlock(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        match &self.body {
            Body::PrivateKey { key, .. } | Body::Request { key, .. } => key.0.private_key(password),
            _ => Err(UnlockError::NoKey),
        }
    }

    /// Opens the symmetric key; otherwise as [`Entry::unlock`].
    ///
    /// # Errors
    /// As [`Entry::unlock`]; `NoKey` when the entry has no symmetric key.
    pub fn unlock_secret(&self, password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        match &self.body {
            Body::SecretKey { key } => key.0.secret_key(password),
            _ => Err(UnlockError::NoKey),
        }
    }

    fn locked(&self) -> Option<&LockedKey> {
        match &self.body {
            Body::PrivateKey { key, .. } | Body::Request { key, .. } | Body::SecretKey { key } => Some(key),
            _ => None,
        }
    }
}

/// Shows the name and the kind.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("alias", &self.alias)
            .field("kind", &self.kind_name())
            .field("certificates", &self.certificates())
            .finish_non_exhaustive()
    }
}

impl LockedKey {
    /// Wraps a format's protected key.
    pub(crate) fn new(key: impl Unlock + Send + Sync + 'static) -> Self {
        Self(Arc::new(key))
    }

    /// A key that is at hand in the clear: just put in by an edit, or stored unprotected.
    pub(crate) fn clear(key: PrivateKey) -> Self {
        Self::new(Clear(key))
    }

    /// A symmetric key at hand in the clear.
    pub(crate) fn clear_secret(key: SecretKey) -> Self {
        Self::new(ClearSecret(key))
    }
}

struct ClearSecret(SecretKey);

impl Unlock for ClearSecret {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Err(UnlockError::NoKey)
    }

    fn secret_key(&self, _password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        Ok(self.0.clone())
    }

    fn protection(&self) -> String {
        "none".to_owned()
    }
}

struct Clear(PrivateKey);

impl Unlock for Clear {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Ok(self.0.clone())
    }

    fn protection(&self) -> String {
        "none".to_owned()
    }
}
