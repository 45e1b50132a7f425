//! Passwords from where the fleet file, a stash or the product's own settings say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;

use fleet::file::FleetDoc;
use fleet::file::SecretDoc;
use keystore::Password;
use product::HostFiles;
use product::Secret;
use product::SecretError;
use product::Secrets;

use crate::tree::Tree;

/// Asks a person at the terminal.
pub type Ask = fn(&str) -> Result<Password, String>;

/// Opens secrets for the hosts of one fleet. Each source is asked once.
pub struct Vault {
    dir: PathBuf,
    doc: FleetDoc,
    trees: BTreeMap<String, Tree>,
    ask: Ask,
    known: Mutex<BTreeMap<(String, String), Password>>,
}

impl Vault {
    /// `dir` is the fleet directory, where relative paths begin; `trees` the hosts whose stashes can be read.
    pub fn new(dir: PathBuf, doc: FleetDoc, trees: BTreeMap<String, Tree>, ask: Ask) -> Vault {
        Vault {
            dir,
            doc,
            trees,
            ask,
            known: Mutex::new(BTreeMap::new()),
        }
    }

    /// The hosts' trees.
    pub fn trees(&self) -> &BTreeMap<String, Tree> {
        &self.trees
    }

    /// The components of the fleet as their settings say now; `None` where the fleet file has no meaning any more.
    pub fn components_now(&self) -> Option<Vec<product::Component>> {
        let hosts: Vec<&dyn HostFiles> = self.trees.values().map(|tree| tree as &dyn HostFiles).collect();
        let mut definitions = BTreeMap::new();
        for component in self.doc.components.values() {
            let text = component
                .definitions
                .as_ref()
                .and_then(|path| std::fs::read(self.dir.join(path)).ok());
            if let (Some(host), Some(text)) = (&component.host, text) {
                definitions.insert(host.clone(), String::from_utf8_lossy(&text).into_owned());
            }
        }
        let look = fleet::Look {
            doc: &self.doc,
            hosts: &hosts,
            secrets: self,
            extra: &BTreeMap::new(),
            definitions: &definitions,
            now: 0,
        };
        fleet::components_now(&look).ok()
    }

    fn find(&self, host: &str, secret: &Secret) -> Result<Password, String> {
        match secret {
            Secret::Command(argv) => self.command(argv),
            Secret::Env(name) => match std::env::var_os(name) {
                Some(value) => Ok(Password::new(std::os::unix::ffi::OsStringExt::into_vec(value))),
                None => Err("it is not set".to_owned()),
            },
            Secret::File(path) => {
                let bytes = std::fs::read(self.dir.join(path)).map_err(|error| error.to_string())?;
                Ok(Password::new(without_line_end(&bytes)))
            }
            Secret::FleetFile(place) => self
                .literal(place)
                .ok_or_else(|| "it is not there any more".to_owned()),
            Secret::Literal(password) => Ok(password.clone()),
            Secret::Prompt => (self.ask)(host),
            Secret::Setting { file, syntax, key } => {
                let bytes = self.host_file(host, file)?;
                let value = product::edit::value(*syntax, &bytes, key).map_err(|error| error.to_string())?;
                decoded(&value.ok_or_else(|| format!("there is no {key} in it"))?)
            }
            Secret::Stash(path) => {
                let bytes = self.host_file(host, path)?;
                keystore::read_stash(&bytes)
                    .map(|(password, _)| password)
                    .or_else(|why| keystore::read_wa_password(&bytes).map_err(|_| why.to_string()))
            }
            _ => Err("this source is not known here".to_owned()),
        }
    }

    fn host_file(&self, host: &str, path: &str) -> Result<Vec<u8>, String> {
        let tree = self
            .trees
            .get(host)
            .ok_or_else(|| format!("host `{host}` is not reachable"))?;
        tree.read(path).map_err(|error| error.to_string())
    }

    fn command(&self, argv: &[String]) -> Result<Password, String> {
        let (program, rest) = argv
            .split_first()
            .ok_or_else(|| "the command is empty".to_owned())?;
        let output = std::process::Command::new(program)
            .args(rest)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("it ended with {}", output.status));
        }
        Ok(Password::new(without_line_end(&output.stdout)))
    }

    /// A literal of the fleet file, by the place that the snapshot names.
    fn literal(&self, place: &str) -> Option<Password> {
        let found = match place.split('.').collect::<Vec<_>>().as_slice() {
            ["hosts", host, "passwords", index] => {
                let index: usize = index.parse().ok()?;
                self.doc.hosts.get(*host)?.passwords.get(index)?.password.clone()
            }
            ["components", ids @ .., "stores", store, part] => {
                let component = self.doc.components.get(&ids.join("."))?;
                let store = component.stores.iter().enumerate().find(|(index, doc)| {
                    doc.id
                        .as_deref()
                        .map_or_else(|| format!("store{}", index + 1) == **store, |id| id == *store)
                });
                let (_, doc) = store?;
                if *part == "key-password" {
                    doc.key_password.clone()?
                } else {
                    doc.password.clone()?
                }
            }
            _ => return None,
        };
        found.literal.map(|text| Password::new(text.into_bytes()))
    }

    /// A password of the tool's own machine, as `[[rotate]]` and `new` name it.
    ///
    /// # Errors
    /// [`SecretError`] names the source.
    pub fn own(&self, doc: &SecretDoc) -> Result<Password, SecretError> {
        let secret = fleet::declare::secret(doc).map_err(|error| SecretError {
            source_name: "`password`".to_owned(),
            why: error.to_string(),
        })?;
        self.find("", &secret).map_err(|why| SecretError {
            source_name: source_name(&secret),
            why,
        })
    }
}

impl Secrets for Vault {
    fn open(&self, host: &str, secret: &Secret) -> Result<Password, SecretError> {
        let key = (host.to_owned(), source_name(secret));
        let cacheable = !matches!(secret, Secret::Literal(_));
        if let Ok(known) = self.known.lock()
            && let Some(password) = known.get(&key).filter(|_| cacheable)
        {
            return Ok(password.clone());
        }
        let found = self.find(host, secret).map_err(|why| SecretError {
            source_name: source_name(secret),
            why,
        })?;
        if let Ok(mut known) = self.known.lock() {
            known.insert(key, found.clone());
        }
        Ok(found)
    }
}

/// The source in words, never the password.
pub fn source_name(secret: &Secret) -> String {
    match secret {
        Secret::Command(argv) => format!("command {}", argv.first().map_or("", String::as_str)),
        Secret::Env(name) => format!("variable {name}"),
        Secret::File(path) => format!("file {path}"),
        Secret::FleetFile(place) => format!("capgrow.toml, {place}"),
        Secret::Literal(_) => "capgrow.toml".to_owned(),
        Secret::Prompt => "the terminal".to_owned(),
        Secret::Setting { file, key, .. } => format!("setting {key} in {file}"),
        Secret::Stash(path) => format!("stash {path}"),
        _ => "an unknown source".to_owned(),
    }
}

/// Liberty's `{xor}` is undone; `{aes}` needs the product's own key.
fn decoded(value: &str) -> Result<Password, String> {
    if value.starts_with("{xor}") {
        return keystore::read_xor(value).map_err(|error| error.to_string());
    }
    if value.starts_with("{aes}") || value.starts_with("{hash}") {
        return Err(
            "it is encrypted with the product's own key: give the password in [hosts] passwords".to_owned(),
        );
    }
    Ok(Password::new(value.as_bytes().to_vec()))
}

/// Of a password file one final LF or CRLF is not part of the password.
fn without_line_end(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes
        .strip_suffix(b"\n")
        .map_or(bytes, |bytes| bytes.strip_suffix(b"\r").unwrap_or(bytes));
    bytes.to_vec()
}
