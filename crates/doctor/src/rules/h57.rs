//! H-57: a leaf that is an authority, or a leaf that signed others.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h39;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-57",
    title: "a leaf that is an authority, or a leaf that signed others",
    severity: Severity::Error,
    stage: Stage::Purpose,
    cause: "the certificate of a program says CA:TRUE, or one without CA:TRUE signed others: strict verifiers refuse both",
    fix: "issue the program's certificate again with CA:FALSE, and sign with a real authority",
    source: "RFC 5280 4.2.1.9; domain specification H-57",
    states: &[],
    hints: &[],
    explains: &["H-30", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (file, alias, issuer, child) in h39::signers(inputs) {
        if !issuer.is_self_signed() && found.iter().all(|known| known.target != file) {
            let evidence = Evidence::file(
                &file,
                format!("{} has no CA:TRUE, and signed {}", issuer.name(), child.name()),
            )
            .alias(alias.as_deref());
            found.push(Finding::proven(&RULE, file, evidence));
        }
    }
    for (store, leaf) in peers::identities(inputs) {
        let signs = inputs
            .certificates()
            .any(|(_, _, one)| !one.same(leaf) && !one.is_self_signed() && one.names_as_issuer(leaf));
        if leaf.is_authority() && !signs {
            let evidence = Evidence::file(&store.file, format!("{}: CA:TRUE", leaf.name()));
            let finding = Finding::proven(&RULE, store.file.clone(), evidence);
            found.push(finding.at(if leaf.is_self_signed() {
                Severity::Note
            } else {
                Severity::Warning
            }));
        }
    }
    found
}
