//! What a component takes from its own host's settings and stores.

mod agent;
mod generic;
mod liberty;
mod netman;
mod stores;

use std::fs;
use std::io;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use crate::LabError;
use crate::place::{ComponentTruth, Part, Place};
use crate::serve::tls::Material;

/// Everything a component reads at its start.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) listens: Vec<Listen>,
    pub(super) dials: Vec<Dial>,
    /// What listens and dials present and trust, by index.
    pub(super) materials: Vec<Material>,
    /// Files whose change is to be noticed.
    pub(super) watched: Vec<PathBuf>,
    pub(super) reread: Reread,
    /// What the product would write to its log at the start.
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listen {
    pub(super) address: SocketAddrV4,
    pub(super) material: usize,
    /// Whom the broker lets in; `None` where there is no such list.
    pub(super) admits: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dial {
    pub(super) link: String,
    pub(super) to: SocketAddrV4,
    /// What it asks for once the handshake is done.
    pub(super) path: &'static str,
    pub(super) material: usize,
}

/// When a component reads its stores again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reread {
    AtStart,
    OnHangup,
    Polled,
}

/// Reads settings and stores of a component below its own host.
pub(super) fn read(place: &Place, me: &ComponentTruth) -> Result<Setup, LabError> {
    match me.part {
        Part::Agent => agent::read_setup(place, me),
        Part::Console | Part::Engine => liberty::read_setup(place, me),
        Part::Generic => generic::read_setup(place, me),
        Part::Netman => netman::read_setup(place, me),
    }
}

/// The links that the plan gives to a component now; what it presents and trusts stays as it is.
pub(super) fn dials_by_plan(
    place: &Place,
    me: &ComponentTruth,
    setup: &Setup,
) -> Result<Vec<Dial>, LabError> {
    match me.part {
        Part::Engine => liberty::dials_again(place, me),
        Part::Netman => netman::dials_again(place, me),
        Part::Agent | Part::Console | Part::Generic => Ok(setup.dials.clone()),
    }
}

/// The product's directory for what changes, wherever on this host it was installed: the one `TWSDATA` in which
/// `inside` is found.
fn variable_dir(root: &Path, inside: &str) -> Result<PathBuf, LabError> {
    let mut open = vec![(root.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        let candidate = dir.join("TWSDATA");
        if candidate.join(inside).is_file() {
            return Ok(candidate);
        }
        if depth == DEEPEST {
            continue;
        }
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    let source = io::Error::from(io::ErrorKind::NotFound);
    Err(LabError::File {
        verb: "find TWSDATA with",
        path: root.join(inside),
        source,
    })
}

const DEEPEST: usize = 6;

pub(crate) use netman::workstation_of;
