//! Others change the files too: what they wrote is never overwritten.

use crate::crash::{HOST, RUNS, run};
use exec::digest::Sha256;
use exec::journal::Journal;
use exec::machine::{Attributes, Hosts, Machine};
use exec::recover::{Fate, recover};
use exec::replace::{AttributeSource, Change, Drifted, FileSet, ReplaceError, apply, reverse};
use sim::disk::Disk;
use sim::machine::SimMachine;
use std::path::Path;

const A: &str = "/srv/a";
const B: &str = "/srv/b";

fn machine() -> SimMachine {
    let machine = SimMachine::new(Disk::new());
    for dir in ["/srv", "/fleet", RUNS] {
        machine.mkdir(Path::new(dir), &Attributes::private()).unwrap();
    }
    for (path, bytes) in [(A, b"old a"), (B, b"old b")] {
        machine
            .write_new(Path::new(path), bytes, &Attributes::private())
            .unwrap();
    }
    machine
}

fn both(a: &[u8], b: &[u8]) -> FileSet {
    let replace = |path: &str, old: &[u8], new: &[u8]| Change::Replace {
        path: path.into(),
        expected: Sha256::of(old),
        bytes: new.to_vec(),
        attributes: AttributeSource::Original,
    };
    let changes = vec![replace(A, a, b"new a"), replace(B, b, b"new b")];
    FileSet {
        step: "s".into(),
        host: HOST.into(),
        changes,
        reverses: None,
    }
}

#[track_caller]
fn holds(machine: &SimMachine, path: &str, bytes: &[u8]) {
    assert_eq!(machine.read(Path::new(path), 100).unwrap(), bytes, "{path}");
}

fn nothing_of_ours_is_left(machine: &SimMachine) {
    let disk = machine.disk();
    let names: Vec<_> = disk
        .paths()
        .map(|(path, _)| path)
        .filter(|path| path.parent() == Some(Path::new("/srv")))
        .collect();
    assert_eq!(names, [Path::new(A), Path::new(B)]);
}

#[test]
fn a_file_that_drifted_before_the_set_stops_it_with_nothing_touched() {
    let machine = machine();
    let mut journal = Journal::create(&machine, Path::new(RUNS), run()).unwrap();
    let error = apply(&machine, &mut journal, &both(b"other", b"else")).unwrap_err();
    let ReplaceError::Drift { drifted } = error else {
        panic!("{error:?}")
    };
    let changed = |path: &str, expected: &[u8], found: &[u8]| Drifted::Changed {
        path: path.into(),
        expected: Sha256::of(expected),
        found: Sha256::of(found),
    };
    assert_eq!(
        drifted,
        [changed(A, b"other", b"old a"), changed(B, b"else", b"old b")]
    );
    assert!(journal.records().is_empty());
    holds(&machine, A, b"old a");
    holds(&machine, B, b"old b");
    nothing_of_ours_is_left(&machine);
}

#[test]
fn missing_files_and_unexpected_ones_are_drift_too() {
    let machine = machine();
    let mut journal = Journal::create(&machine, Path::new(RUNS), run()).unwrap();
    let set = FileSet {
        changes: vec![
            Change::Remove {
                path: "/srv/gone".into(),
                expected: Sha256::of(b""),
            },
            Change::Create {
                path: A.into(),
                bytes: vec![1],
                attributes: AttributeSource::Exactly(Attributes::private()),
            },
        ],
        ..both(b"", b"")
    };
    let error = apply(&machine, &mut journal, &set).unwrap_err();
    let drifted = vec![
        Drifted::Vanished {
            path: "/srv/gone".into(),
        },
        Drifted::Appeared { path: A.into() },
    ];
    assert_eq!(error, ReplaceError::Drift { drifted });
}

/// Dies after the first of two renames, lets `other` change the disk, and recovers.
#[track_caller]
fn check(other: impl Fn(&SimMachine), a: &[u8], b: &[u8], fate: impl FnOnce(&Fate) -> bool) {
    let start = machine().disk().clone();
    let mut deadline = 0;
    let dead = loop {
        let dying = SimMachine::dying_after(start.clone(), deadline);
        let mut journal = Journal::create(&dying, Path::new(RUNS), run());
        if let Ok(journal) = &mut journal {
            let _ = apply(&dying, journal, &both(b"old a", b"old b"));
        }
        if dying.disk().file(Path::new(A)).unwrap().0 == b"new a" {
            break dying.disk().clone();
        }
        deadline += 1;
    };
    let machine = SimMachine::new(dead);
    other(&machine);
    let (mut journal, _) = Journal::open(&machine, Path::new(RUNS), run()).unwrap();
    let hosts: Hosts<'_> = [(HOST.to_owned(), &machine as &dyn Machine)].into();
    let recovered = recover(&hosts, &mut journal).unwrap();
    assert!(fate(&recovered[0].fate), "{recovered:?}");
    holds(&machine, A, a);
    holds(&machine, B, b);
}

#[test]
fn a_set_that_was_begun_and_is_staged_is_finished() {
    check(|_| {}, b"new a", b"new b", |fate| *fate == Fate::Finished);
}

#[test]
fn a_set_whose_temporary_file_is_gone_goes_back() {
    let lose = |machine: &SimMachine| machine.unlink(Path::new("/srv/.capgrow-01JD-1-1.tmp")).unwrap();
    check(lose, b"old a", b"old b", |fate| {
        *fate == Fate::RolledBack { kept: vec![] }
    });
}

#[test]
fn a_foreign_file_that_the_set_had_not_reached_is_kept_and_the_others_go_back() {
    let write = |machine: &SimMachine| machine.overwrite(Path::new(B), b"theirs").unwrap();
    check(write, b"old a", b"theirs", |fate| {
        *fate == Fate::RolledBack { kept: vec![B.into()] }
    });
}

#[test]
fn foreign_content_on_top_of_ours_is_for_a_person() {
    let write = |machine: &SimMachine| machine.overwrite(Path::new(A), b"theirs").unwrap();
    let lose_and_write = |machine: &SimMachine| {
        machine
            .rename(
                Path::new("/srv/.capgrow-01JD-1-1.tmp"),
                Path::new(B),
                exec::machine::Over::File,
            )
            .unwrap();
        write(machine);
    };
    check(lose_and_write, b"theirs", b"new b", |fate| {
        *fate
            == Fate::Blocked {
                foreign: vec![A.into()],
            }
    });
}

#[test]
fn an_undo_refuses_files_that_are_not_what_the_set_wrote() {
    let machine = machine();
    let mut journal = Journal::create(&machine, Path::new(RUNS), run()).unwrap();
    let set = apply(&machine, &mut journal, &both(b"old a", b"old b")).unwrap();
    machine.overwrite(Path::new(B), b"theirs").unwrap();
    let back = reverse(&journal, set).unwrap();
    let error = apply(&machine, &mut journal, &back).unwrap_err();
    assert!(
        matches!(&error, ReplaceError::Drift { drifted } if drifted.len() == 1),
        "{error:?}"
    );
    holds(&machine, A, b"new a");
    machine.overwrite(Path::new(B), b"new b").unwrap();
    apply(&machine, &mut journal, &back).unwrap();
    holds(&machine, A, b"old a");
    holds(&machine, B, b"old b");
    assert!(journal.standing().is_empty());
    nothing_of_ours_is_left(&machine);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let machine = machine();
    let mut journal = Journal::create(&machine, Path::new(RUNS), run()).unwrap();
    let set = apply(&machine, &mut journal, &both(b"old a", b"old b")).unwrap();
    machine
        .overwrite(Path::new("/fleet/runs/01JD/backups/1-0"), b"old?")
        .unwrap();
    assert!(matches!(
        reverse(&journal, set),
        Err(ReplaceError::BackupDamaged { .. })
    ));
}
