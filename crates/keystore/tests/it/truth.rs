//! What Java, BouncyCastle and OpenSSL saw in a store of the corpus, compared with what we see.

use keystore::{Body, Entry, Format, KeyMatch, Password, Store};
use serde_json::Value;
use sha2::Digest;

use crate::corpus::Sample;

/// Compares what we read with what the makers of the corpus read.
pub fn check(sample: &Sample) -> Result<(), String> {
    let store = sample
        .read()
        .map_err(|error| format!("{}: {error}", sample.name))?;
    let truth = sample.truth();
    let differs = |what: &str, ours: &dyn std::fmt::Debug, theirs: &dyn std::fmt::Debug| {
        Err(format!(
            "{}: {what}\n  ours   {ours:?}\n  theirs {theirs:?}",
            sample.name
        ))
    };
    if let Some(wanted) = truth["file_order"]["entries"].as_array() {
        let ours: Vec<_> = store
            .entries()
            .iter()
            .map(|entry| (entry.alias().unwrap_or_default(), entry.created_ms()))
            .collect();
        for (ours, wanted) in ours
            .iter()
            .zip(wanted)
            .take_while(|(_, wanted)| wanted[0] != "...")
        {
            let wanted = (wanted[0].as_str().unwrap_or_default(), wanted[2].as_i64());
            if *ours != wanted {
                return differs("file order", ours, &wanted);
            }
        }
    }
    if truth["java17"]["loads"] == true {
        let theirs = java_rows(&truth["java17"]["entries"]);
        let mut ours = our_java_rows(&store, &truth["java17"]["entries"], &sample.password);
        if sample.format != "PKCS12" {
            let place = |row: &Row| theirs.iter().position(|their| their.alias == row.alias);
            ours.sort_by_key(|row| place(row).unwrap_or(usize::MAX));
        }
        if ours != theirs {
            return differs("java entries", &ours, &theirs);
        }
    }
    if truth["openssl36"]["rc"] == 0 {
        let (ours, theirs) = (
            our_certificates(&store),
            openssl_certificates(&truth["openssl36"]["bags"]),
        );
        if ours != theirs {
            return differs("certificates", &ours, &theirs);
        }
    }
    Ok(())
}

/// One entry, as Java shows it.
#[derive(Debug, PartialEq)]
struct Row {
    alias: String,
    kind: String,
    created_ms: Option<i64>,
    chain: Vec<String>,
    key: Option<String>,
}

fn java_rows(entries: &Value) -> Vec<Row> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |entry: &Value| Row {
        alias: text(&entry["alias"]),
        kind: text(&entry["kind"]),
        created_ms: entry["created_ms"].as_i64(),
        chain: entry["chain"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| text(&row["sha256"]))
            .collect(),
        key: entry["key"]["sha256"].as_str().map(str::to_owned),
    };
    entries.as_array().into_iter().flatten().map(row).collect()
}

/// Our entries as Java would show them: lower case where it folds, the later of two equal names in the
/// place of the first, certificates without its trust mark left out, nameless ones numbered.
fn our_java_rows(store: &Store, truth: &Value, password: &Option<Password>) -> Vec<Row> {
    let folds = store.format().name() == "pkcs12";
    let mut rows: Vec<Row> = Vec::new();
    let mut nameless = 0;
    for entry in store.entries() {
        // Java does not look at plain key bags; OpenSSL and we do.
        if folds && entry.protection().as_deref() == Some("none") {
            continue;
        }
        let kind = match entry.body() {
            Body::PrivateKey { .. } => "PrivateKeyEntry",
            Body::SecretKey { .. } => "SecretKeyEntry",
            Body::TrustedCert { trusted: true, .. } => "trustedCertEntry",
            _ => continue,
        };
        let alias = match entry.alias() {
            Some(alias) if folds => alias.to_lowercase(),
            Some(alias) => alias.to_owned(),
            None => {
                nameless += 1;
                nameless.to_string()
            }
        };
        let theirs = truth
            .as_array()
            .into_iter()
            .flatten()
            .find(|their| their["alias"] == alias.as_str());
        let key_password = theirs
            .and_then(|their| their["key"]["password"].as_str())
            .map(Password::new);
        // What BouncyCastle stored and cannot give back itself, it has no digest of.
        let is_lost_there = theirs.is_some_and(|their| their["key"]["error"].is_string());
        let key = key_digest(entry, key_password.as_ref().or(password.as_ref()));
        // BouncyCastle gives an EC key out in another encoding than it stores.
        let is_encoded_anew = matches!(store.format(), Format::Bcfks | Format::Bks | Format::Uber)
            && theirs.is_some_and(|their| their["key"]["alg"] == "EC")
            && fits_its_certificate(entry, password.as_ref(), key_password.as_ref());
        let theirs_key = theirs
            .and_then(|their| their["key"]["sha256"].as_str())
            .map(str::to_owned);
        let row = Row {
            kind: kind.to_owned(),
            created_ms: entry.created_ms(),
            chain: entry
                .certificates()
                .iter()
                .map(|certificate| hex(&certificate.sha256()))
                .collect(),
            key: if is_encoded_anew || is_lost_there {
                theirs_key
            } else {
                key
            },
            alias,
        };
        match rows.iter_mut().find(|there| there.alias == row.alias) {
            Some(there) => *there = row,
            None => rows.push(row),
        }
    }
    rows
}

fn fits_its_certificate(entry: &Entry, store: Option<&Password>, own: Option<&Password>) -> bool {
    let key = entry.unlock(own.or(store));
    key.is_ok_and(|key| key.matches(&entry.certificates()[0]) == KeyMatch::Matches)
}

fn key_digest(entry: &Entry, password: Option<&Password>) -> Option<String> {
    match entry.body() {
        Body::PrivateKey { .. } => Some(match entry.unlock(password) {
            Ok(key) => hex(&sha2::Sha256::digest(plain_pkcs8(key.pkcs8_der()))),
            Err(_) => return None,
        }),
        Body::SecretKey { .. } => Some(match entry.unlock_secret(password) {
            Ok(key) => hex(&sha2::Sha256::digest(key.raw())),
            Err(_) => return None,
        }),
        _ => None,
    }
}

/// The key as Java encodes it again: version 0, no attributes, no public key.
pub fn plain_pkcs8(der: &[u8]) -> Vec<u8> {
    let mut fields = keystore::der::Der::new(der).sequence("key").expect("a key");
    let mut part = || fields.any("key").expect("a key").full;
    let (_version, algorithm, octets) = (part(), part(), part());
    keystore::der::write_sequence(&[&[2, 1, 0], algorithm, octets])
}

fn our_certificates(store: &Store) -> Vec<String> {
    let all = store.entries().iter().flat_map(|entry| entry.certificates());
    let mut all: Vec<String> = all.map(|certificate| hex(&certificate.sha256())).collect();
    all.sort();
    all.dedup();
    all
}

fn openssl_certificates(bags: &Value) -> Vec<String> {
    let all = bags
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|bag| bag["cert_sha256"].as_str());
    let mut all: Vec<String> = all.map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
