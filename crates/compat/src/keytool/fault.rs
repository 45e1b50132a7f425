//! Errors the way the original shows them: the name of a Java class, and its message.

use std::fmt;
use std::io;

use keystore::{EditError, UnlockError, WriteError};

/// Why a run ends early, with exit code 1.
pub(crate) enum Stop {
    /// An error, to be printed.
    Fault(Fault),
    /// The help was printed already.
    Usage,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) class: &'static str,
    pub(crate) message: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Stop>;

impl Fault {
    pub(crate) fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self {
            class,
            message: Some(message.into()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class)?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An error of keytool itself.
pub(crate) fn plain(message: impl Into<String>) -> Stop {
    Fault::new(EXCEPTION, message).into()
}

/// An error of reading or parsing.
pub(crate) fn io_fault(message: impl Into<String>) -> Stop {
    Fault::new(IO_EXCEPTION, message).into()
}

/// Any other class.
pub(crate) fn of_class(class: &'static str, message: impl Into<String>) -> Stop {
    Fault::new(class, message).into()
}

/// A file that cannot be opened, in the words of Java.
pub(crate) fn not_opened(name: &str, error: &io::Error) -> Stop {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "Is a directory".to_owned(),
        io::ErrorKind::NotADirectory => "Not a directory".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    };
    of_class("java.io.FileNotFoundException", format!("{name} ({why})"))
}

/// A key that stayed locked.
pub(crate) fn locked(error: &UnlockError) -> Fault {
    match error {
        UnlockError::WrongPassword | UnlockError::NeedsPassword => {
            Fault::new(UNRECOVERABLE_KEY, "Cannot recover key")
        }
        other => Fault::new(UNRECOVERABLE_KEY, other.to_string()),
    }
}

impl From<EditError> for Stop {
    fn from(error: EditError) -> Self {
        of_class(KEY_STORE_EXCEPTION, error.to_string())
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        of_class(KEY_STORE_EXCEPTION, error.to_string())
    }
}

pub(crate) const EXCEPTION: &str = "java.lang.Exception";
pub(crate) const IO_EXCEPTION: &str = "java.io.IOException";
pub(crate) const KEY_STORE_EXCEPTION: &str = "java.security.KeyStoreException";
pub(crate) const UNRECOVERABLE_KEY: &str = "java.security.UnrecoverableKeyException";
pub(crate) const NO_SUCH_ALGORITHM: &str = "java.security.NoSuchAlgorithmException";
pub(crate) const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";
pub(crate) const UNSUPPORTED: &str = "java.lang.UnsupportedOperationException";
