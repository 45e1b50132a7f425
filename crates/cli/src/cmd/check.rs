//! `capgrow check`: the independent checker alone.

use std::path::Path;

use anyhow::Context;
use plan::CheckReport;
use plan::Direction;
use plan::Model;
use plan::PlanDocument;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args::Args;
use crate::args::Check;
use crate::aside;
use crate::fleet_dir::FleetDir;
use crate::policy;
use crate::print;
use crate::print::failure;
use crate::strategy;

/// Checks a saved plan or any file.
pub fn run(args: &Args, these: &Check) -> anyhow::Result<Answer> {
    let path = Path::new(&these.plan);
    let (bytes, dir) = if path.is_file() {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        (bytes, FleetDir::open(args).ok())
    } else {
        let dir = FleetDir::open(args)?;
        let path = dir.plan_path(&these.plan)?;
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        (bytes, Some(dir))
    };
    let document = plan::read_plan(&bytes).map_err(|error| {
        failure(
            format!("{}: {error}", these.plan),
            "give a file with the JSON of `capgrow plan --json`",
        )
    })?;
    let model = model_held(&document, dir.as_ref())?;
    let (report, safe) = match plan::check(&model, &document) {
        Ok(checked) => (checked.report().clone(), true),
        Err(refusal) => (refusal.report.clone(), false),
    };
    if args.json {
        print::json(&value(&report));
    } else {
        show(&report);
    }
    Ok(if safe { Answer::Yes } else { Answer::No })
}

/// The model a plan is for, as the fleet file wants it today: its groups, and those links waived that one of its waivers
/// covers. What a plan says of waivers is a claim.
pub fn model_held(document: &PlanDocument, dir: Option<&FleetDir>) -> anyhow::Result<Model> {
    let claimed = waived_links(document);
    let Some(dir) = dir else {
        return model_with(document, None, &claimed, false);
    };
    let running = strategy::waived_now(&dir.doc, crate::cmd::now());
    let (held, lapsed): (Vec<String>, Vec<String>) =
        claimed.into_iter().partition(|link| running.contains(link));
    if !lapsed.is_empty() && document.model.is_none() {
        print::line(&format!(
            "capgrow: warning: the plan counts on waivers that capgrow.toml does not hold today: {}",
            lapsed.join(", ")
        ));
    }
    model_with(document, Some(dir), &held, true)
}

/// The model a plan is for, with the waivers as they were when it was approved.
pub fn model_of(document: &PlanDocument, dir: Option<&FleetDir>) -> anyhow::Result<Model> {
    model_with(document, dir, &waived_links(document), false)
}

/// The model a plan is for: carried by it, or made from the snapshot it names.
fn model_with(
    document: &PlanDocument,
    dir: Option<&FleetDir>,
    waived: &[String],
    groups: bool,
) -> anyhow::Result<Model> {
    if let Some(text) = &document.model {
        return plan::read_model(text).map_err(|errors| model_failure("the plan's model", &errors));
    }
    let digest = document.snapshot.as_deref().ok_or_else(|| {
        failure(
            "the plan names no snapshot and carries no model",
            "give a file with the JSON of `capgrow plan --json`",
        )
    })?;
    let dir = dir.context("the plan names a snapshot, and there is no fleet directory here (-C DIR)")?;
    let snapshot = dir.snapshot(digest)?.ok_or_else(|| {
        failure(
            format!(
                "the plan's snapshot {digest} is not in {}",
                dir.path.join(".capgrow/snapshots").display()
            ),
            "check it in the fleet directory where it was made, or plan again",
        )
    })?;
    let mut lowered = plan::lower(&snapshot, waived)
        .map_err(|errors| failure(errors.join("; "), "capgrow scan, then plan again"))?;
    if crate::taste::has_document_style(document) {
        plan::add_document_orders(&mut lowered.model, &snapshot)
            .map_err(|errors| failure(errors.join("; "), "capgrow scan, then plan again"))?;
    }
    if groups && document.direction == Direction::Forward {
        policy::put(dir, &snapshot, &mut lowered.model);
    }
    aside::put(&snapshot, document, &mut lowered.model);
    Ok(lowered.model)
}

/// Every mistake in a model, with line and nearest word.
pub fn model_failure(name: &str, errors: &[plan::ModelError]) -> anyhow::Error {
    let mut lines = errors.iter().map(|error| {
        let hint = error
            .hint
            .as_ref()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        format!("line {}: {}{hint}", error.line, error.problem)
    });
    let first = lines.next().unwrap_or_default();
    crate::print::Failure {
        what: format!("{name}: {first}"),
        hints: lines.collect(),
        source: None,
    }
    .into()
}

/// The links that the plan says a waiver lets break.
pub fn waived_links(document: &PlanDocument) -> Vec<String> {
    document
        .waived
        .iter()
        .filter_map(|waived| waived["link"].as_str().map(str::to_owned))
        .collect()
}

/// The document of `check --json`.
pub fn value(report: &CheckReport) -> Value {
    let violations: Vec<Value> =
        report.violations.iter().map(|violation| json!({ "link": violation.link, "order": violation.order, "reason": violation.reason })).collect();
    let waived: Vec<Value> = report
        .waived
        .iter()
        .map(|broken| json!({ "link": broken.link, "order": broken.order, "reason": broken.reason }))
        .collect();
    json!({
        "version": 1, "safe": report.safe(), "edges": report.edges, "states": report.states,
        "bound": report.bound.word(), "violations": violations, "waived": waived,
    })
}

/// The report in words.
pub fn show(report: &CheckReport) {
    if report.safe() {
        print::answer(&format!(
            "{}: {}; bound {}",
            if report.waived.is_empty() {
                "safe"
            } else {
                "accepted by waiver"
            },
            proof(report),
            report.bound.word()
        ));
    } else {
        print::answer(&format!("not safe: {} violations", report.violations.len()));
    }
    for violation in &report.violations {
        print::answer(&format!(
            "  {}: {}: {}",
            violation.link, violation.order, violation.reason
        ));
    }
    for broken in &report.waived {
        print::answer(&format!(
            "  waived: {}: {}: {}",
            broken.link, broken.order, broken.reason
        ));
    }
}

/// What was examined, and whether all of it accepts.
pub fn proof(report: &CheckReport) -> String {
    let examined = format!("{} trust edges, {} reachable states", report.edges, report.states);
    if report.waived.is_empty() {
        return format!("{examined}, all accept");
    }
    let mut links: Vec<&str> = report.waived.iter().map(|broken| broken.link.as_str()).collect();
    links.sort_unstable();
    links.dedup();
    format!(
        "{examined}; {} trust edges break and are waived, all others accept",
        links.len()
    )
}
