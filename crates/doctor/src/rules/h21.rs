//! H-21: the random seed file is missing.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::paths;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-21",
    title: "the random seed file is missing",
    severity: Severity::Warning,
    stage: Stage::Stores,
    cause: "localopts names a random seed file that is not there: it is not among the files of the depot, and has to be made on every agent",
    fix: "create it: openssl rand -out tls.rnd 1024, owned by the product's user",
    source: "domain specification R-104; domain specification H-21",
    states: &[
        "tls.rnd && no such file",
        "tws.rnd && no such file",
        "random seed && not found",
        "rand_load_file",
    ],
    hints: &[],
    explains: &["H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    paths::named(inputs)
        .into_iter()
        .filter(|named| named.key == "sslrandomseed")
        .filter(|named| paths::why_absent(inputs, named).is_some())
        .map(|named| {
            let evidence = Evidence::line(
                &named.file,
                named.line,
                format!("SSL random seed = {}", named.path),
            );
            Finding::proven(&RULE, named.path, evidence)
        })
        .collect()
}
