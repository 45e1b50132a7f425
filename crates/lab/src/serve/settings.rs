//! What a component takes from its own host's settings and stores.

mod generic;

use std::net::SocketAddrV4;
use std::path::PathBuf;

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
        Part::Generic => generic::read_setup(place, me),
        Part::Agent | Part::Console | Part::Engine | Part::Netman => Err(LabError::Usage {
            what: "a part that this lab knows".to_owned(),
        }),
    }
}

/// The links of a component whose peers stand in the plan.
pub(super) fn dials_by_plan(_: &Place, _: &ComponentTruth, setup: &Setup) -> Result<Vec<Dial>, LabError> {
    Ok(setup.dials.clone())
}
