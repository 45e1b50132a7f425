//! Where the stores of other tools lie: some beside the tests, all of them beside the workspace.

use std::path::{Path, PathBuf};

use keystore::{Limits, ParseError, Password, Store};

/// A store with what its maker says about it.
pub struct Sample {
    /// Its name in the manifest.
    pub name: String,
    /// The maker's name of its format.
    pub format: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The store's password.
    pub password: Option<Password>,
    /// Keys with passwords of their own: alias and password.
    pub key_passwords: Vec<(String, String)>,
    /// Directory it was read from.
    pub folder: PathBuf,
}

impl Sample {
    /// Reads it with its own password.
    pub fn read(&self) -> Result<Store, ParseError> {
        keystore::read(&self.bytes, self.password.as_ref(), &Limits::default())
    }

    /// The truth that stands beside it.
    pub fn truth(&self) -> serde_json::Value {
        let path = self.folder.join(format!("{}.json", self.name));
        serde_json::from_slice(&std::fs::read(&path).expect("each store has its truth")).expect("JSON")
    }
}

/// All samples of these formats: the big corpus when it lies beside the workspace, else the copies here.
pub fn samples(formats: &[&str]) -> Vec<Sample> {
    match big_corpus() {
        Some(folder) => read_all(&folder, formats),
        None => {
            println!("SKIPPED: the corpus beside the workspace is absent, only the copied stores are read");
            copied(formats)
        }
    }
}

/// All samples of the manifest, whatever their format.
pub fn every_sample() -> Vec<Sample> {
    match big_corpus() {
        Some(folder) => read_all(&folder, &[]),
        None => {
            println!("SKIPPED: the corpus beside the workspace is absent, only the copied stores are read");
            read_all(&vectors(), &[])
        }
    }
}

/// The samples beside the tests.
pub fn copied(formats: &[&str]) -> Vec<Sample> {
    read_all(&vectors(), formats)
}

fn vectors() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"))
}

/// No formats stand for all.
fn read_all(folder: &Path, formats: &[&str]) -> Vec<Sample> {
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).expect("each corpus has a manifest");
    let mut samples = Vec::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        if !formats.is_empty() && !formats.contains(&columns[2]) {
            continue;
        }
        let password = match columns[6] {
            "(none)" => None,
            json => Some(Password::new(
                serde_json::from_str::<String>(json).expect("a JSON string"),
            )),
        };
        let own = match columns.get(7) {
            None | Some(&"-") => Default::default(),
            Some(json) => serde_json::from_str::<serde_json::Map<_, _>>(json).expect("a JSON object"),
        };
        let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let key_passwords = own
            .into_iter()
            .map(|(alias, password)| (alias, text(password)))
            .collect();
        let (name, format) = (columns[0].to_owned(), columns[2].to_owned());
        let bytes = std::fs::read(folder.join(&name)).expect("the manifest names files");
        samples.push(Sample {
            name,
            format,
            bytes,
            password,
            key_passwords,
            folder: folder.to_owned(),
        });
    }
    samples
}

/// The corpus beside the workspace.
pub fn big_corpus() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/corpus/keystores"
    ));
    path.join("MANIFEST.tsv").exists().then_some(path)
}
