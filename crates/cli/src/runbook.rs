//! A plan for hosts without this program: every command of the original programs, with backup, checks and way back.
//!
//! `book` turns the plan into what has to happen file by file; `sh`, `cmd` and `md` write it down. Each step works on a copy
//! beside the file and puts it in place at the end, so that a program that fails leaves the old file. Passwords and keys
//! are variables, never text.

mod book;
mod cmd;
mod entries;
mod md;
mod sh;
mod splice;

use crate::args::RunbookKind;
use crate::design::Designed;
use crate::fleet_dir::FleetDir;

/// The runbook of a plan in that language.
///
/// # Errors
/// A write or a file that cannot be read any more.
pub fn runbook(dir: &FleetDir, designed: &Designed, kind: RunbookKind) -> anyhow::Result<String> {
    let book = book::Book::of(dir, designed)?;
    Ok(match kind {
        RunbookKind::Cmd => cmd::write(&book),
        RunbookKind::Md => md::write(&book),
        RunbookKind::Sh => sh::write(&book),
    })
}
