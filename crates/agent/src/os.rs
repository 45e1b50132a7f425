//! The port to files, on this machine's operating system.
//!
//! Every path is opened relative to the root's own directory, and no symbolic link is followed on the way (`openat2`,
//! or component by component where the kernel has no such call). Only [`Machine::resolve`] follows links, below the
//! root.

mod fs;
mod preflight;

use exec::machine::{Attributes, IoError, Kind, Machine, Metadata, Obstacle, Over, Timestamp};
use fs::{Tree, attributes_of, dress, kind_of, links_of};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A host on this machine; with a root, all its paths lie below that.
#[derive(Debug, Clone)]
pub struct OsMachine {
    tree: Tree,
}

impl OsMachine {
    /// `root` absent: the machine itself.
    pub fn new(root: Option<PathBuf>) -> OsMachine {
        OsMachine {
            tree: Tree::new(root),
        }
    }
}

impl Machine for OsMachine {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Timestamp {
            seconds,
            nanoseconds: since.subsec_nanos(),
        }
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, IoError> {
        self.tree.resolve(path)
    }

    fn look(&self, path: &Path) -> Result<Option<Metadata>, IoError> {
        let failed = |errno| error("look at", path, errno);
        let handle = match self
            .tree
            .open(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())
        {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let stat = rustix::fs::fstat(&handle).map_err(failed)?;
        let kind = kind_of(&stat);
        let mut attributes = attributes_of(&stat);
        if matches!(kind, Kind::Directory | Kind::File) {
            let readable = self.tree.open(
                path,
                OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW,
                Mode::empty(),
            );
            attributes.xattrs = fs::xattrs(readable.map_err(failed)?.as_fd()).map_err(failed)?;
        }
        let size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
        let links = links_of(&stat);
        Ok(Some(Metadata {
            kind,
            dev: stat.st_dev,
            ino: stat.st_ino,
            links,
            size_bytes,
            attributes,
        }))
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, IoError> {
        let failed = |errno| error("read", path, errno);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let handle = self.tree.open(path, flags, Mode::empty()).map_err(failed)?;
        if kind_of(&rustix::fs::fstat(&handle).map_err(failed)?) != Kind::File {
            return Err(IoError::new(
                "read",
                path,
                ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        let mut bytes = Vec::new();
        let count = File::from(handle)
            .take(max_bytes.saturating_add(1))
            .read_to_end(&mut bytes);
        count.map_err(|e| IoError::new("read", path, e.kind(), e))?;
        if bytes.len() as u64 > max_bytes {
            let text = format!("larger than {max_bytes} bytes");
            return Err(IoError::new("read", path, ErrorKind::FileTooLarge, text));
        }
        Ok(bytes)
    }

    fn preflight(&self, path: &Path, size_bytes: u64) -> Vec<Obstacle> {
        preflight::obstacles(&self.tree, path, size_bytes)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], attributes: &Attributes) -> Result<(), IoError> {
        let failed = |errno| error("create", path, errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let handle = self
            .tree
            .open(path, flags, Mode::RUSR | Mode::WUSR)
            .map_err(failed)?;
        let mut file = File::from(handle);
        let written = dress(file.as_fd(), attributes)
            .map_err(failed)
            .and_then(|()| {
                file.write_all(bytes)
                    .map_err(|e| IoError::new("write", path, e.kind(), e))
            })
            .and_then(|()| fs::set_mtime(file.as_fd(), attributes.mtime).map_err(failed));
        if written.is_err() {
            // It is ours and useless. Should it stay, recovery knows its name.
            let _ = self.unlink(path);
        }
        written
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW;
        let handle = self
            .tree
            .open(path, flags, Mode::empty())
            .map_err(|errno| error("append to", path, errno))?;
        File::from(handle)
            .write_all(bytes)
            .map_err(|e| IoError::new("append to", path, e.kind(), e))
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> Result<(), IoError> {
        let failed = |errno| error("truncate", path, errno);
        let handle = self
            .tree
            .open(path, OFlags::WRONLY | OFlags::NOFOLLOW, Mode::empty())
            .map_err(failed)?;
        rustix::fs::ftruncate(handle, length_bytes).map_err(failed)
    }

    fn sync_file(&self, path: &Path) -> Result<(), IoError> {
        let failed = |errno| error("sync", path, errno);
        let open = |way| {
            self.tree
                .open(path, way | OFlags::NONBLOCK | OFlags::NOFOLLOW, Mode::empty())
        };
        // A file that its owner may only write can be synced all the same.
        let handle = open(OFlags::RDONLY)
            .or_else(|_| open(OFlags::WRONLY))
            .map_err(failed)?;
        rustix::fs::fsync(handle).map_err(failed)
    }

    fn sync_dir(&self, path: &Path) -> Result<(), IoError> {
        let failed = |errno| error("sync directory", path, errno);
        let handle = self
            .tree
            .open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
            .map_err(failed)?;
        rustix::fs::fsync(handle).map_err(failed)
    }

    fn rename(&self, from: &Path, to: &Path, over: Over) -> Result<(), IoError> {
        let failed = |errno| error("replace", to, errno);
        let (dir, new) = self.tree.open_parent(to).map_err(failed)?;
        let old = match (from.parent() == to.parent(), from.file_name()) {
            (true, Some(old)) => old,
            _ => return Err(failed(Errno::XDEV)),
        };
        let plain = || rustix::fs::renameat(&dir, old, &dir, new);
        let outcome = match over {
            Over::File => plain(),
            Over::Nothing => match rustix::fs::renameat_with(&dir, old, &dir, new, RenameFlags::NOREPLACE) {
                // Filesystems without that flag: the gap between look and rename is all that is left.
                Err(Errno::INVAL | Errno::NOSYS) => {
                    match rustix::fs::statat(&dir, new, AtFlags::SYMLINK_NOFOLLOW) {
                        Err(Errno::NOENT) => plain(),
                        Ok(_) => Err(Errno::EXIST),
                        Err(errno) => Err(errno),
                    }
                }
                outcome => outcome,
            },
        };
        outcome.map_err(failed)
    }

    fn unlink(&self, path: &Path) -> Result<(), IoError> {
        let failed = |errno| error("remove", path, errno);
        let (dir, name) = self.tree.open_parent(path).map_err(failed)?;
        rustix::fs::unlinkat(dir, name, AtFlags::empty()).map_err(failed)
    }

    fn mkdir(&self, path: &Path, attributes: &Attributes) -> Result<(), IoError> {
        let failed = |errno| error("create directory", path, errno);
        let (dir, name) = self.tree.open_parent(path).map_err(failed)?;
        rustix::fs::mkdirat(&dir, name, Mode::RWXU).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(&dir, name, flags, Mode::empty()).map_err(failed)?;
        dress(made.as_fd(), attributes).map_err(failed)
    }

    fn rmdir(&self, path: &Path) -> Result<(), IoError> {
        let failed = |errno| error("remove directory", path, errno);
        let (dir, name) = self.tree.open_parent(path).map_err(failed)?;
        rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR).map_err(failed)
    }
}

fn error(verb: &'static str, path: &Path, errno: Errno) -> IoError {
    let error = std::io::Error::from(errno);
    IoError::new(verb, path, error.kind(), error)
}
