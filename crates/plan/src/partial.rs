//! A plan for what can be done while something cannot be reached: which events wait, and for what.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::circumstances::Waiting;
use crate::model::ChainForm;
use crate::model::ComponentId;
use crate::model::Event;
use crate::model::Model;
use crate::model::TrustState;

/// Takes every event of these components out of the model, and every event of others that needs one of those: who
/// presents to a verifier that cannot grow does not switch, and who verifies what goes on presenting the old chain does
/// not retire. What waits is listed in [`Model::waiting`]; what is left can be planned and proved as any other model.
///
/// Cost: O(edges) for each round; rounds end when nothing more waits, after a few.
pub fn set_aside(model: &mut Model, stuck: &[(ComponentId, String)]) {
    let mut work = Work {
        model,
        waiting: BTreeMap::new(),
        stuck: stuck.iter().map(|(id, _)| *id).collect(),
    };
    for (id, why) in stuck {
        for event in Event::ALL {
            work.put(*id, event, why);
        }
    }
    while work.round() {}
    let waiting = work.waiting;
    model.waiting = waiting
        .into_iter()
        .map(|((component, event), because)| Waiting {
            component,
            event,
            because,
        })
        .collect();
}

struct Work<'a> {
    model: &'a mut Model,
    waiting: BTreeMap<(ComponentId, Event), String>,
    stuck: BTreeSet<ComponentId>,
}

impl Work<'_> {
    /// Lets an event wait, for every reader of the same files. Whether it was still to come.
    fn put(&mut self, id: ComponentId, event: Event, because: &str) -> bool {
        let readers = match self.model.components[id.at()].shared {
            Some(shared) => self.model.shared[shared.at()].clone(),
            None => vec![id],
        };
        let mut any = false;
        for reader in readers {
            let component = &mut self.model.components[reader.at()];
            if component.events.has(event) && !component.done.has(event) {
                component.events = component.events.without(crate::model::EventSet::of(&[event]));
                self.waiting.insert((reader, event), because.to_owned());
                any = true;
            }
        }
        any
    }

    /// Whether it will not happen for now. Of what is stuck nothing does, whatever was known to be due.
    fn waits(&self, id: ComponentId, event: Event) -> bool {
        let stuck = self.stuck.contains(&id) && !self.model.components[id.at()].done.has(event);
        stuck || self.waiting.contains_key(&(id, event))
    }

    /// Whether anything more waits now.
    fn round(&mut self) -> bool {
        let mut any = false;
        for edge in self.model.edges.clone().iter().filter(|edge| !edge.waived) {
            let table = self.model.acceptances[edge.acceptance.at()];
            let (prover, verifier) = (edge.prover, edge.verifier);
            let [prover_name, verifier_name] =
                [prover, verifier].map(|id| self.model.components[id.at()].name.clone());
            let cross =
                self.model.components[prover.at()].cross && table.accepts(TrustState::Old, ChainForm::Cross);
            if self.waits(verifier, Event::Grow) && !table.accepts(TrustState::Old, ChainForm::New) && !cross
            {
                let because = format!("{verifier_name} cannot trust the new chain yet");
                any |= self.put(prover, Event::Switch, &because);
            }
            // What somebody stuck presents may not even be known: whoever verifies it keeps what it trusts.
            let needs_old = self.stuck.contains(&prover) || !table.accepts(TrustState::New, ChainForm::Old);
            if self.waits(prover, Event::Switch) && needs_old {
                let because = format!("{prover_name} goes on presenting the old chain");
                any |= self.put(verifier, Event::Retire, &because);
            }
        }
        for at in 0..self.model.components.len() {
            let id = ComponentId::new(at);
            if self.model.components[at].single_anchor {
                for (one, other) in [(Event::Grow, Event::Retire), (Event::Retire, Event::Grow)] {
                    if self.waits(id, one) {
                        any |= self.put(id, other, "its trust store holds one anchor only");
                    }
                }
            }
        }
        any
    }
}
