//! After one entry is added, removed or renamed, the bytes of every other entry occur unchanged in the new file.
//!
//! Where an entry begins and ends is found here by means of its own, not by the readers under test.

use keystore::{CmsVersion, Edit, Entry, Format, Limits, Password, Place, SecretKey, Store};

use crate::corpus::samples;
use crate::edits::identity;
use crate::made;
use crate::random::{self, Random};

#[test]
fn other_entries_of_made_stores_keep_their_bytes() {
    let seed = 0x0b5e;
    println!("seed {seed:#x}");
    let mut random = random::env(seed);
    for format in [
        Format::Jks,
        Format::Jceks,
        Format::Bks,
        Format::Pem,
        Format::CmsKdb,
    ] {
        for _ in 0..25 {
            let bytes = made_store(format, &mut random);
            for kind in [Kind::Added, Kind::Removed, Kind::Renamed] {
                check(format.name(), &bytes, Some(&password()), kind, &mut random);
            }
        }
    }
}

#[test]
fn other_entries_of_other_tools_stores_keep_their_bytes() {
    let seed = 0x0b5f;
    println!("seed {seed:#x}");
    let mut random = random::env(seed);
    let mut checked = 0;
    for sample in samples(&["JKS", "CaseExactJKS", "JCEKS", "BKS", "BKS-V1", "PEM"]) {
        for kind in [Kind::Added, Kind::Removed, Kind::Renamed] {
            checked += usize::from(check(
                &sample.name,
                &sample.bytes,
                sample.password.as_ref(),
                kind,
                &mut random,
            ));
        }
    }
    for name in ["v3.kdb", "v4.kdb", "v6.kdb", "odd-slot.kdb"] {
        for kind in [Kind::Added, Kind::Removed, Kind::Renamed] {
            checked += usize::from(check(
                name,
                &made::own(name),
                Some(&made::password()),
                kind,
                &mut random,
            ));
        }
    }
    println!("{checked} edits");
    assert!(checked > 60, "only {checked} edits");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    Renamed,
}

/// Says whether the edit was possible at all.
#[track_caller]
fn check(name: &str, bytes: &[u8], password: Option<&Password>, kind: Kind, random: &mut Random) -> bool {
    let store = keystore::read(bytes, password, &Limits::default()).unwrap();
    let parts = parts(&store, bytes);
    let touched = random.below(store.entries().len().max(1));
    let Some(edit) = edit(&store, kind, touched, random) else {
        return false;
    };
    let mut edited = store.clone();
    // Stores without a password cannot be written, and an empty PKCS#7 block cannot lose a certificate.
    if edited.edit(&edit, &mut random.env()).is_err() {
        return false;
    }
    let Ok(written) = edited.write(None, &mut random.env()) else {
        return false;
    };
    for (number, part) in parts.iter().enumerate() {
        if kind != Kind::Added && part.entries.contains(&touched) {
            continue;
        }
        assert!(
            contains(&written, &part.bytes),
            "{name}: {kind:?} entry {touched}: part {number} of {} changed its bytes",
            parts.len()
        );
    }
    true
}

fn edit(store: &Store, kind: Kind, touched: usize, random: &mut Random) -> Option<Edit> {
    let has_names = store.format() != Format::Pem;
    match kind {
        Kind::Added if random.below(2) == 0 && store.format() != Format::CmsKdb => {
            let (key, chain) = identity("client");
            Some(Edit::PutKey {
                alias: has_names.then(|| "brand new".to_owned()),
                key,
                chain,
                key_password: None,
                place: [Place::First, Place::Last][random.below(2)],
            })
        }
        Kind::Added => Some(Edit::Trust {
            alias: has_names.then(|| "brand new".to_owned()),
            certificate: made::filler(7777),
            place: [Place::First, Place::Last][random.below(2)],
        }),
        Kind::Removed if store.entries().is_empty() => None,
        Kind::Removed => Some(Edit::Remove { index: touched }),
        Kind::Renamed if !has_names || store.entries().is_empty() => None,
        Kind::Renamed => Some(Edit::Rename {
            index: touched,
            alias: "anöther näme that is longer".to_owned(),
        }),
    }
}

/// A run of bytes, and the entries it belongs to.
struct Part {
    bytes: Vec<u8>,
    entries: Vec<usize>,
}

fn parts(store: &Store, bytes: &[u8]) -> Vec<Part> {
    match store.format() {
        Format::Pem => blocks(store, bytes),
        Format::CmsKdb => slots(store, bytes),
        _ => java_entries(store, bytes),
    }
}

/// Each entry starts with its tag, its name and its date, and ends where the next one starts.
fn java_entries(store: &Store, bytes: &[u8]) -> Vec<Part> {
    let is_bks = store.format() == Format::Bks;
    let mut starts = Vec::new();
    let mut from = 0;
    for entry in store.entries() {
        let name = modified_utf8(entry.alias().unwrap());
        let mut head = (name.len() as u16).to_be_bytes().to_vec();
        head.extend_from_slice(&name);
        head.extend_from_slice(&entry.created_ms().unwrap().to_be_bytes());
        let at = from + find(&bytes[from..], &head).expect("the head of the entry is in the file");
        starts.push(at - if is_bks { 1 } else { 4 });
        from = at + head.len();
    }
    let last = last_end(store, bytes, from);
    let ends = starts.iter().skip(1).copied().chain([last]);
    let runs = starts.iter().zip(ends).enumerate();
    runs.map(|(index, (start, end))| Part {
        bytes: bytes[*start..end].to_vec(),
        entries: vec![index],
    })
    .collect()
}

/// Before the digest, or the zero and the MAC; bytes behind these are said by a note.
fn last_end(store: &Store, bytes: &[u8], from: usize) -> usize {
    let after = store.notes().iter().find_map(|note| match note {
        keystore::Note::BytesAfterEnd { offset, .. } => Some(*offset),
        _ => None,
    });
    let tail = if store.format() == Format::Bks { 21 } else { 20 };
    (after.unwrap_or(bytes.len()) - tail).max(from)
}

/// A slot belongs to the entry whose certificate or name it holds; free slots belong to nobody and may be filled.
fn slots(store: &Store, bytes: &[u8]) -> Vec<Part> {
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (size, count) = (word(0x10), word(0x14));
    let start = bytes.len() - size * count;
    let used = bytes[start..]
        .chunks(size)
        .filter(|slot| slot[..4] == [0, 0, 0, 1]);
    let parts: Vec<Part> = used
        .enumerate()
        .map(|(index, slot)| Part {
            bytes: slot.to_vec(),
            entries: vec![index],
        })
        .collect();
    assert_eq!(parts.len(), store.entries().len());
    parts
}

/// Text from BEGIN to END; it belongs to every entry that has its certificate, else to the entries with a key.
fn blocks(store: &Store, bytes: &[u8]) -> Vec<Part> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut parts = Vec::new();
    for piece in text.split("-----BEGIN ").skip(1) {
        let Some(end) = piece.find("-----END ") else {
            continue;
        };
        let raw = format!("-----BEGIN {}", &piece[..end]);
        let alone = keystore::read(
            format!("{raw}-----END {}", &piece[end + 9..]).as_bytes(),
            None,
            &Limits::default(),
        );
        let certificates = alone
            .iter()
            .flat_map(Store::entries)
            .flat_map(Entry::certificates)
            .cloned();
        let certificates: Vec<_> = certificates.collect();
        let owns = |entry: &Entry| {
            if certificates.is_empty() {
                !matches!(entry.kind_name(), "trusted-cert")
            } else {
                certificates.iter().any(|one| entry.certificates().contains(one))
            }
        };
        let owners = store
            .entries()
            .iter()
            .enumerate()
            .filter(|(_, entry)| owns(entry));
        parts.push(Part {
            bytes: raw.into_bytes(),
            entries: owners.map(|(index, _)| index).collect(),
        });
    }
    parts
}

fn made_store(format: Format, random: &mut Random) -> Vec<u8> {
    let mut store = match format {
        Format::CmsKdb => {
            let versions = [CmsVersion::V3, CmsVersion::V4, CmsVersion::V6];
            Store::empty_cms(versions[random.below(3)])
        }
        format => Store::empty(format).unwrap(),
    };
    if format == Format::CmsKdb {
        let set = Edit::SetPassword {
            old: None,
            new: password(),
        };
        store.edit(&set, &mut random.env()).unwrap();
    }
    let mut keys = 0;
    for number in 0..random.below(9) {
        let alias =
            Some(format!("entry {number}{}", "ü".repeat(random.below(4)))).filter(|_| format != Format::Pem);
        let place = [Place::First, Place::Last][random.below(2)];
        let edit = match random.below(4) {
            0 if keys < 2 && format == Format::CmsKdb => {
                keys += 1;
                made::put(
                    &alias.unwrap(),
                    &made::identity(["client", "client ec"][keys - 1]),
                )
            }
            0 if keys < 2 => {
                keys += 1;
                let (key, chain) = identity(["server", "selfie"][keys - 1]);
                Edit::PutKey {
                    alias,
                    key,
                    chain,
                    key_password: None,
                    place,
                }
            }
            1 if keys < 2 && matches!(format, Format::Jceks | Format::Bks) => {
                keys += 1;
                let key = SecretKey::new("AES", vec![number as u8; 32]);
                Edit::PutSecret {
                    alias,
                    key,
                    key_password: None,
                    place,
                }
            }
            _ => Edit::Trust {
                alias,
                certificate: made::filler(number),
                place,
            },
        };
        store.edit(&edit, &mut random.env()).unwrap();
    }
    let bytes = store.write(Some(&password()), &mut random.env()).unwrap();
    if bytes.is_empty() {
        // A PEM file without blocks is an empty file, which is none.
        return made_store(format, random);
    }
    bytes
}

fn modified_utf8(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for unit in text.encode_utf16() {
        match unit {
            1..=0x7f => bytes.push(unit as u8),
            0 | 0x80..=0x7ff => bytes.extend([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8]),
            _ => bytes.extend([
                0xe0 | (unit >> 12) as u8,
                0x80 | (unit >> 6 & 0x3f) as u8,
                0x80 | (unit & 0x3f) as u8,
            ]),
        }
    }
    bytes
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

fn password() -> Password {
    Password::new("changeit")
}
