//! H-64: the broker does not admit the agent's name.

use std::collections::BTreeSet;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h18;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-64",
    title: "the broker does not admit the agent's name",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "the common name of the certificate that the agent presents begins with no item of Broker.AuthorizedCNs",
    fix: "append the common name (of the certificate, not the alias) to Broker.AuthorizedCNs in BrokerWorkstation.properties, separated by a semicolon, and restart the broker's Liberty",
    source: "domain specification R-039 to R-044, B.4, E-49; domain specification H-64",
    states: &[
        "authorizedcns",
        "common name && not authorized",
        "cn && is not authorized",
        "not authorized to && broker",
    ],
    hints: &["awsita081e"],
    explains: &["H-83", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let Some((settings, item)) = inputs.setting(SettingsKind::Properties, "Broker.AuthorizedCNs") else {
        return Vec::new();
    };
    let items: Vec<&str> = item
        .value
        .split(';')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (store, entry, leaf) in inputs.certificates() {
        let name = name_of(&store.file);
        let agents = name == "tls.crt"
            && store
                .certificates()
                .next()
                .is_some_and(|(_, first)| first.same(leaf))
            || name.contains("TWSClientKeyStore")
                && store
                    .keys()
                    .any(|key| key.chain.first().is_some_and(|own| own.same(leaf)))
            || store.is_listing
                && entry.kind == crate::facts::EntryKind::Key
                && entry.alias.as_deref() == Some("client");
        if !agents || h18::is_default(leaf) || leaf.is_authority() {
            continue;
        }
        let Some(own) = common_name(&leaf.subject.text) else {
            continue;
        };
        if !items.iter().any(|item| own.starts_with(item)) && seen.insert(own.clone()) {
            let evidence = Evidence::line(
                &settings.file,
                item.line,
                format!("Broker.AuthorizedCNs={}", item.value),
            );
            let other = Evidence::file(&store.file, format!("the agent presents CN={own}"))
                .alias(entry.alias.as_deref());
            found.push(Finding::proven(&RULE, own, evidence).and(other));
        }
    }
    found
}

/// In its own letters: the list knows upper and lower case.
fn common_name(subject: &str) -> Option<String> {
    let at = subject
        .find("CN=")
        .map(|at| at + 3)
        .or_else(|| subject.find("CN = ").map(|at| at + 5))?;
    Some(subject[at..].split(',').next()?.trim().to_owned())
}
