//! Maintenance windows: what is no window, what fits in none, and a run that stops when its window ends.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::live::Kept;

/// `HH:MM` in UTC, so many minutes from now, rounded up.
fn clock(minutes: i64) -> String {
    let at = Timestamp::now() + minutes.minutes() + 59.seconds();
    at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
}

fn toml(kept: &Kept, change: impl Fn(String) -> String) {
    let path = kept.dir.join("capgrow.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(text)).unwrap();
}

fn open(kept: &Kept, window: &str) {
    toml(kept, |text| {
        let rest = text.split("\n[policy]").next().unwrap();
        format!("{rest}\n[policy]\nwindows = [\"{window}\"]\n")
    });
}

#[test]
fn a_run_stops_before_a_step_that_its_window_has_no_room_for_and_goes_on_in_the_next() {
    let kept = Kept::start("generic");
    kept.json(&["scan"], 0);
    let plan = kept.json(&["plan"], 0);
    let first = plan["steps"][0]["component"].as_str().unwrap();
    let (mine, other) = if first == "hub" { (0, 1) } else { (1, 0) };
    assert_ne!(plan["steps"][1]["component"], first, "{plan}");
    // Of the two components the one that comes second takes longer than the window still lasts.
    toml(&kept, |text| {
        let parts: Vec<&str> = text.split("takes   = \"20s\"").collect();
        let takes = |at: usize| {
            if at == other {
                "takes   = \"1000s\""
            } else {
                "takes   = \"20s\""
            }
        };
        assert!(mine != other && parts.len() == 3, "{text}");
        format!("{}{}{}{}{}", parts[0], takes(0), parts[1], takes(1), parts[2])
    });
    let window = format!("daily {}-{} UTC", clock(-180), clock(4));
    open(&kept, &window);
    kept.json(&["scan"], 0);
    let plan = kept.json(&["plan"], 0);
    let schedule: Vec<&Value> = plan["schedule"].as_array().unwrap().iter().collect();
    assert_eq!(
        schedule.len(),
        plan["phases"].as_u64().unwrap() as usize,
        "{plan}"
    );
    let begins: Vec<Timestamp> = schedule
        .iter()
        .map(|phase| phase["begins"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(begins[0] <= Timestamp::now(), "the first phase fits now: {plan}");
    assert!(
        begins[1] > Timestamp::now() + 12.hours(),
        "the second waits for tomorrow: {plan}"
    );
    assert_eq!(schedule[1]["window"], window.as_str());

    let digest = plan["digest"].as_str().unwrap();
    let stopped = kept.json(&["apply", digest, "--approve"], 1);
    assert_eq!(
        (&stopped["outcome"], &stopped["steps_done"]),
        (&"stopped".into(), &1.into()),
        "{stopped}"
    );
    let reason = stopped["reason"].as_str().unwrap();
    assert!(reason.contains("the next step needs about 1000 s"), "{reason}");
    let manifest = kept.manifest();
    let again = kept.json(&["apply", "--resume"], 1);
    assert_eq!(
        (&again["outcome"], &again["steps_done"]),
        (&"stopped".into(), &1.into()),
        "{again}"
    );
    assert_eq!(kept.manifest(), manifest, "outside the window nothing is touched");

    open(&kept, "daily 00:00-24:00 Europe/Berlin");
    let done = kept.json(&["apply", "--resume"], 0);
    assert_eq!(done["outcome"], "done", "{done}");
    kept.json(&["verify", "--state", "S2"], 0);
    open(&kept, &format!("daily {}-{} UTC", clock(180), clock(240)));
    kept.json(&["undo", "--approve"], 0);
    kept.json(&["verify", "--state", "S0"], 0);
    assert_eq!(kept.count()["failed"], 0);
}
