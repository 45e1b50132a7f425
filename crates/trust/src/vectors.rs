//! One path-validation vector, answered by every runtime: the measured way in which this crate is compared with them.
//!
//! The vector is what `verdict --vectors` reads one JSON line of; reading the line is the caller's matter.

use keystore::Certificate;

use crate::case::{Purpose, Question};
use crate::path::verdict;
use crate::profile::{Profile, Search};
use crate::signature::Signatures;
use crate::verdict::Verdict;

/// One vector: certificates as DER, not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    /// The chain in wire order; the first is the end entity.
    pub chain: Vec<Vec<u8>>,
    /// The whole trust store, in store order.
    pub anchors: Vec<Vec<u8>>,
    /// The name to check, a DNS name or an IP address.
    pub peer: Option<String>,
    /// Which end is judged.
    pub purpose: Purpose,
    /// The moment of the check, in seconds since 1970 (UTC).
    pub at_unix: i64,
}

/// What one runtime says: `error` is empty when it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Name of the runtime.
    pub runtime: &'static str,
    /// Whether it accepts; where nobody can know, what it most likely does.
    pub ok: bool,
    /// What it prints, or why nobody can know.
    pub error: String,
    /// Whether nobody can know: chance, or not documented.
    pub undecided: bool,
}

/// What the runtime of `profile` says to the vector. An anchor that cannot be decoded is left out, a certificate of
/// the chain that cannot be decoded is a rejection.
pub fn answer(profile: &'static Profile, vector: &Vector, signatures: &dyn Signatures) -> Answer {
    let mut chain = Vec::new();
    for (index, der) in vector.chain.iter().enumerate() {
        match Certificate::from_der(der) {
            Some(certificate) => chain.push(certificate),
            None => {
                return Answer {
                    runtime: profile.name,
                    ok: false,
                    error: format!("certificate {index} not parsed"),
                    undecided: false,
                };
            }
        }
    }
    let anchors: Vec<Certificate> = vector
        .anchors
        .iter()
        .filter_map(|der| Certificate::from_der(der))
        .collect();
    let question = Question {
        chain: &chain,
        anchors: &anchors,
        intermediates_known: &[],
        purpose: vector.purpose,
        name: vector.peer.as_deref(),
        at_unix: vector.at_unix,
    };
    let verdict = verdict(profile, &question, signatures);
    Answer {
        runtime: profile.name,
        ok: match &verdict {
            Verdict::Undecided(undecided) => undecided.leans_to_accept,
            decided => decided.accepts(),
        },
        error: verdict.prints(),
        undecided: matches!(verdict, Verdict::Undecided(_)),
    }
}

/// The names of the oracle's table: every measured runtime, by family.
pub fn measured() -> impl Iterator<Item = &'static Profile> {
    let is_alias = |profile: &&Profile| profile.name == "java17";
    crate::profile::runtimes()
        .filter(|profile| !matches!(profile.search, Search::Gskit(_)))
        .filter(|profile| matches!(profile.evidence, crate::profile::Evidence::Measured(_)))
        .filter(move |profile| !is_alias(profile))
}
