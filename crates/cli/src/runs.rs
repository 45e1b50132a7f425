//! Runs in `.capgrow/runs`: which there are, how they stand, the lock that keeps a second one out.

use std::fs::File;
use std::path::PathBuf;

use agent::OsMachine;
use anyhow::Context;
use exec::journal::Journal;
use exec::journal::JournalError;
use exec::journal::RunId;
use exec::log::Record;
use plan::PlanDocument;

use crate::fleet_dir::FleetDir;
use crate::fleet_dir::named;
use crate::print::failure;

/// What the journal of a run says about it.
pub struct RunFacts {
    /// Its id.
    pub id: RunId,
    /// The digest that was approved first.
    pub plan: Option<String>,
    /// Every record.
    pub records: Vec<Record>,
}

impl RunFacts {
    /// The last end that was recorded: `done`, `undone`; `None` = unfinished.
    pub fn outcome(&self) -> Option<&str> {
        match self.records.last() {
            Some(Record::Finished { outcome, .. }) => Some(outcome),
            _ => None,
        }
    }
}

/// Keeps other writers of this fleet directory out until it is dropped.
pub fn lock(dir: &FleetDir) -> anyhow::Result<File> {
    let path = dir.inside("runs")?.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(failure(
            format!("another run holds {}", path.display()),
            "wait until it has ended; `capgrow status` shows it",
        )),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Where the runs lie.
pub fn place(dir: &FleetDir) -> anyhow::Result<PathBuf> {
    dir.inside("runs")
}

/// A fresh id: time first, so that names sort by age.
pub fn fresh_id() -> anyhow::Result<RunId> {
    let milliseconds = jiff::Timestamp::now().as_millisecond();
    let mut random = [0; 5];
    keystore::Entropy::fill(&mut agent::OsEntropy, &mut random);
    let text = format!("{milliseconds:011x}{}", fleet::snapshot::hex(&random));
    RunId::parse(&text).context("a run id is letters and digits")
}

/// All runs, oldest first.
pub fn all(dir: &FleetDir, machine: &OsMachine) -> anyhow::Result<Vec<RunFacts>> {
    let place = place(dir)?;
    let mut ids: Vec<String> = std::fs::read_dir(&place)?
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    ids.sort();
    let mut runs = Vec::new();
    for text in ids {
        let Some(id) = RunId::parse(&text) else { continue };
        let records = match Journal::read(machine, &place, &id) {
            Ok(records) => records,
            // A run that died before its approval was durable has nothing to say.
            Err(JournalError::NoRun { .. }) => continue,
            Err(error) => {
                return Err(failure(
                    format!("run {text}: {}", fleet::rotation::chain_of(&error)),
                    format!(
                        "nobody can say what that run left; when a person has looked, move {} away",
                        place.join(&text).display()
                    ),
                ));
            }
        };
        let plan = records.iter().find_map(|record| match record {
            Record::Approved { plan, .. } => Some(plan.clone()),
            _ => None,
        });
        runs.push(RunFacts { id, plan, records });
    }
    Ok(runs)
}

/// The run whose id begins so; without a name the last one.
pub fn find(dir: &FleetDir, machine: &OsMachine, start: Option<&str>) -> anyhow::Result<RunFacts> {
    let mut runs = all(dir, machine)?;
    if let Some(start) = start {
        let path = named(&place(dir)?, start, "run", "")?;
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let at = runs
            .iter()
            .position(|run| run.id.as_str() == name)
            .with_context(|| format!("the journal of run {name} cannot be read"))?;
        return Ok(runs.swap_remove(at));
    }
    runs.pop()
        .ok_or_else(|| failure("there is no run yet", "capgrow plan, then capgrow apply"))
}

/// The last run of which something stands; where none does, the last run.
pub fn last_standing(dir: &FleetDir, machine: &OsMachine) -> anyhow::Result<RunFacts> {
    for run in all(dir, machine)?.into_iter().rev() {
        let Ok((journal, _)) = Journal::open(machine, &place(dir)?, run.id.clone()) else {
            continue;
        };
        if !journal.standing().is_empty() {
            return Ok(run);
        }
    }
    find(dir, machine, None)
}

/// The plan of a run.
pub fn plan_of(dir: &FleetDir, run: &RunFacts) -> anyhow::Result<PlanDocument> {
    let digest = run.plan.as_deref().ok_or_else(|| {
        failure(
            format!("run {} has no approval on record", run.id.as_str()),
            "capgrow apply DIGEST --approve",
        )
    })?;
    let path = dir.plan_path(digest)?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    plan::read_plan(&bytes).map_err(|error| {
        failure(
            format!("{}: {error}", path.display()),
            "the plan file was damaged",
        )
    })
}

/// Who approves: the login name, for the record.
pub fn who() -> String {
    let name = std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .or_else(|_| std::env::var("USER"));
    name.unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()))
}
