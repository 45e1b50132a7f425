//! The lab's processes for its own tests; the `capgrow` binary has the same hidden subcommand.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use lab::Lifetime;

/// Besides the hidden subcommand: `run DIR` starts the lab in DIR, lets it live as long as itself and waits to be
/// killed; `keep DIR` starts it and ends.
fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.split_first() {
        Some((first, rest)) if first == lab::HIDDEN => lab::hidden_main(rest),
        Some((first, [dir])) if first == "run" => start(Path::new(dir), Lifetime::WithCaller),
        Some((first, [dir])) if first == "keep" => start(Path::new(dir), Lifetime::Detached),
        _ => ExitCode::from(2),
    }
}

fn start(dir: &Path, lifetime: Lifetime) -> ExitCode {
    match lab::start(dir, lifetime) {
        Ok(running) if lifetime == Lifetime::WithCaller => {
            thread::sleep(Duration::from_secs(60));
            drop(running);
            ExitCode::SUCCESS
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
