//! What a front end needs from outside: streams, a clock, the environment, a directory, a terminal.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use keystore::Entropy;
use zeroize::Zeroizing;

/// The world of one run. [`Io::of_process`] is the real one; [`Io::in_memory`] is for tests and embedding.
///
/// Relative file names start at its directory, wherever the process stands.
pub struct Io {
    stdin: Box<dyn Read>,
    /// Read from `stdin` and not taken yet.
    pending: Zeroizing<Vec<u8>>,
    stdin_ended: bool,
    out: Sink,
    err: Sink,
    /// Whether a person sits at both ends: passwords are then read without echo.
    console: bool,
    directory: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    now_ms: i64,
}

enum Sink {
    Memory(Vec<u8>),
    Stream(Box<dyn Write>),
}

impl Io {
    /// The streams, environment, clock and directory of this process.
    pub fn of_process() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        Self {
            stdin: Box::new(std::io::stdin()),
            pending: Zeroizing::new(Vec::new()),
            stdin_ended: false,
            out: Sink::Stream(Box::new(BufWriter::with_capacity(1 << 16, std::io::stdout()))),
            err: Sink::Stream(Box::new(std::io::stderr())),
            console: std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
            directory: PathBuf::new(),
            environment: std::env::vars_os().collect(),
            now_ms: now,
        }
    }

    /// A world that reads `stdin` from memory, keeps what is written, has an empty environment and starts file names at
    /// `directory`. The clock stands at the time of the call.
    pub fn in_memory(directory: &Path, stdin: &[u8]) -> Self {
        Self {
            stdin: Box::new(std::io::Cursor::new(stdin.to_vec())),
            out: Sink::Memory(Vec::new()),
            err: Sink::Memory(Vec::new()),
            console: false,
            directory: directory.to_owned(),
            environment: BTreeMap::new(),
            ..Self::of_process()
        }
    }

    /// The same world with one more variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// What was written to stdout; empty for a world whose streams are real.
    pub fn written_out(&self) -> &[u8] {
        self.out.memory()
    }

    /// What was written to stderr; empty for a world whose streams are real.
    pub fn written_err(&self) -> &[u8] {
        self.err.memory()
    }

    /// Text to stdout as Java writes it in the C locale: what is not ASCII becomes `?`.
    pub(crate) fn print(&mut self, text: &str) {
        self.out.write(&ascii(text));
    }

    /// Bytes to stdout.
    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) {
        self.out.write(bytes);
    }

    /// Text to stderr, otherwise as [`Io::print`].
    pub(crate) fn complain(&mut self, text: &str) {
        // What was printed before a prompt or a warning is seen before it.
        self.out.flush();
        self.err.write(&ascii(text));
    }

    /// A line to stderr.
    pub(crate) fn complain_line(&mut self, text: &str) {
        self.complain(text);
        self.complain("\n");
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The zone that dates are shown in: `TZ`, else the host's.
    pub(crate) fn zone(&self) -> TimeZone {
        match self.variable("TZ").and_then(OsStr::to_str) {
            Some(name) if !name.is_empty() => java_zone(name.trim_start_matches(':')),
            _ => TimeZone::try_system().unwrap_or(TimeZone::UTC),
        }
    }

    /// A variable of the environment.
    pub(crate) fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.environment.get(name.as_ref()).map(OsString::as_os_str)
    }

    /// The path as this world means it.
    pub(crate) fn path(&self, name: &OsStr) -> PathBuf {
        self.directory.join(name)
    }

    /// A password: read without echo where a person sits at a terminal, else the next line of stdin and not a byte more.
    /// `None` for an empty line and for the end.
    pub(crate) fn read_password(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let line = if self.console {
            Zeroizing::new(rpassword::read_password().ok()?.into_bytes())
        } else {
            self.password_line()
        };
        (!line.is_empty()).then_some(line)
    }

    /// Whether a person sits at a terminal.
    pub(crate) fn has_console(&self) -> bool {
        self.console
    }

    /// One line, by a reader that is thrown away afterwards with all that it had already read ahead, as the original's
    /// is: of several lines in a pipe only the first is ever answered. `None` at the end.
    pub(crate) fn read_answer(&mut self) -> Option<String> {
        let mut lines = self.lines();
        let line = lines.next(self);
        self.drop_read_ahead(lines);
        line
    }

    /// A reader of several lines; give it back to [`Io::drop_read_ahead`].
    pub(crate) fn lines(&mut self) -> Lines {
        Lines { ahead: Vec::new() }
    }

    /// Ends a reader: what it read ahead is lost.
    pub(crate) fn drop_read_ahead(&mut self, lines: Lines) {
        drop(lines);
    }

    /// All of stdin that is left.
    pub(crate) fn read_all(&mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut *self.pending);
        if !self.stdin_ended {
            let _ = self.stdin.read_to_end(&mut all);
            self.stdin_ended = true;
        }
        all
    }

    fn password_line(&mut self) -> Zeroizing<Vec<u8>> {
        let mut line = Zeroizing::new(Vec::new());
        while let Some(byte) = self.byte() {
            match byte {
                b'\n' => break,
                b'\r' => match self.byte() {
                    Some(b'\n') | None => break,
                    Some(other) => {
                        line.push(b'\r');
                        self.pending.insert(0, other);
                    }
                },
                other => line.push(other),
            }
        }
        line
    }

    fn byte(&mut self) -> Option<u8> {
        if self.pending.is_empty() {
            self.fill();
        }
        (!self.pending.is_empty()).then(|| self.pending.remove(0))
    }

    /// Reads what is there, up to the size of the original's buffer.
    fn fill(&mut self) {
        if self.stdin_ended {
            return;
        }
        let mut chunk = Zeroizing::new(vec![0; BUFFER]);
        match self.stdin.read(&mut chunk) {
            Ok(length) if length > 0 => self.pending.extend_from_slice(&chunk[..length]),
            _ => self.stdin_ended = true,
        }
    }
}

/// A reader of lines that reads ahead.
pub(crate) struct Lines {
    ahead: Vec<u8>,
}

impl Lines {
    /// The next line without its end; `None` at the end of stdin.
    pub(crate) fn next(&mut self, io: &mut Io) -> Option<String> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.ahead.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if io.pending.is_empty() {
                io.fill();
            }
            if io.pending.is_empty() {
                let rest = std::mem::take(&mut self.ahead);
                return (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned());
            }
            self.ahead.append(&mut io.pending);
        }
    }
}

impl Sink {
    /// A reader that went away is no reason to stop: the original does not look either.
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Memory(kept) => kept.extend_from_slice(bytes),
            Self::Stream(stream) => {
                let _ = stream.write_all(bytes);
            }
        }
    }

    fn flush(&mut self) {
        if let Self::Stream(stream) = self {
            let _ = stream.flush();
        }
    }

    fn memory(&self) -> &[u8] {
        match self {
            Self::Memory(kept) => kept,
            Self::Stream(_) => &[],
        }
    }
}

/// Random bytes of the operating system, by OpenSSL's generator.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, into: &mut [u8]) {
        openssl::rand::rand_bytes(into).expect("the operating system has random bytes");
    }
}

/// Text in US-ASCII, as Java encodes it: `?` for each character that is not in it.
fn ascii(text: &str) -> Vec<u8> {
    let byte = |character: char| {
        if character.is_ascii() {
            character as u8
        } else {
            b'?'
        }
    };
    text.chars().map(byte).collect()
}

/// A zone by Java's names: those of the database, `GMT+5:30`, three letters that Java gives a place; what it does not
/// know is GMT.
fn java_zone(name: &str) -> TimeZone {
    if let Ok(zone) = TimeZone::get(name) {
        return zone;
    }
    if let Some((_, place)) = SHORT_ZONES.iter().find(|(short, _)| *short == name) {
        return TimeZone::get(place).unwrap_or(TimeZone::UTC);
    }
    let custom = name.strip_prefix("GMT").and_then(|rest| {
        let sign = if rest.starts_with('-') { -1 } else { 1 };
        let digits = rest.strip_prefix(['+', '-'])?;
        let (hours, minutes) = match digits.split_once(':') {
            Some((hours, minutes)) => (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?),
            None if digits.len() > 2 => {
                let number: i32 = digits.parse().ok()?;
                (number / 100, number % 100)
            }
            None => (digits.parse().ok()?, 0),
        };
        let offset = jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
        (hours < 24 && minutes < 60).then(|| TimeZone::fixed(offset))
    });
    custom
        .or_else(|| TimeZone::get("GMT").ok())
        .unwrap_or(TimeZone::UTC)
}

/// What Java's three letters stand for, where the database does not have them.
const SHORT_ZONES: &[(&str, &str)] = &[
    ("AST", "America/Anchorage"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("PST", "America/Los_Angeles"),
];

/// The size of Java's stdin buffer.
const BUFFER: usize = 8192;
