//! Which trust edges an order of steps breaks, and from which wave until which.

use std::collections::BTreeMap;

use plan::Acceptance;
use plan::ChainForm;
use plan::ComponentId;
use plan::Direction;
use plan::Edge;
use plan::Event;
use plan::EventSet;
use plan::Model;
use plan::PlanDocument;
use plan::TrustState;

/// One trust edge that does not accept at some moment of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outage {
    /// Index into the model's edges.
    pub edge: usize,
    /// The first wave in which it may be refused; 0 where it is refused before the plan begins.
    pub from: u32,
    /// The last wave in which it may be refused; `None` where the plan ends before it is accepted again.
    pub until: Option<u32>,
}

/// The edges that break while `document` is carried out, waived or not, in the order of the model. An edge that breaks,
/// works and breaks again is one outage from the first to the last.
///
/// Cost: O(edges + steps · log steps).
pub fn outages(model: &Model, document: &PlanDocument) -> Vec<Outage> {
    let times = Times::of(model, document);
    let broken = |(edge, facts): (usize, &Edge)| times.outage(edge, facts);
    model.edges.iter().enumerate().filter_map(broken).collect()
}

/// When each event reaches the files and the process of each component.
struct Times<'a> {
    model: &'a Model,
    undo: bool,
    /// What has happened at the start: to the component itself, and to its files.
    own_start: Vec<EventSet>,
    disk_start: Vec<EventSet>,
    /// By component and event: the wave of its own step, and that of the first step that writes its files.
    own: Vec<[u32; 3]>,
    first: Vec<[u32; 3]>,
    form: Vec<ChainForm>,
}

impl<'a> Times<'a> {
    fn of(model: &'a Model, document: &PlanDocument) -> Times<'a> {
        let names: BTreeMap<&str, usize> = model
            .components
            .iter()
            .enumerate()
            .map(|(at, component)| (component.name.as_str(), at))
            .collect();
        let count = model.components.len();
        let undo = document.direction == Direction::Undo;
        let mut own_start: Vec<EventSet> = model.components.iter().map(|c| c.done).collect();
        for (name, events) in document.start.iter().filter(|_| undo) {
            if let Some(&at) = names.get(name.as_str()) {
                own_start[at] = own_start[at].union(EventSet::of(events));
            }
        }
        let mut own = vec![[NEVER; 3]; count];
        let mut form = vec![ChainForm::New; count];
        for step in &document.steps {
            let Some(&at) = names.get(step.component.as_str()) else {
                continue;
            };
            for &event in &step.events {
                own[at][event as usize] = own[at][event as usize].min(step.wave);
            }
            if let (true, Some(chain)) = (step.events.contains(&Event::Switch), step.chain) {
                form[at] = chain;
            }
        }
        let (mut first, mut disk_start) = (own.clone(), own_start.clone());
        for members in &model.shared {
            let start = members
                .iter()
                .fold(EventSet::EMPTY, |all, m| all.union(own_start[m.at()]));
            let chain = members
                .iter()
                .map(|m| form[m.at()])
                .find(|&f| f == ChainForm::Cross);
            for member in members {
                disk_start[member.at()] = start;
                form[member.at()] = chain.unwrap_or(form[member.at()]);
                for event in 0..3 {
                    first[member.at()][event] =
                        members.iter().map(|m| own[m.at()][event]).min().unwrap_or(NEVER);
                }
            }
        }
        Times {
            model,
            undo,
            own_start,
            disk_start,
            own,
            first,
            form,
        }
    }

    fn outage(&self, index: usize, edge: &Edge) -> Option<Outage> {
        let ends = [
            (edge.verifier, Event::Grow),
            (edge.verifier, Event::Retire),
            (edge.prover, Event::Switch),
        ];
        let mut changes = vec![0];
        for (id, event) in ends {
            changes.push(self.first[id.at()][event as usize]);
            changes.push(self.own[id.at()][event as usize].saturating_add(1));
        }
        changes.retain(|&wave| wave != NEVER);
        changes.sort_unstable();
        changes.dedup();
        let mut found: Option<Outage> = None;
        for (i, &wave) in changes.iter().enumerate() {
            if !self.may_be_refused(edge, wave) {
                continue;
            }
            let until = changes.get(i + 1).map(|next| next - 1);
            let from = found.map_or(wave, |outage| outage.from);
            found = Some(Outage {
                edge: index,
                from,
                until,
            });
        }
        found
    }

    fn may_be_refused(&self, edge: &Edge, wave: u32) -> bool {
        let table: &Acceptance = &self.model.acceptances[edge.acceptance.at()];
        let [old, new] = self.may(edge.prover, Event::Switch, wave);
        let mut chains = Vec::with_capacity(2);
        if old {
            chains.push(ChainForm::Old);
        }
        if new {
            chains.push(self.form[edge.prover.at()]);
        }
        self.trusts(edge.verifier, wave)
            .into_iter()
            .any(|trust| chains.iter().any(|&chain| !table.accepts(trust, chain)))
    }

    /// The trust that a verifier may have during a wave.
    fn trusts(&self, id: ComponentId, wave: u32) -> Vec<TrustState> {
        let component = &self.model.components[id.at()];
        let [kept, retired] = self.may(id, Event::Retire, wave);
        let needs_no_growth = !component.events.has(Event::Grow)
            && !self.disk_start[id.at()].has(Event::Grow)
            && self.first[id.at()][Event::Grow as usize] == NEVER;
        let [small, grown] = match needs_no_growth {
            true => [true, true],
            false => self.may(id, Event::Grow, wave),
        };
        let one_write =
            component.single_anchor && self.own[id.at()][0] == self.own[id.at()][Event::Retire as usize];
        let mut trusts = Vec::with_capacity(3);
        if small && kept {
            trusts.push(TrustState::Old);
        }
        if grown && kept && !one_write && !needs_no_growth {
            trusts.push(TrustState::Both);
        }
        if grown && retired {
            trusts.push(TrustState::New);
        }
        trusts
    }

    /// Whether an event may still be absent, and whether it may be there, during a wave: a process may load what lies
    /// on disk at any moment.
    fn may(&self, id: ComponentId, event: Event, wave: u32) -> [bool; 2] {
        let at = id.at();
        let done = usize::from(!self.undo);
        let mut may = [false; 2];
        if wave > self.own[at][event as usize] {
            may[done] = true;
            return may;
        }
        may[usize::from(self.own_start[at].has(event))] = true;
        may[usize::from(self.disk_start[at].has(event))] = true;
        if wave >= self.first[at][event as usize] {
            may[done] = true;
        }
        may
    }
}

const NEVER: u32 = u32::MAX;
