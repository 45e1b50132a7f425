//! The front ends against recorded runs of the originals, and against the originals themselves where they are.

#![allow(clippy::unwrap_used)]

mod differential;
mod gskit;
mod gskit_table;
mod manners;
mod recorded;
mod scripts;
mod terminal;

use std::path::PathBuf;

/// A directory that has the front ends under their own names.
pub fn links() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in compat::NAMES {
        let program = env!("CARGO_BIN_EXE_capgrow-compat");
        std::os::unix::fs::symlink(program, directory.path().join(name)).unwrap();
    }
    directory
}

/// Where a program lies, by `PATH`; says SKIPPED when it is not there.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("SKIPPED: no {name} here");
    }
    found
}
