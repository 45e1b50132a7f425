//! H-94: the token settings name an alias that is not there.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-94",
    title: "the token settings name an alias that is not there",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "mp.jwt.trust.key names a certificate of the trust store, keyAlias of jwtBuilder a key of the keystore: one of them does not have it, so tokens and API keys are refused",
    fix: "import the server's public certificate into the trust store under the alias of mp.jwt.trust.key, and set keyAlias to the alias of the private key",
    source: "domain specification R-116 to R-118, B.4; domain specification H-94",
    states: &[
        "mp.jwt.trust.key",
        "cwwks6033e",
        "cwwks6052e",
        "cwwks6016e",
        "cwwks6007e",
        "signing key && not available",
    ],
    hints: &[],
    explains: &["H-83", "H-93"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let stores = |start: &str| -> Vec<_> {
        inputs
            .stores
            .iter()
            .filter(|store| {
                name_of(&store.file).starts_with(start)
                    && !store.file.contains("dwcServer")
                    && !store.entries.is_empty()
            })
            .collect()
    };
    let trusts = stores("TWSServerTrustFile");
    let keys = stores("TWSServerKeyFile");
    for variable in inputs
        .elements("variable")
        .filter(|element| element.value("name") == Some("mp.jwt.trust.key"))
    {
        let Some(item) = variable.attribute("value") else {
            continue;
        };
        if let Some(store) = trusts
            .first()
            .filter(|_| trusts.iter().all(|store| store.find(&item.value).is_none()))
        {
            let evidence = Evidence::line(
                &variable.settings.file,
                item.line,
                format!("mp.jwt.trust.key = {}", item.value),
            );
            found.push(
                Finding::proven(&RULE, store.file.clone(), evidence)
                    .and(Evidence::file(&store.file, "has no entry of that name")),
            );
        }
    }
    for builder in inputs.elements("jwtBuilder") {
        let Some(item) = builder.attribute("keyAlias") else {
            continue;
        };
        let alias = inputs.filled(&item.value);
        let missing = keys.iter().all(|store| {
            store
                .find(&alias)
                .is_none_or(|entry| entry.kind != EntryKind::Key)
        });
        if let Some(store) = keys.first().filter(|_| missing && !alias.contains("${")) {
            let evidence = Evidence::line(
                &builder.settings.file,
                item.line,
                format!("jwtBuilder keyAlias = {alias}"),
            );
            found.push(
                Finding::proven(&RULE, store.file.clone(), evidence)
                    .and(Evidence::file(&store.file, "has no private key of that name")),
            );
        }
    }
    found
}
