//! `gsk8capicmd`, `runmqakm` and their other names: the command line of GSKit 8 for key databases.
//!
//! `args` reads the command line, `session` runs the action, `database` opens and saves stores with their sisters
//! (`.rdb`, `.crl`, `.sth`), `shelf` is a store as GSKit lists it; the other files hold the actions of one object or one
//! kind of text. Texts follow transcripts of the original where there are some; `docs/compat.md` says which are not.

mod args;
mod bring;
mod chain;
mod changes;
mod database;
mod details;
mod fault;
mod issue;
mod key_database;
mod list;
mod request;
mod secret_key;
mod session;
mod shelf;
mod usage;

use std::ffi::OsString;

use crate::io::Io;

/// Runs one command. The answer is the exit code: 0, or the number of the error that is printed.
///
/// Listings and errors go to stdout, prompts to stderr. Whatever the arguments, it does not panic.
///
/// Cost: that of reading the store, and of one key derivation per key that is opened.
pub fn gskit(args: &[OsString], io: &mut Io) -> u8 {
    run(args, Dialect::Native, io)
}

/// Which of the two programs is stood in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `runmqckm`, `ikeycmd`, `gskcmd`: written in Java, without secret keys.
    Java,
    /// `runmqakm`, `gsk8capicmd` and their other names.
    Native,
}

/// As [`gskit`], for a dialect.
pub(crate) fn run(args: &[OsString], dialect: Dialect, io: &mut Io) -> u8 {
    match session::run(args, dialect, io) {
        Ok(()) => 0,
        Err(fault) => {
            io.print_bytes(fault.text.as_bytes());
            fault.code
        }
    }
}
