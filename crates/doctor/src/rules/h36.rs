//! H-36: an agent lost its trust in the master by the download.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h18;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-36",
    title: "an agent lost its trust in the master by the download",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "the depot holds the new chain only while the master still presents a default certificate: what the downloader fetched no longer trusts the master",
    fix: "add the four default certificates to depot/additionalCAs, run AgentCertificateDownloader again, restart the agent",
    source: "domain specification R-076, R-279; domain specification H-36",
    states: &[],
    hints: &[],
    explains: &["H-30", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let Some((master, alias)) = default_master(inputs) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for key in inputs
        .stores
        .iter()
        .filter(|store| name_of(&store.file) == "tls.crt")
    {
        let dir = dir_of(&key.file);
        let is_depot = name_of(dir) == "depot"
            || inputs
                .files
                .iter()
                .any(|file| dir_of(&file.path) == format!("{dir}/additionalCAs"));
        let near = |file: &str| dir_of(file) == dir || dir_of(file) == format!("{dir}/additionalCAs");
        let trusts = inputs
            .certificates()
            .any(|(store, _, one)| near(&store.file) && h18::is_default(one));
        if is_depot && !trusts {
            let evidence = Evidence::file(
                if dir.is_empty() { &key.file } else { dir },
                "no default certificate in the depot",
            );
            let own = Evidence::file(&master, "what the master presents is a default certificate")
                .alias(alias.as_deref());
            found.push(Finding::proven(&RULE, key.file.clone(), evidence).and(own));
        }
    }
    for store in inputs
        .stores
        .iter()
        .filter(|store| name_of(&store.file).contains("TWSClientKeyStore"))
    {
        let custom = store
            .keys()
            .any(|entry| entry.chain.first().is_some_and(|leaf| !h18::is_default(leaf)));
        let near = inputs
            .certificates()
            .filter(|(other, _, _)| dir_of(&other.file) == dir_of(&store.file));
        if custom && near.into_iter().all(|(_, _, one)| !h18::is_default(one)) {
            let evidence = Evidence::file(&store.file, "no default certificate among its trusted ones");
            let own = Evidence::file(&master, "what the master presents is a default certificate")
                .alias(alias.as_deref());
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
        }
    }
    found
}

/// The master's keystore and alias, where what it presents is a default certificate.
fn default_master(inputs: &Inputs) -> Option<(String, Option<String>)> {
    let store = inputs.stores.iter().find(|store| {
        name_of(&store.file).starts_with("TWSServerKeyFile")
            && !store.file.contains("dwcServer")
            && store.keys().next().is_some()
    })?;
    let wanted = labels::named(inputs)
        .into_iter()
        .find(|named| named.key == "serverKeyAlias" && store.find(&named.label).is_some());
    let entry = match &wanted {
        Some(named) => store.find(&named.label)?,
        None if store.keys().count() == 1 => store.keys().next()?,
        None => return None,
    };
    entry
        .chain
        .first()
        .is_some_and(h18::is_default)
        .then(|| (store.file.clone(), entry.alias.clone()))
}
