//! `capgrow undo`: the reverse plan of a run, checked like any other, live and byte for byte.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

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
use crate::timeline::Timeline;

/// Shows or carries out the reverse of a run.
pub fn run(args: &Args, these: &Undo) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let _lock = runs::lock(&dir)?;
    let machine = carry::own_machine();
    let run = match &these.run {
        Some(name) => runs::find(&dir, &machine, Some(name))?,
        None => runs::last_standing(&dir, &machine)?,
    };
    let forward = runs::plan_of(&dir, &run)?;
    let snapshot = apply::snapshot_of(&dir, &forward)?;
    let mut lowered = plan::lower(&snapshot, &check::waived_links(&forward))
        .map_err(|errors| failure(errors.join("; "), "the snapshot of the run is needed"))?;
    let mut journal = apply::open(&machine, &dir, &run.id)?;
    let mut document = reverse(&dir, &forward, &lowered.model, &journal, these.to.unwrap_or(0))?;
    waive(&snapshot, &forward, &mut lowered, &mut document);
    let model = lowered.model;
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
            shown(run.id.as_str(), &document, &digest);
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

fn shown(run: &str, document: &PlanDocument, digest: &str) {
    print::answer(&format!("undo of run {run}: {} steps", document.steps.len()));
    for step in &document.steps {
        print::answer(&format!(
            "  phase {}  {}: undo {}",
            step.wave,
            step.component,
            show::words(&step.events)
        ));
        for write in &step.writes {
            for line in write["edit"]["lines"].as_array().into_iter().flatten() {
                let words: Vec<&str> = line["argv"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(serde_json::Value::as_str)
                    .collect();
                print::answer(&format!("    then run {}", words.join(" ")));
            }
        }
    }
    for waived in &document.waived {
        print::answer(&show::waived_line(waived));
    }
    print::answer(&format!("digest {}", show::spaced(digest)));
    print::answer(&format!(
        "dry run: nothing was changed. To carry it out: capgrow undo {run} --approve"
    ));
}

/// What has happened to each component by this run and was not undone since, from the journal. A step that began
/// and did not end counts with the events whose files it wrote.
fn standing(dir: &FleetDir, journal: &Journal<'_>) -> anyhow::Result<BTreeMap<String, Vec<Event>>> {
    let mut current: Option<PlanDocument> = None;
    let mut stand: BTreeMap<String, BTreeSet<Event>> = BTreeMap::new();
    for record in journal.records() {
        match record {
            Record::Approved { plan, .. } => current = Some(apply::load(dir, plan)?),
            Record::StepDone { step, .. } | Record::StepBegun { step, .. } => {
                let Some(document) = &current else { continue };
                let Some(found) = document.steps.iter().find(|found| found.id == *step) else {
                    continue;
                };
                let events = stand.entry(found.component.clone()).or_default();
                let done = matches!(record, Record::StepDone { .. });
                for event in &found.events {
                    let wrote = || {
                        let name = format!("{step}/{}", event.word());
                        journal.standing().iter().any(|intent| intent.step == name)
                            || exec::command::standing(journal.records())
                                .iter()
                                .any(|set| set.step == name)
                    };
                    match document.direction {
                        Direction::Forward if done || wrote() => {
                            events.insert(*event);
                        }
                        Direction::Undo if done => {
                            events.remove(event);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    stand.retain(|_, events| !events.is_empty());
    Ok(stand
        .into_iter()
        .map(|(component, events)| (component, events.into_iter().collect()))
        .collect())
}

/// The reverse plan from where the journal stands. With `to_wave`, what happened up to that wave stays.
fn reverse(
    dir: &FleetDir,
    forward: &PlanDocument,
    model: &Model,
    journal: &Journal<'_>,
    to_wave: u32,
) -> anyhow::Result<PlanDocument> {
    let mut start = standing(dir, journal)?;
    let kept: Vec<(&str, Event)> = forward
        .steps
        .iter()
        .filter(|step| step.wave <= to_wave)
        .flat_map(|step| step.events.iter().map(|event| (step.component.as_str(), *event)))
        .collect();
    let attempt = journal
        .records()
        .iter()
        .filter(|record| matches!(record, Record::Approved { .. }))
        .count();
    let mut document = if kept.is_empty() {
        way_back(model, forward, &start)
    } else {
        mirrored(forward, &mut start, to_wave)
    };
    for step in &mut document.steps {
        step.id = format!("undo{attempt}-{}", step.id);
        let names: Vec<serde_json::Value> = originals(forward, model, &step.component, &step.events)
            .into_iter()
            .map(serde_json::Value::from)
            .collect();
        step.extra
            .insert("reverses".to_owned(), serde_json::Value::Array(names));
    }
    take_back_commands(forward, journal, to_wave, &mut document);
    document.snapshot.clone_from(&forward.snapshot);
    document
        .extra
        .insert("parent".to_owned(), forward.digest().to_string().into());
    Ok(document)
}

/// The way back that breaks the fewest links: none; else those that are down already; else whatever the run's own plan
/// had a waiver for.
fn way_back(model: &Model, forward: &PlanDocument, start: &BTreeMap<String, Vec<Event>>) -> PlanDocument {
    let mut open = model.clone();
    for edge in &mut open.edges {
        edge.waived = false;
    }
    let safe = planner::plan_undo(&open, forward, start);
    if safe.blocked.is_empty() || model.edges.iter().all(|edge| !edge.waived) {
        return safe;
    }
    let standing = PlanDocument {
        direction: Direction::Undo,
        start: start.clone(),
        ..PlanDocument::default()
    };
    for outage in planner::outages(&open, &standing) {
        open.edges[outage.edge].waived = model.edges[outage.edge].waived;
    }
    let near = planner::plan_undo(&open, forward, start);
    if near.blocked.is_empty() {
        return near;
    }
    planner::plan_undo(model, forward, start)
}

/// Says in the reverse plan which links it takes down, or finds down, and until when. Only a link that the run's plan
/// had a waiver for may be; in the model exactly these are waived afterwards.
fn waive(
    snapshot: &fleet::Snapshot,
    forward: &PlanDocument,
    lowered: &mut plan::Lowered,
    document: &mut PlanDocument,
) {
    let outages = planner::outages(&lowered.model, document);
    let timeline = Timeline::of(snapshot, document);
    let mut downs = timeline.downs(snapshot, &lowered.model, &lowered.links, &outages);
    let granted = check::waived_links(forward);
    downs.retain(|link, _| granted.contains(link));
    let waived: Vec<serde_json::Value> = forward
        .waived
        .iter()
        .filter_map(|entry| {
            let down = downs.get(entry["link"].as_str()?)?;
            let mut entry = entry.clone();
            timeline.put(&mut entry, Some(down));
            Some(entry)
        })
        .collect();
    for (edge, &link) in lowered.model.edges.iter_mut().zip(&lowered.links) {
        let link = snapshot.links.get(link);
        edge.waived = link.is_some_and(|link| downs.contains_key(&link.text()));
    }
    document.waived = waived;
}

/// What the product's own commands changed came before every other step: it is taken back after the last one.
fn take_back_commands(
    forward: &PlanDocument,
    journal: &Journal<'_>,
    to_wave: u32,
    document: &mut PlanDocument,
) {
    let Some(last) = document
        .steps
        .iter_mut()
        .max_by(|a, b| (a.wave, &a.id).cmp(&(b.wave, &b.id)))
    else {
        return;
    };
    let event = last.events.first().map_or("", |event| event.word());
    let standing = exec::command::standing(journal.records());
    for set in standing.into_iter().rev() {
        let of = |step: &&Step| set.step.starts_with(&format!("{}/", step.id));
        if forward
            .steps
            .iter()
            .find(of)
            .is_none_or(|step| step.wave <= to_wave)
        {
            continue;
        }
        let mut write = set.write;
        let edit = write["edit"].clone();
        write["edit"]["lines"] = edit["undo"].clone();
        write["edit"]["undo"] = edit["lines"].clone();
        if let Some(edit) = write["edit"].as_object_mut() {
            edit.remove("seen");
        }
        write["event"] = event.into();
        write["reverses"] = set.step.into();
        last.writes.push(write);
    }
}

/// The forward waves after `to_wave` backwards.
fn mirrored(forward: &PlanDocument, start: &mut BTreeMap<String, Vec<Event>>, to_wave: u32) -> PlanDocument {
    let stands = |step: &Step, event: &Event| {
        start
            .get(&step.component)
            .is_some_and(|events| events.contains(event))
    };
    let last = forward
        .steps
        .iter()
        .filter(|step| step.events.iter().any(|event| stands(step, event)))
        .map(|step| step.wave)
        .max();
    let last = last.unwrap_or(0);
    let mut steps = Vec::new();
    for step in forward
        .steps
        .iter()
        .filter(|step| step.wave > to_wave && step.wave <= last)
    {
        let mut events: Vec<Event> = step
            .events
            .iter()
            .copied()
            .filter(|event| stands(step, event))
            .collect();
        events.reverse();
        if !events.is_empty() {
            let wave = last - step.wave + 1;
            steps.push(Step {
                wave,
                events,
                writes: Vec::new(),
                extra: BTreeMap::new(),
                ..step.clone()
            });
        }
    }
    let waves: BTreeSet<u32> = steps.iter().map(|step| step.wave).collect();
    let dense: BTreeMap<u32, u32> = waves.into_iter().zip(1..).collect();
    for step in &mut steps {
        step.wave = dense[&step.wave];
    }
    PlanDocument {
        goal: forward.goal,
        direction: Direction::Undo,
        start: start.clone(),
        steps,
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
