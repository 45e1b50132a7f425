//! The rules of counting, on logs written by hand. Times are seconds; the fleet is started at 100.

use super::{Count, History, tally};
use crate::record::{Event, Record};

/// Lines of logs: `SECONDS …` with the words of a record or an event; `passes FROM TO` are handshakes that both ends
/// saw pass, five a second.
#[track_caller]
fn count(now: f64, lines: &str) -> Count {
    let mut history = History::default();
    let mut text = format!("100 boot\n100 links a {LINK}\n");
    text.push_str(lines);
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (at, rest) = line.split_once(' ').unwrap();
        if at == "passes" {
            let (from, to) = rest.split_once(' ').unwrap();
            let (mut at, to) = (micros(from), micros(to));
            while at < to {
                for end in ["c", "s"] {
                    history
                        .records
                        .push(Record::parse(&format!("{at} id{at} {LINK} {end} ok TLSv1.3")).unwrap());
                }
                at += 200_000;
            }
            continue;
        }
        let line = format!("{} {rest}", micros(at));
        match Event::parse(&line) {
            Some(event) => history.events.push(event),
            None => history
                .records
                .push(Record::parse(&line.replace("LINK", LINK)).unwrap()),
        }
    }
    history.records.sort_by_key(|r| r.at_micros);
    history.events.sort_by_key(|e| e.at_micros);
    tally(&history, (now * 1e6) as u64)
}

/// `failed: certificate refused other; excused`, then the handshakes.
#[track_caller]
fn check(now: f64, lines: &str, want: [u64; 4], handshakes: u64) {
    let got = count(now, lines);
    let by = got.failed_by;
    assert_eq!(
        [by.certificate, by.refused, by.other, got.excused.count],
        want,
        "{:?}",
        got.failures
    );
    assert_eq!(got.failed, want[0] + want[1] + want[2]);
    assert_eq!(got.handshakes, handshakes);
}

fn micros(seconds: &str) -> u64 {
    (seconds.parse::<f64>().unwrap() * 1e6).round() as u64
}

const LINK: &str = "a>b.api";

#[test]
fn a_handshake_counts_once_when_both_ends_saw_it_pass() {
    check(110.0, "passes 101 110", [0, 0, 0, 0], 45);
}

#[test]
fn one_without_its_counterpart_is_a_failure() {
    check(
        120.0,
        "passes 101 120\n105 x1 LINK c ok TLSv1.3",
        [0, 0, 1, 0],
        96,
    );
    check(
        120.0,
        "passes 101 120\n105 x1 LINK s ok TLSv1.3",
        [0, 0, 1, 0],
        96,
    );
}

#[test]
fn the_last_moments_may_still_lack_their_counterpart() {
    check(
        110.0,
        "passes 101 110\n109.9 x1 LINK c ok TLSv1.3",
        [0, 0, 0, 0],
        45,
    );
    check(
        110.0,
        "passes 101 110\n109.9 x1 LINK s ok TLSv1.3",
        [0, 0, 0, 0],
        45,
    );
}

#[test]
fn a_failure_that_both_ends_saw_is_one_failure_and_the_worse_of_both() {
    let lines =
        "passes 101 110\n105.01 x1 LINK c fail other reset\n105.02 x1 LINK s fail certificate unknown ca";
    check(110.0, lines, [1, 0, 0, 0], 46);
}

#[test]
fn a_second_without_a_success_is_a_failure() {
    // 105 and 106 are silent; 104 has its first successes.
    check(
        112.0,
        "passes 101 104.5\npasses 107 112",
        [0, 0, 2, 0],
        18 + 25 + 2,
    );
}

#[test]
fn a_silent_second_with_a_failure_of_its_own_is_not_counted_twice() {
    let lines = "passes 101 105\n105.5 x1 LINK c fail certificate expired\npasses 106 110";
    check(110.0, lines, [1, 0, 0, 0], 41);
}

#[test]
fn refusals_are_excused_from_the_stop_command_to_the_first_success_once_it_is_up() {
    let lines = "passes 101 105\n105 stop b\n105.5 - LINK c fail refused Connection refused\n106 up b\n\
                 106.5 - LINK c fail refused Connection refused\npasses 107 112\n\
                 108.05 - LINK c fail refused Connection refused";
    check(112.0, lines, [0, 1, 0, 2], 20 + 25 + 1);
    let excused = count(112.0, lines).excused;
    assert!((excused.longest_seconds - 2.0).abs() < 0.01, "{excused:?}");
}

#[test]
fn a_restart_of_the_dialling_end_excuses_its_silence() {
    let lines = "passes 101 105\n105 stop a\n107.9 up a\npasses 108 112";
    check(112.0, lines, [0, 0, 0, 0], 40);
}

#[test]
fn a_refusal_without_a_stop_command_is_a_failure() {
    check(
        110.0,
        "passes 101 110\n105.1 - LINK c fail refused Connection refused",
        [0, 1, 0, 0],
        46,
    );
}

#[test]
fn a_refusal_before_the_stop_command_is_a_failure() {
    let lines = "passes 101 106\n105.1 - LINK c fail refused Connection refused\n106 stop b\n107 up b\npasses 107.1 112";
    check(112.0, lines, [0, 1, 0, 0], 25 + 25 + 1);
}

#[test]
fn nothing_is_excused_longer_than_fifteen_seconds() {
    let lines = "passes 101 105\n105 stop b\n119.5 - LINK c fail refused x\n120.5 - LINK c fail refused x\n\
                 121.5 - LINK c fail refused x\n122 up b\npasses 122 130";
    check(130.0, lines, [0, 2, 0, 1], 20 + 40 + 2);
}

#[test]
fn a_second_stop_of_what_is_down_begins_no_new_time() {
    let lines =
        "passes 101 105\n105 stop b\n115 stop b\n121.5 - LINK c fail refused x\n122 up b\npasses 122 130";
    // 120 holds the end of the time; 121 fails by its refusal.
    check(130.0, lines, [0, 1, 0, 0], 20 + 40 + 1);
}

#[test]
fn an_error_about_a_certificate_counts_also_inside_a_restart() {
    let lines =
        "passes 101 105\n105 stop b\n106 up b\n106.1 x1 LINK c fail certificate unknown ca\npasses 106.2 110";
    check(110.0, lines, [1, 0, 0, 0], 20 + 19 + 1);
}

#[test]
fn what_was_cut_off_in_the_middle_counts_also_inside_a_restart() {
    let lines = "passes 101 105\n105 stop b\n105.1 x1 LINK c fail other eof\n106 up b\npasses 106.2 110";
    check(110.0, lines, [0, 0, 1, 0], 20 + 19 + 1);
}

#[test]
fn a_reset_of_which_the_server_knows_is_not_excused() {
    let lines = "passes 101 105\n105 stop b\n105.1 x1 LINK c fail refused reset\n105.1 x1 LINK s fail other eof\n\
                 106 up b\npasses 106.2 110";
    check(110.0, lines, [0, 0, 1, 0], 20 + 19 + 1);
}

#[test]
fn a_fleet_that_comes_up_has_fifteen_seconds_for_its_first_success_and_no_more() {
    check(
        110.0,
        "101 - LINK c fail refused x\n102 - LINK c fail refused x\npasses 103 110",
        [0, 0, 0, 0],
        35,
    );
    check(120.0, "101 - LINK c fail refused x", [0, 0, 3, 0], 3);
    check(
        110.0,
        "101 x1 LINK c fail certificate unknown ca\npasses 103 110",
        [1, 0, 0, 0],
        36,
    );
}

#[test]
fn dials_by_others_are_counted_apart() {
    let got = count(
        110.0,
        "passes 101 110\n105 x1 - s fail certificate unknown ca\n106 x2 - s ok TLSv1.3",
    );
    assert_eq!((got.failed, got.foreign), (0, 2));
}

#[test]
fn a_stopped_fleet_is_silent_without_a_failure() {
    check(
        200.0,
        "passes 101 110\n110 halt\n110.1 - LINK c fail refused x",
        [0, 0, 0, 0],
        45,
    );
    check(
        200.0,
        "passes 101 110\n109.99 x1 LINK s ok TLSv1.3\n110 halt\n110.01 x1 LINK c ok TLSv1.3",
        [0, 0, 0, 0],
        45,
    );
}

#[test]
fn a_link_that_is_no_longer_dialled_may_be_silent() {
    check(
        120.0,
        "passes 101 110\n110 links a a>c.api\n120 halt",
        [0, 0, 0, 0],
        45,
    );
}

#[test]
fn a_minute_of_a_large_fleet_is_counted_in_less_than_a_fifth_of_a_second_when_optimised() {
    let mut lines = String::new();
    for step in 0..12_000 {
        let at = 101.0 + f64::from(step) / 200.0;
        lines.push_str(&format!(
            "{at} y{step} LINK c ok TLSv1.3\n{at} y{step} LINK s ok TLSv1.3\n"
        ));
    }
    let begin = std::time::Instant::now();
    check(162.0, &lines, [0, 0, 0, 0], 12_000);
    assert!(begin.elapsed().as_millis() < 1_000, "{:?}", begin.elapsed());
}
