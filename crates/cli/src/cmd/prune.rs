//! `capgrow prune`: removes backups of old runs, and plans and snapshots that nothing names any more.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use exec::log::Record;

use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::now;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;

/// Lists what is old enough and not needed; removes it with `--approve`.
///
/// Never touched: a run that is not finished, every journal (the evidence), the plans that any run names with their
/// snapshots, and the snapshot of the last scan. Where a run cannot be read, nothing goes.
pub fn run(args: &Args, these: &args::Prune) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let age_seconds = seconds(&these.older_than)?;
    let root = dir.path.join(".capgrow");
    let before = now().saturating_sub(age_seconds);
    let doomed = doomed(&root, before)?;
    let bytes: u64 = doomed.iter().map(|one| one.bytes).sum();
    if these.approve {
        for one in &doomed {
            remove(&one.path)?;
        }
    }
    if args.json || args.json_lines {
        let list: Vec<serde_json::Value> = doomed
            .iter()
            .map(|one| serde_json::json!({ "path": one.path.to_string_lossy(), "what": one.what, "bytes": one.bytes }))
            .collect();
        print::json(
            &serde_json::json!({ "version": 1, "removed": these.approve, "bytes": bytes, "items": list }),
        );
        return Ok(Answer::Yes);
    }
    for one in &doomed {
        let shown = one.path.strip_prefix(&dir.path).unwrap_or(&one.path);
        print::answer(&format!("{} {} ({} bytes)", one.what, shown.display(), one.bytes));
    }
    match (doomed.len(), these.approve) {
        (0, _) => print::answer(&format!(
            "nothing is older than {} and without use",
            these.older_than
        )),
        (count, true) => print::answer(&format!("removed {count} items, {bytes} bytes")),
        (count, false) => {
            print::answer(&format!(
                "{count} items, {bytes} bytes; to remove them: capgrow prune --older-than {} --approve",
                these.older_than
            ));
        }
    }
    Ok(Answer::Yes)
}

/// Something to remove.
#[derive(Debug)]
struct Doomed {
    path: PathBuf,
    what: &'static str,
    bytes: u64,
}

fn doomed(root: &Path, before: i64) -> anyhow::Result<Vec<Doomed>> {
    let mut doomed = Vec::new();
    let mut needed_plans = BTreeSet::new();
    for run in names(&root.join("runs"))? {
        let (plans, finished) = match state(root, &run) {
            Ok(state) => state,
            Err(why) => {
                // What it needs is unknown, so nothing goes.
                print::line(&format!(
                    "capgrow: warning: run {run} cannot be read, so nothing is removed: {why}"
                ));
                return Ok(Vec::new());
            }
        };
        needed_plans.extend(plans);
        let path = root.join("runs").join(&run).join("backups");
        if finished.is_some_and(|at| at < before) && !names(&path)?.is_empty() {
            doomed.push(Doomed {
                bytes: size(&path),
                path,
                what: "backups",
            });
        }
    }
    doomed.extend(edits(root, before)?);
    let mut needed_snapshots: BTreeSet<String> = BTreeSet::new();
    needed_snapshots.extend(
        std::fs::read_to_string(root.join("snapshots/latest")).map(|digest| digest.trim().to_owned()),
    );
    for plan in names(&root.join("plans"))? {
        let path = root.join("plans").join(&plan);
        let digest = plan.trim_end_matches(".json");
        let kept = needed_plans.iter().any(|needed| needed == digest) || !is_old(&path, before);
        if kept {
            needed_snapshots.extend(words(&std::fs::read(&path).unwrap_or_default()));
        } else {
            doomed.push(Doomed {
                bytes: size(&path),
                path,
                what: "plan",
            });
        }
    }
    for snapshot in names(&root.join("snapshots"))? {
        let path = root.join("snapshots").join(&snapshot);
        let Some(digest) = snapshot.strip_suffix(".json") else {
            continue;
        };
        if is_old(&path, before) && !needed_snapshots.contains(digest) {
            doomed.push(Doomed {
                bytes: size(&path),
                path,
                what: "snapshot",
            });
        }
    }
    Ok(doomed)
}

/// What `capgrow store` kept of the files that it replaced. An edit that was cut off stays: the next one settles it.
fn edits(root: &Path, before: i64) -> anyhow::Result<Vec<Doomed>> {
    let place = root.join("edits");
    let machine = agent::OsMachine::new(None);
    let mut doomed = Vec::new();
    for name in names(&place)? {
        let path = place.join(&name).join("backups");
        let Some(id) = exec::journal::RunId::parse(&name).filter(|_| path.is_dir()) else {
            continue;
        };
        let records = exec::journal::Journal::read(&machine, &place, &id).unwrap_or_default();
        let is_old = matches!(records.last(), Some(Record::Finished { at, .. }) if at.seconds < before);
        if is_old && !names(&path)?.is_empty() {
            doomed.push(Doomed {
                bytes: size(&path),
                path,
                what: "backups",
            });
        }
    }
    Ok(doomed)
}

/// The plans that a run names (its own, and those that undid it), and when it finished; `None` while it is open.
fn state(root: &Path, run: &str) -> Result<(Vec<String>, Option<i64>), String> {
    let id = exec::journal::RunId::parse(run).ok_or("its name is not that of a run")?;
    let machine = agent::OsMachine::new(None);
    let records =
        exec::journal::Journal::read(&machine, &root.join("runs"), &id).map_err(|error| error.to_string())?;
    let plans = records.iter().filter_map(|record| match record {
        Record::Approved { plan, .. } => Some(plan.clone()),
        _ => None,
    });
    let finished = match records.last() {
        Some(Record::Finished { at, .. }) => Some(at.seconds),
        _ => None,
    };
    Ok((plans.collect(), finished))
}

/// Every fingerprint that stands in a document: what it may name.
fn words(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes)
        .split(|letter: char| !letter.is_ascii_hexdigit())
        .filter(|word| word.len() == 64)
        .map(str::to_owned)
        .collect()
}

fn names(dir: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", dir.display())),
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

fn is_old(path: &Path, before: i64) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.mtime() < before)
}

/// Bytes of a file, or of the files of a directory.
fn size(path: &Path) -> u64 {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::read_dir(path).map_or(0, |entries| {
            entries.flatten().map(|entry| size(&entry.path())).sum()
        }),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let is_dir = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let done = if is_dir {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    done.with_context(|| format!("cannot remove {}", path.display()))
}

/// As in capgrow.toml: `30d`, `12h`, `45m`, `90s`.
fn seconds(text: &str) -> anyhow::Result<i64> {
    let wrong = || {
        failure(
            format!("--older-than {text} is not a time"),
            "write it as 30d, 12h, 45m or 90s",
        )
    };
    fleet::declare::duration(text)
        .map(|age| age.as_secs() as i64)
        .ok_or_else(wrong)
}
