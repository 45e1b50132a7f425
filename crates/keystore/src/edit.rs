//! Changes to a store, one entry at a time.

use crate::certificate::Certificate;
use crate::secret::Password;
use crate::secret::PrivateKey;
use crate::secret::SecretKey;

/// Where a new entry goes among the others. Formats with an order of their own (PKCS#12 keeps keys and
/// certificates apart) keep it and apply this within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// After all others.
    Last,
}

/// One change. [`Store::edit`](crate::Store::edit) applies it whole or not at all.
///
/// It has no `Debug`, as it can hold a key.
#[derive(Clone)]
pub enum Edit {
    /// Adds a key and its chain (leaf first).
    PutKey {
        /// Its name; formats without names take `None`.
        alias: Option<String>,
        /// The key.
        key: PrivateKey,
        /// Its certificates, leaf first; may be empty where the format allows.
        chain: Vec<Certificate>,
        /// The key's own password; `None` = the store's, and no encryption in PEM.
        key_password: Option<Password>,
        /// Where it goes.
        place: Place,
    },
    /// Adds a request that waits for its certificate, with its key (request databases of GSKit only).
    PutRequest {
        /// Its label.
        alias: String,
        /// The PKCS#10 DER.
        request: Vec<u8>,
        /// Its key.
        key: PrivateKey,
    },
    /// Adds a symmetric key. JCEKS, PKCS#12, BKS, UBER and BCFKS hold them; GSKit's databases in a record of ours that GSKit
    /// passes over.
    PutSecret {
        /// Its name.
        alias: Option<String>,
        /// The key. Its algorithm is Java's name (`AES`, `DESede`, `HmacSHA256` …) or a dotted OID.
        key: SecretKey,
        /// The key's own password; `None` = the store's.
        key_password: Option<Password>,
        /// Where it goes.
        place: Place,
    },
    /// Takes an entry away; with a key goes its chain, as far as no other entry needs it.
    Remove {
        /// The entry's index in [`Store::entries`](crate::Store::entries).
        index: usize,
    },
    /// Gives an entry another name.
    Rename {
        /// The entry.
        index: usize,
        /// Its new name.
        alias: String,
    },
    /// Another key and chain in the place and under the name of an existing key entry.
    ReplaceIdentity {
        /// The entry; it must be a private key.
        index: usize,
        /// The new key.
        key: PrivateKey,
        /// Its certificates, leaf first.
        chain: Vec<Certificate>,
        /// The key's own password; `None` = the store's, and no encryption in PEM.
        key_password: Option<Password>,
    },
    /// Makes an entry the default one (CMS only).
    SetDefault {
        /// The entry.
        index: usize,
    },
    /// Another store password. Keys that had the old one get the new one where the format ties them
    /// (PKCS#12, CMS); keys in JKS, JCEKS, BKS, UBER and BCFKS keep theirs, as with `keytool -storepasswd`.
    SetPassword {
        /// The password until now; `None` = the one the store was read with.
        old: Option<Password>,
        /// The password from now on.
        new: Password,
    },
    /// Adds a certificate that is trusted.
    Trust {
        /// Its name; formats without names take `None`.
        alias: Option<String>,
        /// The certificate.
        certificate: Certificate,
        /// Where it goes.
        place: Place,
    },
}
