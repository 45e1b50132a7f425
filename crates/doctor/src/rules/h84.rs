//! H-84: the application is not up yet.

use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rule::no_facts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-84",
    title: "the application is not up yet",
    severity: Severity::Note,
    stage: Stage::Application,
    cause: "the TLS port answers before the applications behind it are started: 404, Context Root Not Found",
    fix: "wait for the message that the application started (CWWKZ0001I), then try again",
    source: "domain specification R-270; domain specification H-84",
    states: &["context root not found", "srve0190e", "srve0255e"],
    hints: &["\" 404 "],
    explains: &[],
    find: no_facts,
};
