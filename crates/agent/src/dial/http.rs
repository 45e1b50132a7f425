//! One question to a peer that speaks HTTP/1.1.

use openssl::ssl::{Error, SslRef, SslStream};
use std::io::{Read, Write};

/// What ALPN offers: `http/1.1` alone (RFC 7301).
pub(super) const OFFER: &[u8] = b"\x08http/1.1";

/// The alert of a peer that speaks none of the protocols offered. Source: RFC 7301, 3.2.
pub(super) const NO_APPLICATION_PROTOCOL: u8 = 120;

/// The code of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(pub u16);

impl Status {
    /// nginx says 400 to a client without an acceptable certificate, 495 and 496 in its own pages.
    pub(super) fn refuses_certificate(self) -> bool {
        matches!(self.0, 400 | 495 | 496)
    }
}

/// The peer took the offer.
pub(super) fn is_spoken(ssl: &SslRef) -> bool {
    ssl.selected_alpn_protocol() == OFFER.get(1..)
}

/// Asks for the head of `/` and reads the code of the answer; 0 where there is an answer without one.
pub(super) fn ask<S: Read + Write>(stream: &mut SslStream<S>, host: &str) -> Result<Status, Error> {
    let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.ssl_write(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; STATUS_LINE_BYTES];
    while answer.len() < STATUS_LINE_BYTES {
        let read = stream.ssl_read(&mut part)?;
        answer.extend_from_slice(&part[..read]);
    }
    Ok(status(&answer))
}

fn status(answer: &[u8]) -> Status {
    let text = String::from_utf8_lossy(answer);
    let code = text
        .split_ascii_whitespace()
        .nth(1)
        .filter(|_| text.starts_with("HTTP/"));
    let code = code
        .and_then(|code| code.get(..3))
        .and_then(|code| code.parse().ok());
    Status(code.unwrap_or_default())
}

/// `HTTP/1.1 200`
const STATUS_LINE_BYTES: usize = 12;
