//! From a model to a plan document.

use std::collections::BTreeMap;

use plan::Blocked;
use plan::ChainForm;
use plan::Claims;
use plan::Direction;
use plan::Event;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::Step;

use crate::bound::Bound;
use crate::bound::bound;
use crate::by_hand;
use crate::demand::Demand;
use crate::patterns::Price;
use crate::settle::settle;
use crate::waves::Placed;

/// Plans a model: the cheapest safe order that the search finds, with lower bounds and what proves them.
///
/// Where no order is safe, the document has no steps and says in `blocked` why, with the remedies. The document
/// is a proposal: only `plan::check` makes it a plan.
pub fn plan_model(model: &Model, goal: Goal) -> PlanDocument {
    match solved(model, goal) {
        Ok((demand, placed, bound)) => proposed(model, &demand, goal, (placed, &bound)),
        Err(blocked) => refused(model, goal, blocked),
    }
}

/// Plans a model for the least time instead of the least cost: its steps come one after the other, and a component's steps
/// last so many seconds each. Claims and bounds are those of the model's own costs.
///
/// Where no order is safe, the document is that of [`plan_model`].
pub fn plan_quickest(model: &Model, goal: Goal, seconds: &[u64]) -> PlanDocument {
    let mut timed = model.clone();
    for (component, seconds) in timed.components.iter_mut().zip(seconds) {
        component.cost_milli = seconds.saturating_mul(1000).min(LONGEST_MILLI);
    }
    match solved(&timed, goal) {
        Ok((demand, placed, _)) => proposed(model, &demand, goal, (placed, &bound(model, &demand))),
        Err(blocked) => refused(model, goal, blocked),
    }
}

/// The demand of a model, the cheapest steps in their waves that the search finds, and how cheap any could be.
///
/// # Errors
/// What no order can give.
pub fn solved(model: &Model, goal: Goal) -> Result<(Demand, Vec<Placed>, Bound), Vec<Blocked>> {
    let mut demand = Demand::of(model, goal);
    if !demand.blocked.is_empty() {
        return Err(std::mem::take(&mut demand.blocked));
    }
    let placed = settle(model, &demand)?;
    let bound = bound(model, &demand);
    Ok((demand, placed, bound))
}

/// The document that says why there is no plan.
pub fn refused(model: &Model, goal: Goal, blocked: Vec<Blocked>) -> PlanDocument {
    let nothing = Claims {
        restarts: Some(0),
        lower_bound: Some(0),
        cost_milli: Some(0),
        cost_lower_bound_milli: Some(0),
        phases: Some(0),
    };
    PlanDocument {
        goal,
        direction: Direction::Forward,
        waived: waived(model),
        blocked,
        claims: nothing,
        ..PlanDocument::default()
    }
}

/// The document of steps in waves, with its claims and what proves the lower bounds.
pub fn proposed(
    model: &Model,
    demand: &Demand,
    goal: Goal,
    (placed, bound): (Vec<Placed>, &Bound),
) -> PlanDocument {
    let price = |price: Price| -> u64 {
        placed
            .iter()
            .map(|p| price.of(&model.components[p.component as usize], p.events))
            .sum()
    };
    let claims = Claims {
        restarts: Some(price(Price::Restarts) / 1000),
        lower_bound: Some(bound.restarts),
        cost_milli: Some(price(Price::Cost)),
        cost_lower_bound_milli: Some(bound.cost_milli),
        phases: Some(placed.iter().map(|p| u64::from(p.wave)).max().unwrap_or(0)),
    };
    let mut document = PlanDocument {
        goal,
        direction: Direction::Forward,
        waived: waived(model),
        claims,
        steps: written(model, demand, placed),
        certificate: Some(bound.certificate.clone()),
        ..PlanDocument::default()
    };
    by_hand::mark(model, &mut document);
    document
}

fn written(model: &Model, demand: &Demand, mut placed: Vec<Placed>) -> Vec<Step> {
    placed.sort_by_key(|p| (p.wave, p.component));
    let write = |(i, p): (usize, Placed)| {
        let component = &model.components[p.component as usize];
        Step {
            id: format!("{}", i + 1),
            wave: p.wave,
            component: component.name.clone(),
            events: p.events.iter().collect(),
            writes: Vec::new(),
            effective: Some(component.effective(p.events)),
            chain: p.events.has(Event::Switch).then(|| form(demand, p.component)),
            extra: BTreeMap::new(),
        }
    };
    placed.into_iter().enumerate().map(write).collect()
}

fn form(demand: &Demand, x: u32) -> ChainForm {
    demand.chain[x as usize]
}

fn waived(model: &Model) -> Vec<plan::Json> {
    let name = |id: plan::ComponentId| &model.components[id.at()].name;
    let link = |e: &plan::Edge| format!("{} -> {}", name(e.prover), name(e.verifier));
    model
        .edges
        .iter()
        .filter(|e| e.waived)
        .map(|e| plan::Json::String(link(e)))
        .collect()
}

/// Whatever lasts longer counts as that long, eleven days: sums stay numbers.
const LONGEST_MILLI: u64 = 1_000_000_000;
