//! What a person sees of a probe.

use std::io::IsTerminal;

use ::probe::ClientAuth;
use ::probe::Facts;
use ::probe::Finding;
use ::probe::Order;
use ::probe::Presented;
use ::probe::Severity;
use ::probe::Spoken;
use ::probe::VersionFacts;
use keystore::Name;
use trust::Verdict;

use super::Answered;
use crate::print;

/// All targets one after the other. More than a few are shown by their findings alone, except where `all_facts`.
pub fn all(answers: &[Answered], all_facts: bool) {
    let is_short = answers.len() > FEW && !all_facts;
    for (at, answered) in answers.iter().enumerate() {
        if at > 0 && !is_short {
            print::answer("");
        }
        if is_short {
            print::answer(&headline(answered));
        } else {
            target(answered);
        }
        for finding in &answered.findings {
            if !is_short || finding.severity != Severity::Note {
                show_finding(finding);
            }
        }
    }
    let count = |severity: Severity| -> usize {
        let all = answers.iter().flat_map(|answered| &answered.findings);
        all.filter(|finding| finding.severity == severity).count()
    };
    print::answer(&format!(
        "{} targets: {} errors, {} warnings, {} notes",
        answers.len(),
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    ));
}

fn headline(answered: &Answered) -> String {
    let facts = &answered.facts;
    let spoken: Vec<&str> = facts.spoken().map(|seen| seen.version.name()).collect();
    let leaf = facts.chain().and_then(|chain| chain.sent.first());
    let who = leaf.map_or_else(
        || "no certificate".to_owned(),
        |leaf| {
            let until = print::utc_time(leaf.validity().not_after);
            format!("{} until {}", leaf.subject(), &until[..until.len().min(10)])
        },
    );
    let spoken = if spoken.is_empty() {
        "no TLS".to_owned()
    } else {
        spoken.join(" ")
    };
    format!("{}  {spoken}  {who}", facts.target)
}

fn target(answered: &Answered) {
    let facts = &answered.facts;
    let address = facts
        .address
        .map_or_else(String::new, |address| format!(" ({address})"));
    let begins = facts
        .target
        .starttls
        .map_or_else(String::new, |protocol| format!(", begun in {}", protocol.name()));
    print::answer(&format!(
        "{}{address}{begins}: {} connections, {:.1} s",
        facts.target,
        facts.connections,
        facts.took.as_secs_f64()
    ));
    for seen in &facts.versions {
        version(seen);
    }
    for (version, groups) in &facts.groups {
        let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
        print::answer(&format!("  groups {version}: {}", names.join(", ")));
    }
    chains(facts);
    if facts.spoken().next().is_some() {
        rest(facts);
    }
    for judged in &answered.verdicts {
        let known = if judged.is_measured {
            ""
        } else {
            " (from documents)"
        };
        let word = match &judged.verdict {
            Verdict::Accept(_) => "accepts",
            Verdict::Reject(_) => "rejects",
            Verdict::Undecided(_) => "unknown",
        };
        let why = judged
            .verdict
            .reason()
            .map_or_else(String::new, |reason| format!(": {reason}"));
        print::answer(&format!("  {} {word}{why}{known}", judged.runtime));
    }
}

fn version(seen: &VersionFacts) {
    let name = seen.version.name();
    match &seen.spoken {
        Spoken::No(said) => print::answer(&format!("  {name} no ({said})")),
        Spoken::Unknown(trouble) => print::answer(&format!("  {name} unknown ({trouble})")),
        Spoken::Yes => {
            let order = match seen.order {
                Some(Order::Client) => ", the client's order counts",
                Some(Order::Server) => ", the server's order counts",
                None => "",
            };
            let agreed = match &seen.finished {
                Some(finished) if finished.is_good => "",
                Some(_) => ", no handshake to the end",
                None => ", seen by its hello only",
            };
            print::answer(&format!("  {name} yes{order}{agreed}"));
            for one in &seen.suites {
                let name = one.suite.map_or_else(
                    || format!("0x{:04x}", one.number),
                    |suite| suite.openssl_name().to_owned(),
                );
                let bits = one
                    .suite
                    .map_or_else(String::new, |suite| format!("{} bits", suite.bits()));
                let with = match (one.group, one.prime_bits) {
                    (Some(group), _) => group.name.to_owned(),
                    (None, Some(bits)) => format!("DH {bits}"),
                    (None, None) => String::new(),
                };
                let weak = one
                    .suite
                    .and_then(|suite| suite.weakness())
                    .map_or_else(String::new, |why| format!("weak: {why}"));
                let line = format!("    {name:32} {bits:9} {with:16} {weak}");
                print::answer(line.trim_end());
            }
        }
    }
}

fn chains(facts: &Facts) {
    for chain in &facts.chains {
        print::answer(&format!("  chain for {}:", chain.seen_with.join(", ")));
        for (at, one) in chain.sent.iter().enumerate() {
            let until = print::utc_time(one.validity().not_after);
            print::answer(&format!(
                "    {at} {}, {}, {}, until {}",
                one.subject(),
                one.public_key().kind(),
                one.signature_algorithm(),
                &until[..until.len().min(10)]
            ));
        }
        if let Some(last) = chain.sent.last() {
            print::answer(&format!("      issued by {}", last.issuer()));
        }
    }
}

fn rest(facts: &Facts) {
    let word = |is: Option<bool>| match is {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let extras = &facts.extras;
    print::answer(&format!(
        "  secure renegotiation {}, compression {}, heartbeat {}, fallback protection {}, extended master secret {}",
        word(extras.secure_renegotiation),
        word(extras.compression),
        word(extras.heartbeat),
        word(extras.fallback_scsv),
        word(extras.extended_master_secret)
    ));
    let resumption = &facts.resumption;
    let tickets = resumption
        .tickets_13
        .map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    print::answer(&format!(
        "  resumption: session id {}, ticket {}, TLS 1.3 {} ({tickets} tickets)",
        word(resumption.session_id),
        word(resumption.ticket),
        word(resumption.taken_13)
    ));
    print::answer(&format!("  OCSP staple {}", word(Some(facts.staple.is_some()))));
    if !facts.protocols.is_empty() {
        print::answer(&format!("  ALPN {}", facts.protocols.join(", ")));
    }
    match &facts.client {
        ClientAuth::Unknown => print::answer("  client certificate: unknown whether it is asked for"),
        ClientAuth::NotAsked => print::answer("  client certificate: not asked for"),
        ClientAuth::Asked { request, required } => {
            print::answer(&format!(
                "  client certificate: asked for, required {}, {} authorities",
                word(*required),
                request.authorities.len()
            ));
            for der in &request.authorities {
                let name =
                    Name::parse(der, 0).map_or_else(|_| "unreadable".to_owned(), |name| name.to_string());
                print::answer(&format!("    {name}"));
            }
        }
    }
    match &facts.presented {
        Some(Presented::Taken) => print::answer("  our identity: accepted"),
        Some(Presented::Refused(_)) => print::answer("  our identity: refused"),
        Some(Presented::Unclear) => print::answer("  our identity: no sign either way"),
        None => {}
    }
}

fn show_finding(finding: &Finding) {
    let word = finding.severity.word();
    let head = format!("{}: {}", finding.rule.id, finding.rule.title);
    print::marked(word, colour(finding.severity), &head);
    for seen in &finding.evidence {
        print::answer(&format!("    seen: {seen}"));
    }
    print::answer(&format!("    cause: {}", finding.cause));
    print::answer(&format!("    fix: {}", finding.fix));
}

/// A colour where a terminal can show it and nobody has switched it off.
fn colour(severity: Severity) -> Option<&'static str> {
    let is_wanted =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    is_wanted.then_some(match severity {
        Severity::Error => "31",
        Severity::Warning => "33",
        Severity::Note => "36",
    })
}

/// So many targets are shown with all facts.
const FEW: usize = 5;
