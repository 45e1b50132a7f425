//! Rip and replace: everything of a component in one step, and the order in which the links are down for the least time.

use std::collections::BTreeMap;

use plan::Acceptance;
use plan::Blocked;
use plan::ChainForm;
use plan::Claims;
use plan::ComponentId;
use plan::Direction;
use plan::Event;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::Step;
use plan::TrustState;

use crate::arrangement::Arrangement;
use crate::arrangement::arrange;
use crate::bound::bound;
use crate::demand::Demand;
use crate::outage::Outage;
use crate::outage::outages;
use crate::patterns::Price;

/// Plans each component as one step: all its events together, one after the other. `takes_ms` says for each component
/// of the model how long its step lasts.
///
/// Says beside the plan which edges it breaks, and when. The plan's claims and its proof hold for the model in which
/// exactly these edges are waived: the waivers that the model came with are not looked at. An order of the model
/// beside safety is not kept: whoever wants such orders cannot have everything at once.
///
/// Cost: near linear in edges; small fleets are searched for the best order.
pub fn plan_rip(model: &Model, goal: Goal, takes_ms: &[u64]) -> (PlanDocument, Vec<Outage>) {
    let mut open = model.clone();
    open.precedences.clear();
    open.one_steps.clear();
    let pending: Vec<EventSet> = open
        .components
        .iter()
        .map(|component| component.wanted(goal).without(component.done))
        .collect();
    let order = order(&open, &pending, takes_ms);
    let mut document = PlanDocument {
        goal,
        direction: Direction::Forward,
        steps: steps(&open, &pending, &order),
        ..PlanDocument::default()
    };
    let found = outages(&open, &document);
    for edge in &mut open.edges {
        edge.waived = false;
    }
    for outage in &found {
        open.edges[outage.edge].waived = true;
    }
    let demand = Demand::of(&open, goal);
    document.blocked = single_anchors(&demand);
    let bound = bound(&open, &demand);
    let price = |price: Price| -> u64 {
        order
            .iter()
            .map(|&x| price.of(&open.components[x], pending[x]))
            .sum()
    };
    document.claims = Claims {
        restarts: Some(price(Price::Restarts) / 1000),
        lower_bound: Some(bound.restarts),
        cost_milli: Some(price(Price::Cost)),
        cost_lower_bound_milli: Some(bound.cost_milli),
        phases: Some(document.steps.len() as u64),
    };
    document.certificate = Some(bound.certificate);
    if !document.blocked.is_empty() {
        document.steps.clear();
    }
    (document, found)
}

/// What no waiver can heal: a goal that a component can never stand in.
fn single_anchors(demand: &Demand) -> Vec<Blocked> {
    let whole = |blocked: &&Blocked| blocked.link.is_none();
    demand.blocked.iter().filter(whole).cloned().collect()
}

/// The components with something to do, in the order of their steps. Those that read the same files follow each other.
fn order(model: &Model, pending: &[EventSet], takes_ms: &[u64]) -> Vec<usize> {
    let mut unit_of: Vec<Option<usize>> = vec![None; model.components.len()];
    let mut units: Vec<Vec<usize>> = Vec::new();
    for at in 0..model.components.len() {
        if pending[at].is_empty() || unit_of[at].is_some() {
            continue;
        }
        let members = match model.components[at].shared {
            Some(shared) => model.shared[shared.at()].iter().map(|m| m.at()).collect(),
            None => vec![at],
        };
        for &member in &members {
            unit_of[member] = Some(units.len());
        }
        units.push(members.into_iter().filter(|&m| !pending[m].is_empty()).collect());
    }
    let takes = units
        .iter()
        .map(|members| {
            members
                .iter()
                .map(|&m| takes_ms.get(m).copied().unwrap_or(0))
                .sum()
        })
        .collect();
    let mut arrangement = Arrangement::new(takes);
    for (pair, [first, second]) in broken_links(model, pending, &unit_of) {
        arrangement.link(pair, first, second);
    }
    arrange(&arrangement)
        .into_iter()
        .flat_map(|unit| units[unit].iter().copied())
        .collect()
}

/// For each pair of units (a, b) with a < b: how many links break where a comes first, and where b does. A mutual link
/// has an edge each way and counts once.
fn broken_links(
    model: &Model,
    pending: &[EventSet],
    unit_of: &[Option<usize>],
) -> BTreeMap<(usize, usize), [u32; 2]> {
    // By pair: edges from a to b and from b to a, each where a comes first and where b does.
    let mut edges: BTreeMap<(usize, usize), [[u32; 2]; 2]> = BTreeMap::new();
    for edge in &model.edges {
        let (Some(p), Some(v)) = (unit_of[edge.prover.at()], unit_of[edge.verifier.at()]) else {
            continue;
        };
        if p == v {
            continue;
        }
        let table = &model.acceptances[edge.acceptance.at()];
        let pends = |id: ComponentId, event: Event| pending[id.at()].has(event);
        let prover_first =
            pends(edge.prover, Event::Switch) && !table.accepts(TrustState::Old, ChainForm::New);
        let verifier_first = refuses_old(table, |event| pends(edge.verifier, event));
        let turned = usize::from(p > v);
        let count = edges.entry((p.min(v), p.max(v))).or_default();
        count[turned][turned] += u32::from(prover_first);
        count[turned][1 - turned] += u32::from(verifier_first);
    }
    edges
        .into_iter()
        .map(|(pair, [one, other])| (pair, [one[0].max(other[0]), one[1].max(other[1])]))
        .collect()
}

fn refuses_old(table: &Acceptance, pends: impl Fn(Event) -> bool) -> bool {
    let after = [(Event::Grow, TrustState::Both), (Event::Retire, TrustState::New)];
    after
        .into_iter()
        .any(|(event, trust)| pends(event) && !table.accepts(trust, ChainForm::Old))
}

fn steps(model: &Model, pending: &[EventSet], order: &[usize]) -> Vec<Step> {
    let step = |(i, &x): (usize, &usize)| {
        let component = &model.components[x];
        let wave = u32::try_from(i + 1).unwrap_or(u32::MAX);
        Step {
            id: wave.to_string(),
            wave,
            component: component.name.clone(),
            events: pending[x].iter().collect(),
            writes: Vec::new(),
            effective: Some(component.effective(pending[x])),
            chain: pending[x].has(Event::Switch).then_some(ChainForm::New),
            extra: BTreeMap::new(),
        }
    };
    order.iter().enumerate().map(step).collect()
}
