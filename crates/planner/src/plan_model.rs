//! From a model to a plan document.

use std::collections::BTreeMap;

use plan::Blocked;
use plan::ChainForm;
use plan::Claims;
use plan::Direction;
use plan::Event;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::Step;

use crate::bound::bound;
use crate::core::Pattern;
use crate::demand::Demand;
use crate::patterns::Price;
use crate::patterns::choose;
use crate::patterns::steps;
use crate::waves::Placed;
use crate::waves::place;

/// Plans a model: the cheapest safe order that the search finds, with lower bounds and what proves them.
///
/// Where no order is safe, the document has no steps and says in `blocked` why, with the remedies. The document
/// is a proposal: only `plan::check` makes it a plan.
pub fn plan_model(model: &Model, goal: Goal) -> PlanDocument {
    let demand = Demand::of(model, goal);
    let blank = PlanDocument {
        goal,
        direction: Direction::Forward,
        waived: waived(model),
        ..PlanDocument::default()
    };
    let nothing = Claims {
        restarts: Some(0),
        lower_bound: Some(0),
        cost_milli: Some(0),
        cost_lower_bound_milli: Some(0),
        phases: Some(0),
    };
    if !demand.blocked.is_empty() {
        return PlanDocument {
            blocked: demand.blocked,
            claims: nothing,
            ..blank
        };
    }
    let placed = match settle(model, &demand) {
        Ok(placed) => placed,
        Err(blocked) => {
            return PlanDocument {
                blocked: vec![blocked],
                claims: nothing,
                ..blank
            };
        }
    };
    let bound = bound(model, &demand);
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
    let steps = written(model, &demand, placed);
    PlanDocument {
        claims,
        steps,
        certificate: Some(bound.certificate),
        ..blank
    }
}

/// The steps in their waves. Where chosen patterns wait for each other (orders beside safety can do that), the
/// components concerned are taken apart.
fn settle(model: &Model, demand: &Demand) -> Result<Vec<Placed>, Blocked> {
    let mut patterns = choose(model, demand);
    loop {
        let steps: Vec<Vec<EventSet>> = model
            .components
            .iter()
            .enumerate()
            .map(|(x, c)| steps(c, demand, x, patterns[x]))
            .collect();
        let circle = match place(model, demand, &steps) {
            Ok(placed) => return Ok(placed),
            Err(circle) => circle,
        };
        let mut changed = false;
        for &x in &circle {
            changed |= patterns[x as usize] != Pattern::Apart;
            patterns[x as usize] = Pattern::Apart;
        }
        if !changed {
            return Err(circular(model, &circle));
        }
    }
}

fn circular(model: &Model, circle: &[u32]) -> Blocked {
    let name = |x: &u32| model.components[*x as usize].name.as_str();
    let names: Vec<&str> = circle.iter().take(NAMED).map(name).collect();
    let inside = |x: plan::ComponentId| circle.contains(&x.0);
    let mut reasons: Vec<&str> = Vec::new();
    for precedence in &model.precedences {
        let reason = model.reasons[precedence.reason.at()].as_str();
        if inside(precedence.before.0) && inside(precedence.after.0) && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let asked = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join("; "))
    };
    Blocked {
        component: names.first().map(|&n| n.to_owned()),
        link: None,
        reason: format!(
            "safety and the orders asked for run in a circle: {}{asked}",
            names.join(", ")
        ),
        remedies: vec!["drop the orders that safety does not need (style = \"proof\")".to_owned()],
    }
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

const NAMED: usize = 8;
