//! The fleet directory: `capgrow.toml` and what lies in `.capgrow/`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use agent::Tree;
use agent::Vault;
use anyhow::Context;
use fleet::Snapshot;
use fleet::file::FleetDoc;
use fleet::file::SecretDoc;
use keystore::Password;
use plan::PlanDocument;
use product::HostFiles;

use crate::args::Args;
use crate::document;
use crate::print::Failure;
use crate::print::failure;

/// A fleet directory that was opened.
pub struct FleetDir {
    /// Absolute.
    pub path: PathBuf,
    /// What the file says.
    pub doc: FleetDoc,
    /// Where passwords come from; holds the hosts' trees.
    pub vault: Vault,
}

impl FleetDir {
    /// Looks upwards from `-C` or the current directory for `capgrow.toml`, and reads it.
    pub fn open(args: &Args) -> anyhow::Result<FleetDir> {
        Self::open_at(&find(args)?)
    }

    /// Reads the `capgrow.toml` of this very directory.
    pub fn open_at(path: &Path) -> anyhow::Result<FleetDir> {
        let path = path.to_owned();
        let file = path.join("capgrow.toml");
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        private_enough(&file)?;
        let doc = fleet::file::read(&text).map_err(|error| Failure {
            what: format!("{}: {error}", file.display()),
            hints: error.hint.clone().into_iter().collect(),
            source: None,
        })?;
        let mut trees = BTreeMap::new();
        for (name, host) in &doc.hosts {
            if host.reach.as_deref().unwrap_or("local") != "local" {
                continue;
            }
            let root = host.root.as_ref().map(|root| path.join(root));
            if let Some(root) = root.as_ref().filter(|root| !root.is_dir()) {
                return Err(failure(
                    format!("host `{name}`: root {} is not a directory", root.display()),
                    format!("correct `root` of [hosts.{name}] in {}", file.display()),
                ));
            }
            trees.insert(name.clone(), Tree::new(name, root));
        }
        let vault = Vault::new(path.clone(), doc.clone(), trees, prompt);
        Ok(FleetDir { path, doc, vault })
    }

    /// The hosts' file trees.
    pub fn hosts(&self) -> Vec<&dyn HostFiles> {
        self.vault
            .trees()
            .values()
            .map(|tree| tree as &dyn HostFiles)
            .collect()
    }

    /// `.capgrow/NAME`, made where it is not there.
    pub fn inside(&self, name: &str) -> anyhow::Result<PathBuf> {
        let dir = self.path.join(".capgrow").join(name);
        document::private_dir(&dir)?;
        Ok(dir)
    }

    /// Saves a snapshot under its digest; it names the latest before it. `latest` = it is the one that `plan` works on.
    pub fn save_snapshot(&self, snapshot: &Snapshot, latest: bool) -> anyhow::Result<String> {
        let dir = self.inside("snapshots")?;
        let before = std::fs::read_to_string(dir.join("latest")).ok();
        let snapshot = Snapshot {
            parent: before.map(|digest| digest.trim().to_owned()),
            ..snapshot.clone()
        };
        let bytes = snapshot.bytes();
        let digest = fleet::snapshot::sha256_hex(&bytes);
        let path = dir.join(format!("{digest}.json"));
        if !path.exists() {
            document::write(&path, &bytes, 0o600)?;
        }
        if latest {
            document::write(&dir.join("latest"), digest.as_bytes(), 0o600)?;
        }
        Ok(digest)
    }

    /// The snapshot of the last scan.
    pub fn latest_snapshot(&self) -> anyhow::Result<Option<(String, Snapshot)>> {
        let path = self.path.join(".capgrow/snapshots/latest");
        let Ok(digest) = std::fs::read_to_string(&path) else {
            return Ok(None);
        };
        let digest = digest.trim().to_owned();
        let snapshot = self
            .snapshot(&digest)?
            .ok_or_else(|| failure(format!("snapshot {digest} is gone"), "capgrow scan"))?;
        Ok(Some((digest, snapshot)))
    }

    /// A snapshot by its full digest.
    pub fn snapshot(&self, digest: &str) -> anyhow::Result<Option<Snapshot>> {
        if fleet::snapshot::fingerprint(digest).is_none() {
            return Ok(None);
        }
        let path = self
            .path
            .join(".capgrow/snapshots")
            .join(format!("{digest}.json"));
        let Ok(bytes) = std::fs::read(&path) else {
            return Ok(None);
        };
        let found = fleet::snapshot::sha256_hex(&bytes);
        if found != digest {
            return Err(failure(
                format!("{} was altered: its content is {found}", path.display()),
                "capgrow scan, then plan again",
            ));
        }
        let snapshot = Snapshot::from_bytes(&bytes)
            .map_err(|what| failure(format!("{}: {what}", path.display()), "capgrow scan"))?;
        Ok(Some(snapshot))
    }

    /// Saves a plan under its digest.
    pub fn save_plan(&self, plan: &PlanDocument) -> anyhow::Result<PathBuf> {
        let path = self.inside("plans")?.join(format!("{}.json", plan.digest()));
        document::write(&path, &plan.to_bytes(), 0o600)?;
        Ok(path)
    }

    /// The saved plan whose digest begins so.
    pub fn plan_path(&self, start: &str) -> anyhow::Result<PathBuf> {
        let wanted: String = start
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .to_ascii_lowercase();
        named(&self.path.join(".capgrow/plans"), &wanted, "plan", "json")
    }
}

/// The one entry of `dir` whose name begins so.
pub fn named(dir: &Path, start: &str, what: &str, extension: &str) -> anyhow::Result<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Ok(entries) = std::fs::read_dir(dir) {
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let fits = name.to_ascii_lowercase().starts_with(&start.to_ascii_lowercase());
            let kind = if extension.is_empty() {
                !name.contains('.')
            } else {
                name.ends_with(&format!(".{extension}"))
            };
            if fits && kind && !start.is_empty() {
                found.push(entry.path());
            }
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(failure(
            format!("there is no {what} `{start}` in {}", dir.display()),
            format!("capgrow {}", if what == "plan" { "plan" } else { "status" }),
        )),
        count => Err(failure(
            format!("{count} {what}s begin with `{start}`"),
            "give more of it",
        )),
    }
}

/// The directory with the nearest `capgrow.toml`, from `-C` or the current directory upwards.
///
/// # Errors
/// Where there is none.
pub fn find(args: &Args) -> anyhow::Result<PathBuf> {
    let start = match &args.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => std::env::current_dir().context("cannot tell the current directory")?,
    };
    let mut dir = start.as_path();
    loop {
        if dir.join("capgrow.toml").is_file() {
            return Ok(dir.to_owned());
        }
        match dir.parent() {
            Some(parent) => dir = parent,
            None => {
                return Err(failure(
                    format!("there is no capgrow.toml in {} or above", start.display()),
                    "capgrow init writes one here; -C DIR names another fleet directory",
                ));
            }
        }
    }
}

/// The file names commands, so only its owner or root may write it.
fn private_enough(file: &Path) -> anyhow::Result<()> {
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot examine {}", file.display()))?;
    let me = rustix::process::geteuid().as_raw();
    let others = metadata.mode() & 0o022 != 0;
    let stranger = metadata.uid() != 0 && metadata.uid() != me;
    if others || stranger {
        let who = if stranger {
            format!("belongs to user {}", metadata.uid())
        } else {
            format!("has mode {:04o}", metadata.mode() & 0o7777)
        };
        return Err(failure(
            format!(
                "{} {who}: others could write it, and it names commands to run",
                file.display()
            ),
            format!("chmod go-w {}", file.display()),
        ));
    }
    Ok(())
}

fn prompt(what: &str) -> Result<Password, String> {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask at".to_owned());
    }
    rpassword::prompt_password(format!("password for {}: ", crate::print::safe(what)))
        .map(|text| Password::new(text.into_bytes()))
        .map_err(|error| error.to_string())
}

impl fleet::rotation::ToolFiles for FleetDir {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let file = self.path.join(path);
        // A FIFO would wait for its writer.
        match std::fs::metadata(&file) {
            Ok(metadata) if !metadata.is_file() => Err("not a regular file".to_owned()),
            Ok(_) => std::fs::read(&file).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn is_there(&self, path: &str) -> bool {
        std::fs::symlink_metadata(self.path.join(path)).is_ok()
    }

    fn password(&self, secret: &SecretDoc) -> Result<Password, String> {
        self.vault.own(secret).map_err(|error| error.to_string())
    }
}
