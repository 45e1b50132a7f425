//! Planner and checker against explicit states where the model language has no words: leniency, what has happened, undoing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use plan::Acceptance;
use plan::ChainForm;
use plan::ComponentId;
use plan::Event;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::TrustState;
use plan::check;
use plan::read_model;
use plan::read_plan;
use planner::plan_model;
use planner::plan_undo;

use crate::toy::EARLY;
use crate::toy::GROWN;
use crate::toy::LATE;
use crate::toy::RETIRED;
use crate::toy::SWITCHED;
use crate::toy::Toy;
use crate::toy::ToyStep;
use crate::toy::Turn;

/// A small generator of pseudo-random numbers (splitmix64); the seed is printed with each failure.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

pub fn name(x: usize) -> String {
    char::from(b'a' + x as u8).to_string()
}

pub fn random_toy(dice: &mut Dice) -> Toy {
    let shared = dice.below(5) == 0;
    let count = 2 + dice.below(if shared { 3 } else { 4 }) as usize;
    let mut toy = Toy {
        cross: dice.below(4) == 0,
        files: (0..count).collect(),
        ..Toy::default()
    };
    let mut text = String::from("model 1\n");
    for x in 0..count {
        let cost = 1 + dice.below(9);
        let (way, price) = match dice.below(8) {
            0 => ("live", None),
            1 => ("reload", Some(cost * 100)),
            _ => ("restart", Some(cost * 1000)),
        };
        text += &format!("component {} effective={way} cost={cost}\n", name(x));
        toy.price.push(price);
        toy.single.push(false);
    }
    let density = 1 + dice.below(4);
    for a in 0..count {
        for b in a + 1..count {
            match dice.below(8) {
                k if k < density => {
                    text += &format!("link {} <-> {}\n", name(a), name(b));
                    toy.edges.extend([(a, b), (b, a)]);
                }
                5 => {
                    text += &format!("link {} -> {}\n", name(a), name(b));
                    toy.edges.push((b, a));
                }
                6 => {
                    text += &format!("link {} -> {}\n", name(b), name(a));
                    toy.edges.push((a, b));
                }
                _ => {}
            }
        }
    }
    if shared {
        text += "shared a b\n";
        toy.files[1] = 0;
    }
    if dice.below(10) == 0 {
        let x = dice.below(count as u64) as usize;
        text += &format!("single-anchor {}\n", name(x));
        toy.single[x] = true;
    }
    if dice.below(4) == 0 {
        let max = 1 + dice.below(2);
        text += &format!("group a b max={max}\n");
        toy.groups.push((vec![0, 1], max as usize));
    }
    if toy.cross {
        text += "cross-sign allowed\n";
    }
    toy.text = text;
    toy
}

pub fn toy_steps(document: &PlanDocument) -> Vec<ToyStep> {
    let bit = |e: &Event| [GROWN, SWITCHED, RETIRED][*e as usize];
    let step = |s: &plan::Step| ToyStep {
        wave: s.wave,
        component: usize::from(s.component.as_bytes()[0] - b'a'),
        events: s.events.iter().fold(0, |all, e| all | bit(e)),
        cross: s.chain == Some(ChainForm::Cross),
    };
    document.steps.iter().map(step).collect()
}

/// The model of a toy with lenient edges or a start, which the model language cannot say.
fn toy_model(toy: &Toy) -> Model {
    let mut model = read_model(&toy.text).unwrap();
    let usual = model.acceptances[0];
    model.edges.clear();
    for (e, &(p, v)) in toy.edges.iter().enumerate() {
        let lenient = toy.lenient.get(e).copied().unwrap_or(0);
        let mut table = Acceptance::EVERYTHING;
        for (trust, chain, leniency) in [
            (TrustState::Old, ChainForm::New, EARLY),
            (TrustState::Old, ChainForm::Cross, EARLY),
            (TrustState::New, ChainForm::Old, LATE),
        ] {
            if let (Some(reason), true) = (usual.rejection(trust, chain), lenient & leniency == 0) {
                table = table.rejecting(trust, chain, reason);
            }
        }
        let table = model.intern_acceptance(table);
        model.add_edge(ComponentId::new(p), ComponentId::new(v), table);
    }
    for component in &mut model.components {
        component.events = EventSet::EMPTY;
    }
    model.derive_events();
    for (component, &start) in model.components.iter_mut().zip(&toy.start) {
        let bits = [
            (GROWN, Event::Grow),
            (SWITCHED, Event::Switch),
            (RETIRED, Event::Retire),
        ];
        let events: Vec<Event> = bits
            .into_iter()
            .filter(|(b, _)| start & b != 0)
            .map(|(_, e)| e)
            .collect();
        component.done = EventSet::of(&events);
    }
    model
}

/// Safe by both judges; never below the least cost, bound never above it. Whether the least cost is met.
#[track_caller]
fn sound(toy: &Toy, model: &Model, about: &str) -> bool {
    let document = plan_model(model, Goal::Retired);
    let least = toy.least_cost();
    let about = format!("{about}\n{}{toy:?} least {least:?}\n{document:#?}", toy.text);
    assert_eq!(least.is_none(), !document.blocked.is_empty(), "{about}");
    let Some(least) = least else { return true };
    assert!(document.claims.cost_milli.unwrap() >= least, "{about}");
    assert!(
        document.claims.cost_lower_bound_milli.unwrap() <= least,
        "{about}"
    );
    let checked = check(model, &document).unwrap_or_else(|e| panic!("{about}\n{:#?}", e.report));
    assert_eq!(checked.report().bound.word(), "verified", "{about}");
    let broken = toy.broken(&toy_steps(&document));
    assert!(broken.is_empty(), "{broken:?} {about}");
    document.claims.cost_milli == Some(least)
}

#[test]
fn fleets_whose_anchors_overlap_are_planned_safely_and_bounded_truly() {
    let (mut all, mut least) = (0, 0);
    for seed in 0..1000 {
        let mut dice = Dice(seed ^ 0x1e41);
        let mut toy = random_toy(&mut dice);
        toy.single.fill(false);
        toy.text = toy
            .text
            .lines()
            .filter(|l| !l.starts_with("single"))
            .map(|l| format!("{l}\n"))
            .collect();
        if toy.edges.is_empty() {
            continue;
        }
        toy.lenient = toy
            .edges
            .iter()
            .map(|_| dice.below(4) as u8 & dice.below(4) as u8)
            .collect();
        all += 1;
        least += u32::from(sound(&toy, &toy_model(&toy), &format!("seed {seed}")));
    }
    assert!(least * 100 >= all * 90, "{least} of {all} at least cost");
}

#[test]
fn renewal_under_the_same_authority_is_one_restart_each() {
    let mut toy = random_toy(&mut Dice(7));
    toy.lenient = vec![EARLY | LATE; toy.edges.len()];
    let document = plan_model(&toy_model(&toy), Goal::Retired);
    assert!(
        document.steps.iter().all(|s| s.events == [Event::Switch]),
        "{document:#?}"
    );
    assert_eq!(document.claims.phases, Some(1));
}

#[test]
fn from_every_barrier_the_rest_is_planned_at_least_cost() {
    for seed in 0..300 {
        let mut dice = Dice(seed ^ 0x4e57);
        let mut toy = random_toy(&mut dice);
        if toy.edges.is_empty() || toy.cross {
            continue;
        }
        let forward = plan_model(&toy_model(&toy), Goal::Retired);
        for barrier in 0..=forward.claims.phases.unwrap() as u32 {
            toy.start = vec![0; toy.files.len()];
            for step in toy_steps(&forward).iter().filter(|s| s.wave <= barrier) {
                toy.start[step.component] |= step.events;
            }
            let model = toy_model(&toy);
            assert!(
                sound(&toy, &model, &format!("seed {seed}, barrier {barrier}")),
                "seed {seed}, {barrier}"
            );
            let last = barrier == forward.claims.phases.unwrap() as u32;
            let rest = plan_model(&model, Goal::Retired);
            assert!(
                !last || rest.steps.is_empty(),
                "seed {seed}: something is left at the goal"
            );
        }
    }
}

#[test]
fn from_every_barrier_the_way_back_is_safe() {
    for seed in 0..400 {
        let mut dice = Dice(seed ^ 0x0d0);
        let toy = random_toy(&mut dice);
        let model = read_model(&toy.text).unwrap();
        let forward = plan_model(&model, Goal::Retired);
        let phases = forward.claims.phases.unwrap() as u32;
        for barrier in 0..=phases {
            let mut start: BTreeMap<String, Vec<Event>> = BTreeMap::new();
            for step in forward.steps.iter().filter(|s| s.wave <= barrier) {
                start
                    .entry(step.component.clone())
                    .or_default()
                    .extend(&step.events);
            }
            let back = plan_undo(&model, &forward, &start);
            let about = format!("seed {seed}, barrier {barrier}\n{}{back:#?}", toy.text);
            check(&model, &back).unwrap_or_else(|e| panic!("{:#?}\n{about}", e.report));
            let read = read_plan(&back.to_bytes()).unwrap();
            assert!(check(&model, &read).is_ok(), "{about}");
            let mut values = vec![0; toy.files.len()];
            for step in toy_steps(&forward).iter().filter(|s| s.wave <= barrier) {
                for (value, files) in values.iter_mut().zip(&toy.files) {
                    if *files == toy.files[step.component] {
                        *value |= step.events;
                    }
                }
            }
            let broken = toy.broken_from(&values, &toy_steps(&back), Turn::Clear);
            assert!(broken.is_empty(), "{broken:?} {about}");
        }
    }
}

#[test]
fn the_checker_names_exactly_the_edges_that_break_in_altered_plans() {
    let mut altered = 0;
    for seed in 0..2000 {
        let mut dice = Dice(seed ^ 0xa17e);
        let toy = random_toy(&mut dice);
        let model = read_model(&toy.text).unwrap();
        let mut document = plan_model(&model, Goal::Retired);
        let shares = toy.files.windows(2).any(|w| w[0] == w[1]);
        if document.steps.len() < 2 || toy.single.contains(&true) {
            continue;
        }
        for _ in 0..1 + dice.below(3) {
            alter(&mut document, &mut dice);
        }
        altered += 1;
        let found: BTreeSet<String> = match check(&model, &document) {
            Ok(_) => BTreeSet::new(),
            Err(refusal) => refusal.report.violations.into_iter().map(|v| v.link).collect(),
        };
        let found: BTreeSet<String> = found.into_iter().filter(|l| l.contains("->")).collect();
        let link = |(p, v): (usize, usize)| format!("{} -> {}", name(p), name(v));
        let broken: BTreeSet<String> = toy.broken(&toy_steps(&document)).into_iter().map(link).collect();
        // A restart loads all that lies on disk; the checker believes only what a step declares.
        assert!(broken.is_subset(&found), "seed {seed}\n{}{document:#?}", toy.text);
        assert!(
            shares || found == broken,
            "seed {seed}, {broken:?}\n{}{document:#?}",
            toy.text
        );
    }
    assert!(altered > 1000, "{altered}");
}

pub fn alter(document: &mut PlanDocument, dice: &mut Dice) {
    let count = document.steps.len() as u64;
    if count < 2 {
        return;
    }
    let (i, j) = (dice.below(count) as usize, dice.below(count) as usize);
    match dice.below(5) {
        0 => {
            document.steps.remove(i);
        }
        1 => {
            let wave = document.steps[i].wave;
            document.steps[i].wave = document.steps[j].wave;
            document.steps[j].wave = wave;
        }
        2 => {
            let wave = document.steps[i].wave;
            document
                .steps
                .iter_mut()
                .filter(|s| s.wave > wave)
                .for_each(|s| s.wave -= 1);
        }
        3 => document.steps[i].wave = 1 + dice.below(6) as u32,
        _ => {
            let events = std::mem::take(&mut document.steps[i].events);
            document.steps[i].events = std::mem::replace(&mut document.steps[j].events, events);
            let chain = document.steps[i].chain;
            document.steps[i].chain = document.steps[j].chain;
            document.steps[j].chain = chain;
        }
    }
}
