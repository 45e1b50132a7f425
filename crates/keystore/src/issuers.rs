//! Finds the certificates above a certificate among those of one store, by names and key identifiers.

use std::collections::{BTreeMap, BTreeSet};

use crate::certificate::Certificate;

/// Certificates by subject.
pub(crate) struct Issuers<'a> {
    by_subject: BTreeMap<Vec<u8>, Vec<(usize, &'a Certificate)>>,
}

impl<'a> Issuers<'a> {
    /// `all` are the possible issuers, each with the number the caller knows it by.
    pub(crate) fn new(all: impl Iterator<Item = (usize, &'a Certificate)>) -> Self {
        let mut by_subject: BTreeMap<Vec<u8>, Vec<(usize, &Certificate)>> = BTreeMap::new();
        for (number, certificate) in all {
            by_subject
                .entry(certificate.subject().canonical())
                .or_default()
                .push((number, certificate));
        }
        Self { by_subject }
    }

    /// The numbers of the issuer of `leaf`, of its issuer and so on, up to a self-issued one or as far as they are
    /// there. The first that fits is taken; signatures are not looked at.
    ///
    /// Cost: one look-up per step, at most [`MAX_CHAIN`] steps.
    pub(crate) fn above(&self, leaf: &Certificate) -> Vec<usize> {
        let (mut chain, mut seen, mut last) = (Vec::new(), BTreeSet::new(), leaf);
        while chain.len() < MAX_CHAIN && !last.is_self_issued() {
            let candidates = self
                .by_subject
                .get(&last.issuer().canonical())
                .map_or(&[][..], Vec::as_slice);
            let next = candidates.iter().find(|(number, issuer)| {
                !seen.contains(number) && *issuer != leaf && last.names_as_issuer(issuer)
            });
            let Some((number, issuer)) = next else { break };
            seen.insert(*number);
            chain.push(*number);
            last = issuer;
        }
        chain
    }
}

/// OpenSSL builds paths of at most 100 issuers by default (`X509_VERIFY_PARAM`).
const MAX_CHAIN: usize = 100;
