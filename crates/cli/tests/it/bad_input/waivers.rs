//! Rip and replace without a waiver, with one that ended, with one that was put into the plan by hand.

use super::Fleet;

/// A scanned fleet whose rotation is to rip and replace.
fn ripping() -> Fleet {
    let fleet = Fleet::new();
    fleet
        .toml_more("strategy = \"rip-and-replace\"")
        .check("scan", 0, &[]);
    fleet
}

/// The lines that the blocked plan says are missing.
fn remedy(fleet: &Fleet) -> String {
    let plan = fleet.run("plan --json").json();
    let blocked = plan["blocked"].as_array().unwrap();
    let remedies = blocked.iter().flat_map(|one| one["remedies"].as_array().unwrap());
    let mut lines = remedies
        .filter_map(|one| one.as_str())
        .filter(|one| one.starts_with("[[waiver]]"));
    lines.next().unwrap().to_owned()
}

#[test]
fn rip_and_replace_is_blocked_until_a_waiver_covers_every_link_it_breaks() {
    let fleet = ripping();
    let named = [
        "no plan",
        "hub -> agent.peer: would be down from phase 1 (",
        "agent -> hub.peer: would be down from phase 1 (",
        "to phase 2 (",
        "about 40 s, and no waiver covers it",
        "[[waiver]]",
        "\"agent -> hub.peer\",",
    ];
    fleet.check("plan", 1, &named);
    let lines = remedy(&fleet);
    fleet.toml_more(&lines.replace("    \"hub -> agent.peer\",\n", ""));
    fleet.check(
        "plan",
        1,
        &["hub -> agent.peer: would be down", "1 of them without a waiver"],
    );
    let plan = fleet.run("plan --json").json();
    assert!(plan["steps"].as_array().unwrap().is_empty() && plan["waived"].as_array().unwrap().len() == 2);
    fleet.toml_more(&remedy(&fleet));
    let says = [
        "2 phases, 2 steps, 2 restarts (lower bound 2: optimal)",
        "rip and replace: everything of a component in one step; 2 links are down meanwhile",
        "waived: agent -> hub.peer is down from phase 1 (",
        "trust edges break and are waived",
        "grow + switch + retire",
    ];
    fleet.check("plan", 0, &says);
    fleet.check(
        "check DIGEST",
        0,
        &["accepted by waiver", "  waived: hub -> agent: "],
    );
    let says = ["phase ", "  waived: agent -> hub.peer is down from phase 1 ("];
    fleet.check("plan --explain hub", 0, &says);
    fleet.check("apply DIGEST", 0, &["dry run"]);
}

#[test]
fn what_a_plan_says_of_waivers_is_a_claim() {
    let fleet = ripping();
    let waiver = remedy(&fleet);
    let without = fleet.read("capgrow.toml");
    fleet.toml_more(&waiver);
    fleet.check("plan", 0, &[]);
    let mut plan: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(fleet.plan()).unwrap()).unwrap();
    plan["waived"]
        .as_array_mut()
        .unwrap()
        .retain(|entry| entry["link"] != "hub -> agent.peer");
    fleet.write("altered.json", plan.to_string());
    fleet.check("check altered.json", 1, &["not safe: ", "agent -> hub: "]);

    let until = waiver.lines().last().unwrap();
    fleet.write(
        "capgrow.toml",
        format!("{without}\n{}\n", waiver.replace(until, "until = 2020-01-31")),
    );
    let says = [
        "not safe: ",
        "hub -> agent: ",
        "! waivers that capgrow.toml does not hold today: agent -> hub.peer",
    ];
    fleet.check("check DIGEST", 1, &says);
    fleet.check("apply DIGEST --approve", 1, &["! refused: the plan is not safe"]);
    fleet.check("plan", 1, &["its waiver ended on 2020-01-31"]);
}

#[test]
fn a_waiver_names_who_and_why() {
    for (key, with) in [
        ("who   = ", "who   = \" \"\nx = "),
        ("why   = ", "why   = \"\"\nx = "),
    ] {
        let fleet = ripping();
        let lines: Vec<String> = remedy(&fleet)
            .replace(key, with)
            .lines()
            .filter(|line| !line.starts_with("x = "))
            .map(str::to_owned)
            .collect();
        fleet.toml_more(&lines.join("\n"));
        let empty = format!("! `{}` is empty", key.split(' ').next().unwrap());
        fleet.check("plan", 2, &["! [[waiver]] 1", &empty]);
    }
}

#[test]
fn a_strategy_must_be_known_and_one_for_all() {
    let fleet = Fleet::new();
    fleet.toml_more("strategy = \"big-bang\"").check("scan", 0, &[]);
    fleet.check(
        "plan",
        2,
        &["! strategy = \"big-bang\" is not known", "! \"rip-and-replace\""],
    );
    let fleet = ripping();
    fleet.toml_more("[[rotate]]\nname = \"another\"\nleave = { issuer = \"CN=X\" }");
    fleet.check(
        "plan",
        2,
        &["! leave-the-old-ca and another have different strategies"],
    );
}

#[test]
fn a_waiver_for_a_link_that_is_not_there_is_said() {
    let fleet = Fleet::new();
    fleet
        .toml_more(
            "[[waiver]]\nlinks = [\"agent -> hub\"]\nwho = \"A\"\nwhy = \"a slip of the pen\"\nuntil = 2099-01-01",
        )
        .check("scan", 0, &[]);
    let says = ["agent -> hub: a waiver in capgrow.toml names this link, and there is none of that name"];
    fleet.check("plan", 0, &says);
}
