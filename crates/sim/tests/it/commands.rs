//! A product's own commands at every crash point: before and after each change of the journal, before and in the
//! middle of each command; each crash is resumed and taken back, and both die again everywhere.

use crate::broken::{Broken, Bug};
use exec::command::{Again, CommandError, CommandSet, Commands, Line, Stands, carry, standing};
use exec::journal::{Journal, RunId};
use exec::log::Record;
use exec::machine::{Attributes, Machine};
use exec::run::HandsError;
use serde_json::{Value, json};
use sim::disk::Disk;
use sim::machine::SimMachine;
use std::collections::HashSet;
use std::path::Path;

#[test]
fn after_every_crash_the_commands_end_or_are_taken_back_and_nothing_runs_unrecorded() {
    let mut cases = 0;
    for crash in crashes(&World::new(), &forward()) {
        let Crash { disk, world } = crash;
        for set in [forward(), backward()] {
            finished(&world, &disk, &set);
            for again in crashes_on(&world, &disk, &set) {
                let Crash { disk, world } = again;
                finished(&world, &disk, &set);
                cases += 1;
            }
        }
    }
    println!("{cases} second crashes");
    assert!(cases > 500, "{cases}");
}

#[test]
fn an_intent_that_is_not_durable_is_caught() {
    let world = World::new();
    let machine = SimMachine::new(fresh());
    let broken = Broken::new(&machine, Bug::NoIntentSync);
    let caught = work(&broken, Some(&machine), &mut world.clone(), &forward());
    assert_eq!(caught.unwrap_err(), "line 0 runs without a durable intent");
}

#[test]
fn a_command_that_must_not_run_twice_is_left_to_a_person() {
    let mut set = forward();
    set.lines[2].again = Again::Never;
    for crash in crashes(&World::new(), &set) {
        let Crash { disk, world } = crash;
        let machine = SimMachine::new(disk.clone());
        let undecided = begun_without_end(&machine, 2);
        let mut after = World {
            fuse: None,
            dead: false,
            ..world.clone()
        };
        let outcome = work(&machine, Some(&machine), &mut after, &set);
        if undecided {
            assert!(outcome.unwrap_err().contains("is not known"));
            assert_eq!(after.plans, world.plans, "nothing ran");
        } else {
            outcome.unwrap();
            assert_eq!(after.plans, 1, "it ran once");
        }
    }
}

#[test]
fn what_somebody_else_changed_is_not_overwritten() {
    let mut world = World::new();
    world.definitions = "theirs";
    let machine = SimMachine::new(fresh());
    let said = work(&machine, Some(&machine), &mut world, &forward()).unwrap_err();
    assert!(said.contains("somebody else"), "{said}");
    assert_eq!((world.definitions, world.plans), ("theirs", 0));
}

/// Definitions, the plan in force, the option that carries work forward: what lies in no file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    definitions: &'static str,
    in_force: &'static str,
    carry: &'static str,
    /// How often a plan was made.
    plans: u32,
    /// Commands until the machine dies, and whether it dies before the command's effect or in the midst of it.
    fuse: Option<(usize, Death)>,
    dead: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Death {
    Before,
    Midst,
}

impl World {
    fn new() -> World {
        World {
            definitions: "old",
            in_force: "old",
            carry: "yes",
            plans: 0,
            fuse: None,
            dead: false,
        }
    }
}

/// What was left on the disk and in the world when the machine died.
#[derive(PartialEq, Eq, Hash)]
struct Crash {
    disk: Disk,
    world: World,
}

struct Hand<'a> {
    world: &'a mut World,
    /// The disk behind the journal, where it is looked at what is durable.
    watched: Option<&'a SimMachine>,
}

impl Commands for Hand<'_> {
    fn stands(&mut self, set: &CommandSet, line: usize) -> Result<Stands, HandsError> {
        let is = |now: &str, before: &str, after: &str| {
            if now == after {
                Ok(Stands::After)
            } else if now == before {
                Ok(Stands::Before)
            } else {
                Err(hands_error(&format!("{now}: somebody else changed it")))
            }
        };
        let (from, to) = ways(set);
        match line {
            0 => is(self.world.definitions, from, to),
            1 => is(self.world.carry, "yes", "all"),
            2 => Ok(Stands::Unknown),
            _ => is(self.world.carry, "all", "yes"),
        }
    }

    fn run_line(&mut self, set: &CommandSet, line: usize) -> Result<Value, HandsError> {
        for image in self.watched.map(|disk| disk.disk().images()).unwrap_or_default() {
            let records = Journal::read(&SimMachine::new(image), Path::new(RUNS), &run()).unwrap_or_default();
            let begun =
                matches!(records.last(), Some(Record::CommandBegun { line: last, .. }) if *last == line);
            if !begun {
                return Err(hands_error(&format!("line {line} runs without a durable intent")));
            }
        }
        let death = match &mut self.world.fuse {
            Some((0, death)) => Some(*death),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        self.world.dead = death.is_some();
        if death == Some(Death::Before) {
            return Err(hands_error("dead"));
        }
        let (_, to) = ways(set);
        match line {
            0 => self.world.definitions = to,
            1 => self.world.carry = "all",
            2 => {
                assert_eq!(self.world.carry, "all", "work under way would get lost");
                self.world.plans += 1;
                self.world.in_force = if death.is_some() {
                    "half"
                } else {
                    self.world.definitions
                };
            }
            _ => self.world.carry = "yes",
        }
        if death.is_some() {
            return Err(hands_error("dead"));
        }
        Ok(json!({ "exit": 0 }))
    }

    fn taken(&mut self, set: &CommandSet) -> Result<Value, HandsError> {
        assert_eq!(self.world.in_force, ways(set).1);
        Ok(Value::Null)
    }
}

fn ways(set: &CommandSet) -> (&'static str, &'static str) {
    if set.reverses.is_some() {
        ("new", "old")
    } else {
        ("old", "new")
    }
}

fn hands_error(what: &str) -> HandsError {
    HandsError {
        what: what.to_owned(),
        hint: None,
    }
}

fn forward() -> CommandSet {
    let line = |words: &str| Line {
        argv: words.split(' ').map(str::to_owned).collect(),
        again: Again::Harmless,
    };
    CommandSet {
        step: "1/grow".to_owned(),
        host: "mdm1".to_owned(),
        reverses: None,
        write: json!({ "edit": { "kind": "run" } }),
        lines: vec![
            line("composer replace {file}"),
            line("optman chg cf = all"),
            line("JnextPlan -for 0000"),
            line("optman chg cf = yes"),
        ],
    }
}

fn backward() -> CommandSet {
    CommandSet {
        step: "undo1-9/grow".to_owned(),
        reverses: Some("1/grow".to_owned()),
        ..forward()
    }
}

/// Begins or continues the run on `machine`; `watched` is the disk behind it.
fn work(
    machine: &dyn Machine,
    watched: Option<&SimMachine>,
    world: &mut World,
    set: &CommandSet,
) -> Result<(), String> {
    let runs = Path::new(RUNS);
    let exists = machine
        .look(&runs.join(run().as_str()))
        .map_err(|e| e.to_string())?;
    let mut journal = match exists {
        Some(_) => Journal::open(machine, runs, run()).map_err(|e| e.to_string())?.0,
        None => Journal::create(machine, runs, run()).map_err(|e| e.to_string())?,
    };
    let nothing_stands = standing(journal.records()).is_empty();
    let untouched = *world
        == World {
            fuse: world.fuse,
            ..World::new()
        };
    if set.reverses.is_some() && nothing_stands {
        assert!(
            untouched || world.definitions == "old",
            "what stands is on record"
        );
        return Ok(());
    }
    let mut hand = Hand { world, watched };
    carry(&mut journal, &mut hand, set).map_err(|error| match error {
        CommandError::Hands(error) => error.what,
        other => other.to_string(),
    })
}

/// Carried out to its end, and once more without a further command.
fn finished(world: &World, disk: &Disk, set: &CommandSet) {
    let machine = SimMachine::new(disk.clone());
    let mut world = World {
        fuse: None,
        dead: false,
        ..world.clone()
    };
    work(&machine, None, &mut world, set).unwrap();
    let wanted = ways(set).1;
    assert_eq!(
        (world.definitions, world.in_force, world.carry),
        (wanted, wanted, "yes")
    );
    let plans = world.plans;
    work(&machine, None, &mut world, set).unwrap();
    assert_eq!(world.plans, plans, "what is done is not done again");
    if set.reverses.is_some() {
        let journal = Journal::read(&machine, Path::new(RUNS), &run()).unwrap_or_default();
        assert_eq!(standing(&journal), []);
    }
}

fn crashes(world: &World, set: &CommandSet) -> HashSet<Crash> {
    crashes_on(world, &fresh(), set)
}

/// Every way to die: after each change of the disk with every image that it leaves, and at each command. What follows
/// from a disk and a world is the same each time, so equal ones are one.
fn crashes_on(world: &World, disk: &Disk, set: &CommandSet) -> HashSet<Crash> {
    let whole = SimMachine::new(disk.clone());
    let world = World {
        fuse: None,
        dead: false,
        ..world.clone()
    };
    work(&whole, Some(&whole), &mut world.clone(), set).unwrap();
    let mut found = HashSet::new();
    let mut keep = |machine: &SimMachine, world: &World| {
        for disk in machine.disk().images() {
            found.insert(Crash {
                disk,
                world: world.clone(),
            });
        }
    };
    for verbs in 0..=whole.verbs() {
        let machine = SimMachine::dying_after(disk.clone(), verbs);
        let mut world = world.clone();
        let _ = work(&machine, Some(&machine), &mut world, set);
        keep(&machine, &world);
    }
    for command in 0..set.lines.len() {
        for death in [Death::Before, Death::Midst] {
            let machine = SimMachine::new(disk.clone());
            let mut world = World {
                fuse: Some((command, death)),
                ..world.clone()
            };
            let _ = work(&machine, Some(&machine), &mut world, set);
            if world.dead {
                keep(&machine, &world);
            }
        }
    }
    found
}

fn begun_without_end(machine: &SimMachine, line: usize) -> bool {
    let records = Journal::read(machine, Path::new(RUNS), &run()).unwrap_or_default();
    let begun = |record: &Record| matches!(record, Record::CommandBegun { line: at, .. } if *at == line);
    let ended = |record: &Record| matches!(record, Record::CommandEnded { line: at, .. } if *at == line);
    records.iter().any(begun) && !records.iter().any(ended)
}

fn fresh() -> Disk {
    let machine = SimMachine::new(Disk::new());
    for dir in ["/fleet", "/fleet/runs"] {
        machine.mkdir(Path::new(dir), &Attributes::private()).unwrap();
    }
    let mut disk = machine.disk().clone();
    disk.settle();
    disk
}

fn run() -> RunId {
    RunId::parse("run1").unwrap()
}

const RUNS: &str = "/fleet/runs";
