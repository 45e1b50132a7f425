//! H-78: with TLS 1.3 a refused client certificate shows late.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h80;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-78",
    title: "with TLS 1.3 a refused client certificate shows late",
    severity: Severity::Warning,
    stage: Stage::Client,
    cause: "in TLS 1.3 the client has finished before the server looks at its certificate: the alert comes at the first read, and the client's tool says that it is connected",
    fix: "read the log of the server: it has the reason; then treat it as a refused client certificate",
    source: "RFC 8446 4.4.2.4; domain specification H-78",
    states: &[
        "works with tls 1.2 && fails with tls 1.3",
        "works && tlsv1.2 && fails && tlsv1.3",
    ],
    hints: &[],
    explains: &["H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let older = inputs.conversations.iter().find(|seen| {
        seen.protocol.as_deref() == Some("TLSv1.2") && seen.verify.last().is_some_and(|(code, _)| *code == 0)
    });
    let newer = inputs
        .conversations
        .iter()
        .find(|seen| seen.protocol.as_deref() == Some("TLSv1.3"));
    match (older, newer) {
        (Some(older), Some(newer)) if older.file != newer.file && inputs.says(h80::RULE.states) => {
            let evidence = Evidence::file(&newer.file, "TLS 1.3: connected, then an alert");
            vec![
                Finding::proven(&RULE, newer.file.clone(), evidence)
                    .and(Evidence::file(&older.file, "TLS 1.2: works")),
            ]
        }
        _ => Vec::new(),
    }
}
