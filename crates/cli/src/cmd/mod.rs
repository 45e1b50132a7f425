//! One command per file.

mod apply;
mod check;
mod demo;
mod doctor;
mod init;
mod inspect;
mod plan;
pub mod probe;
mod prune;
mod report;
mod scan;
pub mod show;
mod state;
mod store;
mod undo;
mod verdict;

use clap::CommandFactory;

use crate::Answer;
use crate::args::Args;
use crate::args::Command;

/// Runs what was typed.
pub fn run(args: &Args) -> anyhow::Result<Answer> {
    match &args.command {
        Command::Apply(these) => apply::run(args, these),
        Command::Check(these) => check::run(args, these),
        // A name that is known was taken before these arguments were read.
        Command::Compat { name, .. } => anyhow::bail!(
            "no command {} to stand in for; there is: {}",
            crate::print::safe(&name.to_string_lossy()),
            compat::NAMES.join(", ")
        ),
        Command::Completions { shell } => {
            clap_complete::generate(
                *shell,
                &mut Args::command(),
                "capgrow",
                &mut std::io::stdout().lock(),
            );
            Ok(Answer::Yes)
        }
        Command::Demo(these) => demo::run(args, these),
        Command::Doctor(these) => doctor::run(args, these),
        Command::Init => init::run(args),
        Command::Inspect(these) => inspect::run(args, these),
        Command::Man => {
            clap_mangen::Man::new(Args::command()).render(&mut std::io::stdout().lock())?;
            Ok(Answer::Yes)
        }
        Command::Plan(these) => plan::run(args, these),
        Command::Probe(these) => probe::run(args, these),
        Command::Prune(these) => prune::run(args, these),
        Command::Report(these) => report::run(args, these),
        Command::Scan(these) => scan::run(args, these),
        Command::Status(these) => state::status(args, these),
        Command::Store(these) => store::run(args, these),
        Command::Undo(these) => undo::run(args, these),
        Command::Verdict(these) => verdict::run(args, these),
        Command::Verify(these) => state::verify(args, these),
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
