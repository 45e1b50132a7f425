//! Whether sessions are taken up again.
//!
//! Up to TLS 1.2 the answer is in the clear: a server that takes a session up echoes its id and sends no certificate.
//! In TLS 1.3 it answers with the extension that chose the key. So the second hello is made by hand and goes no further.

use hello::ClientHello;
use hello::SharedKey;
use hello::Suite;
use hello::Version;
use keystore::der::Der;
use openssl::bn::BigNumContext;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::ec::PointConversionForm;
use openssl::hash::MessageDigest;
use openssl::hash::hash;
use openssl::nid::Nid;

use crate::Facts;
use crate::Spoken;
use crate::enumerate;
use crate::enumerate::Asked;
use crate::handshake;
use crate::handshake::Offer;
use crate::line::Answer;
use crate::line::Line;
use crate::once;
use crate::tls13;

/// Asks with TLS 1.3, and with the newest version before it that OpenSSL speaks.
pub(crate) fn ask(line: &mut Line<'_>, facts: &mut Facts, asked: &[Asked]) {
    let good = |one: &&Asked| {
        let finished = one.facts.finished.as_ref();
        one.facts.spoken == Spoken::Yes && finished.is_some_and(|finished| finished.is_good)
    };
    for one in asked.iter().filter(good) {
        if one.facts.version == Version::Tls13 {
            new(line, facts);
        } else {
            facts.resumption.session_id = old(line, one.facts.version, false);
            facts.resumption.ticket = old(line, one.facts.version, true);
            return;
        }
    }
}

/// By id, or by ticket.
fn old(line: &mut Line<'_>, version: Version, by_ticket: bool) -> Option<bool> {
    let offer = Offer {
        takes_tickets: by_ticket,
        ..once::offer(line.target.server_name(), version)
    };
    let shaken = handshake::shake(line, &offer)
        .ok()
        .filter(|shaken| shaken.is_finished)?;
    let suite = shaken.flight.hello.as_ref()?.suite;
    let groups = enumerate::groups_of(version);
    let suites = [suite];
    let mut hello = ClientHello::new(version, &suites, &groups, enumerate::random());
    hello.server_name = line.target.server_name();
    let made_up = enumerate::random();
    if by_ticket {
        let Some(ticket) = shaken.flight.ticket.as_ref().filter(|ticket| !ticket.is_empty()) else {
            return Some(false);
        };
        // A server that takes the ticket echoes the id that came with it, RFC 5077, 3.4.
        hello.session_id = &made_up;
        hello.ticket = Some(ticket);
        return is_taken(line, &hello);
    }
    if shaken.session_id.is_empty() {
        return Some(false);
    }
    hello.session_id = &shaken.session_id;
    hello.ticket = None;
    is_taken(line, &hello)
}

fn is_taken(line: &mut Line<'_>, hello: &ClientHello<'_>) -> Option<bool> {
    match line.ask(hello) {
        Answer::Chose(flight) => {
            let echoed = flight.hello.as_ref().map(|server| server.session_id.as_slice());
            Some(echoed == Some(hello.session_id) && flight.chain.is_none())
        }
        Answer::Refused(_) => Some(false),
        Answer::Trouble(_) => None,
    }
}

/// Tickets of TLS 1.3, and whether one is taken.
fn new(line: &mut Line<'_>, facts: &mut Facts) {
    let offer = Offer {
        waits: true,
        ..once::offer(line.target.server_name(), Version::Tls13)
    };
    let Ok(shaken) = handshake::shake(line, &offer) else {
        return;
    };
    if !shaken.is_finished || shaken.alert.is_some() {
        return;
    }
    facts.resumption.tickets_13 = Some(shaken.sessions.len());
    if shaken.sessions.is_empty() {
        facts.resumption.taken_13 = Some(false);
    }
    let session = shaken.sessions.first().and_then(|session| Session::read(session));
    // A group of which we make no keys: most servers take X25519, too.
    let share = shaken
        .group
        .and_then(|group| share(group.number))
        .or_else(|| share(X25519));
    if let (Some(session), Some(share), Some(server)) = (session, share, &shaken.flight.hello) {
        facts.resumption.taken_13 = is_taken_13(line, server.suite, &session, (share.0, &share.1));
    }
}

fn is_taken_13(line: &mut Line<'_>, suite: u16, session: &Session, share: (u16, &[u8])) -> Option<bool> {
    let is_384 = Suite::of_number(suite).is_some_and(|suite| suite.name.ends_with("SHA384"));
    let digest = if is_384 {
        MessageDigest::sha384()
    } else {
        MessageDigest::sha256()
    };
    // With others on offer a server may ask for another share first.
    let mut groups = enumerate::groups_of(Version::Tls13);
    groups.retain(|group| group.number == share.0);
    let suites = [suite];
    let mut hello = ClientHello::new(Version::Tls13, &suites, &groups, enumerate::random());
    hello.server_name = line.target.server_name();
    hello.share = Some(share);
    hello.shared_key = Some(SharedKey {
        ticket: &session.ticket,
        age: session.age_add,
        proof_bytes: digest.size(),
    });
    let bytes = hello.bytes_with_proof(|so_far| proof(digest, &session.key, so_far).unwrap_or_default());
    match line.ask_bytes(&bytes) {
        Answer::Chose(flight) => {
            let server = flight.hello.as_ref().filter(|server| !server.is_retry)?;
            Some(server.extensions.contains(&PRE_SHARED_KEY))
        }
        // Whoever cannot check the proof says so (decrypt_error): that is ours to explain, not the server's.
        Answer::Refused(_) | Answer::Trouble(_) => None,
    }
}

/// That we have the key. Source: RFC 8446, 4.2.11.2 and 7.1.
fn proof(digest: MessageDigest, key: &[u8], so_far: &[u8]) -> Option<Vec<u8>> {
    let early = tls13::mac(digest, &vec![0; digest.size()], key)?;
    let nothing = hash(digest, &[]).ok()?;
    let binder = tls13::expand_with(digest, &early, b"res binder", &nothing, digest.size())?;
    let finished = tls13::expand(digest, &binder, b"finished", digest.size())?;
    tls13::mac(digest, &finished, &hash(digest, so_far).ok()?)
}

/// What is needed of a session.
struct Session {
    key: Vec<u8>,
    ticket: Vec<u8>,
    age_add: u32,
}

impl Session {
    /// Reads OpenSSL's encoding: SSL_SESSION_ASN1 of ssl/ssl_asn1.c.
    fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Der::new(der).any("session").ok()?.children();
        let mut plain = Vec::new();
        let (mut ticket, mut age_add) = (None, 0);
        while !fields.is_empty() {
            let field = fields.any("field").ok()?;
            match field.tag {
                0xaa => ticket = Some(field.children().any("ticket").ok()?.content.to_vec()),
                0xae => {
                    let number = field.children().any("age").ok()?.content;
                    age_add = number.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
                }
                tag if tag < 0x80 => plain.push(field.content.to_vec()),
                _ => {}
            }
        }
        // Version, protocol, suite, session id, key.
        Some(Self {
            key: plain.into_iter().nth(4)?,
            ticket: ticket?,
            age_add,
        })
    }
}

/// A public key in a group, where one is easily had. Any 32 bytes are one for X25519 (RFC 7748, 5).
fn share(group: u16) -> Option<(u16, Vec<u8>)> {
    let curve = match group {
        X25519 => return Some((group, enumerate::random().to_vec())),
        23 => Nid::X9_62_PRIME256V1,
        24 => Nid::SECP384R1,
        25 => Nid::SECP521R1,
        _ => return None,
    };
    let curve = EcGroup::from_curve_name(curve).ok()?;
    let key = EcKey::generate(&curve).ok()?;
    let mut context = BigNumContext::new().ok()?;
    let point = key
        .public_key()
        .to_bytes(&curve, PointConversionForm::UNCOMPRESSED, &mut context);
    Some((group, point.ok()?))
}

const PRE_SHARED_KEY: u16 = 41;
const X25519: u16 = 29;
