//! `keytool`, as version 17 of the OpenJDK behaves in the C locale.
//!
//! One file per step: `args` reads the command line, `session` opens the store, asks for what is missing, runs the
//! command and saves; `vault` is a store the way Java sees it; the other files hold one command or one kind of text
//! each. Texts and order of checks were taken from runs of the original, which the tests replay.

mod args;
mod certificate_text;
pub(crate) mod certificates_in;
mod changes;
mod dates;
mod export;
mod extension_text;
pub(crate) mod extensions;
pub(crate) mod fault;
pub(crate) mod generate;
mod hex;
mod import_cert;
mod import_store;
pub(crate) mod issue;
pub(crate) mod keys;
mod list;
pub(crate) mod name_text;
pub(crate) mod oids;
mod order;
pub(crate) mod pem_text;
mod print;
pub(crate) mod request;
mod revocation_text;
mod secret;
mod session;
mod sign;
mod unlock;
mod usage;
mod vault;
pub(crate) mod weak;
mod zone_names;

use std::ffi::OsString;

use crate::io::Io;
use crate::keytool::fault::Stop;

/// Runs one command. The answer is the exit code: 0, or 1 for any error, as the original has it.
///
/// Listings and errors go to stdout, prompts, progress and warnings to stderr. Whatever the arguments, it does not panic.
///
/// Cost: that of reading the store, and of one key derivation per key that is opened.
pub fn keytool(args: &[OsString], io: &mut Io) -> u8 {
    let mut session = session::Session::new(io);
    match session.run(args) {
        Ok(()) => {
            session.print_warnings(false);
            0
        }
        Err(Stop::Usage) => 1,
        Err(Stop::Fault(fault)) => {
            session.print_fault(&fault);
            1
        }
    }
}
