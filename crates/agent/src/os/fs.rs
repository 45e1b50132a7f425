//! Opening below a root without following links, and what a file carries beside its bytes.

use super::error;
use exec::machine::{Attributes, IoError, Kind, Owner, Timestamp};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, UTIME_OMIT, XattrFlags};
use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// A file system, or the part of one below a root.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(super) fn new(root: Option<PathBuf>) -> Tree {
        Tree {
            root: root.unwrap_or_else(|| PathBuf::from("/")),
        }
    }

    /// Opens a path that has no links in it: one is `ELOOP`.
    pub(super) fn open(&self, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let root = self.open_root()?;
        let below = below_root(path)?;
        let strict = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::BENEATH;
        match rustix::fs::openat2(&root, &below, flags, mode, strict) {
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => open_stepwise(root, &below, flags, mode),
            outcome => outcome,
        }
    }

    /// The directory of a path, for verbs on the name in it.
    pub(super) fn open_parent<'p>(&self, path: &'p Path) -> Result<(OwnedFd, &'p OsStr), Errno> {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Errno::INVAL);
        };
        Ok((
            self.open(dir, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?,
            name,
        ))
    }

    /// Follows links below the root. A link to an absolute path means one below the root; where it spells the root out,
    /// that is taken off.
    pub(super) fn resolve(&self, path: &Path) -> Result<PathBuf, IoError> {
        let mut todo = steps(path);
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(step) = todo.pop() {
            if step == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&step);
            match rustix::fs::readlink(self.real(&next), Vec::new()) {
                Ok(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(error("resolve", path, Errno::LOOP));
                    }
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    let target = target.strip_prefix(&self.root).unwrap_or(&target);
                    todo.extend(steps(target));
                }
                Err(Errno::INVAL) => done = next,
                Err(Errno::NOENT) if todo.is_empty() => done = next,
                Err(errno) => return Err(error("resolve", path, errno)),
            }
        }
        Ok(done)
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn open_root(&self) -> Result<OwnedFd, Errno> {
        rustix::fs::open(
            &self.root,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    }
}

/// The steps of a path, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let mut steps: Vec<OsString> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::CurDir | Component::Prefix(_) | Component::RootDir => None,
        })
        .collect();
    steps.reverse();
    steps
}

fn below_root(path: &Path) -> Result<PathBuf, Errno> {
    if !path.is_absolute()
        || path
            .components()
            .any(|component| component == Component::ParentDir)
    {
        return Err(Errno::INVAL);
    }
    let below = path.strip_prefix("/").unwrap_or(path);
    Ok(if below.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        below.to_path_buf()
    })
}

/// For kernels without `openat2`.
fn open_stepwise(root: OwnedFd, below: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut dir = root;
    let mut steps = steps(below);
    let Some(last) = (if steps.is_empty() {
        None
    } else {
        Some(steps.remove(0))
    }) else {
        return rustix::fs::openat(dir, ".", flags, mode);
    };
    let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    while let Some(step) = steps.pop() {
        dir = rustix::fs::openat(&dir, &step, through, Mode::empty())?;
    }
    rustix::fs::openat(dir, &last, flags | OFlags::NOFOLLOW, mode)
}

pub(super) fn kind_of(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Kind::Directory,
        FileType::RegularFile => Kind::File,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

// The field is narrower on some architectures.
#[allow(clippy::useless_conversion)]
pub(super) fn links_of(stat: &Stat) -> u64 {
    u64::from(stat.st_nlink)
}

/// Everything but the extended attributes.
pub(super) fn attributes_of(stat: &Stat) -> Attributes {
    let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Attributes {
        mode: stat.st_mode & 0o7777,
        owner: Some(Owner {
            uid: stat.st_uid,
            gid: stat.st_gid,
        }),
        mtime: Some(Timestamp {
            seconds: stat.st_mtime,
            nanoseconds,
        }),
        xattrs: BTreeMap::new(),
    }
}

/// The extended attributes that another file can be given.
pub(super) fn xattrs(file: BorrowedFd<'_>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Errno> {
    let mut xattrs = BTreeMap::new();
    for name in xattr_names(file)? {
        let mut value = vec![0; rustix::fs::fgetxattr_query(file, &name)?];
        let length = rustix::fs::fgetxattr(file, &name, &mut value)?;
        value.truncate(length);
        xattrs.insert(name.into_bytes(), value);
    }
    Ok(xattrs)
}

fn xattr_names(file: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let length = match rustix::fs::flistxattr_query(file) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        length => length?,
    };
    let mut list = vec![0; length];
    let length = rustix::fs::flistxattr(file, &mut list)?;
    list.truncate(length);
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let names = names.filter(|name| !KERNELS_OWN.contains(name));
    Ok(names.filter_map(|name| CString::new(name).ok()).collect())
}

/// Gives a new file, which nobody else can open yet, its owner, mode and extended attributes.
///
/// What it inherited from its directory goes first, while its mode still shuts everybody out. Then owner, mode, ACL
/// (a mode set after the ACL would change its mask). With an ACL the mode's group bits are its mask, so until the ACL
/// is there the group stays out.
pub(super) fn dress(file: BorrowedFd<'_>, wanted: &Attributes) -> Result<(), Errno> {
    for name in xattr_names(file)? {
        if !wanted.xattrs.contains_key(name.as_bytes()) && !name.as_bytes().starts_with(b"security.") {
            rustix::fs::fremovexattr(file, &name)?;
        }
    }
    let born = rustix::fs::fstat(file)?;
    if let Some(Owner { uid, gid }) = wanted.owner {
        let uid = (uid != born.st_uid).then(|| Uid::from_raw(uid));
        let gid = (gid != born.st_gid).then(|| Gid::from_raw(gid));
        if uid.is_some() || gid.is_some() {
            rustix::fs::fchown(file, uid, gid)?;
        }
    }
    let has_acl = wanted.xattrs.contains_key(ACL);
    let first = if has_acl {
        wanted.mode & 0o7700
    } else {
        wanted.mode
    };
    rustix::fs::fchmod(file, Mode::from_raw_mode(first))?;
    let present = xattrs(file)?;
    for (name, value) in &wanted.xattrs {
        if present.get(name) != Some(value) {
            let name = CString::new(name.as_slice()).map_err(|_| Errno::INVAL)?;
            rustix::fs::fsetxattr(file, &name, value, XattrFlags::empty())?;
        }
    }
    if has_acl && rustix::fs::fstat(file)?.st_mode & 0o7777 != wanted.mode {
        rustix::fs::fchmod(file, Mode::from_raw_mode(wanted.mode))?;
    }
    Ok(())
}

/// Sets the time of the last write; `None` leaves the natural one.
pub(super) fn set_mtime(file: BorrowedFd<'_>, mtime: Option<Timestamp>) -> Result<(), Errno> {
    let Some(Timestamp { seconds, nanoseconds }) = mtime else {
        return Ok(());
    };
    let last_access = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_OMIT,
    };
    let last_modification = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.into(),
    };
    rustix::fs::futimens(
        file,
        &Timestamps {
            last_access,
            last_modification,
        },
    )
}

/// An error that is none of the system's.
pub(super) fn own_error(verb: &'static str, path: &Path, kind: ErrorKind, text: &str) -> IoError {
    IoError::new(verb, path, kind, text)
}

const ACL: &[u8] = b"system.posix_acl_access";
/// Hashes of the file itself, which the kernel computes anew.
const KERNELS_OWN: [&[u8]; 2] = [b"security.evm", b"security.ima"];
/// As Linux itself (path_resolution(7)).
const MAX_LINKS: usize = 40;
