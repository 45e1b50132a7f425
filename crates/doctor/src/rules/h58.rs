//! H-58: a critical extension that verifiers do not know.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-58",
    title: "a critical extension that verifiers do not know",
    severity: Severity::Error,
    stage: Stage::Purpose,
    cause: "the certificate has an extension marked as critical that the verifier does not understand: it must refuse",
    fix: "issue it again without that extension, or with it not critical",
    source: "RFC 5280 4.2; OpenSSL 34; JSSE; domain specification H-58",
    states: &[
        "unhandled critical extension",
        "unrecognized critical extension",
        "unsupported critical extension",
        "unknown critical extension",
        "unrecognised critical",
        "ctgsk2061w",
    ],
    hints: &[],
    explains: &["H-30", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    inputs
        .certificates()
        .filter(|(_, _, one)| !one.unknown_critical.is_empty())
        .map(|(store, entry, one)| {
            let evidence = Evidence::file(
                &store.file,
                format!("{}: critical {}", one.name(), one.unknown_critical.join(", ")),
            )
            .alias(entry.alias.as_deref());
            Finding::proven(&RULE, store.file.clone(), evidence)
        })
        .collect()
}
