//! Orders of other people, given to the checker: the published one for fault-tolerant agents among them.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

/// `NAME: EVENT+EVENT` by wave, one wave a line.
fn checked(model: &str, waves: &str) -> (i32, Value) {
    let mut steps = Vec::new();
    for (wave, line) in waves
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .enumerate()
    {
        for step in line.split(';') {
            let (component, events) = step.split_once(':').unwrap();
            let events: Vec<&str> = events.trim().split('+').map(str::trim).collect();
            let id = format!("{}", steps.len() + 1);
            steps.push(json!({
                "id": id, "wave": wave + 1, "component": component.trim(), "events": events,
                "writes": [], "effective": "restart", "chain": if events.contains(&"switch") { json!("new") } else { Value::Null },
            }));
        }
    }
    let model = format!("model 1\n{model}");
    let plan = json!({ "version": 1, "goal": "retired", "steps": steps, "blocked": [], "questions": [], "waived": [], "model": model });
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("plan.json");
    std::fs::write(&file, plan.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_capgrow"))
        .args(["check", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), answer)
}

fn links(answer: &Value) -> Vec<&str> {
    answer["violations"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|violation| violation["link"].as_str())
        .collect()
}

/// The published order: the master trusts first, agents grow and switch at once, then the master, then all retire.
const PUBLISHED: &str = "
    master: grow
    fta1: grow+switch; fta2: grow+switch; dm: grow+switch
    master: switch+retire
    fta1: retire; fta2: retire; dm: retire";

#[test]
fn the_published_order_is_safe_on_a_flat_domain() {
    let (code, answer) = checked(
        "component master fta1 fta2 dm\nlink fta1 <-> master\nlink fta2 <-> master\nlink dm <-> master\n",
        PUBLISHED,
    );
    assert_eq!((code, &answer["safe"]), (0, &json!(true)), "{answer}");
}

#[test]
fn below_a_domain_manager_the_published_order_breaks_its_links() {
    let model = "component master fta1 fta2 dm\nlink fta1 <-> dm\nlink fta2 <-> dm\nlink dm <-> master\n";
    let (code, answer) = checked(model, PUBLISHED);
    assert_eq!(code, 1, "{answer}");
    for link in ["fta1 -> dm", "dm -> fta1", "fta2 -> dm", "dm -> fta2"] {
        assert!(links(&answer).contains(&link), "{link} in {answer}");
    }
    assert!(!links(&answer).contains(&"dm -> master"), "{answer}");
    let first = &answer["violations"][0];
    assert!(first["order"].as_str().unwrap().contains("wave"), "{first}");
    assert!(!first["reason"].as_str().unwrap().is_empty(), "{first}");
}

#[test]
fn secondary_links_break_under_the_published_order() {
    let model = "component master fta1 fta2 dm\nlink fta1 <-> master\nlink fta2 <-> master\nlink dm <-> master\nlink fta1 <-> dm\n";
    let (code, answer) = checked(model, PUBLISHED);
    assert_eq!(code, 1, "{answer}");
    assert!(links(&answer).contains(&"fta1 -> dm"), "{answer}");
    assert!(
        !links(&answer).iter().any(|link| link.contains("fta2")),
        "{answer}"
    );
}

#[test]
fn known_fleets_need_the_known_restarts() {
    let leaves: String = (1..=50)
        .map(|leaf| format!("component l{leaf}\nlink l{leaf} <-> hub\n"))
        .collect();
    let cases = [
        ("component a b c\nlink a <-> b\nlink b <-> c\nlink c <-> a\n".to_owned(), 7),
        ("component a b c\nlink a <-> b\nlink b <-> c\n".to_owned(), 6),
        (format!("component hub\n{leaves}"), 102),
        ("component a b c d e\nlink a <-> b\nlink b <-> c\nlink c <-> a\nlink c <-> d\nlink d <-> e\nlink e <-> c\n".to_owned(), 11),
    ];
    for (model, restarts) in cases {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("fleet.model");
        std::fs::write(&file, format!("model 1\n{model}")).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_capgrow"))
            .args(["plan", "--json", "--model"])
            .arg(&file)
            .output()
            .unwrap();
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["restarts"], restarts, "{model}");
        assert_eq!(plan["lower_bound"], restarts, "{model}");
    }
}

/// `plan --model` of this text with these words.
fn planned(model: &str, words: &[&str]) -> (i32, Value) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("fleet.model");
    std::fs::write(&file, format!("model 1\n{model}")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_capgrow"))
        .current_dir(place.path())
        .args(["plan", "--json", "--model"])
        .arg(&file)
        .args(words)
        .output()
        .unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), answer)
}

/// The published order as lines of the model: agents in one step, the master last, retirement after all of that.
const PUBLISHED_LINES: &str = "
    one-step fta1 fta2 dm events=grow+switch
    order fta1.switch fta2.switch dm.switch < master.switch
    order fta1.switch fta2.switch dm.switch master.switch < fta1.retire fta2.retire dm.retire master.retire
";

#[test]
fn the_published_order_as_constraints_is_planned_on_a_flat_domain_and_costs_a_restart() {
    let links =
        "component master fta1 fta2 dm\nlink fta1 <-> master\nlink fta2 <-> master\nlink dm <-> master\n";
    let (code, plan) = planned(&format!("{links}{PUBLISHED_LINES}"), &[]);
    assert_eq!((code, &plan["restarts"]), (0, &json!(9)), "{plan}");
    assert_eq!(planned(links, &[]).1["restarts"], 8);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("plan.json");
    // The two halves of an agent's step apart: the file says so, and nothing else of it changed.
    let mut split = plan.clone();
    let steps = split["steps"].as_array_mut().unwrap();
    let at = steps.iter().position(|step| step["component"] == "fta1").unwrap();
    let mut grow = steps[at].clone();
    grow["events"] = json!(["grow"]);
    grow["wave"] = json!(1);
    grow["id"] = json!("x");
    grow["chain"] = Value::Null;
    steps[at]["events"] = json!(["switch"]);
    steps.push(grow);
    for (plan, code) in [(&plan, 0), (&split, 1)] {
        std::fs::write(&file, plan.to_string()).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_capgrow"))
            .args(["check", "--json"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(
            said.contains("one step: the model asks for it on line"),
            code == 1,
            "{said}"
        );
    }
}

#[test]
fn the_published_order_as_constraints_is_blocked_by_the_links_that_it_breaks() {
    let below = "component master fta1 fta2 dm\nlink fta1 <-> dm\nlink fta2 <-> dm\nlink dm <-> master\n";
    let secondary = "component master fta1 fta2 dm\nlink fta1 <-> master\nlink fta2 <-> master\nlink dm <-> master\nlink fta1 <-> dm\n";
    for (links, broken, kept) in [
        (
            below,
            &["fta1 -> dm", "dm -> fta1", "fta2 -> dm", "dm -> fta2"][..],
            "master",
        ),
        (secondary, &["fta1 -> dm", "dm -> fta1"][..], "fta2"),
    ] {
        let (code, plan) = planned(&format!("{links}{PUBLISHED_LINES}"), &[]);
        assert_eq!(code, 1, "{plan}");
        assert_eq!(plan["steps"], json!([]));
        let said = plan["blocked"].to_string();
        for link in broken {
            assert!(said.contains(&format!("link {link}")), "{link} in {said}");
        }
        assert!(said.contains("one step (the model asks for it on line"), "{said}");
        assert!(said.contains("style = \\\"proof\\\""), "{said}");
        assert!(!said.contains(kept), "{said}");
    }
}

#[test]
fn a_mutual_triangle_can_be_had_in_three_four_or_five_phases() {
    let triangle = "component a b c\nlink a <-> b\nlink b <-> c\nlink c <-> a\n";
    let (code, front) = planned(triangle, &["--front"]);
    assert_eq!(code, 0, "{front}");
    let pairs: Vec<(u64, u64)> = front["front"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| {
            (
                choice["phases"].as_u64().unwrap(),
                choice["restarts"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(pairs, [(3, 9), (4, 8), (5, 7)], "{front}");
    assert_eq!(
        (&front["exact"], &front["lower_bound"]),
        (&json!(true), &json!(7)),
        "{front}"
    );
    let all = front["front"]
        .as_array()
        .unwrap()
        .iter()
        .chain(front["narrower"].as_array().unwrap());
    for choice in all {
        let (code, plan) = planned(triangle, &["--choose", &choice["n"].to_string()]);
        assert_eq!(code, 0, "{plan}");
        for key in ["phases", "restarts", "cost"] {
            assert_eq!(plan[key], choice[key], "{key} of {choice}");
        }
        assert_eq!(
            plan["lower_bound"], 7,
            "the bound is that of the fleet, not of the choice"
        );
        assert_eq!(plan["choice"]["cheapest"]["restarts"], 7);
        let mut waves = std::collections::BTreeMap::new();
        for step in plan["steps"].as_array().unwrap() {
            *waves.entry(step["wave"].as_u64()).or_insert(0_u64) += 1;
        }
        assert_eq!(
            waves.values().max(),
            choice["at_once"].as_u64().as_ref(),
            "{choice}"
        );
    }
    assert_eq!(planned(triangle, &["--choose", "9"]).0, 2);
    assert_eq!(planned(triangle, &["--choose", "0"]).0, 2);
}
