//! The product's own commands, as the programs below `hosts/` call them.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::LabError;
use crate::life::{Mode, start_components, stop_component};
use crate::place::{Place, Topology, topology};
use crate::record::{What, announce};

/// `ctl ROOT COMMAND ARG...`, where ROOT is the host's root, two levels below the fleet directory.
pub(crate) fn main(words: &[String]) -> Result<ExitCode, LabError> {
    let usage = || LabError::Usage {
        what: "ctl ROOT COMMAND ARG...".to_owned(),
    };
    let [root, command, args @ ..] = words else {
        return Err(usage());
    };
    let root = Path::new(root);
    let dir = root.parent().and_then(Path::parent).ok_or_else(usage)?;
    let dir = fs::canonicalize(dir).map_err(|source| LabError::File {
        verb: "find",
        path: dir.to_owned(),
        source,
    })?;
    let on = On {
        place: Place::of(&dir),
        truth: topology(&dir)?,
    };
    match (command.as_str(), args) {
        ("start", [id]) => on.start(id, Mode::Dialling)?,
        ("stop", [id]) => on.stop(id)?,
        ("restart", [id]) => {
            on.stop(id)?;
            on.start(id, Mode::Dialling)?;
        }
        _ => return Err(usage()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The lab that a command works on.
struct On {
    place: Place,
    truth: Topology,
}

impl On {
    /// Announces the stop, then ends the process.
    fn stop(&self, id: &str) -> Result<(), LabError> {
        announce(
            &self.place,
            What::Stop {
                component: id.to_owned(),
            },
        )?;
        stop_component(&self.place, id)
    }

    fn start(&self, id: &str, mode: Mode) -> Result<(), LabError> {
        start_components(&self.place, &self.truth, &[id], mode)
    }
}
