//! Orders of a product's published procedure, as constraints of a model.

use std::collections::BTreeMap;

use fleet::Snapshot;
use product::Order;
use product::OrderEvent;

use crate::model::ComponentId;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Model;
use crate::model::OneStep;
use crate::model::Precedence;

/// Adds what the procedures of the snapshot's products ask for beside safety. `model` was lowered from `snapshot`.
///
/// A write cannot come before itself: of an order, what reads the same files as something that is to come later is
/// left out of what is to come first.
///
/// # Errors
/// Sentences for components that cannot be read from the snapshot.
pub fn add_document_orders(model: &mut Model, snapshot: &Snapshot) -> Result<(), Vec<String>> {
    let mut components = Vec::new();
    let mut errors = Vec::new();
    for id in snapshot.components.keys() {
        match snapshot.component(id) {
            Ok(component) => components.push(component),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let ids: BTreeMap<String, ComponentId> = model
        .components
        .iter()
        .enumerate()
        .map(|(at, component)| (component.name.clone(), ComponentId::new(at)))
        .collect();
    let components: Vec<&product::Component> = components.iter().collect();
    for order in product::document_orders(&components) {
        add(model, &ids, order);
    }
    Ok(())
}

fn add(model: &mut Model, ids: &BTreeMap<String, ComponentId>, order: Order) {
    match order {
        Order::Before { before, after, why } => {
            let due = |named: &[(String, OrderEvent)]| -> Vec<(ComponentId, Event)> {
                let one = |(name, event): &(String, OrderEvent)| Some((*ids.get(name)?, of(*event)));
                let due = |&(id, event): &(ComponentId, Event)| model.components[id.at()].events.has(event);
                named.iter().filter_map(one).filter(due).collect()
            };
            let after = due(&after);
            let same_write = |&(id, event): &(ComponentId, Event)| {
                let set = model.components[id.at()].shared;
                let alike = |&(other, late): &(ComponentId, Event)| {
                    late == event && model.components[other.at()].shared == set
                };
                set.is_some() && after.iter().any(alike)
            };
            let before: Vec<_> = due(&before).into_iter().filter(|end| !same_write(end)).collect();
            if !before.is_empty() && !after.is_empty() {
                let reason = model.intern_reason(&why);
                model.precedences.push(Precedence {
                    before,
                    after,
                    reason,
                });
            }
        }
        Order::OneStep {
            component,
            events,
            why,
        } => {
            let Some(&component) = ids.get(&component) else {
                return;
            };
            let reason = model.intern_reason(&why);
            let events: Vec<Event> = events.into_iter().map(of).collect();
            model.one_steps.push(OneStep {
                component,
                events: EventSet::of(&events),
                reason,
            });
        }
    }
}

fn of(event: OrderEvent) -> Event {
    match event {
        OrderEvent::Grow => Event::Grow,
        OrderEvent::Retire => Event::Retire,
        OrderEvent::Switch => Event::Switch,
    }
}
