//! The step loop on a simulated machine: what stops it, and what it has not touched by then.

use crate::crash::{HOST, RUNS, run};
use exec::command::{Again, CommandSet, Commands, Line, Stands};
use exec::digest::Sha256;
use exec::journal::{Journal, JournalError};
use exec::log::Record;
use exec::machine::{Attributes, IoError, Machine, Metadata, Obstacle, Over, Timestamp};
use exec::replace::{AttributeSource, Change, Drifted, FileSet, ReplaceError};
use exec::run::{Ended, Hands, HandsError, Made, News, StepError};
use plan::{CheckedPlan, Goal, Step};
use serde_json::Value;
use sim::disk::Disk;
use sim::machine::SimMachine;
use std::cell::Cell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[test]
fn a_step_whose_file_is_not_what_was_planned_stops_as_drift_and_nothing_after_it_is_touched() {
    let plan = plan();
    let steps = plan.document().steps.len();
    for drifting in 0..steps {
        let disk = machine();
        let mut journal = approved(&disk, &plan);
        let mut hands = SimHands::new(&disk);
        hands.drifts_before = Some(drifting);
        let ended = exec::run::run(&plan, &mut journal, &mut hands, None).unwrap();
        let Ended::PersonNeeded { step, why } = ended else {
            panic!("{ended:?}");
        };
        let StepError::Replace(ReplaceError::Drift { drifted }) = why else {
            panic!("{why:?}");
        };
        let path = file_of(&hands.begun[drifting]);
        assert!(
            matches!(&drifted[..], [Drifted::Changed { path: found, .. }] if *found == path),
            "{drifted:?}"
        );
        assert_eq!(step, hands.begun[drifting].id);
        assert_eq!(
            hands.begun.len(),
            drifting + 1,
            "no step begins after the one that drifted"
        );
        assert_eq!(
            hands.effective.len(),
            drifting,
            "the step that drifted is not made effective"
        );
        assert_eq!(disk.read(&path, 100).unwrap(), b"theirs");
        assert!(matches!(journal.records().last(), Some(Record::Stopped { .. })));
    }
}

#[test]
fn a_journal_write_that_fails_stops_the_step() {
    let plan = plan();
    let whole = {
        let disk = machine();
        let own = Failing::at(&disk, usize::MAX);
        let mut journal = approved(&own, &plan);
        let mut hands = SimHands::new(&disk);
        assert!(matches!(
            exec::run::run(&plan, &mut journal, &mut hands, None),
            Ok(Ended::Done)
        ));
        own.writes.get()
    };
    assert!(whole > 40, "{whole} writes to the journal");
    // The first three are those of the journal's creation and of the approval.
    for at in 3..whole {
        let disk = machine();
        let own = Failing::at(&disk, at);
        let mut journal = approved(&own, &plan);
        let mut hands = SimHands::new(&disk);
        hands.watch = Some(&own);
        let error = exec::run::run(&plan, &mut journal, &mut hands, None).unwrap_err();
        assert!(
            matches!(error, JournalError::Broken | JournalError::Io(_)),
            "write {at}: {error:?}"
        );
        assert!(own.failed.get(), "write {at}");
        assert_eq!(
            hands.after_failure, 0,
            "write {at}: something was done that is not on record"
        );
        // What lies on disk is either recorded as intended or as it was.
        let reread = SimMachine::new(disk.disk().clone());
        let records = Journal::read(&reread, Path::new(RUNS), &run()).unwrap();
        for step in &plan.document().steps {
            let path = file_of(step);
            let intended = records.iter().any(
                |record| matches!(record, Record::Intent(intent) if intent.changes.iter().any(|one| one.path == path)),
            );
            let old = reread.read(&path, 100).unwrap() == b"old";
            assert!(old || intended, "write {at}: {} changed unseen", path.display());
        }
    }
}

/// A triangle of mutual links: more than one wave, more than one step a component.
fn plan() -> CheckedPlan {
    let text = "model 1\ncomponent a b c\nlink a <-> b\nlink b <-> c\nlink c <-> a\n";
    let model = plan::read_model(text).unwrap();
    let document = planner::plan_model(&model, Goal::Retired);
    plan::check(&model, &document).unwrap()
}

fn approved<'m>(machine: &'m dyn Machine, plan: &CheckedPlan) -> Journal<'m> {
    let mut journal = Journal::create(machine, Path::new(RUNS), run()).unwrap();
    let (plan, who, at) = (plan.digest().to_string(), "somebody".to_owned(), journal.now());
    journal
        .append(Record::Approved {
            plan,
            who,
            to_wave: None,
            at,
        })
        .unwrap();
    journal
}

/// A machine with one file for each step of any plan.
fn machine() -> SimMachine {
    let machine = SimMachine::new(Disk::new());
    for dir in ["/srv", "/fleet", RUNS] {
        machine.mkdir(Path::new(dir), &Attributes::private()).unwrap();
    }
    for step in &plan().document().steps {
        machine
            .write_new(&file_of(step), b"old", &Attributes::private())
            .unwrap();
    }
    machine
}

fn file_of(step: &Step) -> PathBuf {
    Path::new("/srv").join(&step.id)
}

/// Hands whose world is the simulated disk: one file for each step.
struct SimHands<'a> {
    disk: &'a SimMachine,
    drifts_before: Option<usize>,
    watch: Option<&'a Failing<'a>>,
    begun: Vec<Step>,
    effective: Vec<String>,
    after_failure: usize,
}

impl<'a> SimHands<'a> {
    fn new(disk: &'a SimMachine) -> SimHands<'a> {
        SimHands {
            disk,
            drifts_before: None,
            watch: None,
            begun: Vec::new(),
            effective: Vec::new(),
            after_failure: 0,
        }
    }

    fn count_deed(&mut self) {
        if self.watch.is_some_and(|own| own.failed.get()) {
            self.after_failure += 1;
        }
    }
}

impl Commands for SimHands<'_> {
    fn stands(&mut self, _: &CommandSet, _: usize) -> Result<Stands, HandsError> {
        Ok(Stands::Unknown)
    }

    fn run_line(&mut self, _: &CommandSet, _: usize) -> Result<Value, HandsError> {
        self.count_deed();
        Ok(Value::Null)
    }

    fn taken(&mut self, _: &CommandSet) -> Result<Value, HandsError> {
        Ok(Value::Null)
    }
}

impl Hands for SimHands<'_> {
    fn commands(&mut self, step: &Step) -> Result<Vec<CommandSet>, HandsError> {
        Ok(vec![CommandSet {
            step: format!("{}/commands", step.id),
            host: HOST.into(),
            reverses: None,
            write: Value::Null,
            lines: vec![Line {
                argv: vec!["replace".into()],
                again: Again::Harmless,
            }],
        }])
    }

    fn prepare(&mut self, step: &Step, _: &Journal<'_>) -> Result<Vec<FileSet>, StepError> {
        self.count_deed();
        if self.drifts_before == Some(self.begun.len()) {
            self.disk.overwrite(&file_of(step), b"theirs").unwrap();
        }
        self.begun.push(step.clone());
        Ok(vec![FileSet {
            step: step.id.clone(),
            host: HOST.into(),
            changes: vec![Change::Replace {
                path: file_of(step),
                expected: Sha256::of(b"old"),
                bytes: b"new".to_vec(),
                attributes: AttributeSource::Original,
            }],
            reverses: None,
        }])
    }

    fn machine(&self, host: &str) -> Option<&dyn Machine> {
        (host == HOST).then_some(self.disk as &dyn Machine)
    }

    fn make_effective(&mut self, step: &Step) -> Result<Vec<Made>, HandsError> {
        self.count_deed();
        self.effective.push(step.id.clone());
        Ok(vec![Made {
            command: vec!["restart".to_owned()],
            outcome: Value::Null,
        }])
    }

    fn observe(&mut self, _: &Step) -> Result<Value, HandsError> {
        self.count_deed();
        Ok(Value::Null)
    }

    fn tell(&mut self, _: News<'_>) {}

    fn stop_asked(&self) -> bool {
        false
    }
}

/// The machine of the journal, on which one write or sync of the journal fails.
struct Failing<'s> {
    sim: &'s SimMachine,
    at: usize,
    writes: Cell<usize>,
    failed: Cell<bool>,
}

impl<'s> Failing<'s> {
    fn at(sim: &'s SimMachine, at: usize) -> Failing<'s> {
        Failing {
            sim,
            at,
            writes: Cell::new(0),
            failed: Cell::new(false),
        }
    }

    /// Counts a write or sync of the journal after its creation.
    fn journal_write(&self, verb: &'static str, path: &Path) -> Result<(), IoError> {
        if !path.ends_with("journal") {
            return Ok(());
        }
        let number = self.writes.get();
        self.writes.set(number + 1);
        if number == self.at {
            self.failed.set(true);
            return Err(IoError::new(verb, path, ErrorKind::StorageFull, "no space left"));
        }
        Ok(())
    }
}

impl Machine for Failing<'_> {
    fn now(&self) -> Timestamp {
        self.sim.now()
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, IoError> {
        self.sim.resolve(path)
    }

    fn look(&self, path: &Path) -> Result<Option<Metadata>, IoError> {
        self.sim.look(path)
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, IoError> {
        self.sim.read(path, max_bytes)
    }

    fn preflight(&self, path: &Path, size_bytes: u64) -> Vec<Obstacle> {
        self.sim.preflight(path, size_bytes)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], attributes: &Attributes) -> Result<(), IoError> {
        self.sim.write_new(path, bytes, attributes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        self.journal_write("append to", path)?;
        self.sim.append(path, bytes)
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> Result<(), IoError> {
        self.sim.truncate(path, length_bytes)
    }

    fn sync_file(&self, path: &Path) -> Result<(), IoError> {
        self.journal_write("sync", path)?;
        self.sim.sync_file(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<(), IoError> {
        self.sim.sync_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path, over: Over) -> Result<(), IoError> {
        self.sim.rename(from, to, over)
    }

    fn unlink(&self, path: &Path) -> Result<(), IoError> {
        self.sim.unlink(path)
    }

    fn mkdir(&self, path: &Path, attributes: &Attributes) -> Result<(), IoError> {
        self.sim.mkdir(path, attributes)
    }

    fn rmdir(&self, path: &Path) -> Result<(), IoError> {
        self.sim.rmdir(path)
    }
}
