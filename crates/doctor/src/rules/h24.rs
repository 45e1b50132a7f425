//! H-24: several copies of dsmcert.kdb.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-24",
    title: "several copies of dsmcert.kdb",
    severity: Severity::Warning,
    stage: Stage::Presented,
    cause: "the client has more than one dsmcert.kdb, and the one that is used is not the one that was changed: in the client's directory, in $HOME/IBM/SpectrumProtect/certs, in PASSWORDDIR",
    fix: "back up and delete (or refresh) dsmcert.kdb, .idx and .sth in every place, then connect once",
    source: "IBM APAR IT42905; domain specification R-164, R-165; domain specification H-24",
    states: &[],
    hints: &[],
    explains: &["H-91"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let copies: Vec<_> = inputs
        .files
        .iter()
        .filter(|file| file.name().eq_ignore_ascii_case("dsmcert.kdb"))
        .collect();
    let differ = copies.windows(2).any(|pair| pair[0].bytes != pair[1].bytes);
    if !differ {
        return Vec::new();
    }
    let mut all = copies
        .iter()
        .map(|file| Evidence::file(&file.path, format!("{} bytes", file.bytes.len())));
    let Some(first) = all.next() else {
        return Vec::new();
    };
    let mut finding = Finding::proven(&RULE, copies[0].path.clone(), first);
    finding.evidence.extend(all);
    vec![finding]
}
