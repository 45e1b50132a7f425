//! A handshake in the terms of the fleet: who calls, with which identity and anchors, and what was seen.

use std::net::IpAddr;
use std::net::TcpStream;
use std::net::ToSocketAddrs;
use std::time::Duration;

use keystore::Certificate;

use crate::dial::Acceptance;
use crate::dial::Certificates;
use crate::dial::DialReport;
use crate::dial::DialSpec;
use crate::dial::Identity as DialIdentity;
use crate::dial::StartTls;
use crate::dial::Trust;
use crate::dial::Version;
use crate::identity::Identity;

/// One call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `host:port`.
    pub address: &'a str,
    /// The local address to call from.
    pub source: Option<&'a str>,
    /// SNI.
    pub server_name: Option<&'a str>,
    /// The name the certificate must be for.
    pub expects: Option<&'a str>,
    /// The protocol's own way to TLS.
    pub starttls: Option<&'a str>,
    /// What is presented.
    pub identity: Option<&'a Identity>,
    /// What the server is verified with; absent = not at all.
    pub anchors: Option<&'a [Certificate]>,
    /// How long a program has to hang up after a handshake that it ended well.
    pub patience: Patience,
}

/// How long to wait for a program that lets a client in by TLS and then hangs up on it by a rule of its own.
///
/// A refusal by TLS itself needs no waiting: up to TLS 1.2 it precedes the server's Finished, and in TLS 1.3 it
/// precedes the answer to our close. So a loaded machine cannot turn a refused certificate into an accepted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A look at many links, which is repeated as often as one likes.
    Brief,
    /// A verdict that a step of a run is built on.
    Long,
}

impl Patience {
    fn time(self) -> Duration {
        match self {
            Patience::Brief => Duration::from_millis(60),
            Patience::Long => Duration::from_millis(300),
        }
    }
}

/// What a call showed.
#[derive(Debug, Clone)]
pub struct Shake {
    /// The handshake ended well, and where anchors were given the server's chain led to one.
    pub complete: bool,
    /// Whether the server let the client in; `None` = it did not say.
    pub accepted: Option<bool>,
    /// Whether it asked for a certificate at all; `None` = the handshake ended before that.
    pub asked: Option<bool>,
    /// How that was seen.
    pub evidence: String,
    /// As sent.
    pub chain: Vec<Certificate>,
    /// Why it failed, in the words of whoever refused.
    pub why: String,
}

const TIMEOUT: Duration = Duration::from_secs(8);

/// Makes one full handshake, without resumption, and waits until the server shows whether it lets the client in.
pub fn shake(call: &Call<'_>) -> Shake {
    let anchors: Option<Vec<Vec<u8>>> = call
        .anchors
        .map(|anchors| anchors.iter().map(|anchor| anchor.der().to_vec()).collect());
    let chain: Vec<Vec<u8>> = call
        .identity
        .map(|identity| identity.chain.iter().map(|link| link.der().to_vec()).collect())
        .unwrap_or_default();
    let spec = DialSpec {
        address: call.address,
        source: call.source.and_then(|text| text.parse::<IpAddr>().ok()),
        server_name: call.server_name,
        expects: call.expects,
        identity: call.identity.map(|identity| DialIdentity {
            chain: &chain,
            key_pkcs8: identity.key.pkcs8_der(),
        }),
        anchors: anchors.as_deref(),
        starttls: call.starttls.and_then(starttls),
        versions: (Version::Tls10, Version::Tls13),
        timeout: TIMEOUT,
        linger: call.patience.time(),
        asks_http: true,
    };
    let report = crate::dial::dial_for_acceptance(&spec);
    seen(&report)
}

fn seen(report: &DialReport) -> Shake {
    let refused = match &report.trust {
        Trust::Refused(errors) => {
            let all: Vec<String> = errors.iter().map(|error| error.text.clone()).collect();
            Some(format!("the server's chain is refused: {}", all.join("; ")))
        }
        _ => None,
    };
    let (accepted, evidence) = match &report.acceptance {
        Acceptance::Accepted(evidence) => (Some(true), format!("{evidence:?}")),
        Acceptance::Refused(_) => (Some(false), String::new()),
        Acceptance::Unknown => (None, String::new()),
    };
    let failure = report.failure.as_ref().map(|failure| failure.text.clone());
    let alert = report
        .alert
        .as_ref()
        .map(|alert| format!("the server answers with alert {}", alert.text));
    let why = refused
        .clone()
        .or(alert)
        .or(failure)
        .unwrap_or_else(|| "no reason was given".to_owned());
    Shake {
        complete: report.handshake && refused.is_none(),
        accepted,
        asked: match &report.asked_for {
            Certificates::AskedFor { .. } => Some(true),
            Certificates::NotAskedFor => Some(false),
            Certificates::Unknown => None,
        },
        evidence,
        chain: report
            .presented
            .iter()
            .filter_map(|der| Certificate::parse(der).ok())
            .collect(),
        why,
    }
}

fn starttls(word: &str) -> Option<StartTls> {
    match word {
        "imap" => Some(StartTls::Imap),
        "ldap" => Some(StartTls::Ldap),
        "mysql" => Some(StartTls::Mysql),
        "postgres" => Some(StartTls::Postgres),
        "smtp" => Some(StartTls::Smtp),
        _ => None,
    }
}

/// Whether a connection is accepted there.
pub(crate) fn reaches(address: &str) -> Result<(), String> {
    let found = address
        .to_socket_addrs()
        .map_err(|error| format!("{address}: {error}"))?
        .next();
    let socket = found.ok_or_else(|| format!("{address} has no address"))?;
    TcpStream::connect_timeout(&socket, Duration::from_secs(3))
        .map(|_| ())
        .map_err(|error| format!("{address}: {error}"))
}
