//! `capgrow inspect`: what is in files, and what is wrong with them.

mod across;
mod cache;
mod certificates;
mod depot;
pub mod document;
mod facts;
mod finding;
mod look;
mod print_of;
mod rules;
mod show;
pub mod walk;

use std::io::BufWriter;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use keystore::Password;

use self::cache::Cache;
use self::cache::Identity;
use self::facts::Facts;
use self::finding::Finding;
use self::finding::Severity;
use self::walk::Candidate;
use crate::Answer;
use crate::args::Args;
use crate::args::Inspect;
use crate::cmd::now;
use crate::passwords;
use crate::passwords::Given;
use crate::print;
use crate::print::Failure;

/// One file that was looked at.
pub struct Seen {
    /// Where it lies, as typed or below what was typed.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// What is known of its content.
    pub facts: Facts,
}

/// Looks at every file, prints all, and says no where an error or a warning was found.
///
/// Fails where a file could not be looked at as asked: unreadable, unrecognised (when named), wrong password. What
/// could be seen is printed all the same, and every such file is named.
pub fn run(args: &Args, these: &Inspect) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let (candidates, mut failures) = walk::candidates(&these.files);
    let is_many = candidates.len() >= MANY || candidates.iter().any(|candidate| !candidate.named);
    let cache = match is_many && !these.no_cache {
        true => Cache::open(&these.files, &given),
        false => Cache::none(),
    };
    let mut sights = see_all(&candidates, &given, &cache);
    if !args.json && !args.json_lines {
        ask_where_needed(&candidates, &given, &mut sights);
    }
    failures.extend(sights.iter_mut().filter_map(|(_, failure)| failure.take()));
    let seen: Vec<&Seen> = sights.iter().filter_map(|(seen, _)| seen.as_ref()).collect();
    let findings = all_findings(&seen);
    let negative = findings
        .iter()
        .flatten()
        .any(|finding| finding.severity != Severity::Note);
    if !seen.is_empty() || failures.is_empty() {
        if args.json || args.json_lines {
            // A reader that went away ends it quietly.
            let _ = write(args, &seen, &findings);
        } else {
            show::files(&seen, &findings);
        }
    }
    cache.close();
    if let Some(last) = failures.pop() {
        failures
            .into_iter()
            .for_each(|failure| print::error(&failure.into()));
        return Err(last.into());
    }
    // Thousands of texts that the end of the process frees anyhow.
    std::mem::forget(findings);
    std::mem::forget(sights);
    Ok(if negative { Answer::No } else { Answer::Yes })
}

pub use certificates::is_authority;
pub use document::aliases;
pub use look::opens;
pub use look::product_stashes;

/// The passwords that lie beside a store: in the stash of its name, then in those of the product.
pub fn stashed_passwords(path: &Path) -> Vec<Password> {
    look::stash_of(path)
        .into_iter()
        .chain(product_stashes(path))
        .filter_map(|(_, password)| password.ok())
        .collect()
}

/// The password in the stash that belongs to this file by its name.
pub fn stashed_password(path: &Path) -> Option<Password> {
    look::stash_of(path).and_then(|(_, password)| password.ok())
}

fn write(args: &Args, seen: &[&Seen], findings: &[Vec<Finding>]) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    if args.json_lines {
        for (seen, own) in seen.iter().zip(findings) {
            document::file(&mut out, seen, own)?;
            out.write_all(b"\n")?;
        }
    } else {
        document::whole(&mut out, seen, findings)?;
    }
    out.flush()
}

/// The bytes of a file and its permission bits.
///
/// # Errors
/// Unreadable, or larger than any store.
pub fn read_file(path: &Path) -> Result<(Vec<u8>, u32), Failure> {
    let read = look::read(path)?;
    Ok((read.bytes, mode(&read.metadata)))
}

type Sighted = (Option<Seen>, Option<Failure>);

/// Looks at the files on all cores; the answers are in the order of the files.
fn see_all(candidates: &[Candidate], given: &Given, cache: &Cache) -> Vec<Sighted> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Sighted)>> = Mutex::new(Vec::with_capacity(candidates.len()));
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(candidates.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(candidate) = candidates.get(index) else {
                        break;
                    };
                    own.push((index, see(candidate, given, cache)));
                }
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .append(&mut own);
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, sight)| sight).collect()
}

fn see(candidate: &Candidate, given: &Given, cache: &Cache) -> Sighted {
    let begun = SystemTime::now();
    let read = match look::read(&candidate.path) {
        Ok(read) => read,
        Err(failure) => return (None, Some(failure)),
    };
    let identity = Identity::of(&read.metadata);
    let sighted = |facts: Facts| {
        let failure = facts
            .refused
            .as_ref()
            .map(|refused| refused.failure(&candidate.path));
        let seen = Seen {
            path: candidate.path.clone(),
            mode: mode(&read.metadata),
            facts,
        };
        (Some(seen), failure)
    };
    if let Some(facts) = cache.find(&candidate.path, &identity, &read.sha256) {
        return sighted(facts);
    }
    let sight = look::look(candidate, &read, given);
    match sight.looked.as_ref().map(facts::of) {
        Some(facts) => {
            cache.keep(&candidate.path, &identity, begun, &facts);
            sighted(facts)
        }
        None => (None, sight.failure),
    }
}

fn mode(metadata: &std::fs::Metadata) -> u32 {
    metadata.mode() & 0o7777
}

/// At a terminal, asks for the password of a named store of which nothing can be seen without.
fn ask_where_needed(candidates: &[Candidate], given: &Given, sights: &mut [Sighted]) {
    if given.store.is_some() {
        return;
    }
    for (candidate, sight) in candidates.iter().zip(sights) {
        let needs = candidate.named && sight.0.as_ref().is_some_and(|seen| seen.facts.is_locked_away);
        let Some(typed) = needs
            .then(|| passwords::ask(&candidate.path.display().to_string()))
            .flatten()
        else {
            continue;
        };
        let typed = Given {
            store: Some(typed),
            key: given.key.clone(),
        };
        *sight = see(candidate, &typed, &Cache::none());
    }
}

/// The findings of each file: its own, then those it has together with others.
fn all_findings(seen: &[&Seen]) -> Vec<Vec<Finding>> {
    let now = now();
    let mut findings: Vec<Vec<Finding>> = seen.iter().map(|seen| rules::findings(seen, now)).collect();
    for (index, finding) in across::findings(seen).into_iter().chain(depot::findings(seen)) {
        findings[index].push(finding);
    }
    findings
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first 8 bytes of a fingerprint.
fn short(sha256: &[u8; 32]) -> String {
    hex(&sha256[..8])
}

/// From so many files on it is worth keeping what was seen.
const MANY: usize = 16;
