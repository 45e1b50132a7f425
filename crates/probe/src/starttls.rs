//! The words that turn a plain connection into TLS.

use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;

use crate::Trouble;
use crate::wire::Wire;

/// Protocols that begin in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StartTls {
    /// RFC 4217.
    Ftp,
    /// RFC 3501, 6.2.1.
    Imap,
    /// RFC 4511, 4.14.
    Ldap,
    /// MySQL's `SSLRequest` packet, also MariaDB's.
    Mysql,
    /// RFC 2595, 4.
    Pop3,
    /// PostgreSQL's `SSLRequest` message.
    Postgres,
    /// RFC 3207.
    Smtp,
}

impl StartTls {
    /// All of them.
    pub const ALL: [StartTls; 7] = [
        StartTls::Ftp,
        StartTls::Imap,
        StartTls::Ldap,
        StartTls::Mysql,
        StartTls::Pop3,
        StartTls::Postgres,
        StartTls::Smtp,
    ];

    /// The protocol of this name.
    pub fn parse(name: &str) -> Option<StartTls> {
        let name = match name {
            "postgresql" | "psql" => "postgres",
            "mariadb" => "mysql",
            "submission" => "smtp",
            other => other,
        };
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// The protocol that is usual at a port.
    pub fn of_port(port: u16) -> Option<StartTls> {
        match port {
            587 => Some(StartTls::Smtp),
            _ => Self::ALL.into_iter().find(|protocol| protocol.port() == port),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Imap => "imap",
            Self::Ldap => "ldap",
            Self::Mysql => "mysql",
            Self::Pop3 => "pop3",
            Self::Postgres => "postgres",
            Self::Smtp => "smtp",
        }
    }

    /// The port where it is usual.
    pub fn port(self) -> u16 {
        match self {
            Self::Ftp => 21,
            Self::Imap => 143,
            Self::Ldap => 389,
            Self::Mysql => 3306,
            Self::Pop3 => 110,
            Self::Postgres => 5432,
            Self::Smtp => 25,
        }
    }
}

/// Speaks until the next byte is TLS. Nothing is read beyond that.
pub(crate) fn begin(protocol: StartTls, wire: &mut Wire) -> Result<(), Trouble> {
    let done = match protocol {
        StartTls::Ftp => ftp(wire),
        StartTls::Imap => imap(wire),
        StartTls::Ldap => ldap(wire),
        StartTls::Mysql => mysql(wire),
        StartTls::Pop3 => pop3(wire),
        StartTls::Postgres => postgres(wire),
        StartTls::Smtp => smtp(wire),
    };
    done.map_err(|error| {
        let answer = match error.kind() {
            ErrorKind::UnexpectedEof => "the server hung up".to_owned(),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time".to_owned(),
            _ => error.to_string(),
        };
        Trouble::StartTls {
            protocol: protocol.name(),
            answer,
        }
    })
}

fn ftp(wire: &mut Wire) -> io::Result<()> {
    reply(wire, "220")?;
    wire.write_all(b"AUTH TLS\r\n")?;
    reply(wire, "234")
}

fn imap(wire: &mut Wire) -> io::Result<()> {
    let greeting = line(wire)?;
    granted(greeting.starts_with("* "), &greeting)?;
    wire.write_all(b"a STARTTLS\r\n")?;
    for _ in 0..MAX_LINES {
        let answer = line(wire)?;
        if let Some(status) = answer.strip_prefix("a ") {
            return granted(status.to_ascii_uppercase().starts_with("OK"), &answer);
        }
    }
    granted(false, "no answer to STARTTLS")
}

fn ldap(wire: &mut Wire) -> io::Result<()> {
    wire.write_all(LDAP_START_TLS)?;
    let mut head = [0; 2];
    wire.read_exact(&mut head)?;
    granted(head[0] == 0x30, "not an LDAP message")?;
    // A length in the long form has its own bytes.
    let length = match usize::from(head[1]) {
        short @ 0..=0x7f => short,
        0x81..=0x84 => {
            let mut bytes = vec![0; usize::from(head[1] & 0x7f)];
            wire.read_exact(&mut bytes)?;
            bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        }
        _ => return granted(false, "not an LDAP message"),
    };
    let mut body = vec![0; length.min(MAX_GREETING_BYTES)];
    wire.read_exact(&mut body)?;
    // messageID 1, ExtendedResponse, resultCode success.
    let is_answer = body
        .get(..4)
        .is_some_and(|start| start[..3] == [2, 1, 1] && start[3] == 0x78);
    let code = body
        .windows(3)
        .find(|three| three[..2] == [0x0a, 1])
        .map(|three| three[2]);
    match code {
        Some(0) if is_answer => Ok(()),
        Some(code) if is_answer => granted(false, &format!("result code {code}")),
        _ => granted(false, "no extended response"),
    }
}

fn mysql(wire: &mut Wire) -> io::Result<()> {
    let mut head = [0; 4];
    wire.read_exact(&mut head)?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
    granted(length <= MAX_GREETING_BYTES, "not a MySQL greeting")?;
    let mut greeting = vec![0; length];
    wire.read_exact(&mut greeting)?;
    if greeting.first() == Some(&0xff) {
        let words = String::from_utf8_lossy(greeting.get(3..).unwrap_or_default()).into_owned();
        return granted(false, &words);
    }
    granted(greeting.first() == Some(&10), "not a MySQL greeting")?;
    // Version ends with 0; then thread id, eight bytes of salt, a filler, and the lower capabilities.
    let end = greeting
        .iter()
        .skip(1)
        .position(|byte| *byte == 0)
        .unwrap_or(greeting.len());
    let capabilities = greeting.get(end + 2 + 4 + 8 + 1..).and_then(|rest| rest.get(..2));
    let has_tls = capabilities.is_some_and(|two| two[1] & 0x08 != 0);
    granted(has_tls, "the server offers no TLS (capability CLIENT_SSL)")?;
    // Length 32, number 1; capabilities SSL, 4.1 protocol, secure connection; 16 MiB packets; utf8; 23 zeros.
    let mut request = vec![32, 0, 0, 1, 0x00, 0x8a, 0, 0, 0, 0, 0, 1, 33];
    request.resize(36, 0);
    wire.write_all(&request)
}

fn pop3(wire: &mut Wire) -> io::Result<()> {
    let greeting = line(wire)?;
    granted(greeting.starts_with("+OK"), &greeting)?;
    wire.write_all(b"STLS\r\n")?;
    let answer = line(wire)?;
    granted(answer.starts_with("+OK"), &answer)
}

fn postgres(wire: &mut Wire) -> io::Result<()> {
    wire.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    let mut answer = [0];
    wire.read_exact(&mut answer)?;
    let words = match answer[0] {
        b'N' => "the server has TLS switched off",
        _ => "not a PostgreSQL answer",
    };
    granted(answer == *b"S", words)
}

fn smtp(wire: &mut Wire) -> io::Result<()> {
    reply(wire, "220")?;
    wire.write_all(b"EHLO capgrow\r\n")?;
    reply(wire, "250")?;
    wire.write_all(b"STARTTLS\r\n")?;
    reply(wire, "220")
}

/// One reply of one or more lines, which has to begin with `code`.
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
