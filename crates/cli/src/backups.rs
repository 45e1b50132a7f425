//! The old bytes that runs keep: how many, how large, how old.

use exec::log::Record;
use serde_json::Value;
use serde_json::json;

use crate::carry;
use crate::cmd::now;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::runs;

/// The backups of one run.
pub struct Kept {
    /// `run`, or `edit` for what was done by hand.
    what: &'static str,
    run: String,
    files: usize,
    bytes: u64,
    /// Seconds since 1970 at which the run was approved.
    since: i64,
    age_seconds: i64,
}

impl Kept {
    /// For scripts.
    pub fn value(&self) -> Value {
        json!({
            "what": self.what, "run": self.run, "files": self.files, "bytes": self.bytes,
            "at": print::utc_time(self.since), "age_seconds": self.age_seconds,
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let age = match self.age_seconds {
            seconds if seconds >= 2 * 86_400 => format!("{} days old", seconds / 86_400),
            seconds if seconds >= 2 * 3_600 => format!("{} hours old", seconds / 3_600),
            seconds => format!("{} minutes old", seconds / 60),
        };
        format!(
            "backups of {} {}: {} files, {} bytes, {age} (capgrow prune removes old ones)",
            self.what, self.run, self.files, self.bytes
        )
    }
}

/// The backups of every run that keeps some, oldest first.
///
/// # Errors
/// Where the directory of the runs cannot be read.
pub fn kept(dir: &FleetDir) -> anyhow::Result<Vec<Kept>> {
    let place = runs::place(dir)?;
    let mut all = edits(dir);
    for run in runs::all(dir, &carry::own_machine())? {
        let Ok(entries) = std::fs::read_dir(place.join(run.id.as_str()).join("backups")) else {
            continue;
        };
        let sizes: Vec<u64> = entries
            .flatten()
            .filter_map(|entry| Some(entry.metadata().ok()?.len()))
            .collect();
        let since = run.records.iter().find_map(|record| match record {
            Record::Approved { at, .. } => Some(at.seconds),
            _ => None,
        });
        if let (Some(since), false) = (since, sizes.is_empty()) {
            all.push(Kept {
                what: "run",
                run: run.id.as_str().to_owned(),
                files: sizes.len(),
                bytes: sizes.iter().sum(),
                since,
                age_seconds: now().saturating_sub(since).max(0),
            });
        }
    }
    Ok(all)
}

/// The backups of edits by hand.
fn edits(dir: &FleetDir) -> Vec<Kept> {
    let place = dir.path.join(".capgrow/edits");
    let mut all = Vec::new();
    let mut names: Vec<String> = match std::fs::read_dir(&place) {
        Ok(entries) => entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect(),
        Err(_) => return all,
    };
    names.sort();
    for name in names {
        let Ok(entries) = std::fs::read_dir(place.join(&name).join("backups")) else {
            continue;
        };
        let found: Vec<std::fs::Metadata> = entries
            .flatten()
            .filter_map(|entry| entry.metadata().ok())
            .collect();
        let written = found.iter().map(std::os::unix::fs::MetadataExt::mtime).min();
        if let Some(since) = written {
            all.push(Kept {
                what: "edit",
                run: name,
                files: found.len(),
                bytes: found.iter().map(std::fs::Metadata::len).sum(),
                since,
                age_seconds: now().saturating_sub(since).max(0),
            });
        }
    }
    all
}
