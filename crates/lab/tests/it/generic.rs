//! The fleet of a hub and one agent.

use std::time::Duration;

use lab::Kind;

use crate::{Fleet, replace, stranger};

#[test]
fn a_fleet_starts_counts_and_survives_an_announced_restart_without_a_failure() {
    let fleet = Fleet::start(Kind::Generic);
    let before = fleet.wait_until(Duration::from_secs(10), |c| c.handshakes >= 10);
    assert_eq!(before.failed, 0, "{:?}", before.failures);
    assert_eq!(before.excused.count, 0);
    for host in ["hub", "agent"] {
        fleet.run(host, &format!("/srv/{host}/bin/stop"), &[]);
        std::thread::sleep(Duration::from_millis(600));
        fleet.run(host, &format!("/srv/{host}/bin/start"), &[]);
        fleet.run(host, &format!("/srv/{host}/bin/restart"), &[]);
    }
    let after = fleet.wait_until(Duration::from_secs(10), |c| {
        c.handshakes >= before.handshakes + 20
    });
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
    let count = fleet.wait_until(Duration::from_secs(2), |c| c.failed > 0);
    assert_eq!(count.failed_by.certificate, count.failed, "{:?}", count.failures);
}

#[test]
fn an_end_that_was_not_announced_is_a_failure() {
    let fleet = Fleet::start(Kind::Generic);
    let pid = std::fs::read_to_string(fleet.dir.path().join("lab/run/agent.pid")).unwrap();
    std::process::Command::new("kill")
        .args(["-9", pid.trim()])
        .status()
        .unwrap();
    let count = fleet.wait_until(Duration::from_secs(3), |c| c.failed_by.refused > 0);
    assert_eq!(count.excused.count, 0);
}

#[test]
fn nothing_runs_any_more_after_the_fleet_was_stopped() {
    let fleet = Fleet::start(Kind::Generic);
    lab::stop(fleet.dir.path()).unwrap();
    let one = fleet.count();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(fleet.count().handshakes, one.handshakes);
    assert_eq!(one.failed, 0, "{:?}", one.failures);
    assert!(!fleet.dir.path().join("lab/run/hub.pid").exists());
}
