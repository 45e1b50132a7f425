//! H-07: the TLS listener did not start.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-07",
    title: "the TLS listener did not start",
    severity: Severity::Error,
    stage: Stage::Connect,
    cause: "nothing listens with TLS: the key that the listener needs is not there under its name, or the port could not be opened",
    fix: "import the key under the listener's alias (CAE: CAE_AGENT_PORTAL), restart, and look for the message that the port listens (CWWKO0219I)",
    source: "CAE: configuring AT-TLS security; Liberty CWWKO0221E; domain specification H-07",
    states: &[
        "cae_agent_portal && not",
        "tls socket && not started",
        "cwwko0221e",
        "cwwko0220i && error",
    ],
    hints: &[
        "connection refused && 3449",
        "connection refused && 9443",
        "connection refused && 31116",
    ],
    explains: &["H-70", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let wanted = inputs
        .settings
        .iter()
        .find_map(|settings| settings.last("com.rocketsoft.nm.qm.caeAgent.tlsListenerAlias"))
        .map_or("CAE_AGENT_PORTAL", |item| item.value.as_str());
    labels::cae_stores(inputs)
        .into_iter()
        .filter(|store| !store.entries.is_empty() && store.find(wanted).is_none())
        .map(|store| {
            let evidence = Evidence::file(&store.file, format!("no entry {wanted}: {}", labels::list(store)));
            Finding::proven(&RULE, store.file.clone(), evidence)
        })
        .collect()
}
