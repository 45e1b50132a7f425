//! Is there a server, and does it speak TLS.

use crate::Facts;
use crate::Finding;
use crate::Refusal;
use crate::Spoken;
use crate::Trouble;
use crate::rules::table;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let is_spoken = facts.spoken().next().is_some() || facts.ssl2.is_some();
    if let Some(trouble) = &facts.trouble {
        found.push(of_trouble(facts, trouble, is_spoken));
    } else if !is_spoken {
        found.push(nothing_spoken(facts));
    }
    let unknown: Vec<String> = facts
        .versions
        .iter()
        .filter_map(|seen| match &seen.spoken {
            Spoken::Unknown(trouble) => Some(format!("{}: {trouble}", seen.version)),
            _ if matches!(seen.spoken, Spoken::Yes)
                && !seen.is_complete
                && !seen.suites.is_empty()
                && is_deep(facts) =>
            {
                Some(format!("{}: not all suites were asked for", seen.version))
            }
            _ => None,
        })
        .collect();
    if is_spoken && facts.trouble.is_none() && !unknown.is_empty() {
        found.push(Finding::new(&table::PARTLY_UNKNOWN, unknown.join("; ")));
    }
    found
}

/// Whether suites were asked for at all.
fn is_deep(facts: &Facts) -> bool {
    facts.versions.iter().any(|seen| seen.is_complete)
}

fn of_trouble(facts: &Facts, trouble: &Trouble, is_spoken: bool) -> Finding {
    let seen = trouble.to_string();
    match trouble {
        Trouble::Closed | Trouble::Reset => Finding::new(&table::HANGS_UP, seen),
        Trouble::ConnectTimeout { .. } => Finding::new(&table::NO_CONNECTION, seen),
        Trouble::GivenUp { .. } => Finding::new(&table::PARTLY_UNKNOWN, seen),
        Trouble::NoAddress { .. } => Finding::new(&table::NO_ADDRESS, seen),
        Trouble::NotTls { begins } => not_tls(facts, trouble, begins),
        Trouble::Oversize { .. } => Finding::new(&table::OVERSIZE, seen),
        Trouble::Refused => Finding::new(&table::REFUSED, seen),
        Trouble::Silent { .. } if is_spoken => Finding::new(&table::PARTLY_UNKNOWN, seen),
        Trouble::Silent { .. } => Finding::new(&table::SILENT, seen),
        Trouble::StartTls { protocol, .. } => Finding::new(&table::STARTTLS, seen).fixed_by(format!(
            "switch TLS on in the {protocol} server, or ask another protocol: tls://HOST:PORT asks for TLS at once"
        )),
        Trouble::Unreachable { .. } => Finding::new(&table::NO_CONNECTION, seen),
    }
}

fn not_tls(facts: &Facts, trouble: &Trouble, begins: &[u8]) -> Finding {
    let shown: String = begins.escape_ascii().to_string();
    let finding = Finding::new(&table::NOT_TLS, format!("the answer begins with {shown:?}"));
    let target = &facts.target;
    match trouble.speaks() {
        Some("HTTP") => finding
            .because("the port speaks plain HTTP")
            .fixed_by("ask the port where the server has HTTPS, or switch TLS on at this one"),
        Some(protocol @ "SMTP or FTP") => finding
            .because(format!(
                "the port speaks {protocol} and greets first; TLS begins there on request"
            ))
            .fixed_by(format!("capgrow probe smtp://{target} (or ftp://{target})")),
        Some(protocol @ ("IMAP" | "POP3" | "PostgreSQL" | "MySQL")) => {
            let scheme = match protocol {
                "PostgreSQL" => "postgres".to_owned(),
                other => other.to_ascii_lowercase(),
            };
            finding
                .because(format!("the port speaks {protocol}; TLS begins there on request"))
                .fixed_by(format!("capgrow probe {scheme}://{target}"))
        }
        Some(protocol) => finding.because(format!("the port speaks {protocol}, not TLS")),
        None => finding,
    }
}

fn nothing_spoken(facts: &Facts) -> Finding {
    let said = facts.versions.iter().filter_map(|seen| match &seen.spoken {
        Spoken::No(said) => Some(format!("{}: {said}", seen.version)),
        Spoken::Unknown(trouble) => Some(format!("{}: {trouble}", seen.version)),
        Spoken::Yes => None,
    });
    let said: Vec<String> = said.collect();
    let hangs_up = facts
        .versions
        .iter()
        .all(|seen| !matches!(&seen.spoken, Spoken::No(Refusal::Alert(_))));
    let rule = if hangs_up {
        &table::HANGS_UP
    } else {
        &table::NO_VERSION
    };
    Finding::new(rule, said.join("; "))
}
