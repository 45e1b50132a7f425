//! Identities and anchors as a component reads them from its own files, now.

use fleet::Snapshot;
use keystore::Body;
use keystore::Certificate;
use keystore::Limits;
use keystore::Password;
use keystore::PrivateKey;
use keystore::Store;
use product::Component;
use product::HostFiles;
use product::Secrets;
use product::StoreFile;

use crate::secrets::Vault;

/// A chain with its private key.
#[derive(Clone)]
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<Certificate>,
    /// Fits the leaf.
    pub key: PrivateKey,
}

/// Why a store could not be read as its component reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {what}")]
pub struct ReadStoreError {
    /// `host:path`.
    pub file: String,
    /// What was seen.
    pub what: String,
}

/// What the component presents from that store.
///
/// # Errors
/// [`ReadStoreError`] where the store, its password or the entry cannot be had.
pub fn identity(vault: &Vault, component: &Component, store: &StoreFile) -> Result<Identity, ReadStoreError> {
    let fail = |what: String| ReadStoreError {
        file: format!("{}:{}", component.host, store.file),
        what,
    };
    let tree = tree(vault, component, store)?;
    let (parsed, password) = open(vault, component, store)?;
    let key_password = match &store.key_password {
        Some(secret) => Some(
            vault
                .open(&component.host, secret)
                .map_err(|error| fail(error.to_string()))?,
        ),
        None => password.clone(),
    };
    if let Some(key_file) = &store.key_file {
        let bytes = tree.read(key_file).map_err(|error| fail(error.to_string()))?;
        let keys = keystore::read(&bytes, key_password.as_ref(), &Limits::default())
            .map_err(|error| fail(error.to_string()))?;
        let entry = keys
            .entries()
            .iter()
            .find(|entry| matches!(entry.body(), Body::PrivateKey { .. }));
        let entry = entry.ok_or_else(|| fail(format!("{key_file} holds no private key")))?;
        let key = entry
            .unlock(key_password.as_ref())
            .map_err(|error| fail(error.to_string()))?;
        let chain = parsed
            .entries()
            .iter()
            .flat_map(|entry| entry.certificates().iter().cloned())
            .collect();
        return Ok(Identity { chain, key });
    }
    let runtime = product::runtime_of(component, &store.id);
    let profile =
        trust::runtime(&runtime).ok_or_else(|| fail(format!("no profile for runtime {runtime}")))?;
    let alias = fleet::alias_of(tree, component, store);
    let chosen =
        trust::presents(&parsed, alias.as_deref(), profile).map_err(|error| fail(error.to_string()))?;
    let entry = &parsed.entries()[chosen.entry];
    let key = entry
        .unlock(key_password.as_ref())
        .map_err(|error| fail(error.to_string()))?;
    Ok(Identity {
        chain: fleet::with_issuers(entry.certificates(), &parsed),
        key,
    })
}

/// What the component trusts from that store.
///
/// # Errors
/// As [`identity`].
pub fn anchors(
    vault: &Vault,
    component: &Component,
    store: &StoreFile,
) -> Result<Vec<Certificate>, ReadStoreError> {
    let fail = |what: String| ReadStoreError {
        file: format!("{}:{}", component.host, store.file),
        what,
    };
    let (parsed, _) = open(vault, component, store)?;
    let runtime = product::runtime_of(component, &store.id);
    let profile =
        trust::runtime(&runtime).ok_or_else(|| fail(format!("no profile for runtime {runtime}")))?;
    Ok(trust::anchors(&parsed, profile))
}

fn tree<'a>(
    vault: &'a Vault,
    component: &Component,
    store: &StoreFile,
) -> Result<&'a dyn HostFiles, ReadStoreError> {
    let tree = vault
        .trees()
        .get(&component.host)
        .map(|tree| tree as &dyn HostFiles);
    tree.ok_or_else(|| ReadStoreError {
        file: format!("{}:{}", component.host, store.file),
        what: "the host is not reachable".to_owned(),
    })
}

fn open(
    vault: &Vault,
    component: &Component,
    store: &StoreFile,
) -> Result<(Store, Option<Password>), ReadStoreError> {
    let fail = |what: String| ReadStoreError {
        file: format!("{}:{}", component.host, store.file),
        what,
    };
    let tree = tree(vault, component, store)?;
    let bytes = tree.read(&store.file).map_err(|error| fail(error.to_string()))?;
    let password = match &store.password {
        Some(secret) => Some(
            vault
                .open(&component.host, secret)
                .map_err(|error| fail(error.to_string()))?,
        ),
        None => None,
    };
    let parsed = keystore::read(&bytes, password.as_ref(), &Limits::default())
        .map_err(|error| fail(error.to_string()))?;
    Ok((parsed, password))
}

/// The components of a snapshot as domain types; those that cannot be read are left out.
pub fn components(snapshot: &Snapshot) -> Vec<Component> {
    snapshot
        .components
        .keys()
        .filter_map(|id| snapshot.component(id).ok())
        .collect()
}
