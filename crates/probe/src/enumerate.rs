//! Versions, suites and groups, asked one hello at a time.
//!
//! A server shows one choice per hello, so what it takes is offered again without what it chose, until it refuses: one
//! connection for each suite and one more. Up to TLS 1.2 the answer is in the clear; a hello of TLS 1.3 without a key
//! share is answered with a HelloRetryRequest, which names suite and group and costs the server nothing.

use hello::ClientHello;
use hello::Flight;
use hello::Group;
use hello::Suite;
use hello::Version;
use hello::groups;
use hello::suites;
use openssl::rand::rand_bytes;

use crate::Order;
use crate::Refusal;
use crate::Spoken;
use crate::SuiteSeen;
use crate::Trouble;
use crate::VersionFacts;
use crate::line::Answer;
use crate::line::Line;

/// What one version showed, with the first flight in which the server chose it.
pub(crate) struct Asked {
    pub facts: VersionFacts,
    pub first: Option<Box<Flight>>,
    /// Chains beside that of the first flight, with the suite that brought them.
    pub others: Vec<(u16, Vec<Vec<u8>>)>,
    /// The hello was longer than this server can read; shorter ones are understood.
    pub needs_short: bool,
}

/// Asks whether `version` is spoken, with everything on offer.
pub(crate) fn version(line: &mut Line<'_>, version: Version) -> Asked {
    let all = offer(version, false);
    let mut needs_short = false;
    let mut answer = ask(line, version, &all, &groups_of(version));
    if all.len() > SHORT && is_about_length(&answer) {
        let short = ask(line, version, &offer(version, true), &groups_of(version));
        if matches!(short, Answer::Chose(_)) {
            needs_short = true;
            answer = short;
        }
    }
    let (spoken, first) = match answer {
        Answer::Chose(flight) => match chosen_version(&flight) {
            Some(chosen) if chosen == version => (Spoken::Yes, Some(flight)),
            _ => {
                let number = flight.hello.as_ref().map_or(0, |hello| hello.version);
                (Spoken::No(Refusal::Chose(number)), None)
            }
        },
        Answer::Refused(alert) => (Spoken::No(Refusal::Alert(alert.code)), None),
        Answer::Trouble(Trouble::Closed | Trouble::Reset) => (Spoken::No(Refusal::HungUp), None),
        Answer::Trouble(trouble) => (Spoken::Unknown(trouble), None),
    };
    Asked {
        facts: VersionFacts {
            version,
            spoken,
            suites: first.iter().filter_map(|flight| seen(flight)).collect(),
            is_complete: false,
            order: None,
            finished: None,
        },
        first,
        others: Vec::new(),
        needs_short,
    }
}

/// Asks for all suites of a version that is spoken, and whose order counts.
pub(crate) fn all_suites(line: &mut Line<'_>, asked: &mut Asked) {
    let version = asked.facts.version;
    let mut left = offer(version, asked.needs_short);
    let known: Vec<u16> = asked.facts.suites.iter().map(|seen| seen.number).collect();
    left.retain(|number| !known.contains(number));
    let offered = groups_of(version);
    while !left.is_empty() {
        match ask(line, version, &left, &offered) {
            Answer::Chose(flight) if chosen_version(&flight) == Some(version) => {
                let Some(seen) = seen(&flight) else { break };
                if !left.contains(&seen.number) {
                    // It takes what was not offered: going on would not end.
                    break;
                }
                left.retain(|number| *number != seen.number);
                note_chain(asked, seen.number, &flight);
                asked.facts.suites.push(seen);
            }
            // Another version, or no suite in common.
            Answer::Chose(_) | Answer::Refused(_) => {
                asked.facts.is_complete = true;
                break;
            }
            Answer::Trouble(Trouble::Closed | Trouble::Reset) => {
                asked.facts.is_complete = true;
                break;
            }
            Answer::Trouble(_) => return,
        }
    }
    asked.facts.is_complete |= left.is_empty();
    order(line, asked);
}

/// Offers the first and the last suite the other way round.
fn order(line: &mut Line<'_>, asked: &mut Asked) {
    let taken: Vec<u16> = asked.facts.suites.iter().map(|seen| seen.number).collect();
    let ([first, .., last], version) = (taken.as_slice(), asked.facts.version) else {
        return;
    };
    if let Answer::Chose(flight) = ask(line, version, &[*last, *first], &groups_of(version)) {
        let chosen = flight.hello.as_ref().map(|hello| hello.suite);
        asked.facts.order = match chosen {
            Some(suite) if suite == *first => Some(Order::Server),
            Some(suite) if suite == *last => Some(Order::Client),
            _ => None,
        };
    }
}

/// Asks for all groups of a version that is spoken; `None` where no suite of it needs one, or no answer came.
pub(crate) fn all_groups(line: &mut Line<'_>, facts: &VersionFacts) -> Option<Vec<Group>> {
    let version = facts.version;
    let is_13 = version == Version::Tls13;
    let offered: Vec<u16> = facts
        .suites
        .iter()
        .filter(|seen| is_13 || seen.suite.is_some_and(Suite::is_ecdhe))
        .map(|seen| seen.number)
        .collect();
    if offered.is_empty() {
        return None;
    }
    let mut left = groups_of(version);
    let mut found: Vec<Group> = Vec::new();
    let mut has_rest = false;
    while !left.is_empty() {
        let mut listed = left.clone();
        if has_rest {
            listed.extend(&found);
        }
        let chosen = match ask(line, version, &offered, &listed) {
            Answer::Chose(flight) => flight.agreed_group(),
            Answer::Refused(_) | Answer::Trouble(Trouble::Closed | Trouble::Reset) => None,
            Answer::Trouble(_) => return None,
        };
        match chosen {
            Some(group) if left.contains(&group) => {
                left.retain(|other| *other != group);
                found.push(group);
            }
            // The curve of the server's certificate has to be among those offered (RFC 8422, 5.1): the same again,
            // with what is known at the end.
            _ if !has_rest && !found.is_empty() && version < Version::Tls13 => has_rest = true,
            // Nothing new, or a server that pays no attention to the list.
            _ => break,
        }
    }
    Some(found)
}

/// Groups that a version may agree on.
pub(crate) fn groups_of(version: Version) -> Vec<Group> {
    groups()
        .filter(|group| match version {
            Version::Ssl3 => false,
            Version::Tls13 => group.is_for_tls13(),
            _ => group.is_for_tls12(),
        })
        .collect()
}

fn ask(line: &mut Line<'_>, version: Version, suites: &[u16], groups: &[Group]) -> Answer {
    let target = line.target;
    let mut hello = ClientHello::new(version, suites, groups, random());
    hello.server_name = target.server_name();
    // These two change no choice and are answered in the hello.
    hello.offers_compression = version < Version::Tls13;
    hello.offers_heartbeat = true;
    line.ask(&hello)
}

pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    // A hello with weak randomness asks the same question.
    let _ = rand_bytes(&mut bytes);
    bytes
}

/// The version that a flight agreed on.
pub(crate) fn chosen_version(flight: &Flight) -> Option<Version> {
    flight.hello.as_ref()?.version()
}

/// The suite of a flight, with what came along.
fn seen(flight: &Flight) -> Option<SuiteSeen> {
    let number = flight.hello.as_ref()?.suite;
    Some(SuiteSeen {
        number,
        suite: Suite::of_number(number),
        group: flight.agreed_group(),
        prime_bits: flight.prime_bits,
    })
}

fn note_chain(asked: &mut Asked, suite: u16, flight: &Flight) {
    let Some(chain) = &flight.chain else { return };
    let first = asked.first.as_ref().and_then(|first| first.chain.as_ref());
    let is_known = first == Some(chain) || asked.others.iter().any(|(_, other)| other == chain);
    if !is_known && asked.others.len() < MAX_CHAINS {
        asked.others.push((suite, chain.clone()));
    }
}

/// Suites of a version, what is usual today first. A short list is for servers that cannot read a long hello.
pub(crate) fn offer(version: Version, is_short: bool) -> Vec<u16> {
    let mut all: Vec<Suite> = suites().filter(|suite| suite.is_for(version)).collect();
    let rank = |suite: &Suite| {
        let exchange = match suite.exchange() {
            "" | "ECDHE_ECDSA" => 0,
            "ECDHE_RSA" => 1,
            "DHE_RSA" => 2,
            "RSA" => 3,
            "DHE_DSS" | "ECDH_RSA" | "ECDH_ECDSA" => 4,
            _ if suite.is_anonymous() || suite.is_psk() => 6,
            _ => 5,
        };
        let is_aead = suite.cipher().contains("GCM") || suite.cipher().contains("POLY1305");
        (
            exchange,
            !is_aead,
            suite.weakness().is_some(),
            std::cmp::Reverse(suite.bits()),
        )
    };
    all.sort_by_key(rank);
    let count = if is_short { SHORT } else { all.len() };
    all.into_iter().take(count).map(|suite| suite.number).collect()
}

/// Whether a server's refusal may be about the length of the hello rather than what is in it.
fn is_about_length(answer: &Answer) -> bool {
    match answer {
        Answer::Chose(_) => false,
        Answer::Refused(alert) => matches!(alert.code, DECODE_ERROR | ILLEGAL_PARAMETER | UNEXPECTED_MESSAGE),
        Answer::Trouble(trouble) => !trouble.is_final(),
    }
}

/// What old servers have room for.
const SHORT: usize = 40;
/// A server has one chain for each kind of key.
const MAX_CHAINS: usize = 8;
const UNEXPECTED_MESSAGE: u8 = 10;
const ILLEGAL_PARAMETER: u8 = 47;
const DECODE_ERROR: u8 = 50;
