//! H-85: the product's TLS libraries stand in the way of the system's curl.

use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rule::no_facts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-85",
    title: "the product's TLS libraries stand in the way of the system's curl",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "LD_LIBRARY_PATH (LIBPATH) has the product's libraries first, and the system's curl does not run with them",
    fix: "run it in a fresh shell without tws_env.sh: env -u LD_LIBRARY_PATH -u LIBPATH ./AgentCertificateDownloader.sh …",
    source: "domain specification R-083; domain specification H-85",
    states: &[
        "symbol lookup error && curl",
        "undefined symbol && ssl",
        "undefined symbol && curl",
        "undefined symbol && crypto",
        "libssl && no version information",
        "libcurl && no version information",
        "libcrypto && no version information",
        "version `openssl && not found",
        "version 'openssl && not found",
        "curl: && error while loading shared libraries",
        "libssl && not found && version",
    ],
    hints: &[],
    explains: &["H-87", "H-86"],
    find: no_facts,
};
