//! Who we are towards a server that asks.

use keystore::Certificate;
use keystore::PrivateKey;

/// A chain with its private key.
#[derive(Clone)]
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<Certificate>,
    /// Fits the leaf.
    pub key: PrivateKey,
}
