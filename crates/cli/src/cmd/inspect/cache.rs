//! What was seen of files at an earlier run, so that a repeat derives no key and parses no certificate.
//!
//! ```text
//! file   = header line*
//! header = "capgrow-inspect-cache" TAB version TAB program TAB salt TAB sum LF
//! line   = sum TAB path TAB facts TAB entries TAB remarks LF         (JSON)
//! sum    = the first 16 hexadecimal digits of SHA-256 over what follows it
//! ```
//! A line counts only for a file of this path, identity (device, inode, length, times) *and* SHA-256, looked at with the
//! same passwords and with the same stashes beside it, by this very program; everything else is looked at anew. Dates,
//! permission bits and names are never kept: they are judged at each run. A file that is damaged, of another program or
//! version, of another owner or open to others is not read. It holds no password and no key; which passwords were given
//! is told by a salted derivation as slow as that of a store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;

use aws_lc_rs::pbkdf2;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroizing;

use super::facts::Facts;
use super::look::neighbours;
use super::rules::Remark;
use crate::cmd::now;
use crate::document;
use crate::passwords::Given;

/// The results of earlier runs of one command, and those of this one.
pub struct Cache {
    /// Where it is written; `None`: nowhere.
    place: Option<PathBuf>,
    /// It lives as long as the process, which ends with the answer that is made of it.
    text: &'static str,
    /// Byte ranges of the lines in `text` by path.
    lines: BTreeMap<&'static str, (usize, usize)>,
    program: String,
    salt: [u8; 16],
    /// What stands for the passwords that were given.
    passwords: String,
    /// Where relative names begin.
    here: PathBuf,
    /// The stashes of each directory that concern all its files.
    shared: Mutex<BTreeMap<PathBuf, Vec<Option<Identity>>>>,
    /// Seconds since 1970.
    now: i64,
    used: Mutex<Vec<(usize, usize)>>,
    next: Mutex<Vec<String>>,
    misses: Mutex<usize>,
}

/// Which file on the disk it is, and in which state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    dev: u64,
    ino: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    identity: Identity,
    sha256: String,
    passwords: String,
    /// The stashes that were or could have been tried.
    beside: Vec<Option<Identity>>,
    /// Within these moments no certificate has anything to be told about its dates.
    quiet: (i64, i64),
    /// What is told then.
    at_quiet: Vec<Remark>,
    facts: Facts,
}

impl Identity {
    /// Of a file that was looked at.
    pub fn of(metadata: &std::fs::Metadata) -> Identity {
        Identity {
            dev: metadata.dev(),
            ino: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a change from now on is sure to give another identity: clocks of filesystems tick coarsely.
    fn is_settled(&self, now: SystemTime) -> bool {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        let changed = self.changed.0.saturating_mul(1000) + self.changed.1 / 1_000_000;
        let tick_ms = if self.changed.1 == 0 { 2_500 } else { 50 };
        changed.saturating_add(tick_ms) < now
    }
}

impl Cache {
    /// A cache that knows nothing and keeps nothing.
    pub fn none() -> Cache {
        Cache {
            place: None,
            text: "",
            lines: BTreeMap::new(),
            program: String::new(),
            salt: [0; 16],
            passwords: String::new(),
            here: std::env::current_dir().unwrap_or_default(),
            shared: Mutex::new(BTreeMap::new()),
            now: now(),
            used: Mutex::new(Vec::new()),
            next: Mutex::new(Vec::new()),
            misses: Mutex::new(0),
        }
    }

    /// The cache for these names, empty where there is none that can be relied on.
    pub fn open(named: &[PathBuf], given: &Given) -> Cache {
        let (Some(place), Some(program)) = (place(named, given), program()) else {
            return Cache::none();
        };
        let mut cache = Cache {
            place: Some(place),
            program,
            ..Cache::none()
        };
        if let Some(text) = cache.place.as_deref().and_then(trusted_text) {
            cache.take(text);
        }
        if cache.text.is_empty() {
            keystore::Entropy::fill(&mut agent::OsEntropy, &mut cache.salt);
        }
        cache.passwords = tag(given, &cache.salt);
        cache
    }

    /// What is known of this file in this very state.
    pub fn find(&self, path: &Path, identity: &Identity, sha256: &str) -> Option<Facts> {
        let name = self.name(path)?;
        let (start, end) = *self.lines.get(name.as_str())?;
        let line = self.text.get(start..end)?;
        let (sum, rest) = line.split_once('\t')?;
        if sum != sum_of(rest) {
            return None;
        }
        let [_, json, entries, remarks] = rest.split('\t').collect::<Vec<_>>()[..] else {
            return None;
        };
        let kept: Kept = serde_json::from_str(json).ok()?;
        let is_same = kept.identity == *identity
            && kept.sha256 == sha256
            && kept.passwords == self.passwords
            && kept.facts.sha256 == sha256
            && kept.beside == self.beside(path);
        if !is_same {
            return None;
        }
        let mut facts = kept.facts;
        let (from, until) = kept.quiet;
        // The answer is told some moments later.
        facts.remarks = if (from..until.saturating_sub(60)).contains(&self.now) {
            kept.at_quiet
        } else {
            serde_json::from_str(remarks).ok()?
        };
        facts.entries = Cow::Borrowed(entries);
        self.used().push((start, end));
        Some(facts)
    }

    /// Keeps what was seen, unless a change that follows at once might not show.
    pub fn keep(&self, path: &Path, identity: &Identity, begun: SystemTime, facts: &Facts) {
        *self.misses.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let Some(name) = self.name(path).filter(|_| self.place.is_some()) else {
            return;
        };
        let beside = self.beside(path);
        if !beside.iter().flatten().all(|stash| stash.is_settled(begun)) {
            return;
        }
        let (mut quiet, mut at_quiet) = ((i64::MIN, i64::MAX), Vec::new());
        for remark in &facts.remarks {
            match remark {
                Remark::Dates(dates) => {
                    let (from, until) = dates.quiet();
                    quiet = (quiet.0.max(from), quiet.1.min(until));
                }
                other => at_quiet.push(other.clone()),
            }
        }
        let kept = Kept {
            quiet,
            at_quiet,
            identity: identity.clone(),
            sha256: facts.sha256.clone(),
            passwords: self.passwords.clone(),
            beside,
            facts: facts.clone(),
        };
        if let (Ok(json), Ok(remarks)) = (
            serde_json::to_string(&kept),
            serde_json::to_string(&facts.remarks),
        ) {
            let rest = format!("{name}\t{json}\t{}\t{remarks}", facts.entries);
            self.next().push(format!("{}\t{rest}", sum_of(&rest)));
        }
    }

    /// Writes what this run saw, where it is not what is there. A cache that cannot be written is no reason to fail.
    pub fn close(self) {
        let next = self.next.into_inner().unwrap_or_else(PoisonError::into_inner);
        let misses = self.misses.into_inner().unwrap_or_else(PoisonError::into_inner);
        let used = self.used.into_inner().unwrap_or_else(PoisonError::into_inner);
        let is_new = misses > 0 || used.len() != self.lines.len();
        let Some(place) = self.place.filter(|_| is_new) else {
            return;
        };
        let Some(dir) = place.parent() else { return };
        let header = format!("{MAGIC}\t{VERSION}\t{}\t{}", self.program, super::hex(&self.salt));
        let mut text = format!("{header}\t{}\n", sum_of(&header));
        let kept = used.iter().filter_map(|(start, end)| self.text.get(*start..*end));
        for line in kept.chain(next.iter().map(String::as_str)) {
            text.push_str(line);
            text.push('\n');
        }
        if text.len() <= MAX_BYTES && document::private_dir(dir).is_ok() {
            let _ = document::write(&place, text.as_bytes(), 0o600);
            drop_oldest(dir);
        }
    }

    fn take(&mut self, text: String) {
        let text: &'static str = Box::leak(text.into_boxed_str());
        let Some(first) = text.lines().next() else { return };
        let Some((header, sum)) = first.rsplit_once('\t') else {
            return;
        };
        let words: Vec<&str> = header.split('\t').collect();
        let [magic, version, program, salt] = words[..] else {
            return;
        };
        if sum != sum_of(header) || magic != MAGIC || version != VERSION || program != self.program {
            return;
        }
        let Some(salt) = unhex(salt) else { return };
        let mut start = first.len() + 1;
        for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
            let mut words = line.splitn(3, '\t');
            if let (Some(_), Some(path), Some(_), true) =
                (words.next(), words.next(), words.next(), line.ends_with('\n'))
            {
                self.lines.insert(path, (start, start + line.len() - 1));
            }
            start += line.len();
        }
        (self.salt, self.text) = (salt, text);
    }

    /// The name of a file in the cache: its path from the root. None for names that are no text, or would break a line.
    fn name(&self, path: &Path) -> Option<String> {
        let path = self.here.join(path);
        let text = path.to_str()?;
        (!text.contains(['\t', '\n'])).then(|| text.to_owned())
    }

    /// The stashes that can concern a file: its own, and those of its directory, which are looked at once.
    fn beside(&self, path: &Path) -> Vec<Option<Identity>> {
        let look = |place: &PathBuf| Some(Identity::of(&std::fs::metadata(place).ok()?));
        let [own, others @ ..] = neighbours(path);
        let mut beside = vec![look(&own)];
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = path.parent().unwrap_or(path);
        if let Some(known) = shared.get(dir) {
            beside.extend(known.iter().cloned());
        } else {
            let known: Vec<Option<Identity>> = others.iter().map(look).collect();
            beside.extend(known.iter().cloned());
            shared.insert(dir.to_owned(), known);
        }
        beside
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Vec<(usize, usize)>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One file for each set of names on the command line, with passwords and without.
fn place(named: &[PathBuf], given: &Given) -> Option<PathBuf> {
    let mut all: Vec<PathBuf> = named
        .iter()
        .map(|path| std::path::absolute(path).ok())
        .collect::<Option<_>>()?;
    all.sort();
    let text: Vec<&str> = all.iter().map(|path| path.to_str()).collect::<Option<_>>()?;
    let passwords = (given.store.is_some(), given.key.is_some());
    let text = format!("{passwords:?}\n{}", text.join("\n"));
    let digest = fleet::snapshot::sha256_hex(text.as_bytes());
    Some(dir()?.join(&digest[..32]))
}

fn dir() -> Option<PathBuf> {
    let named = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let top = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(top.join("capgrow/inspect"))
}

/// This very program: another build may find other things.
fn program() -> Option<String> {
    let metadata = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    let identity = serde_json::to_string(&Identity::of(&metadata)).ok()?;
    let text = format!("{} {identity}", env!("CARGO_PKG_VERSION"));
    Some(fleet::snapshot::sha256_hex(text.as_bytes())[..16].to_owned())
}

/// The text of a file that only we could have written.
fn trusted_text(place: &Path) -> Option<String> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = std::fs::File::options()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).ok()?)
        .open(place)
        .ok()?;
    let metadata = file.metadata().ok()?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0;
    if !metadata.is_file() || !is_ours || metadata.len() > MAX_BYTES as u64 {
        return None;
    }
    let mut text = String::with_capacity(usize::try_from(metadata.len()).ok()?);
    std::io::Read::read_to_string(&mut { file }, &mut text).ok()?;
    Some(text)
}

/// Stands for the passwords without telling them: whoever has the cache pays a derivation for each guess, as with a store.
fn tag(given: &Given, salt: &[u8; 16]) -> String {
    if given.store.is_none() && given.key.is_none() {
        return "none".to_owned();
    }
    let mut secret = Zeroizing::new(Vec::new());
    for password in [&given.store, &given.key] {
        let bytes = password.as_ref().map(|password| password.as_bytes());
        secret.extend_from_slice(&bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
        secret.extend_from_slice(bytes.unwrap_or_default());
    }
    let mut out = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, &secret, &mut out);
    super::hex(&out)
}

fn sum_of(text: &str) -> String {
    let mut sum = fleet::snapshot::sha256_hex(text.as_bytes());
    sum.truncate(16);
    sum
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Keeps the caches of the last commands only.
fn drop_oldest(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    let mut all: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    all.sort();
    let too_many = all.len().saturating_sub(MAX_CACHES);
    for (_, path) in all.into_iter().take(too_many) {
        let _ = std::fs::remove_file(path);
    }
}

const MAGIC: &str = "capgrow-inspect-cache";
const VERSION: &str = "1";
const MAX_BYTES: usize = 512 << 20;
const MAX_CACHES: usize = 64;
/// Twice what Java 17 gives a new store.
const ROUNDS: NonZeroU32 = NonZeroU32::new(20_000).expect("not zero");
