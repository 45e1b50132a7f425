//! `capgrow demo`: real processes on loopback, moved live by the same scan, planner, checker and executor.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use exec::journal::Journal;
use exec::log::Record;
use exec::run::Ended;
use exec::run::Hands;
use plan::Event;
use plan::PlanDocument;
use plan::Step;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args::Args;
use crate::args::Demo;
use crate::args::DemoFleet;
use crate::carry;
use crate::cmd::scan;
use crate::cmd::show;
use crate::design;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;
use crate::runs;

/// Runs, keeps, counts or ends a demo fleet.
pub fn run(args: &Args, these: &Demo) -> anyhow::Result<Answer> {
    if let Some(dir) = &these.count {
        return count(args, dir);
    }
    if let Some(dir) = &these.stop {
        lab::stop(dir)?;
        if args.json {
            print::json(&json!({ "version": 1, "stopped": dir.to_string_lossy() }));
        } else {
            print::answer(&format!("the fleet in {} has ended", dir.display()));
        }
        return Ok(Answer::Yes);
    }
    if let Some(dir) = &these.keep {
        return keep(args, these, dir);
    }
    let place = Scratch::new()?;
    live(args, these, &place.path)
}

/// A directory that goes away with the demo.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> anyhow::Result<Scratch> {
        let path = std::env::temp_dir().join(format!("capgrow-demo-{}", runs::fresh_id()?.as_str()));
        crate::document::private_dir(&path)?;
        Ok(Scratch { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn create(these: &Demo, dir: &Path) -> anyhow::Result<()> {
    let kind = match these.fleet {
        DemoFleet::Generic => lab::Kind::Generic,
        DemoFleet::WorkloadAutomation => lab::Kind::Wa {
            components: these.components.unwrap_or(14),
        },
    };
    let exe = std::env::current_exe().context("cannot tell where this program lies")?;
    lab::create(&lab::LabSpec {
        dir: dir.to_owned(),
        kind,
        exe,
    })?;
    Ok(())
}

const READY: Duration = Duration::from_secs(60);

fn keep(args: &Args, these: &Demo, dir: &Path) -> anyhow::Result<Answer> {
    let dir = std::path::absolute(dir)?;
    create(these, &dir)?;
    let running = lab::start(&dir, lab::Lifetime::Detached)?;
    lab::wait_ready(&dir, READY)?;
    drop(running);
    if args.json {
        print::json(
            &json!({ "version": 1, "dir": dir.to_string_lossy(), "components": lab::topology(&dir)?.components.len() }),
        );
        return Ok(Answer::Yes);
    }
    print::answer(&format!(
        "{} processes run in {}; every link has had its first success",
        lab::topology(&dir)?.components.len(),
        dir.display()
    ));
    print::answer("type next:");
    let shown = dir.display();
    for line in [
        format!("cd {shown}"),
        "capgrow scan".to_owned(),
        "capgrow plan".to_owned(),
        "capgrow apply DIGEST             # a dry run".to_owned(),
        "capgrow apply DIGEST --approve".to_owned(),
        "capgrow verify".to_owned(),
        "capgrow undo                     # a dry run".to_owned(),
        format!("capgrow demo --count {shown}"),
        format!("capgrow demo --stop {shown}"),
    ] {
        print::answer(&format!("  {line}"));
    }
    Ok(Answer::Yes)
}

fn count(args: &Args, dir: &Path) -> anyhow::Result<Answer> {
    let count = lab::count(dir)?;
    if args.json {
        let mut value = serde_json::to_value(&count)?;
        value["version"] = 1.into();
        print::json(&value);
    } else {
        print::answer(&format!(
            "{} handshakes, {} failed (certificate {}, refused {}, other {}); {} excused, the longest {:.1} s",
            count.handshakes,
            count.failed,
            count.failed_by.certificate,
            count.failed_by.refused,
            count.failed_by.other,
            count.excused.count,
            count.excused.longest_seconds
        ));
    }
    Ok(if count.failed == 0 {
        Answer::Yes
    } else {
        Answer::No
    })
}

fn live(args: &Args, these: &Demo, dir: &Path) -> anyhow::Result<Answer> {
    let begun = Instant::now();
    create(these, dir)?;
    let say = |text: String| {
        if !args.json {
            print::answer(&text);
        }
    };
    let processes = lab::topology(dir)?.components.len();
    say(format!(
        "capgrow demo: a fleet of {processes} processes on loopback, every link watched."
    ));
    say("It presents its default certificates; we move it to CA-signed ones.".to_owned());
    let running = lab::start(dir, lab::Lifetime::WithCaller)?;
    lab::wait_ready(dir, READY)?;
    let inner = Args {
        dir: Some(dir.to_owned()),
        ..quiet_copy(args)
    };
    let fleet = FleetDir::open(&inner)?;
    let clock = Instant::now();
    let snapshot = scan::take(&fleet, &[])?;
    fleet.save_snapshot(&snapshot, true)?;
    let read = snapshot
        .uses
        .iter()
        .map(|used| (&used.host, &used.path))
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    let facts = json!({ "components": snapshot.components.len(), "stores": read, "links": snapshot.links.len(), "edges": scan::edges(&snapshot) });
    say(format!(
        "\n  scan     {} components, {read} stores ({}), {} links, {} trust edges  {:.1} s",
        snapshot.components.len(),
        scan::formats(&snapshot),
        snapshot.links.len(),
        scan::edges(&snapshot),
        clock.elapsed().as_secs_f64()
    )
    .trim_start_matches('\n')
    .to_owned());
    let clock = Instant::now();
    let designed = design::design(&fleet, None, crate::taste::Pick::Preferred, design::Extent::Whole)?;
    let document = &designed.document;
    if !document.blocked.is_empty() {
        show::plan(document, None, false, None);
        return Err(failure(
            "the demo fleet cannot be planned",
            "this is a fault of the program: please report it",
        ));
    }
    let (plan, restarts) = if these.naive {
        (Value::Null, naive(&inner, &fleet, &designed)?)
    } else {
        carried(&inner, &fleet, &designed, &say, clock)?
    };
    std::thread::sleep(Duration::from_secs(2));
    let state = state_of(&fleet, &designed.snapshot)?;
    let count = lab::count(dir)?;
    drop(running);
    let seconds = begun.elapsed().as_secs_f64();
    if args.json {
        let counted = serde_json::to_value(&count)?;
        let mut value = json!({
            "version": 1, "fleet": facts, "plan": plan, "restarts": restarts,
            "handshakes": counted["handshakes"], "failed": counted["failed"], "failed_by": counted["failed_by"],
            "excused": counted["excused"], "state": state, "seconds": (seconds * 10.0).round() / 10.0,
        });
        if these.naive {
            value.as_object_mut().map(|map| map.remove("plan"));
        }
        print::json(&value);
    } else {
        told(&count, restarts, &state, seconds);
        if !these.naive {
            invited();
        }
    }
    let good = these.naive || (count.failed == 0 && state == "S2");
    Ok(if good { Answer::Yes } else { Answer::No })
}

fn invited() {
    print::answer("compare: capgrow demo --naive      (replace everything at once)");
    print::answer(
        "yours:   capgrow demo --keep DIR   (start the same fleet in DIR: the other commands are yours to try)",
    );
}

fn told(count: &lab::Count, restarts: u64, state: &str, seconds: f64) {
    print::answer(&format!(
        "done: {restarts} restarts, {} of {} handshakes failed (certificate {}, refused {}, other {}), state {state}, {seconds:.0} s",
        count.failed,
        count.handshakes,
        count.failed_by.certificate,
        count.failed_by.refused,
        count.failed_by.other
    ));
    print::answer(&format!(
        "excused inside announced restarts: {}, the longest {:.1} s",
        count.excused.count, count.excused.longest_seconds
    ));
}

/// The same words for the commands inside, which print nothing themselves.
fn quiet_copy(args: &Args) -> Args {
    Args {
        dir: None,
        json: false,
        json_lines: args.json_lines,
        quiet: args.quiet || args.json,
        verbose: 0,
        command: crate::args::Command::Init,
    }
}

fn carried(
    args: &Args,
    fleet: &FleetDir,
    designed: &design::Designed,
    say: &dyn Fn(String),
    clock: Instant,
) -> anyhow::Result<(Value, u64)> {
    let document = &designed.document;
    fleet.save_plan(document)?;
    let claims = document.claims;
    let lower = claims.lower_bound.unwrap_or(0);
    let restarts = claims.restarts.unwrap_or(0);
    say(format!(
        "  plan     {} phases, {restarts} restarts (lower bound {lower}{})  {:.1} s",
        claims.phases.unwrap_or(0),
        if lower == restarts { ": optimal" } else { "" },
        clock.elapsed().as_secs_f64()
    ));
    let clock = Instant::now();
    let checked = plan::check(&designed.model, document).map_err(|refusal| {
        crate::cmd::check::show(&refusal.report);
        failure(
            "the checker refuses the plan",
            "this is a fault of the program: please report it",
        )
    })?;
    let report = checked.report();
    say(format!(
        "  proof    {} trust edges, {} reachable states, all accept; bound {}  {:.1} s",
        report.edges,
        report.states,
        report.bound.word(),
        clock.elapsed().as_secs_f64()
    ));
    let digest = checked.digest().to_string();
    say(format!("  digest   {}", show::spaced(&digest)));
    let machine = carry::own_machine();
    let mut journal = Journal::create(&machine, &runs::place(fleet)?, runs::fresh_id()?)?;
    journal.append(Record::Approved {
        plan: digest.clone(),
        who: "demo".to_owned(),
        to_wave: None,
        at: journal.now(),
    })?;
    let (ended, numbers) = carry::carry(args, fleet, &designed.snapshot, &checked, &mut journal, None)?;
    if let Ended::PersonNeeded { step, why } = &ended {
        return Err(failure(
            format!("step {step}: {}", fleet::rotation::chain_of(why)),
            "this is a fault of the program: please report it",
        ));
    }
    if matches!(ended, Ended::Stopped { .. }) {
        return Err(failure("stopped", "run the demo again"));
    }
    let plan =
        json!({ "digest": digest, "phases": claims.phases, "restarts": restarts, "lower_bound": lower });
    Ok((plan, numbers["restarts"].as_u64().unwrap_or(0)))
}

/// The published rip and replace: one component after the other gets the new and loses the old, and is restarted.
fn naive(args: &Args, fleet: &FleetDir, designed: &design::Designed) -> anyhow::Result<u64> {
    let stop = std::sync::atomic::AtomicBool::new(false);
    let keys = carry::keys(fleet, &designed.snapshot)?;
    let machine = carry::own_machine();
    let mut journal = Journal::create(&machine, &runs::place(fleet)?, runs::fresh_id()?)?;
    let quiet = args.quiet;
    let progress = Box::new(move |what: &str, id: &str| {
        if what == "begin" && !quiet {
            print::line(&format!("  {id}: new in, old out, restart"));
        }
    });
    let mut hands = agent::OsHands::new(
        &fleet.vault,
        &designed.snapshot,
        &designed.document,
        keys,
        &stop,
        progress,
    );
    for component in designed.snapshot.components.keys() {
        let step = all_at_once(&designed.document, component);
        if step.writes.is_empty() {
            continue;
        }
        hands.tell(exec::run::News::Step(&step));
        for set in hands.prepare(&step, &journal)? {
            let host = hands
                .machine(&set.host)
                .with_context(|| format!("host {} cannot be reached", set.host))?;
            exec::replace::apply(host, &mut journal, &set)?;
        }
        hands.make_effective(&step)?;
    }
    Ok(hands.restarts)
}

fn all_at_once(document: &PlanDocument, component: &str) -> Step {
    let mut step = Step {
        id: component.to_owned(),
        wave: 1,
        component: component.to_owned(),
        ..Step::default()
    };
    for event in Event::ALL {
        for found in document
            .steps
            .iter()
            .filter(|found| found.component == component && found.events.contains(&event))
        {
            step.events.push(event);
            step.writes.extend(
                found
                    .writes
                    .iter()
                    .filter(|write| write["event"] == event.word())
                    .cloned(),
            );
        }
    }
    step
}

fn state_of(fleet: &FleetDir, planned: &fleet::Snapshot) -> anyhow::Result<String> {
    let mut now = scan::take(fleet, &[])?;
    for (name, der) in &planned.certificates {
        now.certificates
            .entry(name.clone())
            .or_insert_with(|| der.clone());
    }
    let states = fleet::state::states(&now, &planned.rotations, Some("S2"), &fleet.hosts());
    let mut words: Vec<String> = states.iter().map(|state| state.state.clone()).collect();
    words.sort();
    words.dedup();
    Ok(match words.as_slice() {
        [one] => one.clone(),
        _ => "mixed".to_owned(),
    })
}
