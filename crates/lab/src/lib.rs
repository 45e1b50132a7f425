//! A fleet of real processes for the demo and the tests.
//!
//! [`create`] writes a fleet directory: `capgrow.toml`, `hosts/**` with settings and stores, `new/**` with the
//! material to move to, `secrets/**`, and `lab/**`, which belongs to the lab alone (truth file, logs, pids, the
//! composer database). [`start`] runs one operating-system process per component; each reads its own settings and
//! stores below its own host, listens on its own 127.x address and dials every peer with full mutual handshakes
//! several times a second. [`count`] reads what both ends wrote down about each handshake.
//!
//! Peers are verified by OpenSSL with the anchors of the component's own trust store: never by our `trust`, never by
//! a verifier that accepts all. The processes and the product's commands below `hosts/` are the caller's binary under
//! a hidden subcommand, [`HIDDEN`], which calls [`hidden_main`].

mod count;
mod create;
mod ctl;
mod life;
mod material;
mod place;
mod record;
mod secret;
mod serve;
mod workstations;

pub use crate::count::{Count, Excused, FailedBy, LinkCount, count};
pub use crate::create::{Kind, LabSpec, create};
pub use crate::life::{Lifetime, Running, start, stop, wait_ready};
pub use crate::place::{ComponentTruth, Topology, is_lab, topology};

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// The first argument under which the caller's binary must hand everything after it to [`hidden_main`].
pub const HIDDEN: &str = "__lab";

/// What a binary does whose first argument is [`HIDDEN`]; `args` are those after it.
///
/// `serve --dir DIR --component ID` is one component's process and ends on SIGTERM. `ctl --dir DIR --host HOST NAME
/// ARG...` is a command of the product (`conman`, `stopAppServer.sh` …) on that host. Exit code 2 for anything else.
pub fn hidden_main(args: &[OsString]) -> ExitCode {
    let words: Vec<String> = args.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let answer = match words.first().map(String::as_str) {
        Some("serve") => serve::main(&words[1..]),
        Some("ctl") => ctl::main(&words[1..]),
        _ => Err(LabError::Usage {
            what: "serve or ctl".to_owned(),
        }),
    };
    match answer {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", chain_of(&error));
            ExitCode::from(2)
        }
    }
}

/// Why the lab could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A file or directory of the lab could not be read, written or removed.
    #[error("cannot {verb} {path}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A settings or store file of a component has not the content the component needs.
    #[error("{path}: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// An address that the fleet needs belongs to somebody else.
    #[error("port {address} is taken")]
    PortTaken {
        /// The address.
        address: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A directory that should be absent or empty is not.
    #[error("{dir} is not empty")]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// There is no lab in this directory.
    #[error("{dir} holds no lab")]
    NoLab {
        /// The directory.
        dir: PathBuf,
        /// Why its truth file could not be read.
        #[source]
        source: io::Error,
    },
    /// The fleet of this directory runs already.
    #[error("{component} of {dir} runs already (pid {pid})")]
    Runs {
        /// The directory.
        dir: PathBuf,
        /// A component that runs.
        component: String,
        /// Its process.
        pid: i32,
    },
    /// A component did not come up.
    #[error("{component} did not start: {what}")]
    NotUp {
        /// The component.
        component: String,
        /// What it said, or how long it was waited for.
        what: String,
    },
    /// Links without a success when the time was over.
    #[error("no success within {seconds} s on: {links}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// The links, with the last thing each said.
        links: String,
    },
    /// A process does not go away.
    #[error("{component} (pid {pid}) does not end")]
    NotDown {
        /// The component.
        component: String,
        /// Its process.
        pid: i32,
    },
    /// OpenSSL could not make or load something.
    #[error("openssl: cannot {verb}")]
    OpenSsl {
        /// What was tried.
        verb: &'static str,
        /// The library's reason.
        #[source]
        source: openssl::error::ErrorStack,
    },
    /// A call to the system failed.
    #[error("cannot {verb}")]
    System {
        /// What was tried.
        verb: &'static str,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The hidden subcommand or a product's command was called in a way that it does not know.
    #[error("usage: {what}")]
    Usage {
        /// What was expected.
        what: String,
    },
}

/// An error with its causes, in one line.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
