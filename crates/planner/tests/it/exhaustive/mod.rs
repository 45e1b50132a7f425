//! Planner and checker, asked as `plan --model` asks them, against [`World`]: every connected graph, and random fleets with
//! everything that the model language can say.

mod world;

use std::fmt::Write as _;

use plan::Goal;
use plan::Json;
use plan::check;
use plan::read_model;
use plan::read_plan;
use planner::plan_model;

use crate::brute::Dice;
use world::Count;
use world::Orders;
use world::World;

/// The same least cost and bounds, a plan that breaks nothing and keeps what was asked for, or none where there is none.
#[track_caller]
fn agree(text: &str, goal: Goal, about: &str) -> Outcome {
    let model = read_model(text).unwrap_or_else(|errors| panic!("{about}\n{text}{errors:?}"));
    let mut document = plan_model(&model, goal);
    document.model = Some(text.to_owned());
    let bytes = document.to_bytes();
    let json: Json = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
    let about = format!("{about}, {}\n{text}{json:#}", goal.word());
    let mut world = World::read(text);
    world.coexistence = goal == Goal::Coexistence;
    let least = world.least(Count::Cost, Orders::Kept);
    let blocked = !json["blocked"].as_array().unwrap().is_empty();
    assert_eq!(least.is_none(), blocked, "least {least:?}: {about}");
    let Some(least) = least else {
        assert!(json["steps"].as_array().unwrap().is_empty(), "{about}");
        return Outcome::Blocked;
    };
    let milli = |key: &str| (json[key].as_f64().unwrap() * 1000.0).round() as u64;
    let count = |key: &str| json[key].as_u64().unwrap();
    assert_eq!(milli("cost"), least, "cost: {about}");
    let ordered = ["order", "one-step"].iter().any(|word| text.contains(word));
    let free = if ordered {
        world.least(Count::Cost, Orders::Ignored).unwrap()
    } else {
        least
    };
    assert_eq!(milli("cost_lower_bound"), free, "bound: {about}");
    let fewest = world.least(Count::Restarts, Orders::Ignored).unwrap();
    assert_eq!(count("lower_bound"), fewest, "fewest restarts: {about}");
    let steps = world.steps(&json);
    let sum = |count: Count| -> u64 {
        steps
            .iter()
            .map(|s| world.price(s.component, s.events, count))
            .sum()
    };
    assert_eq!(sum(Count::Cost), least, "{about}");
    assert_eq!(sum(Count::Restarts), count("restarts"), "{about}");
    let waves: std::collections::BTreeSet<u64> = steps.iter().map(|s| s.wave).collect();
    assert!(waves.iter().copied().eq(1..=count("phases")), "waves: {about}");
    assert!(
        world.broken(&steps).is_empty(),
        "{:?}: {about}",
        world.broken(&steps)
    );
    assert!(
        world.complaints(&steps).is_empty(),
        "{:?}: {about}",
        world.complaints(&steps)
    );
    let checked = check(&model, &read_plan(&bytes).unwrap());
    let checked = checked.unwrap_or_else(|e| panic!("{:#?}: {about}", e.report));
    assert_eq!(checked.report().bound.word(), "verified", "{about}");
    Outcome::Planned
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Blocked,
    Planned,
}

#[test]
fn every_connected_graph_up_to_six_nodes_costs_what_exhaustive_search_says() {
    let mut graphs = Vec::new();
    for count in 1..=6 {
        graphs.extend(connected_graphs(count).into_iter().map(|edges| (count, edges)));
    }
    assert_eq!(graphs.len(), 1 + 1 + 2 + 6 + 21 + 112);
    let mut dice = Dice(6);
    for (count, edges) in graphs {
        let mut plain = format!("model 1\ncomponent {}\n", names(count).join(" "));
        let mut dear = String::from("model 1\n");
        for name in names(count) {
            let _ = writeln!(dear, "component {name} cost={}", 1 + dice.below(9));
        }
        for (a, b) in edges {
            let link = format!("link n{a} <-> n{b}\n");
            plain += &link;
            dear += &link;
        }
        agree(&plain, Goal::Retired, "graph");
        agree(&plain, Goal::Coexistence, "graph");
        agree(&dear, Goal::Retired, "graph with costs");
        agree(
            &format!("{dear}cross-sign allowed\n"),
            Goal::Retired,
            "cross-signed graph",
        );
    }
}

#[test]
pub fn random_fleets_with_all_that_a_model_can_say_cost_what_exhaustive_search_says() {
    let [mut planned, mut blocked] = [0, 0];
    for seed in 0..fleets() {
        let mut dice = Dice(seed ^ 0xf1ee_7000);
        let text = random_fleet(&mut dice);
        let goal = [Goal::Retired, Goal::Retired, Goal::Coexistence][dice.below(3) as usize];
        match agree(&text, goal, &format!("seed {seed}")) {
            Outcome::Blocked => blocked += 1,
            Outcome::Planned => planned += 1,
        }
    }
    assert!(
        planned > 10 * blocked / 2 && blocked > 0,
        "{planned} planned, {blocked} blocked"
    );
}

#[test]
fn altered_plans_are_refused_exactly_for_what_explicit_states_say() {
    let [mut refused, mut accepted] = [0, 0];
    for seed in 0..fleets() * 2 / 5 {
        let mut dice = Dice(seed ^ 0xa1e4_0000);
        let text = random_fleet(&mut dice);
        let model = read_model(&text).unwrap();
        let mut document = plan_model(&model, Goal::Retired);
        if document.steps.len() < 2 {
            continue;
        }
        for _ in 0..1 + dice.below(2) {
            crate::brute::alter(&mut document, &mut dice);
        }
        let world = World::read(&text);
        let json: Json = std::str::from_utf8(&document.to_bytes())
            .unwrap()
            .parse()
            .unwrap();
        let about = format!("seed {seed}\n{text}{json:#}");
        let steps = world.steps(&json);
        let report = check(&model, &document).map_or_else(|e| e.report, |checked| checked.report().clone());
        let Some(broken) = world.broken_if_possible(&steps) else {
            assert!(!report.safe(), "{about}");
            continue;
        };
        let link = |&(p, v): &(usize, usize)| format!("{} -> {}", world.names[p], world.names[v]);
        let broken: Vec<String> = broken.iter().map(link).collect();
        let found: Vec<&str> = report.violations.iter().map(|v| &*v.link).collect();
        for link in &broken {
            assert!(
                found.contains(&&**link),
                "{link} is not seen to break: {about}{report:#?}"
            );
        }
        let complaints = world.complaints(&steps);
        assert!(complaints.is_empty() || !report.safe(), "{complaints:?}: {about}");
        if text.contains("shared") {
            // A restart loads all that lies on disk; the checker believes only what a step declares.
            continue;
        }
        // A component that dials itself counts as two processes, which may load at different moments.
        let own: Vec<String> = world
            .names
            .iter()
            .map(|name| format!("{name} -> {name}"))
            .collect();
        let more = found
            .iter()
            .filter(|link| link.contains("->") && !own.contains(&link.to_string()));
        let more: Vec<&&str> = more.filter(|link| !broken.contains(&link.to_string())).collect();
        assert!(more.is_empty(), "{more:?} do not break: {about}{report:#?}");
        if broken.is_empty() && complaints.is_empty() {
            accepted += 1;
            let others = report
                .violations
                .iter()
                .filter(|v| !CLAIMS.contains(&&*v.link) && !own.contains(&v.link));
            assert_eq!(others.count(), 0, "{about}{report:#?}");
        } else {
            refused += 1;
        }
    }
    assert!(
        refused > accepted / 2 && accepted > 0,
        "{refused} refused, {accepted} accepted"
    );
}

/// What an altered plan says of itself is not altered with it.
const CLAIMS: [&str; 3] = ["cost", "phases", "restarts"];

/// How many random fleets: `EXHAUSTIVE_FLEETS` where more time is at hand.
fn fleets() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the nightly build asks for more")]
    let asked = std::env::var("EXHAUSTIVE_FLEETS").ok();
    asked.map_or(5000, |asked| asked.parse().unwrap())
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|x| format!("n{x}")).collect()
}

/// A fleet of up to five components; each kind of line is there now and then.
pub fn random_fleet(dice: &mut Dice) -> String {
    let count = 1 + dice.below(5).max(dice.below(5));
    let mut text = String::from("model 1\n");
    for x in 0..count {
        let way = |dice: &mut Dice| ["live", "reload", "restart", "restart"][dice.below(4) as usize];
        let _ = write!(text, "component n{x} cost={}", 1 + dice.below(9));
        match dice.below(8) {
            0 => text += " effective=live",
            1 => text += " effective=reload",
            2 => {
                let _ = write!(text, " identity={} trust={}", way(dice), way(dice));
            }
            _ => {}
        }
        text.push('\n');
    }
    let density = 1 + dice.below(4);
    for a in 0..count {
        for b in a + 1..count {
            match dice.below(8) {
                k if k < density => {
                    let _ = writeln!(text, "link n{a} <-> n{b}");
                }
                5 => {
                    let _ = writeln!(text, "link n{a} -> n{b}");
                }
                6 => {
                    let _ = writeln!(text, "link n{b} -> n{a}");
                }
                _ => {}
            }
        }
    }
    let any = |dice: &mut Dice| dice.below(count);
    if dice.below(20) == 0 {
        let x = any(dice);
        let _ = writeln!(text, "link n{x} -> n{x}");
    }
    if dice.below(4) == 0 {
        text += "cross-sign allowed\n";
    }
    if dice.below(8) == 0 {
        let _ = writeln!(text, "single-anchor n{}", any(dice));
    }
    while dice.below(4) == 0 {
        let _ = writeln!(text, "shared n{} n{}", any(dice), any(dice));
    }
    if dice.below(4) == 0 {
        let _ = writeln!(
            text,
            "group n{} n{} n{} max={}",
            any(dice),
            any(dice),
            any(dice),
            1 + dice.below(2)
        );
    }
    let event = |dice: &mut Dice| ["grow", "switch", "retire"][dice.below(3) as usize];
    while dice.below(5) == 0 {
        let mut ends = || format!("n{}.{}", any(dice), event(dice));
        let (a, b) = (ends(), ends());
        let _ = writeln!(text, "order {a} < {b}");
    }
    if dice.below(8) == 0 {
        let events = [
            "grow+switch",
            "switch+retire",
            "grow+retire",
            "grow+switch+retire",
        ];
        let _ = writeln!(
            text,
            "one-step n{} events={}",
            any(dice),
            events[dice.below(4) as usize]
        );
    }
    text
}

/// Every connected graph of so many nodes, one of each kind.
fn connected_graphs(count: usize) -> Vec<Vec<(usize, usize)>> {
    let pairs: Vec<(usize, usize)> = (0..count)
        .flat_map(|a| (a + 1..count).map(move |b| (a, b)))
        .collect();
    let place = |a: usize, b: usize| pairs.iter().position(|&p| p == (a.min(b), a.max(b))).unwrap();
    let mut turns: Vec<Vec<usize>> = vec![Vec::new()];
    for x in 0..count {
        let longer = |turn: &Vec<usize>| -> Vec<Vec<usize>> {
            let at = |i: usize| [&turn[..i], &[x], &turn[i..]].concat();
            (0..=turn.len()).map(at).collect()
        };
        turns = turns.iter().flat_map(longer).collect();
    }
    let moved: Vec<Vec<usize>> = turns
        .iter()
        .map(|turn| pairs.iter().map(|&(a, b)| place(turn[a], turn[b])).collect())
        .collect();
    let mut seen = vec![false; 1 << pairs.len()];
    let mut graphs = Vec::new();
    for mask in 0..1_usize << pairs.len() {
        let edges: Vec<usize> = (0..pairs.len()).filter(|i| mask & 1 << i != 0).collect();
        let edge_pairs: Vec<(usize, usize)> = edges.iter().map(|&i| pairs[i]).collect();
        if seen[mask] || !connected(count, &edge_pairs) {
            continue;
        }
        for moved in &moved {
            seen[edges.iter().fold(0, |image, &i| image | 1 << moved[i])] = true;
        }
        graphs.push(edge_pairs);
    }
    graphs
}

fn connected(count: usize, edges: &[(usize, usize)]) -> bool {
    let mut reached = vec![false; count];
    reached[0] = true;
    for _ in 0..count {
        for &(a, b) in edges {
            let either = reached[a] || reached[b];
            (reached[a], reached[b]) = (either, either);
        }
    }
    reached.into_iter().all(|r| r)
}
