//! H-54: the certificate may not be used by a client.

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-54",
    title: "the certificate may not be used by a client",
    severity: Severity::Error,
    stage: Stage::Purpose,
    cause: "its extended key usage lacks clientAuth: servers refuse it from a client",
    fix: "issue it again with clientAuth; Workload Automation needs serverAuth and clientAuth, as every agent is both",
    source: "RFC 5280 4.2.1.12; OpenSSL 26; JSSE; domain specification H-54",
    states: &[
        "extended key usage does not permit use for tls client",
        "netscape cert type does not permit use for ssl client",
    ],
    hints: &["unsupported certificate purpose && client"],
    explains: &["H-30", "H-53", "H-80", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    peers::without_purpose(inputs, "clientauth", &RULE)
}
