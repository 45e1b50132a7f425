//! The words that turn a plain connection into TLS.

use super::wire::Wire;
use std::io::{self, ErrorKind, Read, Write};

/// Protocols that begin in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// RFC 3501, 6.2.1.
    Imap,
    /// RFC 4511, 4.14.
    Ldap,
    /// MySQL's `SSLRequest` packet, also MariaDB's.
    Mysql,
    /// PostgreSQL's `SSLRequest` message.
    Postgres,
    /// RFC 3207.
    Smtp,
}

impl StartTls {
    /// The protocol of this name in a fleet file.
    pub fn parse(name: &str) -> Option<StartTls> {
        Some(match name {
            "imap" => StartTls::Imap,
            "ldap" => StartTls::Ldap,
            "mysql" => StartTls::Mysql,
            "postgres" => StartTls::Postgres,
            "smtp" => StartTls::Smtp,
            _ => return None,
        })
    }
}

/// Speaks until the next byte is TLS. Nothing is read beyond that.
pub(super) fn negotiate(protocol: StartTls, wire: &mut Wire) -> io::Result<()> {
    match protocol {
        StartTls::Imap => {
            line(wire)?;
            wire.write_all(b"a STARTTLS\r\n")?;
            for _ in 0..MAX_LINES {
                let answer = line(wire)?;
                if let Some(status) = answer.strip_prefix("a ") {
                    return granted(status.to_ascii_uppercase().starts_with("OK"), &answer);
                }
            }
            granted(false, "no answer to STARTTLS")
        }
        StartTls::Ldap => {
            wire.write_all(LDAP_START_TLS)?;
            let mut head = [0; 2];
            wire.read_exact(&mut head)?;
            let mut body = vec![0; usize::from(head[1])];
            wire.read_exact(&mut body)?;
            let is_success =
                head[0] == 0x30 && body.get(3) == Some(&0x78) && body.get(5..8) == Some(&[0x0a, 1, 0]);
            granted(is_success, "the extended operation was refused")
        }
        StartTls::Mysql => mysql(wire),
        StartTls::Postgres => {
            wire.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
            let mut answer = [0];
            wire.read_exact(&mut answer)?;
            granted(answer == *b"S", "the server does not do TLS")
        }
        StartTls::Smtp => {
            reply(wire, "220")?;
            wire.write_all(b"EHLO capgrow\r\n")?;
            reply(wire, "250")?;
            wire.write_all(b"STARTTLS\r\n")?;
            reply(wire, "220")
        }
    }
}

fn mysql(wire: &mut Wire) -> io::Result<()> {
    let mut head = [0; 4];
    wire.read_exact(&mut head)?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
    let mut greeting = vec![0; length.min(MAX_GREETING_BYTES)];
    wire.read_exact(&mut greeting)?;
    granted(greeting.first() == Some(&10), "not a MySQL greeting")?;
    // Length 32, number 1; capabilities SSL, 4.1 protocol, secure connection; 16 MiB packets; utf8; 23 zeros.
    let mut request = vec![32, 0, 0, 1, 0x00, 0x8a, 0, 0, 0, 0, 0, 1, 33];
    request.resize(36, 0);
    wire.write_all(&request)
}

/// One SMTP reply of one or more lines, which has to begin with `code`.
fn reply(wire: &mut Wire, code: &str) -> io::Result<()> {
    for _ in 0..MAX_LINES {
        let answer = line(wire)?;
        granted(answer.starts_with(code), &answer)?;
        if answer.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
    granted(false, "the reply does not end")
}

/// One line without its end, read byte by byte: what follows it may be TLS.
fn line(wire: &mut Wire) -> io::Result<String> {
    let mut line = Vec::new();
    for _ in 0..MAX_LINE_BYTES {
        let mut byte = [0];
        wire.read_exact(&mut byte)?;
        if byte == *b"\n" {
            return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        line.extend(byte);
    }
    Err(io::Error::new(ErrorKind::InvalidData, "the line does not end"))
}

fn granted(granted: bool, answer: &str) -> io::Result<()> {
    if granted {
        Ok(())
    } else {
        Err(io::Error::new(ErrorKind::InvalidData, answer.to_owned()))
    }
}

/// An ExtendedRequest with the name 1.3.6.1.4.1.1466.20037 and message number 1.
const LDAP_START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const MAX_LINES: usize = 100;
const MAX_LINE_BYTES: usize = 4096;
const MAX_GREETING_BYTES: usize = 4096;
