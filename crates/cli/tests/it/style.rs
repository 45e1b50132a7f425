//! `[policy] style` and `prefer` on trees of a Workload Automation domain; no process runs.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::domain;
use crate::domain::Domain;
use crate::domain::steps;

/// What the definitions say.
struct Shape {
    below_a_manager: bool,
    secondary_links: bool,
}

/// The domain of the demo in that shape.
fn shaped(shape: &Shape) -> Domain {
    Domain::made(14, |dir| {
        if !shape.below_a_manager {
            domain::flat(dir);
        }
        if !shape.secondary_links {
            domain::option(dir, "sw = NO");
        }
    })
}

#[test]
fn on_a_flat_domain_the_published_order_is_planned_and_costs_restarts() {
    let domain = shaped(&Shape {
        below_a_manager: false,
        secondary_links: false,
    });
    let proof = domain.run(&["plan"], 0);
    let plan = domain.policy("style = \"document\"").run(&["plan"], 0);
    assert_eq!(plan["style"], "document");
    assert_eq!(plan["proof_style"]["restarts"], proof["restarts"]);
    assert!(plan["restarts"].as_u64() > proof["restarts"].as_u64(), "{plan}");
    assert_eq!(plan["lower_bound"], proof["lower_bound"]);
    let words = |component: &str| -> Vec<String> {
        steps(&plan, component)
            .into_iter()
            .map(|(_, events)| events)
            .collect()
    };
    for agent in [
        "fta1-netman",
        "fta2-netman",
        "fta4-netman",
        "dm1-netman",
        "bkm1-netman",
        "da1-agent",
        "da3-agent",
    ] {
        assert_eq!(words(agent), ["grow+switch", "retire"], "{agent}");
    }
    for server in ["mdm1-engine", "bkm1-engine"] {
        assert_eq!(words(server), ["grow", "switch", "retire"], "{server}");
    }
    let last = plan["phases"].as_u64().unwrap();
    assert_eq!(
        steps(&plan, "mdm1-netman").last().unwrap(),
        &(last, "retire".to_owned()),
        "{plan}"
    );
    let digest = plan["digest"].as_str().unwrap().to_owned();
    let checked = domain.run(&["check", &digest], 0);
    assert_eq!(
        (&checked["safe"], &checked["bound"]),
        (&json!(true), &json!("verified")),
        "{checked}"
    );
    refuses_what_the_style_does_not_allow(&domain, &plan);
    let output = Command::new(env!("CARGO_BIN_EXE_capgrow"))
        .arg("-C")
        .arg(&domain.dir)
        .args(["plan", "--explain", "mdm1-netman"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("retire only after") && said.contains("last of all"),
        "{said}"
    );
}

/// An agent's step taken apart is safe, and is not what was asked for.
fn refuses_what_the_style_does_not_allow(domain: &Domain, plan: &Value) {
    let mut split = plan.clone();
    let steps = split["steps"].as_array_mut().unwrap();
    let at = steps
        .iter()
        .position(|step| step["component"] == "fta3-netman")
        .unwrap();
    let mut grow = steps[at].clone();
    grow["events"] = json!(["grow"]);
    grow["id"] = json!("x");
    grow["chain"] = Value::Null;
    steps[at]["events"] = json!(["switch"]);
    // Everything else one wave later: nothing is unsafe.
    for step in steps.iter_mut() {
        step["wave"] = json!(step["wave"].as_u64().unwrap() + 1);
    }
    grow["wave"] = json!(1);
    steps.push(grow);
    let file = domain.dir.join("split.json");
    std::fs::write(&file, split.to_string()).unwrap();
    let answer = domain.run(&["check", file.to_str().unwrap()], 1);
    let reasons: Vec<&str> = answer["violations"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["reason"].as_str())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.starts_with("one step: document 4.7")),
        "{answer}"
    );
    assert!(!answer.to_string().contains("no trust anchor"), "{answer}");
}

#[test]
fn below_a_domain_manager_the_published_order_is_blocked_by_its_links() {
    let domain = shaped(&Shape {
        below_a_manager: true,
        secondary_links: false,
    });
    domain.run(&["plan"], 0);
    let plan = domain.policy("style = \"document\"").run(&["plan"], 1);
    let said = plan["blocked"].to_string();
    for end in ["fta1-netman", "fta2-netman"] {
        for link in [
            format!("link {end} -> dm1-netman"),
            format!("link dm1-netman -> {end}"),
        ] {
            assert!(said.contains(&link), "{link} in {said}");
        }
    }
    assert!(said.contains("document 4.7"), "{said}");
    assert!(said.contains("style = \\\"proof\\\""), "{said}");
    for free in ["fta3-netman", "fta4-netman", "bkm1-netman", "da1-agent"] {
        assert!(!said.contains(free), "{free} in {said}");
    }
}

#[test]
fn secondary_links_block_the_published_order() {
    let domain = shaped(&Shape {
        below_a_manager: false,
        secondary_links: true,
    });
    let plan = domain.policy("style = \"document\"").run(&["plan"], 1);
    let said = plan["blocked"].to_string();
    for link in [
        "link fta4-netman -> bkm1-netman",
        "link bkm1-netman -> fta4-netman",
    ] {
        assert!(said.contains(link), "{link} in {said}");
    }
    for free in ["fta1-netman", "fta3-netman", "dm1-netman"] {
        assert!(!said.contains(free), "{free} in {said}");
    }
}

#[test]
fn fewer_phases_are_had_for_restarts_and_the_price_is_said() {
    let domain = shaped(&Shape {
        below_a_manager: true,
        secondary_links: true,
    });
    let cheapest = domain.run(&["plan"], 0);
    let front = domain.run(&["plan", "--front"], 0);
    let choices = front["front"].as_array().unwrap();
    assert!(choices.len() > 1, "{front}");
    assert_eq!(choices.last().unwrap()["restarts"], cheapest["restarts"]);
    let plan = domain.policy("prefer = \"fewest-phases\"").run(&["plan"], 0);
    assert_eq!(plan["phases"], choices[0]["phases"]);
    assert!(plan["phases"].as_u64() < cheapest["phases"].as_u64(), "{plan}");
    assert!(
        plan["restarts"].as_u64() > cheapest["restarts"].as_u64(),
        "{plan}"
    );
    assert_eq!(plan["lower_bound"], cheapest["lower_bound"]);
    assert_eq!(plan["choice"]["cheapest"]["restarts"], cheapest["restarts"]);
    let digest = plan["digest"].as_str().unwrap().to_owned();
    assert_eq!(domain.run(&["check", &digest], 0)["safe"], true);
    assert!(
        domain
            .run(&["plan", "--choose", "99"], 2)
            .to_string()
            .contains("--front")
    );
    let wrong = domain
        .policy("prefer = \"fastest\"")
        .run(&["plan"], 2)
        .to_string();
    assert!(wrong.contains("fewest-phases"), "{wrong}");
    let wrong = domain
        .policy("style = \"documents\"")
        .run(&["plan"], 2)
        .to_string();
    assert!(wrong.contains("proof"), "{wrong}");
}
