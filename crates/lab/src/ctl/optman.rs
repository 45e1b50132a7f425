//! `optman`: the options of the whole network, one line each: `longName / short = value`.

use std::process::ExitCode;

use crate::LabError;
use crate::ctl::On;
use crate::place::{Place, read_text, write};

/// `ls`, `show OPTION`, `chg OPTION = VALUE`.
pub(super) fn run(on: &On, command: &str) -> Result<ExitCode, LabError> {
    let (word, rest) = command
        .trim()
        .split_once(char::is_whitespace)
        .unwrap_or((command.trim(), ""));
    let path = on.place.database().join("options");
    let text = read_text(&path)?;
    let unknown = |option: &str| {
        eprintln!("AWSJCL203E There is no option {option:?}.");
        Ok(ExitCode::from(1))
    };
    match word {
        "ls" => print!("{text}"),
        "show" => match text.lines().find(|line| names(line, rest)) {
            Some(line) => println!("{line}"),
            None => return unknown(rest),
        },
        "chg" => {
            let (option, value) = rest.split_once('=').unwrap_or((rest, ""));
            if !text.lines().any(|line| names(line, option)) {
                return unknown(option);
            }
            let mut changed = String::new();
            for line in text.lines() {
                match line.split_once('=') {
                    Some((head, _)) if names(line, option) => {
                        changed.push_str(&format!("{}= {}\n", head, value.trim().to_uppercase()));
                    }
                    _ => changed.push_str(&format!("{line}\n")),
                }
            }
            write(&path, changed.as_bytes())?;
        }
        _ => {
            eprintln!("AWSJCL204E The command {command:?} is not valid here.");
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The value of an option in upper case; empty for an unknown one.
pub(super) fn value(place: &Place, option: &str) -> Result<String, LabError> {
    let text = read_text(&place.database().join("options"))?;
    let line = text.lines().find(|line| names(line, option));
    Ok(line
        .and_then(|l| l.split_once('='))
        .map_or(String::new(), |(_, v)| v.trim().to_uppercase()))
}

/// Whether a line is that of an option, by its long or its short name.
fn names(line: &str, option: &str) -> bool {
    let head = line.split('=').next().unwrap_or_default();
    head.split('/')
        .any(|name| name.trim().eq_ignore_ascii_case(option.trim()))
}
