//! The lab's processes for its own tests; the `capgrow` binary has the same hidden subcommand.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.split_first() {
        Some((first, rest)) if first == lab::HIDDEN => lab::hidden_main(rest),
        _ => ExitCode::from(2),
    }
}
