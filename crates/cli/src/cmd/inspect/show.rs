//! The answer for people: a table per file, then what is wrong with it.

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;

use super::document::aliases;
use super::finding::Finding;
use super::finding::Severity;
use super::look::Content;
use super::look::Looked;
use super::short;
use crate::print;
use crate::print::safe;

/// Prints all files.
pub fn files(looked: &[&Looked], findings: &[Vec<Finding>]) {
    for (looked, own) in looked.iter().zip(findings) {
        file(looked, own);
    }
    if looked.is_empty() {
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
        counted(looked.len(), "file"),
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

fn file(looked: &Looked, findings: &[Finding]) {
    let what = match &looked.content {
        Content::Broken(_) => "cannot be read".to_owned(),
        Content::Stash(_) => "a password".to_owned(),
        Content::Store(store) if store.entries().len() == 1 => "1 entry".to_owned(),
        Content::Store(store) => format!("{} entries", store.entries().len()),
    };
    print::answer(&format!(
        "{}: {}, {what}, {}",
        looked.path.display(),
        looked.format,
        &looked.sha256[..16]
    ));
    if let Content::Store(store) = &looked.content {
        let mut rows = Vec::new();
        for (entry, alias) in store.entries().iter().zip(aliases(store)) {
            rows.extend(entry_rows(entry, alias.as_deref()));
        }
        for row in print::table(&rows) {
            print::answer(&format!("  {}", row.trim_end()));
        }
    }
    for finding in findings {
        let own = looked.path.display().to_string();
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
fn entry_rows(entry: &Entry, alias: Option<&str>) -> Vec<Vec<String>> {
    let alias = alias.map_or_else(|| "-".to_owned(), safe);
    let mut first = vec![alias, entry.kind_name().to_owned()];
    let mut rest = entry.certificates().iter();
    match (rest.next(), entry.body()) {
        (Some(leaf), _) => first.extend(cells(leaf)),
        (None, Body::Opaque { what }) => first.push(safe(what)),
        (None, Body::Request { der, .. }) => {
            if let Ok(request) = keystore::Request::parse(der) {
                first.push(safe(&request.subject.to_string()));
                first.push(request.public_key().kind().to_string());
            }
        }
        _ => first.push(
            entry
                .protection()
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

fn cells(certificate: &Certificate) -> [String; 5] {
    [
        safe(&certificate.subject().to_string()),
        certificate.public_key().kind().to_string(),
        certificate.signature_algorithm().to_string(),
        format!("until {}", print::local_time(certificate.validity().not_after)),
        short(&certificate.sha256()),
    ]
}
