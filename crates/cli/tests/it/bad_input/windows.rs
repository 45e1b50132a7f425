//! Windows that cannot be read, that are too short, and that are not open.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::TimeZone;

use super::Fleet;

/// A scanned fleet with this window.
fn with(window: &str) -> Fleet {
    let fleet = Fleet::new();
    fleet.check("scan", 0, &[]);
    fleet.toml_more(&format!("[policy]\nwindows = [\"{window}\"]"));
    fleet
}

/// A whole day in UTC, so many days from now.
fn day(days: i64) -> String {
    let at = Timestamp::now() + (days * 24).hours();
    at.to_zoned(TimeZone::UTC)
        .strftime("%a 00:00-24:00 UTC")
        .to_string()
}

#[test]
fn what_is_no_window_is_said_with_its_line_and_the_shape() {
    let fleet = with("Sat 22-04 Europe/Berlin");
    let says = [
        "! `Sat 22-04 Europe/Berlin` is not a maintenance window: `22` is not a time HH:MM",
        "! such as `Sat 22:00-04:00 Europe/Berlin`",
        "! line ",
    ];
    fleet.check("plan", 2, &says).check("scan", 2, &says);
    let fleet = with("Sat 22:00-04:00 Europe/Belrin");
    fleet.check(
        "plan",
        2,
        &[
            "! no time zone is called `Europe/Belrin`",
            "! `Sat 22:00-04:00 Europe/Belrin`",
        ],
    );
}

#[test]
fn outside_the_windows_nothing_begins() {
    let fleet = with(&day(3));
    fleet.check(
        "plan",
        0,
        &[
            "phase 1  at the earliest ",
            "phase 2  at the earliest ",
            "00:00-24:00 UTC`",
        ],
    );
    fleet.check(
        "apply DIGEST",
        0,
        &["not now: now is outside the maintenance windows", "dry run"],
    );
    let says = [
        "stopped: nothing was changed",
        "! now is outside the maintenance windows; the next one, `",
    ];
    fleet.check("apply DIGEST --approve", 1, &says);
    let json = fleet.run("apply DIGEST --approve --json").json();
    assert_eq!(
        (&json["outcome"], &json["run"]),
        (&"stopped".into(), &serde_json::Value::Null),
        "{json}"
    );
    fleet.check("apply --resume", 2, &["! no approval is on record"]);
}

#[test]
fn a_step_longer_than_every_window_is_blocked() {
    let fleet = Fleet::new();
    fleet
        .toml("takes   = \"20s\"", "takes   = \"2h\"")
        .check("scan", 0, &[]);
    fleet.toml_more("[policy]\nwindows = [\"Sat 22:00-23:00 Europe/Berlin\", \"Sun 02:00-03:00 UTC\"]");
    let says = [
        "hub: its step (phase ",
        "takes about 7200 s, and the longest maintenance window lasts 3600 s",
        "remedy: a longer window in [policy] windows",
    ];
    fleet.check("plan", 1, &says);
}

#[test]
fn an_outage_must_fit_into_one_window() {
    let fleet = Fleet::new();
    fleet
        .toml_more("strategy = \"rip-and-replace\"")
        .check("scan", 0, &[]);
    fleet.toml_more(
        "[[waiver]]\nlinks = [\"hub -> agent.peer\", \"agent -> hub.peer\"]\nwho = \"me\"\nwhy = \"so\"\nuntil = 2199-12-31",
    );
    fleet.check("plan", 0, &["2 links are down meanwhile"]);
    fleet.toml_more("[policy]\nwindows = [\"daily 10:00-10:01 UTC\"]");
    fleet.check("plan", 0, &["phase 2  at the earliest "]);
    let all = fleet
        .read("capgrow.toml")
        .replace("takes   = \"20s\"", "takes   = \"45s\"");
    fleet.write("capgrow.toml", all);
    fleet.check("scan", 0, &[]);
    let says = [
        "links are down until all of ",
        "are replaced, which takes about 90 s, and the longest maintenance window lasts 60 s",
    ];
    fleet.check("plan", 1, &says);
}
