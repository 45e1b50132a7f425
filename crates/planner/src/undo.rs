//! The way back: undoing is a rotation towards the old generation, and is planned as one.

use std::collections::BTreeMap;

use plan::Acceptance;
use plan::ChainForm;
use plan::Direction;
use plan::Event;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::TrustState;

use crate::plan_model::plan_model;

/// Plans the undoing of what `start` says has happened, back to where `model` began.
///
/// `start` lists for each component everything that is, or may be, effective or written: after a stop in the
/// middle of a wave, the events of that wave too. Chain forms are those of `forward`, the plan that was followed.
/// The document says `direction: undo` and goes through the same checker.
pub fn plan_undo(
    model: &Model,
    forward: &PlanDocument,
    start: &BTreeMap<String, Vec<Event>>,
) -> PlanDocument {
    let mut start_sets: Vec<EventSet> = Vec::with_capacity(model.components.len());
    for component in &model.components {
        let events = start
            .get(&component.name)
            .map_or(EventSet::EMPTY, |events| EventSet::of(events));
        start_sets.push(component.done.union(events));
    }
    for members in &model.shared {
        let any = members
            .iter()
            .fold(EventSet::EMPTY, |all, m| all.union(start_sets[m.at()]));
        for member in members {
            let own = start_sets[member.at()].union(any);
            start_sets[member.at()] = own;
        }
    }
    let forms = forms(model, forward);
    let mirror = mirrored(model, &start_sets, &forms);
    let mut document = plan_model(&mirror, Goal::Retired);
    document.goal = forward.goal;
    document.direction = Direction::Undo;
    let names: BTreeMap<&str, usize> = model
        .components
        .iter()
        .enumerate()
        .map(|(x, c)| (c.name.as_str(), x))
        .collect();
    for step in &mut document.steps {
        let start = names
            .get(step.component.as_str())
            .map_or(EventSet::EMPTY, |&x| start_sets[x]);
        step.events = step
            .events
            .iter()
            .map(|&e| turned(e))
            .filter(|&e| start.has(e))
            .collect();
        if step.events.contains(&Event::Switch) {
            step.chain = forms
                .get(step.component.as_str())
                .copied()
                .or(Some(ChainForm::New));
        }
    }
    let listed = |(c, set): (&plan::Component, &EventSet)| (c.name.clone(), set.iter().collect::<Vec<_>>());
    document.start = model
        .components
        .iter()
        .zip(&start_sets)
        .filter(|(c, set)| !set.without(c.done).is_empty())
        .map(listed)
        .collect();
    document
}

fn forms<'a>(model: &'a Model, forward: &'a PlanDocument) -> BTreeMap<&'a str, ChainForm> {
    let mut forms = BTreeMap::new();
    for step in &forward.steps {
        if let (true, Some(form)) = (step.events.contains(&Event::Switch), step.chain) {
            forms.insert(step.component.as_str(), form);
        }
    }
    for members in &model.shared {
        let names = members.iter().map(|m| model.components[m.at()].name.as_str());
        if let Some(form) = names.clone().find_map(|n| forms.get(n).copied()) {
            forms.extend(names.map(|n| (n, form)));
        }
    }
    forms
}

/// The fleet as seen from the other end: what is new is old, and to undo a retirement is to grow.
fn mirrored(model: &Model, start: &[EventSet], forms: &BTreeMap<&str, ChainForm>) -> Model {
    let mut mirror = model.clone();
    mirror.precedences.clear();
    mirror.one_steps.clear();
    let trust = EventSet::of(&[Event::Grow, Event::Retire]);
    for (component, &start) in mirror.components.iter_mut().zip(start) {
        let kept = component.done;
        let grows = component.events.union(start).has(Event::Grow);
        component.cross = false;
        component.done = turned_set(EventSet::ALL.without(start));
        component.events = turned_set(EventSet::ALL.without(kept));
        if !grows && start.has(Event::Retire) {
            // It held the new anchors all along: taking the retirement back is the whole way back.
            component.done = component.done.without(trust);
            if kept.has(Event::Retire) {
                component.events = component.events.without(trust);
            } else {
                component.single_anchor = true;
            }
        }
    }
    for edge in &mut mirror.edges {
        let name = model.components[edge.prover.at()].name.as_str();
        let now = forms.get(name).copied().unwrap_or(ChainForm::New);
        let table = model.acceptances[edge.acceptance.at()];
        let mut turned = Acceptance::EVERYTHING;
        let trusts = [
            (TrustState::New, TrustState::Old),
            (TrustState::Both, TrustState::Both),
            (TrustState::Old, TrustState::New),
        ];
        for (trust, seen) in trusts {
            for (chain, seen_chain) in [
                (now, ChainForm::Old),
                (ChainForm::Old, ChainForm::New),
                (ChainForm::Old, ChainForm::Cross),
            ] {
                if let Some(reason) = table.rejection(trust, chain) {
                    turned = turned.rejecting(seen, seen_chain, reason);
                }
            }
        }
        let found = mirror
            .acceptances
            .iter()
            .position(|t| *t == turned)
            .unwrap_or_else(|| {
                mirror.acceptances.push(turned);
                mirror.acceptances.len() - 1
            });
        edge.acceptance = plan::AcceptanceId::new(found);
    }
    mirror
}

fn turned(event: Event) -> Event {
    match event {
        Event::Grow => Event::Retire,
        Event::Retire => Event::Grow,
        Event::Switch => Event::Switch,
    }
}

fn turned_set(set: EventSet) -> EventSet {
    set.iter()
        .fold(EventSet::EMPTY, |turned_set, e| turned_set.with(turned(e)))
}
