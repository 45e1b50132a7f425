//! H-90: the program works, and without TLS.

use std::collections::BTreeMap;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::Item;
use crate::settings::SettingsKind;
use crate::text::mqsc::MqKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-90",
    title: "the program works, and without TLS",
    severity: Severity::Error,
    stage: Stage::Spoken,
    cause: "the first channel that fits the queue manager has no CipherSpec: the client takes it silently",
    fix: "give this group of clients a channel table of its own, with the TLS channel only or first; prove it with DIS CHS(…) ALL: SECPROT must not be NONE",
    source: "domain specification R-203, R-212, E.6; domain specification H-90",
    states: &["secprot(none)"],
    hints: &[],
    explains: &[],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found: Vec<Finding> = inputs
        .mq
        .iter()
        .filter(|object| object.kind == MqKind::Running && object.get("SECPROT") == Some("NONE"))
        .map(|object| {
            let evidence = Evidence::line(
                &object.file,
                object.line,
                format!("{} runs with SECPROT(NONE)", object.name()),
            );
            Finding::proven(&RULE, object.name().to_owned(), evidence)
        })
        .collect();
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::JsonChannels)
    {
        let mut channels: BTreeMap<usize, Vec<&Item>> = BTreeMap::new();
        for item in &settings.items {
            let number = item
                .section
                .rsplit('#')
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or(0);
            channels.entry(number).or_default().push(item);
        }
        let value = |items: &[&Item], key: &str| {
            items
                .iter()
                .find(|item| item.key == key)
                .map(|item| item.value.clone())
        };
        let list: Vec<(&usize, &Vec<&Item>)> = channels.iter().collect();
        for (at, (_, plain)) in list.iter().enumerate() {
            let manager = value(plain, "queueManager");
            let secured = list[at + 1..].iter().find(|(_, other)| {
                value(other, "queueManager") == manager && value(other, "cipherSpecification").is_some()
            });
            if let (None, Some(name), Some((_, other))) = (
                value(plain, "cipherSpecification"),
                plain.iter().find(|item| item.key == "name"),
                secured,
            ) {
                let after = value(other, "name").unwrap_or_default();
                let evidence = Evidence::line(
                    &settings.file,
                    name.line,
                    format!(
                        "{} has no cipherSpecification and stands before {after}",
                        name.value
                    ),
                );
                found.push(Finding::proven(&RULE, name.value.clone(), evidence));
            }
        }
    }
    found
}
