//! Which process it is, and since when it runs: what shows that a restart happened after a write.

use exec::machine::Timestamp;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// A running process. A number alone can be given to another one; number and start time cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since the machine did: equal for the same process at all times.
    pub started_ticks: u64,
    /// When it started, by the clock; good to about a second.
    pub started: Timestamp,
}

/// The process of this number; `None` where none runs, or only its remains wait for their parent.
///
/// # Errors
/// `/proc` cannot be read or says something unknown.
pub fn process(pid: u32) -> io::Result<Option<Process>> {
    let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // ESRCH: it ended between opening and reading.
        Err(error) if error.raw_os_error() == Some(3) => return Ok(None),
        stat => stat?,
    };
    let (state, started_ticks) = parse_stat(&stat).ok_or_else(|| unknown("/proc/PID/stat"))?;
    if matches!(state, 'Z' | 'X' | 'x') {
        return Ok(None);
    }
    let boot = boot_seconds(&fs::read_to_string("/proc/stat")?).ok_or_else(|| unknown("/proc/stat"))?;
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let nanoseconds = u32::try_from(started_ticks % ticks * 1_000_000_000 / ticks).unwrap_or(0);
    let seconds = boot.saturating_add(i64::try_from(started_ticks / ticks).unwrap_or(i64::MAX));
    Ok(Some(Process {
        pid,
        started_ticks,
        started: Timestamp { seconds, nanoseconds },
    }))
}

/// The process whose number a file holds; `None` where there is no file or no such process.
///
/// # Errors
/// As [`process`]; a file that holds no number.
pub fn process_of_file(pid_file: &Path) -> io::Result<Option<Process>> {
    let text = match fs::read_to_string(pid_file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let number = text.split_whitespace().next().and_then(|word| word.parse().ok());
    process(number.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the pid file holds no number"))?)
}

/// The processes that listen at an address, by itself or by the wildcard. Several may share a socket; the oldest comes
/// first. Empty: nobody, or somebody whose files we may not see.
///
/// # Errors
/// As [`process`].
///
/// Cost: a walk over the open files of all processes.
pub fn listeners(address: SocketAddr) -> io::Result<Vec<Process>> {
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // A machine without IPv6 has no second table.
        let text = fs::read_to_string(table).unwrap_or_default();
        sockets.extend(
            text.lines()
                .skip(1)
                .filter_map(|line| listening_socket(line, address)),
        );
    }
    let wanted: Vec<String> = sockets.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let mut found = Vec::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if holds_one_of(&entry.path(), &wanted)
            && let Some(process) = process(pid)?
        {
            found.push(process);
        }
    }
    found.sort_by_key(|process| (process.started_ticks, process.pid));
    Ok(found)
}

fn holds_one_of(process: &Path, wanted: &[String]) -> bool {
    // Processes end, and those of others may be closed to us.
    let Ok(files) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let target = fs::read_link(file.path()).unwrap_or_default();
        wanted.iter().any(|wanted| target.as_os_str() == wanted.as_str())
    })
}

/// State and start time: fields 3 and 22 (proc(5)). The name in parentheses may hold anything, so they are counted
/// from its end.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some((fields.first()?.chars().next()?, fields.get(19)?.parse().ok()?))
}

fn boot_seconds(stat: &str) -> Option<i64> {
    stat.lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}

/// The inode of a socket that listens at `address`, from a line of `/proc/net/tcp`.
fn listening_socket(line: &str, address: SocketAddr) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (host, port) = fields.get(1)?.split_once(':')?;
    let is_listening = fields.get(3) == Some(&"0A");
    let host = parse_host(host)?;
    let is_there = host == address.ip().to_canonical() || host.is_unspecified();
    if !is_listening || !is_there || u16::from_str_radix(port, 16).ok()? != address.port() {
        return None;
    }
    fields.get(9)?.parse().ok()
}

/// Words of 32 bits in the machine's own order.
fn parse_host(digits: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        Some(
            u32::from_str_radix(digits.get(at..at + 8)?, 16)
                .ok()?
                .to_ne_bytes(),
        )
    };
    if digits.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let mut bytes = [0; 16];
    for (part, at) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
        part.copy_from_slice(&word(at)?);
    }
    Some(IpAddr::from(Ipv6Addr::from(bytes)).to_canonical())
}

fn unknown(file: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{file} is not as expected"))
}
