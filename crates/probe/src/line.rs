//! The way to one target: connections one after the other, counted, timed and not too fast.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::net::ToSocketAddrs;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use hello::Alert;
use hello::ClientHello;
use hello::Flight;
use hello::Progress;

use crate::Limits;
use crate::Target;
use crate::Trouble;
use crate::starttls;
use crate::wire::Wire;

/// Opens connections to one target.
pub(crate) struct Line<'a> {
    pub target: &'a Target,
    pub limits: &'a Limits,
    address: Option<SocketAddr>,
    count: usize,
    next: Instant,
    end: Instant,
}

/// What a server said to a hello.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It chose.
    Chose(Box<Flight>),
    /// It refused, with an alert.
    Refused(Alert),
    /// Neither.
    Trouble(Trouble),
}

impl<'a> Line<'a> {
    pub(crate) fn new(target: &'a Target, limits: &'a Limits) -> Self {
        let now = Instant::now();
        Self {
            target,
            limits,
            address: None,
            count: 0,
            next: now,
            end: now + limits.whole,
        }
    }

    /// Connections so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether a bound was reached.
    pub(crate) fn is_spent(&self) -> bool {
        self.count >= self.limits.connections || Instant::now() >= self.end
    }

    /// The address that answered.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// A connection on which the next byte is TLS.
    pub(crate) fn open(&mut self) -> Result<Wire, Trouble> {
        if self.count >= self.limits.connections {
            return Err(Trouble::GivenUp {
                why: "as many connections as allowed",
            });
        }
        if Instant::now() >= self.end {
            return Err(Trouble::GivenUp {
                why: "as much time as allowed",
            });
        }
        thread::sleep(self.next.saturating_duration_since(Instant::now()));
        self.next = Instant::now() + Duration::from_secs(1) / self.limits.per_second.max(1);
        self.count += 1;
        let stream = self.connect()?;
        // Without it the second half of a flight waits for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let mut wire = Wire::new(stream, self.patience());
        if let Some(protocol) = self.target.starttls {
            starttls::begin(protocol, &mut wire)?;
        }
        Ok(wire)
    }

    /// Sends a hello and reads the server's flight.
    pub(crate) fn ask(&mut self, hello: &ClientHello<'_>) -> Answer {
        self.ask_bytes(&hello.bytes())
    }

    pub(crate) fn ask_bytes(&mut self, bytes: &[u8]) -> Answer {
        match self.open() {
            Ok(mut wire) => self.converse(&mut wire, bytes),
            Err(trouble) => Answer::Trouble(trouble),
        }
    }

    fn converse(&self, wire: &mut Wire, bytes: &[u8]) -> Answer {
        let mut flight = Flight::default();
        let written = wire.write_all(bytes);
        let mut buffer = [0; 8192];
        loop {
            let count = match wire.read(&mut buffer) {
                Ok(0) if wire.count() >= Flight::MAX_BYTES => {
                    return Answer::Trouble(Trouble::Oversize { bytes: wire.count() });
                }
                Ok(0) => return Answer::Trouble(ended(&flight, Trouble::Closed)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    let waited = self.limits.answer;
                    let trouble = match error.kind() {
                        ErrorKind::WouldBlock | ErrorKind::TimedOut => Trouble::Silent { waited },
                        _ if written.is_err() => Trouble::Reset,
                        _ => Trouble::Reset,
                    };
                    return Answer::Trouble(ended(&flight, trouble));
                }
            };
            match flight.push(&buffer[..count]) {
                Progress::Done => return Answer::Chose(Box::new(flight)),
                Progress::More => {}
                Progress::NotTls(at) => {
                    let begins = flight.bytes().iter().skip(at).take(MAX_SHOWN).copied().collect();
                    return Answer::Trouble(Trouble::NotTls { begins });
                }
                Progress::Oversize => return Answer::Trouble(Trouble::Oversize { bytes: wire.count() }),
                Progress::Refused(alert) => return Answer::Refused(alert),
            }
        }
    }

    /// The end of the patience for one answer, and of all patience.
    pub(crate) fn patience(&self) -> Instant {
        (Instant::now() + self.limits.answer).min(self.end)
    }

    fn connect(&mut self) -> Result<TcpStream, Trouble> {
        let addresses = match self.address {
            Some(address) => vec![address],
            None => self.addresses()?,
        };
        let mut last = Trouble::NoAddress {
            host: self.target.host.clone(),
        };
        for address in addresses {
            let patience = self
                .limits
                .connect
                .min(self.end.saturating_duration_since(Instant::now()));
            if patience.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(&address, patience) {
                Ok(stream) => {
                    self.address = Some(address);
                    return Ok(stream);
                }
                Err(error) => last = unconnected(&error, patience),
            }
        }
        Err(last)
    }

    fn addresses(&self) -> Result<Vec<SocketAddr>, Trouble> {
        let found = (self.target.host.as_str(), self.target.port).to_socket_addrs();
        let found: Vec<SocketAddr> = found
            .map(|all| all.take(MAX_ADDRESSES).collect())
            .unwrap_or_default();
        if found.is_empty() {
            return Err(Trouble::NoAddress {
                host: self.target.host.clone(),
            });
        }
        Ok(found)
    }
}

/// A server that ends in the middle of something that is no TLS has answered all the same.
fn ended(flight: &Flight, trouble: Trouble) -> Trouble {
    let bytes = flight.bytes();
    if bytes.first().is_none_or(|kind| is_record(*kind)) || flight.hello.is_some() {
        return trouble;
    }
    Trouble::NotTls {
        begins: bytes.iter().take(MAX_SHOWN).copied().collect(),
    }
}

/// Whether a TLS record may begin with this byte: RFC 8446, 5.1.
pub(crate) fn is_record(kind: u8) -> bool {
    (20..=24).contains(&kind)
}

fn unconnected(error: &std::io::Error, waited: Duration) -> Trouble {
    match error.kind() {
        ErrorKind::ConnectionRefused => Trouble::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Trouble::ConnectTimeout { waited },
        _ => Trouble::Unreachable {
            why: error.to_string(),
        },
    }
}

const MAX_ADDRESSES: usize = 8;
/// Enough to see which protocol an answer belongs to.
const MAX_SHOWN: usize = 64;
