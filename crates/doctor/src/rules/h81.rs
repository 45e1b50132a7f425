//! H-81: the client has a key and does not send it.

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-81",
    title: "the client has a key and does not send it",
    severity: Severity::Error,
    stage: Stage::Client,
    cause: "the server's list of authorities does not name the issuer of the client's certificate, or the client has several keys and none is named: it then sends none",
    fix: "import the issuer of the client's certificate into the server's trust store; name the key: clientKeyAlias, CERTLABL",
    source: "JSSE X509KeyManager; RFC 5246 7.4.4; domain specification H-81",
    states: &[
        "no suitable certificate found",
        "continuing without client authentication",
        "no x.509 cert selected",
        "no x.509 certificate for client authentication",
    ],
    hints: &[],
    explains: &["H-80", "H-82"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let Some(accepted) = seen.authorities.as_ref().filter(|list| !list.is_empty()) else {
            continue;
        };
        for (store, leaf) in peers::identities(inputs) {
            let served = seen.sent.first().is_some_and(|one| one.same(leaf));
            if served || !leaf.is_for("clientauth") {
                continue;
            }
            let own = store
                .keys()
                .find(|entry| entry.chain.first().is_some_and(|one| one.same(leaf)));
            // Of a loose file all certificates may be sent.
            let known = match own {
                Some(entry) => names_any(accepted, entry.chain.iter()),
                None => names_any(accepted, store.certificates().map(|(_, one)| one)),
            };
            if !known {
                let evidence = Evidence::file(
                    &seen.file,
                    format!(
                        "the server accepts {} authorities, and not \"{}\"",
                        accepted.len(),
                        leaf.issuer.text
                    ),
                );
                let own = Evidence::file(&store.file, format!("the client's {}", leaf.name()))
                    .alias(own.and_then(|entry| entry.alias.as_deref()))
                    .at(own.and_then(|entry| entry.line));
                found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
            }
        }
    }
    found
}

fn names_any<'a>(accepted: &[Dn], mut chain: impl Iterator<Item = &'a CertFacts>) -> bool {
    chain.any(|one| accepted.iter().any(|authority| authority.same(&one.issuer)))
}
