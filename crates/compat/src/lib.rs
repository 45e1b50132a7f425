//! The commands people already know, over our own stores: same arguments, streams, text and exit codes.
//!
//! A front end is chosen by the name the program is called with. It never starts the command it stands for, and needs
//! neither Java nor anything else on the host. Differences that we know of stand in `docs/compat.md`, each with its
//! reason.
//!
//! ```
//! use std::path::Path;
//! use compat::Io;
//!
//! let mut io = Io::in_memory(Path::new("/nowhere"), b"");
//! let code = compat::keytool(&["-list".into(), "-keystore".into(), "none.jks".into()], &mut io);
//! assert_eq!(code, 1);
//! assert_eq!(io.written_out(), b"keytool error: java.lang.Exception: Keystore file does not exist: none.jks\n");
//! ```
#![deny(missing_docs)]

mod gskit;
mod io;
mod keytool;
mod replace;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use gskit::gskit;
pub use io::Io;
pub use keytool::keytool;

/// Runs the front end that `program` names (a path or a bare name), with the arguments after it. `None` when no front
/// end has that name.
///
/// Cost: that of the command.
pub fn run(program: &OsStr, args: &[OsString], io: &mut Io) -> Option<u8> {
    let name = Path::new(program).file_name()?.to_str()?;
    match name.strip_suffix(".exe").unwrap_or(name) {
        "keytool" => Some(keytool(args, io)),
        name if JAVA_NAMES.contains(&name) => Some(gskit::run(args, gskit::Dialect::Java, io)),
        name if NAMES.contains(&name) => Some(gskit(args, io)),
        _ => None,
    }
}

/// Those of them that are programs of Java: more types of store, no secret keys.
const JAVA_NAMES: &[&str] = &["gskcmd", "ikeycmd", "runmqckm"];

/// The names that [`run`] answers to, sorted.
pub const NAMES: &[&str] = &[
    "gsk7capicmd",
    "gsk8capicmd",
    "gsk8capicmd_64",
    "gskcapicmd",
    "gskcmd",
    "ikeycmd",
    "keytool",
    "runmqakm",
    "runmqckm",
];
