//! H-92: WebSphere still presents the old certificate.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-92",
    title: "WebSphere still presents the old certificate",
    severity: Severity::Error,
    stage: Stage::Presented,
    cause: "WebSphere keeps its list of aliases: after a certificate was received, the endpoints go on with the old one until the list is updated",
    fix: "SSL certificate and key management > Manage endpoint security configurations > inbound (then outbound) node > Update certificate alias list; in a cluster the SIP proxy's; restart if needed",
    source: "technote on renewing a Sametime Gateway certificate; domain specification R-147 to R-150; domain specification H-92",
    states: &["sslc0008e && expired", "cwpki0428"],
    hints: &[],
    explains: &["H-50", "H-05"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let Some(leaf) = seen.sent.first() else { continue };
        for store in inputs
            .stores
            .iter()
            .filter(|store| is_websphere(inputs, &store.file))
        {
            let newer = store.keys().find(|entry| {
                entry.chain.first().is_some_and(|own| {
                    !own.same(leaf) && own.subject.same(&leaf.subject) && own.not_before > leaf.not_before
                })
            });
            if let Some(newer) = newer {
                let evidence = Evidence::file(&seen.file, format!("presented: {}", leaf.name()));
                let own = Evidence::file(&store.file, "a newer certificate of that name")
                    .alias(newer.alias.as_deref());
                found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
            }
        }
    }
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::WebSphere)
    {
        for item in settings
            .items
            .iter()
            .filter(|item| item.key == "serverKeyAlias" && !item.value.is_empty())
        {
            for store in inputs
                .stores
                .iter()
                .filter(|store| is_websphere(inputs, &store.file))
            {
                let old = store.find(&item.value).and_then(|entry| entry.chain.first());
                let expired = old.is_some_and(|one| one.not_after.is_some_and(|until| until < inputs.now));
                let valid = store.keys().any(|entry| {
                    entry
                        .chain
                        .first()
                        .is_some_and(|one| one.not_after.is_some_and(|until| until >= inputs.now))
                });
                if valid && (old.is_none() || expired) {
                    let evidence = Evidence::line(
                        &settings.file,
                        item.line,
                        format!("serverKeyAlias = {}", item.value),
                    );
                    found.push(
                        Finding::proven(&RULE, settings.file.clone(), evidence).and(Evidence::file(
                            &store.file,
                            "a valid key is there under another alias",
                        )),
                    );
                }
            }
        }
    }
    found
}

/// Whether a store lies where WebSphere keeps its own.
pub(super) fn is_websphere(inputs: &Inputs, file: &str) -> bool {
    let named = ["key.p12", "trust.p12", "STGWKS.p12"].contains(&name_of(file));
    file.contains("config/cells/")
        || name_of(file) == "STGWKS.p12"
        || named
            && inputs
                .settings
                .iter()
                .any(|settings| settings.kind == SettingsKind::WebSphere)
}
