//! H-60: the certificate is not for the name that is used.

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-60",
    title: "the certificate is not for the name that is used",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "none of the names in the certificate is the one that the client dialled",
    fix: "issue it again with every name that clients use among its subject alternative names, or dial a name that is listed",
    source: "RFC 6125; JSSE, OpenSSL 62, Liberty CWPKI0824E; domain specification H-60",
    states: &[
        "no subject alternative dns name matching",
        "cwpki0824e",
        "hostname mismatch",
        "net::err_cert_common_name_invalid",
        "ssl_error_bad_cert_domain",
        "does not match certificate",
        "no alternative certificate subject name matches",
        "doesn't match any of the subject alternative names",
        "hostname/ip does not match certificate",
        "hostname does not match",
        "certificate is valid for && not",
        "cert_altname_invalid",
        "does not match target host name",
        "server identity check failed",
    ],
    hints: &[],
    explains: &["H-87", "H-30"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    peers::misnamed(inputs, peers::Misnamed::Listed, &RULE)
}
