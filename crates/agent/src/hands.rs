//! The hands of a run on real hosts: prepares the new bytes, runs commands, looks.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use exec::command::CommandSet;
use exec::digest::Sha256;
use exec::journal::Journal;
use exec::log::State;
use exec::machine::Machine;
use exec::replace::AttributeSource;
use exec::replace::Change as FileChange;
use exec::replace::Drifted;
use exec::replace::FileSet;
use exec::replace::ReplaceError;
use exec::run::Hands;
use exec::run::HandsError;
use exec::run::Made;
use exec::run::News;
use exec::run::StepError;
use fleet::Snapshot;
use fleet::format::WriteDoc;
use keystore::Entropy;
use keystore::Password;
use keystore::PrivateKey;
use keystore::WriteEnv;
use plan::Direction;
use plan::Event;
use plan::PlanDocument;
use plan::Step;
use product::Bench;
use product::Command;
use product::Component;
use product::FileEdit;
use product::HostFiles;
use product::Means;
use product::Outcome;
use product::Secret;
use product::Secrets;
use serde_json::Value;
use serde_json::json;

use crate::identity::Identity;
use crate::os::OsMachine;
use crate::secrets::Vault;
use crate::waived::Waived;

/// Everything a run needs of the world.
pub struct OsHands<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) components: Vec<Component>,
    machines: BTreeMap<String, OsMachine>,
    /// New private keys by the name of their material.
    pub(crate) keys: BTreeMap<String, PrivateKey>,
    /// Old identities, for what must be refused after retirement.
    pub(crate) old: Vec<Identity>,
    direction: Direction,
    /// All steps of the plan: those of components that read the same files carry the same writes.
    steps: Vec<Step>,
    /// What the run reports to a person.
    pub progress: Progress<'a>,
    stop: &'a AtomicBool,
    /// Which links may be down, and while which steps.
    pub(crate) waived: Waived,
    /// Why a step must not begin now.
    pub hold: Hold<'a>,
    /// How many handshakes the observations made.
    pub handshakes: u64,
    /// How many of them failed when a step was said to be done: on links that a waiver lets be down.
    pub failed: u64,
    /// How many restarts and reloads were made.
    pub restarts: u64,
}

/// Told what happens (`write`, `restart`, …) and to which component or link.
pub type Progress<'a> = Box<dyn FnMut(&str, &str) + 'a>;

/// Asked before each step; says why it must not begin now.
pub type Hold<'a> = Box<dyn FnMut(&Step) -> Option<String> + 'a>;

impl<'a> OsHands<'a> {
    /// Hands for a plan over that snapshot.
    pub fn new(
        vault: &'a Vault,
        snapshot: &'a Snapshot,
        plan: &PlanDocument,
        keys: BTreeMap<String, PrivateKey>,
        stop: &'a AtomicBool,
        progress: Progress<'a>,
    ) -> OsHands<'a> {
        let machines = snapshot
            .hosts
            .keys()
            .filter_map(|host| Some((host.clone(), crate::machine(vault, host)?)))
            .collect();
        OsHands {
            vault,
            snapshot,
            components: crate::identity::components(snapshot),
            machines,
            keys,
            old: Vec::new(),
            direction: plan.direction,
            steps: plan.steps.clone(),
            progress,
            stop,
            waived: Waived::of(plan),
            hold: Box::new(|_| None),
            handshakes: 0,
            failed: 0,
            restarts: 0,
        }
    }

    /// Reads the old identities while they are still on disk, or from a run's backups.
    pub fn remember_old(&mut self, journal: Option<&Journal<'_>>) {
        let leave: Vec<&String> = self
            .snapshot
            .rotations
            .iter()
            .flat_map(|rotation| &rotation.leave)
            .collect();
        let mut found = Vec::new();
        for component in &self.components {
            for store in component.stores.iter().filter(|store| store.holds_identity()) {
                let Ok(identity) = crate::identity::identity(self.vault, component, store) else {
                    continue;
                };
                let leaf = identity
                    .chain
                    .first()
                    .map(|leaf| fleet::snapshot::hex(&leaf.sha256()));
                let known = found
                    .iter()
                    .any(|known: &Identity| known.chain.first() == identity.chain.first());
                if !known && leaf.is_some_and(|leaf| leave.contains(&&leaf)) {
                    found.push(identity);
                }
            }
        }
        if let Some(journal) = journal {
            found.extend(crate::old::from_backups(self, journal, &found));
        }
        self.old = found;
    }

    pub(crate) fn component(&self, id: &str) -> Result<Component, HandsError> {
        let found = self
            .components
            .iter()
            .find(|component| component.id == id)
            .cloned();
        found.ok_or_else(|| fail(format!("{id} is not in the plan's snapshot"), "plan again"))
    }

    /// The file sets of a forward step: one for each event and host, in the order of the writes.
    fn forward(&self, step: &Step, journal: &Journal<'_>) -> Result<Vec<FileSet>, StepError> {
        let mut now: BTreeMap<(String, String), Option<Vec<u8>>> = BTreeMap::new();
        let mut sets: Vec<(String, String, Pending)> = Vec::new();
        let written = self.written(step, journal);
        let files = step.writes.iter().filter(|value| value["edit"]["kind"] != "run");
        for value in files.filter(|value| !written.contains(value)) {
            let doc: WriteDoc = serde_json::from_value(value.clone())
                .map_err(|error| fail(format!("the plan's write cannot be read: {error}"), "plan again"))?;
            let change = fleet::format::change(&doc, self.snapshot)
                .map_err(|error| fail(error.to_string(), "plan again"))?;
            let at = sets
                .iter()
                .position(|(event, host, _)| *event == doc.event && *host == doc.host);
            let at = at.unwrap_or_else(|| {
                sets.push((doc.event.clone(), doc.host.clone(), Pending::default()));
                sets.len() - 1
            });
            let key = (doc.host.clone(), change.path.clone());
            let machine = self.machine_of(&doc.host)?;
            let before = match now.get(&key) {
                Some(known) => known.clone(),
                None => self.first_look(machine, &doc.host, &change.path, journal)?,
            };
            let after = self.realised(&doc.host, &change.path, &change.edit, before.as_deref())?;
            if let Some(after) = after {
                sets[at]
                    .2
                    .put(machine, &change.path, before, after.clone(), &change.edit);
                now.insert(key, after);
            } else {
                now.insert(key, before);
            }
        }
        Ok(sets
            .into_iter()
            .filter_map(|(event, host, pending)| {
                let changes = pending.into_changes();
                (!changes.is_empty()).then(|| FileSet {
                    step: format!("{}/{event}", step.id),
                    host,
                    changes,
                    reverses: None,
                })
            })
            .collect())
    }

    /// The writes of a step that this run has made already: by the step itself before it was interrupted, or by a
    /// step of another component that reads the same files. A write is made once, or undo would not find its way.
    fn written(&self, step: &Step, journal: &Journal<'_>) -> Vec<&Value> {
        let standing = journal.standing();
        let made = |id: &str, value: &Value| {
            let (event, host) = (
                value["event"].as_str().unwrap_or_default(),
                value["host"].as_str().unwrap_or_default(),
            );
            let name = format!("{id}/{event}");
            standing
                .iter()
                .any(|intent| intent.step == name && intent.host == host)
        };
        self.steps
            .iter()
            .flat_map(|other| other.writes.iter().map(move |value| (other, value)))
            .filter(|(other, value)| {
                (other.id == step.id || step.writes.contains(value)) && made(&other.id, value)
            })
            .map(|(_, value)| value)
            .collect()
    }

    fn machine_of(&self, host: &str) -> Result<&OsMachine, HandsError> {
        self.machines.get(host).ok_or_else(|| {
            fail(
                format!("host {host} cannot be reached"),
                "check `reach` of the host",
            )
        })
    }

    /// The bytes on disk, which must be those that were planned on.
    fn first_look(
        &self,
        machine: &OsMachine,
        host: &str,
        path: &str,
        journal: &Journal<'_>,
    ) -> Result<Option<Vec<u8>>, StepError> {
        let look = |error: &dyn std::error::Error| {
            fail(
                format!("{host}:{path}: {}", fleet::rotation::chain_of(error)),
                "check the file",
            )
        };
        let found = match machine.look(Path::new(path)) {
            Ok(Some(_)) => Some(
                machine
                    .read(Path::new(path), MAX_STORE_BYTES)
                    .map_err(|error| look(&error))?,
            ),
            Ok(None) => None,
            Err(error) => return Err(look(&error).into()),
        };
        self.same_as_planned(host, path, found.as_deref(), journal)?;
        Ok(found)
    }

    /// What the file becomes: `None` = it is as it should be, `Some(None)` = it goes.
    #[allow(clippy::option_option)]
    fn realised(
        &self,
        host: &str,
        path: &str,
        edit: &FileEdit,
        current: Option<&[u8]>,
    ) -> Result<Option<Option<Vec<u8>>>, HandsError> {
        let bench = RunBench { hands: self, host };
        let mut entropy = OsEntropy;
        let mut env = WriteEnv {
            now_ms: now_ms(),
            entropy: &mut entropy,
        };
        let outcome = product::realise(edit, current, &bench, &mut env).map_err(|error| {
            fail(
                format!("{host}:{path}: {}", fleet::rotation::chain_of(&error)),
                "scan and plan again, or correct the file",
            )
        })?;
        Ok(match outcome {
            Outcome::Unchanged => None,
            Outcome::Bytes(bytes) => Some(Some(bytes)),
            Outcome::Removed => Some(None),
        })
    }

    /// The file must be what the snapshot saw, or what this run wrote.
    fn same_as_planned(
        &self,
        host: &str,
        path: &str,
        found: Option<&[u8]>,
        journal: &Journal<'_>,
    ) -> Result<(), StepError> {
        let found = found.map(Sha256::of);
        let machine = self.machines.get(host);
        let resolved = machine
            .and_then(|machine| machine.resolve(Path::new(path)).ok())
            .unwrap_or_else(|| PathBuf::from(path));
        let written = journal
            .standing()
            .iter()
            .rev()
            .filter(|intent| intent.host == host)
            .flat_map(|intent| &intent.changes)
            .find(|intended| intended.path == resolved)
            .map(|intended| intended.after.clone());
        let expected = match written {
            Some(State::File { sha256, .. }) => Some(sha256),
            Some(_) => None,
            None => {
                let real = resolved.to_string_lossy();
                let store = self
                    .snapshot
                    .stores
                    .iter()
                    .find(|store| store.host == host && (store.path == real || store.path == path))
                    .map(|store| &store.sha256);
                let file = self
                    .snapshot
                    .files
                    .iter()
                    .find(|file| file.host == host && file.path == path)
                    .map(|file| &file.sha256);
                match store.or(file) {
                    Some(sha256) => Sha256::parse(sha256),
                    None => return Ok(()),
                }
            }
        };
        // For a person: the same path can lie on many hosts.
        let path = PathBuf::from(format!("{host}:{path}"));
        let drifted = match (expected, found) {
            (expected, found) if expected == found => return Ok(()),
            (Some(expected), Some(found)) => Drifted::Changed {
                path,
                expected,
                found,
            },
            (Some(_), None) => Drifted::Vanished { path },
            (None, _) => Drifted::Appeared { path },
        };
        Err(StepError::Replace(ReplaceError::Drift {
            drifted: vec![drifted],
        }))
    }

    /// The file sets of an undo step: the reverse of what its original events wrote, last first.
    fn backward(&self, step: &Step, journal: &Journal<'_>) -> Result<Vec<FileSet>, StepError> {
        let originals: Vec<&str> = step
            .extra
            .get("reverses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let ids: Vec<_> = journal
            .standing()
            .iter()
            .filter(|intent| originals.contains(&intent.step.as_str()))
            .map(|intent| intent.set)
            .collect();
        let mut sets = Vec::new();
        for id in ids.into_iter().rev() {
            let set = exec::replace::reverse(journal, id);
            sets.push(set.map_err(|error| {
                fail(
                    fleet::rotation::chain_of(&error),
                    "the backups of the run are needed",
                )
            })?);
        }
        Ok(sets)
    }

    /// Settings may have moved a store or an alias: look at what the components read now.
    fn read_components_again(&mut self) {
        let Some(now) = self.vault.components_now() else {
            return;
        };
        for component in &mut self.components {
            if let Some(fresh) = now.iter().find(|fresh| fresh.id == component.id) {
                let runtime = component.runtime.clone();
                component.clone_from(fresh);
                component.runtime = runtime;
            }
        }
    }

    /// Forward or undo.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }
}

const MAX_STORE_BYTES: u64 = 64 << 20;

pub(crate) fn fail(what: impl Into<String>, hint: &str) -> HandsError {
    HandsError {
        what: what.into(),
        hint: Some(hint.to_owned()),
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The changes of one host that are not written yet, in order; several edits of one file become one change.
#[derive(Default)]
struct Pending {
    list: Vec<(String, PendingFile)>,
}

struct PendingFile {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    attributes: AttributeSource,
    directories: Vec<PathBuf>,
}

impl Pending {
    fn put(
        &mut self,
        machine: &OsMachine,
        path: &str,
        before: Option<Vec<u8>>,
        after: Option<Vec<u8>>,
        edit: &FileEdit,
    ) {
        if let Some((_, file)) = self.list.iter_mut().find(|(known, _)| known == path) {
            file.after = after;
            return;
        }
        let attributes = match (edit, before.is_some()) {
            (FileEdit::Write { mode, like, .. }, false) => match like {
                Some(like) => AttributeSource::Like {
                    path: PathBuf::from(like),
                    mode: *mode,
                },
                None => AttributeSource::Like {
                    path: nearest(machine, path),
                    mode: *mode,
                },
            },
            _ => AttributeSource::Original,
        };
        let directories = if before.is_none() {
            missing(machine, path)
        } else {
            Vec::new()
        };
        self.list.push((
            path.to_owned(),
            PendingFile {
                before,
                after,
                attributes,
                directories,
            },
        ));
    }

    fn into_changes(self) -> Vec<FileChange> {
        let mut changes = Vec::new();
        let mut made: Vec<PathBuf> = Vec::new();
        for (path, file) in self.list {
            for dir in &file.directories {
                if !made.contains(dir) {
                    made.push(dir.clone());
                    let like = dir.parent().unwrap_or(Path::new("/")).to_owned();
                    changes.push(FileChange::MakeDirectory {
                        path: dir.clone(),
                        attributes: AttributeSource::Like {
                            path: like,
                            mode: 0o755,
                        },
                    });
                }
            }
            let path = PathBuf::from(path);
            changes.extend(match (file.before, file.after) {
                (Some(before), Some(bytes)) if before != bytes => Some(FileChange::Replace {
                    path,
                    expected: Sha256::of(&before),
                    bytes,
                    attributes: AttributeSource::Original,
                }),
                (None, Some(bytes)) => Some(FileChange::Create {
                    path,
                    bytes,
                    attributes: file.attributes,
                }),
                (Some(before), None) => Some(FileChange::Remove {
                    path,
                    expected: Sha256::of(&before),
                }),
                _ => None,
            });
        }
        changes
    }
}

/// The directories above `path` that are not there, outermost first.
fn missing(machine: &OsMachine, path: &str) -> Vec<PathBuf> {
    let mut missing = Vec::new();
    let mut dir = Path::new(path).parent();
    while let Some(here) = dir {
        if !matches!(machine.look(here), Ok(None)) {
            break;
        }
        missing.push(here.to_owned());
        dir = here.parent();
    }
    missing.reverse();
    missing
}

/// The closest directory above `path` that is there: whose owner a new file takes.
fn nearest(machine: &OsMachine, path: &str) -> PathBuf {
    let mut dir = Path::new(path).parent();
    while let Some(here) = dir {
        if matches!(machine.look(here), Ok(Some(_))) {
            return here.to_owned();
        }
        dir = here.parent();
    }
    PathBuf::from("/")
}

struct RunBench<'a> {
    hands: &'a OsHands<'a>,
    host: &'a str,
}

impl Bench for RunBench<'_> {
    fn password(&self, secret: &Secret) -> Result<Password, String> {
        self.hands
            .vault
            .open(self.host, secret)
            .map_err(|error| error.to_string())
    }

    fn private_key(&self, material: &str) -> Result<PrivateKey, String> {
        self.hands
            .keys
            .get(material)
            .cloned()
            .ok_or_else(|| format!("the new private key `{material}` was not read"))
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        let tree = self
            .hands
            .vault
            .trees()
            .get(self.host)
            .ok_or_else(|| format!("host {} cannot be reached", self.host))?;
        tree.read(path).map_err(|error| error.to_string())
    }
}

/// Randomness of the operating system.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        openssl::rand::rand_bytes(buffer).expect("the operating system has randomness");
    }
}

impl Hands for OsHands<'_> {
    fn commands(&mut self, step: &Step) -> Result<Vec<CommandSet>, HandsError> {
        crate::procedure::sets(step, self.direction)
    }

    fn prepare(&mut self, step: &Step, journal: &Journal<'_>) -> Result<Vec<FileSet>, StepError> {
        match self.direction {
            Direction::Forward => self.forward(step, journal),
            Direction::Undo => self.backward(step, journal),
        }
    }

    fn machine(&self, host: &str) -> Option<&dyn Machine> {
        self.machines.get(host).map(|machine| machine as &dyn Machine)
    }

    fn make_effective(&mut self, step: &Step) -> Result<Vec<Made>, HandsError> {
        let component = self.component(&step.component)?;
        let mut made = Vec::new();
        for command in commands(&component, &step.events) {
            let begun = Instant::now();
            let root = self
                .vault
                .trees()
                .get(&component.host)
                .and_then(crate::tree::Tree::root);
            let limit = component.effective.takes.max(Duration::from_secs(5)) * 2;
            let done = crate::command::run(root, component.dir.as_deref(), &command, limit);
            let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            match done {
                Ok(done) if done.code == Some(0) => {
                    made.push(Made {
                        command: command.argv.clone(),
                        outcome: json!({ "exit": 0, "milliseconds": milliseconds }),
                    });
                }
                Ok(done) => {
                    let said = done.last_line();
                    let code = done.code.map_or("a signal".to_owned(), |code| code.to_string());
                    return Err(fail(
                        format!(
                            "{}: `{}` ended with {code}: {said}",
                            component.id,
                            command.argv.join(" ")
                        ),
                        "start the component by hand and look, then `capgrow apply --resume`, or `capgrow undo`",
                    ));
                }
                Err(error) => {
                    return Err(fail(
                        format!("{}: `{}`: {error}", component.id, command.argv.join(" ")),
                        "correct the command in capgrow.toml, then `capgrow apply --resume`, or `capgrow undo`",
                    ));
                }
            }
        }
        if !made.is_empty() {
            self.restarts += 1;
        }
        Ok(made)
    }

    fn observe(&mut self, step: &Step) -> Result<Value, HandsError> {
        self.read_components_again();
        let component = self.component(&step.component)?;
        crate::observe::observe(self, &component, step)
    }

    fn tell(&mut self, news: News<'_>) {
        let (what, step) = match news {
            News::Step(step) => ("begin", step),
            News::Writing(step) => ("write", step),
            News::Effective(step) => ("effective", step),
            News::Observing(step) => ("observe", step),
            News::Done(step) => ("done", step),
        };
        (self.progress)(what, &step.id);
    }

    fn stop_asked(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn hold(&mut self, step: &Step) -> Option<String> {
        (self.hold)(step)
    }

    fn observe_end(&mut self) -> Result<Option<Value>, HandsError> {
        if self.waived.is_empty() {
            return Ok(None);
        }
        self.read_components_again();
        crate::observe::observe_end(self).map(Some)
    }
}

/// What is run for these events: a restart covers a reload, and each list runs once.
pub fn commands(component: &Component, events: &[Event]) -> Vec<Command> {
    let mut restart: Option<&Vec<Command>> = None;
    let mut reload: Vec<&Vec<Command>> = Vec::new();
    for event in events {
        let means = if *event == Event::Switch {
            &component.effective.identity
        } else {
            &component.effective.trust
        };
        match means {
            Means::Restart(list) => restart = Some(list),
            Means::Reload(list) if !reload.contains(&list) => reload.push(list),
            _ => {}
        }
    }
    match restart {
        Some(list) => list.clone(),
        None => reload.into_iter().flatten().cloned().collect(),
    }
}
