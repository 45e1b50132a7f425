//! The lock on a store that is about to be replaced.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::open::failed;
use crate::print::Failure;

/// Keeps other writers out until it is dropped: both kinds of lock that programs take on files.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits a moment for a writer who is there.
    ///
    /// # Errors
    /// Locked by another writer, with its process where the system tells it. A file that is not there has no lock and
    /// gives the error of the system.
    pub fn take(path: &Path) -> Result<Lock, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let file = open(path)?;
            match try_both(&file) {
                // The writer before us may have put another file in its place.
                Ok(()) if is_still(&file, path) => return Ok(Lock { _file: file }),
                Ok(()) => {}
                Err(Errno::AGAIN | Errno::ACCESS) if Instant::now() >= deadline => {
                    let who =
                        holder(&file).map_or_else(String::new, |process| format!(" (process {process})"));
                    return Err(failed(
                        path,
                        &format!("locked by another writer{who}"),
                        "wait until it has ended, then type the same again",
                    ));
                }
                Err(Errno::AGAIN | Errno::ACCESS) => {}
                // A filesystem without locks: the digest is compared once more before the file is replaced.
                Err(_) => return Ok(Lock { _file: file }),
            }
            if Instant::now() >= deadline {
                return Err(failed(
                    path,
                    "replaced again and again by another writer",
                    "wait until it has ended",
                ));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    let cannot = |error: std::io::Error| Failure {
        what: format!("cannot open {}", path.display()),
        hints: Vec::new(),
        source: Some(Box::new(error)),
    };
    // Without NONBLOCK a FIFO would wait for its writer.
    let options = |write: bool| {
        let mut options = File::options();
        options.read(true).write(write);
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0),
        );
        options.open(path)
    };
    let file = options(true).or_else(|_| options(false)).map_err(cannot)?;
    if !file.metadata().map_err(cannot)?.is_file() {
        return Err(failed(
            path,
            "not a regular file",
            "give a file that holds a store",
        ));
    }
    Ok(file)
}

fn try_both(file: &File) -> Result<(), Errno> {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)?;
    match rustix::fs::fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        // Opened to be read only: such a lock needs the right to write.
        Err(Errno::BADF) => Ok(()),
        outcome => outcome,
    }
}

fn is_still(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

/// The process that holds a lock on this file, from the list that the kernel keeps.
fn holder(file: &File) -> Option<u32> {
    let ino = file.metadata().ok()?.ino();
    let list = std::fs::read_to_string("/proc/locks").ok()?;
    list.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.get(1) != Some(&"->"))
        .find(|words| {
            words
                .get(5)
                .and_then(|place| place.rsplit(':').next()?.parse().ok())
                == Some(ino)
        })
        .and_then(|words| words.get(4)?.parse().ok())
        .filter(|process| *process != std::process::id())
}

const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);
