//! The port `exec::machine::Machine` on a simulated disk.

use crate::disk::Disk;
use exec::machine::{Attributes, IoError, Kind, Machine, Metadata, Obstacle, Over, Timestamp};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A machine that dies when it is told to. Every verb that changes the disk is counted; once dead, no verb succeeds.
#[derive(Debug)]
pub struct SimMachine {
    disk: RefCell<Disk>,
    verbs: Cell<usize>,
    last_verb: Cell<usize>,
}

impl SimMachine {
    /// A machine that lives on.
    pub fn new(disk: Disk) -> SimMachine {
        SimMachine::dying_after(disk, usize::MAX)
    }

    /// A machine that dies instead of making change number `verbs` + 1.
    pub fn dying_after(disk: Disk, verbs: usize) -> SimMachine {
        SimMachine {
            disk: RefCell::new(disk),
            verbs: Cell::new(0),
            last_verb: Cell::new(verbs),
        }
    }

    /// How many changes were tried.
    pub fn verbs(&self) -> usize {
        self.verbs.get()
    }

    /// Whether the fuse has blown.
    pub fn is_dead(&self) -> bool {
        self.verbs.get() > self.last_verb.get()
    }

    /// The disk as it is, dead or alive.
    pub fn disk(&self) -> Ref<'_, Disk> {
        self.disk.borrow()
    }

    /// Writes into an existing file, as careless programs do.
    pub fn overwrite(&self, path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        self.change("overwrite", path, |mut disk| {
            disk.write(path, |content| *content = bytes.to_vec())
        })
    }

    fn change(
        &self,
        verb: &'static str,
        path: &Path,
        change: impl FnOnce(RefMut<'_, Disk>) -> Result<(), ErrorKind>,
    ) -> Result<(), IoError> {
        self.verbs.set(self.verbs.get().saturating_add(1));
        self.alive(verb, path)?;
        change(self.disk.borrow_mut()).map_err(|kind| IoError::new(verb, path, kind, kind))
    }

    fn alive(&self, verb: &'static str, path: &Path) -> Result<(), IoError> {
        if self.is_dead() {
            Err(IoError::new(verb, path, ErrorKind::Other, "the machine is dead"))
        } else {
            Ok(())
        }
    }
}

impl Machine for SimMachine {
    fn now(&self) -> Timestamp {
        self.disk.borrow().clock()
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, IoError> {
        self.alive("resolve", path)?;
        Ok(path.to_path_buf())
    }

    fn look(&self, path: &Path) -> Result<Option<Metadata>, IoError> {
        self.alive("look at", path)?;
        Ok(self
            .disk
            .borrow()
            .inode(path)
            .map(|(ino, kind, bytes, attributes)| Metadata {
                kind,
                dev: 1,
                ino,
                links: 1,
                size_bytes: bytes.len() as u64,
                attributes: attributes.clone(),
            }))
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, IoError> {
        self.alive("read", path)?;
        let disk = self.disk.borrow();
        let (bytes, _) = disk
            .file(path)
            .ok_or_else(|| IoError::new("read", path, ErrorKind::NotFound, "no such file"))?;
        if bytes.len() as u64 > max_bytes {
            return Err(IoError::new("read", path, ErrorKind::FileTooLarge, "too large"));
        }
        Ok(bytes.to_vec())
    }

    fn preflight(&self, _path: &Path, _size_bytes: u64) -> Vec<Obstacle> {
        // Nothing on this disk can stand in the way.
        Vec::new()
    }

    fn write_new(&self, path: &Path, bytes: &[u8], attributes: &Attributes) -> Result<(), IoError> {
        self.change("create", path, |mut disk| {
            disk.create(path, Kind::File, bytes, attributes)
        })
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        self.change("append to", path, |mut disk| {
            disk.write(path, |content| content.extend(bytes))
        })
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> Result<(), IoError> {
        let length = usize::try_from(length_bytes).unwrap_or(usize::MAX);
        self.change("truncate", path, |mut disk| {
            disk.write(path, |content| content.truncate(length))
        })
    }

    fn sync_file(&self, path: &Path) -> Result<(), IoError> {
        self.change("sync", path, |mut disk| disk.sync_file(path))
    }

    fn sync_dir(&self, path: &Path) -> Result<(), IoError> {
        self.change("sync", path, |mut disk| disk.sync_dir(path))
    }

    fn rename(&self, from: &Path, to: &Path, over: Over) -> Result<(), IoError> {
        self.change("rename", from, |mut disk| {
            if over == Over::Nothing && disk.inode(to).is_some() {
                return Err(ErrorKind::AlreadyExists);
            }
            disk.rename(from, to)
        })
    }

    fn unlink(&self, path: &Path) -> Result<(), IoError> {
        self.change("remove", path, |mut disk| disk.remove(path, Kind::File))
    }

    fn mkdir(&self, path: &Path, attributes: &Attributes) -> Result<(), IoError> {
        self.change("create", path, |mut disk| {
            disk.create(path, Kind::Directory, &[], attributes)
        })
    }

    fn rmdir(&self, path: &Path) -> Result<(), IoError> {
        self.change("remove", path, |mut disk| disk.remove(path, Kind::Directory))
    }
}
