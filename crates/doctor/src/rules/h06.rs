//! H-06: the first private key is taken, as no alias is set.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-06",
    title: "the first private key is taken, as no alias is set",
    severity: Severity::Warning,
    stage: Stage::Presented,
    cause: "the store has several private keys and nothing names the one to present: JSSE, CAE and others take one by an order of their own",
    fix: "name the key: serverKeyAlias on <ssl>, keyAlias on a Tomcat connector, an entry WEBSERVER for CAE",
    source: "CAE: configuring AT-TLS security; JSSE X509KeyManager; domain specification H-06",
    states: &[
        "using the first private",
        "first private certificate",
        "first private key",
    ],
    hints: &[],
    explains: &["H-05", "H-60", "H-30"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for open in labels::unnamed(inputs) {
        let Some(store) = labels::store_at(inputs, &open.path) else {
            continue;
        };
        let keys = store.keys().count();
        if keys > 1 {
            let evidence = Evidence::line(
                &open.file,
                open.line,
                format!("{} and no {} beside it", open.path, open.key),
            );
            let own = Evidence::file(
                &store.file,
                format!("{keys} private keys: {}", labels::list(store)),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
        }
    }
    for store in labels::cae_stores(inputs) {
        if store.keys().next().is_some() && store.find("WEBSERVER").is_none() {
            let evidence = Evidence::file(
                &store.file,
                format!("no entry WEBSERVER: {}", labels::list(store)),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), evidence));
        }
    }
    found
}
