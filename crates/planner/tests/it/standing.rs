//! A plan that follows its model, against planning from scratch.

use plan::Component;
use plan::ComponentId;
use plan::Effective;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::check;
use plan::read_model;
use planner::Replanned;
use planner::Standing;
use planner::plan_model;

use crate::brute::Dice;
use crate::exhaustive::random_fleet;

/// Changes one component, and compares with a plan from scratch.
#[track_caller]
fn change(standing: &mut Standing, id: ComponentId, component: Component, about: &str) -> Replanned {
    let goal = standing.document().goal;
    let replanned = standing.change(id, component);
    let scratch = plan_model(standing.model(), goal);
    let document = standing.document();
    assert_eq!(document.blocked, scratch.blocked, "{about}");
    if !scratch.blocked.is_empty() {
        assert_eq!(replanned.claims, None, "{about}");
        return replanned;
    }
    let [mut now, mut then] = [document.claims, scratch.claims];
    assert_eq!(replanned.claims, Some(now), "{about}");
    (now.phases, then.phases) = (None, None);
    assert_eq!(now, then, "{about}\n{document:#?}{scratch:#?}");
    let checked = check(standing.model(), &document);
    let checked = checked.unwrap_or_else(|e| panic!("{about}\n{:#?}{document:#?}", e.report));
    assert_eq!(checked.report().bound.word(), "verified", "{about}");
    replanned
}

/// Another price, another way to become effective, or one step more or less behind it.
fn altered(dice: &mut Dice, standing: &Standing, id: ComponentId) -> Component {
    let mut component = standing.model().components[id.at()].clone();
    match dice.below(6) {
        0 => component.cost_milli = 1000 * (1 + dice.below(9)),
        1 => {
            let ways = [Effective::Live, Effective::Reload, Effective::Restart];
            component.identity = ways[dice.below(3) as usize];
            component.trust = component.identity;
        }
        2 => component.done = EventSet::EMPTY,
        _ => {
            let next = standing.steps(id).first().map_or(EventSet::EMPTY, |step| step.1);
            component.done = component.done.union(next);
        }
    }
    component
}

#[test]
fn after_each_change_the_plan_costs_what_planning_from_scratch_gives() {
    let (mut all, mut followed) = (0, 0);
    for seed in 0..400 {
        let mut dice = Dice(seed ^ 0x57a4);
        let mut text = random_fleet(&mut dice);
        if seed % 4 > 0 {
            let simple = |line: &&str| {
                ["model", "component", "link", "cross-sign"]
                    .iter()
                    .any(|word| line.starts_with(word))
            };
            text = text
                .lines()
                .filter(simple)
                .map(|line| format!("{line}\n"))
                .collect();
        }
        let goal = [Goal::Retired, Goal::Retired, Goal::Coexistence][dice.below(3) as usize];
        let mut standing = Standing::of(read_model(&text).unwrap(), goal);
        for turn in 0..6 {
            let count = standing.model().components.len() as u64;
            let id = ComponentId(dice.below(count) as u32);
            let component = altered(&mut dice, &standing, id);
            let about = format!("seed {seed}, turn {turn}, {id:?} {component:?}\n{text}");
            let replanned = change(&mut standing, id, component, &about);
            all += 1;
            followed += u32::from(!replanned.anew);
        }
    }
    assert!(followed * 3 > all, "{followed} of {all} followed");
}

#[test]
fn a_plan_that_is_carried_out_step_by_step_is_followed_to_the_goal_where_it_is_empty() {
    let mut text = String::from("model 1\ncomponent h0 h1 h2\n");
    for spoke in 0..40 {
        text += &format!(
            "component s{spoke}\nlink s{spoke} <-> h{}\nlink s{spoke} <-> h{}\n",
            spoke % 3,
            (spoke + 1) % 3
        );
    }
    let model = read_model(&text).unwrap();
    let mut standing = Standing::of(model, Goal::Retired);
    assert_eq!(standing.claims().unwrap().restarts, Some(86));
    let mut left = 86;
    while let Some((id, events)) = earliest(&standing) {
        let mut component = standing.model().components[id.at()].clone();
        component.done = component.done.union(events);
        let replanned = change(&mut standing, id, component, "hub and spoke");
        assert!(!replanned.anew, "{id:?} {events:?}");
        left -= 1;
        assert_eq!(replanned.claims.unwrap().restarts, Some(left));
    }
    assert_eq!(left, 0);
    assert!(standing.document().steps.is_empty());
    assert_eq!(standing.claims().unwrap().phases, Some(0));
}

/// A step that may be taken now.
fn earliest(standing: &Standing) -> Option<(ComponentId, EventSet)> {
    let model: &Model = standing.model();
    let all = (0..model.components.len()).map(ComponentId::new);
    let first = all.filter_map(|id| {
        standing
            .steps(id)
            .first()
            .map(|&(wave, events)| (wave, id, events))
    });
    first.min().map(|(_, id, events)| (id, events))
}

#[test]
fn a_change_in_a_large_fleet_touches_its_neighbourhood_alone() {
    let mut text = String::from("model 1\ncomponent");
    (0..600).for_each(|x| text += &format!(" n{x}"));
    text.push('\n');
    for x in 20..600 {
        text += &format!("link n{x} <-> n{}\nlink n{x} <-> n{}\n", x % 20, (x * 7 + 3) % 20);
    }
    let mut standing = Standing::of(read_model(&text).unwrap(), Goal::Retired);
    for x in [599, 20, 300, 5] {
        let mut component = standing.model().components[x].clone();
        component.cost_milli = 7000;
        let replanned = change(&mut standing, ComponentId::new(x), component, "cost");
        assert!(!replanned.anew && replanned.changed.len() <= 1, "{replanned:?}");
    }
}
