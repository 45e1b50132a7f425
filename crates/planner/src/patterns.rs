//! Chooses how the events of each component fall together, at the least cost.

use plan::Component;
use plan::Event;
use plan::EventSet;
use plan::Model;

use crate::core::Menu;
use crate::core::Pattern;
use crate::core::Problem;
use crate::core::reduce;
use crate::demand::Demand;
use crate::demand::Local;
use crate::exact;
use crate::local;

/// What one step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// Its cost in thousandths.
    Cost,
    /// Its cost, and among equals the number of restarts.
    CostThenRestarts,
    /// 1000 for a restart or reload.
    Restarts,
}

impl Price {
    /// What a step with these events counts. `EMPTY` counts nothing.
    pub fn of(self, component: &Component, events: EventSet) -> u64 {
        let effective = component.effective(events);
        let cost = component.step_cost_milli(effective);
        let restart = u64::from(effective != plan::Effective::Live);
        match self {
            Price::Cost => cost,
            Price::CostThenRestarts => cost.saturating_mul(RESTARTS_BELOW).saturating_add(restart),
            Price::Restarts => restart * 1000,
        }
    }

    /// What not going the cheapest way costs more: the switch apart from the trust.
    pub fn extra(self, component: &Component) -> u64 {
        let trust = self.of(component, EventSet::of(&[Event::Grow]));
        let identity = self.of(component, EventSet::of(&[Event::Switch]));
        let joint = self.of(component, EventSet::of(&[Event::Grow, Event::Switch]));
        (trust + identity).saturating_sub(joint)
    }
}

/// The cheapest patterns that the search finds. Exact where the hard cores are small.
pub fn choose(model: &Model, demand: &Demand) -> Vec<Pattern> {
    let menu: Vec<Menu> = (0..model.components.len())
        .map(|x| menu(&model.components[x], demand.local(x)))
        .collect();
    let weight = model
        .components
        .iter()
        .map(|c| Price::CostThenRestarts.extra(c))
        .collect();
    let problem = Problem {
        menu: &menu,
        weight,
        early: &demand.early,
        late: &demand.late,
    };
    let reduced = reduce(problem);
    let mut found = Vec::new();
    let mut visits = MAX_VISITS;
    for core in &reduced.cores {
        let (mut patterns, cost) = local::improve(&reduced.problem, core);
        if cost > 0 && core.len() <= exact::MAX_MEMBERS && visits > 0 {
            let budget = visits.min(MAX_CORE_VISITS);
            let outcome = exact::search(&reduced.problem, core, cost, budget);
            visits -= outcome.visits;
            if let Some(best) = outcome.best {
                patterns = best.patterns;
            }
        }
        found.extend(core.iter().copied().zip(patterns));
    }
    let mut patterns = reduced.complete(&found);
    for (x, pattern) in patterns.iter_mut().enumerate() {
        if menu[x] == Menu::Fixed {
            *pattern = Pattern::Apart;
        }
    }
    prefer_hub_style(model, demand, &mut patterns);
    patterns
}

/// The two styles can be exchanged throughout a fleet without shared files; those with more links go last then,
/// as people expect of a hub.
fn prefer_hub_style(model: &Model, demand: &Demand, patterns: &mut [Pattern]) {
    let mirrored = demand.late.reversed() == demand.early;
    if !mirrored || !model.shared.is_empty() || !model.precedences.is_empty() || !model.one_steps.is_empty() {
        return;
    }
    let near = match demand.early == demand.late {
        true => &demand.early,
        false => &demand.early.union(&demand.late),
    };
    let mut seen = vec![false; patterns.len()];
    for root in 0..patterns.len() {
        if seen[root] {
            continue;
        }
        seen[root] = true;
        let mut members = vec![root];
        let mut next = 0;
        // Links and members of each style.
        let mut sums = [[0_u64; 2]; 2];
        while next < members.len() {
            let x = members[next];
            next += 1;
            match patterns[x] {
                Pattern::GrowSwitch => sums[0] = [sums[0][0] + near.out(x).len() as u64, sums[0][1] + 1],
                Pattern::SwitchRetire => sums[1] = [sums[1][0] + near.out(x).len() as u64, sums[1][1] + 1],
                Pattern::Apart | Pattern::Together => {}
            }
            for &y in near.out(x) {
                if !seen[y as usize] {
                    seen[y as usize] = true;
                    members.push(y as usize);
                }
            }
        }
        let [first, last] = sums;
        if first[0] * last[1].max(1) <= last[0] * first[1].max(1) {
            continue;
        }
        for x in members {
            patterns[x] = match patterns[x] {
                Pattern::GrowSwitch => Pattern::SwitchRetire,
                Pattern::SwitchRetire => Pattern::GrowSwitch,
                other => other,
            };
        }
    }
}

fn menu(component: &Component, local: Local) -> Menu {
    let pending = local.pending;
    let trust = pending.has(Event::Grow) || pending.has(Event::Retire);
    if !pending.has(Event::Switch) || !trust {
        return Menu::Fixed;
    }
    if local.grow_bound && local.retire_bound && !component.single_anchor {
        Menu::Split
    } else {
        Menu::Single
    }
}

/// The steps of a component: its pending events, in order, as they fall together.
pub fn steps(component: &Component, local: Local, pattern: Pattern) -> Vec<EventSet> {
    let take = |events: &[Event]| {
        EventSet::of(
            &events
                .iter()
                .copied()
                .filter(|&e| local.pending.has(e))
                .collect::<Vec<_>>(),
        )
    };
    use Event::{Grow, Retire, Switch};
    let joined = component.single_anchor || !(local.grow_bound && local.retire_bound);
    let groups = match (pattern, joined) {
        (Pattern::Together, _) => vec![take(&[Grow, Switch, Retire])],
        (Pattern::GrowSwitch, _) => vec![take(&[Grow, Switch]), take(&[Retire])],
        (Pattern::SwitchRetire, _) => vec![take(&[Grow]), take(&[Switch, Retire])],
        (Pattern::Apart, false) => vec![take(&[Grow]), take(&[Switch]), take(&[Retire])],
        (Pattern::Apart, true) if local.grow_bound => vec![take(&[Grow, Retire]), take(&[Switch])],
        (Pattern::Apart, true) => vec![take(&[Switch]), take(&[Grow, Retire])],
    };
    groups.into_iter().filter(|g| !g.is_empty()).collect()
}

const RESTARTS_BELOW: u64 = 1 << 20;
const MAX_VISITS: u64 = 100_000;
const MAX_CORE_VISITS: u64 = 50_000;
