//! The front ends alone, by the name this program is called with, or `capgrow-compat NAME …`.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    let args: Vec<OsString> = words.collect();
    let mut io = compat::Io::of_process();
    let by_name = compat::run(&program, &args, &mut io);
    let code = by_name.or_else(|| compat::run(args.first()?, &args[1..], &mut io));
    match code {
        Some(code) => ExitCode::from(code),
        None => {
            eprintln!("capgrow-compat: give one of: {}", compat::NAMES.join(" "));
            ExitCode::from(2)
        }
    }
}
