//! The product's own commands, as the programs below `hosts/` call them.

mod composer;
mod conman;
mod optman;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use rustix::process::{Signal, kill_process};

use crate::LabError;
use crate::life::{Mode, pid_of, start_components, stop_component};
use crate::place::{Part, Place, Topology, topology};
use crate::record::{What, announce};

/// `ctl DIR COMMAND ARG...`, where DIR is the directory of the program that was called, somewhere below a host's root.
pub(crate) fn main(words: &[String]) -> Result<ExitCode, LabError> {
    let [from, command, args @ ..] = words else {
        return Err(LabError::Usage {
            what: "ctl DIR COMMAND ARG...".to_owned(),
        });
    };
    let on = On::find(Path::new(from))?;
    let id = |part: Part| on.component(part);
    match (command.as_str(), args) {
        ("start", [id]) => on.start(id, Mode::Dialling)?,
        ("stop", [id]) => on.stop(id)?,
        ("reload", [id]) => {
            if !on.signal(id, Signal::HUP) {
                eprintln!("{id} does not run");
                return Ok(ExitCode::from(1));
            }
        }
        ("restart", [id]) => {
            on.stop(id)?;
            on.start(id, Mode::Dialling)?;
        }
        ("stopAppServer", _) => on.stop(id(Part::Engine).or_else(|_| id(Part::Console))?)?,
        ("startAppServer", _) => {
            on.start(id(Part::Engine).or_else(|_| id(Part::Console))?, Mode::Dialling)?
        }
        ("ShutDownLwa", _) => on.stop(id(Part::Agent)?)?,
        ("StartUpLwa", _) => on.start(id(Part::Agent)?, Mode::Dialling)?,
        ("StartUp", _) => on.start(id(Part::Netman)?, Mode::Paused)?,
        ("conman", args) => return conman::run(&on, &args.join(" ")),
        ("composer", args) => return composer::run(&on, args),
        ("optman", args) => return optman::run(&on, &args.join(" ")),
        ("JnextPlan", _) => composer::next_plan(&on)?,
        _ => {
            return Err(LabError::Usage {
                what: format!("no command {command:?}"),
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The lab and the host that a command works on.
struct On {
    place: Place,
    truth: Topology,
    host: String,
}

impl On {
    /// The host's root is the directory below `hosts` of a directory with a lab.
    fn find(from: &Path) -> Result<On, LabError> {
        let from = fs::canonicalize(from).map_err(|source| LabError::File {
            verb: "find",
            path: from.to_owned(),
            source,
        })?;
        for root in from.ancestors() {
            let Some(hosts) = root.parent().filter(|h| h.ends_with("hosts")) else {
                continue;
            };
            if let (Some(dir), Some(name)) = (hosts.parent(), root.file_name())
                && crate::is_lab(dir)
            {
                let host = name.to_string_lossy().into_owned();
                return Ok(On {
                    place: Place::of(dir),
                    truth: topology(dir)?,
                    host,
                });
            }
        }
        Err(LabError::Usage {
            what: format!("a command below a host of a lab; {} is none", from.display()),
        })
    }

    /// This host's component of that kind.
    fn component(&self, part: Part) -> Result<&str, LabError> {
        let found = self
            .truth
            .components
            .iter()
            .find(|c| c.host == self.host && c.part == part);
        found.map(|c| c.id.as_str()).ok_or_else(|| LabError::Usage {
            what: format!("{} has no such component", self.host),
        })
    }

    /// Announces the stop, then ends the process. Of what is down already nothing is announced.
    fn stop(&self, id: &str) -> Result<(), LabError> {
        if pid_of(&self.place, id).is_none() {
            return Ok(());
        }
        announce(
            &self.place,
            What::Stop {
                component: id.to_owned(),
            },
        )?;
        stop_component(&self.place, id)
    }

    /// Starts a component that is down; what is up stays as it is.
    fn start(&self, id: &str, mode: Mode) -> Result<(), LabError> {
        if pid_of(&self.place, id).is_some() {
            return Ok(());
        }
        start_components(&self.place, &self.truth, &[id], mode)
    }

    /// Whether there was a process to take the signal.
    fn signal(&self, id: &str, signal: Signal) -> bool {
        pid_of(&self.place, id).is_some_and(|pid| kill_process(pid, signal).is_ok())
    }
}
