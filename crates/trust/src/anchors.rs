//! Which certificates of a store a runtime takes as anchors.

use keystore::{Body, Certificate, Store};

use crate::profile::{AnchorEntries, Profile};

/// The certificates of `store` that `runtime` takes as anchors, in file order, duplicates included.
///
/// JSSE counts trusted certificates and the first certificate of a key entry, OpenSSL every certificate in the
/// file, GSKit signers with the trust mark and the certificates of personal entries. May be empty.
pub fn anchors(store: &Store, runtime: &Profile) -> Vec<Certificate> {
    let mut found = Vec::new();
    for entry in store.entries() {
        match (entry.body(), runtime.anchors.value) {
            (Body::TrustedCert { certificate, .. }, AnchorEntries::Every) => found.push(certificate.clone()),
            (
                Body::TrustedCert {
                    certificate,
                    trusted: true,
                },
                _,
            ) => found.push(certificate.clone()),
            (Body::PrivateKey { chain, .. }, AnchorEntries::Every) => found.extend(chain.iter().cloned()),
            (Body::PrivateKey { chain, .. }, _) => found.extend(chain.first().cloned()),
            _ => {}
        }
    }
    found
}
