//! `capgrow status` and `capgrow verify`: what is so now, and how far it is from what it should be.

use std::time::Duration;
use std::time::Instant;

use agent::LinkSeen;
use fleet::Snapshot;
use fleet::snapshot::RotationFacts;
use fleet::state::ComponentState;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args::Args;
use crate::args::State;
use crate::backups;
use crate::carry;
use crate::cmd::apply;
use crate::cmd::now;
use crate::cmd::scan;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;
use crate::runs;

/// Reads files and journal; dials nobody.
pub fn status(args: &Args, these: &State) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let looked = look(&dir, these)?;
    let links: Vec<Value> = looked
        .snapshot
        .links
        .iter()
        .map(|link| json!({ "from": link.from, "to": link.to, "endpoint": link.endpoint, "ok": null, "presented": presented(&looked.snapshot, link), "error": null, "at": null }))
        .collect();
    let seen = Seen {
        links,
        failed: Vec::new(),
        took: None,
    };
    finish(args, &dir, &looked, &seen)
}

/// A real handshake on every link.
pub fn verify(args: &Args, these: &State) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let looked = look(&dir, these)?;
    let components = agent::components(&looked.snapshot);
    let begun = Instant::now();
    let seen = agent::verify_links(&dir.vault, &looked.snapshot, &components);
    let took = Some(begun.elapsed());
    let at = print::utc_time(now());
    let links = seen.iter().map(|seen| link_value(seen, &at)).collect();
    let failed = seen.into_iter().filter(|seen| !seen.ok).collect();
    finish(args, &dir, &looked, &Seen { links, failed, took })
}

/// The links as they are printed.
struct Seen {
    links: Vec<Value>,
    failed: Vec<LinkSeen>,
    /// How long the handshakes took; `None` = there were none.
    took: Option<Duration>,
}

struct Looked {
    snapshot: Snapshot,
    states: Vec<ComponentState>,
    expected: Option<String>,
    open_run: Option<String>,
}

fn look(dir: &FleetDir, these: &State) -> anyhow::Result<Looked> {
    if let Some(state) = &these.state
        && !matches!(state.as_str(), "S0" | "S1" | "S2")
    {
        return Err(failure(
            format!("`{state}` is not a state"),
            "S0 (old), S1 (coexistence) or S2 (retired)",
        ));
    }
    let machine = carry::own_machine();
    let all = runs::all(dir, &machine)?;
    let open_run = all
        .iter()
        .rev()
        .find(|run| run.outcome().is_none() && !run.records.is_empty())
        .map(|run| run.id.as_str().to_owned());
    let mut snapshot = scan::take(dir, &[])?;
    let last = all.iter().rev().find(|run| run.plan.is_some());
    let mut expected = these.state.clone();
    let mut rotations: Vec<RotationFacts> = Vec::new();
    if let Some(run) = last
        && let Ok(document) = runs::plan_of(dir, run)
    {
        let planned = apply::snapshot_of(dir, &document)?;
        rotations.clone_from(&planned.rotations);
        for (name, der) in planned.certificates {
            snapshot.certificates.entry(name).or_insert(der);
        }
        expected = expected.or_else(|| goal_now(dir, &all));
    }
    if rotations.is_empty() && !dir.doc.rotate.is_empty() {
        // Nothing was carried out yet: the fleet file says what old and new are.
        let mut with = snapshot.clone();
        let _ = fleet::rotation::resolve(&dir.doc, &mut with, dir, now());
        rotations = with.rotations;
        snapshot.certificates = with.certificates;
        expected = expected.or_else(|| Some("S0".to_owned()));
    }
    let mut states = fleet::state::states(&snapshot, &rotations, expected.as_deref(), &dir.hosts());
    not_understood(&snapshot, &mut states);
    Ok(Looked {
        snapshot,
        states,
        expected,
        open_run,
    })
}

/// What could not be read or understood is a deviation of the component that needs it: nobody can say how it stands.
fn not_understood(snapshot: &Snapshot, states: &mut [ComponentState]) {
    for finding in snapshot
        .findings
        .iter()
        .filter(|finding| finding.severity == "error")
    {
        for state in states.iter_mut() {
            let Ok(component) = snapshot.component(&state.id) else {
                continue;
            };
            let files = component
                .stores
                .iter()
                .flat_map(|store| store.key_file.iter().chain([&store.file]));
            let settings = component.settings.iter().map(|setting| &setting.file);
            let its_own = files
                .chain(settings)
                .any(|file| finding.target == format!("{}:{file}", component.host));
            if its_own || finding.target == state.id {
                state
                    .deviations
                    .push(format!("{}: {}", finding.target, finding.text));
            }
        }
    }
}

/// What the finished runs should have left: the goal of the last one that stands.
fn goal_now(dir: &FleetDir, all: &[runs::RunFacts]) -> Option<String> {
    let mut state = "S0";
    for run in all {
        // What a run that is not finished leaves is no state that anybody asked for.
        run.outcome()?;
        let mut approvals = run.records.iter().filter_map(|record| match record {
            exec::log::Record::Approved { plan, .. } => Some(plan.as_str()),
            _ => None,
        });
        let undone = approvals.next() != approvals.next_back().or(run.plan.as_deref());
        let Ok(document) = runs::plan_of(dir, run) else {
            continue;
        };
        if !undone {
            state = match document.goal {
                plan::Goal::Coexistence => "S1",
                plan::Goal::Retired => "S2",
            };
        }
    }
    Some(state.to_owned())
}

fn presented(snapshot: &Snapshot, link: &fleet::snapshot::LinkFacts) -> Option<String> {
    let component = snapshot.component(&link.to).ok()?;
    let listen = component.listen(&link.endpoint)?;
    let store = fleet::store_of(
        &component,
        listen.identity.as_deref(),
        product::StoreFile::holds_identity,
    )?;
    snapshot.use_of(&link.to, &store.id)?.presented.first().cloned()
}

fn link_value(seen: &LinkSeen, at: &str) -> Value {
    json!({
        "from": seen.link.from, "to": seen.link.to, "endpoint": seen.link.endpoint, "ok": seen.ok,
        "presented": seen.presented.map(|leaf| fleet::snapshot::hex(&leaf)), "error": seen.error, "at": at,
    })
}

fn finish(args: &Args, dir: &FleetDir, looked: &Looked, seen: &Seen) -> anyhow::Result<Answer> {
    let deviating = looked.states.iter().any(|state| !state.deviations.is_empty());
    let yes = !deviating && seen.failed.is_empty();
    let answer = if yes { Answer::Yes } else { Answer::No };
    let kept = backups::kept(dir)?;
    if args.json {
        let components: Vec<Value> = looked
            .states
            .iter()
            .map(|state| json!({ "id": state.id, "state": state.state, "deviations": state.deviations }))
            .collect();
        let mut document = json!({
            "version": 1, "expected": looked.expected, "open_run": looked.open_run, "components": components, "links": seen.links,
            "backups": kept.iter().map(backups::Kept::value).collect::<Vec<_>>(),
        });
        if let Some(took) = seen.took {
            document["seconds"] = json!(took.as_secs_f64());
        }
        print::json(&document);
        return Ok(answer);
    }
    show(looked, seen);
    for kept in &kept {
        print::answer(&kept.text());
    }
    if let Some(expected) = &looked.expected {
        print::answer(&format!(
            "compared with {expected}: {}",
            if yes { "as expected" } else { "not so" }
        ));
    }
    Ok(answer)
}

fn show(looked: &Looked, seen: &Seen) {
    let rows: Vec<Vec<String>> = looked
        .states
        .iter()
        .map(|state| vec![state.id.clone(), state.state.clone()])
        .collect();
    for row in print::table(&rows) {
        print::answer(&row);
    }
    for state in &looked.states {
        for deviation in &state.deviations {
            print::answer(&format!("{}: {deviation}", state.id));
        }
    }
    for seen in &seen.failed {
        print::answer(&format!(
            "{}: {}",
            seen.link.text(),
            seen.error.clone().unwrap_or_default()
        ));
    }
    if let Some(took) = seen.took.filter(|_| !seen.links.is_empty()) {
        let count = seen.links.len();
        print::answer(&format!(
            "{} of {count} links up, seen in {:.2} s",
            count - seen.failed.len(),
            took.as_secs_f64()
        ));
    }
    if let Some(run) = &looked.open_run {
        print::answer(&format!(
            "run {run} is not finished: capgrow apply --resume, or capgrow undo {run}"
        ));
    }
}
