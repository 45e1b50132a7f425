//! H-39: what signed the certificate is no authority.

use crate::facts::CertFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-39",
    title: "what signed the certificate is no authority",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "the certificate at the top of the path does not say that it may sign others: version 1, or basicConstraints without CA:TRUE",
    fix: "make a new authority certificate with basicConstraints CA:TRUE (critical) and keyCertSign, and sign again",
    source: "RFC 5280 4.2.1.9; OpenSSL 24; JSSE; domain specification H-39",
    states: &[
        "invalid ca certificate",
        "is not a ca certificate",
        "not a ca && basic",
        "basicconstraints check failed",
        "this is not a ca certificate",
        "path length constraint exceeded",
    ],
    hints: &[],
    explains: &["H-30", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (store, entry, issuer, child) in signers(inputs) {
        if issuer.is_self_signed() && found.iter().all(|known| known.target != store) {
            let is_old = issuer.version == Some(1);
            let what = if is_old { "version 1" } else { "no CA:TRUE" };
            let evidence = Evidence::file(
                &store,
                format!("{}: {what}; it signed {}", issuer.name(), child.name()),
            )
            .alias(entry.as_deref());
            let finding = Finding::proven(&RULE, store, evidence);
            // Java and OpenSSL take a root of version 1 in a trust store as it is.
            found.push(if is_old {
                finding.at(Severity::Note)
            } else {
                finding
            });
        }
    }
    found
}

/// Certificates that signed others and may not: store, alias, the signer, one that it signed.
pub(super) fn signers(inputs: &Inputs) -> Vec<(String, Option<String>, &CertFacts, &CertFacts)> {
    let all: Vec<_> = inputs
        .distinct()
        .into_iter()
        .filter(|(_, _, one)| one.has_extensions)
        .collect();
    let mut found = Vec::new();
    if all.len() > 3_000 {
        return found;
    }
    for (store, entry, issuer) in all.iter().filter(|(_, _, one)| !one.is_authority()) {
        let child = all
            .iter()
            .find(|(_, _, one)| !one.same(issuer) && !one.is_self_signed() && one.names_as_issuer(issuer));
        if let Some((_, _, child)) = child {
            // Another certificate of that name may be the right one.
            let other = all
                .iter()
                .any(|(_, _, one)| one.is_authority() && child.names_as_issuer(one));
            if !other {
                found.push((store.file.clone(), entry.alias.clone(), *issuer, *child));
            }
        }
    }
    found
}
