//! H-81: the client has a key and does not send it.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
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
        for (store, entry, _) in inputs
            .certificates()
            .filter(|(_, entry, _)| entry.kind == EntryKind::Key)
        {
            let Some(leaf) = entry.chain.first() else { continue };
            let served = seen.sent.first().is_some_and(|one| one.same(leaf));
            let known = entry
                .chain
                .iter()
                .any(|one| accepted.iter().any(|authority| authority.same(&one.issuer)));
            if !known && !served {
                let evidence = Evidence::file(
                    &seen.file,
                    format!(
                        "the server accepts {} authorities, and not \"{}\"",
                        accepted.len(),
                        leaf.issuer.text
                    ),
                );
                let own = Evidence::file(&store.file, format!("the client's {}", leaf.name()))
                    .alias(entry.alias.as_deref())
                    .at(entry.line);
                found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
                break;
            }
        }
    }
    found
}
