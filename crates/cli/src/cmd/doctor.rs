//! `capgrow doctor`: why it fails, and what to do about it.

mod gather;

use ::doctor::Finding;
use ::doctor::Inputs;
use ::doctor::Rule;
use ::doctor::Severity;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::now;
use crate::passwords;
use crate::print;
use crate::print::failure;

/// Reads everything that was named, prints the findings with the cause first; no where one is a warning or an error.
pub fn run(args: &Args, these: &args::Doctor) -> anyhow::Result<Answer> {
    if let Some(id) = &these.explain {
        return explain(args, id);
    }
    let given = passwords::given(&these.passwords)?;
    let gather::Gathered {
        files,
        mut passwords,
        unreached,
    } = gather::files(args, these)?;
    for what in &unreached {
        print::line(&format!("capgrow: warning: {what}; nothing is known about it"));
    }
    passwords.extend(given.store.into_iter().chain(given.key));
    let looked = files.len();
    let inputs = Inputs::gather(files, &passwords, now());
    let findings = ::doctor::diagnose(&inputs);
    let is_wrong = findings.iter().any(|finding| finding.severity != Severity::Note);
    let negative = is_wrong || !unreached.is_empty();
    if args.json_lines {
        findings
            .iter()
            .for_each(|finding| print::json_line(&value(finding)));
    } else if args.json {
        let list: Vec<Value> = findings.iter().map(value).collect();
        print::json(&json!({ "version": 1, "looked_at": looked, "unreached": unreached, "findings": list }));
    } else {
        show(&findings, looked);
    }
    Ok(if negative { Answer::No } else { Answer::Yes })
}

/// One rule in full, or all in a list.
fn explain(args: &Args, id: &str) -> anyhow::Result<Answer> {
    if id.eq_ignore_ascii_case("all") {
        let rows: Vec<Vec<String>> = ::doctor::RULES
            .iter()
            .map(|rule| {
                vec![
                    rule.id.to_owned(),
                    rule.severity.word().to_owned(),
                    rule.title.to_owned(),
                ]
            })
            .collect();
        print::table(&rows).iter().for_each(|row| print::answer(row));
        return Ok(Answer::Yes);
    }
    let rule = ::doctor::rule(id).ok_or_else(|| {
        failure(
            format!("there is no rule {id}"),
            "capgrow doctor --explain all lists them",
        )
    })?;
    if args.json || args.json_lines {
        print::json(&rule_value(rule));
    } else {
        print::block(&::doctor::page(rule));
    }
    Ok(Answer::Yes)
}

fn rule_value(rule: &Rule) -> Value {
    json!({
        "version": 1, "rule": rule.id, "title": rule.title, "severity": rule.severity.word(),
        "stage": rule.stage.words(), "cause": rule.cause, "fix": rule.fix, "source": rule.source,
        "states": rule.states, "hints": rule.hints, "explains": rule.explains,
    })
}

fn value(finding: &Finding) -> Value {
    let evidence: Vec<Value> = finding
        .evidence
        .iter()
        .map(|seen| json!({ "file": seen.file, "alias": seen.alias, "line": seen.line, "text": seen.text }))
        .collect();
    json!({
        "rule": finding.rule.id, "title": finding.rule.title, "severity": finding.severity.word(),
        "target": finding.target, "evidence": evidence, "cause": finding.cause, "fix": finding.fix,
        "source": finding.rule.source,
    })
}

fn show(findings: &[Finding], looked: usize) {
    for (number, finding) in findings.iter().enumerate() {
        print::answer(&format!(
            "{}{}: {} {}: {}",
            if number == 0 { "" } else { "  then " },
            finding.severity.word(),
            finding.rule.id,
            finding.target,
            finding.rule.title
        ));
        for seen in &finding.evidence {
            print::answer(&format!("    seen: {seen}"));
        }
        print::answer(&format!("    cause: {}", finding.cause));
        print::answer(&format!("    fix: {}", finding.fix));
    }
    let count = |severity| findings.iter().filter(|one| one.severity == severity).count();
    print::answer(&format!(
        "{looked} files: {} errors, {} warnings, {} notes",
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    ));
}
