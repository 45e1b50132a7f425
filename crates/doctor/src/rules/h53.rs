//! H-53: the certificate may not be used by a server.

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-53",
    title: "the certificate may not be used by a server",
    severity: Severity::Error,
    stage: Stage::Purpose,
    cause: "its extended key usage lacks serverAuth: clients refuse it from a server",
    fix: "issue it again with serverAuth; Workload Automation needs serverAuth and clientAuth, as every agent is both",
    source: "RFC 5280 4.2.1.12; OpenSSL 26; JSSE; domain specification H-53",
    states: &[
        "extended key usage does not permit use for tls server",
        "unsuitable certificate purpose",
        "netscape cert type does not permit use for ssl server",
    ],
    hints: &[
        "unsupported certificate purpose",
        "inappropriate key usage",
        "certificate purpose",
    ],
    explains: &["H-30", "H-54", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    peers::without_purpose(inputs, "serverauth", &RULE)
}
