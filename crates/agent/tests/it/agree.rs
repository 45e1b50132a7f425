//! Model = reality (invariant 5): fleets of random shape with real stores in a temporary directory are moved and moved
//! back, and after every step a fresh scan sees what `plan::effect` said. Nothing runs: the commands are left out.

use crate::made_fleet::Made;
use crate::made_fleet::made;
use crate::made_fleet::now;
use agent::{OsHands, OsMachine, Vault};
use exec::command::{CommandSet, Commands, Stands};
use exec::journal::{Journal, RunId};
use exec::log::Record;
use exec::machine::Machine;
use exec::replace::FileSet;
use exec::run::{Ended, Hands, HandsError, News, StepError};
use fleet::Snapshot;
use fleet::rotation::ToolFiles;
use keystore::Certificate;
use plan::{CheckedPlan, Event, EventSet, Goal, Model, PlanDocument, Step};
use product::HostFiles;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

#[test]
fn after_every_step_and_every_step_back_a_scan_sees_the_effect_that_the_plan_computed() {
    let mut seen = Seen::default();
    for seed in 0..16 {
        println!("seed {seed}");
        move_and_return(seed, &mut seen);
    }
    println!("{seen:?}");
    assert!(seen.steps > 150 && seen.stores > 1000, "{seen:?}");
    assert!(seen.formats.len() >= 4, "{seen:?}");
    assert!(seen.shared > 0 && seen.kept > 0, "{seen:?}");
}

/// Another material than the plan was made for: the same steps, checked against it.
#[test]
fn a_plan_is_refused_where_an_anchor_is_another_or_a_certificate_has_expired() {
    let stranger = crate::servers::ca("Another CA");
    let another = Certificate::parse(&stranger.der()).unwrap();
    for seed in 0..6 {
        println!("seed {seed}");
        let made = made(seed);
        let (_, vault, start) = looked_at(&made, seed);
        let (model, document) = design(&vault, &start);
        assert!(plan::check(&model, &document).is_ok(), "seed {seed}");

        let mut anchored = start.clone();
        let other = anchored.keep(&another);
        for rotation in &mut anchored.rotations {
            rotation.anchors = vec![other.clone()];
        }
        refused(
            &anchored,
            &document,
            &["certification path", "certificate chain", "issuer"],
        );

        let mut expired = start.clone();
        let old = crate::made_fleet::expired_leaf();
        let leaf = expired.keep(&old);
        for new in expired
            .rotations
            .iter_mut()
            .flat_map(|rotation| rotation.new.values_mut())
        {
            new.chain[0] = leaf.clone();
        }
        refused(&expired, &document, &["expired", "validity check failed"]);
    }
}

#[track_caller]
fn refused(snapshot: &Snapshot, document: &PlanDocument, wanted: &[&str]) {
    let lowered = plan::lower(snapshot, &[]).unwrap();
    let refusal = plan::check(&lowered.model, document).expect_err("the mutant lives");
    let violations = &refusal.report.violations;
    assert!(
        violations
            .iter()
            .any(|one| one.link.contains("->") && wanted.iter().any(|words| one.reason.contains(words))),
        "no {wanted:?} in {violations:#?}"
    );
}

/// What the test met.
#[derive(Debug, Default)]
struct Seen {
    steps: usize,
    stores: usize,
    shared: usize,
    /// Fleets whose old generation is kept.
    kept: usize,
    formats: BTreeSet<String>,
}

/// A fleet as it lies there, with what is wanted of it.
fn looked_at(made: &Made, seed: u64) -> (fleet::file::FleetDoc, Vault, Snapshot) {
    let place = made.dir.path();
    let doc = fleet::file::read(&std::fs::read_to_string(place.join("capgrow.toml")).unwrap()).unwrap();
    let trees: BTreeMap<String, agent::Tree> = doc
        .hosts
        .keys()
        .map(|host| {
            (
                host.clone(),
                agent::Tree::new(host, Some(place.join("hosts").join(host))),
            )
        })
        .collect();
    let vault = Vault::new(place.to_owned(), doc.clone(), trees, |_| {
        Err("nobody to ask".to_owned())
    });
    let mut start = scan(&vault, &doc);
    fleet::rotation::resolve(&doc, &mut start, &Tool(place), now())
        .unwrap_or_else(|refusals| panic!("seed {seed}: {refusals:?}"));
    (doc, vault, start)
}

fn move_and_return(seed: u64, seen: &mut Seen) {
    let made = made(seed);
    let place = made.dir.path();
    let before = files(&place.join("hosts"));
    let (doc, vault, start) = looked_at(&made, seed);
    seen.formats
        .extend(start.stores.iter().map(|store| store.format.clone()));
    let (model, document) = design(&vault, &start);
    let checked = plan::check(&model, &document)
        .unwrap_or_else(|refusal| panic!("seed {seed}: {:#?}\n{document:#?}", refusal.report));
    let own = OsMachine::new(None);
    std::fs::create_dir(place.join("runs")).unwrap();
    let run = RunId::parse("r1").unwrap();
    let mut journal = Journal::create(&own, &place.join("runs"), run).unwrap();
    let world = World {
        made: &made,
        vault: &vault,
        doc: &doc,
        start: &start,
        model: &model,
        seed,
    };
    let mut happened = BTreeMap::new();
    world.carry(&checked, &mut journal, &mut happened, seen);
    seen.shared += model.shared.len();
    seen.kept += usize::from(start.rotations.iter().any(|rotation| !rotation.retire));

    let mut there = scan(&vault, &doc);
    fleet::rotation::resolve(&doc, &mut there, &Tool(place), now()).unwrap();
    let (_, rest) = design(&vault, &there);
    assert!(
        rest.steps.is_empty(),
        "seed {seed}: something is left at the goal: {rest:#?}"
    );

    let back = world.back(&document);
    let checked =
        plan::check(&model, &back).unwrap_or_else(|refusal| panic!("seed {seed}: {:#?}", refusal.report));
    world.carry(&checked, &mut journal, &mut happened, seen);
    let after = files(&place.join("hosts"));
    for (path, bytes) in &before {
        assert!(
            after.get(path) == Some(bytes),
            "seed {seed}: {path} is not as before"
        );
    }
    assert_eq!(before.len(), after.len(), "seed {seed}");
}

/// Everything about one fleet that does not change.
struct World<'a> {
    made: &'a Made,
    vault: &'a Vault,
    doc: &'a fleet::file::FleetDoc,
    start: &'a Snapshot,
    model: &'a Model,
    seed: u64,
}

impl World<'_> {
    fn carry(
        &self,
        checked: &CheckedPlan,
        journal: &mut Journal<'_>,
        happened: &mut BTreeMap<String, EventSet>,
        seen: &mut Seen,
    ) {
        let stop = AtomicBool::new(false);
        let keys = self
            .start
            .rotations
            .iter()
            .flat_map(|rotation| rotation.new.values())
            .map(|new| {
                let tool = Tool(self.made.dir.path());
                let material = fleet::rotation::material_named(self.doc, &new.material, &tool)
                    .unwrap()
                    .unwrap();
                (new.material.clone(), material.key)
            })
            .collect();
        let (plan, at) = (checked.digest().to_string(), journal.now());
        journal
            .append(Record::Approved {
                plan,
                who: "somebody".to_owned(),
                to_wave: None,
                at,
            })
            .unwrap();
        let mut hands = Watched {
            inner: OsHands::new(
                self.vault,
                self.start,
                checked.document(),
                keys,
                &stop,
                Box::new(|_, _| ()),
            ),
            world: self,
            backwards: checked.document().direction == plan::Direction::Undo,
            happened,
            seen,
        };
        let ended = exec::run::run(checked, journal, &mut hands, None).unwrap();
        assert!(matches!(ended, Ended::Done), "seed {}: {ended:#?}", self.seed);
    }

    /// All who read the same files as the component, itself included.
    fn readers(&self, component: &str) -> Vec<String> {
        let at = self
            .model
            .components
            .iter()
            .find(|found| found.name == component)
            .unwrap();
        match at.shared {
            Some(shared) => self.model.shared[shared.at()]
                .iter()
                .map(|id| self.model.components[id.at()].name.clone())
                .collect(),
            None => vec![component.to_owned()],
        }
    }

    fn back(&self, forward: &PlanDocument) -> PlanDocument {
        let mut start: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for step in &forward.steps {
            start
                .entry(step.component.clone())
                .or_default()
                .extend(&step.events);
        }
        let mut back = planner::plan_undo(self.model, forward, &start);
        for step in &mut back.steps {
            step.id = format!("undo-{}", step.id);
            let readers = self.readers(&step.component);
            let names = forward
                .steps
                .iter()
                .filter(|original| readers.contains(&original.component))
                .flat_map(|original| {
                    original
                        .events
                        .iter()
                        .filter(|event| step.events.contains(event))
                        .map(|event| Value::from(format!("{}/{}", original.id, event.word())))
                });
            step.extra
                .insert("reverses".to_owned(), Value::Array(names.collect()));
        }
        back
    }

    /// Compares every store of the fleet with what it should be.
    fn compare(&self, happened: &BTreeMap<String, EventSet>, about: &str) -> usize {
        let now = scan(self.vault, self.doc);
        for used in &self.start.uses {
            let events = happened.get(&used.component).copied().unwrap_or(EventSet::EMPTY);
            let wanted = plan::effect(self.start, used, events);
            let found = now.use_of(&used.component, &used.id).unwrap();
            let set = |names: &[String]| -> BTreeSet<String> {
                names.iter().map(|name| self.subject(&now, name)).collect()
            };
            let about = format!(
                "seed {}, {about}, {}:{} after {events:?}",
                self.seed, used.host, used.path
            );
            assert_eq!(found.presented, wanted.presented, "presents: {about}");
            assert_eq!(set(&found.anchors), set(&wanted.anchors), "trusts: {about}");
        }
        self.start.uses.len()
    }

    fn subject(&self, now: &Snapshot, name: &str) -> String {
        let found = now.certificate(name).or_else(|| self.start.certificate(name));
        format!("{} {}", found.unwrap().subject(), &name[..8])
    }
}

/// The hands of a real run on real files; what would be run is left out, and looking is comparing.
struct Watched<'a> {
    inner: OsHands<'a>,
    world: &'a World<'a>,
    backwards: bool,
    happened: &'a mut BTreeMap<String, EventSet>,
    seen: &'a mut Seen,
}

impl Commands for Watched<'_> {
    fn stands(&mut self, set: &CommandSet, line: usize) -> Result<Stands, HandsError> {
        self.inner.stands(set, line)
    }

    fn run_line(&mut self, set: &CommandSet, line: usize) -> Result<Value, HandsError> {
        self.inner.run_line(set, line)
    }

    fn taken(&mut self, set: &CommandSet) -> Result<Value, HandsError> {
        self.inner.taken(set)
    }
}

impl Hands for Watched<'_> {
    fn commands(&mut self, step: &Step) -> Result<Vec<CommandSet>, HandsError> {
        self.inner.commands(step)
    }

    fn prepare(&mut self, step: &Step, journal: &Journal<'_>) -> Result<Vec<FileSet>, StepError> {
        self.inner.prepare(step, journal)
    }

    fn machine(&self, host: &str) -> Option<&dyn Machine> {
        self.inner.machine(host)
    }

    fn make_effective(&mut self, _: &Step) -> Result<Vec<exec::run::Made>, HandsError> {
        Ok(Vec::new())
    }

    fn observe(&mut self, step: &Step) -> Result<Value, HandsError> {
        // One write for all who read the same files.
        for reader in self.world.readers(&step.component) {
            let before = self.happened.get(&reader).copied().unwrap_or(EventSet::EMPTY);
            let events = EventSet::of(&step.events);
            let after = if self.backwards {
                before.without(events)
            } else {
                before.union(events)
            };
            self.happened.insert(reader, after);
        }
        self.seen.steps += 1;
        let about = format!("step {} of {}", step.id, step.component);
        self.seen.stores += self.world.compare(self.happened, &about);
        Ok(Value::Null)
    }

    fn tell(&mut self, _: News<'_>) {}

    fn stop_asked(&self) -> bool {
        false
    }
}

fn scan(vault: &Vault, doc: &fleet::file::FleetDoc) -> Snapshot {
    let hosts: Vec<&dyn HostFiles> = vault
        .trees()
        .values()
        .map(|tree| tree as &dyn HostFiles)
        .collect();
    let look = fleet::Look {
        doc,
        hosts: &hosts,
        secrets: vault,
        extra: &BTreeMap::new(),
        definitions: &BTreeMap::new(),
        now: now(),
    };
    let snapshot = fleet::scan(&look).unwrap_or_else(|errors| panic!("{errors:?}"));
    let errors: Vec<_> = snapshot
        .findings
        .iter()
        .filter(|finding| finding.severity == "error")
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    snapshot
}

/// The plan with its writes.
fn design(vault: &Vault, snapshot: &Snapshot) -> (Model, PlanDocument) {
    let hosts: Vec<&dyn HostFiles> = vault
        .trees()
        .values()
        .map(|tree| tree as &dyn HostFiles)
        .collect();
    let changes = fleet::changes(snapshot, &hosts).unwrap();
    let lowered = plan::lower(snapshot, &[]).unwrap();
    assert!(lowered.broken.is_empty(), "{:?}", lowered.broken);
    let goal = if snapshot.rotations.iter().any(|rotation| rotation.retire) {
        Goal::Retired
    } else {
        Goal::Coexistence
    };
    let mut document = planner::plan_model(&lowered.model, goal);
    assert!(document.blocked.is_empty(), "{:?}", document.blocked);
    let mut keeps = snapshot.clone();
    for step in &mut document.steps {
        let at = lowered
            .model
            .components
            .iter()
            .find(|found| found.name == step.component)
            .unwrap();
        let mut members = vec![step.component.clone()];
        if let Some(shared) = at.shared {
            let others = lowered.model.shared[shared.at()]
                .iter()
                .map(|id| lowered.model.components[id.at()].name.clone());
            members.extend(others.filter(|name| *name != step.component));
        }
        for event in &step.events {
            for member in &members {
                let Some(of) = changes.get(member) else { continue };
                let list = match event {
                    Event::Grow => &of.grow,
                    Event::Switch => &of.switch,
                    Event::Retire => &of.retire,
                };
                let host = snapshot.components[member]["host"].as_str().unwrap();
                for change in list {
                    let doc = fleet::format::write_doc(host, event.word(), change, &mut keeps);
                    let value = serde_json::to_value(doc).unwrap();
                    if !step.writes.contains(&value) {
                        step.writes.push(value);
                    }
                }
            }
        }
    }
    (lowered.model, document)
}

/// The new material beside the fleet file.
struct Tool<'a>(&'a Path);

impl ToolFiles for Tool<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|error| error.to_string())
    }

    fn is_there(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn password(&self, _: &fleet::file::SecretDoc) -> Result<keystore::Password, String> {
        Err("there is none".to_owned())
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    all
}
