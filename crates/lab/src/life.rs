//! Starting and ending the processes of a lab.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::count::{History, read_history};
use crate::place::{Place, Topology, topology, write};
use crate::record::{End, Outcome, What, announce, append};
use crate::{HIDDEN, LabError};

/// How long the processes live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until [`stop`], or a reboot.
    Detached,
    /// As long as the [`Running`] that [`start`] returned; also a killed caller takes them with it.
    WithCaller,
}

/// A started fleet. Dropping it ends a fleet that was started [`Lifetime::WithCaller`].
#[derive(Debug)]
pub struct Running {
    place: Place,
    /// Every process ends itself when this lock is gone.
    lock: Option<File>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // Nobody is left to tell; what does not end by the signal ends when the lock is gone.
            let _ = stop(self.place.dir());
        }
    }
}

/// Starts every component of the lab in `dir`, with an empty counter. Returns when all of them listen.
///
/// # Errors
/// `Runs` when one is up already, `PortTaken` or `NotUp` with what a component said; those already started are ended.
pub fn start(dir: &Path, lifetime: Lifetime) -> Result<Running, LabError> {
    let place = Place::of(dir);
    let truth = topology(dir)?;
    for component in &truth.components {
        if let Some(pid) = pid_of(&place, &component.id) {
            let (dir, component) = (dir.to_owned(), component.id.clone());
            return Err(LabError::Runs {
                dir,
                component,
                pid: pid.as_raw_nonzero().get(),
            });
        }
    }
    for dir in [place.logs(), place.run()] {
        match fs::remove_dir_all(&dir) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(LabError::File {
                    verb: "remove",
                    path: dir,
                    source,
                });
            }
            _ => {}
        }
        fs::create_dir_all(&dir).map_err(|source| LabError::File {
            verb: "create",
            path: dir,
            source,
        })?;
    }
    let lock = match lifetime {
        Lifetime::Detached => None,
        Lifetime::WithCaller => Some(lock_owner(&place)?),
    };
    let running = Running { place, lock };
    announce(&running.place, What::Boot)?;
    let ids: Vec<&str> = truth.components.iter().map(|c| c.id.as_str()).collect();
    if let Err(error) = start_components(&running.place, &truth, &ids, Mode::Dialling) {
        stop(dir)?;
        return Err(error);
    }
    Ok(running)
}

/// Waits until every link had its first success at both ends.
///
/// # Errors
/// `NotReady` with the links that had none within `deadline`, and the last thing each said.
pub fn wait_ready(dir: &Path, deadline: Duration) -> Result<(), LabError> {
    let place = Place::of(dir);
    let truth = topology(dir)?;
    let end = Instant::now() + deadline;
    loop {
        let history = read_history(&place, &truth)?;
        let missing = not_yet(&truth, &history);
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            let said: Vec<String> = missing
                .iter()
                .map(|(link, last)| format!("{link} ({last})"))
                .collect();
            return Err(LabError::NotReady {
                seconds: deadline.as_secs(),
                links: said.join(", "),
            });
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Ends every process of the lab in `dir`, those of an earlier start too. Nothing is asked of a lab that is down.
///
/// # Errors
/// `NotDown` when a process outlives even the last signal.
pub fn stop(dir: &Path) -> Result<(), LabError> {
    let place = Place::of(dir);
    let truth = topology(dir)?;
    let up: Vec<(&str, Pid)> = truth
        .components
        .iter()
        .filter_map(|c| Some((c.id.as_str(), pid_of(&place, &c.id)?)))
        .collect();
    if up.is_empty() {
        return Ok(());
    }
    announce(&place, What::Halt)?;
    for (_, pid) in &up {
        kill_process(*pid, Signal::TERM).ok();
    }
    for (id, pid) in up {
        wait_gone(&place, id, pid)?;
    }
    Ok(())
}

/// Whether a component begins to dial at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Dialling,
    Paused,
}

/// Starts components and waits until each listens.
pub(crate) fn start_components(
    place: &Place,
    truth: &Topology,
    ids: &[&str],
    mode: Mode,
) -> Result<(), LabError> {
    let mut children = Vec::new();
    for id in ids {
        let path = place.says(id);
        let says = || append(&path);
        let mut command = Command::new(&truth.exe);
        command
            .arg(HIDDEN)
            .arg("serve")
            .arg("--dir")
            .arg(place.dir())
            .arg("--component")
            .arg(id);
        if mode == Mode::Paused {
            command.arg("--paused");
        }
        let heard = fs::metadata(&path).map_or(0, |m| m.len());
        let child = command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(says()?)
            .stderr(says()?)
            .spawn()
            .map_err(|source| LabError::File {
                verb: "run",
                path: truth.exe.clone(),
                source,
            })?;
        children.push((*id, child, heard));
    }
    let end = Instant::now() + UP_WITHIN;
    for (id, child, heard) in &mut children {
        while pid_of(place, id).is_none_or(|p| p.as_raw_nonzero().get().cast_unsigned() != child.id()) {
            let exited = child.try_wait().ok().flatten();
            if exited.is_none() && Instant::now() < end {
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            let said = fs::read(place.says(id)).unwrap_or_default();
            let said = said
                .get(usize::try_from(*heard).unwrap_or(0)..)
                .unwrap_or_default();
            let said = String::from_utf8_lossy(said).trim().to_owned();
            let what = match exited {
                Some(_) if !said.is_empty() => said,
                Some(status) => status.to_string(),
                None => format!("it does not listen after {} s", UP_WITHIN.as_secs()),
            };
            return Err(LabError::NotUp {
                component: (*id).to_owned(),
                what,
            });
        }
    }
    Ok(())
}

/// Asks a component to end and waits until the process is gone and its ports are closed.
pub(crate) fn stop_component(place: &Place, id: &str) -> Result<(), LabError> {
    let Some(pid) = pid_of(place, id) else {
        return Ok(());
    };
    kill_process(pid, Signal::TERM).ok();
    wait_gone(place, id, pid)
}

/// The process of a component, if it lives.
pub(crate) fn pid_of(place: &Place, id: &str) -> Option<Pid> {
    let text = fs::read_to_string(place.pid(id)).ok()?;
    let pid: i32 = text.trim().parse().ok()?;
    if !lives(pid) {
        return None;
    }
    // A number that came round again belongs to a process that is not ours.
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<&[u8]> = line.split(|b| *b == 0).collect();
    let ours = words.contains(&HIDDEN.as_bytes())
        && words.contains(&id.as_bytes())
        && words.contains(&place.dir().as_os_str().as_encoded_bytes());
    if ours { Pid::from_raw(pid) } else { None }
}

/// Whether a process is there and not only waiting for its parent to take note of its end.
fn lives(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The state is the first word after the name in parentheses.
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn wait_gone(place: &Place, id: &str, pid: Pid) -> Result<(), LabError> {
    let raw = pid.as_raw_nonzero().get();
    for (signal, patience) in [(None, DOWN_WITHIN), (Some(Signal::KILL), Duration::from_secs(2))] {
        if let Some(signal) = signal {
            kill_process(pid, signal).ok();
        }
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if !lives(raw) {
                fs::remove_file(place.pid(id)).ok();
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
    Err(LabError::NotDown {
        component: id.to_owned(),
        pid: raw,
    })
}

fn lock_owner(place: &Place) -> Result<File, LabError> {
    let path = place.owner();
    write(&path, b"")?;
    let file = |verb| {
        let path = path.clone();
        move |source: io::Error| LabError::File { verb, path, source }
    };
    let lock = File::open(&path).map_err(file("open"))?;
    lock.try_lock().map_err(|e| file("lock")(e.into()))?;
    Ok(lock)
}

/// The links without a success at both ends, each with the last thing it said.
fn not_yet(truth: &Topology, history: &History) -> BTreeMap<String, String> {
    let mut dialling = BTreeSet::new();
    let mut missing = BTreeMap::new();
    for event in &history.events {
        if let What::Links { component, links } = &event.what {
            dialling.insert(component.as_str());
            missing.extend(links.iter().map(|l| (l.clone(), "not dialled yet".to_owned())));
        }
    }
    for component in &truth.components {
        if !dialling.contains(component.id.as_str()) {
            missing.insert(component.id.clone(), "not up yet".to_owned());
        }
    }
    let mut done: BTreeSet<(&str, bool)> = BTreeSet::new();
    for record in &history.records {
        match &record.outcome {
            Outcome::Pass { .. } => {
                done.insert((record.link.as_str(), record.end == End::Client));
            }
            Outcome::Fail { reason, .. } => {
                if let Some(last) = missing.get_mut(&record.link) {
                    last.clone_from(reason);
                }
            }
        }
    }
    missing
        .retain(|link, _| !(done.contains(&(link.as_str(), true)) && done.contains(&(link.as_str(), false))));
    missing
}

const UP_WITHIN: Duration = Duration::from_secs(20);
/// Longer than a process takes to finish what is under way.
const DOWN_WITHIN: Duration = Duration::from_secs(8);
