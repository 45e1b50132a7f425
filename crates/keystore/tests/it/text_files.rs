//! What other readers saw in a PEM, DER or PKCS#7 file of the corpus, compared with what we see.

use keystore::{Body, Certificate, Entry, KeyMatch, Limits, Password, PrivateKey, Store};
use serde_json::Value;
use sha2::Digest;

use crate::corpus::{Sample, samples};

/// Compares what we read with what the makers of the corpus read.
pub fn check(sample: &Sample, store: &Store) -> Result<(), String> {
    let check = match sample.format.as_str() {
        "DER" => check_der,
        "P7B" => check_pkcs7,
        _ => check_pem,
    };
    check(sample, store, &sample.truth())
}

/// Blocks may lie in any order and a key takes its chain out of it, so certificates are compared as a set.
fn check_pem(sample: &Sample, store: &Store, truth: &Value) -> Result<(), String> {
    let blocks = truth["blocks"].as_array().ok_or("no blocks in the truth")?;
    let theirs: Vec<&Value> = blocks
        .iter()
        .map(|block| &block["cert"])
        .filter(|cert| cert.is_object())
        .collect();
    same_certificates(&all_certificates(store), &theirs)?;
    let keys: Vec<&Value> = blocks
        .iter()
        .map(|block| &block["key"])
        .filter(|key| key.is_object())
        .collect();
    let ours: Vec<&Entry> = store
        .entries()
        .iter()
        .filter(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
        .collect();
    for (their, our) in keys.iter().zip(&ours) {
        same_key(our, their, sample)?;
    }
    match keys.len() == ours.len() {
        true => Ok(()),
        false => Err(format!("{} keys, theirs {}", ours.len(), keys.len())),
    }
}

fn check_der(sample: &Sample, store: &Store, truth: &Value) -> Result<(), String> {
    let truth = &truth["der"];
    let entry = &store.entries()[0];
    match truth["kind"].as_str().ok_or("no kind")? {
        "certificate" => same_certificates(&all_certificates(store), &[&truth["cert"]]),
        "public key" => match entry.body() {
            Body::Opaque { what } if what == "public key" => Ok(()),
            _ => Err(format!("{entry:?}")),
        },
        kind if kind.contains("key") => {
            let key = if truth["key"].is_object() {
                &truth["key"]
            } else {
                truth
            };
            same_key(entry, key, sample)
        }
        other => Err(format!("{other} {truth}")),
    }
}

fn check_pkcs7(_sample: &Sample, store: &Store, truth: &Value) -> Result<(), String> {
    let theirs: Vec<&Value> = truth["pkcs7"]["certs"]
        .as_array()
        .ok_or("no certs")?
        .iter()
        .collect();
    let ours = all_certificates(store);
    for (our, their) in ours.iter().zip(&theirs) {
        if hex(&our.sha256()) != their["sha256"] {
            return Err("other order".to_owned());
        }
    }
    same_certificates(&ours, &theirs)
}

fn all_certificates(store: &Store) -> Vec<Certificate> {
    store
        .entries()
        .iter()
        .flat_map(|entry| entry.certificates().to_vec())
        .collect()
}

fn same_certificates(ours: &[Certificate], theirs: &[&Value]) -> Result<(), String> {
    let mut ours: Vec<Vec<String>> = ours.iter().map(our_row).collect();
    let mut theirs: Vec<Vec<String>> = theirs.iter().map(|their| their_row(their)).collect();
    ours.sort();
    theirs.sort();
    if ours == theirs {
        return Ok(());
    }
    let differing = ours.iter().zip(&theirs).find(|(our, their)| our != their);
    Err(format!(
        "{} certificates, theirs {}: {differing:?}",
        ours.len(),
        theirs.len()
    ))
}

fn our_row(certificate: &Certificate) -> Vec<String> {
    vec![
        hex(&certificate.sha256()),
        certificate.subject().to_string(),
        certificate.issuer().to_string(),
        certificate.serial_hex(),
        date(certificate.validity().not_after),
        hex(&certificate.spki_sha256()),
    ]
}

fn their_row(truth: &Value) -> Vec<String> {
    [
        "sha256",
        "subject",
        "issuer",
        "serial_hex",
        "not_after",
        "spki_sha256",
    ]
    .iter()
    .map(|field| truth[field].as_str().unwrap_or_default().to_owned())
    .collect()
}

fn same_key(entry: &Entry, truth: &Value, sample: &Sample) -> Result<(), String> {
    let password = truth["password"].as_str().map(Password::new);
    let key = match entry.unlock(password.as_ref()) {
        Ok(key) => key,
        Err(error) => return Err(format!("{error}")),
    };
    let spki = truth["spki_sha256"]
        .as_str()
        .ok_or(format!("no spki in {truth}"))?;
    let leaf = entry.certificates().first();
    if leaf.is_some_and(|leaf| hex(&leaf.spki_sha256()) != spki) {
        return Err("the chain is another key's".to_owned());
    }
    let pkcs8 = hex(&sha2::Sha256::digest(key.pkcs8_der()));
    let is_same = truth["pkcs8_sha256_reencoded"] == pkcs8.as_str();
    if !is_same && !REENCODED_DIFFERENTLY.contains(&sample.name.as_str()) {
        return Err(format!("PKCS#8 {pkcs8} for {}", key.kind_name()));
    }
    Ok(())
}

/// Files whose PKCS#8 the truth's reader writes in another form.
const REENCODED_DIFFERENTLY: &[&str] = &[];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970 as `2035-12-30T00:00:00Z`.
fn date(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (mut year, mut left) = (1970, days);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [
        31,
        28 + i64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!(
        "{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        month + 1,
        left + 1
    )
}

/// Keys of the corpus against its certificates.
#[test]
fn a_key_matches_its_own_certificate_and_no_other() {
    let samples = samples(&["PEM"]);
    let find = |name: &str| samples.iter().find(|sample| sample.name == name);
    let Some(bundle) = find("bundle-keyfirst.pem") else {
        println!("SKIPPED: bundle-keyfirst.pem is not there");
        return;
    };
    let store = keystore::read(&bundle.bytes, bundle.password.as_ref(), &Limits::default()).unwrap();
    let entry = &store.entries()[0];
    let key: PrivateKey = entry.unlock(bundle.password.as_ref()).unwrap();
    let chain = entry.certificates();
    assert!(chain.len() > 1);
    assert_eq!(key.matches(&chain[0]), KeyMatch::Matches);
    assert_eq!(key.matches(&chain[1]), KeyMatch::Differs);
}
