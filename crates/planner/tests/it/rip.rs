//! Rip and replace against the checker: what the planner says breaks is what the checker finds broken, no more, no less.

use std::collections::BTreeSet;

use plan::CrossSign;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::check;
use planner::outages;
use planner::plan_model;
use planner::plan_rip;
use planner::plan_undo;

/// Splitmix64, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 16) % bound
    }
}

fn fleet(random: &mut Random) -> Model {
    let mut model = Model::default();
    let count = 2 + random.below(6) as usize;
    let ids: Vec<_> = (0..count)
        .map(|x| model.add_component(plan::Component::named(&format!("c{x}"))))
        .collect();
    let table = model.usual_acceptance(CrossSign::Refused);
    for &a in &ids {
        for &b in &ids {
            if a != b && random.below(3) == 0 {
                model.add_edge(a, b, table);
            }
        }
    }
    if random.below(3) == 0 {
        model.share(&ids[..2]);
    }
    if random.below(4) == 0 {
        model.components[count - 1].single_anchor = model.components[count - 1].shared.is_none();
    }
    model.derive_events();
    model
}

/// The edges that the checker complains of, by name; no waiver stands.
fn refused(model: &Model, document: &PlanDocument) -> BTreeSet<String> {
    let report = match check(model, document) {
        Ok(checked) => checked.report().clone(),
        Err(refusal) => refusal.report,
    };
    let edge = |v: &plan::Violation| v.link.contains(" -> ");
    report
        .violations
        .iter()
        .filter(|v| edge(v))
        .map(|v| v.link.clone())
        .collect()
}

fn named(model: &Model, found: &[planner::Outage]) -> BTreeSet<String> {
    let name = |id: plan::ComponentId| &model.components[id.at()].name;
    let link = |edge: &plan::Edge| format!("{} -> {}", name(edge.prover), name(edge.verifier));
    found
        .iter()
        .map(|outage| link(&model.edges[outage.edge]))
        .collect()
}

#[test]
fn the_links_said_to_break_are_those_the_checker_finds_broken() {
    let seed = 3;
    println!("seed {seed}");
    let mut random = Random(seed);
    for _ in 0..400 {
        let model = fleet(&mut random);
        let takes = vec![1000; model.components.len()];
        let (document, found) = plan_rip(&model, Goal::Retired, &takes);
        assert_eq!(named(&model, &found), refused(&model, &document), "{document:#?}");
        let mut waived = model.clone();
        for outage in &found {
            waived.edges[outage.edge].waived = true;
        }
        let checked = check(&waived, &document).unwrap_or_else(|refusal| panic!("{:#?}", refusal.report));
        let steps = document.steps.len() as u64;
        assert_eq!(document.claims.restarts, Some(steps), "one restart each");
        assert_eq!(document.claims.lower_bound, Some(steps));
        assert_eq!(checked.report().bound, plan::BoundStatus::Verified);
        assert_eq!(checked.report().waived.is_empty(), found.is_empty());
    }
}

#[test]
fn a_safe_plan_breaks_nothing_and_its_way_back_neither() {
    let seed = 5;
    println!("seed {seed}");
    let mut random = Random(seed);
    for _ in 0..200 {
        let model = fleet(&mut random);
        let document = plan_model(&model, Goal::Retired);
        if !document.blocked.is_empty() {
            continue;
        }
        assert_eq!(outages(&model, &document), []);
        let start = document
            .steps
            .iter()
            .map(|step| (step.component.clone(), plan::Event::ALL.to_vec()))
            .collect();
        let back = plan_undo(&model, &document, &start);
        assert_eq!(
            named(&model, &outages(&model, &back)),
            refused(&model, &back),
            "{back:#?}"
        );
    }
}

#[test]
fn an_undone_or_altered_plan_breaks_what_the_checker_says() {
    let seed = 9;
    println!("seed {seed}");
    let mut random = Random(seed);
    for _ in 0..400 {
        let model = fleet(&mut random);
        let mut document = plan_model(&model, Goal::Retired);
        if document.steps.len() < 2 {
            continue;
        }
        let waves = document.claims.phases.unwrap_or(1);
        let altered = random.below(document.steps.len() as u64) as usize;
        document.steps[altered].wave = 1 + random.below(waves) as u32;
        let trusts_nothing = |refusal: &plan::Refusal| {
            let reasons = refusal.report.violations.iter();
            reasons.clone().any(|v| v.reason.contains("neither generation"))
        };
        // A component retired before it grew trusts nothing: no plan of ours, and no state of an outage.
        if check(&model, &document).is_err_and(|refusal| trusts_nothing(&refusal)) {
            continue;
        }
        assert_eq!(
            named(&model, &outages(&model, &document)),
            refused(&model, &document),
            "{document:#?}"
        );
    }
}
