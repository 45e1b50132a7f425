//! Hard cores against a search through all sets of components that could pay.

use plan::Goal;
use plan::check;
use plan::read_model;
use planner::plan_model;

use crate::brute::Dice;

/// The least that must be paid beyond two restarts each, so that what is left has two colours.
fn least_extra(costs: &[u64], links: &[(usize, usize)]) -> u64 {
    let count = costs.len();
    let sum = |paying: u32| -> u64 {
        (0..count)
            .filter(|x| paying & 1 << x != 0)
            .map(|x| costs[x])
            .sum()
    };
    let all = (0..1_u32 << count).filter(|&paying| two_colours(count, links, paying));
    all.map(sum).min().unwrap()
}

fn two_colours(count: usize, links: &[(usize, usize)], out: u32) -> bool {
    let mut colour = vec![None; count];
    for root in (0..count).filter(|x| out & 1 << x == 0) {
        if colour[root].is_some() {
            continue;
        }
        colour[root] = Some(false);
        let mut open = vec![root];
        while let Some(x) = open.pop() {
            for &(a, b) in links.iter().filter(|&&(a, b)| a == x || b == x) {
                let y = a + b - x;
                if out & 1 << y != 0 {
                    continue;
                }
                if colour[y] == colour[x] {
                    return false;
                }
                if colour[y].is_none() {
                    colour[y] = colour[x].map(|c: bool| !c);
                    open.push(y);
                }
            }
        }
    }
    true
}

#[test]
fn mutual_cores_of_up_to_eleven_cost_two_each_and_the_cheapest_odd_cycle_transversal() {
    for seed in 0..150 {
        let mut dice = Dice(seed ^ 0xc04e);
        let count = 7 + dice.below(5) as usize;
        let costs: Vec<u64> = (0..count).map(|_| 1 + dice.below(9)).collect();
        let density = 2 + dice.below(6);
        let mut links = Vec::new();
        for a in 0..count {
            links.extend(
                (a + 1..count)
                    .filter(|_| dice.below(10) < density)
                    .map(|b| (a, b)),
            );
        }
        let mut text = String::from("model 1\n");
        for (x, cost) in costs.iter().enumerate() {
            text += &format!("component n{x} cost={cost}\n");
        }
        for (a, b) in &links {
            text += &format!("link n{a} <-> n{b}\n");
        }
        let linked = |x: &usize| links.iter().any(|&(a, b)| a == *x || b == *x);
        let base: u64 = (0..count).filter(linked).map(|x| 2 * costs[x]).sum();
        let least = (base + least_extra(&costs, &links)) * 1000;
        let model = read_model(&text).unwrap();
        let document = plan_model(&model, Goal::Retired);
        assert_eq!(document.claims.cost_milli, Some(least), "seed {seed}\n{text}");
        assert_eq!(
            document.claims.cost_lower_bound_milli,
            Some(least),
            "seed {seed}\n{text}"
        );
        let checked = check(&model, &document).unwrap();
        assert_eq!(checked.report().bound.word(), "verified", "seed {seed}\n{text}");
    }
}

#[test]
fn a_core_too_large_to_be_searched_again_is_planned_at_its_bound_and_says_so_honestly() {
    let mut unproven = 0;
    for seed in 0..40 {
        let mut dice = Dice(seed ^ 0x40);
        let count = 31 + dice.below(10);
        let mut text = String::from("model 1\ncomponent");
        (0..count).for_each(|x| text += &format!(" n{x}"));
        text.push('\n');
        for _ in 0..count * (2 + dice.below(4)) {
            let (a, b) = (dice.below(count), dice.below(count));
            if a != b {
                text += &format!("link n{a} <-> n{b}\n");
            }
        }
        let model = read_model(&text).unwrap();
        let document = plan_model(&model, Goal::Retired);
        assert_eq!(
            document.claims.restarts, document.claims.lower_bound,
            "seed {seed}"
        );
        let checked = check(&model, &document).unwrap_or_else(|e| panic!("seed {seed}: {:#?}", e.report));
        let word = checked.report().bound.word();
        assert!(["verified", "unproven"].contains(&word), "seed {seed}: {word}");
        unproven += u32::from(word == "unproven");
    }
    assert!(unproven > 0);
}
