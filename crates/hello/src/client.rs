//! Client hellos: written by hand, and read where somebody else sent one.

use crate::Reading;
use crate::Version;
use crate::group::Group;
use crate::scheme::SCHEMES;

/// What a hello offers. Nothing in it is secret; it never leads to a finished handshake.
#[derive(Debug, Clone)]
pub struct ClientHello<'a> {
    /// The only version that is offered.
    pub version: Version,
    /// Suites in order of preference.
    pub suites: &'a [u16],
    /// Groups in order of preference; none is sent where it is empty.
    pub groups: &'a [Group],
    /// The server's name; none is sent where it is `None`.
    pub server_name: Option<&'a str>,
    /// Application protocols; none are sent where it is empty.
    pub protocols: &'a [&'a str],
    /// Offers DEFLATE beside no compression, RFC 3749.
    pub offers_compression: bool,
    /// Offers heartbeats, RFC 6520.
    pub offers_heartbeat: bool,
    /// Asks for the status of the certificate, RFC 6066, 8.
    pub asks_status: bool,
    /// Adds the mark of a client that tries again with an older version, RFC 7507.
    pub is_fallback: bool,
    /// A session to take up again by its id; up to TLS 1.2.
    pub session_id: &'a [u8],
    /// A ticket to take a session up with; up to TLS 1.2. Empty asks for one.
    pub ticket: Option<&'a [u8]>,
    /// A key share: the group's number and the public key. TLS 1.3 only.
    pub share: Option<(u16, &'a [u8])>,
    /// A session to take up again in TLS 1.3.
    pub shared_key: Option<SharedKey<'a>>,
    /// The client's random bytes.
    pub random: [u8; 32],
}

/// A key that both know from before, RFC 8446, 4.2.11.
#[derive(Debug, Clone, Copy)]
pub struct SharedKey<'a> {
    /// The ticket.
    pub ticket: &'a [u8],
    /// Its age in milliseconds, with what the server wants added.
    pub age: u32,
    /// Bytes of the proof: those of the suite's hash.
    pub proof_bytes: usize,
}

impl<'a> ClientHello<'a> {
    /// A hello without extras.
    pub fn new(version: Version, suites: &'a [u16], groups: &'a [Group], random: [u8; 32]) -> Self {
        Self {
            version,
            suites,
            groups,
            server_name: None,
            protocols: &[],
            offers_compression: false,
            offers_heartbeat: false,
            asks_status: false,
            is_fallback: false,
            session_id: &[],
            ticket: Some(&[]),
            share: None,
            shared_key: None,
            random,
        }
    }

    /// The record with the hello in it.
    ///
    /// In TLS 1.3 it has no key share, so that the server answers with the suite and the group it would take
    /// (HelloRetryRequest) and neither end computes anything. SSL 3.0 gets no extensions: it knows none. Bounded by the
    /// number of suites and groups; a list longer than 30,000 is cut.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with_proof(|_| Vec::new())
    }

    /// As [`ClientHello::bytes`], with `prove` asked for the proof over the message so far, where one is needed. A
    /// proof of another length than was said is left out, and zeros stand in its place.
    pub fn bytes_with_proof(&self, prove: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut body = Vec::with_capacity(1024);
        let legacy = self.version.min(Version::Tls12);
        word(&mut body, legacy.number());
        body.extend(self.random);
        // A session id makes a hello of TLS 1.3 look like 1.2 to what stands between (RFC 8446, D.4).
        let session: &[u8] = if self.version == Version::Tls13 {
            &self.random
        } else {
            self.session_id
        };
        vector(&mut body, 1, |out| out.extend(session));
        vector(&mut body, 2, |out| {
            for suite in self.suites.iter().take(MAX_LISTED) {
                word(out, *suite);
            }
            if self.is_fallback {
                word(out, FALLBACK_SCSV);
            }
            // What SSL 3.0 has instead of the extension (RFC 5746, 3.3).
            if self.version == Version::Ssl3 {
                word(out, RENEGOTIATION_SCSV);
            }
        });
        let methods: &[u8] = if self.offers_compression { &[1, 0] } else { &[0] };
        vector(&mut body, 1, |out| out.extend(methods));
        if self.version > Version::Ssl3 {
            vector(&mut body, 2, |out| self.extensions(out));
        }
        let mut message = vec![CLIENT_HELLO];
        vector(&mut message, 3, |out| out.extend(&body));
        if let Some(known) = self.shared_key {
            // Two lengths stand before the proof, RFC 8446, 4.2.11.2.
            let cut = message.len() - known.proof_bytes - 3;
            let proof = prove(&message[..cut]);
            if proof.len() == known.proof_bytes {
                message.truncate(cut + 3);
                message.extend(proof);
            }
        }
        let mut record = vec![HANDSHAKE];
        // The record's version: 3.1 for whoever could be old, RFC 8446, 5.1.
        word(&mut record, legacy.number().min(Version::Tls10.number()));
        vector(&mut record, 2, |out| out.extend(&message));
        record
    }

    fn extensions(&self, out: &mut Vec<u8>) {
        if let Some(name) = self.server_name {
            extension(out, SERVER_NAME, |out| {
                vector(out, 2, |out| {
                    out.push(0);
                    vector(out, 2, |out| out.extend(name.as_bytes()));
                });
            });
        }
        if !self.groups.is_empty() {
            extension(out, SUPPORTED_GROUPS, |out| {
                vector(out, 2, |out| {
                    self.groups.iter().for_each(|group| word(out, group.number));
                });
            });
            extension(out, POINT_FORMATS, |out| {
                vector(out, 1, |out| out.extend([0, 1, 2]))
            });
        }
        if self.version >= Version::Tls12 {
            extension(out, SIGNATURE_ALGORITHMS, |out| {
                vector(out, 2, |out| {
                    SCHEMES.iter().for_each(|(number, _)| word(out, *number));
                });
            });
        }
        if !self.protocols.is_empty() {
            extension(out, ALPN, |out| {
                vector(out, 2, |out| {
                    for protocol in self.protocols {
                        vector(out, 1, |out| out.extend(protocol.as_bytes()));
                    }
                });
            });
        }
        if self.asks_status {
            extension(out, STATUS_REQUEST, |out| out.extend([1, 0, 0, 0, 0]));
        }
        if self.offers_heartbeat {
            extension(out, HEARTBEAT, |out| out.push(1));
        }
        if self.version == Version::Tls13 {
            extension(out, SUPPORTED_VERSIONS, |out| {
                vector(out, 1, |out| word(out, 0x0304))
            });
            extension(out, PSK_MODES, |out| vector(out, 1, |out| out.push(1)));
            extension(out, KEY_SHARE, |out| {
                vector(out, 2, |out| {
                    if let Some((group, key)) = self.share {
                        word(out, group);
                        vector(out, 2, |out| out.extend(key));
                    }
                });
            });
            if let Some(known) = self.shared_key {
                // It has to be the last one.
                extension(out, PRE_SHARED_KEY, |out| {
                    vector(out, 2, |out| {
                        vector(out, 2, |out| out.extend(known.ticket));
                        out.extend(known.age.to_be_bytes());
                    });
                    vector(out, 2, |out| {
                        vector(out, 1, |out| out.resize(out.len() + known.proof_bytes, 0))
                    });
                });
            }
        } else {
            extension(out, ENCRYPT_THEN_MAC, |_| ());
            extension(out, EXTENDED_MASTER_SECRET, |_| ());
            if let Some(ticket) = self.ticket {
                extension(out, SESSION_TICKET, |out| out.extend(ticket));
            }
            extension(out, RENEGOTIATION, |out| out.push(0));
        }
    }
}

/// What a client said, as far as it is of interest to somebody who listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Versions offered, as numbers, without values that are noise on purpose (RFC 8701).
    pub versions: Vec<u16>,
    /// Suites offered.
    pub suites: Vec<u16>,
    /// The server's name.
    pub server_name: Option<String>,
}

/// Reads the body of a ClientHello; `None` where not even its version is there. What is cut short is left out.
pub fn read_client_hello(body: &[u8]) -> Option<Heard> {
    let mut rest = Reading::new(body);
    let version = rest.word()?;
    let mut heard = Heard {
        versions: vec![version],
        ..Heard::default()
    };
    let mut after_random = || {
        rest.take(32)?;
        rest.vector(1)?;
        heard.suites = Reading::new(rest.vector(2)?).words();
        rest.vector(1)?;
        rest.vector(2)
    };
    let extensions = after_random().unwrap_or_default();
    for (kind, content) in Reading::new(extensions).extensions() {
        let mut content = Reading::new(content);
        match kind {
            SERVER_NAME => {
                let mut list = Reading::new(content.vector(2).unwrap_or_default());
                heard.server_name = list
                    .take(1)
                    .and_then(|_| list.vector(2))
                    .map(|name| String::from_utf8_lossy(name).into_owned());
            }
            SUPPORTED_VERSIONS => {
                let offered = Reading::new(content.vector(1).unwrap_or_default()).words();
                heard.versions = offered
                    .into_iter()
                    .filter(|version| version & 0x0f0f != 0x0a0a)
                    .collect();
            }
            _ => {}
        }
    }
    Some(heard)
}

fn word(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_be_bytes());
}

/// A field with its length in `width` bytes before it.
fn vector(out: &mut Vec<u8>, width: usize, content: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    content(&mut inner);
    let length = inner.len().to_be_bytes();
    out.extend(&length[length.len() - width..]);
    out.extend(inner);
}

fn extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    word(out, kind);
    vector(out, 2, content);
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const MAX_LISTED: usize = 30_000;
/// RFC 7507 and RFC 5746.
const FALLBACK_SCSV: u16 = 0x5600;
const RENEGOTIATION_SCSV: u16 = 0x00ff;
/// IANA's registry "TLS ExtensionType Values".
const SERVER_NAME: u16 = 0;
const STATUS_REQUEST: u16 = 5;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const HEARTBEAT: u16 = 15;
const ALPN: u16 = 16;
const ENCRYPT_THEN_MAC: u16 = 22;
const EXTENDED_MASTER_SECRET: u16 = 23;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;
const PSK_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;
const RENEGOTIATION: u16 = 0xff01;
