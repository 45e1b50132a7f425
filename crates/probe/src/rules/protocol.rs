//! Versions, suites, and what else is negotiated.

use hello::Version;

use crate::Facts;
use crate::Finding;
use crate::Order;
use crate::Severity;
use crate::rules::table;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if facts.spoken().next().is_none() && facts.ssl2.is_none() {
        return found;
    }
    old_versions(facts, &mut found);
    suites(facts, &mut found);
    extras(facts, &mut found);
    for seen in facts.spoken() {
        if let Some(finished) = seen.finished.as_ref().filter(|finished| !finished.is_good) {
            // What a missing certificate of ours caused is said elsewhere.
            let alert = finished.alert;
            let is_about_client = alert.is_some_and(|code| matches!(code, 40 | 42 | 116)) && is_asked(facts)
                || facts.presented.is_some();
            if !is_about_client {
                let words = match (alert, &finished.error) {
                    (Some(code), _) => {
                        format!("{}: alert {code} ({})", seen.version, hello::alert_name(code))
                    }
                    (None, Some(error)) => format!("{}: {error}", seen.version),
                    (None, None) => format!("{}: it did not come to its end", seen.version),
                };
                found.push(Finding::new(&table::UNFINISHED, words));
            }
        }
    }
    found
}

fn is_asked(facts: &Facts) -> bool {
    matches!(facts.client, crate::ClientAuth::Asked { .. })
}

fn old_versions(facts: &Facts, found: &mut Vec<Finding>) {
    if let Some(ssl2) = &facts.ssl2 {
        found.push(Finding::new(
            &table::SSL,
            format!("SSLv2: {}", ssl2.kinds.join(", ")),
        ));
    }
    let newest = facts.spoken().next().map(|seen| seen.version);
    let mut old: Option<Finding> = None;
    for seen in facts.spoken() {
        let words = format!("{} with {} suites", seen.version, seen.suites.len());
        match seen.version {
            Version::Ssl3 => found.push(Finding::new(&table::SSL, words)),
            Version::Tls10 | Version::Tls11 => {
                old = Some(match old.take() {
                    Some(finding) => finding.and(words),
                    None => Finding::new(&table::OLD_TLS, words),
                });
            }
            Version::Tls12 | Version::Tls13 => {}
        }
    }
    let has_nothing_newer = newest.is_some_and(|version| version < Version::Tls12);
    found.extend(old.map(|finding| {
        if has_nothing_newer {
            finding.because("the server speaks nothing newer: runtimes of today refuse it (RFC 8996)")
        } else {
            finding
        }
    }));
}

fn suites(facts: &Facts, found: &mut Vec<Finding>) {
    let mut weak: Vec<String> = Vec::new();
    let mut worst = Severity::Note;
    let mut small: Vec<String> = Vec::new();
    for seen in facts.spoken() {
        for one in &seen.suites {
            let Some(suite) = one.suite else { continue };
            if let Some(why) = suite.weakness() {
                weak.push(format!("{} {}: {why}", seen.version, suite.openssl_name()));
                let is_open = suite.is_anonymous() || suite.bits() == 0;
                worst = worst.max(if is_open {
                    Severity::Error
                } else {
                    Severity::Warning
                });
            }
            if let Some(bits) = one.prime_bits.filter(|bits| *bits < 2048) {
                small.push(format!("{} {}: {bits} bits", seen.version, suite.openssl_name()));
            }
        }
    }
    if !weak.is_empty() {
        let mut finding = Finding::new(&table::WEAK_SUITES, weak.remove(0)).at(worst);
        for more in weak.into_iter().take(MAX_EVIDENCE) {
            finding = finding.and(more);
        }
        found.push(finding);
    }
    if let Some(first) = small.first() {
        found.push(Finding::new(&table::SMALL_PRIME, first.clone()));
    }
    let all = || {
        facts
            .spoken()
            .flat_map(|seen| seen.suites.iter().filter_map(|one| one.suite))
    };
    if all().next().is_some() && !all().any(|suite| suite.has_forward_secrecy()) {
        let names: Vec<&str> = all().map(|suite| suite.openssl_name()).take(3).collect();
        found.push(Finding::new(&table::NO_FORWARD_SECRECY, names.join(", ")));
    }
    let follows: Vec<String> = facts
        .spoken()
        .filter(|seen| seen.order == Some(Order::Client) && seen.version <= Version::Tls12)
        .map(|seen| seen.version.name().to_owned())
        .collect();
    if !follows.is_empty() {
        found.push(Finding::new(&table::CLIENT_ORDER, follows.join(", ")));
    }
}

fn extras(facts: &Facts, found: &mut Vec<Finding>) {
    let extras = &facts.extras;
    if extras.compression == Some(true) {
        found.push(Finding::new(&table::COMPRESSION, "the server chose DEFLATE"));
    }
    if extras.secure_renegotiation == Some(false) {
        found.push(Finding::new(
            &table::INSECURE_RENEGOTIATION,
            "no renegotiation_info in the server's hello",
        ));
    }
    if extras.heartbeat == Some(true) {
        found.push(Finding::new(
            &table::HEARTBEAT,
            "the server answers the heartbeat extension",
        ));
    }
    if extras.fallback_scsv == Some(false) {
        found.push(Finding::new(
            &table::NO_FALLBACK_SCSV,
            "an older version with TLS_FALLBACK_SCSV was accepted",
        ));
    }
}

/// A server with everything switched on has a hundred.
const MAX_EVIDENCE: usize = 200;
