//! `composer` on the lab's database, and `JnextPlan`, which puts the database in force.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::LabError;
use crate::ctl::On;
use crate::place::{Place, read_text, write};
use crate::workstations::{Block, blocks};

/// `create FILE from cpu=@`, `display cpu=@`, `list cpu=@`, `replace FILE`, `add FILE`.
pub(super) fn run(on: &On, args: &[String]) -> Result<ExitCode, LabError> {
    let line = args.join(" ");
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["create" | "cr" | "extract" | "ext", file, "from", wanted] => {
            let text = chosen(&on.place, wanted)?;
            if matches!(*file, "/dev/stdout" | "-") {
                print!("{text}");
                std::io::stdout().flush().ok();
            } else {
                write(Path::new(file), text.as_bytes())?;
            }
        }
        ["display" | "di", wanted] => print!("{}", chosen(&on.place, wanted)?),
        ["list" | "li", wanted] => {
            for block in blocks(&chosen(&on.place, wanted)?) {
                println!("{:<10} {}", block.kind, block.name);
            }
        }
        ["replace" | "rep" | "add", file] => replace(on, Path::new(file))?,
        _ => {
            eprintln!("AWSBIA019E The command {line:?} is not valid here.");
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes the database's definitions into the plan; the workstations follow it.
pub(super) fn next_plan(on: &On) -> Result<(), LabError> {
    put(&on.place.plan(), &read_text(&database(&on.place))?)?;
    // Until every workstation has looked.
    thread::sleep(FOLLOW);
    println!("AWSJPL017I The production plan was created.");
    Ok(())
}

/// The definitions that `cpu=NAME` means; `@` stands for any text.
fn chosen(place: &Place, wanted: &str) -> Result<String, LabError> {
    let usage = || LabError::Usage {
        what: format!("cpu=NAME, not {wanted:?}"),
    };
    let (key, pattern) = wanted.split_once('=').ok_or_else(usage)?;
    if !matches!(key.to_lowercase().as_str(), "cpu" | "ws" | "workstation") {
        return Err(usage());
    }
    let pattern = pattern.split(';').next().unwrap_or_default();
    let pattern = pattern
        .rsplit(['/', '!'])
        .next()
        .unwrap_or_default()
        .to_uppercase();
    let fits = |block: &Block| match pattern.split_once('@') {
        None => block.name == pattern,
        Some((head, tail)) => {
            block.name.starts_with(head) && block.name.ends_with(tail.trim_start_matches('@'))
        }
    };
    let text = read_text(&database(place))?;
    Ok(blocks(&text)
        .into_iter()
        .filter(fits)
        .map(|b| b.text + "\n")
        .collect())
}

fn replace(on: &On, file: &Path) -> Result<(), LabError> {
    let new = blocks(&read_text(file)?);
    if new.is_empty() {
        return Err(LabError::Content {
            path: file.to_owned(),
            what: "no definition in it".to_owned(),
        });
    }
    let path = database(&on.place);
    let mut held = blocks(&read_text(&path)?);
    for block in new {
        match held
            .iter_mut()
            .find(|b| b.kind == block.kind && b.name == block.name)
        {
            Some(old) => *old = block,
            None => held.push(block),
        }
    }
    put(
        &path,
        &held.into_iter().map(|b| b.text + "\n").collect::<String>(),
    )
}

fn database(place: &Place) -> std::path::PathBuf {
    place.database().join("definitions")
}

/// Whoever reads sees the old text or the new one.
fn put(path: &Path, text: &str) -> Result<(), LabError> {
    let beside = path.with_extension("new");
    write(&beside, text.as_bytes())?;
    fs::rename(&beside, path).map_err(|source| LabError::File {
        verb: "replace",
        path: path.to_owned(),
        source,
    })
}

const FOLLOW: Duration = Duration::from_millis(700);
