//! What a server sends before anything is encrypted.

use crate::Alert;
use crate::Group;
use crate::Reading;
use crate::Suite;
use crate::Version;

/// The first flight of a server, read as it comes in.
///
/// Bounded: more than [`Flight::MAX_BYTES`] are not kept, and the flight ends as [`Progress::Oversize`].
#[derive(Debug, Clone, Default)]
pub struct Flight {
    bytes: Vec<u8>,
    at: usize,
    handshake: Vec<u8>,
    /// The server's hello.
    pub hello: Option<ServerHello>,
    /// Certificates as DER, in the order sent.
    pub chain: Option<Vec<Vec<u8>>>,
    /// The group of the server's ephemeral key.
    pub group: Option<u16>,
    /// The bits of the prime of a finite field exchange.
    pub prime_bits: Option<usize>,
    /// The scheme that signs the ephemeral key; TLS 1.2 only.
    pub scheme: Option<u16>,
    /// Whether the server asks for a client's certificate, and of whom.
    pub request: Option<CertificateRequest>,
    /// The stapled answer of an OCSP responder, DER.
    pub status: Option<Vec<u8>>,
    /// A ticket that came in the clear, up to TLS 1.2.
    pub ticket: Option<Vec<u8>>,
    /// Alerts that came in the clear.
    pub alerts: Vec<Alert>,
    /// The flight came to its end.
    pub is_done: bool,
}

/// How far a flight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It came to its end, or what follows is encrypted.
    Done,
    /// More has to come.
    More,
    /// The bytes are no TLS, from this offset on.
    NotTls(usize),
    /// More came than any honest server sends.
    Oversize,
    /// The server refused with an alert.
    Refused(Alert),
}

/// What a server chose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version, as a number.
    pub version: u16,
    /// The suite.
    pub suite: u16,
    /// Not a choice yet: the server wants another key share (TLS 1.3).
    pub is_retry: bool,
    /// The group of the key share, or of the one that the server wants.
    pub group: Option<u16>,
    /// DEFLATE was chosen.
    pub compresses: bool,
    /// The session's id.
    pub session_id: Vec<u8>,
    /// Extensions that were answered.
    pub extensions: Vec<u16>,
    /// The application protocol that was chosen.
    pub protocol: Option<String>,
    /// Whether the server's heartbeat extension allows heartbeats.
    pub heartbeat: bool,
}

impl ServerHello {
    /// The version, where it is one.
    pub fn version(&self) -> Option<Version> {
        Version::of_number(self.version)
    }
}

/// A request for a client's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The subjects of the authorities that it accepts, as DER; empty means any.
    pub authorities: Vec<Vec<u8>>,
    /// Kinds of certificates, RFC 5246, 7.4.4: 1 is RSA, 64 ECDSA.
    pub kinds: Vec<u8>,
    /// Signature schemes that it accepts.
    pub schemes: Vec<u16>,
}

/// A handshake message: its kind and its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// RFC 8446, 4.
    pub kind: u8,
    /// Without kind and length.
    pub body: &'a [u8],
}

impl Flight {
    /// More than the longest chain and the longest list of authorities that anybody sends.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Takes what came in and says how far it is. After anything but [`Progress::More`] nothing more is needed.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        let room = Self::MAX_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend(&bytes[..bytes.len().min(room)]);
        let progress = self.advance();
        if progress == Progress::More && bytes.len() > room {
            return Progress::Oversize;
        }
        progress
    }

    /// The bytes that came in, as far as they are kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads a message that came another way: decrypted out of TLS 1.3.
    pub fn take(&mut self, message: Message<'_>) {
        let is_13 = self
            .hello
            .as_ref()
            .is_some_and(|hello| hello.version() == Some(Version::Tls13));
        match message.kind {
            SERVER_HELLO => self.hello = server_hello(message.body),
            CERTIFICATE => {
                let (chain, status) = certificates(message.body, is_13);
                self.chain = Some(chain);
                self.status = self.status.take().or(status);
            }
            CERTIFICATE_STATUS => self.status = staple(message.body),
            SERVER_KEY_EXCHANGE => self.key_exchange(message.body),
            CERTIFICATE_REQUEST => {
                self.request = Some(if is_13 {
                    request_13(message.body)
                } else {
                    request(message.body)
                });
            }
            NEW_SESSION_TICKET => {
                let mut rest = Reading::new(message.body);
                self.ticket = rest.take(4).and_then(|_| rest.vector(2)).map(<[u8]>::to_vec);
            }
            ENCRYPTED_EXTENSIONS => self.encrypted_extensions(message.body),
            SERVER_HELLO_DONE => self.is_done = true,
            _ => {}
        }
    }

    fn advance(&mut self) -> Progress {
        while let Some(head) = self.bytes.get(self.at..self.at + 5) {
            let kind = head[0];
            if !(CHANGE_CIPHER..=APPLICATION).contains(&kind) || head[1] != 3 {
                return Progress::NotTls(self.at);
            }
            let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
            if length > MAX_RECORD {
                return Progress::NotTls(self.at);
            }
            let Some(content) = self.bytes.get(self.at + 5..self.at + 5 + length) else {
                return Progress::More;
            };
            let content = content.to_vec();
            self.at += 5 + length;
            match kind {
                HANDSHAKE => {
                    self.handshake.extend(content);
                    if let Some(progress) = self.messages() {
                        return progress;
                    }
                }
                ALERT => {
                    if let [level, code, ..] = content[..] {
                        let alert = Alert {
                            is_fatal: level == 2,
                            code,
                        };
                        self.alerts.push(alert);
                        // A warning about the name alone (112) is followed by the hello.
                        if alert.is_fatal || code == 0 {
                            return Progress::Refused(alert);
                        }
                    }
                }
                // What follows in TLS 1.3 is encrypted; before, a server that takes a session up sends no more.
                APPLICATION => return Progress::Done,
                CHANGE_CIPHER if self.hello.is_some() => return Progress::Done,
                _ => {}
            }
        }
        let seen = &self.bytes[self.at..];
        let is_odd = seen
            .first()
            .is_some_and(|kind| !(CHANGE_CIPHER..=APPLICATION).contains(kind))
            || seen.get(1).is_some_and(|major| *major != 3);
        if is_odd {
            Progress::NotTls(self.at)
        } else {
            Progress::More
        }
    }

    fn messages(&mut self) -> Option<Progress> {
        let handshake = std::mem::take(&mut self.handshake);
        let mut rest = Reading::new(&handshake);
        let mut left = rest;
        while let (Some(kind), Some(body)) = (rest.number(1), rest.vector(3)) {
            left = rest;
            let kind = u8::try_from(kind).expect("one byte");
            self.take(Message { kind, body });
            let hello = self.hello.as_ref();
            let is_13 = hello.is_some_and(|hello| hello.version() == Some(Version::Tls13));
            if self.is_done || is_13 {
                return Some(Progress::Done);
            }
        }
        self.handshake = left.rest().to_vec();
        None
    }

    /// The server's ephemeral key: a named curve, or a prime. Source: RFC 8422, 5.4; RFC 5246, 7.4.3.
    fn key_exchange(&mut self, body: &[u8]) {
        let Some(hello) = &self.hello else { return };
        let Some(suite) = Suite::of_number(hello.suite) else {
            return;
        };
        let is_12 = hello.version == 0x0303;
        let mut rest = Reading::new(body);
        if suite.is_psk() {
            rest.vector(2);
        }
        if suite.is_ecdhe() {
            if rest.number(1) == Some(NAMED_CURVE) {
                self.group = rest.word();
                rest.vector(1);
            }
        } else if suite.is_dhe() {
            self.prime_bits = rest.vector(2).map(bits);
            rest.vector(2);
            rest.vector(2);
        }
        if is_12 && !suite.is_anonymous() && !suite.is_psk() {
            self.scheme = rest.word();
        }
    }

    fn encrypted_extensions(&mut self, body: &[u8]) {
        let Some(list) = Reading::new(body).vector(2) else {
            return;
        };
        let found = Reading::new(list).extensions();
        if let Some(hello) = &mut self.hello {
            hello.extensions.extend(found.iter().map(|(kind, _)| *kind));
            for (kind, content) in found {
                if kind == ALPN {
                    hello.protocol = protocol(content);
                }
            }
        }
    }

    /// The group that was agreed, or would be.
    pub fn agreed_group(&self) -> Option<Group> {
        self.group
            .or(self.hello.as_ref().and_then(|hello| hello.group))
            .and_then(Group::of_number)
    }
}

/// The whole records in `bytes`: kind and content. What is cut short at the end is left out.
pub fn records(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    let mut rest = Reading::new(bytes);
    while let (Some(kind), Some(_), Some(content)) = (rest.number(1), rest.word(), rest.vector(2)) {
        found.push((u8::try_from(kind).expect("one byte"), content));
    }
    found
}

/// What one direction shows before the change to encryption: handshake messages, and alerts.
///
/// Alerts may come after a gap in the messages; what is cut short at the end is left out.
pub fn in_the_clear(bytes: &[u8]) -> (Vec<(u8, Vec<u8>)>, Vec<Alert>) {
    let mut handshake = Vec::new();
    let mut alerts = Vec::new();
    for (kind, content) in records(bytes) {
        match (kind, content) {
            (CHANGE_CIPHER, _) => break,
            (HANDSHAKE, content) => handshake.extend_from_slice(content),
            // Encrypted ones are longer.
            (ALERT, [level, code]) => alerts.push(Alert {
                is_fatal: *level == 2,
                code: *code,
            }),
            _ => {}
        }
    }
    let mut messages = Vec::new();
    let mut rest = Reading::new(&handshake);
    while let (Some(kind), Some(body)) = (rest.take(1), rest.vector(3)) {
        messages.push((kind[0], body.to_vec()));
    }
    (messages, alerts)
}

/// Certificates of a Certificate message as DER, and the staple beside the first (TLS 1.3 only).
pub fn certificates(body: &[u8], is_13: bool) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let mut rest = Reading::new(body);
    let mut status = None;
    if is_13 {
        rest.vector(1);
    }
    let mut list = Reading::new(rest.vector(3).unwrap_or_default());
    let mut found = Vec::new();
    while let Some(der) = list.vector(3) {
        if is_13 {
            let extensions = list.vector(2).unwrap_or_default();
            for (kind, content) in Reading::new(extensions).extensions() {
                if kind == STATUS_REQUEST && found.is_empty() {
                    status = staple(content);
                }
            }
        }
        found.push(der.to_vec());
    }
    (found, status)
}

fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut rest = Reading::new(body);
    let version = rest.word()?;
    let is_retry = rest.take(32)? == RETRY_RANDOM;
    let session_id = rest.vector(1)?.to_vec();
    let suite = rest.word()?;
    let compression = rest.number(1)?;
    let mut hello = ServerHello {
        version,
        suite,
        is_retry,
        compresses: compression == 1,
        session_id,
        ..ServerHello::default()
    };
    let extensions = rest.vector(2).unwrap_or_default();
    for (kind, content) in Reading::new(extensions).extensions() {
        hello.extensions.push(kind);
        let mut content = Reading::new(content);
        match kind {
            SUPPORTED_VERSIONS => hello.version = content.word().unwrap_or(hello.version),
            KEY_SHARE => hello.group = content.word(),
            HEARTBEAT => hello.heartbeat = content.number(1) == Some(1),
            ALPN => hello.protocol = protocol(content.rest()),
            _ => {}
        }
    }
    Some(hello)
}

fn protocol(content: &[u8]) -> Option<String> {
    let list = Reading::new(content).vector(2)?;
    let first = Reading::new(list).vector(1)?;
    Some(String::from_utf8_lossy(first).into_owned())
}

/// RFC 6066, 8: the kind of status, then the answer.
fn staple(body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Reading::new(body);
    (rest.number(1)? == 1).then_some(())?;
    rest.vector(3).map(<[u8]>::to_vec)
}

/// RFC 5246, 7.4.4; TLS 1.0 and 1.1 have no schemes in it, and what fits to the end is what was meant.
fn request(body: &[u8]) -> CertificateRequest {
    let with = |has_schemes: bool| -> Option<CertificateRequest> {
        let mut rest = Reading::new(body);
        let kinds = rest.vector(1)?.to_vec();
        let mut schemes = Vec::new();
        if has_schemes {
            schemes = Reading::new(rest.vector(2)?).words();
        }
        let authorities = names(rest.vector(2)?)?;
        rest.is_empty().then_some(CertificateRequest {
            authorities,
            kinds,
            schemes,
        })
    };
    with(true).or_else(|| with(false)).unwrap_or_default()
}

/// RFC 8446, 4.3.2: a context, then extensions.
fn request_13(body: &[u8]) -> CertificateRequest {
    let mut rest = Reading::new(body);
    rest.vector(1);
    let mut found = CertificateRequest::default();
    for (kind, content) in Reading::new(rest.vector(2).unwrap_or_default()).extensions() {
        let mut content = Reading::new(content);
        match kind {
            SIGNATURE_ALGORITHMS => {
                found.schemes = Reading::new(content.vector(2).unwrap_or_default()).words();
            }
            CERTIFICATE_AUTHORITIES => {
                found.authorities = content.vector(2).and_then(names).unwrap_or_default();
            }
            _ => {}
        }
    }
    found
}

fn names(list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = Reading::new(list);
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(list.vector(2)?.to_vec());
    }
    Some(names)
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(zeros) {
        Some(first) => (number.len() - zeros) * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

/// RFC 8446, 5.1 and 4.
const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION: u8 = 23;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_STATUS: u8 = 22;
const NAMED_CURVE: usize = 3;
const STATUS_REQUEST: u16 = 5;
const SIGNATURE_ALGORITHMS: u16 = 13;
const HEARTBEAT: u16 = 15;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const CERTIFICATE_AUTHORITIES: u16 = 47;
const KEY_SHARE: u16 = 51;
/// RFC 8446, 5.2: 2^14 and what encryption adds.
const MAX_RECORD: usize = (1 << 14) + 2048;
/// RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest".
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
