//! H-19: the same certificate stands in a file more than once.

use std::collections::BTreeMap;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-19",
    title: "the same certificate stands in a file more than once",
    severity: Severity::Warning,
    stage: Stage::Stores,
    cause: "the same certificates were appended again and again: the file grows, and whoever removes one leaves the other",
    fix: "merge by fingerprint instead of appending: keep each certificate once, in the order of its first place",
    source: "domain specification R-099, E-16; domain specification H-19",
    states: &[],
    hints: &[],
    explains: &[],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for store in inputs
        .stores
        .iter()
        .filter(|store| store.format == "pem" && !store.is_listing)
    {
        let mut counts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (_, one) in store.certificates() {
            if let Some(print) = &one.sha256 {
                counts.entry(print).or_insert((0, one.name())).0 += 1;
            }
        }
        let twice: Vec<String> = counts
            .values()
            .filter(|(count, _)| *count > 1)
            .map(|(count, name)| format!("{name} {count} times"))
            .collect();
        if !twice.is_empty() {
            let evidence = Evidence::file(&store.file, twice.join("; "));
            found.push(Finding::proven(&RULE, store.file.clone(), evidence));
        }
    }
    found
}
