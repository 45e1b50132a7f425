//! H-93: agents with tokens are out since the signing key changed.

use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rule::no_facts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-93",
    title: "agents with tokens are out since the signing key changed",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "the agents log on with tokens (JWT) that the old key signed; the master checks them with the new one",
    fix: "run AgentCertificateDownloader --jwt false … on each agent (or comment out jwt_file in ita.ini) and restart it; issue tokens and API keys again",
    source: "domain specification B.8, R-289; domain specification H-93",
    states: &[
        "jwt && signature",
        "cwwks6041e",
        "jwt && not valid",
        "jwt && invalid",
        "token && signature && invalid",
        "jwt && verification fail",
        "awsita && jwt",
    ],
    hints: &["cwwks5523e", "cwwks5524e"],
    explains: &["H-83", "H-87"],
    find: no_facts,
};
