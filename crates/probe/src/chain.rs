//! A chain as it was sent: in order, whole, without what nobody needs.

use keystore::Certificate;

/// What is wrong with the form of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFault {
    /// The same certificate again.
    Duplicate {
        /// Place from 0.
        at: usize,
    },
    /// The first is no end entity's: it may sign others and signed one that was sent.
    LeafNotFirst {
        /// The place of the end entity.
        leaf: usize,
    },
    /// The last one names an issuer that was not sent and is not in the stores given.
    Missing {
        /// The issuer's name.
        issuer: String,
    },
    /// A certificate comes before one that it signed.
    OutOfOrder {
        /// Its place.
        at: usize,
        /// Where its turn would be.
        belongs: usize,
    },
    /// A self-signed root, which the other end has already or will not believe.
    RootSent {
        /// Its place.
        at: usize,
    },
    /// A certificate that is not on the path from the leaf.
    Superfluous {
        /// Its place.
        at: usize,
    },
}

/// The faults of `sent`. `known` are certificates that verifiers have: an issuer among them is not missing.
///
/// Without `known` a chain that ends in a certificate whose issuer is not there is missing only where the leaf alone
/// was sent: whether what comes next is a root, nobody can see.
pub fn chain_faults(sent: &[Certificate], known: &[Certificate]) -> Vec<ChainFault> {
    let mut faults = Vec::new();
    let is_duplicate = |at: usize| sent[..at].iter().any(|other| other.der() == sent[at].der());
    for at in 0..sent.len() {
        if is_duplicate(at) {
            faults.push(ChainFault::Duplicate { at });
        }
    }
    let Some(leaf) = leaf_of(sent) else { return faults };
    if leaf != 0 {
        faults.push(ChainFault::LeafNotFirst { leaf });
    }
    let path = path_from(sent, leaf);
    let mut order = path.clone();
    order.sort_unstable();
    if leaf == 0 && order != path {
        for (belongs, at) in path.iter().enumerate() {
            if order[belongs] != *at {
                faults.push(ChainFault::OutOfOrder { at: *at, belongs });
            }
        }
    }
    for at in (0..sent.len()).filter(|at| !path.contains(at) && !is_duplicate(*at)) {
        faults.push(ChainFault::Superfluous { at });
    }
    let top = *path.last().expect("the path has its leaf");
    let last = &sent[top];
    if last.is_self_issued() {
        if path.len() > 1 {
            faults.push(ChainFault::RootSent { at: top });
        }
    } else {
        let is_known = known
            .iter()
            .any(|one| last.names_as_issuer(one) || one.der() == last.der());
        if !is_known && (path.len() == 1 || !known.is_empty()) {
            faults.push(ChainFault::Missing {
                issuer: last.issuer().to_string(),
            });
        }
    }
    faults
}

/// The first that issued none of the others; nothing in an empty chain.
fn leaf_of(sent: &[Certificate]) -> Option<usize> {
    let issued_some = |at: usize| {
        sent.iter().enumerate().any(|(other, certificate)| {
            other != at && certificate.der() != sent[at].der() && certificate.names_as_issuer(&sent[at])
        })
    };
    let first = sent.first()?;
    // A first one that is no authority is the leaf, whatever follows.
    let is_authority = |certificate: &Certificate| matches!(certificate.basic_constraints(), Ok(Some(constraints)) if constraints.is_authority);
    if !is_authority(first) || !issued_some(0) {
        return Some(0);
    }
    (1..sent.len()).find(|at| !issued_some(*at)).or(Some(0))
}

/// From the leaf from issuer to issuer among what was sent.
fn path_from(sent: &[Certificate], leaf: usize) -> Vec<usize> {
    let mut path = vec![leaf];
    loop {
        let current = &sent[path[path.len() - 1]];
        if current.is_self_issued() {
            return path;
        }
        let next = (0..sent.len()).find(|at| !path.contains(at) && current.names_as_issuer(&sent[*at]));
        match next {
            Some(at) => path.push(at),
            None => return path,
        }
    }
}

#[cfg(test)]
mod tests;
