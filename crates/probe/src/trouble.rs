//! Why a question got no answer in TLS.

use std::time::Duration;

/// What stood in the way. None of these is the prober's own fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// It hung up without a word.
    #[error("the server hung up without an answer")]
    Closed,
    /// No TCP connection in time.
    #[error("no TCP connection within {} ms", waited.as_millis())]
    ConnectTimeout {
        /// How long was waited.
        waited: Duration,
    },
    /// The probe's own bound on connections or time was reached.
    #[error("given up: {why}")]
    GivenUp {
        /// Which bound.
        why: &'static str,
    },
    /// The name has no address.
    #[error("the name {host} has no address")]
    NoAddress {
        /// The name.
        host: String,
    },
    /// It answered with something that is no TLS.
    #[error("the answer is not TLS")]
    NotTls {
        /// How the answer begins.
        begins: Vec<u8>,
    },
    /// It sent more than any honest server does.
    #[error("the answer is longer than any server's: more than {bytes} bytes")]
    Oversize {
        /// How much was read.
        bytes: usize,
    },
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// The connection was reset.
    #[error("the server reset the connection")]
    Reset,
    /// It took the connection and then said nothing.
    #[error("no answer within {} ms", waited.as_millis())]
    Silent {
        /// How long was waited.
        waited: Duration,
    },
    /// What is said before TLS was not answered as its protocol has it.
    #[error("{protocol} does not begin TLS: {answer}")]
    StartTls {
        /// The protocol.
        protocol: &'static str,
        /// What the server said, or what is missing.
        answer: String,
    },
    /// The network says no.
    #[error("not reachable: {why}")]
    Unreachable {
        /// The system's words.
        why: String,
    },
}

impl Trouble {
    /// Whether asking the same server again is useless.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Closed | Self::Reset | Self::Silent { .. })
    }

    /// Its name in documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::ConnectTimeout { .. } => "connect-timeout",
            Self::GivenUp { .. } => "given-up",
            Self::NoAddress { .. } => "no-address",
            Self::NotTls { .. } => "not-tls",
            Self::Oversize { .. } => "oversize",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Silent { .. } => "silent",
            Self::StartTls { .. } => "starttls",
            Self::Unreachable { .. } => "unreachable",
        }
    }

    /// What the answer looks like, where it is no TLS: `HTTP`, `SMTP` …
    pub fn speaks(&self) -> Option<&'static str> {
        let Self::NotTls { begins } = self else {
            return None;
        };
        let known = PLAIN.iter().find(|(start, _)| begins.starts_with(start));
        known.map(|(_, protocol)| *protocol).or_else(|| {
            // A MySQL greeting: a packet of its length, number 0, protocol 10.
            let is_mysql = begins.len() > 5 && begins[2..5] == [0, 0, 10];
            is_mysql.then_some("MySQL")
        })
    }
}

const PLAIN: &[(&[u8], &str)] = &[
    (b"HTTP/", "HTTP"),
    (b"<!DOCTYPE", "HTTP"),
    (b"<html", "HTTP"),
    (b"SSH-", "SSH"),
    (b"220 ", "SMTP or FTP"),
    (b"220-", "SMTP or FTP"),
    (b"* OK", "IMAP"),
    (b"+OK", "POP3"),
    (b"E\0\0", "PostgreSQL"),
    (b"TSH ", "IBM MQ"),
];
