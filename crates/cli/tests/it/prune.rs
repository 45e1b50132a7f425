//! `prune` takes what is old and without use, and nothing else.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

use exec::journal::Journal;
use exec::journal::RunId;
use exec::log::Record;
use exec::machine::Timestamp;

use crate::corpus::capgrow;
use crate::corpus::run;

#[test]
fn backups_of_unfinished_and_recent_runs_stay_and_every_journal_does() {
    let dir = fleet_dir();
    let kept_plan = "1".repeat(64);
    make_run(dir.path(), "OLD", &"2".repeat(64), Some(400));
    make_run(dir.path(), "RECENT", &"3".repeat(64), Some(1));
    make_run(dir.path(), "OPEN", &kept_plan, None);
    let listed = run(capgrow(dir.path()).args(["prune", "--json"]));
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    assert_eq!(listed.json()["removed"], false);
    assert_eq!(
        listed.json()["items"].as_array().unwrap().len(),
        1,
        "{}",
        listed.stdout
    );
    assert!(backup(dir.path(), "OLD").exists(), "a dry run removes nothing");
    let done = run(capgrow(dir.path()).args(["prune", "--approve"]));
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(!backup(dir.path(), "OLD").exists());
    assert!(backup(dir.path(), "RECENT").exists());
    assert!(backup(dir.path(), "OPEN").exists());
    for name in ["OLD", "RECENT", "OPEN"] {
        assert!(runs(dir.path()).join(name).join("journal").exists(), "{name}");
    }
}

#[test]
fn plans_that_a_run_names_stay_with_their_snapshot_and_so_does_the_last_scan() {
    let dir = fleet_dir();
    let [ran, idle, of_ran, of_idle, latest, new] =
        ["1", "2", "3", "4", "5", "6"].map(|digit| digit.repeat(64));
    make_run(dir.path(), "DONE", &ran, Some(1));
    let inside = dir.path().join(".capgrow");
    let plan = |digest: &str, snapshot: &str| {
        (
            format!("plans/{digest}.json"),
            format!("{{\"snapshot\":\"{snapshot}\"}}"),
        )
    };
    let old = [plan(&ran, &of_ran), plan(&idle, &of_idle)];
    let snapshots =
        [&of_ran, &of_idle, &latest].map(|digest| (format!("snapshots/{digest}.json"), "{}".to_owned()));
    for (name, text) in old.iter().chain(&snapshots) {
        write_old(&inside.join(name), text);
    }
    write_old(&inside.join("snapshots/latest"), &latest);
    std::fs::write(inside.join(format!("snapshots/{new}.json")), "{}").unwrap();
    let done = run(capgrow(dir.path()).args(["prune", "--approve"]));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let stands = |name: &str, digest: &str| inside.join(name).join(format!("{digest}.json")).exists();
    assert!(
        stands("plans", &ran) && stands("snapshots", &of_ran),
        "{}",
        done.stdout
    );
    assert!(
        !stands("plans", &idle) && !stands("snapshots", &of_idle),
        "{}",
        done.stdout
    );
    assert!(
        stands("snapshots", &latest) && stands("snapshots", &new) && inside.join("snapshots/latest").exists()
    );
}

#[test]
fn where_a_run_cannot_be_read_nothing_is_removed() {
    let dir = fleet_dir();
    make_run(dir.path(), "OLD", &"2".repeat(64), Some(400));
    make_run(dir.path(), "BROKEN", &"3".repeat(64), Some(400));
    let journal = runs(dir.path()).join("BROKEN/journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    let done = run(capgrow(dir.path()).args(["prune", "--approve"]));
    assert!(done.stderr.contains("BROKEN"), "{}", done.stderr);
    assert!(backup(dir.path(), "OLD").exists() && backup(dir.path(), "BROKEN").exists());
}

fn fleet_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("capgrow.toml"), "version = 1\n").unwrap();
    for name in ["runs", "plans", "snapshots"] {
        std::fs::create_dir_all(dir.path().join(".capgrow").join(name)).unwrap();
    }
    dir
}

fn runs(dir: &Path) -> PathBuf {
    dir.join(".capgrow/runs")
}

fn backup(dir: &Path, run: &str) -> PathBuf {
    runs(dir).join(run).join("backups/1-0")
}

/// A run that finished so many days ago; `None` = it did not.
fn make_run(dir: &Path, name: &str, plan: &str, finished_days_ago: Option<u64>) {
    let machine = agent::OsMachine::new(None);
    let mut journal = Journal::create(&machine, &runs(dir), RunId::parse(name).unwrap()).unwrap();
    let at = |days: u64| {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        Timestamp {
            seconds: (now - days * 86_400) as i64,
            nanoseconds: 0,
        }
    };
    let days = finished_days_ago.unwrap_or(400);
    journal
        .append(Record::Approved {
            plan: plan.to_owned(),
            who: "a test".to_owned(),
            to_wave: None,
            at: at(days),
        })
        .unwrap();
    journal
        .append(Record::StepBegun {
            step: "a".to_owned(),
            at: at(days),
        })
        .unwrap();
    if finished_days_ago.is_some() {
        journal
            .append(Record::Finished {
                outcome: "done".to_owned(),
                at: at(days),
            })
            .unwrap();
    }
    std::fs::write(backup(dir, name), "old bytes").unwrap();
}

fn write_old(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let then = SystemTime::now() - Duration::from_secs(400 * 86_400);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(then)
        .unwrap();
}
