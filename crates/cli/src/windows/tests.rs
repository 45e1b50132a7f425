use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::Event;
use plan::Step;

use super::Gate;
use super::Windows;
use super::fit;
use super::schedule;
use crate::timeline::Timeline;

fn unix(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn windows(list: &[&str]) -> Windows {
    let list: Vec<String> = list.iter().map(|text| (*text).to_owned()).collect();
    Windows::of(&list).unwrap()
}

/// The first time from `now` on in which the windows are open.
#[track_caller]
fn check(list: &[&str], now: &str, begin: &str, end: &str) {
    let spans = windows(list).spans(unix(now));
    let first = &spans[0];
    let shown = |at: i64| Timestamp::from_second(at).unwrap().to_string();
    assert_eq!(
        (shown(first.begin), shown(first.end)),
        (begin.to_owned(), end.to_owned())
    );
}

#[test]
fn a_window_across_midnight_ends_on_the_next_day() {
    let night = ["Sat 22:00-04:00 Europe/Berlin"];
    for now in [
        "2026-11-16T12:00:00Z",
        "2026-11-21T20:59:59Z",
        "2026-11-22T02:59:59Z",
    ] {
        check(&night, now, "2026-11-21T21:00:00Z", "2026-11-22T03:00:00Z");
    }
    check(
        &night,
        "2026-11-22T03:00:00Z",
        "2026-11-28T21:00:00Z",
        "2026-11-29T03:00:00Z",
    );
    // Where the day is another one than in UTC.
    check(
        &["Sat 08:00-09:00 Pacific/Auckland"],
        "2026-11-20T12:00:00Z",
        "2026-11-20T19:00:00Z",
        "2026-11-20T20:00:00Z",
    );
    check(
        &["Fri 20:00-24:00 America/Los_Angeles"],
        "2026-11-21T07:59:59Z",
        "2026-11-21T04:00:00Z",
        "2026-11-21T08:00:00Z",
    );
}

#[test]
fn the_night_in_which_the_clock_jumps_is_an_hour_shorter_or_longer() {
    let night = ["Sat 22:00-04:00 Europe/Berlin"];
    check(
        &night,
        "2026-03-28T12:00:00Z",
        "2026-03-28T21:00:00Z",
        "2026-03-29T02:00:00Z",
    );
    check(
        &night,
        "2026-10-24T12:00:00Z",
        "2026-10-24T20:00:00Z",
        "2026-10-25T03:00:00Z",
    );
}

#[test]
fn a_time_that_the_clock_skips_is_the_moment_of_the_jump() {
    let (before, jump) = ("2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z");
    check(
        &["Sun 02:30-05:00 Europe/Berlin"],
        before,
        jump,
        "2026-03-29T03:00:00Z",
    );
    check(
        &["Sun 00:00-02:30 Europe/Berlin"],
        before,
        "2026-03-28T23:00:00Z",
        jump,
    );
    // What lies within the skipped hour is not open at all.
    check(
        &["Sun 02:10-02:50 Europe/Berlin"],
        before,
        "2026-04-05T00:10:00Z",
        "2026-04-05T00:50:00Z",
    );
}

#[test]
fn of_a_time_that_comes_twice_the_reading_counts_that_makes_the_window_shorter() {
    let before = "2026-10-24T20:00:00Z";
    check(
        &["Sun 02:30-05:00 Europe/Berlin"],
        before,
        "2026-10-25T01:30:00Z",
        "2026-10-25T04:00:00Z",
    );
    check(
        &["Sun 00:00-02:30 Europe/Berlin"],
        before,
        "2026-10-24T22:00:00Z",
        "2026-10-25T00:30:00Z",
    );
    // What lies within the doubled hour is open the first time.
    check(
        &["Sun 02:10-02:50 Europe/Berlin"],
        before,
        "2026-10-25T00:10:00Z",
        "2026-10-25T00:50:00Z",
    );
}

#[test]
fn windows_that_touch_are_one() {
    let two = ["Sat 22:00-24:00 UTC", "Sun 00:00-04:00 UTC"];
    check(
        &two,
        "2026-11-20T00:00:00Z",
        "2026-11-21T22:00:00Z",
        "2026-11-22T04:00:00Z",
    );
    assert_eq!(windows(&["daily 00:00-24:00 Europe/Berlin"]).spans(0).len(), 1);
}

#[test]
fn a_zone_that_nobody_knows_is_named_with_its_window() {
    let error = Windows::of(&["Sat 22:00-04:00 Europe/Belrin".to_owned()])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`Sat 22:00-04:00 Europe/Belrin`") && error.contains("no time zone"),
        "{error}"
    );
}

fn step(id: u32) -> Step {
    Step {
        id: id.to_string(),
        wave: id,
        component: format!("c{id}"),
        events: vec![Event::Grow],
        ..Step::default()
    }
}

fn timeline(steps: &[Step], lasts: u64) -> Timeline<'_> {
    Timeline {
        steps: steps.iter().map(|step| (step, 0, lasts * 1000)).collect(),
    }
}

#[test]
fn a_step_that_does_not_fit_any_more_waits_for_the_next_window() {
    let spans = windows(&["daily 10:00-11:00 UTC"]).spans(unix("2026-11-21T10:30:00Z"));
    let at = |lasts| fit(&spans, unix("2026-11-21T10:30:00Z"), lasts).map(|(begin, _)| begin);
    assert_eq!(at(1800), Some(unix("2026-11-21T10:30:00Z")));
    assert_eq!(at(1801), Some(unix("2026-11-22T10:00:00Z")));
    assert_eq!(at(3601), None);
}

#[test]
fn phases_fall_into_the_earliest_windows_and_what_hangs_together_into_one() {
    let steps: Vec<Step> = (1..=4).map(step).collect();
    let now = unix("2026-11-21T10:30:00Z");
    let spans = windows(&["daily 10:00-11:00 UTC"]).spans(now);
    let begins = |blocks: &[(usize, usize)]| -> Vec<String> {
        let phases = schedule(&spans, now, &timeline(&steps, 900), blocks).unwrap();
        phases
            .iter()
            .map(|phase| phase["begins"].as_str().unwrap()[8..16].to_owned())
            .collect()
    };
    assert_eq!(begins(&[]), ["21T10:30", "21T10:45", "22T10:00", "22T10:15"]);
    assert_eq!(
        begins(&[(1, 3)]),
        ["21T10:30", "22T10:00", "22T10:15", "22T10:30"]
    );
    let blocked = schedule(&spans, now, &timeline(&steps, 1300), &[(1, 3)]).unwrap_err();
    assert_eq!(blocked.component.as_deref(), Some("c2"));
    let reason = "links are down until all of c2, c3, c4 are replaced, which takes about 3900 s, and the longest maintenance window lasts 3600 s";
    assert_eq!(blocked.reason, reason);
    let blocked = schedule(&spans, now, &timeline(&steps, 3601), &[]).unwrap_err();
    assert!(
        blocked
            .reason
            .starts_with("its step (phase 1) takes about 3601 s"),
        "{}",
        blocked.reason
    );
}

#[test]
fn the_gate_lets_a_step_begin_only_where_it_can_end_in_the_window() {
    let steps: Vec<Step> = (1..=4).map(step).collect();
    let gate = |blocks| {
        Gate::new(
            windows(&["daily 10:00-11:00 UTC"]),
            &timeline(&steps, 600),
            blocks,
        )
    };
    // Step, moment, and the words that hold it back.
    type Case = (&'static str, &'static str, Option<&'static str>);
    type Blocks = Vec<(usize, usize)>;
    let cases: [(Blocks, Vec<Case>); 3] = [
        (
            vec![],
            vec![
                (
                    "1",
                    "09:59:59",
                    Some("outside the maintenance windows; the next one, `daily 10:00-11:00 UTC`"),
                ),
                ("1", "10:00:00", None),
                ("2", "10:50:00", None),
                (
                    "3",
                    "10:50:01",
                    Some("ends in 599 s and the next step needs about 600 s"),
                ),
                ("3", "11:00:00", Some("outside")),
            ],
        ),
        (
            vec![(1, 3)],
            vec![
                ("1", "10:20:00", None),
                ("2", "10:30:01", Some("needs about 1800 s")),
                ("2", "10:30:00", None),
                // Half-way, with links down: on, even when it took longer than it was said to.
                ("3", "11:05:00", None),
                ("4", "11:20:00", None),
            ],
        ),
        // Another run that goes on half-way begins in a window like any other.
        (
            vec![(1, 3)],
            vec![("3", "11:05:00", Some("outside")), ("3", "10:40:00", None)],
        ),
    ];
    for (blocks, asked) in cases {
        let mut gate = gate(blocks);
        for (step, time, wanted) in asked {
            let said = gate.hold(step, unix(&format!("2026-11-21T{time}Z")));
            match wanted {
                None => assert_eq!(said, None, "{step} at {time}"),
                Some(words) => assert!(said.as_deref().unwrap_or_default().contains(words), "{said:?}"),
            }
        }
    }
    let mut open = Gate::new(Windows::default(), &timeline(&steps, 600), Vec::new());
    assert_eq!(open.hold("1", 0), None, "without windows every moment is open");
}

#[test]
fn links_that_are_down_together_keep_their_steps_together() {
    let steps: Vec<Step> = (1..=5).map(step).collect();
    let of = |from: Option<u32>, until: Option<u32>| {
        let place = |id: Option<u32>| id.map(|id| BTreeMap::from([("step", id.to_string())]));
        serde_json::json!({ "down_from": place(from), "down_until": place(until) })
    };
    let blocks = timeline(&steps, 1).blocks(&[
        of(Some(4), Some(5)),
        of(Some(1), Some(2)),
        of(Some(2), Some(3)),
        of(Some(3), None),
    ]);
    assert_eq!(blocks, [(0, 2), (3, 4)]);
}
