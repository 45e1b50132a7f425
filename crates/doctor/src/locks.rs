//! Which passwords are at hand, and which store each of them opens.

use keystore::Body;
use keystore::Entry;
use keystore::Integrity;
use keystore::Limits;
use keystore::ParseError;
use keystore::Password;
use keystore::Store;

use crate::facts;
use crate::facts::StoreFacts;
use crate::inputs::InputFile;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::settings::Settings;
use crate::settings::SettingsKind;

/// A password that was meant for a store, and whether it opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The store.
    pub store: String,
    /// Where the password was taken from.
    pub source: Source,
    /// Whether it opens the store.
    pub fits: bool,
}

/// Where a password was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// What a product gives its stores where nobody says otherwise. Not opening with it is no fault.
    Default,
    /// By the person who asks.
    Given,
    /// A setting that names the store.
    Setting {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
    },
    /// A stash that belongs to the store by its name.
    Stash {
        /// The file.
        file: String,
    },
    /// A password file of the product that lies in the same directory.
    Beside {
        /// The file.
        file: String,
    },
}

/// A password and where it was found.
pub struct Found {
    password: Password,
    source: Source,
    /// The name of the store a setting names.
    names: Option<String>,
}

/// Of Java, of Workload Automation, of WebSphere (their documentation).
const DEFAULTS: [&str; 3] = ["changeit", "default", "WebAS"];

/// All passwords among the files, and those given.
pub fn passwords(files: &[InputFile], settings: &[Settings], given: &[Password]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for file in files {
        if let Some(password) = stashed(file) {
            let own = !["tls.sth", "password.sth"].contains(&file.name());
            let path = file.path.clone();
            found.push(Found {
                password,
                source: if own {
                    Source::Stash { file: path }
                } else {
                    Source::Beside { file: path }
                },
                names: None,
            });
        }
    }
    for settings in settings {
        found.extend(configured(settings, settings_of(settings)));
    }
    found.extend(given.iter().map(|password| Found {
        password: password.clone(),
        source: Source::Given,
        names: None,
    }));
    found.extend(DEFAULTS.iter().map(|password| Found {
        password: Password::new(*password),
        source: Source::Default,
        names: Some(String::new()),
    }));
    found
}

fn stashed(file: &InputFile) -> Option<Password> {
    let name = file.name();
    if name.ends_with(".pwd") {
        return Some(Password::new(file.bytes.trim_ascii()));
    }
    let is_stash = name.ends_with(".sth") || keystore::sniff(&file.bytes) == Some(keystore::Format::Stash);
    if !is_stash {
        return None;
    }
    keystore::read_stash(&file.bytes)
        .map(|(password, _)| password)
        .ok()
        .or_else(|| keystore::read_wa_password(&file.bytes).ok())
}

/// `(key that names the store, key of its password)` by kind of file.
fn settings_of(settings: &Settings) -> &'static [(&'static str, &'static str)] {
    match settings.kind {
        SettingsKind::Liberty => &[
            ("location", "password"),
            ("keystoreFile", "keystorePass"),
            ("certificateKeystoreFile", "certificateKeystorePassword"),
        ],
        SettingsKind::Properties | SettingsKind::Environment => &[
            ("keystore.location", "keystore.password"),
            ("truststore.location", "truststore.password"),
            ("javax.net.ssl.keyStore", "javax.net.ssl.keyStorePassword"),
            ("javax.net.ssl.trustStore", "javax.net.ssl.trustStorePassword"),
            ("ssl.keystore.location", "ssl.keystore.password"),
            ("ssl.truststore.location", "ssl.truststore.password"),
            ("server.ssl.key-store", "server.ssl.key-store-password"),
            ("server.ssl.trust-store", "server.ssl.trust-store-password"),
        ],
        _ => &[],
    }
}

fn configured(settings: &Settings, pairs: &[(&str, &str)]) -> Vec<Found> {
    let mut found = Vec::new();
    for (place, secret) in pairs {
        for item in settings
            .items
            .iter()
            .filter(|item| item.key.eq_ignore_ascii_case(secret))
        {
            let Ok(password) = keystore::read_xor(&item.value) else {
                continue;
            };
            if item.value.starts_with("${") {
                continue;
            }
            let named = settings
                .items
                .iter()
                .find(|other| other.section == item.section && other.key.eq_ignore_ascii_case(place));
            found.push(Found {
                password,
                source: Source::Setting {
                    file: settings.file.clone(),
                    line: item.line,
                },
                names: Some(named.map_or_else(String::new, |named| name_of(&named.value).to_owned())),
            });
        }
    }
    // Variables of Liberty and of containers that hold a password by their name.
    for item in &settings.items {
        let is_variable = item.section.starts_with("variable#") && item.key == "value";
        let named = settings.items.iter().any(|other| {
            other.section == item.section
                && other.key == "name"
                && other.value.to_lowercase().contains("pass")
        });
        if is_variable
            && named
            && let Ok(password) = keystore::read_xor(&item.value)
        {
            found.push(Found {
                password,
                source: Source::Setting {
                    file: settings.file.clone(),
                    line: item.line,
                },
                names: Some(String::new()),
            });
        }
    }
    found
}

/// Reads a store with the passwords at hand: first those that are meant for it, then the others.
pub fn open(file: &InputFile, passwords: &[Found]) -> (StoreFacts, Vec<Lock>) {
    let limits = Limits::default();
    let format = keystore::sniff(&file.bytes).map_or("unknown", keystore::Format::name);
    let without = keystore::read(&file.bytes, None, &limits);
    let mut tried = Vec::new();
    let mut opened: Option<(Store, &Password)> = None;
    let needs = needs_password(&without);
    let (meant, others): (Vec<&Found>, Vec<&Found>) =
        passwords.iter().partition(|found| is_meant(found, file));
    let rounds = meant
        .iter()
        .map(|found| (true, *found))
        .chain(others.iter().map(|found| (false, *found)));
    for (is_meant, found) in rounds.filter(|_| needs).take(MAX_TRIED) {
        if !is_meant && opened.is_some() {
            break;
        }
        let read = keystore::read(&file.bytes, Some(&found.password), &limits);
        let fits = read.as_ref().is_ok_and(|store| opens(store, &found.password));
        if is_meant && !broken_anyway(&read) {
            tried.push(Lock {
                store: file.path.clone(),
                source: found.source.clone(),
                fits,
            });
        }
        if fits && opened.is_none() {
            opened = read.ok().map(|store| (store, &found.password));
        }
    }
    let facts = store_facts(file, format, without, opened);
    (facts, tried)
}

/// A store whose bytes are broken opens with no password: that is no fault of the password.
fn broken_anyway(read: &Result<Store, ParseError>) -> bool {
    read.as_ref().is_err_and(|error| {
        !matches!(
            error,
            ParseError::BadMac { .. } | ParseError::WrongPassword { .. }
        )
    })
}

fn store_facts(
    file: &InputFile,
    format: &'static str,
    without: Result<Store, ParseError>,
    opened: Option<(Store, &Password)>,
) -> StoreFacts {
    let is_opened = opened.is_some();
    let password = opened.as_ref().map(|(_, password)| *password);
    let (store, broken) = match (opened.as_ref().map(|(store, _)| store), &without) {
        (Some(store), _) => (Some(store), None),
        (None, Ok(store)) => (Some(store), None),
        (None, Err(error)) => (None, Some(error.clone())),
    };
    let mut facts = StoreFacts {
        file: file.path.clone(),
        format,
        is_listing: false,
        entries: Vec::new(),
        broken,
        notes: store.map(|store| store.notes().to_vec()).unwrap_or_default(),
        integrity: store.map(Store::integrity),
        is_opened,
    };
    let Some(store) = store else { return facts };
    for (index, entry) in store.entries().iter().enumerate() {
        let locked = is_locked(entry);
        let key = matches!(entry.body(), Body::PrivateKey { .. } | Body::Request { .. })
            .then(|| entry.unlock(if locked { password } else { None }).ok())
            .flatten();
        facts
            .entries
            .push(facts::entry(entry, store.default_entry() == Some(index), key));
    }
    facts
}

/// By its name, by lying beside it, by the setting that names it, or by the person who asks.
fn is_meant(found: &Found, file: &InputFile) -> bool {
    match &found.source {
        Source::Default | Source::Given => false,
        Source::Setting { .. } => found
            .names
            .as_deref()
            .is_some_and(|name| !name.is_empty() && name == file.name()),
        Source::Stash { file: stash } => {
            stem(stash) == stem(&file.path) || stash.strip_suffix(".pwd") == Some(&file.path)
        }
        Source::Beside { file: stash } => dir_of(stash) == dir_of(&file.path) && is_agents(file),
    }
}

/// Files that the product's agents open by `tls.sth` or `password.sth`.
fn is_agents(file: &InputFile) -> bool {
    let name = file.name();
    ["tls.", "TWSClient"].iter().any(|start| name.starts_with(start))
        && [".key", ".p12", ".pem"].iter().any(|end| name.ends_with(end))
        && !name.contains("Trust")
}

fn stem(path: &str) -> &str {
    let name_at = dir_of(path).len();
    path[name_at..]
        .rfind('.')
        .map_or(path, |dot| &path[..name_at + dot])
}

fn needs_password(without: &Result<Store, ParseError>) -> bool {
    match without {
        Ok(store) => {
            store.integrity() != Integrity::Absent
                || store.entries().iter().any(is_locked)
                || store
                    .notes()
                    .iter()
                    .any(|note| matches!(note, keystore::Note::LockedPart { .. }))
        }
        Err(error) => matches!(
            error,
            ParseError::NeedsPassword { .. } | ParseError::BadMac { .. } | ParseError::WrongPassword { .. }
        ),
    }
}

fn opens(store: &Store, password: &Password) -> bool {
    let locked: Vec<&Entry> = store.entries().iter().filter(|entry| is_locked(entry)).collect();
    store.integrity() == Integrity::Verified
        || locked.is_empty()
        || locked.iter().any(|entry| entry.unlock(Some(password)).is_ok())
}

/// A private key that opens with a password only.
pub fn is_locked(entry: &Entry) -> bool {
    let is_key = matches!(entry.body(), Body::PrivateKey { .. } | Body::Request { .. });
    is_key && entry.protection().is_some_and(|words| words != "none")
}

/// Derivations are slow on purpose; more passwords than this lie in no one's directory.
const MAX_TRIED: usize = 24;
