//! H-62: the certificate has a common name only.

use crate::facts::CertFacts;
use crate::facts::StoreFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-62",
    title: "the certificate has a common name only",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "the certificate has no subject alternative names: clients of today ignore the common name",
    fix: "issue it again with the names as DNS entries among its subject alternative names",
    source: "RFC 6125 6.4.4, RFC 9525; Go and browsers; domain specification H-62",
    states: &[
        "legacy common name",
        "relies on legacy common name field",
        "no name matching",
        "subject_alternative_name_missing",
        "missing_subjectaltname",
        "[missing_subjectaltname]",
        "certificate has no `subjectaltname`",
    ],
    hints: &[],
    explains: &["H-60", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = peers::misnamed(inputs, peers::Misnamed::CommonNameOnly, &RULE);
    if found.is_empty() {
        found.extend(peers::identities(inputs).into_iter().filter_map(nameless));
    }
    found
}

/// Nobody has complained yet: a host's name, as the common name only.
fn nameless((store, leaf): (&StoreFacts, &CertFacts)) -> Option<Finding> {
    let host = leaf.subject.common_name().filter(|name| name.contains('.'))?;
    if !leaf.has_extensions || leaf.is_self_signed() || !leaf.hosts().is_empty() {
        return None;
    }
    let evidence = Evidence::file(
        &store.file,
        format!("{host} is its common name, and it has no subject alternative names"),
    );
    Some(Finding::proven(&RULE, store.file.clone(), evidence).at(Severity::Note))
}
