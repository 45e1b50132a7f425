//! What else is negotiated: renegotiation, compression, heartbeats, fallback, application protocols, other names.

use std::io::Read;
use std::io::Write;

use hello::ClientHello;
use hello::Flight;
use hello::Ssl2Hello;
use hello::Suite;
use hello::Version;
use hello::ssl2_hello;
use hello::ssl2_kinds;

use crate::Extras;
use crate::Facts;
use crate::NameAnswer;
use crate::NameAsked;
use crate::Spoken;
use crate::Trouble;
use crate::enumerate;
use crate::enumerate::Asked;
use crate::handshake;
use crate::handshake::Offer;
use crate::line::Answer;
use crate::line::Line;
use crate::once;
use crate::once::note_chain;

/// Whether SSL 2.0 is spoken.
pub(crate) fn ssl2(line: &mut Line<'_>) -> Option<Ssl2Hello> {
    let mut wire = line.open().ok()?;
    let mut challenge = [0; 16];
    challenge.copy_from_slice(&enumerate::random()[..16]);
    wire.write_all(&ssl2_hello(challenge)).ok()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = wire.read(&mut buffer) {
        answer.extend(&buffer[..count]);
        let found = ssl2_kinds(&answer);
        // Whoever answers in SSL 2.0 sets the highest bit and says SERVER-HELLO.
        let is_other = answer.len() > 2 && (answer[0] & 0x80 == 0 || answer[2] != 4);
        if found.is_some() || is_other || count == 0 {
            return found;
        }
    }
    None
}

/// What a hello in the clear says.
pub(crate) fn note_hello(extras: &mut Extras, version: Version, flight: &Flight) {
    let Some(hello) = &flight.hello else { return };
    let has = |extension: u16| hello.extensions.contains(&extension);
    // A heartbeat is announced in the clear up to TLS 1.2, and in TLS 1.3 by nobody.
    if version == Version::Tls13 {
        return;
    }
    let merged = |before: Option<bool>, is: bool| Some(before.unwrap_or(is) && is);
    let any = |before: Option<bool>, is: bool| Some(before.unwrap_or(false) || is);
    extras.secure_renegotiation = merged(extras.secure_renegotiation, has(RENEGOTIATION));
    extras.compression = any(extras.compression, hello.compresses);
    extras.heartbeat = any(extras.heartbeat, hello.heartbeat);
    if version > Version::Ssl3 {
        extras.extended_master_secret = merged(extras.extended_master_secret, has(EXTENDED_MASTER_SECRET));
        let is_cbc = Suite::of_number(hello.suite).is_some_and(|suite| suite.cipher().contains("CBC"));
        if is_cbc {
            extras.encrypt_then_mac = any(extras.encrypt_then_mac, has(ENCRYPT_THEN_MAC));
        }
    }
}

/// Asks for the rest.
pub(crate) fn ask(line: &mut Line<'_>, facts: &mut Facts, asked: &[Asked]) {
    let is_old = facts.version(Version::Ssl3).is_some() || asked.len() == Version::ALL.len();
    if is_old && facts.ssl2.is_none() {
        facts.ssl2 = ssl2(line);
    }
    facts.extras.fallback_scsv = fallback(line, asked);
    let spoken: Vec<&Asked> = asked
        .iter()
        .filter(|one| one.facts.spoken == Spoken::Yes)
        .collect();
    // In the clear where that is possible: it costs the server less.
    let clear = spoken
        .iter()
        .find(|one| (Version::Tls10..Version::Tls13).contains(&one.facts.version));
    let Some(one) = clear.or(spoken.first()) else {
        return;
    };
    protocols(line, facts, one);
    names(line, facts, one);
}

/// The second-best version with the mark of a client that could do better. RFC 7507 knows no such thing before there
/// are two versions.
fn fallback(line: &mut Line<'_>, asked: &[Asked]) -> Option<bool> {
    let spoken: Vec<&Asked> = asked
        .iter()
        .filter(|one| one.facts.spoken == Spoken::Yes)
        .collect();
    let second = spoken.get(1)?;
    let suites: Vec<u16> = second.facts.suites.iter().map(|seen| seen.number).collect();
    let groups = enumerate::groups_of(second.facts.version);
    let mut hello = ClientHello::new(second.facts.version, &suites, &groups, enumerate::random());
    hello.server_name = line.target.server_name();
    hello.is_fallback = true;
    match line.ask(&hello) {
        Answer::Refused(alert) => Some(alert.code == INAPPROPRIATE_FALLBACK),
        Answer::Chose(_) => Some(false),
        // Some hang up instead, which keeps the older version from being used, too.
        Answer::Trouble(Trouble::Closed | Trouble::Reset) => Some(true),
        Answer::Trouble(_) => None,
    }
}

/// Offers application protocols until none of them is taken.
fn protocols(line: &mut Line<'_>, facts: &mut Facts, one: &Asked) {
    let mut left: Vec<&str> = PROTOCOLS.to_vec();
    while !left.is_empty() {
        let Some(chosen) = protocol(line, one, &left) else {
            return;
        };
        if !left.contains(&chosen.as_str()) {
            return;
        }
        left.retain(|other| *other != chosen);
        facts.protocols.push(chosen);
    }
}

fn protocol(line: &mut Line<'_>, one: &Asked, offered: &[&str]) -> Option<String> {
    let version = one.facts.version;
    let flight = if version == Version::Tls13 {
        let offer = Offer {
            protocols: offered,
            ..once::offer(line.target.server_name(), version)
        };
        handshake::shake(line, &offer).ok()?.flight
    } else {
        let suites: Vec<u16> = one.facts.suites.iter().map(|seen| seen.number).collect();
        let groups = enumerate::groups_of(version);
        let mut hello = ClientHello::new(version, &suites, &groups, enumerate::random());
        hello.server_name = line.target.server_name();
        hello.protocols = offered;
        match line.ask(&hello) {
            Answer::Chose(flight) => *flight,
            _ => return None,
        }
    };
    flight.hello?.protocol
}

/// Without a name, and with one that no server knows.
fn names(line: &mut Line<'_>, facts: &mut Facts, one: &Asked) {
    let usual = line.target.server_name().is_some();
    let mut variants: Vec<Option<&str>> = vec![Some(UNKNOWN_NAME)];
    if usual {
        variants.insert(0, None);
    }
    for name in variants {
        let answer = match flight_for(line, one, name) {
            Ok(flight) => match flight.chain.filter(|chain| !chain.is_empty()) {
                Some(chain) => {
                    let with = name.map_or_else(|| "no name".to_owned(), |name| format!("the name {name}"));
                    NameAnswer::Chain(note_chain(facts, &chain, &with))
                }
                None => continue,
            },
            Err(answer) => answer,
        };
        facts.names.push(NameAsked {
            name: name.map(str::to_owned),
            answer,
        });
    }
}

fn flight_for(line: &mut Line<'_>, one: &Asked, name: Option<&str>) -> Result<Flight, NameAnswer> {
    let version = one.facts.version;
    if version == Version::Tls13 {
        return match handshake::shake(line, &once::offer(name, version)) {
            Ok(shaken) => match shaken.alert {
                Some(code) if shaken.flight.chain.is_none() => Err(NameAnswer::Refused(code)),
                _ => Ok(shaken.flight),
            },
            Err(trouble) => Err(NameAnswer::Trouble(trouble)),
        };
    }
    let suites: Vec<u16> = one.facts.suites.iter().map(|seen| seen.number).collect();
    let groups = enumerate::groups_of(version);
    let mut hello = ClientHello::new(version, &suites, &groups, enumerate::random());
    hello.server_name = name;
    match line.ask(&hello) {
        Answer::Chose(flight) => Ok(*flight),
        Answer::Refused(alert) => Err(NameAnswer::Refused(alert.code)),
        Answer::Trouble(trouble) => Err(NameAnswer::Trouble(trouble)),
    }
}

/// IANA's registry "TLS ALPN Protocol IDs", as far as servers use them.
const PROTOCOLS: &[&str] = &[
    "h2",
    "http/1.1",
    "http/1.0",
    "imap",
    "pop3",
    "postgresql",
    "mqtt",
    "ftp",
    "xmpp-client",
    "dot",
    "acme-tls/1",
];
/// RFC 6761: this name exists nowhere.
const UNKNOWN_NAME: &str = "capgrow.invalid";
const INAPPROPRIATE_FALLBACK: u8 = 86;
const ENCRYPT_THEN_MAC: u16 = 22;
const EXTENDED_MASTER_SECRET: u16 = 23;
const RENEGOTIATION: u16 = 0xff01;
