//! House-keeping of the workspace: `cargo xtask` runs the tidy rules, which are this crate's tests.

use std::process::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    match Command::new(cargo)
        .args(["test", "--package", "xtask", "--locked"])
        .status()
    {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: error: cargo does not start: {error}");
            ExitCode::from(2)
        }
    }
}
