//! H-35: agents do not link since the master's agent was updated.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h18;
use crate::rules::h88;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-35",
    title: "agents do not link since the master's agent was updated",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "updating the master's own agent also replaced the certificate of its fault-tolerant agent; agents whose CA file lacks the new chain refuse it",
    fix: "put the new chain on top of the agents' CA file and restart them first, or take the master's agent back to its former certificate",
    source: "domain specification R-072, R-073; domain specification H-35",
    states: &[],
    hints: &[],
    explains: &["H-30", "H-88", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let unlinked = inputs.workstations.iter().any(|(_, shown)| !shown.is_linked());
    if !unlinked && !inputs.says(h88::RULE.states) {
        return Vec::new();
    }
    let identity = inputs.certificates().find(|(store, _, one)| {
        name_of(&store.file) == "tls.crt" && !h18::is_default(one) && !one.is_authority()
    });
    let Some((new, _, leaf)) = identity else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for store in &inputs.stores {
        let agents =
            ["TWSTrustCertificates.cer", "ca.crt", "TWSClientTrustStore.pem"].contains(&name_of(&store.file));
        let only_defaults = store.certificates().next().is_some()
            && store.certificates().all(|(_, one)| h18::is_default(one));
        if agents && only_defaults {
            let evidence = Evidence::file(&store.file, "holds the default certificates only");
            let own = Evidence::file(
                &new.file,
                format!("{} is signed by \"{}\"", leaf.name(), leaf.issuer.text),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
        }
    }
    found
}
