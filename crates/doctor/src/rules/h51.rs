//! H-51: a certificate is not yet valid.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::moment;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-51",
    title: "a certificate is not yet valid",
    severity: Severity::Error,
    stage: Stage::Dates,
    cause: "the verifier's clock is before the certificate's start: clocks differ, or the certificate begins in the future (or in another time zone)",
    fix: "set the clocks (NTP) on both ends; wait, or issue it again with an earlier start",
    source: "RFC 5280 4.1.2.5; OpenSSL 9; JSSE; domain specification H-51",
    states: &[
        "certificate is not yet valid",
        "certificatenotyetvalidexception",
        "not yet valid",
        "notbefore: && exception",
        "cert_not_yet_valid",
    ],
    hints: &[],
    explains: &["H-30", "H-50", "H-80", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for seen in &inputs.conversations {
        if let Some((_, line)) = seen.verify.iter().find(|(code, _)| *code == 9) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            found.push(
                Finding::proven(&RULE, target, Evidence::line(&seen.file, *line, "verify code 9")).stated(),
            );
        }
    }
    for (store, entry, one) in inputs.certificates() {
        let Some(from) = one.not_before.filter(|from| *from > inputs.now) else {
            continue;
        };
        let evidence = Evidence::file(
            &store.file,
            format!("{} is valid from {}", one.name(), moment::day_text(from)),
        )
        .alias(entry.alias.as_deref())
        .at(entry.line);
        let finding = Finding::proven(&RULE, store.file.clone(), evidence);
        let waits = entry.kind != EntryKind::Key && !store.is_loose() && !store.is_listing;
        found.push(if waits {
            finding.at(crate::rule::Severity::Warning)
        } else {
            finding
        });
    }
    for one in &inputs.racf {
        if let Some(from) = one.facts.not_before.filter(|from| *from > inputs.now) {
            let evidence = Evidence::line(
                &one.file,
                one.line,
                format!("valid from {}", moment::day_text(from)),
            )
            .alias(Some(&one.label));
            found.push(Finding::proven(&RULE, one.label.clone(), evidence));
        }
    }
    found
}
