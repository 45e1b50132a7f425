//! Crash points: die before every change to the disk, take every image that can be left, recover, and die again at
//! every point of that. What must hold on each image is written down in `check_image` and `check_settled`.

use crate::broken::{Broken, Bug};
use exec::digest::Sha256;
use exec::journal::{Journal, JournalError, RunId};
use exec::log::{Intent, Record, SetId, State};
use exec::machine::{Attributes, Hosts, Kind, Machine, Owner, Timestamp};
use exec::recover::{Fate, recover};
use exec::replace::{AttributeSource, Change, FileSet, apply, reverse};
use sim::disk::Disk;
use sim::machine::SimMachine;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

#[test]
fn every_set_is_wholly_old_or_wholly_new_after_every_crash() {
    let story = Story::replacing();
    let counts = story.explore(Bug::None).unwrap();
    println!("replacement: {counts}");
    assert!(
        counts.verbs > 20 && counts.images > 100 && counts.recoveries > 1000,
        "{counts}"
    );
}

#[test]
fn an_undo_is_as_safe_as_what_it_takes_back() {
    let counts = Story::undoing().explore(Bug::None).unwrap();
    println!("undo: {counts}");
    assert!(counts.recoveries > 1000, "{counts}");
}

#[test]
fn a_new_directory_with_a_file_in_it_comes_and_goes_as_one() {
    let counts = Story::founding().explore(Bug::None).unwrap();
    println!("new directory: {counts}");
    assert!(counts.recoveries > 300, "{counts}");
}

#[test]
fn each_planted_bug_is_caught_for_its_own_reason() {
    for (bug, reason) in [
        (Bug::DoneBeforeRename, "done, but not new"),
        (Bug::NoBackup, "no backup"),
        (Bug::NoDirectorySync, "files among the product's"),
        (Bug::NoFileSync, "would load"),
        (Bug::NoIntentSync, "without a durable intent"),
        (Bug::WriteInPlace, "would load"),
    ] {
        let violation = Story::small()
            .explore(bug)
            .expect_err(&format!("{bug:?} survived"));
        assert!(violation.contains(reason), "{bug:?} was caught by: {violation}");
    }
}

/// A disk, a set of changes to it, and all that may be seen of them.
struct Story {
    start: Disk,
    set: FileSet,
    /// Paths of the product in the order of the set, as they were and as they shall be.
    files: Vec<Expected>,
    /// Other paths that must stay as they are, and no further ones may be.
    bystanders: BTreeSet<PathBuf>,
}

struct Expected {
    path: PathBuf,
    before: Option<Shape>,
    after: Option<Shape>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Directory,
    File { bytes: Vec<u8>, attributes: Attributes },
}

#[derive(Debug, Default)]
struct Counts {
    verbs: usize,
    images: usize,
    recoveries: usize,
    /// Recoveries whose disk was none of those before; what follows from a disk is the same each time.
    different: HashSet<Disk>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            verbs,
            images,
            recoveries,
            different,
        } = self;
        let different = different.len();
        write!(
            f,
            "{verbs} changes, {images} images, {recoveries} recoveries from {different} different disks"
        )
    }
}

impl Story {
    /// Trust, then an identity in two files, a file that comes and one that goes; two directories.
    fn replacing() -> Story {
        let machine = SimMachine::new(Disk::new());
        for dir in ["/srv", "/srv/trust", "/srv/id", "/fleet", "/fleet/runs"] {
            machine
                .mkdir(
                    Path::new(dir),
                    &Attributes {
                        mode: 0o755,
                        ..Attributes::private()
                    },
                )
                .unwrap();
        }
        let old = |path: &str, bytes: &[u8], mode, uid| {
            let xattrs = [(b"system.posix_acl_access".to_vec(), bytes[..3].to_vec())].into();
            let owner = Some(Owner { uid, gid: uid + 1 });
            let mtime = Some(Timestamp {
                seconds: 500 + i64::from(uid),
                nanoseconds: 7,
            });
            machine
                .write_new(
                    Path::new(path),
                    bytes,
                    &Attributes {
                        mode,
                        owner,
                        mtime,
                        xattrs,
                    },
                )
                .unwrap();
        };
        old("/srv/trust/ca.pem", b"old anchors", 0o644, 10);
        old("/srv/id/key.pem", b"old key", 0o600, 20);
        old("/srv/id/cert.pem", b"old certificate", 0o640, 30);
        old("/srv/id/left-over.pem", b"left over", 0o600, 40);
        old("/srv/id/other.xml", b"not ours", 0o600, 50);
        let replace = |path: &str, old: &[u8], new: &[u8]| Change::Replace {
            path: path.into(),
            expected: Sha256::of(old),
            bytes: new.to_vec(),
            attributes: AttributeSource::Original,
        };
        let changes = vec![
            replace("/srv/trust/ca.pem", b"old anchors", b"old and new anchors"),
            Change::Create {
                path: "/srv/trust/extra.pem".into(),
                bytes: b"one more anchor".to_vec(),
                attributes: AttributeSource::Like {
                    path: "/srv/trust/ca.pem".into(),
                    mode: 0o644,
                },
            },
            replace("/srv/id/key.pem", b"old key", b"new key, longer"),
            replace("/srv/id/cert.pem", b"old certificate", b"new"),
            Change::Remove {
                path: "/srv/id/left-over.pem".into(),
                expected: Sha256::of(b"left over"),
            },
        ];
        let set = FileSet {
            step: "switch".into(),
            host: HOST.into(),
            changes,
            reverses: None,
        };
        Story::new(machine.disk().clone(), set)
    }

    /// The first and the third change of `replacing`: what a bug needs to show itself.
    fn small() -> Story {
        let Story { start, mut set, .. } = Story::replacing();
        set.changes = vec![set.changes.swap_remove(0), set.changes.swap_remove(2)];
        Story::new(start, set)
    }

    /// The way back from the end of `replacing`.
    fn undoing() -> Story {
        let there = Story::replacing();
        let machine = SimMachine::new(there.start.clone());
        let id = there.work(&machine).unwrap();
        let journal = Journal::open(&machine, Path::new(RUNS), run()).unwrap().0;
        let set = reverse(&journal, id).unwrap();
        let mut disk = machine.disk().clone();
        disk.advance(60);
        let back = Story::new(disk, set);
        for expected in &back.files {
            let first = there
                .files
                .iter()
                .find(|first| first.path == expected.path)
                .unwrap();
            assert_eq!(
                expected.after,
                first.before,
                "{} is not restored exactly",
                expected.path.display()
            );
        }
        back
    }

    fn founding() -> Story {
        let machine = SimMachine::new(Disk::new());
        for dir in ["/srv", "/fleet", "/fleet/runs"] {
            machine
                .mkdir(
                    Path::new(dir),
                    &Attributes {
                        mode: 0o755,
                        ..Attributes::private()
                    },
                )
                .unwrap();
        }
        let like = |mode| AttributeSource::Like {
            path: "/srv".into(),
            mode,
        };
        let changes = vec![
            Change::MakeDirectory {
                path: "/srv/more".into(),
                attributes: like(0o750),
            },
            Change::Create {
                path: "/srv/more/a.pem".into(),
                bytes: b"anchor".to_vec(),
                attributes: like(0o644),
            },
        ];
        let set = FileSet {
            step: "grow".into(),
            host: HOST.into(),
            changes,
            reverses: None,
        };
        Story::new(machine.disk().clone(), set)
    }

    /// What shall be is taken from an undisturbed run, and compared with the set by hand-written bytes there.
    fn new(mut start: Disk, set: FileSet) -> Story {
        start.settle();
        let mut story = Story {
            start,
            set,
            files: Vec::new(),
            bystanders: BTreeSet::new(),
        };
        let machine = SimMachine::new(story.start.clone());
        story.work(&machine).unwrap();
        let end = machine.disk();
        for change in &story.set.changes {
            let (path, before, after) = (
                change.path(),
                shape(&story.start, change.path()),
                shape(&end, change.path()),
            );
            match (change, &after) {
                (Change::Create { bytes: wanted, .. } | Change::Replace { bytes: wanted, .. }, after) => {
                    assert!(matches!(after, Some(Shape::File { bytes, .. }) if bytes == wanted));
                }
                (Change::MakeDirectory { .. }, after) => assert_eq!(after, &Some(Shape::Directory)),
                (Change::Remove { .. } | Change::RemoveDirectory { .. }, after) => assert_eq!(after, &None),
            }
            story.files.push(Expected {
                path: path.to_path_buf(),
                before,
                after,
            });
        }
        story.bystanders = product_paths(&story.start);
        for expected in &story.files {
            story.bystanders.remove(&expected.path);
        }
        story
    }

    /// The program under test: begin or continue a run, and replace.
    fn work(&self, machine: &dyn Machine) -> Result<SetId, String> {
        let runs = Path::new(RUNS);
        let exists = machine
            .look(&runs.join(run().as_str()))
            .map_err(|e| e.to_string())?
            .is_some();
        let mut journal = if exists {
            Journal::open(machine, runs, run()).map_err(|e| e.to_string())?.0
        } else {
            Journal::create(machine, runs, run()).map_err(|e| e.to_string())?
        };
        if journal.records().is_empty() {
            let (plan, who, at) = ("3f9c".to_owned(), "somebody".to_owned(), journal.now());
            journal
                .append(Record::Approved {
                    plan,
                    who,
                    to_wave: None,
                    at,
                })
                .map_err(|e| e.to_string())?;
        }
        apply(machine, &mut journal, &self.set).map_err(|e| e.to_string())
    }

    /// Dies everywhere. The error is the first thing that must not be.
    fn explore(&self, bug: Bug) -> Result<Counts, String> {
        let whole = SimMachine::new(self.start.clone());
        // A broken executor may stumble over its own bug; the crash images tell which it is.
        let _ = self.work(&Broken::new(&whole, bug));
        let mut counts = Counts {
            verbs: whole.verbs(),
            ..Counts::default()
        };
        let mut first = HashSet::new();
        for deadline in 0..=whole.verbs() {
            let machine = SimMachine::dying_after(self.start.clone(), deadline);
            let outcome = self.work(&Broken::new(&machine, bug));
            assert_eq!(machine.is_dead(), deadline < whole.verbs());
            if bug == Bug::None && !machine.is_dead() {
                outcome?;
            }
            for image in left_over(&machine) {
                counts.images += 1;
                if !first.insert(image.clone()) {
                    continue;
                }
                self.check_image(&image)
                    .map_err(|e| format!("died at {deadline}: {e}"))?;
                self.recover_everywhere(&image, bug, &mut counts)
                    .map_err(|e| format!("died at {deadline}, recovering: {e}"))?;
            }
        }
        Ok(counts)
    }

    fn recover_everywhere(&self, image: &Disk, bug: Bug, counts: &mut Counts) -> Result<(), String> {
        let whole = SimMachine::new(image.clone());
        recover_all(&Broken::new(&whole, bug))?;
        self.check_settled(&whole.disk())?;
        self.go_on_from(&whole.disk(), bug)?;
        for deadline in 0..whole.verbs() {
            let machine = SimMachine::dying_after(image.clone(), deadline);
            let _ = recover_all(&Broken::new(&machine, bug));
            assert!(machine.is_dead());
            for second in left_over(&machine) {
                counts.recoveries += 1;
                if !counts.different.insert(second.clone()) {
                    continue;
                }
                self.check_image(&second)
                    .map_err(|e| format!("died again at {deadline}: {e}"))?;
                let again = SimMachine::new(second);
                recover_all(&Broken::new(&again, bug))?;
                self.check_settled(&again.disk())
                    .map_err(|e| format!("died again at {deadline}: {e}"))?;
            }
        }
        Ok(())
    }

    /// What a service that starts now would load, and invariant 7.
    fn check_image(&self, image: &Disk) -> Result<(), String> {
        let mut is_new = Vec::new();
        for Expected { path, before, after } in &self.files {
            let found = shape(image, path);
            let as_after = same_but_time(&found, after);
            if found != *before && !as_after {
                return Err(format!("a service would load {found:?} from {}", path.display()));
            }
            is_new.push(as_after);
        }
        if is_new.windows(2).any(|pair| !pair[0] && pair[1]) {
            return Err(format!("files are new out of order: {is_new:?}"));
        }
        let records = records(image)?;
        let mine = records.iter().rev().find_map(|record| match record {
            Record::Intent(intent) if intent.reverses == self.set.reverses => Some(intent),
            _ => None,
        });
        let Some(intent) = mine else {
            let known =
                |path: &PathBuf| self.bystanders.contains(path) || self.files.iter().any(|f| f.path == *path);
            let touched = is_new.contains(&true) || !product_paths(image).iter().all(known);
            return if touched {
                Err("something changed without a durable intent".into())
            } else {
                Ok(())
            };
        };
        for record in &records {
            match record {
                Record::Done { set, .. } if *set == intent.set && is_new.contains(&false) => {
                    return Err(format!("the set is done, but not new: {is_new:?}"));
                }
                Record::RolledBack { set, .. } if *set == intent.set && is_new.contains(&true) => {
                    return Err(format!("the set is rolled back, but not old: {is_new:?}"));
                }
                _ => {}
            }
        }
        if is_new.contains(&true) {
            self.check_backups(image, intent)
        } else {
            Ok(())
        }
    }

    fn check_backups(&self, image: &Disk, intent: &Intent) -> Result<(), String> {
        for (intended, expected) in intent.changes.iter().zip(&self.files) {
            let Some(Shape::File { bytes, attributes }) = &expected.before else {
                continue;
            };
            let name = intended.backup.as_deref().unwrap_or("-");
            let path = Path::new(RUNS).join(run().as_str()).join("backups").join(name);
            match image.file(&path) {
                Some((kept, mine)) if kept == bytes && mine.mode == 0o600 => {}
                other => return Err(format!("no backup of {}: {other:?}", expected.path.display())),
            }
            match &intended.before {
                State::File { attributes: kept, .. } if kept == attributes => {}
                other => return Err(format!("the intent forgets owner, mode or time: {other:?}")),
            }
        }
        Ok(())
    }

    /// Invariant 6, and that nothing of ours lies among the product's files.
    fn check_settled(&self, disk: &Disk) -> Result<(), String> {
        self.check_image(disk)?;
        let is_new: Vec<bool> = self
            .files
            .iter()
            .map(|file| same_but_time(&shape(disk, &file.path), &file.after))
            .collect();
        if is_new.contains(&true) && is_new.contains(&false) {
            return Err(format!("recovery ends half-way: {is_new:?}"));
        }
        let mut wanted = self.bystanders.clone();
        for file in &self.files {
            let there = if is_new[0] { &file.after } else { &file.before };
            if there.is_some() {
                wanted.insert(file.path.clone());
            }
        }
        let found = product_paths(disk);
        if found != wanted {
            let odd: Vec<_> = found.symmetric_difference(&wanted).collect();
            return Err(format!(
                "files among the product's are missing or too many: {odd:?}"
            ));
        }
        for path in &self.bystanders {
            if shape(disk, path) != shape(&self.start, path) {
                return Err(format!("{} is none of ours and changed", path.display()));
            }
        }
        Ok(())
    }

    /// A second recovery does nothing, and what was asked for can still be done.
    fn go_on_from(&self, disk: &Disk, bug: Bug) -> Result<(), String> {
        let again = SimMachine::new(disk.clone());
        recover_all(&again)?;
        if bug == Bug::None && *again.disk() != *disk {
            return Err("a second recovery changes something".into());
        }
        let file = &self.files[0];
        if bug != Bug::None || same_but_time(&shape(disk, &file.path), &file.after) {
            return Ok(());
        }
        self.work(&again).map_err(|e| format!("cannot go on: {e}"))?;
        self.check_settled(&again.disk())?;
        if shape(&again.disk(), &file.path) == file.before {
            Err("nothing was done".into())
        } else {
            Ok(())
        }
    }
}

/// A power failure leaves one of the images; a mere kill leaves the disk as it is, with nothing more durable.
fn left_over(machine: &SimMachine) -> Vec<Disk> {
    let mut images = machine.disk().images();
    images.push(machine.disk().clone());
    images
}

/// Recovers every run there is; none is fine.
fn recover_all(machine: &dyn Machine) -> Result<(), String> {
    let mut journal = match Journal::open(machine, Path::new(RUNS), run()) {
        Ok((journal, _)) => journal,
        Err(JournalError::NoRun { .. }) => return Ok(()),
        Err(error) => return Err(format!("the journal does not open: {error}")),
    };
    let hosts: Hosts<'_> = [(HOST.to_owned(), machine)].into();
    let recovered = recover(&hosts, &mut journal).map_err(|e| format!("recovery does not end: {e} {e:?}"))?;
    for one in recovered {
        if one.fate != Fate::Finished && one.fate != (Fate::RolledBack { kept: Vec::new() }) {
            return Err(format!("recovery ends with {:?}", one.fate));
        }
    }
    Ok(())
}

fn records(image: &Disk) -> Result<Vec<Record>, String> {
    let machine = SimMachine::new(image.clone());
    match Journal::read(&machine, Path::new(RUNS), &run()) {
        Ok(records) => Ok(records),
        Err(JournalError::NoRun { .. }) => Ok(Vec::new()),
        Err(error) => Err(format!("the journal cannot be read: {error}")),
    }
}

fn shape(disk: &Disk, path: &Path) -> Option<Shape> {
    if let Some((bytes, attributes)) = disk.file(path) {
        return Some(Shape::File {
            bytes: bytes.to_vec(),
            attributes: attributes.clone(),
        });
    }
    disk.paths()
        .any(|(there, kind)| there == path && kind == Kind::Directory)
        .then_some(Shape::Directory)
}

/// The time of a new file is that of its writing, whenever that was.
fn same_but_time(found: &Option<Shape>, wanted: &Option<Shape>) -> bool {
    match (found, wanted) {
        (
            Some(Shape::File { bytes, attributes }),
            Some(Shape::File {
                bytes: other,
                attributes: wanted,
            }),
        ) => bytes == other && attributes.same_access(wanted),
        _ => found == wanted,
    }
}

fn product_paths(disk: &Disk) -> BTreeSet<PathBuf> {
    disk.paths()
        .map(|(path, _)| path.to_path_buf())
        .filter(|path| path.starts_with("/srv"))
        .collect()
}

pub fn run() -> RunId {
    RunId::parse("01JD").unwrap()
}

pub const HOST: &str = "here";
pub const RUNS: &str = "/fleet/runs";
