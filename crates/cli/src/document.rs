//! The one place where the command line writes files of its own: whole, private, atomically.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

/// Writes a document: a temporary file beside it, synced, renamed, its directory synced. `mode` is that of a new file.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    place(path, bytes, mode, |from, to| std::fs::rename(from, to))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What [`write_new`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Something of that name was there, and is there still.
    Before,
    /// The file is new.
    New,
}

/// As [`write()`], but what is there already stays, whoever made it and whenever.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<Made> {
    let done = place(path, bytes, mode, |from, to| {
        rustix::fs::renameat_with(
            rustix::fs::CWD,
            from,
            rustix::fs::CWD,
            to,
            rustix::fs::RenameFlags::NOREPLACE,
        )
        .map_err(std::io::Error::from)
    });
    match done {
        Ok(()) => Ok(Made::New),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Made::Before),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

fn place(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    rename: impl FnOnce(&Path, &Path) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidFilename));
    };
    let name = name.to_string_lossy();
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let done = (|| {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        rename(&temporary, path)?;
        std::fs::File::open(dir)?.sync_all()
    })();
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    done
}

/// Makes a directory that only its owner enters, with its parents.
pub fn private_dir(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make directory {}", path.display()))
}
