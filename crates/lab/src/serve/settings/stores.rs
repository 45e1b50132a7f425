//! Stores as each runtime takes them: which entry it presents, and whom it trusts.

use std::path::Path;

use keystore::{Body, Limits, Password, Store};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use crate::LabError;
use crate::place::read;
use crate::serve::tls::certificates_of_pem;

/// A key with its chain, leaf first.
pub(super) type Identity = (PKey<Private>, Vec<X509>);

/// Opens a store of any format that `keystore` reads.
pub(super) fn open(path: &Path, password: &[u8]) -> Result<Store, LabError> {
    let password = Password::new(password);
    let limits = Limits::default();
    keystore::read(&read(path)?, Some(&password), &limits).map_err(|error| wrong(path, &error))
}

/// The key entry of that name, or the only one. With two and no name the first is taken, and a note is made.
pub(super) fn identity(
    path: &Path,
    store: &Store,
    password: &[u8],
    alias: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Identity, LabError> {
    let index = match alias {
        Some(alias) => store.find(alias).ok_or_else(|| LabError::Content {
            path: path.to_owned(),
            what: format!("no entry {alias:?}"),
        })?,
        None => {
            let is_key = |index: &usize| matches!(store.entries()[*index].body(), Body::PrivateKey { .. });
            let mut keys = (0..store.entries().len()).filter(is_key);
            let first = keys.next().ok_or_else(|| LabError::Content {
                path: path.to_owned(),
                what: "no private key in it".to_owned(),
            })?;
            if keys.next().is_some() {
                notes.push(format!(
                    "{}: several private keys and no alias; the first is taken",
                    path.display()
                ));
            }
            first
        }
    };
    let entry = &store.entries()[index];
    let key = entry
        .unlock(Some(&Password::new(password)))
        .map_err(|error| wrong(path, &error))?;
    let key = PKey::private_key_from_der(key.pkcs8_der()).map_err(|source| LabError::OpenSsl {
        verb: "take a private key",
        source,
    })?;
    let chain = entry
        .certificates()
        .iter()
        .map(|c| x509(c.der()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((key, chain))
}

/// What a reader of this store trusts: its trusted entries, and the certificate of each key entry, as Java and GSKit
/// take that for an anchor too.
pub(super) fn anchors(store: &Store) -> Result<Vec<X509>, LabError> {
    let mut found = Vec::new();
    for entry in store.entries() {
        let certificate = match entry.body() {
            Body::TrustedCert {
                certificate,
                trusted: true,
            } => Some(certificate),
            Body::PrivateKey { chain, .. } => chain.first(),
            _ => None,
        };
        if let Some(certificate) = certificate {
            found.push(x509(certificate.der())?);
        }
    }
    Ok(found)
}

/// A PKCS#12 file as OpenSSL itself opens it: one key, its certificate, and the others.
pub(super) fn identity_of_pkcs12(path: &Path, password: &[u8]) -> Result<Identity, LabError> {
    let failed = |source| LabError::OpenSsl {
        verb: "open a PKCS#12 file",
        source,
    };
    let file = Pkcs12::from_der(&read(path)?).map_err(failed)?;
    let parsed = file.parse2(&String::from_utf8_lossy(password)).map_err(failed)?;
    let (Some(key), Some(leaf)) = (parsed.pkey, parsed.cert) else {
        return Err(LabError::Content {
            path: path.to_owned(),
            what: "no private key in it".to_owned(),
        });
    };
    let mut chain = vec![leaf];
    chain.extend(parsed.ca.into_iter().flatten());
    Ok((key, chain))
}

/// All certificates of a PEM file are anchors.
pub(super) fn anchors_of_pem(path: &Path) -> Result<Vec<X509>, LabError> {
    certificates_of_pem(path, &read(path)?)
}

/// The password in the stash beside a GSKit database.
pub(super) fn stashed(path: &Path) -> Result<Vec<u8>, LabError> {
    let (password, _) = keystore::read_stash(&read(path)?).map_err(|error| wrong(path, &error))?;
    Ok(password.as_bytes().to_vec())
}

/// The password in one of the product's own files: base64 in one line.
pub(super) fn password_of(path: &Path) -> Result<Vec<u8>, LabError> {
    let password = keystore::read_wa_password(&read(path)?).map_err(|error| wrong(path, &error))?;
    Ok(password.as_bytes().to_vec())
}

fn x509(der: &[u8]) -> Result<X509, LabError> {
    X509::from_der(der).map_err(|source| LabError::OpenSsl {
        verb: "take a certificate",
        source,
    })
}

fn wrong(path: &Path, error: &dyn std::error::Error) -> LabError {
    LabError::Content {
        path: path.to_owned(),
        what: crate::chain_of(error),
    }
}
