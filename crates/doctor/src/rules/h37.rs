//! H-37: an agent was forgotten before the defaults were retired.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h18;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-37",
    title: "an agent was forgotten before the defaults were retired",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "the master no longer trusts the default certificates, and this agent still presents one; agents that log on with tokens of the old key are out as well",
    fix: "move this agent to the new certificate (downloader, localopts), or put the default certificates back until it is done",
    source: "domain specification R-114, B.8; domain specification H-37",
    states: &[],
    hints: &[],
    explains: &["H-30", "H-80", "H-87", "H-88", "H-93"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let master = inputs.stores.iter().find(|store| {
        name_of(&store.file).starts_with("TWSServerTrustFile")
            && !store.file.contains("dwcServer")
            && !store.entries.is_empty()
    });
    let Some(master) = master.filter(|store| store.certificates().all(|(_, one)| !h18::is_default(one)))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (store, _, leaf) in inputs.certificates() {
        let name = name_of(&store.file);
        let agents = name.contains("TWSClientKeyStore")
            && store
                .keys()
                .any(|entry| entry.chain.first().is_some_and(|own| own.same(leaf)))
            || ["tls.crt", "TWSClient.cer"].contains(&name) && peers::is_in_use(inputs, &store.file);
        if agents && h18::is_default(leaf) && found.iter().all(|known: &Finding| known.target != store.file) {
            let evidence = Evidence::file(&store.file, format!("still presents {}", leaf.name()));
            let own = Evidence::file(&master.file, "trusts no default certificate any more");
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
        }
    }
    found
}
