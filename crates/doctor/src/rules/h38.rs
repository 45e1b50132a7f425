//! H-38: the path ends at an expired or unexpected root.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-38",
    title: "the path ends at an expired or unexpected root",
    severity: Severity::Note,
    stage: Stage::Trust,
    cause: "there are several paths: one name and key with two certificates, one of them expired; a verifier that tries the expired one first refuses",
    fix: "remove the expired root from the verifier's store, and the cross-signed certificate from the chain that is sent",
    source: "RFC 4158; the expiry of a widely used cross-signed root in 2020; domain specification H-38",
    states: &[
        "addtrust external ca root && expired",
        "dst root ca x3 && expired",
    ],
    hints: &[],
    explains: &["H-50", "H-30"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for store in inputs.stores.iter().filter(|store| store.entries.len() <= 2_000) {
        let all: Vec<_> = store
            .certificates()
            .filter(|(_, one)| one.is_authority() || one.is_self_signed())
            .collect();
        for (entry, old) in all
            .iter()
            .filter(|(_, one)| one.not_after.is_some_and(|until| until < inputs.now))
        {
            let twin = all.iter().find(|(_, other)| {
                let same_key = match (&old.certificate, &other.certificate) {
                    (Some(one), Some(two)) => one.spki() == two.spki(),
                    _ => true,
                };
                same_key
                    && other.subject.same(&old.subject)
                    && other.not_after.is_some_and(|until| until >= inputs.now)
            });
            if let Some((valid, _)) = twin {
                let until = old.not_after.map_or(String::new(), crate::moment::day_text);
                let evidence = Evidence::file(&store.file, format!("{} expired {until}", old.name()))
                    .alias(entry.alias.as_deref());
                let own = Evidence::file(&store.file, "the same name and key, still valid")
                    .alias(valid.alias.as_deref());
                found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
            }
        }
    }
    found
}
