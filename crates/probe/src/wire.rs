//! A TCP connection with a deadline and a bound that keeps what came in.

use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use hello::Flight;

/// The connection. Reading past the deadline is `WouldBlock`, reading past the bound the end.
pub(crate) struct Wire {
    stream: TcpStream,
    deadline: Instant,
    incoming: Option<Vec<u8>>,
    count: usize,
    timeout: Option<Duration>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, deadline: Instant) -> Self {
        Self {
            stream,
            deadline,
            incoming: None,
            count: 0,
            timeout: None,
        }
    }

    /// From now on what comes in is kept, up to the bound of a flight.
    pub(crate) fn record(&mut self) {
        self.incoming = Some(Vec::new());
    }

    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    pub(crate) fn incoming(&self) -> &[u8] {
        self.incoming.as_deref().unwrap_or_default()
    }

    /// How much came in.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// What is left until the deadline, rounded so that the system is not told anew for every read.
    fn left(&mut self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let step = Duration::from_millis(50);
        let rounded = step
            .saturating_mul(u32::try_from(left.as_millis() / 50).unwrap_or(u32::MAX))
            .max(step);
        if self.timeout == Some(rounded) {
            return Ok(None);
        }
        self.timeout = Some(rounded);
        Ok(Some(rounded))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.count >= Flight::MAX_BYTES {
            return Ok(0);
        }
        if let Some(left) = self.left()? {
            self.stream.set_read_timeout(Some(left))?;
            self.stream.set_write_timeout(Some(left))?;
        }
        let room = buffer.len().min(Flight::MAX_BYTES - self.count);
        let count = self.stream.read(&mut buffer[..room])?;
        self.count += count;
        if let Some(kept) = &mut self.incoming {
            kept.extend(&buffer[..count]);
        }
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(left) = self.left()? {
            self.stream.set_read_timeout(Some(left))?;
            self.stream.set_write_timeout(Some(left))?;
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
