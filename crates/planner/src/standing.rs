//! A plan that follows its model: when one component changes, only what hangs on it is planned again.
//!
//! A plan that costs what its bound says stays the cheapest while everybody still goes their cheapest way. So a change is
//! taken up where it happened: those whose cheapest way is another one now get it, and waves move as far as they must. Where
//! that does not come out at the bound, or the bound rests on the component itself, everything is planned again.

use std::collections::BTreeSet;

use plan::Blocked;
use plan::Claims;
use plan::Component;
use plan::ComponentId;
use plan::Event;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;

use crate::bound::Bound;
use crate::bound::base;
use crate::core::Pattern;
use crate::demand::Demand;
use crate::demand::Local;
use crate::digraph::Digraph;
use crate::patterns::Price;
use crate::patterns::steps;
use crate::plan_model::proposed;
use crate::plan_model::refused;
use crate::plan_model::solved;
use crate::waves::Placed;
use crate::ways::Way;

/// A model with the plan that was made for it.
pub struct Standing {
    model: Model,
    goal: Goal,
    /// Positions of the edges at each component, by verifier and by prover.
    incoming: Vec<Vec<u32>>,
    outgoing: Vec<Vec<u32>>,
    state: Result<Plan, Vec<Blocked>>,
}

/// What a change made of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replanned {
    /// Totals and bounds now; nothing where the plan is blocked.
    pub claims: Option<Claims>,
    /// Whose steps are others now, or in another wave; empty where all was planned again.
    pub changed: Vec<ComponentId>,
    /// Everything was planned again.
    pub anew: bool,
}

struct Plan {
    /// Its graphs are left empty: they are read off the edges where they are needed.
    demand: Demand,
    bound: Bound,
    /// The bound rests on this component.
    named: Vec<bool>,
    ways: Vec<Way>,
    /// By component, the wave of each event; 0 where it is not to come.
    waves: Vec<Waves>,
    /// How many steps each wave has.
    width: Vec<u64>,
    cost: Total,
    restarts: Total,
}

type Waves = [u32; 3];

/// What the plan counts, and what any must.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    paid: u64,
    bound: u64,
}

impl Standing {
    /// Plans the model. Costs what `plan_model` does, and an index of the edges.
    pub fn of(model: Model, goal: Goal) -> Standing {
        let mut incoming = vec![Vec::new(); model.components.len()];
        let mut outgoing = incoming.clone();
        for (at, edge) in model.edges.iter().enumerate().filter(|(_, edge)| !edge.waived) {
            incoming[edge.verifier.at()].push(at as u32);
            outgoing[edge.prover.at()].push(at as u32);
        }
        let state = solved(&model, goal).map(|solved| Plan::of(&model, solved));
        Standing {
            model,
            goal,
            incoming,
            outgoing,
            state,
        }
    }

    /// The model as it is now.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Totals and bounds; nothing where the plan is blocked.
    pub fn claims(&self) -> Option<Claims> {
        self.state.as_ref().ok().map(Plan::claims)
    }

    /// The steps of one component with their waves.
    pub fn steps(&self, id: ComponentId) -> Vec<(u32, EventSet)> {
        let Ok(plan) = &self.state else { return Vec::new() };
        plan.steps(id.at()).collect()
    }

    /// The whole plan, a proposal like that of `plan_model`. Linear.
    pub fn document(&self) -> PlanDocument {
        let plan = match &self.state {
            Ok(plan) => plan,
            Err(blocked) => return refused(&self.model, self.goal, blocked.clone()),
        };
        let steps = (0..plan.ways.len()).flat_map(|x| {
            plan.steps(x).map(move |(wave, events)| Placed {
                component: x as u32,
                events,
                wave,
            })
        });
        proposed(
            &self.model,
            &plan.demand,
            self.goal,
            (steps.collect(), &plan.bound),
        )
    }

    /// Takes up that a component is another one now: what has happened to it, what it costs, how changes become
    /// effective. Costs as much as the edges of its neighbours, where the plan need not be made anew.
    pub fn change(&mut self, id: ComponentId, component: Component) -> Replanned {
        let before = std::mem::replace(&mut self.model.components[id.at()], component);
        if let Some(changed) = self.follow(id.at(), &before) {
            let changed = changed.into_iter().map(ComponentId).collect();
            return Replanned {
                claims: self.claims(),
                changed,
                anew: false,
            };
        }
        self.state = solved(&self.model, self.goal).map(|solved| Plan::of(&self.model, solved));
        Replanned {
            claims: self.claims(),
            changed: Vec::new(),
            anew: true,
        }
    }

    /// Who has other steps now; `None` where everything has to be planned again, and is left half-way.
    fn follow(&mut self, x: usize, before: &Component) -> Option<Vec<u32>> {
        let plan = self.state.as_mut().ok()?;
        let model = &self.model;
        let now = &model.components[x];
        let alike = |c: &Component| (c.cross, c.single_anchor, c.shared, c.external);
        let alone = model.shared.is_empty() && model.groups.is_empty() && model.by_hand.is_empty();
        let free = model.precedences.is_empty() && model.one_steps.is_empty();
        let same = alike(before) == alike(now) && !now.single_anchor;
        if !alone || !free || !same || !plan.is_cheapest() {
            return None;
        }
        let mut following = Following {
            model,
            incoming: &self.incoming,
            outgoing: &self.outgoing,
            limit: 4 * plan.width.len() as u32 + 4,
            work: 8 * model.edges.len() as u64 + 4096,
            plan,
            log: Vec::new(),
        };
        following.take_up(x, self.goal, before)?;
        let mut changed: Vec<u32> = following.log.iter().map(|(at, ..)| *at).collect();
        changed.sort_unstable();
        changed.dedup();
        plan.is_cheapest().then_some(changed)
    }
}

impl Plan {
    fn of(model: &Model, (mut demand, mut placed, bound): (Demand, Vec<Placed>, Bound)) -> Plan {
        let count = model.components.len();
        demand.early = Digraph::default();
        demand.early_always = None;
        demand.late = Digraph::default();
        let mut named = vec![false; count];
        for &x in &bound.named {
            named[x as usize] = true;
        }
        placed.sort_by_key(|step| step.wave);
        let mut plan = Plan {
            named,
            ways: vec![Way::new(); count],
            waves: vec![[0; 3]; count],
            width: vec![0; placed.last().map_or(0, |step| step.wave as usize) + 1],
            cost: Total::default(),
            restarts: Total::default(),
            demand,
            bound,
        };
        for step in placed {
            let x = step.component as usize;
            for event in step.events.iter() {
                plan.waves[x][event as usize] = step.wave;
            }
            plan.ways[x].push(step.events);
            plan.width[step.wave as usize] += 1;
        }
        let paid = |price| -> u64 { (0..count).map(|x| plan.paid(model, x, price)).sum() };
        let (cost, restarts) = (paid(Price::Cost), paid(Price::Restarts));
        plan.cost = Total {
            paid: cost,
            bound: plan.bound.cost_milli,
        };
        plan.restarts = Total {
            paid: restarts,
            bound: plan.bound.restarts * 1000,
        };
        plan
    }

    fn paid(&self, model: &Model, x: usize, price: Price) -> u64 {
        let component = &model.components[x];
        self.ways[x]
            .iter()
            .map(|&events| price.of(component, events))
            .sum()
    }

    fn is_cheapest(&self) -> bool {
        self.cost.paid == self.cost.bound && self.restarts.paid == self.restarts.bound
    }

    fn claims(&self) -> Claims {
        Claims {
            restarts: Some(self.restarts.paid / 1000),
            lower_bound: Some(self.bound.restarts),
            cost_milli: Some(self.cost.paid),
            cost_lower_bound_milli: Some(self.bound.cost_milli),
            phases: Some(self.width.iter().rposition(|&n| n > 0).unwrap_or(0) as u64),
        }
    }

    fn steps(&self, x: usize) -> impl Iterator<Item = (u32, EventSet)> + '_ {
        let first = move |events: EventSet| events.iter().next().map_or(0, |event| self.wave(x, event));
        self.ways[x].iter().map(move |&events| (first(events), events))
    }

    fn wave(&self, x: usize, event: Event) -> u32 {
        self.waves[x][event as usize]
    }

    fn set(&mut self, x: usize, way: Way, waves: Waves) {
        for (wave, _) in self.steps(x).collect::<Vec<_>>() {
            self.width[wave as usize] -= 1;
        }
        self.ways[x] = way;
        self.waves[x] = waves;
        for (wave, _) in self.steps(x).collect::<Vec<_>>() {
            if self.width.len() <= wave as usize {
                self.width.resize(wave as usize + 1, 0);
            }
            self.width[wave as usize] += 1;
        }
    }
}

/// A change on its way through the plan.
struct Following<'a> {
    model: &'a Model,
    incoming: &'a [Vec<u32>],
    outgoing: &'a [Vec<u32>],
    plan: &'a mut Plan,
    /// Waves beyond this one mean a circle.
    limit: u32,
    /// How many more edges may be looked at.
    work: u64,
    /// What was before, the last first to be put back.
    log: Vec<(u32, Way, Waves)>,
}

impl Following<'_> {
    fn take_up(&mut self, x: usize, goal: Goal, before: &Component) -> Option<()> {
        let component = &self.model.components[x];
        let due = |c: &Component| (c.wanted(goal), c.done);
        if due(before) == due(component) {
            // What its edges ask for is as it was.
            let local = self.plan.demand.local(x);
            if self.plan.named[x] {
                return None;
            }
            self.rebase(x, before, local);
            return self.settle(x, local, false);
        }
        self.plan.demand.pending[x] = component.wanted(goal).without(component.done);
        let mut near = vec![x];
        for &at in self.incoming[x].iter().chain(&self.outgoing[x]) {
            let edge = &self.model.edges[at as usize];
            if !self.plan.demand.asked(self.model, edge).blocked.is_empty() {
                return None;
            }
            near.extend([edge.prover.at(), edge.verifier.at()]);
        }
        near[1..].sort_unstable();
        near.dedup();
        let neighbours = near.split_off(1);
        near.extend(neighbours.into_iter().filter(|&y| y != x));
        let mut concerned = Vec::new();
        for y in near {
            let (old, new) = (self.plan.demand.local(y), self.local(y));
            let was = if y == x { before } else { &self.model.components[y] };
            if y != x && old == new {
                continue;
            }
            if self.plan.named[y] {
                return None;
            }
            // The pending events of x are new already; what it was bound to is known from its way.
            self.rebase(y, was, new);
            concerned.push((y, new));
        }
        for (y, local) in concerned {
            self.settle(y, local, y == x)?;
        }
        Some(())
    }

    /// Forgets what a component paid and must pay, and counts what it must pay now.
    fn rebase(&mut self, y: usize, was: &Component, new: Local) {
        let plan = &mut *self.plan;
        for (price, total) in [
            (Price::Cost, &mut plan.cost),
            (Price::Restarts, &mut plan.restarts),
        ] {
            // The plan was at its bound, so everybody whom no set names paid what they had to.
            let paid: u64 = plan.ways[y].iter().map(|&events| price.of(was, events)).sum();
            let must = base(&self.model.components[y], new, price);
            total.paid = total.paid - paid + must;
            total.bound = total.bound - paid + must;
        }
        plan.bound.cost_milli = plan.cost.bound;
        plan.bound.restarts = plan.restarts.bound / 1000;
        plan.demand.apart[y] = new.apart;
        plan.demand.grow_bound[y] = new.grow_bound;
        plan.demand.retire_bound[y] = new.retire_bound;
    }

    fn local(&self, y: usize) -> Local {
        let mut local = Local {
            pending: self.plan.demand.pending[y],
            apart: false,
            grow_bound: false,
            retire_bound: false,
        };
        for &at in &self.incoming[y] {
            let edge = &self.model.edges[at as usize];
            let asked = self.plan.demand.asked(self.model, edge);
            local.grow_bound |= asked.early;
            local.retire_bound |= asked.late;
            local.apart |= asked.apart() && self.plan.demand.pending[edge.prover.at()].has(Event::Switch);
            if local.grow_bound && local.retire_bound && local.apart {
                break;
            }
        }
        local
    }

    /// Gives a component a way that costs no more than it must, and moves what has to move for it.
    fn settle(&mut self, y: usize, local: Local, changed: bool) -> Option<()> {
        let component = &self.model.components[y];
        let cheap = |way: &Way| {
            [Price::Cost, Price::Restarts].into_iter().all(|price| {
                let paid: u64 = way.iter().map(|&events| price.of(component, events)).sum();
                paid == base(component, local, price)
            })
        };
        let now = self.plan.ways[y].clone();
        if !changed && cheap(&now) {
            return Some(());
        }
        let mut ways: Vec<Way> = Vec::new();
        let kept = now
            .iter()
            .map(|events| events.without(EventSet::ALL.without(local.pending)));
        let kept: Way = kept.filter(|events| !events.is_empty()).collect();
        let whole = kept
            .iter()
            .fold(EventSet::EMPTY, |all, &events| all.union(events))
            == local.pending;
        ways.extend(whole.then_some(kept));
        for pattern in [
            Pattern::Together,
            Pattern::GrowSwitch,
            Pattern::SwitchRetire,
            Pattern::Apart,
        ] {
            let way = steps(component, local, pattern);
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        let mark = self.log.len();
        for way in ways.into_iter().filter(cheap) {
            self.log
                .push((y as u32, self.plan.ways[y].clone(), self.plan.waves[y]));
            self.plan.set(y, way, [0; 3]);
            if self.reflow(y).is_some() {
                return Some(());
            }
            while self.log.len() > mark {
                let (at, way, waves) = self.log.pop()?;
                self.plan.set(at as usize, way, waves);
            }
        }
        None
    }

    /// Moves the steps of `y` and all that wait for them to the earliest waves they can have; `None` for a circle. What
    /// stands in an earlier wave is moved first, so that a hub is looked at once for all its leaves.
    fn reflow(&mut self, y: usize) -> Option<()> {
        let mut open = BTreeSet::from([(0, y)]);
        self.waiting(y, Event::ALL, &mut open);
        while let Some((_, z)) = open.pop_first() {
            let before = self.plan.waves[z];
            let waves = self.earliest(z)?;
            if waves == before {
                continue;
            }
            let way = self.plan.ways[z].clone();
            self.log.push((z as u32, way.clone(), before));
            self.plan.set(z, way, waves);
            let moved = Event::ALL.map(|event| before[event as usize] != waves[event as usize]);
            let moved = Event::ALL.into_iter().filter(|&event| moved[event as usize]);
            self.waiting(z, moved, &mut open);
        }
        Some(())
    }

    /// Who may wait for these events of `y`, by the wave in which they stand now.
    fn waiting(&self, y: usize, events: impl IntoIterator<Item = Event>, open: &mut BTreeSet<(u32, usize)>) {
        let edge = |at: &u32| &self.model.edges[*at as usize];
        let mut put = |z: usize, event: Event| {
            let wave = self.plan.wave(z, event);
            if wave > 0 {
                open.insert((wave, z));
            }
        };
        for event in events {
            match event {
                Event::Grow => {
                    let provers = self.incoming[y].iter().map(|at| edge(at).prover.at());
                    provers.for_each(|p| put(p, Event::Switch));
                }
                Event::Switch => {
                    let verifiers = self.outgoing[y].iter().map(|at| edge(at).verifier.at());
                    verifiers.for_each(|v| put(v, Event::Retire));
                }
                Event::Retire => {}
            }
        }
    }

    /// The earliest waves of the steps of a component, after what they wait for.
    fn earliest(&mut self, z: usize) -> Option<Waves> {
        let plan = &*self.plan;
        let mut waves = [0; 3];
        let mut last = 0;
        let mut seen = 1;
        for events in &plan.ways[z] {
            let mut after = last;
            if events.has(Event::Switch) {
                seen += self.outgoing[z].len() as u64;
                for &at in &self.outgoing[z] {
                    let edge = &self.model.edges[at as usize];
                    let grown = plan.wave(edge.verifier.at(), Event::Grow);
                    if grown > after && plan.demand.asked(self.model, edge).early {
                        after = grown;
                    }
                }
            }
            if events.has(Event::Retire) {
                seen += self.incoming[z].len() as u64;
                for &at in &self.incoming[z] {
                    let edge = &self.model.edges[at as usize];
                    let switched = plan.wave(edge.prover.at(), Event::Switch);
                    if switched > after && plan.demand.asked(self.model, edge).late {
                        after = switched;
                    }
                }
            }
            last = after + 1;
            events.iter().for_each(|event| waves[event as usize] = last);
        }
        self.work = self.work.checked_sub(seen)?;
        (last <= self.limit).then_some(waves)
    }
}
