//! Six executors with one planted bug each: machines that do not do what they are told.

use exec::machine::{Attributes, IoError, Machine, Metadata, Obstacle, Over, Timestamp};
use sim::machine::SimMachine;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    DoneBeforeRename,
    NoBackup,
    NoDirectorySync,
    NoFileSync,
    NoIntentSync,
    None,
    WriteInPlace,
}

/// A machine with a bug between the executor and the disk.
pub struct Broken<'s> {
    sim: &'s SimMachine,
    bug: Bug,
    late: RefCell<Vec<Late>>,
}

impl<'s> Broken<'s> {
    pub fn new(sim: &'s SimMachine, bug: Bug) -> Broken<'s> {
        Broken {
            sim,
            bug,
            late: RefCell::new(Vec::new()),
        }
    }
}

enum Late {
    Rename(PathBuf, PathBuf, Over),
    Unlink(PathBuf),
}

fn is_run_file(path: &Path) -> bool {
    path.starts_with("/fleet")
}

fn is_backup(path: &Path) -> bool {
    path.parent().is_some_and(|dir| dir.ends_with("backups"))
}

fn is_journal(path: &Path) -> bool {
    path.ends_with("journal")
}

impl Machine for Broken<'_> {
    fn now(&self) -> Timestamp {
        self.sim.now()
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, IoError> {
        self.sim.resolve(path)
    }

    fn look(&self, path: &Path) -> Result<Option<Metadata>, IoError> {
        self.sim.look(path)
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, IoError> {
        self.sim.read(path, max_bytes)
    }

    fn preflight(&self, path: &Path, size_bytes: u64) -> Vec<Obstacle> {
        self.sim.preflight(path, size_bytes)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], attributes: &Attributes) -> Result<(), IoError> {
        if self.bug == Bug::NoBackup && is_backup(path) {
            return Ok(());
        }
        self.sim.write_new(path, bytes, attributes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        self.sim.append(path, bytes)
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> Result<(), IoError> {
        self.sim.truncate(path, length_bytes)
    }

    fn sync_file(&self, path: &Path) -> Result<(), IoError> {
        match self.bug {
            Bug::NoBackup if is_backup(path) => return Ok(()),
            Bug::NoFileSync if !is_run_file(path) => return Ok(()),
            Bug::NoIntentSync if is_journal(path) => return Ok(()),
            _ => self.sim.sync_file(path)?,
        }
        if is_journal(path) {
            for late in self.late.borrow_mut().drain(..) {
                let path = match late {
                    Late::Rename(from, to, over) => self.sim.rename(&from, &to, over).map(|()| to)?,
                    Late::Unlink(path) => self.sim.unlink(&path).map(|()| path)?,
                };
                self.sim.sync_dir(path.parent().unwrap())?;
            }
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> Result<(), IoError> {
        if self.bug == Bug::NoDirectorySync && !is_run_file(path) {
            Ok(())
        } else {
            self.sim.sync_dir(path)
        }
    }

    fn rename(&self, from: &Path, to: &Path, over: Over) -> Result<(), IoError> {
        match self.bug {
            Bug::DoneBeforeRename => {
                self.late
                    .borrow_mut()
                    .push(Late::Rename(from.to_path_buf(), to.to_path_buf(), over));
                Ok(())
            }
            Bug::WriteInPlace if over == Over::File => {
                self.sim.overwrite(to, &self.sim.read(from, u64::MAX)?)?;
                self.sim.unlink(from)
            }
            _ => self.sim.rename(from, to, over),
        }
    }

    fn unlink(&self, path: &Path) -> Result<(), IoError> {
        if self.bug == Bug::DoneBeforeRename && path.extension() != Some("tmp".as_ref()) && !is_run_file(path)
        {
            self.late.borrow_mut().push(Late::Unlink(path.to_path_buf()));
            return Ok(());
        }
        self.sim.unlink(path)
    }

    fn mkdir(&self, path: &Path, attributes: &Attributes) -> Result<(), IoError> {
        self.sim.mkdir(path, attributes)
    }

    fn rmdir(&self, path: &Path) -> Result<(), IoError> {
        self.sim.rmdir(path)
    }
}
