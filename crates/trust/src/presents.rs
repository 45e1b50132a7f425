//! Which identity a runtime presents out of a store.

use keystore::{Body, Store};

use crate::profile::{PresentRule, Profile};

/// An identity that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Index of the entry in the store.
    pub entry: usize,
    /// The other private keys that could have gone out, when no alias chose among several: a finding.
    pub others: Vec<usize>,
}

/// Why no identity can be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresentError {
    /// The alias is not in the store.
    #[error("alias {alias:?} is not in the store")]
    NoAlias {
        /// The alias.
        alias: String,
    },
    /// The alias names an entry without a private key.
    #[error("entry {alias:?} has no private key")]
    NoKey {
        /// The alias.
        alias: String,
    },
    /// The store has no private key at all.
    #[error("the store has no private key")]
    Empty,
    /// Several private keys, no alias, and a runtime that then takes none or an unforeseeable one.
    #[error("{} private keys and no alias: {runtime} may present any of them", entries.len())]
    Ambiguous {
        /// The runtime.
        runtime: &'static str,
        /// Indices of the entries.
        entries: Vec<usize>,
    },
}

/// The entry of `store` that `runtime` presents. `alias`: the one configured, by the format's own case rule.
///
/// # Errors
/// [`PresentError`]; `Ambiguous` when chance decides, as with JSSE's hash order, or the runtime refuses.
pub fn presents(store: &Store, alias: Option<&str>, runtime: &Profile) -> Result<Presented, PresentError> {
    let keys: Vec<usize> = store
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| matches!(entry.body(), Body::PrivateKey { .. }))
        .map(|(index, _)| index)
        .collect();
    if let Some(alias) = alias {
        let entry = store.find(alias).ok_or_else(|| PresentError::NoAlias {
            alias: alias.to_owned(),
        })?;
        return match keys.contains(&entry) {
            true => Ok(Presented {
                entry,
                others: Vec::new(),
            }),
            false => Err(PresentError::NoKey {
                alias: alias.to_owned(),
            }),
        };
    }
    let marked = match runtime.presents.value {
        PresentRule::Default => store.default_entry(),
        PresentRule::First | PresentRule::FirstThatFits => None,
    };
    let others = |entry: usize| keys.iter().copied().filter(|key| *key != entry).collect();
    match (keys.as_slice(), runtime.presents.value, marked) {
        ([], _, _) => Err(PresentError::Empty),
        ([only], _, _) => Ok(Presented {
            entry: *only,
            others: Vec::new(),
        }),
        (_, _, Some(entry)) => Ok(Presented {
            entry,
            others: others(entry),
        }),
        ([first, ..], PresentRule::First, None) => Ok(Presented {
            entry: *first,
            others: others(*first),
        }),
        (_, PresentRule::Default | PresentRule::FirstThatFits, None) => Err(PresentError::Ambiguous {
            runtime: runtime.name,
            entries: keys,
        }),
    }
}
