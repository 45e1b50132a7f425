//! H-63: a wildcard does not reach the name.

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-63",
    title: "a wildcard does not reach the name",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "a wildcard stands for exactly one label, the left-most: *.example.com is neither a.b.example.com nor example.com",
    fix: "issue it again with the name itself, or with a wildcard one level deeper",
    source: "RFC 6125 6.4.3; domain specification H-63",
    states: &[],
    hints: &[],
    explains: &["H-60", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    peers::misnamed(inputs, peers::Misnamed::Wildcard, &RULE)
}
