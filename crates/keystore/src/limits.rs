//! How much of a foreign file a reader accepts before it stops.

/// Caps that hold while a store is read and while a key of it is unlocked.
///
/// Every declared length, count and number of rounds is compared with its cap before anything is allocated
/// or derived; a file beyond one gives `OverLimit` with what was found and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest file in bytes. Default 64 MiB; the largest public trust stores are below 1 MiB.
    pub max_bytes: usize,
    /// Most entries, and most certificates of all chains together. Default 200,000.
    pub max_entries: usize,
    /// Deepest nesting of ASN.1 values. Default 64; a PKCS#12 file needs about 20.
    pub max_depth: usize,
    /// Most rounds of one key derivation. Default 10,000,000: twice what Java 17 accepts.
    /// For scrypt N r p counts, which besides may take 64 MiB of memory, twice what OpenSSL allows.
    pub max_kdf_rounds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_entries: 200_000,
            max_depth: 64,
            max_kdf_rounds: 10_000_000,
        }
    }
}
