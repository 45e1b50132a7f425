//! What the end of a handshake means.

use super::DialReport;
use super::wire::Wire;
use openssl::ssl::{Error, ErrorCode, SslAlert};
use std::io::{self, ErrorKind};

/// Whether the peer let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// It did.
    Accepted(Evidence),
    /// It did not: with an alert, or it just closed.
    Refused(Option<Alert>),
    /// It never came so far, or gave no sign.
    Unknown,
}

/// What shows that the peer let us in, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Its Finished, which up to TLS 1.2 it sends after looking at our certificate.
    Finished,
    /// A session ticket, which in TLS 1.3 it sends after looking at our certificate.
    Ticket,
    /// A byte of its application.
    Byte,
    /// It answered our close with its own, and with no alert before that.
    CleanClose,
    /// After our close it ended the connection, not with a reset and with no alert before that.
    Close,
}

/// Whether the peer asked for a certificate of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificates {
    /// It did.
    AskedFor {
        /// The issuers that it named, as DER; not visible in TLS 1.3.
        authorities: Option<Vec<Vec<u8>>>,
    },
    /// It did not.
    NotAskedFor,
    /// The handshake ended before that.
    Unknown,
}

/// Whether we would believe the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// A path leads from its certificate to an anchor, and the name fits.
    Accepted,
    /// No anchors were given, or no certificate came.
    NotChecked,
    /// All of OpenSSL's objections, in their order.
    Refused(Vec<TrustError>),
}

/// One objection of OpenSSL to the peer's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustError {
    /// `X509_V_ERR_…`
    pub code: i32,
    /// Which certificate: 0 is the leaf.
    pub depth: u32,
    /// OpenSSL's words.
    pub text: String,
}

/// An alert that the peer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The number of RFC 8446, 6.
    pub code: u8,
    /// OpenSSL's words.
    pub text: String,
}

/// Why there was no full handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub phase: Phase,
    /// In words.
    pub text: String,
}

/// How far a dial came that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// TLS 1.3: our handshake was over, then the peer refused.
    AfterHandshake,
    /// The peer ended the handshake with an alert.
    Alert,
    /// Reset or closed before a ServerHello.
    BeforeServerHello,
    /// Reset or closed after a ServerHello.
    Closed,
    /// Up to TLS 1.2: the handshake was over, then the peer hung up.
    HungUp,
    /// Our own identity or anchors could not be used.
    Local,
    /// What the peer sent is no TLS, or not what we can speak.
    Protocol,
    /// Nobody listens.
    Refused,
    /// The upgrade to TLS was not granted.
    StartTls,
    /// The time was up.
    Timeout,
    /// No way to the address, or no such name.
    Unreachable,
}

impl Phase {
    /// A service that is just being restarted looks like this: nobody there, or gone before a ServerHello.
    pub fn is_absence(self) -> bool {
        matches!(self, Phase::BeforeServerHello | Phase::Refused)
    }
}

pub(super) fn connect_phase(error: &io::Error) -> Phase {
    match error.kind() {
        ErrorKind::ConnectionRefused => Phase::Refused,
        ErrorKind::ConnectionReset => Phase::BeforeServerHello,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Phase::Timeout,
        _ => Phase::Unreachable,
    }
}

/// The alert behind an error, if the peer sent one.
pub(super) fn alert_of(error: &Error) -> Option<Alert> {
    let reasons = error
        .ssl_error()?
        .errors()
        .iter()
        .map(openssl::error::Error::reason_code);
    reasons
        .filter_map(|reason| Some((reason, SslAlert::from_reason_code(reason)?)))
        .next()
        .map(|(reason, alert)| {
            // OpenSSL numbers the reasons of alerts from 1000 on (SSL_AD_REASON_OFFSET).
            Alert {
                code: u8::try_from(reason - 1000).unwrap_or(u8::MAX),
                text: alert.to_string(),
            }
        })
}

/// How far the handshake came, and why it ended, in words.
pub(super) fn phase_of(error: &Error, wire: &Wire, alert: Option<&Alert>) -> (Phase, String) {
    if let Some(alert) = alert {
        return (
            Phase::Alert,
            format!("the peer sent the alert \"{}\"", alert.text),
        );
    }
    let gone = if wire.heard_hello() {
        Phase::Closed
    } else {
        Phase::BeforeServerHello
    };
    let phase = match error.code() {
        ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => Phase::Timeout,
        ErrorCode::ZERO_RETURN => gone,
        ErrorCode::SYSCALL => match error.io_error().map(io::Error::kind) {
            Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => Phase::Timeout,
            _ => gone,
        },
        _ if is_end_of_file(error) => gone,
        _ => Phase::Protocol,
    };
    (
        phase,
        if phase == Phase::Timeout {
            "no answer in time".to_owned()
        } else {
            words(error)
        },
    )
}

/// OpenSSL's words for the first of its reasons.
pub(super) fn words(error: &Error) -> String {
    if error.code() == ErrorCode::ZERO_RETURN || is_end_of_file(error) {
        return "the peer closed the connection".to_owned();
    }
    if let Some(error) = error.io_error() {
        return error.to_string();
    }
    let reason = error
        .ssl_error()
        .and_then(|stack| stack.errors().first())
        .and_then(openssl::error::Error::reason);
    reason.map_or_else(|| "the peer closed the connection".to_owned(), str::to_owned)
}

/// What a handshake that failed says about our certificate.
pub(super) fn acceptance_of_failure(report: &DialReport, phase: Phase, answered: bool) -> Acceptance {
    match (&report.alert, phase) {
        (Some(alert), _) if answered || CERTIFICATE_ALERTS.contains(&alert.code) => {
            Acceptance::Refused(Some(alert.clone()))
        }
        (None, Phase::Closed) if answered => Acceptance::Refused(None),
        _ => Acceptance::Unknown,
    }
}

pub(super) fn is_end_of_file(error: &Error) -> bool {
    let reasons = |stack: &openssl::error::ErrorStack| {
        stack
            .errors()
            .iter()
            .any(|error| error.reason_code() == UNEXPECTED_EOF_WHILE_READING)
    };
    error.ssl_error().is_some_and(reasons)
        || (error.code() == ErrorCode::SYSCALL && error.io_error().is_none())
}

/// bad, unsupported, revoked, expired, unknown certificate; unknown CA; access denied; certificate required.
const CERTIFICATE_ALERTS: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];
/// `SSL_R_UNEXPECTED_EOF_WHILE_READING` of openssl/sslerr.h.
const UNEXPECTED_EOF_WHILE_READING: i32 = 294;
