//! The port to a host's files: the few verbs that stores are read and replaced with.
//!
//! Two implementations: the operating system's (crate `agent`) and a simulated, crash-faithful one (crate `sim`).
//! Paths are the host's own and absolute; an implementation with a root looks below it. The directory of a run
//! (journal, backups) is reached through a `Machine` without a root.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The machines of a run by the name of their host.
pub type Hosts<'a> = BTreeMap<String, &'a dyn Machine>;

/// One host's files.
///
/// Except for [`Machine::resolve`] no verb follows a symbolic link, neither at the end of the path nor on the way to
/// it: a link there is an error. Verbs that change something say what is durable afterwards;
/// everything else may be lost, in any combination, when the machine dies.
pub trait Machine {
    /// The host's clock.
    fn now(&self) -> Timestamp;

    /// The path without symbolic links at which `path` ends; links are followed below the root. The last component
    /// need not exist.
    fn resolve(&self, path: &Path) -> Result<PathBuf, IoError>;

    /// What lies at `path`, the link itself if it is one; `None` where nothing lies.
    fn look(&self, path: &Path) -> Result<Option<Metadata>, IoError>;

    /// The whole content of a regular file of at most `max_bytes`; larger is an error of kind `FileTooLarge`.
    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, IoError>;

    /// Everything that would keep a file of `size_bytes` from being replaced (or created) at `path`, found without
    /// touching anything. Empty: nothing known stands in the way. Links are followed, as a replacement would.
    fn preflight(&self, path: &Path, size_bytes: u64) -> Vec<Obstacle>;

    /// Creates a file; one that exists is an error. Owner, mode, ACL and other extended attributes are in place
    /// before the first byte, so that nobody else can read it meanwhile. Nothing is durable.
    fn write_new(&self, path: &Path, bytes: &[u8], attributes: &Attributes) -> Result<(), IoError>;

    /// Adds bytes to the end of an existing file. Nothing is durable.
    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), IoError>;

    /// Cuts an existing file to `length_bytes`. Nothing is durable.
    fn truncate(&self, path: &Path, length_bytes: u64) -> Result<(), IoError>;

    /// Makes content and attributes of a file durable, not its name.
    fn sync_file(&self, path: &Path) -> Result<(), IoError>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> Result<(), IoError>;

    /// Gives a file another name in the same directory, at once for every observer. Nothing is durable.
    fn rename(&self, from: &Path, to: &Path, over: Over) -> Result<(), IoError>;

    /// Removes the name of a file. Nothing is durable.
    fn unlink(&self, path: &Path) -> Result<(), IoError>;

    /// Creates a directory; one that exists is an error. Nothing is durable.
    fn mkdir(&self, path: &Path, attributes: &Attributes) -> Result<(), IoError>;

    /// Removes an empty directory. Nothing is durable.
    fn rmdir(&self, path: &Path) -> Result<(), IoError>;
}

/// What a rename may find at its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// A file, which is replaced.
    File,
    /// Nothing; something there is an error of kind `AlreadyExists`.
    Nothing,
}

/// Seconds since 1970-01-01 UTC and the nanoseconds (below 10^9) after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after `seconds`.
    pub nanoseconds: u32,
}

/// What a replacement keeps of a file beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// Permission bits, with set-id and sticky bits: `0o7777` at most.
    pub mode: u32,
    /// `None` when writing: whoever runs the tool. Always there when read.
    pub owner: Option<Owner>,
    /// `None` when writing: the time of the write. Always there when read.
    pub mtime: Option<Timestamp>,
    /// Extended attributes by name. An ACL is one of them (`system.posix_acl_access`).
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Attributes {
    /// Those of the tool's own files: nobody else reads them.
    pub fn private() -> Attributes {
        Attributes {
            mode: 0o600,
            owner: None,
            mtime: None,
            xattrs: BTreeMap::new(),
        }
    }

    /// Whether the two agree in everything but the time of the last write; an owner left open agrees with any.
    pub fn same_access(&self, other: &Attributes) -> bool {
        let same_owner = match (self.owner, other.owner) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        self.mode == other.mode && same_owner && self.xattrs == other.xattrs
    }
}

/// User and group as numbers: names are resolved nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// File, directory, link or something else.
    pub kind: Kind,
    /// The device number.
    pub dev: u64,
    /// The inode number: with `dev` the identity of the file.
    pub ino: u64,
    /// How many names the file has.
    pub links: u64,
    /// Length of the content.
    pub size_bytes: u64,
    /// Owner, mode, time and extended attributes.
    pub attributes: Attributes,
}

/// The kinds of thing a path can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// Why a file cannot be replaced as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// Replacing it would separate it from its other names.
    #[error("{path} is one of {links} hard links; a replacement would leave the others old")]
    HardLink {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        links: u64,
    },
    /// `chattr +i` or `+a` on the file or its directory.
    #[error("{path} is immutable or append-only (chattr)")]
    Immutable {
        /// The file or directory with the flag.
        path: PathBuf,
    },
    /// A mount point cannot be renamed over.
    #[error("{path} is a mount point of its own")]
    Mount {
        /// The file.
        path: PathBuf,
    },
    /// The directory that should hold the file is not there.
    #[error("directory {path} does not exist")]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// Too little space for the new file beside the old one.
    #[error("the filesystem of {path} has {free_bytes} bytes free, {needed_bytes} are needed")]
    NoSpace {
        /// The directory.
        path: PathBuf,
        /// What is needed, with a reserve.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// Not a regular file.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// The running user may not give a new file this owner.
    #[error("no right to give a new {path} its owner {uid}:{gid}")]
    OwnerNotKept {
        /// The file.
        path: PathBuf,
        /// Its user.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// The directory may not be written, or the file in it (sticky) not be replaced.
    #[error("no right to write in directory {path}")]
    ReadOnlyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// Mounted read-only.
    #[error("the filesystem of {path} is mounted read-only")]
    ReadOnlyFilesystem {
        /// The directory.
        path: PathBuf,
    },
    /// It could not be looked at.
    #[error("cannot examine {path}")]
    Unreachable {
        /// The path that was asked for.
        path: PathBuf,
        /// Why.
        #[source]
        source: IoError,
    },
}

/// A verb that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {verb} {path}")]
pub struct IoError {
    /// What was tried, as a verb: `read`, `rename`, `sync`.
    pub verb: &'static str,
    /// On what.
    pub path: PathBuf,
    /// The system's answer.
    #[source]
    pub reason: Reason,
}

impl IoError {
    /// An error of `kind` with the words of `text`.
    pub fn new(verb: &'static str, path: &Path, kind: ErrorKind, text: impl fmt::Display) -> IoError {
        IoError {
            verb,
            path: path.to_path_buf(),
            reason: Reason {
                kind,
                text: text.to_string(),
            },
        }
    }
}

/// The system's answer to a verb: the kind for programs, the words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Reason {
    /// What a caller can decide on.
    pub kind: ErrorKind,
    /// What the system said.
    pub text: String,
}
