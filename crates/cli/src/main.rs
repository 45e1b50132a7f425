//! The `capgrow` command: reads arguments, calls, reports.

mod args;
mod aside;
mod backups;
mod carry;
mod cmd;
mod deadline;
mod design;
mod diff;
mod document;
mod downtime;
mod explain;
mod fleet_dir;
mod page;
mod passwords;
mod policy;
mod print;
mod requests;
mod runbook;
mod runs;
mod strategy;
mod taste;
mod timeline;
mod windows;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// How a command ended, beside an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes, or done: exit code 0.
    Yes,
    /// A negative answer: exit code 1.
    No,
    /// Stopped midway, a person is needed: exit code 3.
    PersonNeeded,
}

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    let rest: Vec<OsString> = words.collect();
    if rest.first().is_some_and(|word| word == lab::HIDDEN) {
        return lab::hidden_main(&rest[1..]);
    }
    if let Some(code) = compat::run(&program, &rest, &mut compat::Io::of_process()) {
        return ExitCode::from(code);
    }
    if rest.first().is_some_and(|word| word == "compat") && rest.len() > 1 {
        // What follows is another command's line: nothing in it is ours to read, `--help` included.
        if let Some(code) = compat::run(&rest[1], &rest[2..], &mut compat::Io::of_process()) {
            return ExitCode::from(code);
        }
    }
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            let asked = matches!(
                error.kind(),
                clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
            );
            return ExitCode::from(if asked { 0 } else { 2 });
        }
    };
    match cmd::run(&args) {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Ok(Answer::PersonNeeded) => ExitCode::from(3),
        Err(error) => {
            print::error(&error);
            ExitCode::from(2)
        }
    }
}
