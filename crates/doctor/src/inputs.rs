//! Everything that was handed over, read once: files, stores, settings, texts, connections.

use std::collections::BTreeSet;

use keystore::Format;
use keystore::Password;
use product::workload_automation::conman::Shown;

use crate::capture;
use crate::facts::CertFacts;
use crate::facts::EntryFacts;
use crate::facts::StoreFacts;
use crate::locks;
use crate::locks::Lock;
use crate::settings;
use crate::settings::Element;
use crate::settings::Item;
use crate::settings::Settings;
use crate::settings::SettingsKind;
use crate::text::Text;
use crate::text::conversation::Conversation;
use crate::text::gskit;
use crate::text::keytool;
use crate::text::mqsc;
use crate::text::mqsc::MqObject;
use crate::text::openssl;
use crate::text::optman;
use crate::text::optman::GlobalOption;
use crate::text::probe;
use crate::text::racf;
use crate::text::racf::RacfCertificate;
use crate::text::racf::Ring;

/// One file as it was handed over.
#[derive(Debug, Clone, Default)]
pub struct InputFile {
    /// Its path, parts separated by `/`; the same in every finding.
    pub path: String,
    /// The whole content; empty where it could not be read.
    pub bytes: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Why it could not be read.
    pub unreadable: Option<String>,
}

impl InputFile {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        name_of(&self.path)
    }

    /// Its content as text, where it is text.
    pub fn text(&self) -> Option<String> {
        text_of(&self.bytes)
    }
}

/// The last part of a path of any system.
pub fn name_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Everything before the last part.
pub fn dir_of(path: &str) -> &str {
    path.rfind(['/', '\\']).map_or("", |at| &path[..at])
}

/// Everything that was handed over.
#[derive(Default)]
pub struct Inputs {
    /// The moment, in seconds since 1970.
    pub now: i64,
    /// All files, in the order of their paths.
    pub files: Vec<InputFile>,
    /// Stores, and listings of stores.
    pub stores: Vec<StoreFacts>,
    /// Which passwords were at hand for which store, and whether they fit.
    pub locks: Vec<Lock>,
    /// Settings files.
    pub settings: Vec<Settings>,
    /// Logs and pasted output.
    pub texts: Vec<Text>,
    /// Connections that were seen.
    pub conversations: Vec<Conversation>,
    /// Queue managers and channels.
    pub mq: Vec<MqObject>,
    /// RACF's certificates.
    pub racf: Vec<RacfCertificate>,
    /// RACF's rings.
    pub rings: Vec<Ring>,
    /// Workstations as `conman sc` shows them, with the file.
    pub workstations: Vec<(String, Shown)>,
    /// Global options.
    pub options: Vec<GlobalOption>,
}

impl Inputs {
    /// Reads all files. Passwords lie in `given`, in stashes and in settings among the files.
    ///
    /// Never fails: what cannot be read is a finding of some rule, or nothing we know.
    pub fn gather(mut files: Vec<InputFile>, given: &[Password], now: i64) -> Self {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let mut inputs = Self {
            now,
            ..Self::default()
        };
        for file in &files {
            if let Some(seen) = capture::read(&file.path, &file.bytes) {
                inputs.conversations.extend(seen);
            } else if let Some(text) = file.text() {
                if let Some(seen) = probe::read(&file.path, &text) {
                    inputs.conversations.extend(seen);
                    continue;
                }
                inputs.take_text(file, &text);
            }
        }
        let passwords = locks::passwords(&files, &inputs.settings, given);
        for file in files.iter().filter(|file| is_store(file)) {
            let shown = inputs
                .stores
                .iter()
                .any(|store| store.is_listing && store.file == file.path);
            let spoken = inputs.conversations.iter().any(|seen| seen.file == file.path);
            if !spoken && (!shown || has_certificate(file)) {
                let (store, tried) = locks::open(file, &passwords);
                inputs
                    .stores
                    .retain(|listing| !(listing.file == file.path && listing.format == "x509"));
                inputs.stores.push(store);
                inputs.locks.extend(tried);
            } else if spoken {
                complete(&mut inputs.conversations, file);
            }
        }
        inputs.stores.sort_by(|one, other| one.file.cmp(&other.file));
        inputs.files = files;
        inputs
    }

    fn take_text(&mut self, file: &InputFile, text: &str) {
        let path = file.path.as_str();
        if let Some(read) = settings::read(path, text) {
            self.settings.push(read);
            return;
        }
        let is_pem_only = is_store(file)
            && !text
                .lines()
                .any(|line| SPEAKING.iter().any(|mark| line.contains(mark)));
        if is_pem_only || file.name().ends_with(".sth") {
            return;
        }
        let conversation = openssl::conversation(path, text);
        let listings = [keytool::read(path, text), gskit::read(path, text)];
        self.stores.extend(listings.into_iter().flatten());
        if conversation.is_none() {
            self.stores.extend(openssl::certificates(path, text));
        }
        self.conversations.extend(conversation);
        self.mq.extend(mqsc::read(path, text));
        self.racf.extend(racf::certificates(path, text));
        self.rings.extend(racf::rings(path, text));
        self.options.extend(optman::read(path, text));
        if text.contains("CPUID") || text.contains("MASTERDM") {
            let shown = product::workload_automation::conman::parse(text);
            self.workstations
                .extend(shown.into_iter().map(|shown| (path.to_owned(), shown)));
        }
        self.texts.push(Text::new(path, text));
    }

    /// The last value of a key in all settings files of a kind.
    pub fn setting(&self, kind: SettingsKind, key: &str) -> Option<(&Settings, &Item)> {
        self.settings
            .iter()
            .filter(|settings| settings.kind == kind)
            .filter_map(|settings| Some((settings, settings.last(key)?)))
            .next_back()
    }

    /// All elements of that name in all Liberty files.
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Element<'a>> {
        self.settings
            .iter()
            .filter(|settings| settings.kind == SettingsKind::Liberty)
            .flat_map(move |settings| settings.elements(name))
    }

    /// A Liberty value with `${variables}` filled in, as far as they are among the files.
    pub fn filled(&self, value: &str) -> String {
        let mut text = value.to_owned();
        for _ in 0..MAX_VARIABLES {
            let Some(start) = text.find("${") else { break };
            let Some(end) = text[start..].find('}') else { break };
            let name = &text[start + 2..start + end];
            let known = self
                .elements("variable")
                .filter(|variable| variable.value("name") == Some(name))
                .last()
                .and_then(|variable| variable.value("value").or_else(|| variable.value("defaultValue")));
            let Some(known) = known.map(str::to_owned) else {
                break;
            };
            text.replace_range(start..=start + end, &known);
        }
        text
    }

    /// Stores that a setting of this file, with this path, can mean: of all whose name is the same, those that share
    /// the longest way with it.
    pub fn stores_at(&self, path: &str) -> Vec<&StoreFacts> {
        let close = |store: &&StoreFacts| shared_end(&store.file, path);
        let best = self
            .stores
            .iter()
            .filter(|store| !store.is_listing)
            .map(|store| close(&store))
            .max()
            .unwrap_or(0);
        if best == 0 {
            return Vec::new();
        }
        self.stores
            .iter()
            .filter(|store| !store.is_listing && close(store) == best)
            .collect()
    }

    /// All certificates of all stores and listings, each with where it was seen.
    pub fn certificates(&self) -> impl Iterator<Item = (&StoreFacts, &EntryFacts, &CertFacts)> {
        self.stores
            .iter()
            .flat_map(|store| store.certificates().map(move |(entry, one)| (store, entry, one)))
    }

    /// As [`Inputs::certificates`], each certificate once, where it was seen first.
    pub fn distinct(&self) -> Vec<(&StoreFacts, &EntryFacts, &CertFacts)> {
        let mut known = BTreeSet::new();
        self.certificates()
            .filter(|(_, _, one)| one.sha256.as_ref().is_none_or(|print| known.insert(print)))
            .collect()
    }

    /// Whether any log or pasted output has all the parts of any of the patterns.
    pub fn says(&self, patterns: &[&str]) -> bool {
        patterns.iter().any(|pattern| {
            self.texts
                .iter()
                .any(|text| text.speaking_of(pattern).next().is_some())
        })
    }
}

/// How many parts at the end of two paths are the same.
pub fn shared_end(one: &str, other: &str) -> usize {
    let split = |path: &str| -> Vec<String> {
        path.split(['/', '\\'])
            .filter(|part| !part.is_empty())
            .rev()
            .map(str::to_owned)
            .collect()
    };
    let (one, other) = (split(one), split(other));
    one.iter().zip(&other).take_while(|(a, b)| a == b).count()
}

/// Puts the certificates that stand in the text of a conversation in the place of their names.
fn complete(conversations: &mut [Conversation], file: &InputFile) {
    let Ok(read) = keystore::read(&file.bytes, None, &keystore::Limits::default()) else {
        return;
    };
    let found: Vec<CertFacts> = read
        .entries()
        .iter()
        .flat_map(keystore::Entry::certificates)
        .map(CertFacts::of)
        .collect();
    for seen in conversations.iter_mut().filter(|seen| seen.file == file.path) {
        for sent in &mut seen.sent {
            if let Some(full) = found.iter().find(|full| full.subject.same(&sent.subject)) {
                *sent = full.clone();
            }
        }
        if seen.sent.is_empty() {
            seen.sent = found.clone();
        }
    }
}

fn is_store(file: &InputFile) -> bool {
    match keystore::sniff(&file.bytes) {
        None | Some(Format::Stash) => false,
        Some(_) => true,
    }
}

fn has_certificate(file: &InputFile) -> bool {
    keystore::read(&file.bytes, None, &keystore::Limits::default()).is_ok_and(|store| {
        store
            .entries()
            .iter()
            .any(|entry| !entry.certificates().is_empty())
    })
}

fn text_of(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> = rest
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        _ => {
            let binary =
                |byte: &u8| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c | 0x1b | 0x08);
            if bytes.iter().take(4096).filter(|byte| binary(byte)).count() > 0 {
                return None;
            }
            String::from_utf8_lossy(bytes).into_owned()
        }
    };
    (!text.is_empty()).then_some(text)
}

/// What makes a text with PEM blocks more than a PEM file.
const SPEAKING: [&str; 10] = [
    "CONNECTED(",
    "Verify return code",
    "verify error",
    "Certificate chain",
    "Alias name:",
    "Certificate:",
    "Label :",
    "SSL routines",
    "alert ",
    "Entry,",
];
const MAX_VARIABLES: usize = 16;
