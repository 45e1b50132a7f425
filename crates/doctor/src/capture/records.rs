//! TLS records in the clear.

use keystore::Certificate;

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::text::conversation::Conversation;

/// Whether a direction begins with a TLS client hello.
pub fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 3, _, _, _, CLIENT_HELLO, ..])
}

/// What the client shows.
pub fn client(seen: &mut Conversation, bytes: &[u8]) {
    let shown = shown(bytes);
    for (kind, body) in &shown.messages {
        match *kind {
            CLIENT_HELLO => hello(seen, body),
            CERTIFICATE => seen.client_sent = Some(certificates(body)),
            _ => {}
        }
    }
    seen.alerts
        .extend(shown.alerts.into_iter().map(|alert| (false, alert)));
}

/// What the server shows. A first byte that no record begins with is a plain answer.
pub fn server(seen: &mut Conversation, bytes: &[u8]) {
    if let Some(first) = bytes.first()
        && !(ALERT_OR_CHANGE..=APPLICATION).contains(first)
    {
        seen.is_plain_answer = true;
        return;
    }
    let shown = shown(bytes);
    for (kind, body) in &shown.messages {
        match *kind {
            SERVER_HELLO => server_hello(seen, body),
            CERTIFICATE => seen.sent = certificates(body),
            CERTIFICATE_REQUEST => seen.authorities = authorities(body),
            _ => {}
        }
    }
    seen.alerts
        .extend(shown.alerts.into_iter().map(|alert| (true, alert)));
}

#[derive(Default)]
struct Shown {
    messages: Vec<(u8, Vec<u8>)>,
    alerts: Vec<u8>,
}

/// Handshake messages and fatal alerts up to the change to encryption.
fn shown(bytes: &[u8]) -> Shown {
    let mut shown = Shown::default();
    let mut handshake = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 5) {
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        let Some(body) = bytes.get(at + 5..at + 5 + length) else {
            break;
        };
        match head[0] {
            HANDSHAKE => handshake.extend_from_slice(body),
            // Two bytes in the clear; encrypted ones are longer. Warnings end nothing, except that 1.3 sends none.
            ALERT if length == 2 && (body[0] == 2 || body[1] != 0) => shown.alerts.push(body[1]),
            CHANGE_CIPHER => break,
            _ => {}
        }
        at += 5 + length;
    }
    let mut rest = handshake.as_slice();
    while let [kind, a, b, c, body @ ..] = rest {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some(message) = body.get(..length) else { break };
        shown.messages.push((*kind, message.to_vec()));
        rest = &body[length..];
    }
    // Alerts may follow the change of cipher where the other end never got that far.
    shown
}

/// Cuts a vector with a length of `width` bytes in front.
fn vector<'a>(bytes: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let length = bytes
        .get(..width)?
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let body = bytes.get(width..)?.get(..length)?;
    *bytes = &bytes[width + length..];
    Some(body)
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

fn hello(seen: &mut Conversation, body: &[u8]) {
    let Some(version) = body.get(..2) else { return };
    let version = u16::from_be_bytes([version[0], version[1]]);
    seen.offered_versions = vec![version];
    let mut rest = body.get(34..).unwrap_or_default();
    let _session = vector(&mut rest, 1);
    seen.offered_ciphers = vector(&mut rest, 2).map(words).unwrap_or_default();
    let _compression = vector(&mut rest, 1);
    let mut extensions = vector(&mut rest, 2).unwrap_or_default();
    seen.has_no_server_name = true;
    while let [a, b, ..] = extensions {
        let kind = u16::from_be_bytes([*a, *b]);
        extensions = &extensions[2..];
        let Some(mut content) = vector(&mut extensions, 2) else {
            break;
        };
        match kind {
            0 => {
                let mut list = vector(&mut content, 2).unwrap_or_default();
                list = list.get(1..).unwrap_or_default();
                let name = vector(&mut list, 2).map(|name| String::from_utf8_lossy(name).into_owned());
                seen.has_no_server_name = name.is_none();
                seen.server_name = name;
            }
            43 => {
                let offered = vector(&mut content, 1).map(words).unwrap_or_default();
                // Values that end in 0a twice are noise on purpose (RFC 8701).
                seen.offered_versions = offered
                    .into_iter()
                    .filter(|version| version & 0x0f0f != 0x0a0a)
                    .collect();
            }
            _ => {}
        }
    }
}

fn server_hello(seen: &mut Conversation, body: &[u8]) {
    let Some(version) = body.get(..2) else { return };
    seen.chosen_version = Some(u16::from_be_bytes([version[0], version[1]]));
    let mut rest = body.get(34..).unwrap_or_default();
    let _session = vector(&mut rest, 1);
    seen.chosen_cipher = rest.get(..2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    rest = rest.get(3..).unwrap_or_default();
    let mut extensions = vector(&mut rest, 2).unwrap_or_default();
    while let [a, b, ..] = extensions {
        let kind = u16::from_be_bytes([*a, *b]);
        extensions = &extensions[2..];
        let Some(content) = vector(&mut extensions, 2) else {
            break;
        };
        if let (43, [a, b]) = (kind, content) {
            seen.chosen_version = Some(u16::from_be_bytes([*a, *b]));
        }
    }
}

fn certificates(body: &[u8]) -> Vec<CertFacts> {
    let mut rest = body;
    let mut list = vector(&mut rest, 3).unwrap_or_default();
    let mut found = Vec::new();
    while let Some(der) = vector(&mut list, 3) {
        found.extend(
            Certificate::parse(der)
                .ok()
                .map(|certificate| CertFacts::of(&certificate)),
        );
    }
    found
}

/// The accepted names of a request up to TLS 1.2. Source: RFC 5246 7.4.4; TLS 1.0 and 1.1 have no algorithms in it.
fn authorities(body: &[u8]) -> Option<Vec<Dn>> {
    let with = |skip: bool| -> Option<Vec<Dn>> {
        let mut rest = body;
        vector(&mut rest, 1)?;
        if skip {
            vector(&mut rest, 2)?;
        }
        let mut list = vector(&mut rest, 2)?;
        let mut names = Vec::new();
        while !list.is_empty() {
            let der = vector(&mut list, 2)?;
            names.push(Dn::parse(&keystore::Name::parse(der, 0).ok()?.to_string()));
        }
        rest.is_empty().then_some(names)
    };
    with(true).or_else(|| with(false))
}

const ALERT_OR_CHANGE: u8 = 20;
const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION: u8 = 24;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
