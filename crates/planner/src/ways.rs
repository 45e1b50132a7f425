//! The ways in which the events of one component can fall into steps.

use plan::Event;
use plan::EventSet;
use plan::Model;

use crate::demand::Demand;
use crate::patterns::Price;

/// Steps of one component, in the order in which they happen.
pub type Way = Vec<EventSet>;

/// Which ways each component has, given what must fall in one step.
pub struct Ways<'a> {
    model: &'a Model,
    demand: &'a Demand,
    /// For each component the sets of events that are asked to be one step.
    joined: Vec<Vec<EventSet>>,
}

impl<'a> Ways<'a> {
    /// Reads off the model what must fall in one step.
    pub fn of(model: &'a Model, demand: &'a Demand) -> Ways<'a> {
        let mut joined = vec![Vec::new(); model.components.len()];
        for asked in &model.one_steps {
            joined[asked.component.at()].push(asked.events);
        }
        for (x, component) in model.components.iter().enumerate() {
            if component.single_anchor {
                joined[x].push(EventSet::of(&[Event::Grow, Event::Retire]));
            }
        }
        Ways {
            model,
            demand,
            joined,
        }
    }

    /// All ways of a component, the cheapest first; the one way of nothing where nothing is to be done.
    pub fn all(&self, x: usize) -> Vec<Way> {
        let pending = self.demand.pending[x];
        let mut found: Vec<Way> = Vec::new();
        for shape in SHAPES {
            let groups = shape.iter().map(|events| {
                let left = events.iter().filter(|&&e| pending.has(e)).copied();
                EventSet::of(&left.collect::<Vec<_>>())
            });
            let way: Way = groups.filter(|group| !group.is_empty()).collect();
            if self.allows(x, &way) && !found.contains(&way) {
                found.push(way);
            }
        }
        found.sort_by_key(|way| self.price(x, way));
        found
    }

    /// The way with the most steps: what it cannot do, none can, but for the order among its own steps.
    pub fn finest(&self, x: usize) -> Way {
        let mut all = self.all(x);
        let most = all.iter().map(Vec::len).max().unwrap_or(0);
        let at = all.iter().position(|way| way.len() == most).unwrap_or(0);
        all.swap_remove(at)
    }

    /// The way itself where it is allowed, else the cheapest of those with two steps or more, else any.
    pub fn nearest(&self, x: usize, way: Way) -> Way {
        if self.allows(x, &way) {
            return way;
        }
        let mut all = self.all(x);
        let apart = |way: &Way| {
            let both = |group: &EventSet| group.has(Event::Grow) && group.has(Event::Retire);
            !(self.demand.apart[x] && way.iter().any(both))
        };
        let at = all.iter().position(apart).unwrap_or(0);
        all.swap_remove(at)
    }

    /// What a way costs, and among equals the number of restarts.
    pub fn price(&self, x: usize, way: &Way) -> u64 {
        let component = &self.model.components[x];
        let price = |&events: &EventSet| Price::CostThenRestarts.of(component, events);
        way.iter().map(price).sum()
    }

    fn allows(&self, x: usize, way: &Way) -> bool {
        let pending = self.demand.pending[x];
        self.joined[x].iter().all(|set| {
            let left = set.without(EventSet::ALL.without(pending));
            left.is_empty() || way.iter().any(|group| left.without(*group).is_empty())
        })
    }
}

use Event::Grow;
use Event::Retire;
use Event::Switch;

/// Every order of groups in which nothing is retired before it is grown; of those with equal groups the usual first.
const SHAPES: [&[&[Event]]; 8] = [
    &[&[Grow, Switch, Retire]],
    &[&[Grow, Switch], &[Retire]],
    &[&[Grow], &[Switch, Retire]],
    &[&[Grow, Retire], &[Switch]],
    &[&[Switch], &[Grow, Retire]],
    &[&[Grow], &[Switch], &[Retire]],
    &[&[Switch], &[Grow], &[Retire]],
    &[&[Grow], &[Retire], &[Switch]],
];
