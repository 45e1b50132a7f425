//! A TCP connection with a deadline that remembers the clear part of what went over it.

use super::verdict::Certificates;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, ipproto, socket_with};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Somebody who can end reading before the deadline.
pub(super) trait Halt {
    fn halts(&self) -> bool;
}

/// The connection. Reading past the deadline is `WouldBlock`.
pub(super) struct Wire {
    stream: TcpStream,
    deadline: Instant,
    halt: Option<Arc<dyn Halt + Send + Sync>>,
    incoming: Option<Vec<u8>>,
    outgoing: Option<Vec<u8>>,
}

impl Wire {
    /// Connects to the first address of `address` that answers, from `source` if given.
    pub(super) fn connect(address: &str, source: Option<IpAddr>, deadline: Instant) -> io::Result<Wire> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for target in address.to_socket_addrs()?.take(MAX_ADDRESSES) {
            match connect_one(target, source, deadline) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Wire {
                        stream,
                        deadline,
                        halt: None,
                        incoming: None,
                        outgoing: None,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// From now on what goes over the wire is kept, as far as it matters.
    pub(super) fn record(&mut self) {
        self.incoming = Some(Vec::new());
        self.outgoing = Some(Vec::new());
    }

    pub(super) fn stop_reading_at(&mut self, halt: Arc<dyn Halt + Send + Sync>) {
        self.halt = Some(halt);
    }

    /// Reads again whatever was seen.
    pub(super) fn read_on(&mut self) {
        self.halt = None;
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    pub(super) fn finish_writing(&self) {
        // The peer may have gone already; then there is nothing to finish.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// A ServerHello came.
    pub(super) fn heard_hello(&self) -> bool {
        messages(self.incoming())
            .iter()
            .any(|(kind, _)| *kind == SERVER_HELLO)
    }

    /// Whether the peer asked for a certificate. Up to TLS 1.2 its request is in the clear. In TLS 1.3 it is not, but
    /// our answer shows it: OpenSSL sends each handshake message in a record of its own, and without a request the
    /// Finished is the only one.
    pub(super) fn asked_for(&self, is_13: bool) -> Certificates {
        if is_13 {
            return match records(self.outgoing())
                .iter()
                .filter(|(kind, _)| *kind == APPLICATION_DATA)
                .count()
            {
                0 => Certificates::Unknown,
                1 => Certificates::NotAskedFor,
                _ => Certificates::AskedFor { authorities: None },
            };
        }
        let messages = messages(self.incoming());
        let version = messages
            .iter()
            .find(|(kind, _)| *kind == SERVER_HELLO)
            .and_then(|(_, body)| body.get(..2));
        let has_algorithms = version == Some(&[3, 3]);
        match messages.iter().find(|(kind, _)| *kind == CERTIFICATE_REQUEST) {
            Some((_, body)) => Certificates::AskedFor {
                authorities: authorities(body, has_algorithms),
            },
            None if messages.iter().any(|(kind, _)| *kind == SERVER_HELLO_DONE) => Certificates::NotAskedFor,
            None => Certificates::Unknown,
        }
    }

    /// Our certificate (or the lack of one) was sent in answer to a request.
    pub(super) fn answered_with_certificate(&self) -> bool {
        messages(self.outgoing())
            .iter()
            .any(|(kind, _)| *kind == CERTIFICATE)
    }

    fn incoming(&self) -> &[u8] {
        self.incoming.as_deref().unwrap_or_default()
    }

    fn outgoing(&self) -> &[u8] {
        self.outgoing.as_deref().unwrap_or_default()
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(ErrorKind::WouldBlock.into())
        } else {
            Ok(left)
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.halt.as_ref().is_some_and(|halt| halt.halts()) {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.stream.set_read_timeout(Some(self.left()?))?;
        let count = self.stream.read(buffer)?;
        keep(&mut self.incoming, &buffer[..count]);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        let count = self.stream.write(bytes)?;
        keep(&mut self.outgoing, &bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn connect_one(target: SocketAddr, source: Option<IpAddr>, deadline: Instant) -> io::Result<TcpStream> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    let Some(source) = source else {
        return TcpStream::connect_timeout(&target, left);
    };
    let family = if target.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = socket_with(
        family,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        Some(ipproto::TCP),
    )?;
    bind(&socket, &SocketAddr::new(source, 0))?;
    // On Linux the time limit of sending is that of connecting, too (socket(7)).
    set_socket_timeout(&socket, Timeout::Send, Some(left))?;
    match connect(&socket, &target) {
        Ok(()) => Ok(TcpStream::from(socket)),
        Err(rustix::io::Errno::INPROGRESS) => Err(ErrorKind::TimedOut.into()),
        Err(error) => Err(error.into()),
    }
}

fn keep(kept: &mut Option<Vec<u8>>, bytes: &[u8]) {
    if let Some(kept) = kept {
        let room = MAX_KEPT_BYTES.saturating_sub(kept.len());
        kept.extend(&bytes[..bytes.len().min(room)]);
    }
}

/// The whole TLS records in `bytes`: type and content.
fn records(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let [kind, _, _, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(content) = tail.get(..length) else { break };
        records.push((*kind, content));
        rest = &tail[length..];
    }
    records
}

/// The handshake messages in the clear, before the first change of ciphers.
fn messages(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let clear = records(bytes)
        .into_iter()
        .take_while(|(kind, _)| *kind == HANDSHAKE);
    let stream: Vec<u8> = clear.flat_map(|(_, content)| content.to_vec()).collect();
    let mut messages = Vec::new();
    let mut rest = stream.as_slice();
    while let [kind, high, middle, low, tail @ ..] = rest {
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        let Some(body) = tail.get(..length) else { break };
        messages.push((*kind, body.to_vec()));
        rest = &tail[length..];
    }
    messages
}

/// The names of a CertificateRequest (RFC 5246, 7.4.4; without algorithms RFC 4346), as DER.
fn authorities(body: &[u8], has_algorithms: bool) -> Option<Vec<Vec<u8>>> {
    let (types, rest) = body.split_first()?;
    let mut rest = rest.get(usize::from(*types)..)?;
    if has_algorithms {
        rest = counted(rest)?.1;
    }
    let (mut names, _) = counted(rest)?;
    let mut all = Vec::new();
    while !names.is_empty() {
        let (name, tail) = counted(names)?;
        all.push(name.to_vec());
        names = tail;
    }
    Some(all)
}

/// A field with two bytes of length before it, and what follows it.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// RFC 5246, 6.2.1 and 7.4.
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
/// A handshake with a long list of authorities has a tenth of it.
const MAX_KEPT_BYTES: usize = 1 << 20;
const MAX_ADDRESSES: usize = 8;
