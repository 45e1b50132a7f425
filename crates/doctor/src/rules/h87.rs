//! H-87: the agent cannot reach the master over TLS.

use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rule::no_facts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-87",
    title: "the agent cannot reach the master over TLS",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "curl inside the agent says why by its number: 35 the handshake failed, 58 the agent's own certificate cannot be used, 60 the master's certificate is not trusted",
    fix: "35: protocol and ciphers of both ends; 58: key, certificate and password file of the agent; 60: the master's chain in the agent's trust store",
    source: "domain specification B.11; libcurl error codes; domain specification H-87",
    states: &["awsita245e"],
    hints: &[
        "curl error 35",
        "curl error 58",
        "curl error 60",
        "curl: (35)",
        "curl: (58)",
        "curl: (60)",
        "awsita081e",
    ],
    explains: &[],
    find: no_facts,
};
