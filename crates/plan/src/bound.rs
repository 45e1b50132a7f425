//! Verifies a stored lower bound from its certificate. Nothing here looks at the steps of the plan.
//!
//! Every component has a cheapest way through its events. The certificate names sets of components that cannot
//! all take their cheapest way; each set adds at least its `extra`. A component pays at most the difference to
//! its second cheapest way, and that amount is spread over the sets that name it, never spent twice.

use crate::document::Direction;
use crate::document::Obstruction;
use crate::document::PlanDocument;
use crate::model::ChainForm;
use crate::model::Component;
use crate::model::ComponentId;
use crate::model::Edge;
use crate::model::Effective;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Goal;
use crate::model::Model;
use crate::model::TrustState;
use crate::names::Names;

/// What a stored lower bound is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundStatus {
    /// The certificate does not give what the plan says.
    False,
    /// There is no certificate, or the search behind it is too large to repeat.
    Unproven,
    /// The certificate gives exactly what the plan says.
    Verified,
}

impl BoundStatus {
    /// The word used in the answer of `check`.
    pub fn word(self) -> &'static str {
        match self {
            BoundStatus::False => "false",
            BoundStatus::Unproven => "unproven",
            BoundStatus::Verified => "verified",
        }
    }
}

/// Judges the lower bounds that a document claims; of a false one it says why.
pub(crate) fn judge(model: &Model, document: &PlanDocument, names: &Names) -> (BoundStatus, Option<String>) {
    let claims = &document.claims;
    let in_milli = claims.lower_bound.map(|n| n.saturating_mul(1000));
    let claimed = [
        ("cost_lower_bound", Weight::Cost, claims.cost_lower_bound_milli),
        ("lower_bound", Weight::Restarts, in_milli),
    ];
    if document.direction == Direction::Undo || !document.blocked.is_empty() {
        return (BoundStatus::Unproven, None);
    }
    let certificate = document.certificate.clone().unwrap_or_default();
    let mut judging = Judging::of(model, document.goal, names);
    let mut status = BoundStatus::Verified;
    let mut before: Option<u64> = None;
    for (key, weight, claimed) in claimed {
        let obstructions = if weight == Weight::Cost {
            &certificate.cost
        } else {
            &certificate.restarts
        };
        let Some(claimed) = claimed else {
            status = BoundStatus::Unproven;
            continue;
        };
        // The same sets at the same prices prove the same.
        let again = before.filter(|_| certificate.cost == certificate.restarts && judging.prices_agree());
        let proved = again.map_or_else(|| judging.prove(weight, obstructions), Ok);
        before = proved.as_ref().ok().copied();
        match proved {
            Err(Doubt::Wrong(reason)) => return (BoundStatus::False, Some(format!("{key}: {reason}"))),
            Err(Doubt::TooLarge) => status = BoundStatus::Unproven,
            Ok(proven) if proven == claimed => {}
            Ok(proven) if proven < claimed && document.certificate.is_none() => {
                status = BoundStatus::Unproven
            }
            Ok(proven) => {
                let [said, proven] = [claimed, proven].map(|milli| milli as f64 / 1000.0);
                let reason = format!("{key}: the plan says {said}, its certificate proves {proven}");
                return (BoundStatus::False, Some(reason));
            }
        }
    }
    (status, None)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Cost,
    Restarts,
}

enum Doubt {
    Wrong(String),
    TooLarge,
}

/// How a component can go at its cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// There is one way only, and it disturbs nobody.
    Fixed,
    /// Everything in one step.
    Single,
    /// Grow and retire must be apart; the switch joins the one or the other.
    Split,
}

struct Judging<'a> {
    model: &'a Model,
    names: &'a Names,
    pending: Vec<EventSet>,
    way: Vec<Way>,
    /// Those who prove to a component that must grow for them, and who verify one that must switch for them. Built when
    /// first needed.
    provers: Rows,
    verifiers: Rows,
    /// Position of a component in the obstruction at hand, else `OUTSIDE`.
    place: Vec<u32>,
    work: u64,
}

impl<'a> Judging<'a> {
    fn of(model: &'a Model, goal: Goal, names: &'a Names) -> Judging<'a> {
        let pending: Vec<EventSet> = model
            .components
            .iter()
            .map(|c| c.wanted(goal).without(c.done))
            .collect();
        let mut apart = vec![false; pending.len()];
        let late: Vec<bool> = (0..model.acceptances.len())
            .map(|table| refuses_late(model, table))
            .collect();
        for edge in model.edges.iter().filter(|e| !e.waived) {
            let table = edge.acceptance.at();
            if apart[edge.verifier.at()] || !late[table] {
                continue;
            }
            let early = refuses_early(model, table, &model.components[edge.prover.at()]);
            if early && pending[edge.prover.at()].has(Event::Switch) {
                apart[edge.verifier.at()] = true;
            }
        }
        let way = pending
            .iter()
            .zip(&apart)
            .map(|(&p, &apart)| way(p, apart))
            .collect();
        Judging {
            model,
            names,
            pending,
            way,
            provers: Rows::default(),
            verifiers: Rows::default(),
            place: Vec::new(),
            work: 0,
        }
    }

    /// Whether restarts and cost are the same numbers.
    fn prices_agree(&self) -> bool {
        self.model.components.iter().enumerate().all(|(at, component)| {
            let price = |weight| cheapest(component, self.pending[at], self.way[at], weight);
            price(Weight::Cost) == price(Weight::Restarts)
        })
    }

    /// The bound that the obstructions prove, in thousandths.
    fn prove(&mut self, weight: Weight, obstructions: &[Obstruction]) -> Result<u64, Doubt> {
        let mut total = 0_u64;
        let mut rest = Vec::with_capacity(self.pending.len());
        for (at, component) in self.model.components.iter().enumerate() {
            let (base, extra) = cheapest(component, self.pending[at], self.way[at], weight);
            total = total.saturating_add(base);
            rest.push(extra);
        }
        if !obstructions.is_empty() && self.place.is_empty() {
            self.index_edges();
        }
        for obstruction in obstructions {
            let members = self.members(obstruction)?;
            let extra = obstruction.extra_milli;
            let weights: Vec<u64> = members.iter().map(|m| rest[m.at()].min(extra)).collect();
            self.verify(&members, &weights, extra)?;
            for (member, weight) in members.iter().zip(&weights) {
                rest[member.at()] -= weight;
            }
            total = total.saturating_add(extra);
        }
        Ok(total)
    }

    fn members(&self, obstruction: &Obstruction) -> Result<Vec<ComponentId>, Doubt> {
        let mut members = Vec::with_capacity(obstruction.components.len());
        for name in &obstruction.components {
            match self.names.get(&self.model.components, name) {
                Some(id) => members.push(id),
                None => return Err(Doubt::Wrong(format!("unknown component {name}"))),
            }
        }
        let mut sorted = members.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != members.len() {
            return Err(Doubt::Wrong(
                "a component stands twice in one obstruction".to_owned(),
            ));
        }
        Ok(members)
    }

    fn index_edges(&mut self) {
        let count = self.model.components.len();
        self.place = vec![OUTSIDE; count];
        let (model, pending) = (self.model, &self.pending);
        let early = |edge: &Edge| {
            pending[edge.verifier.at()].has(Event::Grow)
                && refuses_early(model, edge.acceptance.at(), &model.components[edge.prover.at()])
        };
        let late = |edge: &Edge| {
            pending[edge.prover.at()].has(Event::Switch) && refuses_late(model, edge.acceptance.at())
        };
        self.provers = Rows::of(model, early, |edge| (edge.verifier, edge.prover));
        self.verifiers = Rows::of(model, late, |edge| (edge.prover, edge.verifier));
    }

    /// Checks that no choice of cheapest ways leaves less than `extra` to pay.
    fn verify(&mut self, members: &[ComponentId], weights: &[u64], extra: u64) -> Result<(), Doubt> {
        if extra == 0 {
            return Ok(());
        }
        for (i, member) in members.iter().enumerate() {
            self.place[member.at()] = i as u32;
        }
        let arcs = self.arcs(members);
        for member in members {
            self.place[member.at()] = OUTSIDE;
        }
        let (early, late) = arcs?;
        let splits = members.iter().all(|m| self.way[m.at()] == Way::Split);
        if splits && weights.iter().all(|&w| w >= extra) && is_odd_cycle(members.len(), &early, &late) {
            return Ok(());
        }
        if members.len() > MAX_CORE {
            return Err(Doubt::TooLarge);
        }
        let mut core = Core::of(members.iter().map(|m| self.way[m.at()]), weights, &early, &late);
        match core.cheaper_than(extra) {
            Some(true) => {
                let names: Vec<&str> = members
                    .iter()
                    .map(|m| self.model.components[m.at()].name.as_str())
                    .collect();
                Err(Doubt::Wrong(format!("{} can go for less", names.join(", "))))
            }
            Some(false) => Ok(()),
            None => Err(Doubt::TooLarge),
        }
    }

    /// Orders among the members: `early` (x, y) when grow of x precedes switch of y, `late` when switch of x
    /// precedes retire of y. A switch of one is a switch on the disk of all that read the same files.
    fn arcs(&mut self, members: &[ComponentId]) -> Result<(Arcs, Arcs), Doubt> {
        let (mut early, mut late) = (Arcs::new(), Arcs::new());
        for (x, member) in members.iter().enumerate() {
            for position in self.provers.range(*member) {
                let prover = self.provers.ends[position];
                self.targets(x, prover, Event::Switch, &mut early)?;
            }
            for position in self.verifiers.range(*member) {
                let verifier = self.verifiers.ends[position];
                self.targets(x, verifier, Event::Retire, &mut late)?;
            }
        }
        for arcs in [&mut early, &mut late] {
            arcs.sort_unstable();
            arcs.dedup();
        }
        Ok((early, late))
    }

    fn targets(&mut self, x: usize, end: ComponentId, event: Event, arcs: &mut Arcs) -> Result<(), Doubt> {
        let alone = [end];
        let set = match self.model.components[end.at()].shared {
            Some(shared) => &self.model.shared[shared.at()][..],
            None => &alone,
        };
        self.work += 1 + set.len() as u64;
        if self.work > MAX_ARC_WORK {
            return Err(Doubt::TooLarge);
        }
        for reader in set {
            let y = self.place[reader.at()];
            if y != OUTSIDE && self.pending[reader.at()].has(event) {
                arcs.push((x as u32, y));
            }
        }
        Ok(())
    }
}

type Arcs = Vec<(u32, u32)>;

/// For each component the other ends of some of its edges; never of those that a waiver lets break.
#[derive(Default)]
struct Rows {
    start: Vec<u32>,
    ends: Vec<ComponentId>,
}

impl Rows {
    fn of(
        model: &Model,
        counts: impl Fn(&Edge) -> bool,
        ends: impl Fn(&Edge) -> (ComponentId, ComponentId),
    ) -> Rows {
        let kept = || model.edges.iter().filter(|e| !e.waived && counts(e)).map(&ends);
        let mut start = vec![0_u32; model.components.len() + 1];
        for (at, _) in kept() {
            start[at.at() + 1] += 1;
        }
        for at in 1..start.len() {
            start[at] += start[at - 1];
        }
        let mut next = start.clone();
        let mut others = vec![ComponentId(0); start.last().map_or(0, |&n| n as usize)];
        for (at, other) in kept() {
            let place = &mut next[at.at()];
            others[*place as usize] = other;
            *place += 1;
        }
        Rows { start, ends: others }
    }

    fn range(&self, at: ComponentId) -> std::ops::Range<usize> {
        self.start[at.at()] as usize..self.start[at.at() + 1] as usize
    }
}

/// The old anchors refuse every chain that the prover could present after its switch.
fn refuses_early(model: &Model, acceptance: usize, prover: &Component) -> bool {
    let table = &model.acceptances[acceptance];
    let cross = table.accepts(TrustState::Old, ChainForm::Cross) && prover.cross;
    !table.accepts(TrustState::Old, ChainForm::New) && !cross
}

fn refuses_late(model: &Model, acceptance: usize) -> bool {
    !model.acceptances[acceptance].accepts(TrustState::New, ChainForm::Old)
}

fn way(pending: EventSet, apart: bool) -> Way {
    let both = pending.has(Event::Grow) && pending.has(Event::Retire);
    match (both && apart, pending.has(Event::Switch)) {
        (true, true) => Way::Split,
        (true, false) => Way::Fixed,
        (false, _) if pending.len() > 1 => Way::Single,
        (false, _) => Way::Fixed,
    }
}

/// The least that a component can cost, and how much more its second cheapest way costs.
fn cheapest(component: &Component, pending: EventSet, way: Way, weight: Weight) -> (u64, u64) {
    let price = |effective| match (weight, effective) {
        (Weight::Cost, effective) => component.step_cost_milli(effective),
        (Weight::Restarts, Effective::Live) => 0,
        (Weight::Restarts, _) => 1000,
    };
    let (trust, identity) = (price(component.trust), price(component.identity));
    // With odd prices the dearer way of taking effect decides the step, as in the component itself.
    let joint = price(component.trust.max(component.identity));
    let moves_trust = pending.has(Event::Grow) || pending.has(Event::Retire);
    match (way, pending.has(Event::Switch), moves_trust) {
        (_, false, false) => (0, 0),
        (Way::Split, _, _) => (trust + joint, trust + identity - joint),
        (Way::Fixed, true, _) => (identity, 0),
        (Way::Fixed, false, _) => (trust * pending.len() as u64, 0),
        (Way::Single, true, _) => (joint, trust + identity - joint),
        (Way::Single, false, _) => (trust, trust),
    }
}

/// Whether the members in their order form a cycle of odd length whose neighbours exclude each other both ways.
fn is_odd_cycle(count: usize, early: &Arcs, late: &Arcs) -> bool {
    if count < 3 || count.is_multiple_of(2) {
        return false;
    }
    (0..count as u32).all(|x| {
        let y = (x + 1) % count as u32;
        [early, late]
            .iter()
            .all(|arcs| arcs.binary_search(&(x, y)).is_ok() && arcs.binary_search(&(y, x)).is_ok())
    })
}

/// A small set of components, searched exhaustively with bit masks.
struct Core {
    way: Vec<Way>,
    weights: Vec<u64>,
    early: Vec<u32>,
    late: Vec<u32>,
    /// Growing at the switch and retiring at the switch can be exchanged throughout.
    mirrored: bool,
    visits: u32,
}

/// Which members take their cheapest way, and which of these have grow (retire) in the step of their switch.
#[derive(Clone, Copy, Default)]
struct Chosen {
    all: u32,
    grows: u32,
    retires: u32,
}

impl Core {
    fn of(ways: impl Iterator<Item = Way>, weights: &[u64], early: &Arcs, late: &Arcs) -> Core {
        let mut core = Core {
            way: ways.collect(),
            weights: weights.to_vec(),
            early: vec![0; weights.len()],
            late: vec![0; weights.len()],
            mirrored: false,
            visits: 0,
        };
        for &(x, y) in early {
            core.early[x as usize] |= 1 << y;
        }
        for &(x, y) in late {
            core.late[x as usize] |= 1 << y;
        }
        let reversed = late.iter().all(|&(x, y)| early.binary_search(&(y, x)).is_ok());
        let splits = core.way.iter().all(|&w| w == Way::Split);
        core.mirrored = splits && reversed && early.len() == late.len();
        core
    }

    /// Whether some choice pays less than `limit`; `None` when the search is too large.
    fn cheaper_than(&mut self, limit: u64) -> Option<bool> {
        let undecided = ((1_u64 << self.way.len()) - 1) as u32;
        self.search(undecided, Chosen::default(), limit)
    }

    fn search(&mut self, undecided: u32, chosen: Chosen, limit: u64) -> Option<bool> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return None;
        }
        let mut lost = 0_u64;
        let mut left = 0_u32;
        let mut tightest: Option<(usize, u32, usize, Vec<Chosen>)> = None;
        for x in bits(undecided) {
            let ways = self.ways(x, chosen);
            if ways.is_empty() {
                lost += self.weights[x];
                continue;
            }
            left |= 1 << x;
            let ties = ((self.early[x] | self.late[x]) & undecided).count_ones();
            let key = (ways.len(), u32::MAX - ties);
            if tightest.as_ref().is_none_or(|(n, t, ..)| key < (*n, *t)) {
                tightest = Some((ways.len(), u32::MAX - ties, x, ways));
            }
        }
        if lost >= limit {
            return Some(false);
        }
        let limit = limit - lost;
        let Some((_, _, x, mut ways)) = tightest else {
            return Some(true);
        };
        if chosen.all == 0 && self.mirrored {
            ways.truncate(1);
        }
        let rest = left & !(1 << x);
        for next in ways {
            if self.search(rest, next, limit)? {
                return Some(true);
            }
        }
        if self.weights[x] < limit {
            self.search(rest, chosen, limit - self.weights[x])
        } else {
            Some(false)
        }
    }

    /// The ways in which `x` can join the chosen without a cycle.
    fn ways(&self, x: usize, chosen: Chosen) -> Vec<Chosen> {
        let bit = 1 << x;
        let all = chosen.all | bit;
        let (grows, retires) = (chosen.grows | bit, chosen.retires | bit);
        let options = match self.way[x] {
            Way::Fixed => return vec![chosen],
            Way::Single => vec![Chosen { all, grows, retires }],
            Way::Split => {
                vec![
                    Chosen { all, grows, ..chosen },
                    Chosen {
                        all,
                        retires,
                        ..chosen
                    },
                ]
            }
        };
        options
            .into_iter()
            .filter(|next| !self.returns_to(x, *next))
            .collect()
    }

    /// Whether the step of `x` must come before itself.
    fn returns_to(&self, x: usize, chosen: Chosen) -> bool {
        let mut seen = 0_u32;
        let mut open = 1_u32 << x;
        while open != 0 {
            let y = open.trailing_zeros() as usize;
            open &= open - 1;
            let grown = if chosen.grows & (1 << y) != 0 {
                self.early[y] & chosen.all
            } else {
                0
            };
            let next = (grown | self.late[y] & chosen.retires) & !seen;
            seen |= next;
            open |= next;
            if seen & (1 << x) != 0 {
                return true;
            }
        }
        false
    }
}

fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |i| mask & (1 << i) != 0)
}

const OUTSIDE: u32 = u32::MAX;
/// As many as planner.md lets the checker search again; masks have 32 bits.
const MAX_CORE: usize = 30;
const MAX_VISITS: u32 = 400_000;
const MAX_ARC_WORK: u64 = 50_000_000;
