//! What an entry holds, taken out of one store and put into another.

use keystore::Body;
use keystore::Certificate;
use keystore::Edit;
use keystore::EditError;
use keystore::Entry;
use keystore::Format;
use keystore::Password;
use keystore::Place;
use keystore::PrivateKey;
use keystore::SecretKey;
use keystore::Store;
use keystore::UnlockError;
use keystore::WriteError;

use super::open::Opened;
use super::open::with_env;

/// An entry in the clear. It has no `Debug`, as it can hold a key.
#[derive(Clone)]
pub struct Content {
    /// Its name; `None` where its store has no names.
    pub alias: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: Option<i64>,
    /// What it is.
    pub body: Held,
}

/// What is held.
#[derive(Clone)]
pub enum Held {
    /// A certificate, and whether its store marks it as trusted.
    Certificate(Certificate, bool),
    /// A key with its chain, leaf first.
    Key(PrivateKey, Vec<Certificate>),
    /// A symmetric key.
    Secret(SecretKey),
}

/// Why an entry stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stays {
    /// Its key does not open.
    #[error("its key stays locked")]
    Locked(#[source] UnlockError),
    /// The store it should go to does not take it.
    #[error("{} cannot hold it", .0.name())]
    Refused(Format, #[source] EditError),
    /// It cannot be carried, or not there.
    #[error("{0}")]
    Unknown(String),
}

/// The content of an entry; `alias` is its name as `inspect` shows it.
///
/// # Errors
/// `Locked` where neither the key's password nor the store's opens it, `Unknown` for requests and what we do not
/// understand.
pub fn take(opened: &Opened, index: usize, alias: Option<String>) -> Result<Content, Stays> {
    let entry = &opened.store.entries()[index];
    let body = match entry.body() {
        Body::TrustedCert {
            certificate, trusted, ..
        } => Held::Certificate(certificate.clone(), *trusted),
        Body::PrivateKey { chain, .. } => Held::Key(unlock(opened, entry)?.0, chain.clone()),
        Body::SecretKey { .. } => Held::Secret(unlock_secret(opened, entry)?),
        Body::Request { .. } => {
            return Err(Stays::Unknown(
                "a certificate request belongs to where its key is".to_owned(),
            ));
        }
        Body::Opaque { what } => return Err(Stays::Unknown(format!("{what} is not understood"))),
        _ => return Err(Stays::Unknown("its kind is not understood".to_owned())),
    };
    Ok(Content {
        alias,
        created_ms: entry.created_ms(),
        body,
    })
}

/// The private key of an entry, and the password that opened it.
///
/// # Errors
/// `Locked`.
pub fn unlock(opened: &Opened, entry: &Entry) -> Result<(PrivateKey, Option<Password>), Stays> {
    let mut refusal = UnlockError::NeedsPassword;
    for password in tries(opened, entry) {
        match entry.unlock(password.as_ref()) {
            Ok(key) => return Ok((key, password)),
            Err(error) => refusal = error,
        }
    }
    Err(Stays::Locked(refusal))
}

fn unlock_secret(opened: &Opened, entry: &Entry) -> Result<SecretKey, Stays> {
    let mut refusal = UnlockError::NeedsPassword;
    for password in tries(opened, entry) {
        match entry.unlock_secret(password.as_ref()) {
            Ok(key) => return Ok(key),
            Err(error) => refusal = error,
        }
    }
    Err(Stays::Locked(refusal))
}

/// The key's own password first, then the store's; none at all only for what is not protected.
fn tries(opened: &Opened, entry: &Entry) -> Vec<Option<Password>> {
    let known = [&opened.key_password, &opened.password];
    let mut tries: Vec<Option<Password>> = known.into_iter().flatten().cloned().map(Some).collect();
    let is_open = entry.protection().is_none_or(|words| words == "none");
    if is_open || tries.is_empty() {
        tries.insert(0, None);
    }
    tries
}

/// Puts it into a store as a new entry named `alias`. `key_password` is the key's own one where the format has such;
/// `None` is the store's.
///
/// # Errors
/// `Refused`, `Unknown`; the store is then as it was.
pub fn put(
    store: &mut Store,
    content: &Content,
    alias: Option<&str>,
    key_password: Option<&Password>,
) -> Result<(), Stays> {
    let format = store.format();
    let is_cms = matches!(format, Format::CmsKdb | Format::CmsRdb | Format::CmsCrl);
    let needs_chain = matches!(
        format,
        Format::Bcfks | Format::Bks | Format::Jceks | Format::Jks | Format::Uber
    );
    if needs_chain && matches!(&content.body, Held::Key(_, chain) if chain.is_empty()) {
        return Err(Stays::Unknown(format!(
            "{} keeps no private key without its certificate",
            format.name()
        )));
    }
    let alias = alias.filter(|_| has_names(format)).map(str::to_owned);
    let is_apart = !is_cms && format != Format::Pkcs12;
    let key_password = key_password.filter(|_| is_apart).cloned();
    let place = Place::Last;
    let edit = match &content.body {
        Held::Certificate(certificate, _) => Edit::Trust {
            alias,
            certificate: certificate.clone(),
            place,
        },
        Held::Key(key, chain) => Edit::PutKey {
            alias,
            key: key.clone(),
            chain: chain.clone(),
            key_password,
            place,
        },
        Held::Secret(key) => Edit::PutSecret {
            alias,
            key: key.clone(),
            key_password,
            place,
        },
    };
    let refused = |error| Stays::Refused(format, error);
    with_env(content.created_ms, |env| store.edit(&edit, env)).map_err(refused)
}

/// In a database of GSKit, which keeps no chains, the issuers stand beside the key. To be called when everything else is
/// in its place, as the same certificate cannot be there under two names.
///
/// # Errors
/// Of the edit.
pub fn put_issuers(store: &mut Store, chain: &[Certificate]) -> Result<(), EditError> {
    if store.format() == Format::CmsKdb {
        for issuer in chain.iter().skip(1) {
            trust_once(store, issuer)?;
        }
    }
    Ok(())
}

/// Adds a signer under its subject's name unless the certificate is there.
fn trust_once(store: &mut Store, certificate: &Certificate) -> Result<(), EditError> {
    let is_there =
        |entry: &Entry| entry.certificates().contains(certificate) && entry.kind_name() == "trusted-cert";
    if store.entries().iter().any(is_there) {
        return Ok(());
    }
    let edit = Edit::Trust {
        alias: Some(free_name(store, &certificate.subject().to_string())),
        certificate: certificate.clone(),
        place: Place::Last,
    };
    with_env(None, |env| store.edit(&edit, env))
}

/// Whether entries of the format have names.
pub fn has_names(format: Format) -> bool {
    !matches!(format, Format::Pem | Format::Der | Format::Pkcs7)
}

/// The name, or the first of `name-2`, `name-3` … that no entry has, whatever its case.
pub fn free_name(store: &Store, wanted: &str) -> String {
    let is_free = |name: &str| {
        let folded = name.to_lowercase();
        let taken = |entry: &Entry| entry.alias().is_some_and(|alias| alias.to_lowercase() == folded);
        !store.entries().iter().any(taken)
    };
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !is_free(&name) {
        name = format!("{wanted}-{number}");
        number += 1;
    }
    name
}

/// A name for an entry that has none: the common name of its certificate in lower case, else its whole subject.
pub fn usual_name(content: &Held) -> String {
    let certificate = match content {
        Held::Certificate(certificate, _) => Some(certificate),
        Held::Key(_, chain) => chain.first(),
        Held::Secret(_) => None,
    };
    let Some(certificate) = certificate else {
        return "key".to_owned();
    };
    let subject = certificate.subject();
    let name = subject
        .common_name()
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| subject.to_string());
    let name = name.trim().to_lowercase();
    if name.is_empty() {
        "certificate".to_owned()
    } else {
        name
    }
}

/// The bytes of the store, and a proof that they read back as what was meant.
///
/// # Errors
/// Of the writer; `None` where the bytes do not read back.
pub fn bytes_of(store: &Store, password: Option<&Password>) -> Result<Vec<u8>, Option<WriteError>> {
    // A writer that knows its password from reading or from an edit checks the one it is given.
    let bytes = with_env(None, |env| store.write(password, env)).map_err(Some)?;
    if bytes.is_empty() && store.entries().is_empty() {
        // A PEM file without a block is no store to any reader; it is what is left of this one.
        return Ok(bytes);
    }
    let again = keystore::read(&bytes, password, &keystore::Limits::default()).map_err(|_| None)?;
    let same = summary(&again) == summary(store);
    if same { Ok(bytes) } else { Err(None) }
}

/// What a store holds, whatever the order in which its format keeps it. PEM has no entries but blocks: which of them are
/// read as one chain depends on what stands beside them.
fn summary(store: &Store) -> Vec<(String, Vec<[u8; 32]>)> {
    let of =
        |entry: &Entry| -> Vec<[u8; 32]> { entry.certificates().iter().map(Certificate::sha256).collect() };
    let entries = store.entries().iter();
    let mut all: Vec<(String, Vec<[u8; 32]>)> = if has_names(store.format()) {
        entries
            .map(|entry| (format!("{:?} {}", entry.alias(), entry.kind_name()), of(entry)))
            .collect()
    } else {
        let keys = entries
            .clone()
            .filter(|entry| entry.kind_name() != "trusted-cert");
        let blocks = entries.flat_map(of).map(|print| (String::new(), vec![print]));
        keys.map(|entry| (entry.kind_name().to_owned(), Vec::new()))
            .chain(blocks)
            .collect()
    };
    all.sort();
    all
}
