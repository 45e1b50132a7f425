//! Files that are replaced whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Puts `bytes` into `path`: beside it first, synced, then in its place, and the directory synced.
///
/// An existing file keeps its mode and, where we may, its owner; a new one follows the umask. A symbolic link stays, and
/// what it points to is replaced. A device or a pipe is written to as it is.
///
/// # Errors
/// Of the operating system; the old file is then untouched and nothing is left beside it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, 0o666)
}

/// As [`replace`]; a new file is readable by its owner only.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, 0o600)
}

fn replace_with(path: &Path, bytes: &[u8], new_mode: u32) -> io::Result<()> {
    let target = match std::fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let old = std::fs::metadata(&target).ok();
    if let Some(old) = &old {
        if !old.is_file() {
            return OpenOptions::new().write(true).open(&target)?.write_all(bytes);
        }
        // The original opens the file for writing: a file that its user may not write stays as it is.
        drop(OpenOptions::new().write(true).open(&target)?);
    }
    let directory = directory_of(&target);
    let beside = free_name(&target, &directory);
    let made =
        write_beside(&beside, bytes, old.as_ref(), new_mode).and_then(|()| std::fs::rename(&beside, &target));
    if let Err(error) = made {
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    File::open(&directory)?.sync_all()
}

fn write_beside(
    beside: &Path,
    bytes: &[u8],
    old: Option<&std::fs::Metadata>,
    new_mode: u32,
) -> io::Result<()> {
    // What replaces a file is no wider than that file at any moment.
    let mode = if old.is_some() { 0o600 } else { new_mode };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(beside)?;
    file.write_all(bytes)?;
    if let Some(old) = old {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
            // Only root can give a file away; the others go on with their own name on it.
            let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        }
        file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
    }
    file.sync_all()
}

fn directory_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn free_name(target: &Path, directory: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    directory.join(format!(".{name}.{}.new", std::process::id()))
}
