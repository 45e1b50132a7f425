//! H-77: the other end does not have this curve.

use crate::facts::Key;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-77",
    title: "the other end does not have this curve",
    severity: Severity::Error,
    stage: Stage::Cipher,
    cause: "the certificate's key lies on a curve that the other end does not offer: secp521r1, brainpool, secp256k1",
    fix: "issue it again on P-256 or P-384",
    source: "RFC 8446 4.2.7; domain specification H-77",
    states: &[
        "unsupported elliptic curve",
        "no suitable shared group",
        "no supported elliptic curve",
        "wrong curve",
        "unsupported_curve",
        "no matching curve",
        "unknown group",
        "unsupported named group",
        "unable to find curve",
    ],
    hints: &[],
    explains: &["H-72"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let heard = inputs.says(RULE.states)
        || inputs.says(super::h72::RULE.hints)
        || inputs.says(super::h72::RULE.states);
    let mut found = Vec::new();
    for (store, leaf) in peers::identities(inputs) {
        let Some(Key::Ec(curve)) = &leaf.key else { continue };
        let usual = ["", "secp256r1", "secp384r1", "prime256v1"].contains(&curve.as_str());
        if !usual && (heard || curve != "secp521r1") {
            let evidence = Evidence::file(&store.file, format!("{}: {curve}", leaf.name()));
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).at(if heard {
                Severity::Error
            } else {
                Severity::Note
            }));
        }
    }
    found
}
