//! A host's file tree on this machine, seen as the host sees it.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use product::AskError;
use product::FileEntry;
use product::FileKind;
use product::HostFiles;
use product::ReadError;
use rustix::fs::CWD;
use rustix::fs::Dir;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::io::Errno;

/// Larger files are no stores and no settings.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The files of one host. With a root, every path and every link is taken below it.
pub struct Tree {
    host: String,
    root: Option<PathBuf>,
}

impl Tree {
    /// The tree of that host; `root` is where it lies on this machine, absent = this machine's own.
    pub fn new(host: &str, root: Option<PathBuf>) -> Tree {
        Tree {
            host: host.to_owned(),
            root,
        }
    }

    /// Where a host path lies on this machine, links not followed.
    pub fn local(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => PathBuf::from(path),
        }
    }

    /// Where the tree lies on this machine; absent = it is this machine's own.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Opens inside the tree: with a root the kernel keeps every link below it.
    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let Some(root) = &self.root else {
            return rustix::fs::open(path, flags, Mode::empty());
        };
        let dir = rustix::fs::openat(CWD, root, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let below = Path::new(path.trim_start_matches('/'));
        let below = if below.as_os_str().is_empty() {
            Path::new(".")
        } else {
            below
        };
        rustix::fs::openat2(&dir, below, flags, Mode::empty(), ResolveFlags::IN_ROOT)
    }

    fn read_up_to(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
        // Without NONBLOCK a FIFO would wait for its writer.
        let fd = self
            .open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
            .map_err(|errno| read_error(path, errno))?;
        let stat = rustix::fs::fstat(&fd).map_err(|errno| read_error(path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(ReadError::Unreadable {
                path: path.to_owned(),
                why: "not a regular file".to_owned(),
            });
        }
        let mut bytes = Vec::new();
        File::from(fd)
            .take(max_bytes)
            .read_to_end(&mut bytes)
            .map_err(|error| ReadError::Unreadable {
                path: path.to_owned(),
                why: error.to_string(),
            })?;
        Ok(bytes)
    }
}

fn read_error(path: &str, errno: Errno) -> ReadError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => ReadError::Absent {
            path: path.to_owned(),
        },
        other => ReadError::Unreadable {
            path: path.to_owned(),
            why: std::io::Error::from(other).to_string(),
        },
    }
}

impl HostFiles for Tree {
    fn host(&self) -> &str {
        &self.host
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let bytes = self.read_up_to(path, MAX_FILE_BYTES + 1)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(ReadError::Unreadable {
                path: path.to_owned(),
                why: format!("larger than {MAX_FILE_BYTES} bytes"),
            });
        }
        Ok(bytes)
    }

    fn head(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, ReadError> {
        self.read_up_to(path, max_bytes as u64)
    }

    fn real(&self, path: &str) -> String {
        let Ok(fd) = self.open(path, OFlags::PATH) else {
            return path.to_owned();
        };
        let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&fd));
        let Ok(real) = std::fs::read_link(link) else {
            return path.to_owned();
        };
        let Some(root) = &self.root else {
            return real.to_string_lossy().into_owned();
        };
        let root = root.canonicalize().unwrap_or_else(|_| root.clone());
        match real.strip_prefix(&root) {
            Ok(below) => format!("/{}", below.to_string_lossy()),
            Err(_) => path.to_owned(),
        }
    }

    fn unlistable(&self, dir: &str) -> Option<String> {
        match self.open(dir, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(errno) => Some(format!(
                "the directory cannot be read: {}",
                std::io::Error::from(errno)
            )),
        }
    }

    fn list(&self, dir: &str) -> Vec<FileEntry> {
        let Ok(fd) = self.open(dir, OFlags::RDONLY | OFlags::DIRECTORY) else {
            return Vec::new();
        };
        let Ok(entries) = Dir::read_from(&fd) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => rustix::fs::statat(&fd, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                known => known,
            };
            let kind = match (kind, name.to_str()) {
                // A name that is not UTF-8 is shown and never opened.
                (_, Err(_)) => FileKind::Special,
                (FileType::Directory, _) => FileKind::Directory,
                (FileType::RegularFile, _) => FileKind::File,
                (FileType::Symlink, _) => FileKind::Link,
                _ => FileKind::Special,
            };
            found.push(FileEntry {
                name: name.to_string_lossy().into_owned(),
                kind,
            });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn ask(&self, dir: &str, argv: &[&str]) -> Result<String, AskError> {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let command = product::Command {
            argv,
            env: Default::default(),
        };
        crate::command::answer(self.root.as_deref(), Some(dir), &command, Duration::from_secs(30))
    }
}
