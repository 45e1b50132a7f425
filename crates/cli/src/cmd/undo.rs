//! `capgrow undo`: the reverse plan of a run, checked like any other, live and byte for byte.

use std::collections::BTreeMap;

use exec::journal::Journal;
use exec::log::Record;
use exec::run::Ended;
use plan::Direction;
use plan::Event;
use plan::Model;
use plan::PlanDocument;
use plan::Step;

use crate::Answer;
use crate::args::Args;
use crate::args::Undo;
use crate::carry;
use crate::cmd::apply;
use crate::cmd::check;
use crate::cmd::scan;
use crate::cmd::show;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;
use crate::runs;

/// Shows or carries out the reverse of a run.
pub fn run(args: &Args, these: &Undo) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let _lock = runs::lock(&dir)?;
    let machine = carry::own_machine();
    let run = runs::find(&dir, &machine, these.run.as_deref())?;
    let forward = runs::plan_of(&dir, &run)?;
    let snapshot = apply::snapshot_of(&dir, &forward)?;
    let model = check::model_of(&forward, Some(&dir))?;
    let mut journal = apply::open(&machine, &dir, &run.id)?;
    let document = reverse(&forward, &model, &journal, these.to.unwrap_or(0));
    if document.steps.is_empty() {
        print::answer(&format!("run {}: nothing is left to undo", run.id.as_str()));
        return Ok(Answer::Yes);
    }
    expired(&snapshot, &document)?;
    let checked = match plan::check(&model, &document) {
        Ok(checked) => checked,
        Err(refusal) => {
            check::show(&refusal.report);
            return Err(failure(
                "the reverse plan is not safe",
                "a person must decide; the backups lie in .capgrow/runs",
            ));
        }
    };
    let digest = checked.digest().to_string();
    if !these.approve {
        if args.json {
            print::json(&document.to_value());
        } else {
            print::answer(&format!(
                "undo of run {}: {} steps",
                run.id.as_str(),
                document.steps.len()
            ));
            for step in &document.steps {
                print::answer(&format!(
                    "  phase {}  {}: undo {}",
                    step.wave,
                    step.component,
                    show::words(&step.events)
                ));
            }
            print::answer(&format!("digest {}", show::spaced(&digest)));
            print::answer(&format!(
                "dry run: nothing was changed. To carry it out: capgrow undo {} --approve",
                run.id.as_str()
            ));
        }
        return Ok(Answer::Yes);
    }
    dir.save_plan(&document)?;
    journal.append(Record::Approved {
        plan: digest.clone(),
        who: runs::who(),
        to_wave: None,
        at: journal.now(),
    })?;
    let (ended, numbers) = carry::carry(args, &dir, &snapshot, &checked, &mut journal, None)?;
    if let Ok(now) = scan::take(&dir, &[]) {
        dir.save_snapshot(&now, true)?;
    }
    let steps = document
        .steps
        .iter()
        .filter(|step| exec::run::is_done(&journal, &step.id))
        .count();
    if matches!(ended, Ended::Done) && !args.json {
        print::answer("every file is as it was before the run, byte for byte");
    }
    Ok(carry::ended(
        args,
        run.id.as_str(),
        &digest,
        steps,
        &ended,
        &numbers,
    ))
}

/// What each component's events stand at, from the journal: done and not undone since, with the forward step.
fn standing<'a>(forward: &'a PlanDocument, journal: &Journal<'_>) -> Vec<(&'a Step, Vec<Event>)> {
    let mut found = Vec::new();
    for step in &forward.steps {
        let begun = journal
            .records()
            .iter()
            .any(|record| matches!(record, Record::StepBegun { step: id, .. } if *id == step.id));
        if !begun {
            continue;
        }
        let wrote = |event: Event| {
            journal
                .standing()
                .iter()
                .any(|intent| intent.step == format!("{}/{}", step.id, event.word()))
        };
        let done = exec::run::is_done(journal, &step.id);
        let undone = |event: Event| undone(journal, &step.id, event);
        let events: Vec<Event> = step
            .events
            .iter()
            .copied()
            .filter(|event| (done || wrote(*event)) && !undone(*event))
            .collect();
        if !events.is_empty() {
            found.push((step, events));
        }
    }
    found
}

/// Whether an undo step for this event is the last word of the journal on it.
fn undone(journal: &Journal<'_>, step: &str, event: Event) -> bool {
    let mut undone = false;
    for record in journal.records() {
        match record {
            Record::StepDone { step: id, .. } if id == step => undone = false,
            Record::StepDone { step: id, .. }
                if undo_id_of(id, step) == Some(event) || undo_all(id, step) =>
            {
                undone = true
            }
            _ => {}
        }
    }
    undone
}

fn undo_id_of(id: &str, step: &str) -> Option<Event> {
    let rest = id.strip_prefix("undo-")?.strip_suffix(&format!("-{step}"))?;
    Event::ALL.into_iter().find(|event| event.word() == rest)
}

fn undo_all(id: &str, step: &str) -> bool {
    id.strip_prefix("undo-all-")
        .is_some_and(|rest| rest.split('#').next() == Some(step))
}

/// The reverse plan from where the journal stands down to (and without) `to_wave`.
fn reverse(forward: &PlanDocument, model: &Model, journal: &Journal<'_>, to_wave: u32) -> PlanDocument {
    let standing: Vec<(&Step, Vec<Event>)> = standing(forward, journal);
    let mut start: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for (step, events) in &standing {
        start.entry(step.component.clone()).or_default().extend(events);
    }
    for events in start.values_mut() {
        events.sort();
        events.dedup();
    }
    let attempt = journal
        .records()
        .iter()
        .filter(|record| matches!(record, Record::Approved { .. }))
        .count();
    let last = standing.iter().map(|(step, _)| step.wave).max().unwrap_or(0);
    let mut steps: Vec<Step> = Vec::new();
    for (step, events) in standing.iter().rev().filter(|(step, _)| step.wave > to_wave) {
        let mut undo = Step {
            id: format!("undo-all-{}#{attempt}", step.id),
            wave: last - step.wave + 1,
            component: step.component.clone(),
            events: events.clone(),
            effective: step.effective,
            chain: step.chain,
            ..Step::default()
        };
        let names: Vec<serde_json::Value> = originals(forward, model, &step.component, events)
            .into_iter()
            .map(serde_json::Value::from)
            .collect();
        undo.extra
            .insert("reverses".to_owned(), serde_json::Value::Array(names));
        steps.push(undo);
    }
    let waves: std::collections::BTreeSet<u32> = steps.iter().map(|step| step.wave).collect();
    let dense: BTreeMap<u32, u32> = waves.into_iter().zip(1..).collect();
    for step in &mut steps {
        step.wave = dense[&step.wave];
    }
    steps.sort_by(|a, b| (a.wave, &a.id).cmp(&(b.wave, &b.id)));
    PlanDocument {
        goal: forward.goal,
        direction: Direction::Undo,
        start,
        steps,
        snapshot: forward.snapshot.clone(),
        waived: forward.waived.clone(),
        ..PlanDocument::default()
    }
}

/// The forward file sets that an undo of these events takes back: those of every component that reads the same files.
fn originals(forward: &PlanDocument, model: &Model, component: &str, events: &[Event]) -> Vec<String> {
    let mut members = vec![component.to_owned()];
    let at = model.components.iter().find(|found| found.name == component);
    if let Some(shared) = at.and_then(|found| found.shared) {
        members.extend(
            model.shared[shared.at()]
                .iter()
                .map(|id| model.components[id.at()].name.clone()),
        );
    }
    let mut names = Vec::new();
    for step in forward
        .steps
        .iter()
        .filter(|step| members.contains(&step.component))
    {
        names.extend(
            step.events
                .iter()
                .filter(|event| events.contains(event))
                .map(|event| format!("{}/{}", step.id, event.word())),
        );
    }
    names
}

/// Going back to a certificate that has expired would break every link it is presented on.
fn expired(snapshot: &fleet::Snapshot, document: &PlanDocument) -> anyhow::Result<()> {
    let now = crate::cmd::now();
    for step in document
        .steps
        .iter()
        .filter(|step| step.events.contains(&Event::Switch))
    {
        for used in snapshot
            .uses
            .iter()
            .filter(|used| used.component == step.component)
        {
            let Some(leaf) = used.presented.first().and_then(|leaf| snapshot.certificate(leaf)) else {
                continue;
            };
            if leaf.validity().not_after < now {
                return Err(failure(
                    format!(
                        "{}: undo would go back to {}, which expired on {}",
                        step.component,
                        leaf.subject(),
                        print::local_time(leaf.validity().not_after)
                    ),
                    "keep the new identities, or renew the old one first",
                ));
            }
        }
    }
    Ok(())
}
