//! The certificates that the server sends.

use keystore::Certificate;
use keystore::KeyKind;
use trust::Verdict;

use crate::ChainFault;
use crate::ChainSeen;
use crate::Facts;
use crate::Finding;
use crate::Judged;
use crate::NameAnswer;
use crate::Severity;
use crate::chain_faults;
use crate::fits;
use crate::rules::table;

pub(super) fn findings(facts: &Facts, verdicts: &[Judged]) -> Vec<Finding> {
    let mut found = Vec::new();
    if facts.spoken().next().is_none() {
        return found;
    }
    let Some(chain) = facts.chain() else {
        found.push(Finding::new(
            &table::NO_CERTIFICATE,
            "no Certificate message came",
        ));
        return found;
    };
    unreadable(chain, &mut found);
    form(chain, verdicts, &mut found);
    for (place, seen) in facts.chains.iter().enumerate() {
        dates(seen, place, facts.at_unix, &mut found);
    }
    strength(chain, &mut found);
    name(facts, chain, &mut found);
    answers(verdicts, &mut found);
    variants(facts, &mut found);
    staple(facts, chain, &mut found);
    found
}

fn unreadable(chain: &ChainSeen, found: &mut Vec<Finding>) {
    if !chain.unreadable.is_empty() {
        let words = format!("{} certificates cannot be read", chain.unreadable.len());
        found.push(Finding::new(&table::UNREADABLE, words));
    }
}

fn form(chain: &ChainSeen, verdicts: &[Judged], found: &mut Vec<Finding>) {
    // What an accepting runtime ended in is known to it, so nothing is missing for that one.
    let known: Vec<Certificate> = verdicts
        .iter()
        .filter_map(|judged| match &judged.verdict {
            Verdict::Accept(accepted) => accepted.path.last().cloned(),
            _ => None,
        })
        .collect();
    let at_place = |at: usize| {
        let subject = chain
            .sent
            .get(at)
            .map_or_else(String::new, |one| one.subject().to_string());
        format!("certificate {at} ({subject})")
    };
    for fault in chain_faults(&chain.sent, &known) {
        found.push(match fault {
            ChainFault::Duplicate { at } => {
                Finding::new(&table::SUPERFLUOUS, format!("{} again", at_place(at)))
            }
            ChainFault::LeafNotFirst { leaf } => {
                Finding::new(&table::ORDER, format!("the end entity is {}", at_place(leaf)))
                    .at(Severity::Error)
            }
            ChainFault::Missing { issuer } => {
                let words = format!("the last one sent was issued by {issuer}, which was not sent");
                let finding = Finding::new(&table::MISSING, words);
                if verdicts.is_empty() {
                    // Whether that one is a root, which nobody sends, is for its verifiers' stores to say.
                    finding
                        .at(Severity::Note)
                        .because("a verifier needs the issuer in its store, or an intermediate certificate is missing")
                        .fixed_by("ask with the verifiers' stores: --trust FILE")
                } else {
                    finding
                }
            }
            ChainFault::OutOfOrder { at, belongs } => Finding::new(
                &table::ORDER,
                format!("{} belongs to place {belongs}", at_place(at)),
            ),
            ChainFault::RootSent { at } => Finding::new(&table::ROOT_SENT, at_place(at)),
            ChainFault::Superfluous { at } => Finding::new(&table::SUPERFLUOUS, at_place(at)),
        });
    }
}

fn dates(chain: &ChainSeen, place: usize, now: i64, found: &mut Vec<Finding>) {
    for (at, one) in chain.sent.iter().enumerate() {
        let validity = one.validity();
        let with = if place == 0 {
            String::new()
        } else {
            format!(" of the chain for {}", chain.seen_with.join(", "))
        };
        let who = format!("certificate {at}{with} ({})", one.subject());
        let days = |seconds: i64| seconds / 86_400;
        if now > validity.not_after {
            let words = format!("{who} ended {} days ago", days(now - validity.not_after));
            found.push(Finding::new(&table::EXPIRED, words));
        } else if now < validity.not_before {
            let words = format!("{who} begins in {} days", days(validity.not_before - now));
            found.push(Finding::new(&table::NOT_YET_VALID, words));
        } else if validity.not_after - now < SOON {
            let words = format!("{who} ends in {} days", days(validity.not_after - now));
            found.push(Finding::new(&table::ENDS_SOON, words));
        }
    }
}

fn strength(chain: &ChainSeen, found: &mut Vec<Finding>) {
    for (at, one) in chain.sent.iter().enumerate() {
        let kind = one.public_key().kind();
        let is_small = match kind {
            KeyKind::Rsa { bits } | KeyKind::RsaPss { bits } | KeyKind::Dsa { bits } => bits < 2048,
            _ => false,
        };
        if is_small {
            let words = format!("certificate {at} ({}) has {kind}", one.subject());
            found.push(Finding::new(&table::WEAK_KEY, words));
        }
        let algorithm = one.signature_algorithm().to_string();
        let plain = algorithm.to_ascii_lowercase().replace(['-', '_'], "");
        let is_weak = plain.contains("md5") || plain.contains("md2") || plain.contains("sha1");
        if is_weak && !one.is_self_issued() {
            let words = format!("certificate {at} ({}) is signed with {algorithm}", one.subject());
            found.push(Finding::new(&table::WEAK_SIGNATURE, words));
        }
    }
}

fn name(facts: &Facts, chain: &ChainSeen, found: &mut Vec<Finding>) {
    let Some(leaf) = chain.sent.first() else { return };
    let name = facts.target.expected_name();
    if fits(leaf, name) {
        return;
    }
    let names = leaf.subject_alt_names().ok().flatten().unwrap_or_default();
    let words = if names.is_empty() {
        format!(
            "the certificate has no subjectAltName; its subject is {}",
            leaf.subject()
        )
    } else {
        let all: Vec<String> = names.iter().take(20).map(ToString::to_string).collect();
        format!("the certificate is for {}", all.join(", "))
    };
    found.push(
        Finding::new(&table::NAME, words).because(format!("{name} was dialled, and is not among its names")),
    );
}

fn answers(verdicts: &[Judged], found: &mut Vec<Finding>) {
    for judged in verdicts {
        match &judged.verdict {
            Verdict::Accept(_) => {}
            Verdict::Reject(rejected) => {
                let about = rejected
                    .subject
                    .as_ref()
                    .map_or_else(String::new, |subject| format!(" ({subject})"));
                found.push(
                    Finding::new(
                        &table::REJECTED,
                        format!("{} prints: {}", judged.runtime, rejected.prints),
                    )
                    .because(format!("{}{about}", rejected.reason)),
                );
            }
            Verdict::Undecided(undecided) => {
                let words = format!("{}: {}", judged.runtime, undecided.because.join("; "));
                found.push(Finding::new(&table::REJECTED, words).at(Severity::Warning));
            }
        }
    }
}

fn variants(facts: &Facts, found: &mut Vec<Finding>) {
    for asked in &facts.names {
        let what = asked.name.as_ref().map_or_else(
            || "without a name in the hello".to_owned(),
            |name| format!("for the name {name}"),
        );
        match &asked.answer {
            NameAnswer::Chain(0) => {}
            NameAnswer::Chain(other) => {
                let subject = facts
                    .chains
                    .get(*other)
                    .and_then(|chain| chain.sent.first())
                    .map_or_else(String::new, |leaf| leaf.subject().to_string());
                found.push(Finding::new(
                    &table::BY_NAME,
                    format!("{what} it sends {subject}"),
                ));
            }
            NameAnswer::Refused(code) => {
                let words = format!(
                    "{what} it answers with alert {code} ({})",
                    hello::alert_name(*code)
                );
                found.push(Finding::new(&table::BY_NAME, words));
            }
            NameAnswer::Trouble(trouble) => {
                found.push(Finding::new(&table::BY_NAME, format!("{what}: {trouble}")));
            }
        }
    }
    let of_versions: Vec<String> = facts
        .chains
        .iter()
        .filter(|chain| {
            chain
                .seen_with
                .iter()
                .any(|with| with.contains("TLS") || with.contains("SSL"))
        })
        .map(|chain| {
            let leaf = chain.sent.first();
            let kind = leaf.map_or_else(String::new, |leaf| leaf.public_key().kind().to_string());
            format!("{kind} for {}", chain.seen_with.join(", "))
        })
        .collect();
    if of_versions.len() > 1 {
        found.push(Finding::new(&table::SEVERAL_CHAINS, of_versions.join("; ")));
    }
}

fn staple(facts: &Facts, chain: &ChainSeen, found: &mut Vec<Finding>) {
    let must = chain.sent.first().is_some_and(|leaf| {
        leaf.extensions()
            .any(|extension| extension.oid.to_string() == MUST_STAPLE)
    });
    if must && facts.staple.is_none() {
        found.push(Finding::new(
            &table::STAPLE,
            "the certificate asks for a staple (RFC 7633) and none was sent",
        ));
    }
}

/// A month is what a rotation by people takes.
const SOON: i64 = 30 * 86_400;
/// RFC 7633: TLS feature.
const MUST_STAPLE: &str = "1.3.6.1.5.5.7.1.24";
