//! What a plan says beside its steps: what waits for later, and which steps a person makes and how it shows.

use std::collections::BTreeMap;

use plan::Blocked;
use plan::ComponentId;
use plan::Event;
use plan::Json;
use plan::Model;
use plan::PlanDocument;

/// Puts `waits` into the document, and `by` and `observe` into the steps that a person makes.
pub fn mark(model: &Model, document: &mut PlanDocument) {
    if !model.waiting.is_empty() {
        let entry = |waiting: &plan::Waiting| {
            object(&[
                ("component", &model.components[waiting.component.at()].name),
                ("event", waiting.event.word()),
                ("because", &waiting.because),
            ])
        };
        let waits: Vec<Json> = model.waiting.iter().map(entry).collect();
        document.extra.insert("waits".to_owned(), Json::Array(waits));
    }
    if model.by_hand.is_empty() {
        return;
    }
    let by_name: BTreeMap<&str, ComponentId> = model
        .by_hand
        .iter()
        .map(|&id| (model.components[id.at()].name.as_str(), id))
        .collect();
    for step in &mut document.steps {
        let Some(&id) = by_name.get(step.component.as_str()) else {
            continue;
        };
        let seen: Vec<Json> = step
            .events
            .iter()
            .filter_map(|&event| observation(model, id, event))
            .map(Json::String)
            .collect();
        step.extra
            .insert("by".to_owned(), Json::String("hand".to_owned()));
        step.extra.insert("observe".to_owned(), Json::Array(seen));
    }
}

/// Steps by hand of which nothing would be seen.
pub fn unseen(model: &Model, moves: impl Fn(ComponentId) -> bool) -> Vec<Blocked> {
    let blind = |id: &&ComponentId| moves(**id) && peers(model, **id).is_empty();
    let blocked = |&id: &ComponentId| Blocked {
        component: Some(model.components[id.at()].name.clone()),
        link: None,
        reason: "its steps are made by hand, and none of its links ends at a component that would show them"
            .to_owned(),
        remedies: vec![
            "name a link between it and a component of the fleet".to_owned(),
            "take it out of the rotation".to_owned(),
        ],
    };
    model.by_hand.iter().filter(blind).map(blocked).collect()
}

/// What shows that a step was made, at a component that can be looked at.
fn observation(model: &Model, id: ComponentId, event: Event) -> Option<String> {
    let name = |id: ComponentId| model.components[id.at()].name.as_str();
    let own = name(id);
    let of = |prover: bool| {
        let mut edges = model.edges.iter().filter(move |edge| match prover {
            true => edge.prover == id && !model.components[edge.verifier.at()].external,
            false => edge.verifier == id && !model.components[edge.prover.at()].external,
        });
        edges.next().map(|edge| {
            if prover {
                name(edge.verifier)
            } else {
                name(edge.prover)
            }
        })
    };
    Some(match event {
        Event::Grow => format!("{own} lets {} in with the new chain", of(false)?),
        Event::Switch => format!("{} is shown the new chain by {own}", of(true)?),
        Event::Retire => format!("{own} refuses {} with the old chain", of(false)?),
    })
}

fn peers(model: &Model, id: ComponentId) -> Vec<ComponentId> {
    let other = |edge: &plan::Edge| match (edge.prover == id, edge.verifier == id) {
        (true, false) => Some(edge.verifier),
        (false, true) => Some(edge.prover),
        _ => None,
    };
    let inside = |peer: &ComponentId| !model.components[peer.at()].external;
    model.edges.iter().filter_map(other).filter(inside).collect()
}

fn object(pairs: &[(&str, &str)]) -> Json {
    Json::Object(
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Json::String((*value).to_owned())))
            .collect(),
    )
}
