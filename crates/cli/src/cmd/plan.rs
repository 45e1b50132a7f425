//! `capgrow plan`: compute, prove, save, show.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use plan::Goal;
use plan::PlanDocument;
use serde_json::Value;

use crate::Answer;
use crate::args::Args;
use crate::args::Plan;
use crate::args::PlanDiff;
use crate::args::Until;
use crate::cmd::check;
use crate::cmd::show;
use crate::deadline;
use crate::deadline::Clock;
use crate::design;
use crate::design::Designed;
use crate::design::Extent;
use crate::explain;
use crate::fleet_dir::FleetDir;
use crate::page;
use crate::print;
use crate::print::failure;
use crate::runbook;
use crate::taste;
use crate::taste::Pick;
use crate::timeline::Timeline;
use crate::windows;
use crate::windows::Windows;

/// Plans a fleet or a model, or compares two plans.
pub fn run(args: &Args, these: &Plan) -> anyhow::Result<Answer> {
    if let Some(PlanDiff::Diff { a, b }) = &these.diff {
        return diff(args, a, b);
    }
    match &these.model {
        Some(file) => of_model(args, these, file),
        None => of_fleet(args, these),
    }
}

fn of_model(args: &Args, these: &Plan, file: &Path) -> anyhow::Result<Answer> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the model from standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let model = plan::read_model(&text)
        .map_err(|errors| check::model_failure(&file.display().to_string(), &errors))?;
    let goal = these.until.map_or(Goal::Retired, goal_of);
    let pick = these.choose.map_or(Pick::Cheapest, Pick::Number);
    let mut document = timed(&model, taste::plan(&model, goal, pick)?, these.choose.is_none())?;
    document.model = Some(text);
    if these.front && document.blocked.is_empty() {
        return front(args, &model, goal);
    }
    let saved = match FleetDir::open(args) {
        Ok(dir) if document.blocked.is_empty() => Some(dir.save_plan(&document)?),
        _ => None,
    };
    let report = report(&model, &document);
    draw(these, &model, &document, report.as_ref())?;
    if let (Some(what), true) = (&these.explain, document.blocked.is_empty()) {
        print::block(&explain::explain(&model, &document, what)?);
        return Ok(Answer::Yes);
    }
    finish(args, &document, report.as_ref(), saved.is_some(), None)
}

fn of_fleet(args: &Args, these: &Plan) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let pick = match these.choose {
        _ if these.front => Pick::Front,
        Some(number) => Pick::Number(number),
        None => Pick::Preferred,
    };
    let extent = if these.partial {
        Extent::Part
    } else {
        Extent::Whole
    };
    let designed = design::design(&dir, these.until.map(goal_of), pick, extent)?;
    let Designed {
        document,
        model,
        other,
        ..
    } = &designed;
    if these.front && document.blocked.is_empty() {
        return front(args, model, document.goal);
    }
    if document.blocked.is_empty() {
        dir.save_plan(document)?;
    }
    let report = report(model, document);
    draw(these, model, document, report.as_ref())?;
    if let (Some(what), true) = (&these.explain, document.blocked.is_empty()) {
        print::block(&explain::explain(model, document, what)?);
        return Ok(Answer::Yes);
    }
    if let (Some(kind), true) = (these.runbook, document.blocked.is_empty()) {
        print::block(&runbook::runbook(&dir, &designed, kind)?);
        return Ok(Answer::Yes);
    }
    finish(
        args,
        document,
        report.as_ref(),
        document.blocked.is_empty(),
        other.as_ref(),
    )
}

/// The plan of a model within its windows and in time, as far as the model says anything of time.
fn timed(model: &plan::Model, document: PlanDocument, may_choose: bool) -> anyhow::Result<PlanDocument> {
    let Some(now) = model.calendar.now else {
        return Ok(document);
    };
    let windows = Windows::of(&model.calendar.windows)?;
    let lasts = |document: &PlanDocument| deadline::of_model(model, document);
    let mut document = Clock::new(now, &windows).in_time(model, document, may_choose, &lasts);
    if !windows.is_empty() && document.blocked.is_empty() {
        let timeline = Timeline::of_model(model, &document);
        match windows::schedule(&windows.spans(now), now, &timeline, &[]) {
            Ok(phases) => {
                document.extra.insert("schedule".to_owned(), phases.into());
            }
            Err(blocked) => {
                document.blocked.push(*blocked);
                document.steps.clear();
            }
        }
    }
    Ok(document)
}

/// Only what the checker accepts is drawn.
fn draw(
    these: &Plan,
    model: &plan::Model,
    document: &PlanDocument,
    report: Option<&plan::CheckReport>,
) -> anyhow::Result<()> {
    match (&these.html, report) {
        (Some(file), Some(report)) if report.safe() => page::write(file, model, document),
        _ => Ok(()),
    }
}

/// Every plan of the front goes through the checker before it is offered.
fn front(args: &Args, model: &plan::Model, goal: Goal) -> anyhow::Result<Answer> {
    let Ok(front) = planner::plan_front(model, goal) else {
        return Ok(Answer::No);
    };
    for choice in front.choices.iter().chain(&front.narrower) {
        if let Err(refusal) = plan::check(model, &front.plan(choice)) {
            check::show(&refusal.report);
            return Err(failure(
                "the independent checker refuses a plan of the front",
                "this is a fault of the program: please report it with the model or the snapshot",
            ));
        }
    }
    taste::show(&front, goal, args.json);
    Ok(Answer::Yes)
}

/// The word on the command line as a goal.
pub fn goal_of(until: Until) -> Goal {
    match until {
        Until::Coexistence => Goal::Coexistence,
        Until::Retired => Goal::Retired,
    }
}

fn report(model: &plan::Model, document: &PlanDocument) -> Option<plan::CheckReport> {
    if !document.blocked.is_empty() {
        return None;
    }
    Some(match plan::check(model, document) {
        Ok(checked) => checked.report().clone(),
        Err(refusal) => refusal.report.clone(),
    })
}

fn finish(
    args: &Args,
    document: &PlanDocument,
    report: Option<&plan::CheckReport>,
    saved: bool,
    other: Option<&(Goal, u64)>,
) -> anyhow::Result<Answer> {
    if args.json {
        print::json(&document.to_value());
    } else {
        show::plan(document, report, saved, other);
    }
    match report {
        None => Ok(Answer::No),
        Some(report) if report.safe() => Ok(Answer::Yes),
        Some(report) => {
            check::show(report);
            Err(failure(
                "the independent checker refuses the plan that was computed",
                "this is a fault of the program: please report it with the output of `capgrow plan --json`",
            ))
        }
    }
}

fn diff(args: &Args, a: &str, b: &str) -> anyhow::Result<Answer> {
    let (old, new) = (load(args, a)?, load(args, b)?);
    let place = |document: &PlanDocument| -> std::collections::BTreeMap<(String, String), u32> {
        document
            .steps
            .iter()
            .flat_map(|step| {
                step.events
                    .iter()
                    .map(|event| ((step.component.clone(), event.word().to_owned()), step.wave))
            })
            .collect()
    };
    let (before, after) = (place(&old), place(&new));
    let mut rows: Vec<Value> = Vec::new();
    for key in before
        .keys()
        .chain(after.keys())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let (from, to) = (before.get(key), after.get(key));
        if from != to {
            rows.push(
                serde_json::json!({ "component": key.0, "event": key.1, "wave_a": from, "wave_b": to }),
            );
        }
    }
    if args.json {
        print::json(&serde_json::json!({
            "version": 1, "a": old.digest().to_string(), "b": new.digest().to_string(),
            "totals": [totals(&old), totals(&new)], "differences": rows,
        }));
    } else {
        for row in &rows {
            let wave = |value: &Value| value.as_u64().map_or("-".to_owned(), |wave| wave.to_string());
            print::answer(&format!(
                "{} {}: wave {} -> {}",
                text(&row["component"]),
                text(&row["event"]),
                wave(&row["wave_a"]),
                wave(&row["wave_b"])
            ));
        }
        if rows.is_empty() {
            print::answer("the same order");
        }
        for (name, document) in [(a, &old), (b, &new)] {
            let totals = totals(document);
            print::answer(&format!(
                "{name}: {} phases, {} restarts, cost {}",
                totals["phases"], totals["restarts"], totals["cost"]
            ));
        }
    }
    Ok(if rows.is_empty() { Answer::Yes } else { Answer::No })
}

fn totals(document: &PlanDocument) -> Value {
    let value = document.to_value();
    serde_json::json!({ "phases": value["phases"], "restarts": value["restarts"], "cost": value["cost"] })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A plan by digest or file.
pub fn load(args: &Args, name: &str) -> anyhow::Result<PlanDocument> {
    let path = if Path::new(name).is_file() {
        name.into()
    } else {
        FleetDir::open(args)?.plan_path(name)?
    };
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    plan::read_plan(&bytes).map_err(|error| {
        failure(
            format!("{}: {error}", path.display()),
            "give a file with the JSON of `capgrow plan --json`",
        )
    })
}
