//! What the edges ask for: which events are due, which must precede which, and what no order can give.

use plan::Blocked;
use plan::ChainForm;
use plan::Component;
use plan::ComponentId;
use plan::Edge;
use plan::Event;
use plan::EventSet;
use plan::Goal;
use plan::Model;
use plan::TrustState;

use crate::by_hand;
use crate::digraph::Digraph;

/// The orders that make a plan safe. Nodes are components.
pub struct Demand {
    /// The events still to come, by component.
    pub pending: Vec<EventSet>,
    /// The form of the chain that each component switches to.
    pub chain: Vec<ChainForm>,
    /// An arc (x, y): grow of x strictly before switch of y.
    pub early: Digraph,
    /// The arcs of `early` that hold whichever chain the prover presents; `None` when that is all of them.
    pub early_always: Option<Digraph>,
    /// Grow and retire of the component are apart in every plan.
    pub apart: Vec<bool>,
    /// An arc (x, y): switch of x strictly before retire of y.
    pub late: Digraph,
    /// Whether grow of a component must precede anything.
    pub grow_bound: Vec<bool>,
    /// Whether retire of a component must follow anything.
    pub retire_bound: Vec<bool>,
    /// What no order can give.
    pub blocked: Vec<Blocked>,
}

/// What the demand says of one component alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The events still to come.
    pub pending: EventSet,
    /// Grow and retire are apart in every plan.
    pub apart: bool,
    /// Grow must precede something.
    pub grow_bound: bool,
    /// Retire must follow something.
    pub retire_bound: bool,
}

/// What one edge asks for.
#[derive(Debug, Default)]
pub struct Asked {
    /// The verifier grows before the prover switches.
    pub early: bool,
    /// The same, whichever chain the prover presents.
    pub always: bool,
    /// The prover switches before the verifier retires.
    pub late: bool,
    /// What no order can give.
    pub blocked: Vec<Blocked>,
}

impl Demand {
    /// What one component has to do, and how that is bound.
    pub fn local(&self, x: usize) -> Local {
        Local {
            pending: self.pending[x],
            apart: self.apart[x],
            grow_bound: self.grow_bound[x],
            retire_bound: self.retire_bound[x],
        }
    }

    /// What an edge asks for in a model of which `pending` and `chain` are up to date.
    pub fn asked(&self, model: &Model, edge: &Edge) -> Asked {
        let asking = Asking {
            model,
            pending: &self.pending,
            chain: &self.chain,
        };
        asking.edge(edge)
    }

    /// Reads the demand off the edges. Linear, but for sets of shared files, whose readers all count.
    pub fn of(model: &Model, goal: Goal) -> Demand {
        let pending: Vec<EventSet> = model
            .components
            .iter()
            .map(|c| c.wanted(goal).without(c.done))
            .collect();
        let chain = choose_chains(model);
        let asking = Asking {
            model,
            pending: &pending,
            chain: &chain,
        };
        let mut apart = vec![false; pending.len()];
        let (mut early, mut by_choice, mut late) = (Vec::new(), Vec::new(), Vec::new());
        let mut blocked = Vec::new();
        for edge in model.edges.iter().filter(|e| !e.waived) {
            let mut asked = asking.edge(edge);
            blocked.append(&mut asked.blocked);
            let (p, v) = (edge.prover, edge.verifier);
            apart[v.at()] |= asked.apart() && pending[p.at()].has(Event::Switch);
            if asked.early {
                let arcs = if asked.always { &mut early } else { &mut by_choice };
                put_arcs(model, &pending, (v, p, Event::Switch), arcs);
            }
            if asked.late {
                put_arcs(model, &pending, (p, v, Event::Retire), &mut late);
            }
        }
        asking.single_anchors(goal, &mut blocked);
        asking.groups(&mut blocked);
        blocked.extend(by_hand::unseen(model, |id| !pending[id.at()].is_empty()));
        let count = pending.len();
        let mut grow_bound = vec![false; count];
        let mut retire_bound = vec![false; count];
        let early_always = (!by_choice.is_empty()).then(|| Digraph::new(count, &early));
        early.extend(by_choice);
        for &(x, _) in &early {
            grow_bound[x as usize] = true;
        }
        for &(_, y) in &late {
            retire_bound[y as usize] = true;
        }
        let (early, late) = (Digraph::new(count, &early), Digraph::new(count, &late));
        Demand {
            pending,
            chain,
            early,
            early_always,
            apart,
            late,
            grow_bound,
            retire_bound,
            blocked,
        }
    }
}

/// A cross-signed chain is presented where it helps somewhere and hurts nowhere; by all readers of a file or none.
fn choose_chains(model: &Model) -> Vec<ChainForm> {
    let count = model.components.len();
    let mut helps = vec![false; count];
    let mut hurts: Vec<bool> = model.components.iter().map(|c| !c.cross).collect();
    for edge in model.edges.iter().filter(|e| !e.waived) {
        let table = &model.acceptances[edge.acceptance.at()];
        let cross = |trust| table.accepts(trust, ChainForm::Cross);
        let new = |trust| table.accepts(trust, ChainForm::New);
        helps[edge.prover.at()] |= cross(TrustState::Old) && !new(TrustState::Old);
        hurts[edge.prover.at()] |= [TrustState::Old, TrustState::Both, TrustState::New]
            .into_iter()
            .any(|trust| new(trust) && !cross(trust));
    }
    for members in &model.shared {
        let switching =
            |m: &&ComponentId| model.components[m.at()].events.has(Event::Switch) || helps[m.at()];
        let help = members.iter().any(|m| helps[m.at()]);
        let hurt = members.iter().filter(switching).any(|m| hurts[m.at()]);
        for member in members {
            helps[member.at()] = help;
            hurts[member.at()] = hurt;
        }
    }
    let form = |(&helps, &hurts): (&bool, &bool)| match helps && !hurts {
        true => ChainForm::Cross,
        false => ChainForm::New,
    };
    helps.iter().zip(&hurts).map(form).collect()
}

/// From `x` to every reader of the files of `end` that `event` is due for.
fn put_arcs(
    model: &Model,
    pending: &[EventSet],
    (x, end, event): (ComponentId, ComponentId, Event),
    arcs: &mut Vec<(u32, u32)>,
) {
    match model.components[end.at()].shared {
        None => arcs.push((x.0, end.0)),
        Some(shared) => {
            let readers = model.shared[shared.at()].iter();
            arcs.extend(readers.filter(|m| pending[m.at()].has(event)).map(|m| (x.0, m.0)));
        }
    }
}

impl Asked {
    /// The verifier's grow and retire are apart, if the prover has to switch itself.
    pub fn apart(&self) -> bool {
        self.early && self.always && self.late
    }
}

struct Asking<'a> {
    model: &'a Model,
    pending: &'a [EventSet],
    chain: &'a [ChainForm],
}

impl<'a> Asking<'a> {
    fn edge(&self, edge: &Edge) -> Asked {
        let (p, v) = (edge.prover, edge.verifier);
        let table = self.model.acceptances[edge.acceptance.at()];
        let chain = self.chain[p.at()];
        let (prover, verifier) = (self.component(p), self.component(v));
        let now = match (verifier.done.has(Event::Grow), verifier.done.has(Event::Retire)) {
            (_, true) => TrustState::New,
            (true, false) => TrustState::Both,
            (false, false) => TrustState::Old,
        };
        let presented = if prover.done.has(Event::Switch) {
            ChainForm::New
        } else {
            ChainForm::Old
        };
        if let Some(reason) = table.rejection(now, presented) {
            let reason = format!("the link is broken already: {}", self.model.reasons[reason.at()]);
            let remedies = ["repair it and scan again", "waive it in capgrow.toml"];
            return self.block_edge(edge, reason, &remedies);
        }
        let switching = self.any_pending(p, Event::Switch);
        let retiring = self.any_pending(v, Event::Retire);
        let early = switching && !table.accepts(TrustState::Old, chain) && !verifier.done.has(Event::Grow);
        let late =
            retiring && !table.accepts(TrustState::New, ChainForm::Old) && !prover.done.has(Event::Switch);
        if early && late && verifier.single_anchor {
            return self.block_single(edge);
        }
        if early && !self.pending[v.at()].has(Event::Grow) {
            return self.block_stuck(
                edge,
                verifier,
                "does not trust the new chain and cannot be changed",
            );
        }
        if late && !self.pending[p.at()].has(Event::Switch) {
            return self.block_stuck(edge, prover, "goes on presenting the old chain");
        }
        let after = if switching { chain } else { presented };
        for (reached, trust, chain) in [
            (
                self.any_pending(v, Event::Grow) && !verifier.single_anchor,
                TrustState::Both,
                presented,
            ),
            (switching && !verifier.single_anchor, TrustState::Both, after),
            (retiring, TrustState::New, after),
        ] {
            if let (true, Some(reason)) = (reached, table.rejection(trust, chain)) {
                let reason = self.model.reasons[reason.at()].clone();
                let remedies = [
                    "issue the new chain in a form that this verifier accepts",
                    "waive the link",
                ];
                return self.block_edge(edge, reason, &remedies);
            }
        }
        Asked {
            early,
            late,
            always: !(prover.cross && table.accepts(TrustState::Old, ChainForm::Cross)),
            blocked: Vec::new(),
        }
    }

    fn any_pending(&self, id: ComponentId, event: Event) -> bool {
        match self.component(id).shared {
            None => self.pending[id.at()].has(event),
            Some(set) => self.model.shared[set.at()]
                .iter()
                .any(|m| self.pending[m.at()].has(event)),
        }
    }

    fn single_anchors(&self, goal: Goal, blocked: &mut Vec<Blocked>) {
        for (at, component) in self.model.components.iter().enumerate() {
            let grows = self.pending[at].has(Event::Grow);
            if goal == Goal::Coexistence && component.single_anchor && grows {
                blocked.push(Blocked {
                    component: Some(component.name.clone()),
                    link: None,
                    reason: "its trust store holds one anchor only and can never trust both generations"
                        .into(),
                    remedies: vec!["plan --until retired, with a cross-signed chain".into()],
                });
            }
        }
    }

    /// A group that lets none of its members have a step.
    fn groups(&self, blocked: &mut Vec<Blocked>) {
        for group in self.model.groups.iter().filter(|group| group.max == 0) {
            let moves = |member: &&ComponentId| !self.pending[member.at()].is_empty();
            let Some(member) = group.members.iter().find(moves) else {
                continue;
            };
            let names: Vec<&str> = group
                .members
                .iter()
                .map(|&id| self.component(id).name.as_str())
                .collect();
            blocked.push(Blocked {
                component: Some(self.component(*member).name.clone()),
                link: None,
                reason: format!("none of {} may ever have a step", names.join(", ")),
                remedies: vec![
                    "allow one at a time (max=1; in capgrow.toml `down` or `at-once` of 1)".to_owned(),
                    "make its changes effective without a restart, and take it out of the group".to_owned(),
                ],
            });
        }
    }

    fn block_single(&self, edge: &Edge) -> Asked {
        let name = &self.component(edge.verifier).name;
        let reason = format!(
            "{name} holds one trust anchor only: before it is replaced the new chain is refused, after it the old one"
        );
        let remedies = [
            "cross-sign the new root with the old one and present that chain",
            "reissue the certificate with the same issuer key",
            "give the peer a second listener with its own identity until the anchor is replaced",
            "state an outage of this link in a waiver",
        ];
        self.block_edge(edge, reason, &remedies)
    }

    fn block_stuck(&self, edge: &Edge, stuck: &Component, why: &str) -> Asked {
        let reason = format!("{} {why}", stuck.name);
        let owner = if stuck.external {
            "have its owner confirm the change (trusts-new-since)"
        } else {
            "add it to the rotation"
        };
        self.block_edge(
            edge,
            reason,
            &[
                owner,
                "cross-sign the new root with the old one",
                "waive the link",
            ],
        )
    }

    fn block_edge(&self, edge: &Edge, reason: String, remedies: &[&str]) -> Asked {
        let (prover, verifier) = (self.component(edge.prover), self.component(edge.verifier));
        let ends = [(edge.prover, edge.verifier), (edge.verifier, edge.prover)];
        let ended = self
            .model
            .ended_waivers
            .iter()
            .find(|waiver| ends.contains(&(waiver.from, waiver.to)));
        let renew = ended.map(|waiver| format!("renew its waiver, which ended on {}", waiver.until));
        let blocked = Blocked {
            component: Some(verifier.name.clone()),
            link: Some(format!("{} -> {}", prover.name, verifier.name)),
            reason,
            remedies: remedies.iter().map(|&r| r.to_owned()).chain(renew).collect(),
        };
        Asked {
            blocked: vec![blocked],
            ..Asked::default()
        }
    }

    fn component(&self, id: ComponentId) -> &'a Component {
        &self.model.components[id.at()]
    }
}
