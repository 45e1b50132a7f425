//! Values that are known from theory, and the answers of the checker to what the planner makes.

use plan::ComponentId;
use plan::Event;
use plan::Goal;
use plan::PlanDocument;
use plan::Precedence;
use plan::check;
use plan::read_model;
use plan::read_plan;
use planner::plan_model;

#[track_caller]
pub fn planned(text: &str, goal: Goal) -> PlanDocument {
    let model = read_model(text).unwrap();
    let mut document = plan_model(&model, goal);
    document.model = Some(text.to_owned());
    let document = read_plan(&document.to_bytes()).unwrap();
    if document.blocked.is_empty() {
        let checked = check(&model, &document).unwrap_or_else(|e| panic!("{:#?}\n{document:#?}", e.report));
        assert_eq!(checked.report().bound.word(), "verified");
    }
    document
}

/// `links` such as `a-b` (mutual) or `a>b` (a dials b).
#[track_caller]
fn check_value(links: &str, goal: Goal, want: (u64, u64)) {
    let document = planned(&model_text(links), goal);
    let claims = document.claims;
    assert_eq!(
        (claims.restarts.unwrap(), claims.lower_bound.unwrap()),
        want,
        "{links}"
    );
}

pub fn model_text(links: &str) -> String {
    let mut names: Vec<&str> = links
        .split_whitespace()
        .flat_map(|l| l.split(['-', '>']))
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut text = format!("model 1\ncomponent {}\n", names.join(" "));
    for link in links.split_whitespace() {
        match (link.split_once('-'), link.split_once('>')) {
            (Some((a, b)), _) => text += &format!("link {a} <-> {b}\n"),
            (_, Some((a, b))) => text += &format!("link {a} -> {b}\n"),
            _ => panic!("{link}"),
        }
    }
    text
}

#[test]
fn known_fleets_cost_what_theory_says() {
    let star: Vec<String> = (0..50).map(|i| format!("hub-leaf{i}")).collect();
    check_value("a-b b-c c-a", Goal::Retired, (7, 7));
    check_value("a-b b-c", Goal::Retired, (6, 6));
    check_value(&star.join(" "), Goal::Retired, (102, 102));
    check_value("a-b b-c c-a c-d d-e e-c", Goal::Retired, (11, 11));
    check_value("a-b b-c c-d d-e e-a", Goal::Retired, (11, 11));
    check_value("a>b", Goal::Retired, (3, 3));
    check_value("a>b b>c c>a", Goal::Retired, (6, 6));
}

#[test]
fn coexistence_has_its_own_bound() {
    check_value("a-b", Goal::Coexistence, (3, 3));
    check_value("a-b b-c c-a", Goal::Coexistence, (5, 5));
    check_value("a>b", Goal::Coexistence, (2, 2));
}

#[test]
fn cross_signing_leaves_a_vertex_cover_to_pay() {
    let text = |links: &str| format!("{}cross-sign allowed\n", model_text(links));
    let restarts = |links: &str| planned(&text(links), Goal::Retired).claims.restarts.unwrap();
    assert_eq!(restarts("h-a h-b h-c"), 5);
    assert_eq!(restarts("a-b b-c c-a"), 5);
    assert_eq!(restarts("a>b"), 2);
}

/// The order of the events of two components, asked for beside safety.
#[track_caller]
fn with_order(links: &str, before: (&str, Event), after: (&str, Event)) -> PlanDocument {
    let mut model = read_model(&model_text(links)).unwrap();
    let id = |name: &str| ComponentId::new(model.components.iter().position(|c| c.name == name).unwrap());
    let (before, after) = (vec![(id(before.0), before.1)], vec![(id(after.0), after.1)]);
    let reason = model.intern_reason("the document says so");
    model.precedences.push(Precedence {
        before,
        after,
        reason,
    });
    let document = plan_model(&model, Goal::Retired);
    if document.blocked.is_empty() {
        let checked = check(&model, &document);
        checked.unwrap_or_else(|e| panic!("{:#?}", e.report));
    }
    document
}

#[test]
fn an_order_beside_safety_is_kept_and_costs_what_it_costs() {
    let free = with_order("hub-a hub-b", ("hub", Event::Grow), ("a", Event::Grow));
    assert_eq!(
        (free.claims.restarts, free.claims.lower_bound),
        (Some(6), Some(6))
    );
    let dear = with_order("hub-a hub-b", ("a", Event::Retire), ("b", Event::Retire));
    assert_eq!(dear.claims.restarts, Some(6));
    let dear = with_order("hub-a", ("hub", Event::Switch), ("a", Event::Switch));
    assert!(dear.claims.restarts >= Some(4), "{dear:#?}");
}

#[test]
fn an_order_against_safety_is_blocked_with_its_reason() {
    let blocked = with_order("a-b", ("a", Event::Switch), ("b", Event::Grow)).blocked;
    assert!(
        blocked[0]
            .reason
            .contains("a switch comes before b grow (the document says so)"),
        "{blocked:?}"
    );
}

#[test]
fn an_order_that_a_plan_ignores_is_a_violation() {
    let mut model = read_model(&model_text("hub-a hub-b")).unwrap();
    let document = plan_model(&model, Goal::Retired);
    let grown = document
        .steps
        .iter()
        .map(|s| (s.component.clone(), s.wave))
        .next()
        .unwrap();
    let reason = model.intern_reason("the document says so");
    let late = document.steps.last().unwrap();
    let id = |name: &str| ComponentId::new(model.components.iter().position(|c| c.name == name).unwrap());
    let before = vec![(id(&late.component), late.events[0])];
    let after = vec![(id(&grown.0), Event::Grow)];
    model.precedences.push(Precedence {
        before,
        after,
        reason,
    });
    let refusal = check(&model, &document).expect_err("the order is ignored");
    assert!(
        refusal
            .report
            .violations
            .iter()
            .any(|v| v.reason == "the document says so")
    );
}
