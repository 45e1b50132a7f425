//! A disk in memory that can say what may be left of it after a crash.
//!
//! The live state is what programs see. Durable is what was synced: the content of a file by a sync of the file, a
//! name by a sync of its directory. When the machine dies, any subset of the changes to names that no sync covered may
//! have reached the disk, and each file that was not synced is old, new or torn. Renames are atomic, no more.

use exec::machine::{Attributes, Kind, Owner, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The state of a disk, live and durable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Disk {
    inodes: BTreeMap<u64, Rc<Inode>>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    unsynced: Vec<NameChange>,
    clock: Timestamp,
}

impl Disk {
    /// An empty disk: the directory `/` alone.
    pub fn new() -> Disk {
        let clock = Timestamp {
            seconds: 1_000_000,
            nanoseconds: 0,
        };
        let root = Inode::new(
            Kind::Directory,
            Vec::new(),
            born(
                &Attributes {
                    mode: 0o755,
                    ..Attributes::private()
                },
                clock,
            ),
        );
        let names = BTreeMap::from([(PathBuf::from("/"), 1)]);
        Disk {
            inodes: [(1, Rc::new(root))].into(),
            durable_names: names.clone(),
            names,
            unsynced: Vec::new(),
            clock,
        }
    }

    /// Everything live becomes durable: where a test begins.
    pub fn settle(&mut self) {
        self.durable_names = self.names.clone();
        self.unsynced.clear();
        for inode in self.inodes.values_mut() {
            let inode = Rc::make_mut(inode);
            inode.durable = inode.live.clone();
        }
    }

    /// The disk's clock; it stands still unless it is [`Disk::advance`]d.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Moves the clock forward.
    pub fn advance(&mut self, seconds: i64) {
        self.clock.seconds += seconds;
    }

    /// Every live path with what is there, `/` included.
    pub fn paths(&self) -> impl Iterator<Item = (&Path, Kind)> {
        self.names
            .iter()
            .map(|(path, ino)| (path.as_path(), self.inodes[ino].kind))
    }

    /// Bytes and attributes of a live file.
    pub fn file(&self, path: &Path) -> Option<(&[u8], &Attributes)> {
        let inode = self.inodes.get(self.names.get(path)?)?;
        (inode.kind == Kind::File).then_some((&inode.live.bytes, &inode.live.attributes))
    }

    /// Every state in which the disk may be found when the machine dies now: all durable, none twice.
    pub fn images(&self) -> Vec<Disk> {
        assert!(
            self.unsynced.len() <= MAX_UNSYNCED,
            "{} unsynced names make too many images",
            self.unsynced.len()
        );
        let mut images = Vec::new();
        let mut seen = HashSet::new();
        for subset in 0..(1_u32 << self.unsynced.len()) {
            let names = self.names_after(subset);
            for inodes in self.contents_after(&names) {
                let image = Disk {
                    inodes,
                    durable_names: names.clone(),
                    names: names.clone(),
                    unsynced: Vec::new(),
                    clock: self.clock,
                };
                if seen.insert(image.clone()) {
                    images.push(image);
                }
            }
        }
        images
    }

    pub(crate) fn inode(&self, path: &Path) -> Option<(u64, Kind, &[u8], &Attributes)> {
        let ino = self.names.get(path)?;
        let inode = &self.inodes[ino];
        Some((*ino, inode.kind, &inode.live.bytes, &inode.live.attributes))
    }

    pub(crate) fn create(
        &mut self,
        path: &Path,
        kind: Kind,
        bytes: &[u8],
        wanted: &Attributes,
    ) -> Result<(), ErrorKind> {
        self.expect_dir_of(path)?;
        if self.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists);
        }
        let ino = self.inodes.keys().last().map_or(1, |last| last + 1);
        let mut inode = Inode::new(kind, Vec::new(), born(&Attributes::private(), self.clock));
        inode.live = Content {
            bytes: bytes.to_vec(),
            attributes: born(wanted, self.clock),
        };
        self.inodes.insert(ino, Rc::new(inode));
        self.change(NameChange::Put {
            path: path.to_path_buf(),
            ino,
        });
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), ErrorKind> {
        let ino = *self.names.get(from).ok_or(ErrorKind::NotFound)?;
        self.expect_dir_of(to)?;
        self.change(NameChange::Move {
            from: from.to_path_buf(),
            to: to.to_path_buf(),
            ino,
        });
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &Path, kind: Kind) -> Result<(), ErrorKind> {
        let ino = self.names.get(path).ok_or(ErrorKind::NotFound)?;
        if self.inodes[ino].kind != kind {
            return Err(ErrorKind::InvalidInput);
        }
        if self.names.keys().any(|name| name.parent() == Some(path)) {
            return Err(ErrorKind::DirectoryNotEmpty);
        }
        self.change(NameChange::Take {
            path: path.to_path_buf(),
        });
        Ok(())
    }

    pub(crate) fn write(&mut self, path: &Path, edit: impl FnOnce(&mut Vec<u8>)) -> Result<(), ErrorKind> {
        let clock = self.clock;
        let ino = self.names.get(path).ok_or(ErrorKind::NotFound)?;
        let inode = Rc::make_mut(self.inodes.get_mut(ino).ok_or(ErrorKind::NotFound)?);
        if inode.kind != Kind::File {
            return Err(ErrorKind::InvalidInput);
        }
        edit(&mut inode.live.bytes);
        inode.live.attributes.mtime = Some(clock);
        Ok(())
    }

    pub(crate) fn sync_file(&mut self, path: &Path) -> Result<(), ErrorKind> {
        let ino = self.names.get(path).ok_or(ErrorKind::NotFound)?;
        let inode = Rc::make_mut(self.inodes.get_mut(ino).ok_or(ErrorKind::NotFound)?);
        inode.durable = inode.live.clone();
        Ok(())
    }

    pub(crate) fn sync_dir(&mut self, dir: &Path) -> Result<(), ErrorKind> {
        if !self.names.contains_key(dir) {
            return Err(ErrorKind::NotFound);
        }
        let (synced, rest) = std::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|change| change.dir() == Some(dir));
        self.unsynced = rest;
        let synced: Vec<NameChange> = synced;
        synced
            .iter()
            .for_each(|change| change.apply(&mut self.durable_names));
        Ok(())
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced.push(change);
    }

    fn expect_dir_of(&self, path: &Path) -> Result<(), ErrorKind> {
        let ino = path
            .parent()
            .and_then(|dir| self.names.get(dir))
            .ok_or(ErrorKind::NotFound)?;
        if self.inodes[ino].kind == Kind::Directory {
            Ok(())
        } else {
            Err(ErrorKind::NotADirectory)
        }
    }

    /// The names when those unsynced changes whose bit is set reached the disk. A name below a directory that did
    /// not is lost with it.
    fn names_after(&self, subset: u32) -> BTreeMap<PathBuf, u64> {
        let mut names = self.durable_names.clone();
        for (bit, change) in self.unsynced.iter().enumerate() {
            if subset & (1 << bit) != 0 {
                change.apply(&mut names);
            }
        }
        let kept: BTreeSet<PathBuf> = names.keys().cloned().collect();
        names.retain(|path, _| path.ancestors().all(|above| kept.contains(above)));
        names
    }

    /// Every combination of contents of the files that have a name.
    fn contents_after(&self, names: &BTreeMap<PathBuf, u64>) -> Vec<BTreeMap<u64, Rc<Inode>>> {
        let mut all = vec![BTreeMap::new()];
        for ino in names.values() {
            let survivors = survivors(&self.inodes[ino]);
            all = all
                .into_iter()
                .flat_map(|chosen: BTreeMap<u64, Rc<Inode>>| {
                    survivors.iter().map(move |inode| {
                        let mut chosen = chosen.clone();
                        chosen.insert(*ino, Rc::clone(inode));
                        chosen
                    })
                })
                .collect();
        }
        all
    }
}

impl Default for Disk {
    fn default() -> Disk {
        Disk::new()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Inode {
    kind: Kind,
    live: Content,
    durable: Content,
}

impl Inode {
    fn new(kind: Kind, bytes: Vec<u8>, attributes: Attributes) -> Inode {
        let content = Content { bytes, attributes };
        Inode {
            kind,
            live: content.clone(),
            durable: content,
        }
    }
}

/// Old, new, new as far as its first half, new in length but empty in its second half.
fn survivors(inode: &Rc<Inode>) -> Vec<Rc<Inode>> {
    if inode.live == inode.durable {
        return vec![Rc::clone(inode)];
    }
    let mut contents = vec![inode.durable.clone(), inode.live.clone()];
    let (old, new) = (&inode.durable.bytes, &inode.live.bytes);
    if old != new {
        let common = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let half = common + (new.len() - common) / 2;
        let mut short = new[..half].to_vec();
        short.extend(old.iter().skip(half));
        contents.push(Content {
            bytes: short,
            ..inode.live.clone()
        });
        let mut hollow = new.clone();
        hollow[half..].fill(0);
        contents.push(Content {
            bytes: hollow,
            ..inode.live.clone()
        });
    }
    let durable = |content: Content| {
        Rc::new(Inode {
            kind: inode.kind,
            live: content.clone(),
            durable: content,
        })
    };
    contents.into_iter().map(durable).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Content {
    bytes: Vec<u8>,
    attributes: Attributes,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum NameChange {
    Move { from: PathBuf, to: PathBuf, ino: u64 },
    Put { path: PathBuf, ino: u64 },
    Take { path: PathBuf },
}

impl NameChange {
    fn dir(&self) -> Option<&Path> {
        match self {
            NameChange::Move { to: path, .. } | NameChange::Put { path, .. } | NameChange::Take { path } => {
                path.parent()
            }
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            NameChange::Move { from, to, ino } => {
                names.remove(from);
                names.insert(to.clone(), *ino);
            }
            NameChange::Put { path, ino } => {
                names.insert(path.clone(), *ino);
            }
            NameChange::Take { path } => {
                names.remove(path);
            }
        }
    }
}

/// The attributes of something new: what was left open is the tool's own user and the time of the disk.
fn born(wanted: &Attributes, clock: Timestamp) -> Attributes {
    let owner = Some(wanted.owner.unwrap_or(Owner { uid: 0, gid: 0 }));
    let mtime = Some(wanted.mtime.unwrap_or(clock));
    Attributes {
        owner,
        mtime,
        ..wanted.clone()
    }
}

/// 2 to this many subsets are still quickly tried.
const MAX_UNSYNCED: usize = 12;
