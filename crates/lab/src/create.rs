//! Writing a fleet directory.

mod block;
mod generic;
mod wa;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::LabError;
use crate::place::{Place, Topology, write, write_mode};

/// Which fleet to write, and where.
#[derive(Debug, Clone)]
pub struct LabSpec {
    /// The fleet directory: absent or empty.
    pub dir: PathBuf,
    /// Which fleet.
    pub kind: Kind,
    /// The binary that hands [`HIDDEN`](crate::HIDDEN) to [`hidden_main`](crate::hidden_main).
    pub exe: PathBuf,
}

/// The fleets that the lab can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A hub and an agent with PEM files, described as `product = "generic"`.
    Generic,
    /// A Workload Automation domain. `components` is how many processes at least.
    Wa {
        /// From 14 on; with 20 and more a dynamic domain manager and a backup domain manager are among them.
        components: usize,
    },
}

/// Writes the fleet directory. Nothing is started.
///
/// # Errors
/// `NotEmpty` when there is something in `dir`, `PortTaken` when no block of 127.x addresses is free.
pub fn create(spec: &LabSpec) -> Result<Topology, LabError> {
    if fs::read_dir(&spec.dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(LabError::NotEmpty {
            dir: spec.dir.clone(),
        });
    }
    let create_dir = |path: &PathBuf| {
        fs::create_dir_all(path).map_err(|source| LabError::File {
            verb: "create",
            path: path.clone(),
            source,
        })
    };
    create_dir(&spec.dir)?;
    // Commands find it from anywhere.
    let dir = fs::canonicalize(&spec.dir).map_err(|source| LabError::File {
        verb: "find",
        path: spec.dir.clone(),
        source,
    })?;
    let place = Place::of(&dir);
    create_dir(&place.own())?;
    fs::set_permissions(place.own(), fs::Permissions::from_mode(0o700)).map_err(|source| LabError::File {
        verb: "set the mode of",
        path: place.own(),
        source,
    })?;
    let truth = match spec.kind {
        Kind::Generic => generic::create(&place, &spec.exe)?,
        Kind::Wa { components } => wa::create(&place, &spec.exe, components)?,
    };
    let text = serde_json::to_vec_pretty(&truth).map_err(|e| LabError::Content {
        path: place.truth(),
        what: e.to_string(),
    })?;
    write(&place.truth(), &text)?;
    Ok(truth)
}

/// Writes a command of the product: a program of two lines that is the lab's binary in the end and is told where it
/// lies, so that it finds its host and fleet from there.
fn write_command(place: &Place, host: &str, path: &str, words: &str, exe: &Path) -> Result<(), LabError> {
    let exe = exe.to_string_lossy().replace('\'', "'\\''");
    let text = format!(
        "#!/bin/sh\nexec '{exe}' {} ctl \"$(dirname \"$0\")\" {words} \"$@\"\n",
        crate::HIDDEN
    );
    let path = place.host(host).join(path.trim_start_matches('/'));
    write_mode(&path, text.as_bytes(), 0o755)
}
