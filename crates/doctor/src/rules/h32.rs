//! H-32: the server does not send its intermediate.

use crate::facts::CertFacts;
use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h30;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-32",
    title: "the server does not send its intermediate",
    severity: Severity::Error,
    stage: Stage::Chain,
    cause: "the chain that is sent ends at the leaf: clients that have (or fetch) the intermediate accept it, all others cannot build a path",
    fix: "put the whole chain into the key's entry, leaf first: import the reply together with its intermediates, or certificate and intermediates in one PEM file",
    source: "RFC 8446 4.4.2; keytool -importcert of a reply; domain specification H-32",
    states: &[
        "incomplete certificate chain",
        "chain issues && incomplete",
        "extra download",
        "works in && fails in",
    ],
    hints: &[],
    explains: &["H-30", "H-87", "H-88", "H-13"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = seen(inputs);
    let heard = inputs.says(h30::RULE.states) || inputs.says(h30::RULE.hints) || inputs.says(RULE.states);
    for store in inputs
        .stores
        .iter()
        .filter(|store| matches!(store.format, "jks" | "jceks" | "pkcs12" | "keytool"))
    {
        for entry in store.keys() {
            let [leaf] = entry.chain.as_slice() else { continue };
            let issuer = inputs.certificates().find(|(_, _, one)| {
                leaf.names_as_issuer(one) && !one.is_self_signed() && !leaf.is_self_signed()
            });
            if let Some((other, _, issuer)) = issuer {
                let evidence = Evidence::file(&store.file, "the chain of this key is the leaf alone")
                    .alias(entry.alias.as_deref())
                    .at(entry.line);
                let own = Evidence::file(
                    &other.file,
                    format!("the intermediate that is not sent: {}", issuer.name()),
                );
                let finding = Finding::proven(&RULE, store.file.clone(), evidence).and(own);
                found.push(if heard {
                    finding
                } else {
                    finding.at(Severity::Warning)
                });
            }
        }
    }
    found
}

/// A leaf alone, and an issuer that is an intermediate: by a certificate at hand, or by its name.
fn seen(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let [leaf] = seen.sent.as_slice() else { continue };
        let unverified = seen.verify.iter().find(|(code, _)| matches!(code, 20 | 21));
        let refused = seen
            .alerts
            .iter()
            .any(|(from_server, alert)| !from_server && matches!(alert, 42 | 46 | 48));
        if leaf.is_self_signed() || unverified.is_none() && !refused {
            continue;
        }
        let known = inputs.certificates().find(|(_, entry, one)| {
            leaf.issuer.same(&one.subject)
                && !one.is_self_signed()
                && !matches!(entry.kind, EntryKind::Request)
        });
        if known.is_some() || is_intermediate(leaf) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let line = unverified.map(|(_, line)| *line);
            let evidence = Evidence::file(
                &seen.file,
                format!(
                    "one certificate was sent, signed by the intermediate \"{}\"",
                    leaf.issuer.text
                ),
            )
            .at(line);
            found.push(Finding::proven(&RULE, target, evidence));
        }
    }
    found
}

fn is_intermediate(leaf: &CertFacts) -> bool {
    let issuer = leaf.issuer.text.to_lowercase();
    let marks = [
        "intermediate",
        "issuing",
        "sub ca",
        "subca",
        "sub-ca",
        "secure server ca",
        "validation",
    ];
    marks.iter().any(|mark| issuer.contains(mark))
}
