//! The words for a `leave` that no certificate of the fleet answers to.

use std::collections::BTreeSet;

use crate::file::LeaveDoc;
use crate::file::RotateDoc;
use crate::rotation::Refusal;
use crate::rotation::short;
use crate::snapshot::RotationFacts;
use crate::snapshot::Snapshot;

/// What was looked for, and which identities are there instead; `None` where that is no mistake.
pub(crate) fn refusal(rotate: &RotateDoc, facts: &RotationFacts, snapshot: &Snapshot) -> Option<Refusal> {
    let Some(LeaveDoc::Some(some)) = &rotate.leave else {
        return None;
    };
    if !facts.leave.is_empty() || !facts.new.is_empty() {
        return None;
    }
    if some.expiring_within.is_some() {
        // That nothing expires soon is an answer.
        return None;
    }
    let mut wanted = Vec::new();
    let mut add = |key: &str, value: Option<&str>| {
        wanted.extend(value.map(|value| format!("{key} = \"{value}\"")));
    };
    add("subject", some.subject.as_deref());
    add("issuer", some.issuer.as_deref());
    add("default-of", some.default_of.as_deref());
    for name in some.sha256.iter().flat_map(|names| names.all()) {
        add("sha256", Some(name));
    }
    let there: BTreeSet<String> = snapshot
        .uses
        .iter()
        .filter_map(|used| snapshot.certificate(used.presented.first()?))
        .map(|leaf| {
            format!(
                "{} (issuer {}, sha256 {})",
                leaf.subject(),
                leaf.issuer(),
                short(&leaf)
            )
        })
        .collect();
    let more = there.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<String> = there.into_iter().take(MOST_NAMED).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let there = if named.is_empty() {
        "no component presents any".to_owned()
    } else {
        format!("presented are {}", named.join("; "))
    };
    Some(Refusal {
        target: format!("rotate {}", rotate.name),
        what: format!(
            "no identity and no anchor of the fleet has {}; {there}",
            wanted.join(" or ")
        ),
        fix: "correct `leave` in capgrow.toml; `capgrow scan --json` lists every certificate".to_owned(),
        unusable: false,
    })
}

/// A message, not a list of the fleet.
const MOST_NAMED: usize = 6;
