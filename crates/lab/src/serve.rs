//! One component's process: reads its own settings and stores, listens, dials its peers, and writes down what it saw.

mod dial;
mod listen;
pub(crate) mod settings;
mod tls;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::LabError;
use crate::place::{ComponentTruth, Part, Place, Topology, topology};
use crate::record::{Record, What, announce, append};
use crate::serve::settings::{Dial, Reread, Setup};
use crate::serve::tls::Contexts;

/// `serve --dir DIR --component ID [--paused]`.
pub(crate) fn main(words: &[String]) -> Result<ExitCode, LabError> {
    let usage = || LabError::Usage {
        what: "serve --dir DIR --component ID [--paused]".to_owned(),
    };
    let (dir, id, paused) = match words {
        [d, dir, c, id] if d == "--dir" && c == "--component" => (dir, id, false),
        [d, dir, c, id, p] if d == "--dir" && c == "--component" && p == "--paused" => (dir, id, true),
        _ => return Err(usage()),
    };
    let place = Place::of(Path::new(dir));
    let truth = topology(place.dir())?;
    let me = truth
        .components
        .iter()
        .find(|c| &c.id == id)
        .cloned()
        .ok_or_else(usage)?;
    // A session of its own: a closed terminal does not reach it. It fails only for a process that leads one already.
    let _ = rustix::process::setsid();
    serve(place, &truth, me, paused)?;
    Ok(ExitCode::SUCCESS)
}

/// What the threads of one process share.
pub(super) struct Process {
    place: Place,
    me: ComponentTruth,
    every: Duration,
    loaded: RwLock<Arc<Loaded>>,
    log: File,
    /// Told to end: nothing new is begun, what runs is finished.
    ending: AtomicBool,
    /// Production is on: the component dials.
    dialing: AtomicBool,
    /// Connections and dials under way.
    under_way: AtomicUsize,
}

/// What the process took from its files the last time it read them.
pub(super) struct Loaded {
    setup: Setup,
    /// One for each of `setup.materials`.
    contexts: Vec<Contexts>,
}

impl Process {
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        self.loaded.read().map_or_else(
            |poisoned| Arc::clone(&poisoned.into_inner()),
            |held| Arc::clone(&held),
        )
    }

    fn replace(&self, loaded: Loaded) {
        match self.loaded.write() {
            Ok(mut held) => *held = Arc::new(loaded),
            Err(poisoned) => *poisoned.into_inner() = Arc::new(loaded),
        }
    }

    pub(super) fn ends(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    pub(super) fn dials(&self) -> bool {
        self.dialing.load(Ordering::SeqCst) && !self.ends()
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.me.address
    }

    /// One write, so that lines of several threads do not mix.
    pub(super) fn write_down(&self, record: &Record) {
        if let Err(error) = (&self.log).write_all(record.line().as_bytes()) {
            eprintln!("cannot write down a handshake: {error}");
        }
    }
}

fn serve(place: Place, truth: &Topology, me: ComponentTruth, paused: bool) -> Result<(), LabError> {
    let mut signals =
        Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2]).map_err(|source| LabError::System {
            verb: "take signals",
            source,
        })?;
    let loaded = load(&place, &me)?;
    let sockets = listen::bind_all(&loaded.setup)?;
    let log = append(&place.handshakes(&me.id))?;
    let process = Arc::new(Process {
        every: Duration::from_millis(truth.every_ms),
        loaded: RwLock::new(Arc::new(loaded)),
        log,
        ending: AtomicBool::new(false),
        dialing: AtomicBool::new(!paused),
        under_way: AtomicUsize::new(0),
        place,
        me,
    });
    for (index, socket) in sockets.iter().enumerate() {
        let socket = socket.try_clone().map_err(|source| LabError::System {
            verb: "share a socket",
            source,
        })?;
        let process = Arc::clone(&process);
        thread::spawn(move || listen::accept_all(&process, index, &socket));
    }
    watch_owner(&process)?;
    let rereader = Arc::clone(&process);
    thread::spawn(move || reread_now_and_then(&rereader));
    let mut dialers = Dialers::default();
    dialers.follow(&process)?;
    let pid_file = process.place.pid(&process.me.id);
    crate::place::write(&pid_file, format!("{}\n", std::process::id()).as_bytes())?;
    announce(
        &process.place,
        What::Up {
            component: process.me.id.clone(),
        },
    )?;
    for signal in signals.forever() {
        match signal {
            SIGHUP => match process.loaded().setup.reread {
                Reread::OnHangup => reload(&process),
                Reread::AtStart | Reread::Polled => {}
            },
            SIGUSR1 => process.dialing.store(false, Ordering::SeqCst),
            SIGUSR2 => {
                process.dialing.store(true, Ordering::SeqCst);
                announce(
                    &process.place,
                    What::Up {
                        component: process.me.id.clone(),
                    },
                )?;
            }
            _ => break,
        }
        dialers.follow(&process)?;
    }
    end(&process, &sockets);
    fs::remove_file(&pid_file).ok();
    announce(
        &process.place,
        What::Down {
            component: process.me.id.clone(),
        },
    )
}

/// Reads settings and stores, and makes contexts of them.
fn load(place: &Place, me: &ComponentTruth) -> Result<Loaded, LabError> {
    let setup = settings::read(place, me)?;
    for note in &setup.notes {
        eprintln!("{note}");
    }
    let contexts = setup
        .materials
        .iter()
        .map(Contexts::of)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Loaded { setup, contexts })
}

/// Reads everything again; what cannot be read leaves the process as it is.
fn reload(process: &Process) {
    match load(&process.place, &process.me) {
        Ok(loaded) => process.replace(loaded),
        Err(error) => eprintln!("not read again: {}", crate::chain_of(&error)),
    }
}

/// Closes the ports and waits for what is under way, so that no handshake is cut in the middle.
fn end(process: &Process, sockets: &[std::net::TcpListener]) {
    process.ending.store(true, Ordering::SeqCst);
    for socket in sockets {
        // Wakes the thread that accepts; from here on a dial is refused.
        rustix::net::shutdown(socket, rustix::net::Shutdown::Both).ok();
    }
    let deadline = Instant::now() + DRAIN;
    while process.under_way.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
}

/// The threads that dial, one for each link.
#[derive(Default)]
struct Dialers {
    announced: Option<Vec<String>>,
    running: BTreeMap<String, Arc<AtomicBool>>,
}

impl Dialers {
    /// Starts and ends threads so that they are those of the loaded settings.
    fn follow(&mut self, process: &Arc<Process>) -> Result<(), LabError> {
        let wanted: Vec<Dial> = if process.dials() {
            process.loaded().setup.dials.clone()
        } else {
            Vec::new()
        };
        let names: Vec<String> = wanted.iter().map(|d| d.link.clone()).collect();
        self.running.retain(|link, gone| {
            let stays = names.contains(link);
            gone.store(!stays, Ordering::SeqCst);
            stays
        });
        if process.dials() && self.announced.as_ref() != Some(&names) {
            let component = process.me.id.clone();
            announce(
                &process.place,
                What::Links {
                    component,
                    links: names.clone(),
                },
            )?;
            self.announced = Some(names);
        }
        for wanted in wanted {
            if self.running.contains_key(&wanted.link) {
                continue;
            }
            let gone = Arc::new(AtomicBool::new(false));
            self.running.insert(wanted.link.clone(), Arc::clone(&gone));
            let process = Arc::clone(process);
            thread::spawn(move || dial::dial_on(&process, &wanted.link, &gone));
        }
        Ok(())
    }
}

/// Looks at the files of the class that polls, and at the plan's definitions, once in a while.
fn reread_now_and_then(process: &Process) {
    let mut seen = prints(process);
    while !process.ends() {
        thread::sleep(POLL);
        let now = prints(process);
        if now == seen {
            continue;
        }
        seen = now;
        if process.loaded().setup.reread == Reread::Polled {
            reload(process);
        }
        if process.me.part == Part::Netman || process.me.part == Part::Engine {
            follow_plan(process);
        }
    }
}

/// Takes the links of a new plan; the stores stay those that were read at the start.
fn follow_plan(process: &Process) {
    let held = process.loaded();
    match settings::dials_by_plan(&process.place, &process.me, &held.setup) {
        Ok(dials) if dials != held.setup.dials => {
            let setup = Setup {
                dials,
                ..held.setup.clone()
            };
            process.replace(Loaded {
                setup,
                contexts: held.contexts.clone(),
            });
            // The main thread starts and ends dialers; a signal that means nothing else wakes it.
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP).ok();
        }
        Ok(_) => {}
        Err(error) => eprintln!("new plan not taken: {}", crate::chain_of(&error)),
    }
}

/// What shows that a file is another one or has other bytes: its inode, size and time of change.
type Print = Option<(u64, u64, i64, i64)>;

fn prints(process: &Process) -> Vec<(PathBuf, Print)> {
    let watched = process.loaded().setup.watched.clone();
    let print = |m: fs::Metadata| (m.ino(), m.size(), m.mtime(), m.mtime_nsec());
    watched
        .into_iter()
        .map(|path| (path.clone(), fs::metadata(path).ok().map(print)))
        .collect()
}

/// Ends the process when the one with which the fleet must end is gone, however that one ended.
fn watch_owner(process: &Arc<Process>) -> Result<(), LabError> {
    let path = process.place.owner();
    let Ok(file) = File::open(&path) else {
        return Ok(());
    };
    let process = Arc::clone(process);
    thread::Builder::new()
        .spawn(move || {
            while !process.ends() {
                thread::sleep(POLL);
                if file.try_lock_shared().is_ok() {
                    // Also when the file was unlinked: the lock is the owner's as long as it lives.
                    file.unlock().ok();
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM)
                        .ok();
                    return;
                }
            }
        })
        .map(|_| ())
        .map_err(|source| LabError::System {
            verb: "start a thread",
            source,
        })
}

const POLL: Duration = Duration::from_millis(250);
/// Longer than a handshake may take.
const DRAIN: Duration = Duration::from_millis(5_500);
