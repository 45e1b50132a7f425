//! H-18: the vendor's default certificates are still there.

use std::collections::BTreeSet;

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::facts::Key;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-18",
    title: "the vendor's default certificates are still there",
    severity: Severity::Note,
    stage: Stage::Presented,
    cause: "the default certificates are the same at every customer, and their keys are public: whoever has the product can pretend to be this one; some have only 1024 bits",
    fix: "rotate to certificates of your own, then retire the defaults: capgrow plan",
    source: "domain specification R-138, part A.1; domain specification H-18",
    states: &[],
    hints: &[],
    explains: &[],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut evidence = Vec::new();
    for (store, entry, one) in inputs.certificates() {
        if is_default(one) && seen.insert(store.file.clone()) {
            let size = match one.key {
                Some(Key::Rsa(bits)) => format!(", RSA {bits}"),
                _ => String::new(),
            };
            let own = Evidence::file(&store.file, format!("{}{size}", one.name()));
            evidence.push(own.alias(entry.alias.as_deref()).at(entry.line));
        }
    }
    let Some(first) = evidence.first().cloned() else {
        return Vec::new();
    };
    let mut finding = Finding::proven(&RULE, first.file.clone(), first);
    finding.evidence = evidence;
    vec![finding]
}

/// Whether it is one of the four that Workload Automation ships.
pub(super) fn is_default(one: &CertFacts) -> bool {
    let defaults = product::default_subjects("workload-automation").unwrap_or_default();
    one.is_self_signed()
        && defaults
            .iter()
            .any(|subject| Dn::parse(subject).same(&one.subject))
}
