//! The durable memory of a run: an append-only file of framed, checksummed records.
//!
//! ```text
//! journal = magic(16) record*
//! record  = length(4, big-endian) parent(32) checksum(32) payload(length)
//! checksum = SHA-256(offset of the record, 8 bytes big-endian ‖ parent ‖ payload)
//! parent   = checksum of the record before it; of the first one SHA-256(magic)
//! ```
//! So a record names all that were before it, and none of them can be exchanged unseen. Every record is synced before [`Journal::append`] returns, so at most the last one can be torn. What follows the
//! last whole record is cut when the journal is opened; a damaged record with a whole one behind it cannot come from
//! a crash and is an error.

use crate::digest::Sha256;
use crate::log::{self, Intent, Record, SetId};
use crate::machine::{Attributes, IoError, Machine, Timestamp};
use std::path::{Path, PathBuf};

/// The open journal of one run, and the directory of the run around it.
pub struct Journal<'m> {
    machine: &'m dyn Machine,
    dir: PathBuf,
    run: RunId,
    records: Vec<Record>,
    end_bytes: u64,
    /// The checksum of the last record.
    last: Sha256,
    broken: bool,
}

impl<'m> Journal<'m> {
    /// Begins a run: `runs` (`.capgrow/runs`, which exists) gets a directory of the run's name with an empty journal
    /// and a directory for backups, all durable.
    ///
    /// # Errors
    /// `Io` — also where the run exists already.
    pub fn create(machine: &'m dyn Machine, runs: &Path, run: RunId) -> Result<Journal<'m>, JournalError> {
        let dir = runs.join(&run.0);
        let private_dir = Attributes {
            mode: 0o700,
            ..Attributes::private()
        };
        machine.mkdir(&dir, &private_dir)?;
        machine.mkdir(&dir.join(BACKUPS), &private_dir)?;
        let path = dir.join(JOURNAL);
        machine.write_new(&path, MAGIC, &Attributes::private())?;
        machine.sync_file(&path)?;
        machine.sync_dir(&dir)?;
        machine.sync_dir(runs)?;
        Ok(Journal {
            machine,
            dir,
            run,
            records: Vec::new(),
            end_bytes: MAGIC.len() as u64,
            last: Sha256::of(MAGIC),
            broken: false,
        })
    }

    /// Opens the journal of a run that was begun, cuts a torn tail, and makes what was read durable before anything
    /// is built on it. The second part is what was cut, for a notice.
    ///
    /// # Errors
    /// `Damaged` — a record in the middle does not fit its checksum, or one with a right checksum cannot be read.
    /// `Io`.
    ///
    /// Cost: one pass; for a damaged record a second one over what follows.
    pub fn open(
        machine: &'m dyn Machine,
        runs: &Path,
        run: RunId,
    ) -> Result<(Journal<'m>, Option<TornTail>), JournalError> {
        let dir = runs.join(&run.0);
        let path = dir.join(JOURNAL);
        if machine.look(&path)?.is_none() {
            // The run died before its journal had a name: begin it again, nothing was approved.
            return Ok((Journal::complete(machine, runs, run)?, None));
        }
        let bytes = machine.read(&path, MAX_JOURNAL_BYTES)?;
        let Parsed {
            records,
            end_bytes,
            last,
        } = parse(&bytes)?;
        let mut torn = None;
        if end_bytes < bytes.len() {
            torn = Some(TornTail {
                offset: end_bytes as u64,
                length_bytes: (bytes.len() - end_bytes) as u64,
            });
            machine.truncate(&path, end_bytes as u64)?;
        }
        let mut end_bytes = end_bytes as u64;
        if end_bytes == 0 {
            machine.append(&path, MAGIC)?;
            end_bytes = MAGIC.len() as u64;
        }
        machine.sync_file(&path)?;
        machine.sync_dir(&dir)?;
        machine.sync_dir(runs)?;
        let journal = Journal {
            machine,
            dir,
            run,
            records,
            end_bytes,
            last,
            broken: false,
        };
        journal.ensure_backups()?;
        Ok((journal, torn))
    }

    /// Reads the records of a run without touching anything, for those who only report. A torn tail is left out.
    ///
    /// # Errors
    /// `Damaged`, `Io` as for [`Journal::open`]; `NoRun` where no journal is.
    pub fn read(machine: &dyn Machine, runs: &Path, run: &RunId) -> Result<Vec<Record>, JournalError> {
        let path = runs.join(&run.0).join(JOURNAL);
        if machine.look(&path)?.is_none() {
            return Err(JournalError::NoRun { run: run.0.clone() });
        }
        Ok(parse(&machine.read(&path, MAX_JOURNAL_BYTES)?)?.records)
    }

    /// Adds a record and makes it durable.
    ///
    /// # Errors
    /// `Io`: nothing may be built on the record, and the journal accepts no further one until it is opened again.
    /// `Broken` — an earlier append failed. `TooLong`.
    pub fn append(&mut self, record: Record) -> Result<(), JournalError> {
        if self.broken {
            return Err(JournalError::Broken);
        }
        let payload = log::encode(&record);
        if payload.len() > MAX_RECORD_BYTES {
            return Err(JournalError::TooLong {
                length_bytes: payload.len(),
            });
        }
        let (frame, checksum) = frame(self.end_bytes, &self.last, &payload);
        let path = self.dir.join(JOURNAL);
        self.broken = true;
        self.machine.append(&path, &frame)?;
        self.machine.sync_file(&path)?;
        self.broken = false;
        self.end_bytes += frame.len() as u64;
        self.last = checksum;
        self.records.push(record);
        Ok(())
    }

    /// All records in their order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The run's name.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The clock of the machine that holds the journal.
    pub fn now(&self) -> Timestamp {
        self.machine.now()
    }

    /// The first number that no set of this run has.
    pub fn next_set(&self) -> SetId {
        let last = self.intents().map(|intent| intent.set.0).max();
        SetId(last.map_or(1, |last| last + 1))
    }

    /// The intent of a set.
    pub fn intent(&self, set: SetId) -> Option<&Intent> {
        self.intents().find(|intent| intent.set == set)
    }

    /// Intents that are neither done nor rolled back, oldest first.
    pub fn unfinished(&self) -> Vec<&Intent> {
        self.intents()
            .filter(|intent| !self.is_done(intent.set) && !self.is_rolled_back(intent.set))
            .collect()
    }

    /// Intents that are done and were not taken back by a later one that is done, oldest first: what an undo of the
    /// run reverses, from the last to the first.
    pub fn standing(&self) -> Vec<&Intent> {
        let taken_back = |set: SetId| {
            self.intents()
                .any(|later| later.reverses == Some(set) && self.is_done(later.set))
        };
        self.intents()
            .filter(|intent| intent.reverses.is_none() && self.is_done(intent.set) && !taken_back(intent.set))
            .collect()
    }

    /// Puts old bytes among the backups and makes them durable, except for the name.
    /// A left-over of the same name belongs to an intent that was never written and is removed.
    pub(crate) fn keep_backup(&self, name: &str, bytes: &[u8]) -> Result<(), IoError> {
        let path = self.dir.join(BACKUPS).join(name);
        if self.machine.look(&path)?.is_some() {
            self.machine.unlink(&path)?;
        }
        self.machine.write_new(&path, bytes, &Attributes::private())?;
        self.machine.sync_file(&path)
    }

    /// Makes the names of the backups durable.
    pub(crate) fn sync_backups(&self) -> Result<(), IoError> {
        self.machine.sync_dir(&self.dir.join(BACKUPS))
    }

    /// The bytes of a backup. `max_bytes` bounds the reading.
    pub fn read_backup(&self, name: &str, max_bytes: u64) -> Result<Vec<u8>, IoError> {
        self.machine.read(&self.dir.join(BACKUPS).join(name), max_bytes)
    }

    fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.records.iter().filter_map(|record| match record {
            Record::Intent(intent) => Some(intent),
            _ => None,
        })
    }

    fn is_done(&self, id: SetId) -> bool {
        self.records
            .iter()
            .any(|record| matches!(record, Record::Done { set, .. } if *set == id))
    }

    fn is_rolled_back(&self, id: SetId) -> bool {
        self.records
            .iter()
            .any(|record| matches!(record, Record::RolledBack { set, .. } if *set == id))
    }

    /// Finishes a creation that died half-way.
    fn complete(machine: &'m dyn Machine, runs: &Path, run: RunId) -> Result<Journal<'m>, JournalError> {
        let dir = runs.join(&run.0);
        if machine.look(&dir)?.is_none() {
            return Err(JournalError::NoRun { run: run.0 });
        }
        let path = dir.join(JOURNAL);
        machine.write_new(&path, MAGIC, &Attributes::private())?;
        machine.sync_file(&path)?;
        machine.sync_dir(&dir)?;
        machine.sync_dir(runs)?;
        let end_bytes = MAGIC.len() as u64;
        let journal = Journal {
            machine,
            dir,
            run,
            records: Vec::new(),
            end_bytes,
            last: Sha256::of(MAGIC),
            broken: false,
        };
        journal.ensure_backups()?;
        Ok(journal)
    }

    fn ensure_backups(&self) -> Result<(), JournalError> {
        let path = self.dir.join(BACKUPS);
        if self.machine.look(&path)?.is_none() {
            self.machine.mkdir(
                &path,
                &Attributes {
                    mode: 0o700,
                    ..Attributes::private()
                },
            )?;
            self.machine.sync_dir(&self.dir)?;
        }
        Ok(())
    }
}

/// The name of a run: 1 to 40 letters and digits. It is the name of a directory and a part of temporary names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// `None` where `text` is not such a name.
    pub fn parse(text: &str) -> Option<RunId> {
        let fits = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| RunId(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was cut from the end of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornTail {
    /// From where.
    pub offset: u64,
    /// How much.
    pub length_bytes: u64,
}

/// A journal that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// An earlier record could not be written.
    #[error("the journal takes no record after one that was not written; the run must be resumed")]
    Broken,
    /// A record in the middle is not what was written.
    #[error("journal record at byte {offset} is damaged: {reason}")]
    Damaged {
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The file could not be read or written.
    #[error("the journal is not usable")]
    Io(#[from] IoError),
    /// No such run.
    #[error("there is no run {run}")]
    NoRun {
        /// Its name.
        run: String,
    },
    /// A record that no reader would take.
    #[error("a journal record of {length_bytes} bytes is too long")]
    TooLong {
        /// Its length.
        length_bytes: usize,
    },
}

struct Parsed {
    records: Vec<Record>,
    /// Where the last whole record ends; zero where not even the magic is whole.
    end_bytes: usize,
    /// Its checksum.
    last: Sha256,
}

/// Reads whole records from the start. The rest is a torn tail unless a whole record lies in it.
fn parse(bytes: &[u8]) -> Result<Parsed, JournalError> {
    let damaged = |offset: usize, reason: &str| JournalError::Damaged {
        offset: offset as u64,
        reason: reason.into(),
    };
    let holds_record_from =
        |from: usize| (from..bytes.len()).any(|offset| framed_at(bytes, offset).is_some());
    if !bytes.starts_with(MAGIC) {
        if bytes.len() >= MAGIC.len() && bytes.starts_with(&MAGIC[..MAGIC.len() - 1]) {
            return Err(damaged(0, "another version of capgrow wrote it"));
        }
        if holds_record_from(MAGIC.len().min(bytes.len())) {
            return Err(damaged(0, "the first bytes are not those of a journal"));
        }
        return Ok(Parsed {
            records: Vec::new(),
            end_bytes: 0,
            last: Sha256::of(MAGIC),
        });
    }
    let mut records = Vec::new();
    let mut offset = MAGIC.len();
    let mut last = Sha256::of(MAGIC);
    while let Some(framed) = framed_at(bytes, offset) {
        if framed.parent != last {
            return Err(damaged(offset, "it does not name the record before it"));
        }
        records.push(log::decode(framed.payload).map_err(|e| damaged(offset, &e))?);
        offset += FRAME_BYTES + framed.payload.len();
        last = framed.checksum;
    }
    if offset < bytes.len() && holds_record_from(offset + 1) {
        return Err(damaged(
            offset,
            "it does not fit its checksum, and whole records follow",
        ));
    }
    Ok(Parsed {
        records,
        end_bytes: offset,
        last,
    })
}

/// A whole record as it lies in the file.
struct Framed<'a> {
    parent: Sha256,
    checksum: Sha256,
    payload: &'a [u8],
}

/// The whole record that begins at `offset`, if one does.
fn framed_at(bytes: &[u8], offset: usize) -> Option<Framed<'_>> {
    let head = bytes.get(offset..offset.checked_add(FRAME_BYTES)?)?;
    let (length, head) = head.split_first_chunk::<4>()?;
    let (parent, checksum) = head.split_first_chunk::<32>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length == 0 || length > MAX_RECORD_BYTES {
        return None;
    }
    let start = offset + FRAME_BYTES;
    let payload = bytes.get(start..start.checked_add(length)?)?;
    let parent = Sha256(*parent);
    let found = checksum_of(offset as u64, &parent, payload);
    (found.0 == checksum).then_some(Framed {
        parent,
        checksum: found,
        payload,
    })
}

fn frame(offset: u64, parent: &Sha256, payload: &[u8]) -> (Vec<u8>, Sha256) {
    let length = u32::try_from(payload.len()).expect("append bounds the length");
    let checksum = checksum_of(offset, parent, payload);
    let mut frame = Vec::with_capacity(FRAME_BYTES + payload.len());
    frame.extend(length.to_be_bytes());
    frame.extend(parent.0);
    frame.extend(checksum.0);
    frame.extend(payload);
    (frame, checksum)
}

fn checksum_of(offset: u64, parent: &Sha256, payload: &[u8]) -> Sha256 {
    let mut bytes = offset.to_be_bytes().to_vec();
    bytes.extend(parent.0);
    bytes.extend(payload);
    Sha256::of(&bytes)
}

const MAGIC: &[u8; 16] = b"capgrow-journal2";
const JOURNAL: &str = "journal";
const BACKUPS: &str = "backups";
/// Length, parent and checksum before each payload.
const FRAME_BYTES: usize = 68;
/// An intent with a thousand files has about 500 bytes for each.
const MAX_RECORD_BYTES: usize = 16 << 20;
const MAX_JOURNAL_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests;
