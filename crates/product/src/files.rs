//! How a product looks at a host: files below a root, and the product's own
//! read-only commands.

/// One host's file tree, as seen from the host itself (paths start with `/`).
///
/// Implemented over a real directory by the shell and over a map in tests.
pub trait HostFiles: Sync {
    /// The host's name in the fleet file.
    fn host(&self) -> &str;

    /// The whole file. Follows symbolic links inside the tree only.
    ///
    /// # Errors
    /// [`ReadError`] says whether the file is absent, unreadable, not a regular file, or too large.
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError>;

    /// The first bytes of the file, at most `max_bytes`: enough to recognise a store.
    ///
    /// # Errors
    /// As [`HostFiles::read`].
    fn head(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, ReadError> {
        let mut bytes = self.read(path)?;
        bytes.truncate(max_bytes);
        Ok(bytes)
    }

    /// The path with every symbolic link inside the tree followed; the path itself where nothing is there.
    fn real(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The entries of a directory in name order; empty where there is none.
    fn list(&self, dir: &str) -> Vec<FileEntry>;

    /// Why a directory that is there cannot be listed; `None` where it can, or is not there.
    fn unlistable(&self, _dir: &str) -> Option<String> {
        None
    }

    /// Runs a read-only command of the product in `dir` and returns its standard output.
    ///
    /// # Errors
    /// [`AskError`] where the command is not there, fails, or takes too long.
    fn ask(&self, dir: &str, argv: &[&str]) -> Result<String, AskError>;
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// The name inside its directory.
    pub name: String,
    /// What it is, without following a link.
    pub kind: FileKind,
}

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device: never opened.
    Special,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file.
    #[error("{path} is not there")]
    Absent {
        /// The host path.
        path: String,
    },
    /// It exists and cannot be read.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// The host path.
        path: String,
        /// The system's reason.
        why: String,
    },
}

/// Why a product's command gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The command is not there (or commands cannot be run on a copied tree).
    #[error("{command} is not there")]
    Absent {
        /// The program.
        command: String,
    },
    /// It ran and said no.
    #[error("{command} answered {status}: {said}")]
    Failed {
        /// The program.
        command: String,
        /// Its exit code, or what ended it.
        status: String,
        /// The last line it printed.
        said: String,
    },
}

/// Where passwords come from.
pub trait Secrets: Sync {
    /// The password that `secret` names, for a store of `host`.
    ///
    /// # Errors
    /// [`SecretError`] names the source, never the words.
    fn open(&self, host: &str, secret: &crate::Secret) -> Result<keystore::Password, SecretError>;
}

/// Why a password could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password from {source_name} cannot be had: {why}")]
pub struct SecretError {
    /// The source in words: `file secrets/x.pw`, `variable X`, `stash /a/b.sth`.
    pub source_name: String,
    /// What went wrong.
    pub why: String,
}
