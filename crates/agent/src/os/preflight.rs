//! What would keep a file from being replaced, found without touching anything.

use super::error;
use super::fs::{Tree, attributes_of, kind_of, links_of, own_error};
use exec::machine::{IoError, Kind, Obstacle, Owner};
use rustix::fs::{Access, AtFlags, IFlags, Mode, OFlags, StatVfsMountFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

pub(super) fn obstacles(tree: &Tree, path: &Path, size_bytes: u64) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if let Err(obstacle) = look(tree, path, size_bytes, &mut found) {
        found.push(obstacle);
    }
    found
}

fn look(tree: &Tree, asked: &Path, size_bytes: u64, found: &mut Vec<Obstacle>) -> Result<(), Obstacle> {
    let unreachable = |source: IoError| Obstacle::Unreachable {
        path: asked.to_path_buf(),
        source,
    };
    let failed = |errno| unreachable(error("examine", asked, errno));
    let place = tree
        .resolve(asked)
        .map_err(|source| match (source.reason.kind, asked.parent()) {
            (ErrorKind::NotFound, Some(dir)) => Obstacle::NoDirectory {
                path: dir.to_path_buf(),
            },
            _ => unreachable(source),
        })?;
    let dir_path = place.parent().unwrap_or(&place).to_path_buf();
    let dir = match tree.open_parent(&place) {
        Ok((dir, _)) => dir,
        Err(Errno::NOENT) => return Err(Obstacle::NoDirectory { path: dir_path }),
        Err(errno) => return Err(failed(errno)),
    };
    let dir_stat = rustix::fs::fstat(&dir).map_err(failed)?;
    filesystem(dir.as_fd(), &dir_path, size_bytes, found).map_err(failed)?;
    if is_frozen(tree, &dir_path) {
        found.push(Obstacle::Immutable {
            path: dir_path.clone(),
        });
    }
    let mut may_write = rustix::fs::accessat(&dir, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
    let name = place.file_name().unwrap_or_default();
    let file_stat = match rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Some(stat),
        Err(Errno::NOENT) => None,
        Err(errno) => return Err(failed(errno)),
    };
    let me = rustix::process::geteuid().as_raw();
    if let Some(stat) = &file_stat {
        let is_mine = me == stat.st_uid || me == dir_stat.st_uid;
        if dir_stat.st_mode & 0o1000 != 0 && !is_mine && !has_capability(CAP_FOWNER) {
            may_write = Err(Errno::PERM);
        }
    }
    // A read-only filesystem says the same and was reported already.
    if !matches!(may_write, Ok(()) | Err(Errno::ROFS)) {
        found.push(Obstacle::ReadOnlyDirectory { path: dir_path });
    }
    let Some(stat) = file_stat else { return Ok(()) };
    if kind_of(&stat) != Kind::File {
        return Err(Obstacle::NotAFile { path: place });
    }
    let links = links_of(&stat);
    if links > 1 {
        found.push(Obstacle::HardLink {
            path: place.clone(),
            links,
        });
    }
    if stat.st_dev != dir_stat.st_dev || is_mount(dir.as_fd(), Path::new(name)) {
        found.push(Obstacle::Mount { path: place.clone() });
    }
    if is_frozen(tree, &place) {
        found.push(Obstacle::Immutable { path: place.clone() });
    }
    if let Some(Owner { uid, gid }) = attributes_of(&stat).owner
        && !may_give(uid, gid)
    {
        let path = place.clone();
        found.push(Obstacle::OwnerNotKept { path, uid, gid });
    }
    if rustix::fs::accessat(&dir, name, Access::READ_OK, AtFlags::EACCESS).is_err() {
        found.push(unreachable(own_error(
            "read",
            &place,
            ErrorKind::PermissionDenied,
            "no right to read it",
        )));
    }
    Ok(())
}

fn filesystem(
    dir: BorrowedFd<'_>,
    path: &Path,
    size_bytes: u64,
    found: &mut Vec<Obstacle>,
) -> Result<(), Errno> {
    let stat = rustix::fs::fstatvfs(dir)?;
    if stat.f_flag.contains(StatVfsMountFlags::RDONLY) {
        found.push(Obstacle::ReadOnlyFilesystem {
            path: path.to_path_buf(),
        });
        return Ok(());
    }
    let blocks = if rustix::process::geteuid().is_root() {
        stat.f_bfree
    } else {
        stat.f_bavail
    };
    let has_inode = stat.f_files == 0 || stat.f_ffree > 0;
    let free_bytes = if has_inode {
        blocks.saturating_mul(stat.f_frsize)
    } else {
        0
    };
    let needed_bytes = size_bytes.saturating_add(RESERVE_BYTES);
    if free_bytes < needed_bytes {
        found.push(Obstacle::NoSpace {
            path: path.to_path_buf(),
            needed_bytes,
            free_bytes,
        });
    }
    Ok(())
}

/// `chattr +i` or `+a`; filesystems without such flags say nothing.
fn is_frozen(tree: &Tree, path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let Ok(handle) = tree.open(path, flags, Mode::empty()) else {
        return false;
    };
    let flags = rustix::fs::ioctl_getflags(handle).unwrap_or(IFlags::empty());
    flags.intersects(IFlags::IMMUTABLE | IFlags::APPEND)
}

fn is_mount(dir: BorrowedFd<'_>, name: &Path) -> bool {
    let status = |path: &Path, flags| rustix::fs::statx(dir, path, flags, StatxFlags::MNT_ID);
    let Ok(file) = status(name, AtFlags::SYMLINK_NOFOLLOW) else {
        return false;
    };
    let of_dir = status(Path::new(""), AtFlags::EMPTY_PATH).map(|stat| stat.stx_mnt_id);
    file.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) || of_dir.is_ok_and(|id| id != file.stx_mnt_id)
}

/// Whether a new file of ours can be given this owner.
fn may_give(uid: u32, gid: u32) -> bool {
    if has_capability(CAP_CHOWN) {
        return true;
    }
    let mine = || {
        let groups = rustix::process::getgroups().unwrap_or_default();
        rustix::process::getegid().as_raw() == gid || groups.iter().any(|group| group.as_raw() == gid)
    };
    uid == rustix::process::geteuid().as_raw() && mine()
}

/// What the kernel lets this process do; where it does not say, root may everything.
fn has_capability(number: u32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return rustix::process::geteuid().is_root();
    };
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    set.map_or_else(
        || rustix::process::geteuid().is_root(),
        |set| set & (1 << number) != 0,
    )
}

/// linux/capability.h.
const CAP_CHOWN: u32 = 0;
const CAP_FOWNER: u32 = 3;
/// What directory and journal of the filesystem may need beside the file.
const RESERVE_BYTES: u64 = 64 << 10;
