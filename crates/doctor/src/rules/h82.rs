//! H-82: the server does not use the client's certificate.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-82",
    title: "the server does not use the client's certificate",
    severity: Severity::Warning,
    stage: Stage::Client,
    cause: "clientAuthenticationSupported asks for a certificate and goes on without one that it does not trust: an automatically made Liberty keystore trusts no client",
    fix: "import the client's authority into the server's trust store, or require the certificate (clientAuthentication=\"true\")",
    source: "domain specification R-264, R-266; domain specification H-82",
    states: &["client certificate && ignored"],
    hints: &[],
    explains: &["H-83"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let heard = inputs.says(super::h83::RULE.states)
        || inputs.says(super::h83::RULE.hints)
        || inputs.says(RULE.states);
    for element in inputs.elements("ssl") {
        let asks = element.value("clientAuthenticationSupported") == Some("true")
            && element.value("clientAuthentication") != Some("true");
        let Some(trust) = element
            .value("trustStoreRef")
            .or_else(|| element.value("keyStoreRef"))
        else {
            continue;
        };
        let place = inputs
            .elements("keyStore")
            .find(|store| store.value("id") == Some(trust))
            .and_then(|store| store.value("location"));
        let Some(store) = place.and_then(|place| labels::store_at(inputs, &inputs.filled(place))) else {
            continue;
        };
        let trusts = store
            .entries
            .iter()
            .any(|entry| entry.kind == EntryKind::Trusted(true));
        if asks && !trusts && !store.entries.is_empty() {
            let evidence = Evidence::line(
                &element.settings.file,
                element.line(),
                "clientAuthenticationSupported=\"true\"",
            );
            let own = Evidence::file(&store.file, "holds no trusted certificate");
            let finding = Finding::proven(&RULE, store.file.clone(), evidence).and(own);
            found.push(if heard {
                finding
            } else {
                finding.at(Severity::Note)
            });
        }
    }
    found
}
