//! The answer for people: a table per file, then what is wrong with it.

use super::Seen;
use super::facts::CertificateFacts;
use super::facts::EntryFacts;
use super::facts::Kind;
use super::finding::Finding;
use super::finding::Severity;
use crate::print;
use crate::print::safe;

/// Prints all files.
pub fn files(all: &[&Seen], findings: &[Vec<Finding>]) {
    for (seen, own) in all.iter().zip(findings) {
        file(seen, own);
    }
    if all.is_empty() {
        print::answer("no keystore, certificate, key or stash found");
        return;
    }
    let count = |severity| {
        findings
            .iter()
            .flatten()
            .filter(|one| one.severity == severity)
            .count()
    };
    let (errors, warnings, notes) = (
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note),
    );
    print::answer(&format!(
        "{}: {}, {}, {}",
        counted(all.len(), "file"),
        counted(errors, "error"),
        counted(warnings, "warning"),
        counted(notes, "note")
    ));
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn file(seen: &Seen, findings: &[Finding]) {
    let facts = &seen.facts;
    let what = match facts.kind {
        Kind::Broken => "cannot be read".to_owned(),
        Kind::Stash => "a password".to_owned(),
        Kind::Store if facts.entry_count == 1 => "1 entry".to_owned(),
        Kind::Store => format!("{} entries", facts.entry_count),
    };
    print::answer(&format!(
        "{}: {}, {what}, {}",
        seen.path.display(),
        facts.format,
        &facts.sha256[..16]
    ));
    let rows: Vec<Vec<String>> = facts.entries().iter().flat_map(entry_rows).collect();
    for row in print::table(&rows) {
        print::answer(&format!("  {}", row.trim_end()));
    }
    for finding in findings {
        let own = seen.path.display().to_string();
        let place = finding
            .target
            .strip_prefix(&own)
            .unwrap_or(&finding.target)
            .trim_start_matches(": ");
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(" {place}:")
        };
        print::answer(&format!(
            "  {}: {}:{place} {}; {}",
            finding.severity.word(),
            finding.rule,
            finding.evidence,
            finding.cause
        ));
        if finding.severity != Severity::Note {
            print::answer(&format!("    fix: {}", finding.fix));
        }
    }
}

/// One row per entry, and one below it for each further certificate of its chain.
fn entry_rows(entry: &EntryFacts) -> Vec<Vec<String>> {
    let alias = entry.alias.as_deref().map_or_else(|| "-".to_owned(), safe);
    let mut first = vec![alias, entry.kind.clone()];
    let mut rest = entry.chain.iter();
    match (rest.next(), &entry.what, entry.kind.as_str()) {
        (Some(leaf), _, _) => first.extend(cells(leaf)),
        (None, Some(what), _) => first.push(safe(what)),
        (None, None, "request") => {
            if let Some(request) = &entry.request {
                first.push(safe(&request.subject));
                first.push(request.key.clone());
            }
        }
        _ => first.push(
            entry
                .protection
                .as_ref()
                .map_or_else(String::new, |how| format!("protection: {how}")),
        ),
    }
    let mut rows = vec![first];
    rows.extend(rest.map(|certificate| {
        let mut row = vec![String::new(), "  chain".to_owned()];
        row.extend(cells(certificate));
        row
    }));
    rows
}

fn cells(certificate: &CertificateFacts) -> [String; 5] {
    let until = certificate
        .not_after
        .parse::<jiff::Timestamp>()
        .map_or(0, jiff::Timestamp::as_second);
    [
        safe(&certificate.subject),
        certificate.key.clone(),
        certificate.signature.clone(),
        format!("until {}", print::local_time(until)),
        certificate.sha256[..16].to_owned(),
    ]
}
