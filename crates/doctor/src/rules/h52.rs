//! H-52: a certificate expires within the lead time.

use crate::facts::EntryKind;
use crate::facts::StoreFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::moment;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-52",
    title: "a certificate expires within the lead time",
    severity: Severity::Warning,
    stage: Stage::Dates,
    cause: "it works today, and will not in a few days",
    fix: "plan the renewal now: capgrow plan; agents fetch new certificates by themselves when they lie in the depot before",
    source: "domain specification R-133, R-134: Broker.CertificateExpirationInterval, 15 days by default; domain specification H-52",
    states: &[
        "will expire in",
        "is about to expire",
        "expires soon",
        "certificate && expiring",
        "cwpki0429w",
        "days && certificate && expir",
    ],
    hints: &[],
    explains: &[],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let days = inputs
        .setting(SettingsKind::Properties, "Broker.CertificateExpirationInterval")
        .and_then(|(_, item)| item.value.parse::<i64>().ok())
        .filter(|days| (1..3_650).contains(days))
        .unwrap_or(15);
    let identities = peers::identities(inputs);
    let mut found = Vec::new();
    for (store, entry, one) in inputs.certificates() {
        let Some(until) = one.not_after else { continue };
        if until < inputs.now || until - inputs.now > days * 86_400 {
            continue;
        }
        let used = entry.kind == EntryKind::Key
            || (store.is_loose() || store.is_listing) && !(one.is_authority() && is_everybodys(store))
            || identities.iter().any(|(_, leaf)| leaf.names_as_issuer(one));
        let evidence = Evidence::file(
            &store.file,
            format!("{} expires {}", one.name(), moment::day_text(until)),
        )
        .alias(entry.alias.as_deref())
        .at(entry.line);
        let finding = Finding::proven(&RULE, store.file.clone(), evidence);
        found.push(if used { finding } else { finding.at(Severity::Note) });
    }
    found
}

/// A bundle of the public authorities: of some of them somebody expires every month, and nobody here need care.
fn is_everybodys(store: &StoreFacts) -> bool {
    store.certificates().nth(20).is_some()
}
