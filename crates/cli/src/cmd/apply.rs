//! `capgrow apply`: a dry run, or the run itself.

use anyhow::Context;
use exec::journal::Journal;
use exec::journal::RunId;
use exec::log::Record;
use plan::CheckedPlan;
use plan::PlanDocument;
use serde_json::Value;

use crate::Answer;
use crate::args::Apply;
use crate::args::Args;
use crate::carry;
use crate::cmd::check;
use crate::cmd::scan;
use crate::cmd::show;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;
use crate::runs;
use crate::runs::RunFacts;

/// Shows or carries out a plan.
pub fn run(args: &Args, these: &Apply) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    if these.resume {
        return resume(args, these, &dir);
    }
    let digest = these.digest.as_deref().context("apply needs a digest")?;
    let path = dir.plan_path(digest)?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let document = plan::read_plan(&bytes)
        .map_err(|error| failure(format!("{}: {error}", path.display()), "plan again"))?;
    if document.model.is_some() {
        return Err(failure(
            "this is the plan of an abstract model: there is nothing to apply",
            "capgrow plan, without --model",
        ));
    }
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    if document.digest().to_string() != name {
        return Err(failure(
            format!(
                "{} was altered: its content has digest {}",
                path.display(),
                &document.digest().to_string()[..12]
            ),
            "plan again; what was approved is exactly what runs",
        ));
    }
    let model = check::model_held(&document, Some(&dir))?;
    let Some(checked) = checked(args, &model, &document) else {
        return Ok(Answer::No);
    };
    if !these.approve {
        return dry_run(args, &dir, &document);
    }
    begin(args, these, &dir, &checked)
}

/// The plan as the checker lets it through; `None` after its violations were printed.
fn checked(args: &Args, model: &plan::Model, document: &PlanDocument) -> Option<CheckedPlan> {
    match plan::check(model, document) {
        Ok(checked) => Some(checked),
        Err(refusal) => {
            if args.json {
                print::json(&check::value(&refusal.report));
            } else {
                check::show(&refusal.report);
            }
            print::line("capgrow: error: refused: the plan is not safe");
            None
        }
    }
}

fn begin(args: &Args, these: &Apply, dir: &FleetDir, checked: &CheckedPlan) -> anyhow::Result<Answer> {
    let _lock = runs::lock(dir)?;
    let machine = carry::own_machine();
    if let Some(open) = runs::all(dir, &machine)?
        .iter()
        .find(|run| run.outcome().is_none() && !run.records.is_empty())
    {
        return Err(failure(
            format!("run {} is not finished", open.id.as_str()),
            format!(
                "capgrow apply --resume goes on with it; capgrow undo {} takes it back",
                open.id.as_str()
            ),
        ));
    }
    let document = checked.document();
    let snapshot = snapshot_of(dir, document)?;
    carry::keys(dir, &snapshot)?;
    unchanged(dir, &snapshot)?;
    if let Some(reason) = carry::held_back(dir, &snapshot, document, &|_| false)? {
        return Ok(carry::not_begun(
            args,
            None,
            &checked.digest().to_string(),
            0,
            &reason,
        ));
    }
    let mut journal = Journal::create(&machine, &runs::place(dir)?, runs::fresh_id()?)?;
    let digest = checked.digest().to_string();
    journal.append(Record::Approved {
        plan: digest,
        who: runs::who(),
        to_wave: these.to,
        at: journal.now(),
    })?;
    go(args, dir, checked, &snapshot, &mut journal, these.to)
}

/// Every planned file must be what the plan saw before the first one is written.
fn unchanged(dir: &FleetDir, snapshot: &fleet::Snapshot) -> anyhow::Result<()> {
    crate::design::drifted(dir, snapshot)
}

fn resume(args: &Args, these: &Apply, dir: &FleetDir) -> anyhow::Result<Answer> {
    let _lock = runs::lock(dir)?;
    let machine = carry::own_machine();
    let run = match these.digest.as_deref() {
        Some(digest) => {
            let all = runs::all(dir, &machine)?;
            let found = all
                .into_iter()
                .rev()
                .find(|run| run.plan.as_deref().is_some_and(|plan| plan.starts_with(digest)));
            found.ok_or_else(|| {
                failure(
                    format!("no run of plan {digest} is on record"),
                    "capgrow apply DIGEST --approve",
                )
            })?
        }
        None => runs::find(dir, &machine, None).map_err(|_| {
            failure(
                "no approval is on record: there is nothing to resume",
                "capgrow apply DIGEST --approve",
            )
        })?,
    };
    let last_approval = run.records.iter().rev().find_map(|record| match record {
        Record::Approved { plan, to_wave, .. } => Some((plan.clone(), *to_wave)),
        _ => None,
    });
    let Some((digest, to_wave)) = last_approval else {
        return Err(failure(
            "no approval is on record: there is nothing to resume",
            "capgrow apply DIGEST --approve",
        ));
    };
    if run.outcome() == Some("done") && run.plan.as_deref() == Some(digest.as_str()) {
        let text = format!("run {} is finished: there is nothing to resume", run.id.as_str());
        if args.json {
            let numbers = serde_json::json!({ "restarts": 0, "handshakes": 0, "failed": 0 });
            return Ok(carry::ended(
                args,
                run.id.as_str(),
                &digest,
                steps_done(&run),
                &exec::run::Ended::Done,
                &numbers,
            ));
        }
        print::answer(&text);
        return Ok(Answer::Yes);
    }
    let document = load(dir, &digest)?;
    let snapshot = snapshot_of(dir, &document)?;
    // What was approved goes on: a waiver that ended meanwhile does not leave the links half-way.
    let model = check::model_of(&document, Some(dir))?;
    let Some(checked) = checked(args, &model, &document) else {
        return Ok(Answer::No);
    };
    let mut journal = open(&machine, dir, &run.id)?;
    let held = carry::held_back(dir, &snapshot, &document, &|step| {
        exec::run::is_done(&journal, step)
    })?;
    if let (Some(reason), plan::Direction::Forward) = (held, document.direction) {
        return Ok(carry::not_begun(
            args,
            Some(run.id.as_str()),
            &digest,
            steps_done(&run),
            &reason,
        ));
    }
    // A wave to stop after counts for the call that named it; a resumed run goes on.
    let to_wave = these.to.or(to_wave.filter(|_| false));
    go(args, dir, &checked, &snapshot, &mut journal, to_wave)
}

/// The plan of that digest.
pub fn load(dir: &FleetDir, digest: &str) -> anyhow::Result<PlanDocument> {
    let path = dir.plan_path(digest)?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    plan::read_plan(&bytes).map_err(|error| {
        failure(
            format!("{}: {error}", path.display()),
            "the plan file was damaged",
        )
    })
}

/// The journal of a run; a torn end is cut and said.
pub fn open<'m>(machine: &'m agent::OsMachine, dir: &FleetDir, id: &RunId) -> anyhow::Result<Journal<'m>> {
    let (journal, torn) = Journal::open(machine, &runs::place(dir)?, id.clone())?;
    if let Some(torn) = torn {
        print::line(&format!(
            "capgrow: the last record of the journal was torn at byte {}; it was never acted on and is cut",
            torn.offset
        ));
    }
    Ok(journal)
}

fn go(
    args: &Args,
    dir: &FleetDir,
    checked: &CheckedPlan,
    snapshot: &fleet::Snapshot,
    journal: &mut Journal<'_>,
    to_wave: Option<u32>,
) -> anyhow::Result<Answer> {
    let (ended, numbers) = carry::carry(args, dir, snapshot, checked, journal, to_wave)?;
    let steps = checked
        .document()
        .steps
        .iter()
        .filter(|step| exec::run::is_done(journal, &step.id))
        .count();
    // What is there now is the base of the next plan.
    match scan::take(dir, &[]) {
        Ok(now) => {
            dir.save_snapshot(&now, true)?;
        }
        Err(error) => print::error(&error),
    }
    Ok(carry::ended(
        args,
        journal.run().as_str(),
        &checked.digest().to_string(),
        steps,
        &ended,
        &numbers,
    ))
}

/// The snapshot a plan names.
pub fn snapshot_of(dir: &FleetDir, document: &PlanDocument) -> anyhow::Result<fleet::Snapshot> {
    let digest = document
        .snapshot
        .as_deref()
        .ok_or_else(|| failure("the plan names no snapshot", "plan again"))?;
    dir.snapshot(digest)?.ok_or_else(|| {
        failure(
            format!("the plan's snapshot {digest} is gone"),
            "capgrow scan, then plan again",
        )
    })
}

fn steps_done(run: &RunFacts) -> usize {
    run.records
        .iter()
        .filter(|record| matches!(record, Record::StepDone { .. }))
        .count()
}

fn dry_run(args: &Args, dir: &FleetDir, document: &PlanDocument) -> anyhow::Result<Answer> {
    let snapshot = snapshot_of(dir, document)?;
    if args.json {
        let mut value = document.to_value();
        value["dry_run"] = Value::Bool(true);
        print::json(&value);
        return Ok(Answer::Yes);
    }
    crate::design::drifted(dir, &snapshot)?;
    for step in &document.steps {
        print::answer(&format!(
            "phase {}  {}: {}",
            step.wave,
            step.component,
            show::words(&step.events)
        ));
        for line in crate::diff::lines(dir, &snapshot, step) {
            print::answer(&format!("    {line}"));
        }
        if let Ok(component) = snapshot.component(&step.component) {
            for command in agent::commands(&component, &step.events) {
                print::answer(&format!("    run {}", command.argv.join(" ")));
            }
        }
    }
    if let Some(reason) = carry::held_back(dir, &snapshot, document, &|_| false)? {
        print::answer(&format!("not now: {reason}"));
    }
    let digest = document.digest().to_string();
    print::answer(&format!(
        "dry run: nothing was changed. To carry it out: capgrow apply {} --approve",
        &digest[..12]
    ));
    Ok(Answer::Yes)
}
