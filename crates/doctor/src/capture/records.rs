//! What the two directions of a connection show in the clear.

use hello::Flight;
use hello::Message;
use keystore::Certificate;
use keystore::Name;

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::text::conversation::Conversation;

/// Whether a direction begins with a TLS client hello.
pub fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 3, _, _, _, CLIENT_HELLO, ..])
}

/// What the client shows.
pub fn client(seen: &mut Conversation, bytes: &[u8]) {
    let (messages, alerts) = hello::in_the_clear(bytes);
    for (kind, body) in &messages {
        match *kind {
            CLIENT_HELLO => {
                if let Some(heard) = hello::read_client_hello(body) {
                    seen.offered_versions = heard.versions;
                    seen.offered_ciphers = heard.suites;
                    seen.has_no_server_name = heard.server_name.is_none();
                    seen.server_name = heard.server_name;
                }
            }
            CERTIFICATE => seen.client_sent = Some(facts(&hello::certificates(body, false).0)),
            _ => {}
        }
    }
    note_alerts(seen, false, &alerts);
}

/// What the server shows. A first byte that no record begins with is a plain answer.
pub fn server(seen: &mut Conversation, bytes: &[u8]) {
    if let Some(first) = bytes.first()
        && !(ALERT_OR_CHANGE..=HEARTBEAT).contains(first)
    {
        seen.is_plain_answer = true;
        return;
    }
    let (messages, alerts) = hello::in_the_clear(bytes);
    let mut flight = Flight::default();
    for (kind, body) in &messages {
        flight.take(Message { kind: *kind, body });
    }
    if let Some(hello) = &flight.hello {
        seen.chosen_version = Some(hello.version);
        seen.chosen_cipher = Some(hello.suite);
    }
    if let Some(chain) = &flight.chain {
        seen.sent = facts(chain);
    }
    if let Some(request) = &flight.request {
        let names = request.authorities.iter();
        seen.authorities = names
            .map(|der| Some(Dn::parse(&Name::parse(der, 0).ok()?.to_string())))
            .collect();
    }
    note_alerts(seen, true, &alerts);
}

/// All but the polite end; a fatal end without a reason counts.
fn note_alerts(seen: &mut Conversation, from_server: bool, alerts: &[hello::Alert]) {
    let ending = alerts.iter().filter(|alert| alert.is_fatal || alert.code != 0);
    seen.alerts.extend(ending.map(|alert| (from_server, alert.code)));
}

fn facts(chain: &[Vec<u8>]) -> Vec<CertFacts> {
    let readable = chain.iter().filter_map(|der| Certificate::parse(der).ok());
    readable.map(|certificate| CertFacts::of(&certificate)).collect()
}

const ALERT_OR_CHANGE: u8 = 20;
const HANDSHAKE: u8 = 22;
const HEARTBEAT: u8 = 24;
const CLIENT_HELLO: u8 = 1;
const CERTIFICATE: u8 = 11;
