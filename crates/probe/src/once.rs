//! One server asked everything.

use std::io::Read;
use std::io::Write;
use std::time::Instant;

use hello::Version;
use keystore::Certificate;

use crate::ChainSeen;
use crate::ClientAuth;
use crate::Facts;
use crate::Finished;
use crate::Identity;
use crate::Limits;
use crate::Refusal;
use crate::Spoken;
use crate::Target;
use crate::Trouble;
use crate::clients;
use crate::enumerate;
use crate::enumerate::Asked;
use crate::extras;
use crate::handshake;
use crate::handshake::Offer;
use crate::handshake::Shaken;
use crate::line::Line;
use crate::line::is_record;
use crate::resume;

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Versions, suites, groups, extras, chains, names, resumption.
    Everything,
    /// Versions and one handshake with each: the chain and what is agreed.
    Handshakes,
}

/// Asks one server. Blocks until it is through, at most [`Limits::whole`]; `now` goes into the facts as it is.
///
/// Never fails and never panics on what the server does: what stood in the way is [`Facts::trouble`].
///
/// Cost: about ten connections for [`Wants::Handshakes`], else one more for each suite and group that is accepted.
pub fn probe(target: &Target, identity: Option<&Identity>, wants: Wants, limits: &Limits, now: i64) -> Facts {
    let begun = Instant::now();
    let mut facts = Facts::new(target.clone(), now);
    let mut line = Line::new(target, limits);
    let mut asked = versions(&mut line, &mut facts);
    if facts.trouble.is_none() {
        facts.trouble = details(&mut line, &mut facts, &mut asked, identity, wants).err();
    }
    facts.versions = asked.into_iter().map(|one| one.facts).collect();
    facts.address = line.address();
    facts.connections = line.count();
    facts.took = begun.elapsed();
    facts
}

/// All versions, the newest first. A server that says nothing twice, or is not there, is asked no more.
fn versions(line: &mut Line<'_>, facts: &mut Facts) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    let mut silences = 0;
    for version in Version::ALL.into_iter().rev() {
        let mut one = enumerate::version(line, version);
        if version == Version::Tls13 {
            second_opinion(line, &mut one);
        }
        let trouble = match &one.facts.spoken {
            Spoken::Unknown(trouble) => Some(trouble.clone()),
            _ => None,
        };
        asked.push(one);
        if let Some(trouble) = trouble {
            silences += 1;
            if trouble.is_final() || silences == 2 {
                facts.trouble = Some(trouble);
                break;
            }
        }
    }
    let is_spoken = asked.iter().any(|one| one.facts.spoken == Spoken::Yes);
    if !is_spoken && facts.trouble.as_ref().is_none_or(|trouble| !trouble.is_final()) {
        if silences == 0 {
            facts.ssl2 = extras::ssl2(line);
        }
        if facts.ssl2.is_none() && asked.iter().all(|one| !is_alert(&one.facts.spoken)) {
            facts.trouble = plain_answer(line).or(facts.trouble.take());
        }
    } else if is_spoken && facts.trouble.is_some() {
        // Some answers are enough to go on with.
        facts.trouble = None;
    }
    asked
}

fn is_alert(spoken: &Spoken) -> bool {
    matches!(spoken, Spoken::No(Refusal::Alert(_)))
}

/// Some servers want a key share at once, and say illegal_parameter, decode_error, internal_error or
/// missing_extension; OpenSSL sends one.
fn second_opinion(line: &mut Line<'_>, one: &mut Asked) {
    if !matches!(one.facts.spoken, Spoken::No(Refusal::Alert(47 | 50 | 80 | 109))) {
        return;
    }
    let shaken = handshake::shake(line, &offer(line.target.server_name(), Version::Tls13));
    if let Ok(shaken) = shaken
        && shaken.flight.hello.as_ref().and_then(|hello| hello.version()) == Some(Version::Tls13)
    {
        one.facts.spoken = Spoken::Yes;
        one.first = Some(Box::new(shaken.flight));
    }
}

/// A server that does not answer a hello may be one that waits for a line of text.
fn plain_answer(line: &mut Line<'_>) -> Option<Trouble> {
    let mut wire = line.open().ok()?;
    wire.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut begins = [0; 64];
    let count = wire.read(&mut begins).ok().filter(|count| *count > 0)?;
    (!is_record(begins[0])).then(|| Trouble::NotTls {
        begins: begins[..count].to_vec(),
    })
}

fn details(
    line: &mut Line<'_>,
    facts: &mut Facts,
    asked: &mut [Asked],
    identity: Option<&Identity>,
    wants: Wants,
) -> Result<(), Trouble> {
    shake_all(line, facts, asked)?;
    for one in asked.iter() {
        note_flights(facts, one);
    }
    clients::ask(line, facts, asked, identity);
    if wants == Wants::Handshakes {
        return Ok(());
    }
    for one in asked.iter_mut().filter(|one| one.facts.spoken == Spoken::Yes) {
        enumerate::all_suites(line, one);
        let version = one.facts.version;
        for (suite, chain) in &one.others {
            let with = hello::Suite::of_number(*suite).map_or("a suite", |suite| suite.openssl_name());
            note_chain(facts, chain, &format!("{version} {with}"));
        }
    }
    for one in newest_of_each_kind(asked) {
        if let Some(groups) = enumerate::all_groups(line, &one.facts) {
            facts.groups.push((one.facts.version, groups));
        }
    }
    extras::ask(line, facts, asked);
    resume::ask(line, facts, asked);
    if line.is_spent() {
        return Err(Trouble::GivenUp {
            why: "the bound on connections or time was reached",
        });
    }
    Ok(())
}

/// TLS 1.3, and the newest before it.
fn newest_of_each_kind(asked: &[Asked]) -> Vec<&Asked> {
    let spoken = || asked.iter().filter(|one| one.facts.spoken == Spoken::Yes);
    let new = spoken().find(|one| one.facts.version == Version::Tls13);
    let old = spoken().find(|one| one.facts.version < Version::Tls13);
    new.into_iter().chain(old).collect()
}

/// A handshake with each version that is spoken and that OpenSSL offers.
fn shake_all(line: &mut Line<'_>, facts: &mut Facts, asked: &mut [Asked]) -> Result<(), Trouble> {
    let mut is_first = true;
    for one in asked.iter_mut() {
        let version = one.facts.version;
        if one.facts.spoken != Spoken::Yes || version == Version::Ssl3 {
            continue;
        }
        let server_name = line.target.server_name();
        let wanted = Offer {
            waits: is_first,
            ..offer(server_name, version)
        };
        match handshake::shake(line, &wanted) {
            Ok(shaken) => {
                one.facts.finished = Some(finished(&shaken));
                if is_first {
                    facts.staple.clone_from(&shaken.flight.status);
                    facts.client = clients::seen(&shaken);
                }
                if let Some(chain) = shaken.flight.chain.as_ref().filter(|chain| !chain.is_empty()) {
                    note_chain(facts, chain, version.name());
                }
                clients::keep(one, &shaken);
                is_first = false;
            }
            Err(trouble @ Trouble::GivenUp { .. }) => return Err(trouble),
            Err(trouble) => {
                one.facts.finished = Some(Finished {
                    is_good: false,
                    suite: None,
                    group: None,
                    alert: None,
                    error: Some(trouble.to_string()),
                });
            }
        }
    }
    Ok(())
}

fn finished(shaken: &Shaken) -> Finished {
    Finished {
        is_good: shaken.is_finished && shaken.alert.is_none(),
        suite: shaken.flight.hello.as_ref().map(|hello| hello.suite),
        group: shaken.group,
        alert: shaken.alert,
        error: shaken.error.clone(),
    }
}

/// An offer of one version only.
pub(crate) fn offer(server_name: Option<&str>, version: Version) -> Offer<'_> {
    Offer {
        versions: (version, version),
        server_name,
        protocols: &[],
        identity: None,
        takes_tickets: true,
        waits: false,
    }
}

/// What the flights in the clear say beside version and suites.
fn note_flights(facts: &mut Facts, one: &Asked) {
    let Some(flight) = &one.first else { return };
    let version = one.facts.version;
    if let Some(chain) = flight.chain.as_ref().filter(|chain| !chain.is_empty()) {
        note_chain(facts, chain, version.name());
    }
    if facts.client == ClientAuth::Unknown && flight.is_done {
        facts.client = match &flight.request {
            Some(request) => ClientAuth::Asked {
                request: request.clone(),
                required: None,
            },
            None => ClientAuth::NotAsked,
        };
    }
    extras::note_hello(&mut facts.extras, version, flight);
}

/// Adds a chain, or what it was seen with. Gives its place.
pub(crate) fn note_chain(facts: &mut Facts, chain: &[Vec<u8>], with: &str) -> usize {
    let mut sent = Vec::new();
    let mut unreadable = Vec::new();
    for der in chain {
        match Certificate::parse(der) {
            Ok(certificate) => sent.push(certificate),
            Err(_) => unreadable.push(der.clone()),
        }
    }
    let known = facts
        .chains
        .iter()
        .position(|seen| seen.sent == sent && seen.unreadable == unreadable);
    match known {
        Some(at) => {
            let words = &mut facts.chains[at].seen_with;
            if !words.iter().any(|word| word == with) {
                words.push(with.to_owned());
            }
            at
        }
        None => {
            facts.chains.push(ChainSeen {
                sent,
                unreadable,
                seen_with: vec![with.to_owned()],
            });
            facts.chains.len() - 1
        }
    }
}
