//! H-61: the address is dialled, and the certificate lists no address.

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-61",
    title: "the address is dialled, and the certificate lists no address",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "the client dials an IP address; only an iPAddress among the subject alternative names counts for it, a CN or DNS name with the same text does not",
    fix: "dial the name, or issue the certificate again with the address as IP among its subject alternative names",
    source: "RFC 6125, RFC 5280 4.2.1.6; OpenSSL 64; JSSE; domain specification H-61",
    states: &[
        "no subject alternative names matching ip address",
        "ip address mismatch",
        "doesn't contain any ip sans",
        "no subject alternative names present",
        "ip && is not in the cert's list",
    ],
    hints: &[],
    explains: &["H-60", "H-62", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    peers::misnamed(inputs, peers::Misnamed::Address, &RULE)
}
