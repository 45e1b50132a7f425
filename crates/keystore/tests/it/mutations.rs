//! No bytes make a reader panic: cuts, flips, lengths, repeats, from a printed seed.

use std::time::{Duration, Instant};

use keystore::{Edit, Limits, Password, Place};

use crate::corpus::{Sample, copied};
use crate::edits::identity;
use crate::random::{self, Random};

#[test]
fn no_cut_makes_a_reader_panic() {
    for sample in small() {
        let step = if sample.bytes.len() > 3000 { 7 } else { 1 };
        for len in (0..sample.bytes.len()).step_by(step) {
            exercise(&sample, &sample.bytes[..len], None);
        }
    }
}

#[test]
fn no_altered_byte_makes_a_reader_panic() {
    let seed = 0xc0ffee;
    println!("seed {seed:#x}");
    let (samples, started) = (small(), Instant::now());
    let (mut inputs, mut read) = (0u32, 0u32);
    let mut random = random::env(seed);
    // Bounded by inputs, and by time on a slow machine.
    while inputs < 60_000 && started.elapsed() < Duration::from_secs(20) {
        let sample = &samples[random.below(samples.len())];
        let mut bytes = sample.bytes.clone();
        for _ in 0..=random.below(3) {
            mutate(&mut bytes, &mut random);
        }
        let password = if random.below(4) == 0 {
            sample.password.clone()
        } else {
            None
        };
        read += u32::from(exercise(sample, &bytes, password.as_ref()));
        inputs += 1;
    }
    println!("{inputs} inputs, {read} were read");
    assert!(read > inputs / 20, "{read} of {inputs} got past the header");
}

/// Reads, lists, edits and writes; whether it was read. Only a panic fails.
fn exercise(sample: &Sample, bytes: &[u8], password: Option<&Password>) -> bool {
    let limits = Limits {
        max_kdf_rounds: 100,
        ..Limits::default()
    };
    let Ok(mut store) = keystore::read(bytes, password, &limits) else {
        return false;
    };
    for entry in store.entries() {
        let _ = (
            entry.alias(),
            entry.kind_name(),
            entry.certificates().len(),
            entry.protection(),
        );
        let _ = entry.unlock(sample.password.as_ref()).is_ok();
        let _ = entry.unlock_secret(sample.password.as_ref()).is_ok();
    }
    let mut random = random::env(bytes.len() as u64);
    let written = store
        .write(None, &mut random.env())
        .expect("an unedited store needs no password");
    assert!(written == bytes, "{}: an unedited store changed", sample.name);
    let certificate = identity("selfie").1[0].clone();
    let edit = Edit::Trust {
        alias: Some("new".to_owned()),
        certificate,
        place: Place::Last,
    };
    let _ = store.edit(&edit, &mut random.env());
    if !store.entries().is_empty() {
        let _ = store.edit(
            &Edit::Rename {
                index: 0,
                alias: "renamed".to_owned(),
            },
            &mut random.env(),
        );
        let _ = store.edit(
            &Edit::Remove {
                index: store.entries().len() / 2,
            },
            &mut random.env(),
        );
    }
    let _ = store.write(sample.password.as_ref(), &mut random.env());
    true
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    // Headers and the first entries matter most.
    let reach = if random.below(2) == 0 {
        bytes.len().min(200)
    } else {
        bytes.len()
    };
    let at = random.below(reach);
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0x81, 0x84, 0xff][random.below(7)],
        2 => bytes[at] = bytes[at].wrapping_add(1),
        3 => bytes.truncate(at),
        4 => {
            let end = (at + 1 + random.below(40)).min(bytes.len());
            bytes.drain(at..end);
        }
        5 => {
            let end = (at + 1 + random.below(40)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        _ => {
            let number = [0u32, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff][random.below(5)].to_be_bytes();
            let end = (at + 4).min(bytes.len());
            bytes[at..end].copy_from_slice(&number[..end - at]);
        }
    }
}

fn small() -> Vec<Sample> {
    let mut samples = copied(&[
        "BKS",
        "BouncyCastle",
        "JKS",
        "CaseExactJKS",
        "JCEKS",
        "PKCS12",
        "PEM",
        "DER",
        "P7B",
    ]);
    samples.retain(|sample| sample.bytes.len() < 12_000);
    assert!(samples.len() > 20);
    samples
}
