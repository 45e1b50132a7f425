//! Carrying out a checked plan: keys, hands, progress, the end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use agent::OsHands;
use agent::OsMachine;
use exec::journal::Journal;
use exec::log::Record;
use exec::machine::Hosts;
use exec::machine::Machine;
use exec::recover::Fate;
use exec::recover::Recovered;
use exec::run::Ended;
use exec::run::HandsError;
use exec::run::StepError;
use fleet::Snapshot;
use keystore::PrivateKey;
use plan::CheckedPlan;
use plan::PlanDocument;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args::Args;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;
use crate::timeline::Timeline;
use crate::windows::Gate;
use crate::windows::Windows;

/// The new private keys that a plan needs, by the name of their material. The chain must still be the planned one.
pub fn keys(dir: &FleetDir, snapshot: &Snapshot) -> anyhow::Result<BTreeMap<String, PrivateKey>> {
    let mut keys = BTreeMap::new();
    for rotation in &snapshot.rotations {
        for new in rotation.new.values() {
            if keys.contains_key(&new.material) {
                continue;
            }
            let material = fleet::rotation::material_named(&dir.doc, &new.material, dir)
                .ok_or_else(|| {
                    failure(
                        format!("capgrow.toml no longer names the new identity `{}`", new.material),
                        "put it back, or plan again",
                    )
                })?
                .map_err(|refusal| failure(refusal.to_string(), refusal.fix))?;
            let found = material
                .chain
                .first()
                .map(|leaf| fleet::snapshot::hex(&leaf.sha256()));
            if found.as_ref() != new.chain.first() {
                return Err(failure(
                    format!("the new chain `{}` is not the one that was planned", new.material),
                    "plan again",
                ));
            }
            keys.insert(new.material.clone(), material.key);
        }
    }
    Ok(keys)
}

/// Runs a checked plan with a journal that holds its approval.
pub fn carry(
    args: &Args,
    dir: &FleetDir,
    snapshot: &Snapshot,
    checked: &CheckedPlan,
    journal: &mut Journal<'_>,
    to_wave: Option<u32>,
) -> anyhow::Result<(Ended, Value)> {
    let stop = stop_by_signal()?;
    let document = checked.document();
    let keys = if document.direction == plan::Direction::Forward {
        keys(dir, snapshot)?
    } else {
        keys(dir, snapshot).unwrap_or_default()
    };
    let total = document.steps.len();
    let waves = document.steps.iter().map(|step| step.wave).max().unwrap_or(0);
    let by_id: BTreeMap<String, (u32, String, String)> = document
        .steps
        .iter()
        .map(|step| {
            (
                step.id.clone(),
                (
                    step.wave,
                    step.component.clone(),
                    crate::cmd::show::words(&step.events),
                ),
            )
        })
        .collect();
    let mut done = 0;
    let (quiet, lines) = (args.quiet, args.json_lines);
    let progress = Box::new(move |what: &str, id: &str| {
        let Some((wave, component, events)) = by_id.get(id) else {
            return;
        };
        if what == "done" {
            done += 1;
        }
        if lines {
            print::json_line(
                &json!({ "version": 1, "event": what, "step": id, "wave": wave, "component": component }),
            );
        } else if !quiet && (what == "done" || (print::is_terminal() && what == "begin")) {
            let word = if what == "done" { "done" } else { "…" };
            print::line(&format!(
                "  phase {wave}/{waves}  {done}/{total}  {component}: {events}  {word}"
            ));
        }
    });
    let machines: BTreeMap<String, OsMachine> = snapshot
        .hosts
        .keys()
        .filter_map(|host| Some((host.clone(), agent::machine(&dir.vault, host)?)))
        .collect();
    let hosts: Hosts<'_> = machines
        .iter()
        .map(|(host, machine)| (host.clone(), machine as &dyn Machine))
        .collect();
    if let Some(ended) = exec::recover::recover(&hosts, journal)?
        .into_iter()
        .find_map(for_a_person)
    {
        return Ok((ended, json!({ "restarts": 0, "handshakes": 0, "failed": 0 })));
    }
    let mut hands = OsHands::new(&dir.vault, snapshot, document, keys, &stop, progress);
    hands.remember_old(Some(journal));
    if document.direction == plan::Direction::Forward {
        let mut gate = gate(dir, snapshot, document)?;
        hands.hold = Box::new(move |step| by_hand(step).or_else(|| gate.hold(&step.id, crate::cmd::now())));
    }
    let ended = exec::run::run(checked, journal, &mut hands, to_wave)?;
    let numbers = json!({
        "restarts": hands.restarts, "handshakes": hands.handshakes, "failed": hands.failed,
        "down": down_now(document, journal),
    });
    Ok((ended, numbers))
}

/// Why a step that a person makes is not made here.
fn by_hand(step: &plan::Step) -> Option<String> {
    let seen: Vec<&str> = step
        .extra
        .get("observe")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    Some(format!(
        "step {} ({}: {}) is made by hand: capgrow plan --runbook has its commands; it is done when {}; then copy its files \
         here again, scan and plan",
        step.id,
        step.component,
        crate::cmd::show::words(&step.events),
        seen.join(" and ")
    ))
}

/// The waived links that a step took down, or may have, and that none brought back.
fn down_now(document: &PlanDocument, journal: &Journal<'_>) -> Vec<String> {
    let begun = |step: &str| {
        let records = journal.records();
        records
            .iter()
            .any(|record| matches!(record, Record::StepBegun { step: id, .. } if id == step))
    };
    let down = |link: &&Value| {
        let from = link["down_from"]["step"].as_str();
        let until = link["down_until"]["step"].as_str();
        link.get("seconds").is_some_and(|lasts| *lasts != 0)
            && from.is_none_or(begun)
            && !until.is_some_and(|step| exec::run::is_done(journal, step))
    };
    let links = document.waived.iter().filter(down);
    links
        .filter_map(|link| link["link"].as_str().map(str::to_owned))
        .collect()
}

/// Set when a person or the system asks the program to end.
fn stop_by_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// What keeps the steps of a plan within the maintenance windows. An undo is not held back: who takes a change back has
/// a reason that does not wait.
fn gate(dir: &FleetDir, snapshot: &Snapshot, document: &PlanDocument) -> anyhow::Result<Gate> {
    let windows = Windows::of(&dir.doc.policy.windows)?;
    let timeline = Timeline::of(snapshot, document);
    let blocks = timeline.blocks(&document.waived);
    Ok(Gate::new(windows, &timeline, blocks))
}

/// Why the first step that is not done must not begin now; `None` where it may, or nothing is left.
pub fn held_back(
    dir: &FleetDir,
    snapshot: &Snapshot,
    document: &PlanDocument,
    done: &dyn Fn(&str) -> bool,
) -> anyhow::Result<Option<String>> {
    let timeline = Timeline::of(snapshot, document);
    let next = timeline.steps.iter().find(|(step, ..)| !done(&step.id));
    let Some((step, ..)) = next else { return Ok(None) };
    Ok(gate(dir, snapshot, document)?.hold(&step.id, crate::cmd::now()))
}

/// Says that nothing was begun, and why.
pub fn not_begun(args: &Args, run: Option<&str>, digest: &str, steps_done: usize, reason: &str) -> Answer {
    if args.json {
        print::json(&json!({
            "version": 1, "run": run, "digest": digest, "outcome": "stopped", "steps_done": steps_done,
            "restarts": 0, "handshakes": 0, "failed": 0, "reason": reason,
        }));
    } else {
        print::answer("stopped: nothing was changed");
    }
    print::line(&format!("capgrow: error: {reason}"));
    print::line(
        "capgrow: hint: come back when a window is open; [policy] windows of capgrow.toml names them",
    );
    Answer::No
}

/// What recovery could not decide: files that somebody else changed while a file set was half-way.
fn for_a_person(recovered: Recovered) -> Option<Ended> {
    let files = match recovered.fate {
        Fate::Blocked { foreign } => foreign,
        Fate::RolledBack { kept } if !kept.is_empty() => kept,
        _ => return None,
    };
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let what = format!(
        "changed by somebody else while it was replaced: {}",
        names.join(", ")
    );
    let hint = Some(
        "compare the file with its backup in .capgrow/runs, put the right one in place, then resume or undo"
            .to_owned(),
    );
    Some(Ended::PersonNeeded {
        step: recovered.step,
        why: StepError::Prepare(HandsError { what, hint }),
    })
}

/// Prints how a run ended.
pub fn ended(
    args: &Args,
    run: &str,
    digest: &str,
    steps_done: usize,
    ended: &Ended,
    numbers: &Value,
) -> Answer {
    let (outcome, answer) = match ended {
        Ended::Done => ("done", Answer::Yes),
        Ended::Stopped { .. } => ("stopped", Answer::No),
        Ended::PersonNeeded { .. } => ("person-needed", Answer::PersonNeeded),
    };
    let reason = match ended {
        Ended::PersonNeeded { step, why } => Some(format!("step {step}: {}", fleet::rotation::chain_of(why))),
        Ended::Stopped { reason } => Some(reason.clone()),
        Ended::Done => None,
    };
    if args.json {
        print::json(&json!({
            "version": 1, "run": run, "digest": digest, "outcome": outcome, "steps_done": steps_done,
            "restarts": numbers["restarts"], "handshakes": numbers["handshakes"], "failed": numbers["failed"], "reason": reason,
            "down": numbers["down"].as_array().cloned().unwrap_or_default(),
        }));
    } else {
        print::answer(&format!(
            "{outcome}: {steps_done} steps, {} restarts, {} handshakes made to look; run {run}",
            numbers["restarts"], numbers["handshakes"]
        ));
        if numbers["failed"] != 0 {
            print::answer(&format!(
                "{} of these handshakes failed, all on links that a waiver lets be down: capgrow report {run} names them",
                numbers["failed"]
            ));
        }
    }
    let down: Vec<&str> = numbers["down"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !down.is_empty() {
        print::line(&format!(
            "capgrow: warning: these waived links are down now: {}",
            down.join(", ")
        ));
    }
    if let Ended::Stopped { reason } = ended {
        print::line(&format!("capgrow: stopped: {reason}"));
        print::line(
            "capgrow: hint: `capgrow apply --resume` goes on; `capgrow undo` takes back what was done",
        );
    }
    if let Ended::PersonNeeded { why, .. } = ended {
        print::line(&format!("capgrow: error: {}", reason.unwrap_or_default()));
        if let exec::run::StepError::Prepare(error)
        | exec::run::StepError::Commands(exec::command::CommandError::Hands(error))
        | exec::run::StepError::Effective(error)
        | exec::run::StepError::Observe(error) = why
            && let Some(hint) = &error.hint
        {
            print::line(&format!("capgrow: hint: {hint}"));
        }
        if let StepError::Replace(exec::replace::ReplaceError::Drift { .. }) = why {
            print::line(
                "capgrow: hint: look at the change; `capgrow scan` and `capgrow plan` begin from what is there now",
            );
        }
        print::line(
            "capgrow: hint: `capgrow apply --resume` goes on; `capgrow undo` takes back what was done",
        );
    }
    answer
}

/// The machine of this computer's own files: journal and backups.
pub fn own_machine() -> OsMachine {
    OsMachine::new(None::<PathBuf>)
}
