//! The files that share one password: `.kdb`, `.rdb`, `.crl` and `.sth` of one stem.
//!
//! GSKit opens the `.rdb` together with the `.kdb`: one of them under an old password locks both out. So a password
//! change gives all of them or none. Source: docs/formats/kdb.md, section 6.

use super::{Database, StashError, StashVersion, read_stash, write_stash};
use crate::edit::Edit;
use crate::error::{EditError, ParseError, WriteError};
use crate::limits::Limits;
use crate::secret::{Password, WriteEnv};
use crate::sniff::Format;
use crate::store::Form;

/// The files of one stem, as far as they exist.
#[derive(Clone, Default)]
pub struct CmsFiles {
    /// Key database.
    pub kdb: Option<Vec<u8>>,
    /// Request database.
    pub rdb: Option<Vec<u8>>,
    /// Revocation lists.
    pub crl: Option<Vec<u8>>,
    /// Stash.
    pub sth: Option<Vec<u8>>,
}

/// Why a set of files keeps its password. None of them is changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordChangeError {
    /// A file takes the change not.
    #[error("{} cannot change its password", format.name())]
    Edit {
        /// Which file.
        format: Format,
        /// Why.
        #[source]
        source: EditError,
    },
    /// A file cannot be read with the old password.
    #[error("{} does not open with the old password", format.name())]
    Read {
        /// Which file.
        format: Format,
        /// Why.
        #[source]
        source: ParseError,
    },
    /// The stash cannot be read or written.
    #[error("the stash does not go with the databases")]
    Stash {
        /// Why.
        #[source]
        source: StashError,
    },
    /// The stash holds another password than the one that opens the databases.
    #[error("the stash holds another password than the databases have")]
    StashDiffers,
    /// A file cannot be written.
    #[error("{} cannot be written", format.name())]
    Write {
        /// Which file.
        format: Format,
        /// Why.
        #[source]
        source: WriteError,
    },
}

/// Gives every file of the set the new password. Keys are encrypted anew; the stash keeps its version.
///
/// A stash that holds another password than `old` is not overwritten: it would hide which of both was in use.
///
/// # Errors
/// [`PasswordChangeError`]; nothing is changed then.
///
/// Cost: one hash per file and two derivations per key.
pub fn change_password(
    files: &CmsFiles,
    old: &Password,
    new: &Password,
    env: &mut WriteEnv<'_>,
) -> Result<CmsFiles, PasswordChangeError> {
    let mut next = CmsFiles::default();
    for (format, bytes, into) in [
        (Format::CmsKdb, &files.kdb, &mut next.kdb),
        (Format::CmsRdb, &files.rdb, &mut next.rdb),
        (Format::CmsCrl, &files.crl, &mut next.crl),
    ] {
        let Some(bytes) = bytes else { continue };
        let mut database = Database::read(format, bytes, Some(old), &Limits::default())
            .map_err(|source| PasswordChangeError::Read { format, source })?;
        let edit = Edit::SetPassword {
            old: None,
            new: new.clone(),
        };
        database
            .edit(&edit, env)
            .map_err(|source| PasswordChangeError::Edit { format, source })?;
        let written = database.write(None, env);
        *into = Some(written.map_err(|source| PasswordChangeError::Write { format, source })?);
    }
    if let Some(bytes) = &files.sth {
        let (stashed, version): (Password, StashVersion) =
            read_stash(bytes).map_err(|source| PasswordChangeError::Stash { source })?;
        if stashed != *old {
            return Err(PasswordChangeError::StashDiffers);
        }
        let stash = write_stash(new, version, env);
        next.sth = Some(stash.map_err(|source| PasswordChangeError::Stash { source })?);
    }
    Ok(next)
}
