//! The files that a diagnosis looks at.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use doctor::InputFile;
use keystore::Limits;
use keystore::Password;
use probe::Target;

use crate::args;
use crate::args::Args;
use crate::cmd::inspect::walk;
use crate::fleet_dir::FleetDir;
use crate::print::failure;

/// What was gathered.
pub struct Gathered {
    /// The files, and the documents of servers that were asked.
    pub files: Vec<InputFile>,
    /// Passwords that may fit.
    pub passwords: Vec<Password>,
    /// Servers about which nothing is known, and why.
    pub unreached: Vec<String>,
}

/// All files of the targets, and the passwords that a fleet directory knows. `-` is standard input.
///
/// Without a target, or where the target is a fleet directory: the trees of its hosts.
///
/// # Errors
/// A target that is not there, or nothing to look at.
pub fn files(args: &Args, these: &args::Doctor) -> anyhow::Result<Gathered> {
    let mut paths: Vec<PathBuf> = these.targets.clone();
    let mut passwords = Vec::new();
    let is_fleet = matches!(paths.as_slice(), [only] if only.join("capgrow.toml").is_file());
    if paths.is_empty() || is_fleet {
        let dir = match paths.first() {
            Some(path) => FleetDir::open_at(path)?,
            None => FleetDir::open(args)?,
        };
        paths = fleet_roots(&dir)?;
        passwords = fleet_passwords(&dir);
    }
    let mut files = Vec::new();
    if let Some(at) = paths.iter().position(|path| path.as_os_str() == "-") {
        paths.remove(at);
        files.push(standard_input()?);
    }
    let (seen, unreached) = probed(&mut paths)?;
    files.extend(seen);
    if let Some(absent) = paths.iter().find(|path| std::fs::symlink_metadata(path).is_err()) {
        return Err(failure(
            format!("there is no {}", absent.display()),
            "name files or directories: stores, settings, logs, pasted output, captures, probes; HOST:PORT is asked; \
             `-` reads standard input",
        ));
    }
    let (candidates, refused) = walk::candidates(&paths);
    for failed in refused {
        files.push(InputFile {
            path: failed.what.rsplit(' ').next().unwrap_or_default().to_owned(),
            unreadable: Some(failed.what),
            ..InputFile::default()
        });
    }
    let wanted = candidates
        .iter()
        .filter(|candidate| candidate.named || !is_ours(&candidate.path));
    files.extend(wanted.take(MAX_FILES).map(|candidate| read(&candidate.path)));
    if files.is_empty() {
        return Err(failure(
            "there is no file in what was named",
            "put stores, settings, logs or pasted output there",
        ));
    }
    Ok(Gathered {
        files,
        passwords,
        unreached,
    })
}

/// Takes out what names a server and no file, and asks it: HOST:PORT, or SCHEME://HOST.
fn probed(paths: &mut Vec<PathBuf>) -> anyhow::Result<(Vec<InputFile>, Vec<String>)> {
    let mut targets = Vec::new();
    paths.retain(|path| {
        let is_file = std::fs::symlink_metadata(path).is_ok();
        match path.to_str().map(Target::parse) {
            Some(Ok(target)) if !is_file => {
                targets.push(target);
                false
            }
            _ => true,
        }
    });
    let (mut files, mut unreached) = (Vec::new(), Vec::new());
    for target in &targets {
        let (bytes, trouble) = crate::cmd::probe::evidence(target)?;
        // An answer that is no TLS is a finding of its own.
        if let Some(trouble) = trouble.filter(|trouble| trouble.kind() != "not-tls") {
            unreached.push(format!("{target}: {trouble}"));
        }
        files.push(InputFile {
            path: target.to_string(),
            bytes,
            ..InputFile::default()
        });
    }
    Ok((files, unreached))
}

/// What this program keeps for itself is no evidence; what version control keeps neither.
fn is_ours(path: &Path) -> bool {
    path.components().any(|part| {
        [".capgrow", ".git", ".lab"]
            .iter()
            .any(|own| part.as_os_str() == *own)
    })
}

/// What the fleet file says of passwords; those that cannot be had are left out, and nothing is asked.
fn fleet_passwords(dir: &FleetDir) -> Vec<Password> {
    dir.doc
        .hosts
        .values()
        .flat_map(|host| &host.passwords)
        .filter_map(|known| dir.vault.own(&known.password).ok())
        .collect()
}

fn fleet_roots(dir: &FleetDir) -> anyhow::Result<Vec<PathBuf>> {
    let mut roots: Vec<PathBuf> = Vec::new();
    for host in dir.doc.hosts.values() {
        match &host.root {
            Some(root) => roots.push(dir.path.join(root)),
            None => roots.extend(host.look_in.iter().map(PathBuf::from)),
        }
    }
    roots.retain(|root| root.exists());
    if roots.is_empty() {
        return Err(failure(
            "no host of this fleet has a tree on this machine",
            "name the files to look at: capgrow doctor DIR",
        ));
    }
    Ok(roots)
}

fn standard_input() -> anyhow::Result<InputFile> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(Limits::default().max_bytes as u64)
        .read_to_end(&mut bytes)?;
    Ok(InputFile {
        path: "standard input".to_owned(),
        bytes,
        ..InputFile::default()
    })
}

/// One file; what is too large for any store or log that a person reads is taken up to the limit.
fn read(path: &Path) -> InputFile {
    let mut file = InputFile {
        path: path.display().to_string(),
        ..InputFile::default()
    };
    let opened = std::fs::File::open(path).and_then(|open| {
        let metadata = open.metadata()?;
        file.mode = metadata.mode() & 0o7777;
        open.take(Limits::default().max_bytes as u64)
            .read_to_end(&mut file.bytes)
    });
    if let Err(error) = opened {
        file.unreadable = Some(error.to_string());
    }
    file
}

/// A bag of evidence, not a filesystem.
const MAX_FILES: usize = 20_000;
