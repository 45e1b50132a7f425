//! Where altered files begin: the samples beside the tests, and all of the corpus where it lies beside the workspace.

use std::path::{Path, PathBuf};

use keystore::Format;

/// A file to begin with.
pub struct Seed {
    /// Its path.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where it has lengths and tags.
    pub marks: Vec<usize>,
}

/// The seeds of one target; files above 24 KiB are left out, as many small inputs find more than few large ones.
pub fn of_target(target: &str, all: &[Seed]) -> Vec<usize> {
    let fits = |seed: &Seed| {
        let format = keystore::sniff(&seed.bytes);
        seed.bytes.len() <= MAX_SEED
            && match target {
                "bcfks" => format == Some(Format::Bcfks),
                "bks" => format == Some(Format::Bks),
                "certificate" => keystore::Certificate::parse(&seed.bytes).is_ok(),
                "cms" => matches!(format, Some(Format::CmsCrl | Format::CmsKdb | Format::CmsRdb)),
                "der" => format == Some(Format::Der),
                "jceks" => format == Some(Format::Jceks),
                "jks" => format == Some(Format::Jks),
                "names" => keystore::Name::parse(&seed.bytes, 0).is_ok() || seed.path.ends_with("name.txt"),
                "pem" => format == Some(Format::Pem),
                "pkcs12" => format == Some(Format::Pkcs12),
                "pkcs7" => format == Some(Format::Pkcs7),
                "request" => keystore::Request::parse(&seed.bytes).is_ok(),
                "revocation-list" => keystore::RevocationList::parse(&seed.bytes).is_ok(),
                "stash" => format == Some(Format::Stash),
                "uber" => format == Some(Format::Uber),
                _ => false,
            }
    };
    let chosen = all.iter().enumerate().filter(|(_, seed)| fits(seed));
    chosen.map(|(number, _)| number).collect()
}

/// Every seed, in the order of paths, with the certificates, names and requests that are taken out of stores.
pub fn all() -> Vec<Seed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = Vec::new();
    for folder in [
        "fuzz/seeds",
        "crates/keystore/tests/vectors",
        "../shared/corpus/keystores",
        "../shared/corpus/kdb",
    ] {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut seeds: Vec<Seed> = Vec::new();
    for path in paths {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        if !seeds.iter().any(|seed| seed.bytes == bytes) {
            seeds.push(seed(path, bytes));
        }
    }
    let taken: Vec<Seed> = seeds.iter().flat_map(taken_out).collect();
    seeds.extend(taken);
    seeds.push(seed(
        "name.txt".into(),
        b"CN=Server, OU=\"T, W\\, S\", O=IBM, C=US".to_vec(),
    ));
    seeds.dedup_by(|one, other| one.bytes == other.bytes);
    seeds
}

/// Single objects of a store that has them in the clear.
fn taken_out(from: &Seed) -> Vec<Seed> {
    let Ok(store) = keystore::read(&from.bytes, None, &crate::limits()) else {
        return Vec::new();
    };
    let mut seeds = Vec::new();
    for entry in store.entries().iter().take(4) {
        for certificate in entry.certificates().iter().take(2) {
            seeds.push(seed(from.path.join("certificate"), certificate.der().to_vec()));
            seeds.push(seed(
                from.path.join("subject"),
                certificate.subject().der().to_vec(),
            ));
        }
        if let keystore::Body::Request { der, .. } = entry.body() {
            seeds.push(seed(from.path.join("request"), der.clone()));
        }
    }
    seeds
}

fn seed(path: PathBuf, bytes: Vec<u8>) -> Seed {
    let marks = crate::mutation::marks(&bytes);
    Seed { path, bytes, marks }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(files) = std::fs::read_dir(folder) else {
        return;
    };
    for file in files.flatten() {
        let path = file.path();
        match path.extension().and_then(|end| end.to_str()) {
            _ if path.is_dir() => collect(&path, paths),
            Some("json" | "jsonl" | "tsv" | "md" | "txt") => {}
            _ => paths.push(path),
        }
    }
}

const MAX_SEED: usize = 24 << 10;
