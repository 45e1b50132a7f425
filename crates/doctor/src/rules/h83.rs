//! H-83: TLS is up, and the logon fails.

use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rule::no_facts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-83",
    title: "TLS is up, and the logon fails",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "the handshake succeeded; the program then finds no user for the certificate, or got other credentials than it expects: no RACDCERT MAP, allowFailOverToBasicAuth, a certificate credential in z/OS Explorer",
    fix: "map the certificate to a user (RACDCERT ID(user) MAP …), or send a user and password; test with a fresh session, as an LTPA cookie hides the fault",
    source: "domain specification R-259, R-268, R-269, F-12; domain specification H-83",
    states: &[
        "certificatemapfailed",
        "certificate && mapping && fail",
        "no mapping && certificate",
        "ich408i && certificate",
        "cwwks1101a",
        "cwwks2909e",
    ],
    hints: &[
        "\" 401 ",
        "\" 403 ",
        " 401 unauthorized",
        " 403 forbidden",
        "http/1.1 401",
        "http/1.1 403",
    ],
    explains: &[],
    find: no_facts,
};
