//! The only writer of stores: a set of files changes from old to new, or not at all.
//!
//! Old bytes into durable backups → durable intent → new bytes beside the old under temporary names, synced → each
//! renamed in its turn, its directory synced → done. Between any two of these the machine may die;
//! [`crate::recover`] then makes the set wholly old or wholly new. The order of the changes is kept also through a
//! crash, since each name is durable before the next changes.

use crate::digest::Sha256;
use crate::journal::{Journal, JournalError};
use crate::log::{Intended, Intent, Record, SetId, State};
use crate::machine::{Attributes, IoError, Kind, Machine, Over};
use crate::recover;
use std::fmt;
use std::path::{Path, PathBuf};

/// Changes that belong together, on one host, in an order of which every prefix is safe: trust before identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSet {
    /// The step they belong to; for people and reports.
    pub step: String,
    /// The host, as in [`crate::machine::Hosts`].
    pub host: String,
    /// In the order in which they are made. No path twice.
    pub changes: Vec<Change>,
    /// The set that this one takes back, where it is an undo.
    pub reverses: Option<SetId>,
}

/// One change to one path. Its `Debug` shows lengths, never bytes.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// A file where nothing lies.
    Create {
        /// Where.
        path: PathBuf,
        /// Its content.
        bytes: Vec<u8>,
        /// Its owner and mode.
        attributes: AttributeSource,
    },
    /// A directory where nothing lies.
    MakeDirectory {
        /// Where.
        path: PathBuf,
        /// Its owner and mode.
        attributes: AttributeSource,
    },
    /// No file where one lies.
    Remove {
        /// Which. The file goes, where `path` is a link, and the link stays.
        path: PathBuf,
        /// Digest of its bytes.
        expected: Sha256,
    },
    /// No directory where an empty one lies.
    RemoveDirectory {
        /// Which.
        path: PathBuf,
    },
    /// Other content for a file.
    Replace {
        /// Which. Where it is a link, the file at its end; the link stays.
        path: PathBuf,
        /// Digest of the bytes it has now.
        expected: Sha256,
        /// The bytes it shall have.
        bytes: Vec<u8>,
        /// Its owner and mode: usually [`AttributeSource::Original`].
        attributes: AttributeSource,
    },
}

impl Change {
    /// The path as the caller named it.
    pub fn path(&self) -> &Path {
        match self {
            Change::Create { path, .. }
            | Change::MakeDirectory { path, .. }
            | Change::Remove { path, .. }
            | Change::RemoveDirectory { path }
            | Change::Replace { path, .. } => path,
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Change::Create { bytes, .. } | Change::Replace { bytes, .. } => Some(bytes),
            Change::MakeDirectory { .. } | Change::Remove { .. } | Change::RemoveDirectory { .. } => None,
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self {
            Change::Create { .. } => "create",
            Change::MakeDirectory { .. } => "make directory",
            Change::Remove { .. } => "remove",
            Change::RemoveDirectory { .. } => "remove directory",
            Change::Replace { .. } => "replace",
        };
        write!(f, "{verb} {}", self.path().display())?;
        self.bytes()
            .map_or(Ok(()), |bytes| write!(f, " with {} bytes", bytes.len()))
    }
}

/// Where owner, mode, ACL and other extended attributes of a new file come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeSource {
    /// Exactly these; with a time, that becomes the file's.
    Exactly(Attributes),
    /// The owner of another file or directory, this mode, no extended attributes.
    Like {
        /// Whose owner.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
    },
    /// Those of the file that is replaced; for a new one an error.
    Original,
}

/// Carries out a set. On success all files are new, durably, and the journal says so.
///
/// Nothing is touched unless every file is as expected. After a failure past the intent the files are put back; the
/// error then is what went wrong, and the journal says `RolledBack`.
///
/// # Errors
/// `Drift` — files that are not what the plan saw, all of them. `Twice`, `NoOriginal`: the set makes no sense.
/// `Backup`, `Io`, `Journal`: the system's or the journal's refusal.
/// `HalfWay` — the files could not be put back either: the set is for [`recover::recover`].
///
/// Cost: each file is read twice; four syncs for each file that is replaced, three more for the set.
pub fn apply(machine: &dyn Machine, journal: &mut Journal<'_>, set: &FileSet) -> Result<SetId, ReplaceError> {
    let id = journal.next_set();
    let (intent, originals) = examine(machine, journal, set, id)?;
    for (intended, original) in intent.changes.iter().zip(&originals) {
        if let (Some(name), Some(bytes)) = (&intended.backup, original) {
            journal.keep_backup(name, bytes).map_err(ReplaceError::Backup)?;
        }
    }
    journal.sync_backups().map_err(ReplaceError::Backup)?;
    journal.append(Record::Intent(intent.clone()))?;
    if let Err(cause) = carry_out(machine, journal, set, &intent) {
        return Err(match recover::roll_back(machine, journal, &intent) {
            Ok(()) => cause,
            Err(_) => ReplaceError::HalfWay {
                set: id,
                cause: Box::new(cause),
            },
        });
    }
    journal.append(Record::Done {
        set: id,
        at: journal.now(),
    })?;
    Ok(id)
}

/// The set that takes `set` back: the old bytes, owner, mode, times and extended attributes of every file, in the
/// reverse order. It drifts, when applied, where a file is not what the set wrote.
///
/// # Errors
/// `NoSet` — no such intent. `BackupDamaged`, `Backup` — the old bytes are not there.
pub fn reverse(journal: &Journal<'_>, set: SetId) -> Result<FileSet, ReplaceError> {
    let intent = journal.intent(set).ok_or(ReplaceError::NoSet { set })?;
    let mut changes = Vec::new();
    for intended in intent.changes.iter().rev() {
        let path = intended.path.clone();
        changes.push(match (&intended.before, &intended.after) {
            (State::Absent, State::Absent | State::Directory { .. }) => Change::RemoveDirectory { path },
            (State::Absent, State::File { sha256, .. }) => Change::Remove {
                path,
                expected: *sha256,
            },
            (State::Directory { attributes }, _) => {
                let attributes = AttributeSource::Exactly(attributes.clone());
                Change::MakeDirectory { path, attributes }
            }
            (State::File { sha256, attributes }, after) => {
                let bytes = old_bytes(journal, intended, sha256)?;
                let attributes = AttributeSource::Exactly(attributes.clone());
                match after {
                    State::File { sha256: expected, .. } => Change::Replace {
                        path,
                        expected: *expected,
                        bytes,
                        attributes,
                    },
                    State::Absent | State::Directory { .. } => Change::Create {
                        path,
                        bytes,
                        attributes,
                    },
                }
            }
        });
    }
    Ok(FileSet {
        step: intent.step.clone(),
        host: intent.host.clone(),
        changes,
        reverses: Some(set),
    })
}

/// A set that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// Old bytes could not be put aside, or not be read again.
    #[error("cannot keep the old bytes")]
    Backup(#[source] IoError),
    /// A backup is not what was put aside.
    #[error("backup {name} of {path} is damaged: expected {expected}, found {found}")]
    BackupDamaged {
        /// Its name in the run.
        name: String,
        /// Whose bytes.
        path: PathBuf,
        /// The digest on record.
        expected: Sha256,
        /// The digest of what is there.
        found: Sha256,
    },
    /// Files are not what the plan saw. None of them was changed.
    #[error("changed since the plan was checked: {}", list(drifted))]
    Drift {
        /// All of them, in the order of the set.
        drifted: Vec<Drifted>,
    },
    /// Something failed, and putting the files back failed too.
    #[error("file set {} is half-way and must be recovered", set.0)]
    HalfWay {
        /// Which set.
        set: SetId,
        /// What failed first.
        #[source]
        cause: Box<ReplaceError>,
    },
    /// A file could not be read or written.
    #[error("files are left as they were")]
    Io(#[from] IoError),
    /// The journal took no record; nothing goes on without.
    #[error("the change could not be recorded")]
    Journal(#[from] JournalError),
    /// A new file has no original to take its owner from.
    #[error("{path} is new and has no original whose owner and mode it could keep")]
    NoOriginal {
        /// Which.
        path: PathBuf,
    },
    /// No intent with this number.
    #[error("the run has no file set {}", set.0)]
    NoSet {
        /// The number.
        set: SetId,
    },
    /// Two changes end at the same file.
    #[error("{path} is changed twice in one set")]
    Twice {
        /// Where both end.
        path: PathBuf,
    },
}

/// How a file differs from what a plan saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drifted {
    /// Owner, mode, ACL or other extended attributes.
    Access {
        /// Which file.
        path: PathBuf,
    },
    /// Something lies where nothing should.
    Appeared {
        /// Where.
        path: PathBuf,
    },
    /// Other bytes.
    Changed {
        /// Which file.
        path: PathBuf,
        /// What the plan saw.
        expected: Sha256,
        /// What is there.
        found: Sha256,
    },
    /// It is not the kind of thing that the plan saw (or a directory that is not empty).
    Kind {
        /// Which path.
        path: PathBuf,
    },
    /// Nothing lies where something should.
    Vanished {
        /// Where.
        path: PathBuf,
    },
}

impl fmt::Display for Drifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drifted::Access { path } => write!(f, "{} (owner, mode or ACL)", path.display()),
            Drifted::Appeared { path } => write!(f, "{} (should not exist)", path.display()),
            Drifted::Changed {
                path,
                expected,
                found,
            } => {
                write!(f, "{} (expected {expected}, found {found})", path.display())
            }
            Drifted::Kind { path } => write!(f, "{} (another kind of file)", path.display()),
            Drifted::Vanished { path } => write!(f, "{} (missing)", path.display()),
        }
    }
}

fn list(drifted: &[Drifted]) -> String {
    drifted
        .iter()
        .map(Drifted::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The old bytes of each change, where there are any.
type Originals = Vec<Option<Vec<u8>>>;

/// Looks at every file of the set. What comes back is the intent and, per change, the old bytes to keep.
fn examine(
    machine: &dyn Machine,
    journal: &Journal<'_>,
    set: &FileSet,
    id: SetId,
) -> Result<(Intent, Originals), ReplaceError> {
    let mut drifted = Vec::new();
    let mut changes: Vec<Intended> = Vec::new();
    let mut originals = Vec::new();
    for (index, change) in set.changes.iter().enumerate() {
        let path = place(machine, &changes, change)?;
        if changes.iter().any(|earlier| earlier.path == path) {
            return Err(ReplaceError::Twice { path });
        }
        let (found, original) = found_at(machine, &path)?;
        drifted.extend(drift_of(change, &path, &found));
        let after = wanted(machine, &changes, change, &found)?;
        let backup = original.is_some().then(|| format!("{}-{index}", id.0));
        changes.push(Intended {
            path,
            named: change.path().to_path_buf(),
            before: found,
            after,
            backup,
        });
        originals.push(original);
    }
    if !drifted.is_empty() {
        return Err(ReplaceError::Drift { drifted });
    }
    let (step, host) = (set.step.clone(), set.host.clone());
    let at = journal.now();
    Ok((
        Intent {
            set: id,
            step,
            host,
            reverses: set.reverses,
            changes,
            at,
        },
        originals,
    ))
}

/// Where a change happens: links are followed, except that a new file never goes through one of its own name.
fn place(machine: &dyn Machine, earlier: &[Intended], change: &Change) -> Result<PathBuf, IoError> {
    let path = change.path();
    match change {
        Change::Remove { .. } | Change::RemoveDirectory { .. } | Change::Replace { .. } => {
            machine.resolve(path)
        }
        Change::Create { .. } | Change::MakeDirectory { .. } => {
            let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
                return machine.resolve(path);
            };
            match earlier.iter().find(|made| made.named == dir || made.path == dir) {
                Some(made) => Ok(made.path.join(name)),
                None => Ok(machine.resolve(dir)?.join(name)),
            }
        }
    }
}

/// What lies at a path, with the bytes where it is a file.
fn found_at(machine: &dyn Machine, path: &Path) -> Result<(State, Option<Vec<u8>>), IoError> {
    let Some(seen) = machine.look(path).or_else(absent_without_directory)? else {
        return Ok((State::Absent, None));
    };
    match seen.kind {
        Kind::Directory => Ok((
            State::Directory {
                attributes: seen.attributes,
            },
            None,
        )),
        Kind::File | Kind::Link | Kind::Other => {
            let bytes = machine.read(path, MAX_FILE_BYTES)?;
            Ok((
                State::File {
                    sha256: Sha256::of(&bytes),
                    attributes: seen.attributes,
                },
                Some(bytes),
            ))
        }
    }
}

/// Nothing lies in a directory that is not there.
fn absent_without_directory<T>(error: IoError) -> Result<Option<T>, IoError> {
    if error.reason.kind == std::io::ErrorKind::NotFound {
        Ok(None)
    } else {
        Err(error)
    }
}

fn drift_of(change: &Change, path: &Path, found: &State) -> Option<Drifted> {
    let path = path.to_path_buf();
    match (change, found) {
        (Change::Create { .. } | Change::MakeDirectory { .. }, State::Absent) => None,
        (Change::Create { .. } | Change::MakeDirectory { .. }, _) => Some(Drifted::Appeared { path }),
        (_, State::Absent) => Some(Drifted::Vanished { path }),
        (Change::RemoveDirectory { .. }, State::Directory { .. }) => None,
        (Change::Remove { expected, .. } | Change::Replace { expected, .. }, State::File { sha256, .. }) => {
            let (expected, found) = (*expected, *sha256);
            (expected != found).then_some(Drifted::Changed {
                path,
                expected,
                found,
            })
        }
        (Change::RemoveDirectory { .. }, State::File { .. })
        | (Change::Remove { .. } | Change::Replace { .. }, State::Directory { .. }) => {
            Some(Drifted::Kind { path })
        }
    }
}

/// What shall lie there afterwards.
fn wanted(
    machine: &dyn Machine,
    earlier: &[Intended],
    change: &Change,
    before: &State,
) -> Result<State, ReplaceError> {
    let attributes_from = |source: &AttributeSource| match (source, before) {
        (AttributeSource::Exactly(attributes), _) => Ok(attributes.clone()),
        (AttributeSource::Original, State::File { attributes, .. } | State::Directory { attributes }) => {
            Ok(Attributes {
                mtime: None,
                ..attributes.clone()
            })
        }
        // Before drift is reported; what stands here is never used.
        (AttributeSource::Original, State::Absent) if matches!(change, Change::Replace { .. }) => {
            Ok(Attributes::private())
        }
        (AttributeSource::Original, State::Absent) => Err(ReplaceError::NoOriginal {
            path: change.path().to_path_buf(),
        }),
        (AttributeSource::Like { path, mode }, _) => {
            let (mode, mtime, xattrs) = (*mode, None, Default::default());
            let owner = match earlier
                .iter()
                .find(|made| made.named == *path || made.path == *path)
            {
                Some(Intended {
                    after: State::File { attributes, .. } | State::Directory { attributes },
                    ..
                }) => attributes.owner,
                _ => {
                    let place = machine.resolve(path)?;
                    let missing =
                        || IoError::new("look at", &place, std::io::ErrorKind::NotFound, "no such file");
                    machine.look(&place)?.ok_or_else(missing)?.attributes.owner
                }
            };
            Ok(Attributes {
                mode,
                owner,
                mtime,
                xattrs,
            })
        }
    };
    match change {
        Change::Create {
            bytes, attributes, ..
        }
        | Change::Replace {
            bytes, attributes, ..
        } => Ok(State::File {
            sha256: Sha256::of(bytes),
            attributes: attributes_from(attributes)?,
        }),
        Change::MakeDirectory { attributes, .. } => Ok(State::Directory {
            attributes: attributes_from(attributes)?,
        }),
        Change::Remove { .. } | Change::RemoveDirectory { .. } => Ok(State::Absent),
    }
}

/// From the durable intent to the last durable name.
fn carry_out(
    machine: &dyn Machine,
    journal: &Journal<'_>,
    set: &FileSet,
    intent: &Intent,
) -> Result<(), ReplaceError> {
    let made_here = |path: &Path| {
        intent.changes.iter().any(|made| {
            matches!(made.after, State::Directory { .. }) && Some(made.path.as_path()) == path.parent()
        })
    };
    let mut staged = Vec::new();
    for (index, (change, intended)) in set.changes.iter().zip(&intent.changes).enumerate() {
        let temp = temp_path(journal, intent, index, Direction::Forward);
        if let (Some(bytes), State::File { attributes, .. }) = (change.bytes(), &intended.after)
            && !made_here(&intended.path)
        {
            machine.write_new(&temp, bytes, attributes)?;
            machine.sync_file(&temp)?;
            staged.push(index);
        }
    }
    for (index, (change, intended)) in set.changes.iter().zip(&intent.changes).enumerate() {
        let temp = temp_path(journal, intent, index, Direction::Forward);
        if let (Some(bytes), State::File { attributes, .. }) = (change.bytes(), &intended.after)
            && !staged.contains(&index)
        {
            machine.write_new(&temp, bytes, attributes)?;
            machine.sync_file(&temp)?;
        }
        unchanged(machine, &intended.path, &intended.before)?;
        turn(machine, &intended.path, &intended.before, &intended.after, &temp)?;
    }
    Ok(())
}

/// The drift check right before a change.
fn unchanged(machine: &dyn Machine, path: &Path, expected: &State) -> Result<(), ReplaceError> {
    let (found, _) = found_at(machine, path)?;
    let path = path.to_path_buf();
    let drifted = match (expected, &found) {
        (State::Absent, State::Absent) => return Ok(()),
        (State::Absent, _) => Drifted::Appeared { path },
        (_, State::Absent) => Drifted::Vanished { path },
        (State::Directory { .. }, State::Directory { .. }) => return Ok(()),
        (State::File { sha256: expected, .. }, State::File { sha256: found, .. }) if expected != found => {
            Drifted::Changed {
                path,
                expected: *expected,
                found: *found,
            }
        }
        (
            State::File {
                attributes: expected, ..
            },
            State::File {
                attributes: found, ..
            },
        ) => {
            if expected.same_access(found) {
                return Ok(());
            }
            Drifted::Access { path }
        }
        (State::Directory { .. }, State::File { .. }) | (State::File { .. }, State::Directory { .. }) => {
            Drifted::Kind { path }
        }
    };
    Err(ReplaceError::Drift {
        drifted: vec![drifted],
    })
}

/// One path from one state to another, durably. Where the new state is a file, it lies synced at `temp`.
pub(crate) fn turn(
    machine: &dyn Machine,
    path: &Path,
    from: &State,
    to: &State,
    temp: &Path,
) -> Result<(), IoError> {
    match (from, to) {
        (State::Absent, State::File { .. }) => machine.rename(temp, path, Over::Nothing)?,
        (_, State::File { .. }) => machine.rename(temp, path, Over::File)?,
        (_, State::Directory { attributes }) => machine.mkdir(path, attributes)?,
        (State::Directory { .. }, State::Absent) => machine.rmdir(path)?,
        (State::File { .. }, State::Absent) => machine.unlink(path)?,
        (State::Absent, State::Absent) => {}
    }
    machine.sync_dir(parent(path))
}

/// Whether a temporary file is on its way to the new state or back to the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Back,
    Forward,
}

/// The temporary name of a change: hidden, in the directory of its target, and no product reads `*.tmp`.
pub(crate) fn temp_path(journal: &Journal<'_>, intent: &Intent, index: usize, way: Direction) -> PathBuf {
    let suffix = match way {
        Direction::Back => "-back.tmp",
        Direction::Forward => ".tmp",
    };
    let name = format!(
        ".capgrow-{}-{}-{index}{suffix}",
        journal.run().as_str(),
        intent.set.0
    );
    parent(&intent.changes[index].path).join(name)
}

/// The bytes that a file had before the set, checked against the intent.
pub(crate) fn old_bytes(
    journal: &Journal<'_>,
    intended: &Intended,
    expected: &Sha256,
) -> Result<Vec<u8>, ReplaceError> {
    let name = intended.backup.clone().unwrap_or_default();
    let bytes = journal
        .read_backup(&name, MAX_FILE_BYTES)
        .map_err(ReplaceError::Backup)?;
    let found = Sha256::of(&bytes);
    if found != *expected {
        let (path, expected) = (intended.path.clone(), *expected);
        return Err(ReplaceError::BackupDamaged {
            name,
            path,
            expected,
            found,
        });
    }
    Ok(bytes)
}

pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Stores are small; a file beyond this is not one.
pub(crate) const MAX_FILE_BYTES: u64 = 256 << 20;
