//! What is wrong with one file: one function per rule or family of rules.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use keystore::Integrity;
use keystore::KeyMatch;
use keystore::Note;
use keystore::Store;
use serde::Deserialize;
use serde::Serialize;

use super::Seen;
use super::certificates;
use super::certificates::Dates;
use super::finding::Finding;
use super::finding::Severity;
use super::look::Content;
use super::look::Looked;
use super::look::StashFit;
use super::look::is_locked_key;
use crate::print;

/// Something to be said about a file, with what its words depend on still open: the path and the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remark {
    /// A certificate's dates.
    Dates(Dates),
    /// What holds at any time.
    Fixed {
        /// Its stable name.
        rule: String,
        /// How much it matters.
        severity: Severity,
        /// The entry.
        place: Option<String>,
        /// What was seen.
        evidence: String,
        /// Why it matters.
        cause: String,
        /// What to do.
        fix: String,
    },
    /// A password that is good until then, in seconds since 1970.
    PasswordExpiry(i64),
    /// The stash beside the file does not go with it, in these words.
    Stash(String),
}

/// All that is to be said about one file by itself, at any time and under any name.
pub fn remarks(looked: &Looked) -> Vec<Remark> {
    let mut found = Found { list: Vec::new() };
    match &looked.content {
        Content::Broken(error) => broken(&mut found, error),
        Content::Stash(Err(why)) => found.add(
            "stash-unreadable",
            Severity::Error,
            None,
            why.clone(),
            "no program can read a password out of this file",
            "write it again with the product's own tool",
        ),
        Content::Stash(Ok(())) => {}
        Content::Store(store) => {
            certificates::check(&mut found, store);
            for (index, entry) in store.entries().iter().enumerate() {
                keys(&mut found, looked, store, index, entry);
            }
            aliases(&mut found, store);
            duplicates(&mut found, store);
            reader_notes(&mut found, store);
            unchecked(&mut found, looked, store);
        }
    }
    match &looked.stash {
        Some(StashFit::Other) => found.list.push(Remark::Stash(
            "holds another password than this store's".to_owned(),
        )),
        Some(StashFit::Unreadable(why)) => found
            .list
            .push(Remark::Stash(format!("gives no password: {why}"))),
        Some(StashFit::Opens) | None => {}
    }
    found.list
}

/// The findings about one file by itself. `now` is in seconds since 1970.
pub fn findings(seen: &Seen, now: i64) -> Vec<Finding> {
    let mut found = Told {
        file: &seen.path,
        list: Vec::new(),
    };
    for remark in &seen.facts.remarks {
        match remark {
            Remark::Fixed {
                rule,
                severity,
                place,
                evidence,
                cause,
                fix,
            } => found.add(rule, *severity, place.as_deref(), evidence, cause, fix),
            Remark::Dates(dates) => dates.tell(&mut found, now),
            Remark::PasswordExpiry(unix) => password_expiry(&mut found, *unix, now),
            Remark::Stash(words) => stash(&mut found, seen, words),
        }
    }
    readable(&mut found, seen);
    names(&mut found, seen);
    found.list
}

/// The remarks on one file so far.
pub struct Found {
    list: Vec<Remark>,
}

impl Found {
    /// Adds one; `place` is the entry it is about.
    pub fn add(
        &mut self,
        rule: &str,
        severity: Severity,
        place: Option<&str>,
        evidence: impl Into<String>,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.list.push(Remark::Fixed {
            rule: rule.to_owned(),
            severity,
            place: place.map(str::to_owned),
            evidence: evidence.into(),
            cause: cause.into(),
            fix: fix.into(),
        });
    }

    /// Adds the dates of a certificate.
    pub fn dates(&mut self, dates: Dates) {
        self.list.push(Remark::Dates(dates));
    }
}

/// The findings of one file so far.
pub struct Told<'a> {
    file: &'a Path,
    list: Vec<Finding>,
}

impl Told<'_> {
    /// Adds one; `place` is the entry it is about.
    pub fn add(
        &mut self,
        rule: &str,
        severity: Severity,
        place: Option<&str>,
        evidence: impl Into<String>,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let file = self.file.display();
        let target = place.map_or_else(|| file.to_string(), |place| format!("{file}: {place}"));
        self.list.push(Finding {
            rule: rule.to_owned(),
            severity,
            target,
            evidence: evidence.into(),
            cause: cause.into(),
            fix: fix.into(),
        });
    }
}

/// The entry in words: its alias, else its number.
pub fn place(index: usize, entry: &Entry) -> String {
    entry.alias().map_or_else(
        || format!("entry {}", index + 1),
        |alias| format!("entry {alias:?}"),
    )
}

fn broken(found: &mut Found, error: &keystore::ParseError) {
    use keystore::ParseError;
    match error {
        ParseError::NeedsPassword { .. } => found.add(
            "needs-password",
            Severity::Warning,
            None,
            error.to_string(),
            "nothing in it can be listed without its password",
            "--password-file FILE, --password-env VAR or --password-fd N",
        ),
        ParseError::Unsupported { .. } => found.add(
            "unsupported",
            Severity::Warning,
            None,
            error.to_string(),
            "the format is known and cannot be read here: what is in it is unknown",
            "convert it with the tool that wrote it",
        ),
        _ => found.add(
            "damaged",
            Severity::Error,
            None,
            error.to_string(),
            "the file was cut, altered or never complete",
            "put back a backup, or export it again from where it was made",
        ),
    }
}

fn keys(found: &mut Found, looked: &Looked, store: &Store, index: usize, entry: &Entry) {
    let Body::PrivateKey { chain, .. } = entry.body() else {
        return;
    };
    let place = place(index, entry);
    let loose = matches!(store.format(), Format::Pem | Format::Der);
    let opened = looked
        .keys
        .iter()
        .find(|(at, _)| *at == index)
        .map(|(_, key)| key);
    let refusal = looked
        .locked
        .iter()
        .find(|(at, _)| *at == index)
        .map(|(_, why)| why);
    if loose && is_locked_key(entry) && opened.is_none() {
        let protection = entry.protection().unwrap_or_default();
        let why = refusal.map_or_else(String::new, |why| format!(": {why}"));
        found.add(
            "locked-key",
            Severity::Warning,
            Some(&place),
            format!("the private key is encrypted ({protection}){why}"),
            "while it stays locked nobody can say whether it fits a certificate",
            "--key-password-file FILE",
        );
    }
    if let (Some(key), Some(leaf)) = (opened, chain.first())
        && key.matches(leaf) == KeyMatch::Differs
    {
        mismatch(found, &place, leaf);
    }
    if chain.is_empty() {
        without_chain(found, looked, store, &place, opened);
    }
}

fn without_chain(
    found: &mut Found,
    looked: &Looked,
    store: &Store,
    place: &str,
    opened: Option<&keystore::PrivateKey>,
) {
    let locked_part = store
        .notes()
        .iter()
        .any(|note| matches!(note, Note::LockedPart { .. }));
    let loose = matches!(store.format(), Format::Pem | Format::Der);
    let others: Vec<&Certificate> = store
        .entries()
        .iter()
        .filter(|one| is_trusted(one))
        .flat_map(Entry::certificates)
        .collect();
    let differs = |one: &&Certificate| opened.is_some_and(|key| key.matches(one) == KeyMatch::Differs);
    let leaf = others
        .iter()
        .copied()
        .find(|one| !certificates::is_authority(one));
    // Beside a key in a PEM file even an authority's certificate is meant to be the key's own.
    if let Some(leaf) = leaf.or(others.first().copied().filter(|_| loose)).filter(differs) {
        return mismatch(found, place, leaf);
    }
    // A file with nothing but its key is how most programs want it, and its certificate stands elsewhere.
    if loose && others.is_empty() || locked_part && !looked.has_password {
        return;
    }
    found.add(
        "key-without-chain",
        Severity::Warning,
        Some(place),
        "the private key has no certificate here",
        "a program that is told to use it has nothing to present",
        "import the certificate and its chain beside the key",
    );
}

fn is_trusted(entry: &Entry) -> bool {
    matches!(entry.body(), Body::TrustedCert { .. })
}

fn mismatch(found: &mut Found, place: &str, leaf: &Certificate) {
    found.add(
        "key-mismatch",
        Severity::Error,
        Some(place),
        format!(
            "the private key does not belong to {} ({})",
            leaf.subject(),
            super::short(&leaf.sha256())
        ),
        "every handshake with it fails",
        "put the certificate that was issued for this key beside it, or the key of this certificate",
    );
}

fn aliases(found: &mut Found, store: &Store) {
    let mut folded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for alias in store.entries().iter().filter_map(Entry::alias) {
        folded.entry(alias.to_lowercase()).or_default().push(alias);
    }
    for same in folded.values().filter(|same| same.len() > 1) {
        let names: Vec<String> = same.iter().map(|name| format!("{name:?}")).collect();
        let words = if same.iter().all(|name| name == &same[0]) {
            "are equal"
        } else {
            "differ in case only"
        };
        found.add(
            "alias-collision",
            Severity::Warning,
            Some(&format!("entry {}", names[0])),
            format!("the aliases {} {words}", names.join(", ")),
            "Java folds aliases to lower case: only the last of them is reachable there",
            "rename all but one",
        );
    }
}

/// The same certificate under several names. A root that also ends a key's chain is as it should be.
fn duplicates(found: &mut Found, store: &Store) {
    let mut holders: BTreeMap<[u8; 32], Vec<(String, &Certificate)>> = BTreeMap::new();
    for (index, entry) in store.entries().iter().enumerate() {
        if let Body::TrustedCert { certificate, .. } = entry.body() {
            holders
                .entry(certificate.sha256())
                .or_default()
                .push((place(index, entry), certificate));
        }
    }
    for (sha256, same) in holders.iter().filter(|(_, same)| same.len() > 1) {
        let places: Vec<&str> = same.iter().map(|(place, _)| place.as_str()).collect();
        found.add(
            "duplicate-certificate",
            Severity::Warning,
            Some(places[0]),
            format!(
                "{} ({}) stands here {} times: {}",
                same[0].1.subject(),
                super::short(sha256),
                same.len(),
                some(&places)
            ),
            "whoever removes one of them believes it gone while it is still trusted",
            "remove all but one",
        );
    }
}

fn some(places: &[&str]) -> String {
    match places {
        [first @ .., _] if first.len() >= MAX_NAMED => format!("{} …", places[..MAX_NAMED].join(", ")),
        all => all.join(", "),
    }
}

fn reader_notes(found: &mut Found, store: &Store) {
    let collided: BTreeSet<String> = {
        let mut seen = BTreeSet::new();
        let lower = store
            .entries()
            .iter()
            .filter_map(Entry::alias)
            .map(str::to_lowercase);
        lower.filter(|alias| !seen.insert(alias.clone())).collect()
    };
    for note in store.notes() {
        let text = note.to_string();
        match note {
            Note::PasswordExpiry { unix } => found.list.push(Remark::PasswordExpiry(*unix)),
            // The collision was told with all its names.
            Note::ShadowedAlias { alias, .. } if collided.contains(&alias.to_lowercase()) => {}
            Note::LockedPart { .. } => found.add(
                "locked-part",
                Severity::Warning,
                None,
                text,
                "what is in it is unknown",
                "--password-file FILE, --password-env VAR or --password-fd N",
            ),
            Note::GluedMarkers { .. } | Note::IndentedMarker { .. } => found.add(
                "pem-marker",
                Severity::Warning,
                None,
                text,
                "programs with OpenSSL read less out of this file than stands in it",
                "put each marker at the start of a line of its own",
            ),
            Note::UnreachableAlias { .. } | Note::ShadowedAlias { .. } => found.add(
                "unreachable-alias",
                Severity::Warning,
                None,
                text,
                "Java programs do not find the entry",
                "rename it in lower case",
            ),
            _ => found.add(
                "odd",
                Severity::Note,
                None,
                text,
                "real tools ignore it",
                "nothing to do",
            ),
        }
    }
}

fn password_expiry(found: &mut Told<'_>, unix: i64, now: i64) {
    let when = print::local_time(unix);
    let (severity, words) = match unix - now {
        ..=0 => (Severity::Error, "expired"),
        left if left <= certificates::SOON_SECONDS => (Severity::Warning, "expires"),
        _ => (Severity::Note, "expires"),
    };
    found.add(
        "password-expiry",
        severity,
        None,
        format!("the store's password {words} {when}"),
        "GSKit refuses the store from then on (GSKit 107)",
        "change the password without an expiry: gsk8capicmd -keydb -changepw",
    );
}

fn unchecked(found: &mut Found, looked: &Looked, store: &Store) {
    if store.integrity() == Integrity::NotChecked && !looked.has_password {
        found.add(
            "not-checked",
            Severity::Note,
            None,
            "the store was read without its password",
            "whether it was altered is unknown, and keys stay locked",
            "--password-file FILE checks it",
        );
    }
}

fn stash(found: &mut Told<'_>, seen: &Seen, words: &str) {
    found.add(
        "stash-mismatch",
        Severity::Warning,
        None,
        format!("{} {words}", seen.path.with_extension("sth").display()),
        "a program that opens the store by its stash stops at the next start",
        "write the stash again from the store's password: gsk8capicmd -keydb -stashpw",
    );
}

/// Keys and passwords in the clear are for their owner; what is encrypted is only worth a note.
fn readable(found: &mut Told<'_>, seen: &Seen) {
    let clear_key = seen.facts.clear_secret;
    if seen.mode & 0o004 == 0 || !clear_key && !seen.facts.holds_key {
        return;
    }
    let (severity, cause) = if clear_key {
        (
            Severity::Warning,
            "every user of the machine can take the key or password in it",
        )
    } else {
        (
            Severity::Note,
            "every user of the machine can try passwords on the key in it",
        )
    };
    found.add(
        "readable-by-others",
        severity,
        None,
        format!("mode {:04o}", seen.mode),
        cause,
        format!("chmod o-rwx {}", seen.path.display()),
    );
}

fn names(found: &mut Told<'_>, seen: &Seen) {
    let name = seen
        .path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let secret = seen.facts.holds_key || seen.facts.clear_secret;
    let left_over = LEFT_OVER
        .iter()
        .find(|mark| name.ends_with(*mark) || name.contains(&format!("{mark}.")))
        .or_else(|| COPIES.iter().find(|mark| name.contains(*mark)));
    if let (Some(mark), true) = (left_over, secret) {
        found.add(
            "left-over-key",
            Severity::Warning,
            None,
            format!("a key or password in a file whose name bears {:?}", mark.trim()),
            "a copy that nobody rotates, guards or remembers",
            "move it to a safe place, or destroy it",
        );
    }
    let extension = seen
        .path
        .extension()
        .map(|end| end.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let Some((_, formats)) = EXTENSIONS.iter().find(|(end, _)| *end == extension) else {
        return;
    };
    if !formats.contains(&seen.facts.format.as_str()) {
        found.add(
            "extension",
            Severity::Note,
            None,
            format!("named .{extension}, and its content is {}", seen.facts.format),
            "most programs go by the content, some by the name",
            "check the store type that the settings of its program name",
        );
    }
}

const MAX_NAMED: usize = 5;
const LEFT_OVER: [&str; 16] = [
    ".bak", ".backup", ".copy", ".old", ".orig", ".prev", ".save", ".sav", ".swp", ".temp", ".tmp",
    "-backup", "-old", "_backup", "_old", "~",
];
const COPIES: [&str; 3] = [" - copy", "copy of ", "-copy."];

/// What an ending promises.
const EXTENSIONS: &[(&str, &[&str])] = &[
    ("bcfks", &["bcfks"]),
    ("bks", &["bks"]),
    ("cer", &["der", "pem"]),
    ("crl", &["cms-crl", "der", "pem"]),
    ("crt", &["der", "pem"]),
    ("csr", &["der", "pem"]),
    ("der", &["der"]),
    ("jceks", &["jceks"]),
    ("jks", &["jks"]),
    ("kdb", &["cms-kdb"]),
    ("key", &["der", "pem"]),
    ("p12", &["pkcs12"]),
    ("p7b", &["pem", "pkcs7"]),
    ("p7c", &["pem", "pkcs7"]),
    ("pem", &["pem"]),
    ("pfx", &["pkcs12"]),
    ("rdb", &["cms-rdb"]),
    ("sth", &["stash", "wa-password"]),
    ("uber", &["uber"]),
];
