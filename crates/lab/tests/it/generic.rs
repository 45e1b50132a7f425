//! The fleet of a hub and one agent.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lab::{Kind, LabError, LabSpec, Lifetime};

use crate::{Fleet, exe, replace, stranger};

#[test]
fn a_fleet_starts_counts_and_survives_an_announced_restart_without_a_failure() {
    let fleet = Fleet::start(Kind::Generic);
    let before = fleet.wait_until(|c| c.handshakes >= 10);
    assert_eq!(before.failed, 0, "{:?}", before.failures);
    assert_eq!(before.excused.count, 0);
    for host in ["hub", "agent"] {
        fleet.run(host, &format!("/srv/{host}/bin/stop"), &[]);
        thread::sleep(Duration::from_millis(600));
        fleet.run(host, &format!("/srv/{host}/bin/start"), &[]);
        fleet.run(host, &format!("/srv/{host}/bin/restart"), &[]);
    }
    let after = fleet.wait_until(|c| c.handshakes >= before.handshakes + 20);
    assert_eq!(after.failed, 0, "{:?}", after.failures);
    assert!(after.excused.count > 0);
    assert!(
        after.excused.longest_seconds > 0.0 && after.excused.longest_seconds < 5.0,
        "{:?}",
        after.excused
    );
}

#[test]
fn a_strangers_anchor_makes_failures_about_certificates_within_two_seconds_of_the_restart() {
    let fleet = Fleet::start(Kind::Generic);
    replace(&fleet.host("agent").join("srv/agent/trust.pem"), &stranger());
    fleet.run("agent", "/srv/agent/bin/restart", &[]);
    let count = fleet.wait_beats(2, |c| c.failed > 0);
    assert_eq!(count.failed_by.certificate, count.failed, "{:?}", count.failures);
}

#[test]
fn an_end_that_was_not_announced_is_a_failure() {
    let fleet = Fleet::start(Kind::Generic);
    let pid = std::fs::read_to_string(fleet.dir.path().join("lab/run/agent.pid")).unwrap();
    Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
    let count = fleet.wait_beats(3, |c| c.failed_by.refused > 0);
    assert_eq!(count.excused.count, 0);
}

#[test]
fn nothing_runs_any_more_after_the_fleet_was_stopped() {
    let fleet = Fleet::start(Kind::Generic);
    lab::stop(fleet.dir.path()).unwrap();
    let one = fleet.count();
    thread::sleep(Duration::from_millis(700));
    assert_eq!(fleet.count().handshakes, one.handshakes);
    assert_eq!(one.failed, 0, "{:?}", one.failures);
    assert!(!fleet.dir.path().join("lab/run/hub.pid").exists());
}

#[test]
fn the_agent_takes_new_files_when_it_is_told_to_reload_and_the_hub_only_at_its_start() {
    let fleet = Fleet::start(Kind::Generic);
    for host in ["hub", "agent"] {
        replace(
            &fleet.host(host).join(format!("srv/{host}/trust.pem")),
            &stranger(),
        );
    }
    fleet.run("hub", "/srv/hub/bin/reload", &[]);
    thread::sleep(Duration::from_millis(800));
    assert_eq!(fleet.count().failed, 0);
    fleet.run("agent", "/srv/agent/bin/reload", &[]);
    let count = fleet.wait_beats(2, |c| c.failed_by.certificate > 0);
    assert_eq!(count.failed_by.certificate, count.failed, "{:?}", count.failures);
}

#[test]
fn no_process_outlives_a_caller_that_was_killed_even_after_a_restart() {
    let dir = prepared();
    let mut caller = Command::new(exe())
        .arg("run")
        .arg(dir.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| lab::wait_ready(dir.path(), Duration::ZERO).is_ok());
    let restart = dir.path().join("hosts/agent/srv/agent/bin/restart");
    assert!(Command::new(restart).status().unwrap().success());
    let pids = pids(dir.path());
    assert!(pids.iter().all(lives), "{pids:?}");
    caller.kill().unwrap();
    caller.wait().unwrap();
    wait_until(|| !pids.iter().any(lives));
}

#[test]
fn a_kept_fleet_outlives_its_caller_and_ends_by_stop_alone() {
    let dir = prepared();
    assert!(
        Command::new(exe())
            .arg("keep")
            .arg(dir.path())
            .status()
            .unwrap()
            .success()
    );
    wait_until(|| lab::wait_ready(dir.path(), Duration::ZERO).is_ok());
    assert!(matches!(
        lab::start(dir.path(), Lifetime::Detached),
        Err(LabError::Runs { .. })
    ));
    let pids = pids(dir.path());
    assert!(pids.iter().all(lives), "{pids:?}");
    lab::stop(dir.path()).unwrap();
    assert!(!pids.iter().any(lives), "{pids:?}");
    let count = lab::count(dir.path()).unwrap();
    assert_eq!(count.failed, 0, "{:?}", count.failures);
}

#[test]
fn a_taken_port_is_said_and_nothing_stays_behind() {
    let dir = prepared();
    let address = lab::topology(dir.path()).unwrap().components[1].address;
    let _taken = TcpListener::bind((address, 7443)).unwrap();
    match lab::start(dir.path(), Lifetime::Detached) {
        Err(LabError::NotUp { component, what }) => {
            assert_eq!(component, "agent");
            assert!(what.contains(&format!("port {address}:7443 is taken")), "{what}");
        }
        other => panic!("{other:?}"),
    }
    assert!(pids(dir.path()).is_empty());
}

fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    lab::create(&LabSpec {
        dir: dir.path().to_owned(),
        kind: Kind::Generic,
        exe: exe(),
    })
    .unwrap();
    dir
}

/// The processes of a lab as its pid files say.
fn pids(dir: &Path) -> Vec<String> {
    let read = |id: &&str| std::fs::read_to_string(dir.join(format!("lab/run/{id}.pid"))).ok();
    ["hub", "agent"]
        .iter()
        .filter_map(read)
        .map(|text| text.trim().to_owned())
        .collect()
}

fn lives(pid: &String) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}

#[track_caller]
fn wait_until(wanted: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !wanted() {
        assert!(Instant::now() < end, "not within 30 s");
        thread::sleep(Duration::from_millis(20));
    }
}
