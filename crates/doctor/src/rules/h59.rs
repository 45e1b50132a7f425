//! H-59: valid for longer than browsers accept.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-59",
    title: "valid for longer than browsers accept",
    severity: Severity::Note,
    stage: Stage::Policy,
    cause: "browsers refuse certificates of public authorities that are valid for more than 398 days (825 for those of private ones on Apple systems)",
    fix: "issue it for a shorter time",
    source: "CA/Browser Forum baseline requirements 6.3.2; Apple HT210176; domain specification H-59",
    states: &[
        "err_cert_validity_too_long",
        "validity period is too long",
        "validity_too_long",
        "certificate && too long && valid",
    ],
    hints: &[],
    explains: &["H-50"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    if !inputs.says(RULE.states) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (store, leaf) in peers::identities(inputs) {
        if let (Some(from), Some(until)) = (leaf.not_before, leaf.not_after)
            && until - from > 398 * 86_400
        {
            let evidence = Evidence::file(
                &store.file,
                format!("{} is valid for {} days", leaf.name(), (until - from) / 86_400),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).at(crate::rule::Severity::Error));
        }
    }
    found
}
