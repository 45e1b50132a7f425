//! The document of `probe --json`, which is also what `--record` keeps. Scripts rely on its keys: new ones may come,
//! none goes.

use ::probe::ClientAuth;
use ::probe::Facts;
use ::probe::Finding;
use ::probe::Judged;
use ::probe::NameAnswer;
use ::probe::Order;
use ::probe::Presented;
use ::probe::Refusal;
use ::probe::Spoken;
use ::probe::SuiteSeen;
use ::probe::VersionFacts;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hello::Version;
use keystore::Certificate;
use keystore::Name;
use serde_json::Value;
use serde_json::json;
use trust::Verdict;

use super::Answered;
use crate::cmd::inspect::document::certificate;
use crate::print;

/// All targets.
pub fn whole(answers: &[Answered]) -> Value {
    let findings: Vec<Value> = answers
        .iter()
        .flat_map(|answered| {
            let target = answered.facts.target.to_string();
            answered.findings.iter().map(move |one| finding(one, &target))
        })
        .collect();
    let targets: Vec<Value> = answers.iter().map(facts).collect();
    json!({ "version": 1, "command": "probe", "findings": findings, "targets": targets })
}

/// One target with its own findings.
pub fn one(answered: &Answered) -> Value {
    let target = answered.facts.target.to_string();
    let findings: Vec<Value> = answered
        .findings
        .iter()
        .map(|one| finding(one, &target))
        .collect();
    let mut value = facts(answered);
    value["findings"] = json!(findings);
    value
}

fn finding(finding: &Finding, target: &str) -> Value {
    let evidence: Vec<Value> = finding
        .evidence
        .iter()
        .map(|text| json!({ "file": target, "alias": null, "line": null, "text": text }))
        .collect();
    json!({
        "rule": finding.rule.id, "title": finding.rule.title, "severity": finding.severity.word(),
        "target": target, "evidence": evidence, "cause": finding.cause, "fix": finding.fix,
        "source": finding.rule.source,
    })
}

fn facts(answered: &Answered) -> Value {
    let facts = &answered.facts;
    let target = &facts.target;
    let versions: Vec<Value> = facts.versions.iter().map(version).collect();
    let groups: Vec<Value> = facts
        .groups
        .iter()
        .map(|(version, groups)| {
            let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
            json!({ "version": version.name(), "groups": names })
        })
        .collect();
    let chains: Vec<Value> = facts.chains.iter().map(chain).collect();
    json!({
        "target": target.to_string(), "host": target.host, "port": target.port,
        "starttls": target.starttls.map(|protocol| protocol.name()),
        "server_name": target.server_name(), "name": target.expected_name(),
        "address": facts.address.map(|address| address.to_string()),
        "at": print::utc_time(facts.at_unix), "seconds": facts.took.as_secs_f64(),
        "connections": facts.connections,
        "trouble": facts.trouble.as_ref()
            .map(|trouble| json!({ "kind": trouble.kind(), "text": trouble.to_string() })),
        "ssl2": facts.ssl2.as_ref().map(|ssl2| json!({ "suites": ssl2.kinds })),
        "versions": versions, "groups": groups,
        "extras": {
            "secure_renegotiation": facts.extras.secure_renegotiation,
            "compression": facts.extras.compression,
            "heartbeat": facts.extras.heartbeat,
            "fallback_scsv": facts.extras.fallback_scsv,
            "extended_master_secret": facts.extras.extended_master_secret,
            "encrypt_then_mac": facts.extras.encrypt_then_mac,
        },
        "chains": chains,
        "name_fits": facts.chain().and_then(|chain| chain.sent.first())
            .map(|leaf| ::probe::fits(leaf, target.expected_name())),
        "verdicts": verdicts(&answered.verdicts),
        "client": client(facts),
        "staple": facts.staple.as_ref().map(|der| BASE64_STANDARD.encode(der)),
        "resumption": {
            "session_id": facts.resumption.session_id, "ticket": facts.resumption.ticket,
            "tls13_tickets": facts.resumption.tickets_13, "tls13": facts.resumption.taken_13,
        },
        "protocols": facts.protocols,
        "names": names(facts),
    })
}

fn version(seen: &VersionFacts) -> Value {
    let (spoken, said) = match &seen.spoken {
        Spoken::Yes => (Some(true), None),
        Spoken::No(refusal) => (Some(false), Some(refusal.to_string())),
        Spoken::Unknown(trouble) => (None, Some(trouble.to_string())),
    };
    let alert = match &seen.spoken {
        Spoken::No(Refusal::Alert(code)) => Some(json!({ "code": code, "name": hello::alert_name(*code) })),
        _ => None,
    };
    let suites: Vec<Value> = seen.suites.iter().map(suite).collect();
    let order = seen.order.map(|order| match order {
        Order::Client => "client",
        Order::Server => "server",
    });
    let handshake = seen.finished.as_ref().map(|finished| {
        json!({
            "ok": finished.is_good,
            "suite": finished.suite.map(suite_name),
            "group": finished.group.map(|group| group.name),
            "alert": finished.alert.map(|code| json!({ "code": code, "name": hello::alert_name(code) })),
            "error": finished.error,
        })
    });
    json!({
        "version": seen.version.name(), "spoken": spoken, "said": said, "alert": alert, "complete": seen.is_complete,
        "order": order, "suites": suites, "handshake": handshake,
        // OpenSSL as built here has no SSL 3.0 and no 3DES or RC4; the rest is asked by a hello alone.
        "by_hello_only": spoken == Some(true) && (handshake_is_none(seen) || seen.version == Version::Ssl3),
    })
}

fn handshake_is_none(seen: &VersionFacts) -> bool {
    seen.finished.is_none()
}

fn suite(seen: &SuiteSeen) -> Value {
    json!({
        "number": format!("0x{:04x}", seen.number), "name": seen.suite.map(|suite| suite.name),
        "openssl": seen.suite.map(|suite| suite.openssl_name()), "bits": seen.suite.map(|suite| suite.bits()),
        "group": seen.group.map(|group| group.name), "prime_bits": seen.prime_bits,
        "weak": seen.suite.and_then(|suite| suite.weakness()),
    })
}

fn suite_name(number: u16) -> String {
    hello::Suite::of_number(number).map_or_else(|| format!("0x{number:04x}"), |suite| suite.name.to_owned())
}

fn chain(seen: &::probe::ChainSeen) -> Value {
    let certificates: Vec<Value> = seen.sent.iter().map(certificate_with_bytes).collect();
    let unreadable: Vec<String> = seen
        .unreadable
        .iter()
        .map(|der| BASE64_STANDARD.encode(der))
        .collect();
    json!({ "seen_with": seen.seen_with, "certificates": certificates, "unreadable": unreadable })
}

fn certificate_with_bytes(one: &Certificate) -> Value {
    let mut value = certificate(one);
    let names = one.subject_alt_names().ok().flatten().unwrap_or_default();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    value["names"] = json!(names);
    value["der"] = json!(BASE64_STANDARD.encode(one.der()));
    value
}

fn verdicts(verdicts: &[Judged]) -> Value {
    let all: serde_json::Map<String, Value> = verdicts
        .iter()
        .map(|judged| {
            let verdict = &judged.verdict;
            let value = json!({
                "ok": verdict.accepts(), "error": verdict.prints(),
                "undecided": matches!(verdict, Verdict::Undecided(_)),
                "reason": verdict.reason().map(trust::Reject::words), "measured": judged.is_measured,
            });
            (judged.runtime.to_owned(), value)
        })
        .collect();
    Value::Object(all)
}

fn client(facts: &Facts) -> Value {
    let presented = facts.presented.as_ref().map(|presented| match presented {
        Presented::Taken => json!({ "accepted": true, "alert": null }),
        Presented::Refused(alert) => json!({ "accepted": false, "alert": alert }),
        Presented::Unclear => json!({ "accepted": null, "alert": null }),
    });
    match &facts.client {
        ClientAuth::Unknown => json!({ "asked": null, "presented": presented }),
        ClientAuth::NotAsked => json!({ "asked": false, "presented": presented }),
        ClientAuth::Asked { request, required } => {
            let authorities: Vec<String> = request
                .authorities
                .iter()
                .map(|der| {
                    Name::parse(der, 0).map_or_else(|_| BASE64_STANDARD.encode(der), |name| name.to_string())
                })
                .collect();
            let schemes: Vec<String> = request
                .schemes
                .iter()
                .map(|number| {
                    hello::scheme_name(*number).map_or_else(|| format!("0x{number:04x}"), str::to_owned)
                })
                .collect();
            json!({
                "asked": true, "required": required, "authorities": authorities, "schemes": schemes,
                "presented": presented,
            })
        }
    }
}

fn names(facts: &Facts) -> Vec<Value> {
    facts
        .names
        .iter()
        .map(|asked| match &asked.answer {
            NameAnswer::Chain(place) => json!({ "name": asked.name, "chain": place }),
            NameAnswer::Refused(code) => {
                json!({ "name": asked.name, "chain": null, "alert": { "code": code, "name": hello::alert_name(*code) } })
            }
            NameAnswer::Trouble(trouble) => {
                json!({ "name": asked.name, "chain": null, "trouble": trouble.to_string() })
            }
        })
        .collect()
}
