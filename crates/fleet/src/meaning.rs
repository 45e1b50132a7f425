//! Why words that were written down once have no meaning here.

use crate::declare::DeclareError;

/// Why a fleet file's, a snapshot's or a change's words have no meaning: a person wrote them, or another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeaningError {
    /// Another certificate than those that the snapshot holds.
    #[error("certificate {0} is not in the snapshot")]
    NoCertificate(String),
    /// Another component than those that the snapshot holds.
    #[error("component `{0}` is not in the snapshot")]
    NoComponent(String),
    /// Not 64 hexadecimal digits.
    #[error("`{0}` is not a SHA-256")]
    NotADigest(String),
    /// No source of a password, or more than one.
    #[error("a password names exactly one of file, env, command, stash, prompt, literal")]
    NotOneSource,
    /// What the reader of the text says, with line and column where it knows them.
    #[error("{0}")]
    Unreadable(String),
    /// Every mistake of one component, for those who can show only one error.
    #[error("{}", sentence(.0))]
    UnfitComponent(Vec<DeclareError>),
    /// No syntax of that name is read or written here.
    #[error("syntax `{0}` is not known")]
    UnknownSyntax(String),
    /// A snapshot of a later version.
    #[error("version {0} is not known here")]
    UnknownVersion(u64),
}

fn sentence(errors: &[DeclareError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
