//! H-50: a certificate has expired.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-50",
    title: "a certificate has expired",
    severity: Severity::Error,
    stage: Stage::Dates,
    cause: "the certificate, or one above it, is past its end date",
    fix: "renew it: every level of the chain, in key and trust stores; capgrow plan does it without a break",
    source: "RFC 5280 4.1.2.5; OpenSSL 10; GSKit 401; JSSE; domain specification H-50",
    states: &[
        "certificate has expired",
        "certificateexpiredexception",
        "notafter: && exception",
        "net::err_cert_date_invalid",
        "sec_error_expired_certificate",
        "gsk_error_bad_date",
        "arithinsert1(401)",
        "error code returned was '401'",
        "alert certificate expired",
        "certificate_expired",
        "certificate expired",
        "has expired on",
        "certificate is expired",
        "cert_has_expired",
        "verify error:num=10:",
        "expired certificate",
    ],
    hints: &[],
    explains: &["H-30", "H-32", "H-72", "H-80", "H-87", "H-88", "H-91", "H-92"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let expired = |until: Option<i64>| until.is_some_and(|until| until < inputs.now);
    let identities = peers::identities(inputs);
    let mut found: Vec<Finding> = Vec::new();
    for seen in &inputs.conversations {
        let stated = seen
            .verify
            .iter()
            .find(|(code, _)| *code == 10)
            .map(|(_, line)| *line);
        let old = seen.sent.iter().find(|one| expired(one.not_after));
        if stated.is_some() || old.is_some() || seen.alerts.iter().any(|(_, alert)| *alert == 45) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let what = old.map_or("expired, says the verifier".to_owned(), |one| {
                said(one.name(), one.not_after)
            });
            found.push(Finding::proven(
                &RULE,
                target,
                Evidence::file(&seen.file, what).at(stated),
            ));
        }
    }
    for (store, entry, one) in inputs.certificates().filter(|(_, _, one)| expired(one.not_after)) {
        let presented = entry.kind == EntryKind::Key || identities.iter().any(|(_, leaf)| leaf.same(one));
        let issues = identities
            .iter()
            .any(|(_, leaf)| !expired(leaf.not_after) && !leaf.same(one) && leaf.names_as_issuer(one));
        let renewed = inputs.certificates().any(|(other, _, new)| {
            other.file == store.file && new.subject.same(&one.subject) && !expired(new.not_after)
        });
        let alone = store.is_listing && store.format != "keytool" && !one.is_authority();
        let evidence = Evidence::file(&store.file, said(one.name(), one.not_after))
            .alias(entry.alias.as_deref())
            .at(entry.line);
        let finding = Finding::proven(&RULE, store.file.clone(), evidence);
        let severity = if (presented || issues || alone) && !renewed {
            Severity::Error
        } else {
            Severity::Note
        };
        found.push(finding.at(severity));
    }
    for one in inputs.racf.iter().filter(|one| expired(one.facts.not_after)) {
        let evidence = Evidence::line(&one.file, one.line, said(one.facts.name(), one.facts.not_after))
            .alias(Some(&one.label));
        found.push(Finding::proven(&RULE, one.label.clone(), evidence));
    }
    found
}

fn said(name: &str, until: Option<i64>) -> String {
    format!(
        "{name} expired {}",
        until.map_or_else(String::new, crate::moment::day_text)
    )
}
