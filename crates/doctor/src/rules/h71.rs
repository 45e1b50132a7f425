//! H-71: the two ends share no protocol version.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::Item;
use crate::settings::Settings;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-71",
    title: "the two ends share no protocol version",
    severity: Severity::Error,
    stage: Stage::Version,
    cause: "one end speaks only versions that the other does not: TLS 1.3 alone against an older program, or TLS 1.0 against one that no longer has it",
    fix: "let both ends share TLS 1.2: sslProtocol=\"TLSv1.2,TLSv1.3\" in Liberty, SSL version = atleast.TLSv1.2 in localopts and ita.ini, AllowTLSV13 in qm.ini",
    source: "RFC 8446 alert 70; JSSE; domain specification B.4; domain specification H-71",
    states: &[
        "alert protocol version",
        "ssl_error_unsupported_version",
        "err_ssl_version_or_cipher_mismatch",
        "no appropriate protocol",
        "is not accepted by client preferences",
        "received fatal alert: protocol_version",
        "protocol_version",
        "unsupported protocol",
        "no protocols available",
        "unsupported_protocol",
        "alert number 70",
        "not supported by && tls version",
        "unsupported version",
    ],
    hints: &["tlsv1 alert internal error"],
    explains: &["H-72", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        if seen.alerts.iter().any(|(_, alert)| *alert == 70) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let offered: Vec<String> = seen
                .offered_versions
                .iter()
                .map(|version| version_name(*version))
                .collect();
            found.push(Finding::proven(
                &RULE,
                target,
                Evidence::file(
                    &seen.file,
                    format!("alert 70, protocol_version; offered: {}", offered.join(", ")),
                ),
            ));
        }
    }
    let ranges: Vec<(&Settings, &Item, (u8, u8))> = inputs
        .settings
        .iter()
        .flat_map(|settings| settings.items.iter().map(move |item| (settings, item)))
        .filter(|(_, item)| KEYS.iter().any(|key| item.key.eq_ignore_ascii_case(key)))
        .filter_map(|(settings, item)| Some((settings, item, range(&inputs.filled(&item.value))?)))
        .collect();
    for (at, (settings, item, own)) in ranges.iter().enumerate() {
        if let Some((other, theirs, _)) = ranges[..at]
            .iter()
            .find(|(_, _, theirs)| theirs.1 < own.0 || own.1 < theirs.0)
        {
            let evidence = Evidence::line(
                &settings.file,
                item.line,
                format!("{} = {}", item.key, item.value),
            );
            let against = Evidence::line(
                &other.file,
                theirs.line,
                format!("{} = {}", theirs.key, theirs.value),
            );
            found.push(Finding::proven(&RULE, settings.file.clone(), evidence).and(against));
        }
    }
    found
}

/// Lowest and highest minor version: `atleast.TLSv1.2` is 2 to 3. `None` where the value says nothing of the kind.
fn range(value: &str) -> Option<(u8, u8)> {
    let lower = value.to_lowercase();
    let mut minors: Vec<u8> = lower
        .split("tlsv1")
        .skip(1)
        .filter_map(|rest| match rest.strip_prefix('.') {
            Some(rest) => rest
                .chars()
                .next()
                .and_then(|digit| digit.to_digit(10))
                .map(|digit| digit as u8),
            None => Some(0),
        })
        .collect();
    minors.sort_unstable();
    let (first, last) = (*minors.first()?, *minors.last()?);
    Some(if lower.starts_with("atleast") {
        (first, 3)
    } else if lower.starts_with("max") {
        (0, last)
    } else {
        (first, last)
    })
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3".to_owned(),
        0x0301..=0x0304 => format!("TLS 1.{}", version - 0x0301),
        other => format!("{other:#06x}"),
    }
}

const KEYS: [&str; 5] = [
    "sslversion",
    "clisslversion",
    "ssl_version",
    "sslProtocol",
    "sslEnabledProtocols",
];
