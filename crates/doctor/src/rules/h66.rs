//! H-66: SSLPEER does not admit the peer's name.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::text::mqsc::MqKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-66",
    title: "SSLPEER does not admit the peer's name",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "the channel admits only peers whose distinguished name fits SSLPEER (or a CHLAUTH record's), and this one does not",
    fix: "align SSLPEER with the name of the certificate that is presented now, or present one with the old name; DISPLAY CHLAUTH(…) MATCH(RUNCHECK) shows what a name gets",
    source: "IBM MQ AMQ9636E, reason 2398; domain specification E.7; domain specification H-66",
    states: &[
        "amq9636e",
        "mqrc_ssl_peer_name_mismatch",
        "reason code 2398",
        "[2398]",
        "2398 && ssl",
    ],
    hints: &[],
    explains: &["H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for object in inputs
        .mq
        .iter()
        .filter(|object| matches!(object.kind, MqKind::Channel | MqKind::Rule))
    {
        let Some(pattern) = object.get("SSLPEER").filter(|pattern| !pattern.is_empty()) else {
            continue;
        };
        let wanted = crate::dn::Dn::parse(pattern);
        let named = peers::identities(inputs);
        let fits = named.iter().any(|(_, leaf)| admits(&wanted, leaf));
        if let (Some((store, leaf)), false, MqKind::Channel) = (named.first(), fits, object.kind) {
            let evidence = Evidence::line(&object.file, object.line, format!("SSLPEER('{pattern}')"));
            let own = Evidence::file(&store.file, leaf.name().to_owned());
            found.push(Finding::proven(&RULE, object.name().to_owned(), evidence).and(own));
        }
    }
    found
}

/// `*` only at the start or end of a value; attributes that are not asked for may be anything.
fn admits(wanted: &crate::dn::Dn, leaf: &crate::facts::CertFacts) -> bool {
    ["cn", "ou", "o", "l", "st", "c"].iter().all(|kind| {
        let Some(pattern) = wanted.value(kind) else {
            return true;
        };
        let value = leaf.subject.value(kind).unwrap_or_default();
        match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) if !end.ends_with('*') => value.ends_with(end),
            (_, Some(start)) if !start.starts_with('*') => value.starts_with(start),
            (Some(_), Some(_)) => value.contains(pattern.trim_matches('*')),
            _ => value == pattern,
        }
    })
}
