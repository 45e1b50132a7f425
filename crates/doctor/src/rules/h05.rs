//! H-05: the old certificate is still shown.

use crate::facts::CertFacts;
use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h92;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-05",
    title: "the old certificate is still shown",
    severity: Severity::Error,
    stage: Stage::Presented,
    cause: "the program presents another key than the one that was meant: its alias points to the old key, or it has not read the store since it was changed (Liberty reads it again at a restart, unless updateTrigger is polled)",
    fix: "set serverKeyAlias to the new key, look for a file in configDropins/overrides that says otherwise, then restart, and look at the fingerprint that is presented",
    source: "Open Liberty configuration reference, keyStore updateTrigger; domain specification H-05",
    states: &["old certificate && still"],
    hints: &[],
    explains: &["H-50", "H-52", "H-60"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = shown(inputs);
    for named in labels::named(inputs) {
        let Some(store) = labels::store_of(inputs, &named) else {
            continue;
        };
        let Some(leaf) = store
            .find(&named.label)
            .filter(|entry| entry.kind == EntryKind::Key)
            .and_then(|entry| entry.chain.first())
        else {
            continue;
        };
        let valid = store.keys().find(|entry| {
            entry.chain.first().is_some_and(|other| {
                !other.same(leaf) && other.not_after.is_some_and(|until| until > inputs.now)
            })
        });
        let newer = store.keys().find_map(|entry| {
            let other = entry.chain.first()?;
            (is_successor(other, leaf) && other.not_after > Some(inputs.now)).then_some((entry, other))
        });
        if let Some((entry, other)) = newer
            && leaf.not_after > Some(inputs.now)
        {
            let evidence = Evidence::line(
                &named.file,
                named.line,
                format!(
                    "{} = {}: valid from {}",
                    named.key,
                    named.label,
                    day(leaf.not_before)
                ),
            );
            let other = Evidence::file(&store.file, format!("valid from {}", day(other.not_before)))
                .alias(entry.alias.as_deref());
            // In the middle of a renewal this is how it should be.
            found.push(
                Finding::proven(&RULE, store.file.clone(), evidence)
                    .and(other)
                    .at(Severity::Note),
            );
        }
        if let (true, Some(valid)) = (leaf.not_after.is_some_and(|until| until < inputs.now), valid) {
            let evidence = Evidence::line(
                &named.file,
                named.line,
                format!("{} = {}: its certificate has expired", named.key, named.label),
            );
            let other = Evidence::file(&store.file, "this key is valid").alias(valid.alias.as_deref());
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(other));
        }
    }
    found
}

/// A connection shows one key of a store that also holds a newer one, for the same names.
fn shown(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let Some(leaf) = seen.sent.first() else { continue };
        for store in inputs
            .stores
            .iter()
            .filter(|store| !h92::is_websphere(inputs, &store.file))
        {
            let newer = store.keys().find(|entry| {
                entry.chain.first().is_some_and(|own| {
                    !own.same(leaf)
                        && own.not_before > leaf.not_before
                        && (own.subject.same(&leaf.subject)
                            || store
                                .keys()
                                .any(|other| other.chain.first().is_some_and(|one| one.same(leaf))))
                })
            });
            if let Some(newer) = newer {
                let evidence = Evidence::file(
                    &seen.file,
                    format!("presented: {}, valid from {}", leaf.name(), day(leaf.not_before)),
                );
                let own = newer.chain.first().map_or(String::new(), |own| {
                    format!("{}, valid from {}", own.name(), day(own.not_before))
                });
                let other = Evidence::file(&store.file, own).alias(newer.alias.as_deref());
                found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(other));
            }
        }
    }
    found
}

/// Whether a certificate came after another, for the same program.
fn is_successor(one: &CertFacts, earlier: &CertFacts) -> bool {
    let names = one.hosts();
    let same_names = !names.is_empty() && earlier.hosts().iter().all(|name| names.contains(name));
    !one.same(earlier)
        && (one.subject.same(&earlier.subject) || same_names && !earlier.hosts().is_empty())
        && one.not_after > earlier.not_after
}

fn day(unix: Option<i64>) -> String {
    unix.map_or_else(|| "?".to_owned(), crate::moment::day_text)
}
