//! What was seen of one server.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use hello::CertificateRequest;
use hello::Group;
use hello::Ssl2Hello;
use hello::Suite;
use hello::Version;
use hello::alert_name;
use keystore::Certificate;

use crate::Target;
use crate::Trouble;

/// Everything that one probe saw. What was not asked, or not answered, is `None`: never taken for fine.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who was asked.
    pub target: Target,
    /// The address that answered.
    pub address: Option<SocketAddr>,
    /// When, in seconds since 1970.
    pub at_unix: i64,
    /// How long it took.
    pub took: Duration,
    /// Connections that were made.
    pub connections: usize,
    /// What ended the probe before it was through.
    pub trouble: Option<Trouble>,
    /// What SSL 2.0 was answered with, where it was.
    pub ssl2: Option<Ssl2Hello>,
    /// All versions, the newest first.
    pub versions: Vec<VersionFacts>,
    /// Groups that the newest version up to TLS 1.2 takes, and those of TLS 1.3, in the server's order.
    pub groups: Vec<(Version, Vec<Group>)>,
    /// What else was negotiated.
    pub extras: Extras,
    /// The different chains that were sent, the usual one first.
    pub chains: Vec<ChainSeen>,
    /// Whether a client has to show a certificate.
    pub client: ClientAuth,
    /// The staple that came with the chain, DER.
    pub staple: Option<Vec<u8>>,
    /// Whether sessions are taken up again.
    pub resumption: Resumption,
    /// Application protocols that the server takes, of those that were offered, in its order.
    pub protocols: Vec<String>,
    /// What became of the identity that was given.
    pub presented: Option<Presented>,
    /// What other names in the hello lead to.
    pub names: Vec<NameAsked>,
}

impl Facts {
    /// Nothing seen yet.
    pub fn new(target: Target, at_unix: i64) -> Self {
        Self {
            target,
            address: None,
            at_unix,
            took: Duration::ZERO,
            connections: 0,
            trouble: None,
            ssl2: None,
            versions: Vec::new(),
            groups: Vec::new(),
            extras: Extras::default(),
            chains: Vec::new(),
            client: ClientAuth::Unknown,
            staple: None,
            resumption: Resumption::default(),
            protocols: Vec::new(),
            presented: None,
            names: Vec::new(),
        }
    }

    /// The facts of a version.
    pub fn version(&self, version: Version) -> Option<&VersionFacts> {
        self.versions.iter().find(|seen| seen.version == version)
    }

    /// Versions that the server speaks, the newest first.
    pub fn spoken(&self) -> impl Iterator<Item = &VersionFacts> {
        self.versions
            .iter()
            .filter(|seen| matches!(seen.spoken, Spoken::Yes))
    }

    /// The chain that was sent to a client that asked for the right name with everything on offer.
    pub fn chain(&self) -> Option<&ChainSeen> {
        self.chains.first()
    }
}

/// One protocol version.
#[derive(Debug, Clone)]
pub struct VersionFacts {
    /// Which.
    pub version: Version,
    /// Whether the server speaks it.
    pub spoken: Spoken,
    /// Suites that it takes: in its own order, else in the order in which they were offered.
    pub suites: Vec<SuiteSeen>,
    /// Whether all suites were asked for.
    pub is_complete: bool,
    /// Whose order counts; `None` with fewer than two suites.
    pub order: Option<Order>,
    /// A handshake to its end; `None` where OpenSSL does not offer the version or any of its suites.
    pub finished: Option<Finished>,
}

/// Whether a version is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// It is not: what the server did instead.
    No(Refusal),
    /// Nobody knows.
    Unknown(Trouble),
    /// It is.
    Yes,
}

/// How a server says that it does not speak a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// With this alert.
    Alert(u8),
    /// It chose another one, by its number.
    Chose(u16),
    /// It hung up.
    HungUp,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alert(code) => write!(f, "alert {code} ({})", alert_name(*code)),
            Self::Chose(number) => match Version::of_number(*number) {
                Some(version) => write!(f, "the server chose {version}"),
                None => write!(f, "the server chose version {number:#06x}"),
            },
            Self::HungUp => f.write_str("the server hung up without an answer"),
        }
    }
}

/// A suite that the server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuiteSeen {
    /// Its number.
    pub number: u16,
    /// Its names, where it is registered.
    pub suite: Option<Suite>,
    /// The group of the server's ephemeral key.
    pub group: Option<Group>,
    /// Bits of the prime of a finite field exchange.
    pub prime_bits: Option<usize>,
}

/// Whose order of suites counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// How a handshake ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// It came to its end, and the server did not object afterwards.
    pub is_good: bool,
    /// The suite that was agreed.
    pub suite: Option<u16>,
    /// The group that was agreed.
    pub group: Option<Group>,
    /// The alert that the server sent.
    pub alert: Option<u8>,
    /// What else ended it, in OpenSSL's words.
    pub error: Option<String>,
}

/// What else was negotiated; `None` where nobody asked or no answer came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// RFC 5746. TLS 1.3 has no renegotiation.
    pub secure_renegotiation: Option<bool>,
    /// DEFLATE.
    pub compression: Option<bool>,
    /// Heartbeats, RFC 6520.
    pub heartbeat: Option<bool>,
    /// An older version is refused to whoever says that it could do better, RFC 7507.
    pub fallback_scsv: Option<bool>,
    /// RFC 7627.
    pub extended_master_secret: Option<bool>,
    /// RFC 7366; only where a CBC suite was chosen.
    pub encrypt_then_mac: Option<bool>,
}

/// A chain as it was sent.
#[derive(Debug, Clone)]
pub struct ChainSeen {
    /// In the order sent.
    pub sent: Vec<Certificate>,
    /// Certificates among them that cannot be read, as they came.
    pub unreadable: Vec<Vec<u8>>,
    /// What it was sent for: `TLSv1.3`, `no name` …
    pub seen_with: Vec<String>,
}

/// Whether the server asks for a client's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// It does.
    Asked {
        /// Of whom, and which kinds.
        request: CertificateRequest,
        /// Whether it goes on without one; `None` where that could not be seen.
        required: Option<bool>,
    },
    /// It does not.
    NotAsked,
    /// No handshake came so far.
    Unknown,
}

/// What became of the identity that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// Taken.
    Taken,
    /// Refused, with this alert, or without a word.
    Refused(Option<u8>),
    /// No sign either way.
    Unclear,
}

/// Whether sessions are taken up again; `None` where that was not asked or answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resumption {
    /// By session id, up to TLS 1.2.
    pub session_id: Option<bool>,
    /// By ticket, up to TLS 1.2.
    pub ticket: Option<bool>,
    /// Tickets that a TLS 1.3 handshake brought.
    pub tickets_13: Option<usize>,
    /// Whether one of these was taken.
    pub taken_13: Option<bool>,
}

/// What a hello with another name led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAsked {
    /// The name; `None`: no name at all.
    pub name: Option<String>,
    /// What the server did.
    pub answer: NameAnswer,
}

/// What the server did about another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameAnswer {
    /// It sent this one of [`Facts::chains`].
    Chain(usize),
    /// It refused with this alert.
    Refused(u8),
    /// Something else.
    Trouble(Trouble),
}
