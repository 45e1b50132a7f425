//! Why a component or a link stands where it does in a plan: what its steps wait for, and what waits for them.

use std::collections::BTreeMap;
use std::fmt::Write;

use plan::ChainForm;
use plan::ComponentId;
use plan::Edge;
use plan::Event;
use plan::Model;
use plan::PlanDocument;
use plan::TrustState;

use crate::cmd::show::waived_line;
use crate::cmd::show::words;
use crate::print::failure;

/// The steps of a component, or of both ends of a link (`a -> b.endpoint`), each with its reasons.
///
/// # Errors
/// A name that is no component of the plan.
pub fn explain(model: &Model, document: &PlanDocument, what: &str) -> anyhow::Result<String> {
    let named: Vec<ComponentId> = ends(model, what)?;
    let story = Story::of(model, document);
    let mut out = String::new();
    for (at, &id) in named.iter().enumerate() {
        let other = (named.len() > 1).then(|| named[1 - at.min(1)]);
        story.component(id, other, &mut out);
    }
    let names: Vec<&str> = named.iter().map(|&id| story.name(id)).collect();
    for waived in &document.waived {
        let Some((from, to)) = waived["link"].as_str().and_then(|link| link.split_once(" -> ")) else {
            continue;
        };
        let to = to.rsplit_once('.').map_or(to, |(to, _)| to);
        if names.iter().all(|name| *name == from || *name == to) {
            let _ = writeln!(out, "  {}", waived_line(waived));
        }
    }
    Ok(out)
}

/// The component, or the two ends of the link.
fn ends(model: &Model, what: &str) -> anyhow::Result<Vec<ComponentId>> {
    let find = |name: &str| {
        let at = model
            .components
            .iter()
            .position(|component| component.name == name);
        at.map(ComponentId::new)
    };
    if let Some(id) = find(what.trim()) {
        return Ok(vec![id]);
    }
    let mut found = Vec::new();
    for part in what.split("->").map(str::trim) {
        // Of `name.endpoint` the endpoint does not matter; a name may have points of its own.
        let id = find(part).or_else(|| find(part.rsplit_once('.')?.0));
        let id = id.ok_or_else(|| {
            failure(
                format!("`{part}` is not a component of this plan"),
                "capgrow scan lists them; a link is written `from -> to`",
            )
        })?;
        found.push(id);
    }
    found.truncate(2);
    Ok(found)
}

struct Story<'a> {
    model: &'a Model,
    document: &'a PlanDocument,
    /// The phase of each event of each component.
    phase: BTreeMap<(&'a str, Event), u32>,
}

/// Events of others that one event waits for, or that wait for it.
#[derive(Default)]
struct Others<'a> {
    /// The other's name with its phase.
    named: BTreeMap<&'a str, u32>,
    /// Why, once for each sentence of a validator.
    refusals: BTreeMap<&'a str, &'a str>,
    /// Through which reader of the same files it concerns the component.
    through: BTreeMap<&'a str, &'a str>,
}

impl<'a> Story<'a> {
    fn of(model: &'a Model, document: &'a PlanDocument) -> Story<'a> {
        let mut phase = BTreeMap::new();
        for step in &document.steps {
            for &event in &step.events {
                phase.insert((step.component.as_str(), event), step.wave);
            }
        }
        Story {
            model,
            document,
            phase,
        }
    }

    fn component(&self, id: ComponentId, other: Option<ComponentId>, out: &mut String) {
        let name = self.name(id);
        let readers = self.readers(id);
        if readers.len() > 1 {
            let others: Vec<&str> = readers
                .iter()
                .filter(|&&r| r != id)
                .map(|&r| self.name(r))
                .collect();
            let _ = writeln!(
                out,
                "{name} reads the same files as {}: what is written for one is written for all",
                others.join(", ")
            );
        }
        let steps = self.document.steps.iter().filter(|step| step.component == name);
        let mut any = false;
        for step in steps {
            any = true;
            let _ = writeln!(out, "phase {}: {name} {}", step.wave, words(&step.events));
            let mut latest: Option<(u32, &str, Event)> = None;
            for &event in &step.events {
                let (before, after) = (
                    self.waits_for(id, event, other),
                    self.is_waited_for(id, event, other),
                );
                for (&peer, &phase) in &before.named {
                    if latest.is_none_or(|(known, ..)| known < phase) {
                        latest = Some((phase, peer, earlier(event)));
                    }
                }
                told_before(event, &before, name, out);
                told_after(event, &after, out);
            }
            self.place_in_order(step.wave, latest, out);
        }
        if !any {
            let _ = writeln!(out, "{name}: nothing is to be done");
        }
        if other.is_none() {
            self.asked_beside_safety(name, out);
        }
    }

    /// What fixed the phase.
    fn place_in_order(&self, wave: u32, latest: Option<(u32, &str, Event)>, out: &mut String) {
        if wave == 1 || self.document.extra.contains_key("strategy") {
            return;
        }
        let _ = match latest {
            Some((phase, peer, event)) if phase + 1 == wave => {
                writeln!(
                    out,
                    "  not before phase {wave}: the {event} of {peer} is in phase {phase}"
                )
            }
            _ => writeln!(
                out,
                "  its links would let it stand earlier: it stands here with what else it does, or for an order, a group or a canary"
            ),
        };
    }

    /// The events of others that must be effective before this one is written.
    fn waits_for(&self, id: ComponentId, event: Event, other: Option<ComponentId>) -> Others<'a> {
        let readers = self.readers(id);
        let mut found = Others::default();
        for edge in self.model.edges.iter().filter(|edge| !edge.waived) {
            let (mine, peer, first, cell) = match event {
                Event::Grow => return found,
                Event::Switch => (
                    edge.prover,
                    edge.verifier,
                    Event::Grow,
                    (TrustState::Old, self.form(edge)),
                ),
                Event::Retire => (
                    edge.verifier,
                    edge.prover,
                    Event::Switch,
                    (TrustState::New, ChainForm::Old),
                ),
            };
            if readers.contains(&mine) && other.is_none_or(|other| other == peer) {
                self.put(&mut found, (id, mine), (peer, first), (edge, cell));
            }
        }
        found
    }

    /// The events of others that are written only after this one is effective.
    fn is_waited_for(&self, id: ComponentId, event: Event, other: Option<ComponentId>) -> Others<'a> {
        let mut found = Others::default();
        for edge in self.model.edges.iter().filter(|edge| !edge.waived) {
            let (mine, peer, then, cell) = match event {
                Event::Grow => (
                    edge.verifier,
                    edge.prover,
                    Event::Switch,
                    (TrustState::Old, self.form(edge)),
                ),
                Event::Switch => (
                    edge.prover,
                    edge.verifier,
                    Event::Retire,
                    (TrustState::New, ChainForm::Old),
                ),
                Event::Retire => return found,
            };
            if mine == id && other.is_none_or(|other| other == peer) {
                self.put(&mut found, (id, id), (peer, then), (edge, cell));
            }
        }
        found
    }

    fn put(
        &self,
        found: &mut Others<'a>,
        (id, mine): (ComponentId, ComponentId),
        (peer, event): (ComponentId, Event),
        (edge, (trust, chain)): (&Edge, (TrustState, ChainForm)),
    ) {
        let table = &self.model.acceptances[edge.acceptance.at()];
        let Some(reason) = table.rejection(trust, chain) else {
            return;
        };
        let name = self.name(peer);
        let Some(&phase) = self.phase.get(&(name, event)) else {
            return;
        };
        found.named.insert(name, phase);
        if mine != id {
            found.through.entry(name).or_insert(self.name(mine));
        }
        let reason = self.model.reasons[reason.at()].as_str();
        found.refusals.entry(reason).or_insert(self.name(edge.verifier));
    }

    /// The form that the prover switches to.
    fn form(&self, edge: &Edge) -> ChainForm {
        let name = self.name(edge.prover);
        let steps = self.document.steps.iter().filter(|step| step.component == name);
        steps
            .filter_map(|step| step.chain)
            .next()
            .unwrap_or(ChainForm::New)
    }

    /// The orders that somebody asked for and a component waits for, with their reasons.
    fn asked_beside_safety(&self, name: &str, out: &mut String) {
        let reason = |id: plan::ReasonId| &self.model.reasons[id.at()];
        for asked in self
            .model
            .one_steps
            .iter()
            .filter(|asked| self.name(asked.component) == name)
        {
            let events: Vec<Event> = asked.events.iter().collect();
            let _ = writeln!(out, "  {} in one step: {}", words(&events), reason(asked.reason));
        }
        for order in &self.model.precedences {
            let waiting = order.after.iter().filter(|(id, _)| self.name(*id) == name);
            let waits: Vec<Event> = waiting.map(|(_, event)| *event).collect();
            if waits.is_empty() {
                continue;
            }
            let first: Vec<String> = (order.before.iter().take(3))
                .map(|(id, event)| format!("{} {event}", self.name(*id)))
                .collect();
            let more = match order.before.len().saturating_sub(first.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = writeln!(
                out,
                "  {} only after {}{more}: {}",
                words(&waits),
                first.join(", "),
                reason(order.reason)
            );
        }
    }

    fn readers(&self, id: ComponentId) -> Vec<ComponentId> {
        match self.model.components[id.at()].shared {
            Some(shared) => self.model.shared[shared.at()].clone(),
            None => vec![id],
        }
    }

    fn name(&self, id: ComponentId) -> &'a str {
        &self.model.components[id.at()].name
    }
}

fn told_before(event: Event, before: &Others<'_>, name: &str, out: &mut String) {
    if before.named.is_empty() {
        return;
    }
    let why = match event {
        Event::Switch => "all who verify it must trust the new chain before it is presented",
        _ => "all whom it verifies must present the new chain before the old one is no longer trusted",
    };
    let _ = writeln!(out, "  {event} waits for {}: {why}", before.list(name));
    for (reason, verifier) in &before.refusals {
        let _ = writeln!(out, "    otherwise {verifier} says: {reason}");
    }
}

fn told_after(event: Event, after: &Others<'_>, out: &mut String) {
    if after.named.is_empty() {
        return;
    }
    let then = match event {
        Event::Grow => "they present the new chain only then",
        _ => "they stop trusting the old chain only then",
    };
    let _ = writeln!(out, "  after the {event}: {}; {then}", after.list(""));
}

impl Others<'_> {
    /// `a, b (phase 1), c (phase 2, which talks to d)`.
    fn list(&self, name: &str) -> String {
        let mut by_phase: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (peer, phase) in &self.named {
            let through = self.through.get(peer).filter(|through| **through != name);
            let text = match through {
                Some(through) => format!("{peer} (it talks to {through})"),
                None => (*peer).to_owned(),
            };
            by_phase.entry(*phase).or_default().push(text);
        }
        let lists = by_phase
            .iter()
            .map(|(phase, names)| format!("{} in phase {phase}", names.join(", ")));
        lists.collect::<Vec<_>>().join(", ")
    }
}

fn earlier(event: Event) -> Event {
    match event {
        Event::Switch => Event::Grow,
        _ => Event::Switch,
    }
}
