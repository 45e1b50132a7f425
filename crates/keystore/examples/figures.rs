//! Prints what reading costs: `cargo run --release -p keystore --example figures`. Figures, not a test; `bench/keystores.py`
//! puts them beside those of Java.
//!
//! | words | what is printed |
//! |---|---|
//! | `load FILE PASSWORD RUNS` | median of one reading, in microseconds, and the number of entries |
//! | `open FILE PASSWORD RUNS` | the same for a PKCS#12 file beside the derivations that its `PBES2` and MAC ask for alone |
//! | `parse FILE RUNS` | megabytes of DER certificates a second |
//! All times are those that this thread had a core, so that other programs on the machine count little.
#![expect(clippy::disallowed_methods, reason = "files, to read")]

use std::time::Duration;

use hmac::Hmac;
use keystore::{Certificate, Limits, Password};
use sha2::{Digest, Sha256};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["load", file, password, runs] => load(&read(file), &Password::new(*password), count(runs)),
        ["open", file, password, runs] => open(&read(file), password, count(runs)),
        ["parse", file, runs] => parse(&read(file), count(runs)),
        _ => println!("load FILE PASSWORD RUNS | open FILE PASSWORD RUNS | parse FILE RUNS"),
    }
}

fn load(bytes: &[u8], password: &Password, runs: usize) {
    let mut entries = 0;
    let took = median(runs, || {
        let store =
            keystore::read(bytes, Some(password), &Limits::default()).expect("the file and its password");
        entries = store.entries().len();
    });
    println!("{} {entries}", micros(took));
}

/// The store is read, its first key opened; beside it PBKDF2 for the certificates and for the key, and the derivation of
/// the MAC, each with 10,000 rounds as Java 17 writes them. Taken in turn, so that both see the same machine.
fn open(bytes: &[u8], password: &str, runs: usize) {
    let secret = Password::new(password);
    let (mut whole, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        whole.push(once(|| {
            let store =
                keystore::read(bytes, Some(&secret), &Limits::default()).expect("the file and its password");
            let key = store
                .entries()
                .iter()
                .find_map(|entry| entry.unlock(Some(&secret)).ok());
            assert!(key.is_some(), "the store has a key");
        }));
        alone.push(once(|| {
            for salt in [[1; 20], [2; 20]] {
                let mut key = [0; 32];
                pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), &salt, ROUNDS, &mut key)
                    .expect("any key");
                std::hint::black_box(key);
            }
            std::hint::black_box(mac_key(password));
        }));
    }
    let (whole, alone) = (middle(&mut whole), middle(&mut alone));
    let ratio = whole.as_secs_f64() / alone.as_secs_f64();
    println!("{} {} {ratio:.3}", micros(whole), micros(alone));
}

/// RFC 7292 B.2 for 32 bytes: one block of salt, one of password.
fn mac_key(password: &str) -> [u8; 32] {
    let mut wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    wide.extend([0, 0]);
    let wide: Vec<u8> = wide.iter().copied().cycle().take(64).collect();
    let mut key: [u8; 32] = Sha256::digest([&[3; 64][..], &[5; 64], &wide].concat()).into();
    for _ in 1..ROUNDS {
        key = Sha256::digest(key).into();
    }
    key
}

fn parse(bytes: &[u8], runs: usize) {
    let store = keystore::read(bytes, None, &Limits::default()).expect("a store that is not encrypted");
    let certificates: Vec<Vec<u8>> = store
        .entries()
        .iter()
        .flat_map(|entry| entry.certificates())
        .map(|certificate| certificate.der().to_vec())
        .collect();
    let total: usize = certificates.iter().map(Vec::len).sum();
    let took = median(runs, || {
        for der in &certificates {
            std::hint::black_box(Certificate::parse(der).expect("it was parsed before"));
        }
    });
    let speed = total as f64 / took.as_secs_f64() / 1e6;
    println!(
        "{speed:.0} {} {}",
        certificates.len(),
        total / certificates.len().max(1)
    );
}

fn median(runs: usize, mut act: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs).map(|_| once(&mut act)).collect();
    middle(&mut times)
}

fn once(mut act: impl FnMut()) -> Duration {
    let before = on_a_core();
    act();
    on_a_core().saturating_sub(before)
}

/// What Linux says of this thread, in nanoseconds.
fn on_a_core() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux that counts");
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

fn read(file: &str) -> Vec<u8> {
    std::fs::read(file).expect("a file to read")
}

fn count(word: &str) -> usize {
    word.parse::<usize>().expect("a number of runs").max(1)
}

const ROUNDS: u32 = 10_000;
