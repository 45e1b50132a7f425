//! H-23: an alias went to another certificate than it names.

use std::collections::BTreeMap;

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h18;
use crate::rules::h87;
use crate::rules::h88;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-23",
    title: "an alias went to another certificate than it names",
    severity: Severity::Warning,
    stage: Stage::Presented,
    cause: "Java folds the case of aliases: the depot's Client.crt and Server.crt land on the aliases client and server, where the agent's own key and the master's certificate belong",
    fix: "name the files of the depot so that they do not collide (zdefServer.crt), run the downloader again, and check each alias by its certificate",
    source: "domain specification E-14; domain specification H-23",
    states: &[],
    hints: &[],
    explains: &["H-30", "H-81", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = colliding(inputs);
    let heard = [h87::RULE.states, h87::RULE.hints, h88::RULE.states]
        .iter()
        .any(|patterns| inputs.says(patterns));
    for store in &inputs.stores {
        let agents = name_of(&store.file).contains("TWSClientKeyStore")
            || store.is_listing && store.format == "keytool";
        if !agents || !matches!(store.format, "jks" | "keytool" | "pkcs12") {
            continue;
        }
        let moved = store.entries.iter().find(|entry| {
            entry
                .alias
                .as_deref()
                .is_some_and(|alias| alias.eq_ignore_ascii_case("client"))
                && matches!(entry.kind, EntryKind::Trusted(_))
                && entry.chain.first().is_some_and(h18::is_default)
        });
        let key = store.keys().find(|entry| {
            entry
                .alias
                .as_deref()
                .is_some_and(|alias| alias.eq_ignore_ascii_case("server"))
        });
        if let (Some(moved), Some(key)) = (moved, key) {
            let name = moved.chain.first().map_or("", |one| one.name());
            let evidence = Evidence::file(&store.file, format!("a trusted certificate: {name}"))
                .alias(moved.alias.as_deref())
                .at(moved.line);
            let other = Evidence::file(&store.file, "the agent's own key")
                .alias(key.alias.as_deref())
                .at(key.line);
            let finding = Finding::proven(&RULE, store.file.clone(), evidence).and(other);
            // The published procedure ends so, and works as long as the program takes the key by its kind.
            found.push(if heard {
                finding
            } else {
                finding.at(Severity::Note)
            });
        }
    }
    found
}

/// Files of a depot whose names become one alias.
fn colliding(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let depot = |path: &&str| name_of(dir_of(path)) == "additionalCAs";
    for path in inputs.files.iter().map(|file| file.path.as_str()).filter(depot) {
        let folded = format!("{}/{}", dir_of(path), name_of(path).to_lowercase());
        if let Some(first) = seen.insert(folded, path) {
            let evidence = Evidence::file(first, "its name becomes an alias");
            let other = Evidence::file(path, "and this one the same, but for case");
            found.push(Finding::proven(&RULE, path.to_owned(), evidence).and(other));
        }
    }
    found
}
