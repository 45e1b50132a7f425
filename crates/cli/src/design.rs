//! From the last snapshot and the fleet file to a plan with every write in it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use fleet::Snapshot;
use fleet::format::WriteDoc;
use fleet::snapshot::FileFacts;
use fleet::snapshot::LinkFacts;
use plan::Event;
use plan::Goal;
use plan::Lowered;
use plan::Model;
use plan::PlanDocument;
use product::Changes;
use product::HostFiles;
use serde_json::Value;
use serde_json::json;

use crate::aside;
use crate::aside::Aside;
use crate::cmd::now;
use crate::deadline;
use crate::deadline::Clock;
use crate::downtime;
use crate::fleet_dir::FleetDir;
use crate::policy;
use crate::print::Failure;
use crate::print::failure;
use crate::strategy;
use crate::strategy::Strategy;
use crate::taste;
use crate::taste::Pick;
use crate::timeline::Timeline;
use crate::windows;
use crate::windows::Windows;

/// A plan and everything it was made from.
pub struct Designed {
    /// The plan; without steps where it is blocked.
    pub document: PlanDocument,
    /// What it was planned on.
    pub model: Model,
    /// The snapshot with the rotations resolved; the plan names it.
    pub snapshot: Snapshot,
    /// The other goal and its lower bound.
    pub other: Option<(Goal, u64)>,
}

/// How much of a fleet must be plannable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What has something in its way is left out, and what needs it waits.
    Part,
    /// All of it, but for what nobody reaches.
    Whole,
}

/// Plans the fleet on the snapshot of the last scan.
pub fn design(dir: &FleetDir, until: Option<Goal>, pick: Pick, extent: Extent) -> anyhow::Result<Designed> {
    let (_, mut snapshot) = dir
        .latest_snapshot()?
        .ok_or_else(|| failure("there is no snapshot yet", "capgrow scan"))?;
    drifted(dir, &snapshot)?;
    not_offered(dir)?;
    let strategy = Strategy::of(&dir.doc)?;
    strategy::waivers_say_who_and_why(&dir.doc)?;
    Windows::of(&dir.doc.policy.windows)?;
    let goal = until.unwrap_or_else(|| {
        let kept =
            !dir.doc.rotate.is_empty() && dir.doc.rotate.iter().all(|rotate| rotate.retire == Some(false));
        if kept { Goal::Coexistence } else { Goal::Retired }
    });
    let mut aside = aside::unreachable(&snapshot);
    let mut blocked = not_understood(&snapshot);
    blocked.retain(|one| {
        !one.component
            .as_ref()
            .is_some_and(|target| aside.contains_key(target))
    });
    if let (Extent::Part, Some(more)) = (extent, aside::of(&snapshot, &blocked)) {
        aside.extend(more);
        blocked.clear();
    }
    if blocked.is_empty() {
        // What is not understood may have names that a request would lack.
        crate::requests::write_missing(dir, &snapshot)?;
    }
    let refusals = match fleet::rotation::resolve(&dir.doc, &mut snapshot, dir, now()) {
        Ok(()) => Vec::new(),
        Err(refusals) => refusals,
    };
    if let Some(first) = refusals.iter().find(|refusal| refusal.unusable) {
        return Err(unusable(first, &refusals).into());
    }
    blocked.extend(refusals.iter().map(|refusal| plan::Blocked {
        component: Some(refusal.target.clone()),
        link: None,
        reason: refusal.what.clone(),
        remedies: vec![refusal.fix.clone()],
    }));
    if !blocked.is_empty() {
        return Ok(unplanned(goal, blocked, snapshot));
    }
    ordered(dir, snapshot, (goal, extent), (strategy, pick), aside)
}

/// The order of the steps, with every write in it, on a snapshot with its rotations resolved.
fn ordered(
    dir: &FleetDir,
    mut snapshot: Snapshot,
    (goal, extent): (Goal, Extent),
    (strategy, pick): (Strategy, Pick),
    mut aside: Aside,
) -> anyhow::Result<Designed> {
    let hosts = dir.hosts();
    let changes =
        fleet::changes(&snapshot, &hosts).map_err(|errors| failure(errors.join("; "), "capgrow scan"))?;
    let waivers = strategy::waived_now(&dir.doc, now());
    let mut whole =
        plan::lower(&snapshot, &waivers).map_err(|errors| failure(errors.join("; "), "capgrow scan"))?;
    policy::put(dir, &snapshot, &mut whole.model);
    deadline::put(dir, &snapshot, &mut whole.model, now());
    let (lowered, mut document) = loop {
        let mut lowered = whole.clone();
        aside::leave_out(&mut lowered.model, &aside);
        let mut document = arranged(dir, &snapshot, &mut lowered, goal, (strategy, pick))?;
        document
            .blocked
            .extend(obstacles(dir, &changes, &document, &snapshot));
        // Each round leaves more out, so that there is a last one.
        let more = aside::of(&snapshot, &document.blocked).unwrap_or_default();
        let known = more.keys().all(|name| aside.contains_key(name));
        if extent == Extent::Whole || document.blocked.is_empty() || known {
            break (lowered, document);
        }
        aside.extend(more);
    };
    aside::write(&lowered.model, &aside, &mut document);
    downtime::put(dir, &snapshot, &mut document);
    let other_goal = if goal == Goal::Retired {
        Goal::Coexistence
    } else {
        Goal::Retired
    };
    let other = planner::plan_model(&lowered.model, other_goal)
        .claims
        .lower_bound
        .filter(|_| strategy == Strategy::CapAndGrow)
        .map(|bound| (other_goal, bound));
    document.questions = questions(&snapshot, &lowered, &changes);
    document.questions.extend(waivers_of_nothing(dir, &snapshot));
    if document.blocked.is_empty() {
        write_out(&mut document, &mut snapshot, &changes, &lowered.model);
        remember_files(dir, &document, &mut snapshot);
        document.snapshot = Some(dir.save_snapshot(&snapshot, false)?);
    } else {
        document.steps.clear();
    }
    Ok(Designed {
        document,
        model: lowered.model,
        snapshot,
        other,
    })
}

/// The steps of one model in their order, with what is down meanwhile and when they can be.
fn arranged(
    dir: &FleetDir,
    snapshot: &Snapshot,
    lowered: &mut Lowered,
    goal: Goal,
    (strategy, pick): (Strategy, Pick),
) -> anyhow::Result<PlanDocument> {
    let (mut document, outages) = match strategy {
        Strategy::CapAndGrow => {
            let document = taste::planned(dir, &mut lowered.model, snapshot, goal, pick)?;
            let clock = Clock::new(now(), &Windows::of(&dir.doc.policy.windows)?);
            let may_choose = !matches!(pick, Pick::Number(_) | Pick::Front);
            let lasts = |document: &PlanDocument| deadline::of_fleet(snapshot, document);
            let document = clock.in_time(&lowered.model, document, may_choose, &lasts);
            let outages = planner::outages(&lowered.model, &document);
            (document, outages)
        }
        Strategy::RipAndReplace => {
            taste::none_beside_rip(dir, pick)?;
            strategy::rip(snapshot, lowered, goal)
        }
    };
    outage(dir, snapshot, lowered, &mut document, &outages);
    timetable(dir, snapshot, &mut document)?;
    Ok(document)
}

/// What stands in the way is known before anything is planned.
fn unplanned(goal: Goal, blocked: Vec<plan::Blocked>, snapshot: Snapshot) -> Designed {
    let document = PlanDocument {
        goal,
        blocked,
        ..PlanDocument::default()
    };
    Designed {
        document,
        model: Model::default(),
        snapshot,
        other: None,
    }
}

/// What the scan could not read or understand: a plan without it would leave a component behind unseen.
fn not_understood(snapshot: &Snapshot) -> Vec<plan::Blocked> {
    snapshot
        .findings
        .iter()
        .filter(|finding| finding.severity == "error")
        .map(|finding| plan::Blocked {
            component: Some(finding.target.clone()),
            link: None,
            reason: finding.text.clone(),
            remedies: finding.fix.iter().cloned().collect(),
        })
        .collect()
}

/// The first reason in full; the others as hints.
fn unusable(first: &fleet::rotation::Refusal, refusals: &[fleet::rotation::Refusal]) -> Failure {
    let hints = refusals
        .iter()
        .map(|refusal| {
            if refusal == first {
                refusal.fix.clone()
            } else {
                format!("{refusal}; {}", refusal.fix)
            }
        })
        .collect();
    Failure {
        what: first.to_string(),
        hints,
        source: None,
    }
}

/// What the contract knows and this version does not carry out must not be passed over in silence.
fn not_offered(dir: &FleetDir) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for rotate in &dir.doc.rotate {
        if rotate.to.as_ref().is_some_and(|to| to.ca.is_some()) {
            found.push(format!(
                "[[rotate]] {} to = {{ ca }} (not offered yet)",
                rotate.name
            ));
        }
    }
    for (id, component) in &dir.doc.components {
        if component.new.as_ref().is_some_and(|new| new.ca.is_some()) {
            found.push(format!("[components.{id}.new] ca (not offered yet)"));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(failure(
        format!(
            "capgrow.toml asks for what this version does not do yet: {}",
            found.join(", ")
        ),
        "take it out and plan again: nothing is left out of a plan in silence",
    ))
}

/// A store or settings file that changed since the scan makes every plan on it wrong.
pub fn drifted(dir: &FleetDir, snapshot: &Snapshot) -> anyhow::Result<()> {
    let mut changed = Vec::new();
    let stores = snapshot.stores.iter().filter(|store| {
        snapshot
            .uses
            .iter()
            .any(|used| used.host == store.host && used.path == store.path)
    });
    let files = snapshot
        .files
        .iter()
        .map(|file| (&file.host, &file.path, &file.sha256));
    for (host, path, sha256) in stores
        .map(|store| (&store.host, &store.path, &store.sha256))
        .chain(files)
    {
        let Some(tree) = dir.vault.trees().get(host) else {
            continue;
        };
        let found = tree.read(path).map(|bytes| fleet::snapshot::sha256_hex(&bytes));
        if found.as_ref() != Ok(sha256) {
            changed.push(format!("{host}:{path}"));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(failure(
        format!("changed since the last scan: {}", changed.join(", ")),
        "capgrow scan, then plan again",
    ))
}

/// Which links the plan takes down and when; those that no waiver covers stand in its way.
fn outage(
    dir: &FleetDir,
    snapshot: &Snapshot,
    lowered: &Lowered,
    document: &mut PlanDocument,
    outages: &[planner::Outage],
) {
    let timeline = Timeline::of(snapshot, document);
    let downs = timeline.downs(snapshot, &lowered.model, &lowered.links, outages);
    let waived = strategy::entries(&dir.doc, now(), &lowered.waived, &timeline, &downs);
    let blocked = strategy::not_waived(&dir.doc, now(), &crate::runs::who(), &timeline, &downs);
    document.waived = waived;
    if document.extra.contains_key("strategy") {
        document.blocked.extend(blocked);
    }
}

/// In which maintenance window each phase can be; a step that fits in none stands in the way.
fn timetable(dir: &FleetDir, snapshot: &Snapshot, document: &mut PlanDocument) -> anyhow::Result<()> {
    let windows = Windows::of(&dir.doc.policy.windows)?;
    if windows.is_empty() || !document.blocked.is_empty() {
        return Ok(());
    }
    let timeline = Timeline::of(snapshot, document);
    let blocks = timeline.blocks(&document.waived);
    match windows::schedule(&windows.spans(now()), now(), &timeline, &blocks) {
        Ok(phases) => {
            document.extra.insert("schedule".to_owned(), phases.into());
        }
        Err(blocked) => document.blocked.push(*blocked),
    }
    Ok(())
}

fn questions(snapshot: &Snapshot, lowered: &Lowered, changes: &BTreeMap<String, Changes>) -> Vec<Value> {
    let mut all: Vec<Value> =
        snapshot.questions.iter().map(|question| json!({ "about": question.about, "text": question.text, "proposal": question.proposal })).collect();
    for (link, why) in &lowered.broken {
        all.push(json!({ "about": link, "text": format!("does not work today, so no plan keeps it up: {why}"), "proposal": null }));
    }
    for (component, changes) in changes {
        for note in &changes.notes {
            let text = note.strip_prefix(&format!("{component}: ")).unwrap_or(note);
            all.push(json!({ "about": component, "text": text, "proposal": null, "note": true }));
        }
    }
    for (about, text) in keys_on_several_hosts(snapshot) {
        all.push(json!({ "about": about, "text": text, "proposal": null, "note": true }));
    }
    all
}

/// Waivers that name no link of the fleet: most often a slip of the pen, and then the link it means is not covered.
fn waivers_of_nothing(dir: &FleetDir, snapshot: &Snapshot) -> Vec<Value> {
    let links: BTreeSet<String> = snapshot.links.iter().map(LinkFacts::text).collect();
    let named = dir.doc.waiver.iter().flat_map(|waiver| &waiver.links);
    named
        .filter(|link| !links.contains(*link))
        .map(|link| {
            let text = "a waiver in capgrow.toml names this link, and there is none of that name; write it as `from -> to.endpoint`";
            json!({ "about": link, "text": text, "proposal": null, "note": true })
        })
        .collect()
}

/// New private keys that would lie on more than one host: a person should know before they do.
fn keys_on_several_hosts(snapshot: &Snapshot) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for rotation in &snapshot.rotations {
        let mut hosts: BTreeMap<&String, BTreeSet<&str>> = BTreeMap::new();
        for (component, new) in &rotation.new {
            let host = snapshot.components[component]["host"]
                .as_str()
                .unwrap_or_default();
            hosts.entry(&new.material).or_default().insert(host);
        }
        for hosts in hosts.into_values().filter(|hosts| hosts.len() > 1) {
            let names: Vec<&str> = hosts.iter().copied().collect();
            let text = format!(
                "one new private key will lie on {} hosts ({}): whoever reads it on one can pose as all; \
                 `new` of each component gives it one of its own",
                names.len(),
                names.join(", ")
            );
            found.push((rotation.name.clone(), text));
        }
    }
    found
}

/// What would stop a step half-way, found before anything is touched.
fn obstacles(
    dir: &FleetDir,
    changes: &BTreeMap<String, Changes>,
    document: &PlanDocument,
    snapshot: &Snapshot,
) -> Vec<plan::Blocked> {
    let mut blocked = Vec::new();
    for (component, changes) in changes {
        if !document.steps.iter().any(|step| step.component == *component) {
            continue;
        }
        let mut says = |reason: String, remedy: &str| {
            let new = plan::Blocked {
                component: Some(component.clone()),
                link: None,
                reason,
                remedies: vec![remedy.to_owned()],
            };
            if !blocked.contains(&new) {
                blocked.push(new);
            }
        };
        for obstacle in &changes.obstacles {
            let own = format!("{component}: ");
            let obstacle = obstacle.strip_prefix(&own).unwrap_or(obstacle);
            // What can be done about it stands last.
            match obstacle.rsplit_once("; ") {
                Some((reason, remedy)) => says(reason.to_owned(), remedy),
                None => says(obstacle.to_owned(), "see the component in capgrow.toml"),
            }
        }
        let host = snapshot.components[component]["host"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let Some(machine) = agent::machine(&dir.vault, &host) else {
            continue;
        };
        for change in changes.grow.iter().chain(&changes.switch).chain(&changes.retire) {
            for obstacle in exec::machine::Machine::preflight(&machine, Path::new(&change.path), 1 << 20) {
                // A directory of a new file is made on the way.
                let new_file = matches!(
                    change.edit,
                    product::FileEdit::Write { .. } | product::FileEdit::Remove
                );
                if new_file && matches!(obstacle, exec::machine::Obstacle::NoDirectory { .. }) {
                    continue;
                }
                says(
                    format!("{host}: {obstacle}"),
                    "make the file replaceable, or waive the component's links",
                );
            }
        }
    }
    blocked
}

/// Every file that a step writes and no scan recorded: one that is edited after the plan is drift like any other.
fn remember_files(dir: &FleetDir, document: &PlanDocument, snapshot: &mut Snapshot) {
    for write in document.steps.iter().flat_map(|step| &step.writes) {
        let (Some(host), Some(path)) = (write["host"].as_str(), write["path"].as_str()) else {
            continue;
        };
        let Some(tree) = dir.vault.trees().get(host) else {
            continue;
        };
        let real = tree.real(path);
        let known = snapshot
            .files
            .iter()
            .any(|file| file.host == host && file.path == path)
            || snapshot
                .stores
                .iter()
                .any(|store| store.host == host && (store.path == real || store.path == path));
        if let (false, Ok(bytes)) = (known, tree.read(path)) {
            let sha256 = fleet::snapshot::sha256_hex(&bytes);
            snapshot.files.push(FileFacts {
                host: host.to_owned(),
                path: path.to_owned(),
                sha256,
            });
        }
    }
}

/// Gives each step its writes in full and the commands that make it effective.
fn write_out(
    document: &mut PlanDocument,
    snapshot: &mut Snapshot,
    changes: &BTreeMap<String, Changes>,
    model: &Model,
) {
    for step in &mut document.steps {
        let mut members = vec![step.component.clone()];
        let at = model
            .components
            .iter()
            .find(|component| component.name == step.component);
        if let Some(shared) = at.and_then(|component| component.shared) {
            for member in &model.shared[shared.at()] {
                let name = model.components[member.at()].name.clone();
                if !members.contains(&name) {
                    members.push(name);
                }
            }
        }
        let mut docs: Vec<Value> = Vec::new();
        for event in &step.events {
            for member in &members {
                let Some(of) = changes.get(member) else { continue };
                let host = snapshot.components[member]["host"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                let list = match event {
                    Event::Grow => &of.grow,
                    Event::Switch => &of.switch,
                    Event::Retire => &of.retire,
                };
                for change in list {
                    let doc: WriteDoc = fleet::format::write_doc(&host, event.word(), change, snapshot);
                    let value = serde_json::to_value(doc).unwrap_or_default();
                    if !docs.contains(&value) {
                        docs.push(value);
                    }
                }
            }
        }
        step.writes = docs;
    }
    put_first(document, snapshot, changes);
}

/// What the whole fleet needs first of all goes to the step of its bearer in the first wave, else to the first step.
fn put_first(document: &mut PlanDocument, snapshot: &mut Snapshot, changes: &BTreeMap<String, Changes>) {
    let Some(wave) = document.steps.iter().map(|step| step.wave).min() else {
        return;
    };
    for (bearer, of) in changes.iter().filter(|(_, of)| !of.first.is_empty()) {
        let host = snapshot.components[bearer]["host"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut early = document.steps.iter().filter(|step| step.wave == wave);
        let own = early.position(|step| step.component == *bearer);
        let Some(step) = document
            .steps
            .iter_mut()
            .filter(|step| step.wave == wave)
            .nth(own.unwrap_or(0))
        else {
            continue;
        };
        let event = step.events.first().map_or("", |event| event.word());
        let docs = of.first.iter().map(|change| {
            let doc: WriteDoc = fleet::format::write_doc(&host, event, change, snapshot);
            serde_json::to_value(doc).unwrap_or_default()
        });
        let docs: Vec<Value> = docs.collect();
        step.writes.splice(0..0, docs);
    }
}
