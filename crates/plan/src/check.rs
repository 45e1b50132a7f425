//! The independent checker: says *safe*, or lists every violation.
//!
//! It shares types with the planner and no logic. An edge depends on its two ends alone, so for each edge the
//! pairs of end states that can occur together are enumerated and each is put to the edge's table.

mod orders;

use std::collections::BTreeMap;

use crate::alike;
use crate::alike::Alike;
use crate::bound;
use crate::bound::BoundStatus;
use crate::canon::PlanDigest;
use crate::document::Direction;
use crate::document::PlanDocument;
use crate::document::Step;
use crate::model::ChainForm;
use crate::model::ComponentId;
use crate::model::Edge;
use crate::model::Effective;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Model;
use crate::model::TrustState;
use crate::names::Names;

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The trust edge that breaks, as `prover -> verifier`; else the component, group or claim concerned.
    pub link: String,
    /// The order of events that does it; empty where none is to blame.
    pub order: String,
    /// The validator's own reason, or what is wrong.
    pub reason: String,
}

/// What the checker found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// How many trust edges were examined.
    pub edges: u64,
    /// How many reachable pairs of end states there are, over all edges.
    pub states: u64,
    /// What the stored lower bounds are worth.
    pub bound: BoundStatus,
    /// Everything that is wrong, edges first. Empty for a safe plan.
    pub violations: Vec<Violation>,
    /// What breaks and may: the plan is accepted only because a waiver covers these edges.
    pub waived: Vec<Violation>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn safe(&self) -> bool {
        self.violations.is_empty()
    }
}

/// A plan that passed [`check`]; nothing else makes one.
#[derive(Debug, Clone)]
pub struct CheckedPlan {
    document: PlanDocument,
    digest: PlanDigest,
    report: CheckReport,
}

impl CheckedPlan {
    /// The plan.
    pub fn document(&self) -> &PlanDocument {
        &self.document
    }

    /// Its digest, computed and not just read.
    pub fn digest(&self) -> PlanDigest {
        self.digest
    }

    /// What the checker found.
    pub fn report(&self) -> &CheckReport {
        &self.report
    }
}

/// A plan that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not safe: {} violations", report.violations.len())]
pub struct Refusal {
    /// What the checker found.
    pub report: CheckReport,
}

/// Checks a plan against the model that it is for. Waves and events of the steps alone say the order.
///
/// Time is linear in edges and steps, and in the size of the certificate with a cap on the search.
///
/// # Errors
/// Every violation: edges that break, events that are missing or too many, groups, and each false claim.
pub fn check(model: &Model, document: &PlanDocument) -> Result<CheckedPlan, Box<Refusal>> {
    let (report, digest) = examine(model, document);
    if report.safe() {
        Ok(CheckedPlan {
            document: document.clone(),
            digest,
            report,
        })
    } else {
        Err(Box::new(Refusal { report }))
    }
}

/// What [`check`] finds, and the digest, computed and not just read; without a copy of the plan.
pub fn examine(model: &Model, document: &PlanDocument) -> (CheckReport, PlanDigest) {
    let mut course = Course::of(model, document);
    course.place_steps();
    course.find_first_writes();
    let mut report = CheckReport {
        edges: 0,
        states: 0,
        bound: BoundStatus::Unproven,
        violations: Vec::new(),
        waived: Vec::new(),
    };
    let courses = (0..model.components.len()).map(|at| course.of_component(ComponentId::new(at)));
    let mut alike = Alike::of(courses, model.acceptances.len());
    for edge in &model.edges {
        report.edges += 1;
        let broken = if edge.waived {
            &mut report.waived
        } else {
            &mut report.violations
        };
        report.states += alike.clean(edge).unwrap_or_else(|| {
            let before = broken.len();
            let states = course.walk_edge(edge, broken);
            alike.remember(edge, states, broken.len() > before);
            states
        });
    }
    report.violations.append(&mut course.violations);
    course.check_complete(&mut report.violations);
    course.check_single_anchors(&mut report.violations);
    course.check_groups(&mut report.violations);
    course.check_precedences(&mut report.violations);
    course.check_one_steps(&mut report.violations);
    course.check_totals(&mut report.violations);
    let digest = check_digest(document, &mut report.violations);
    for blocked in &document.blocked {
        let subject = blocked
            .link
            .clone()
            .or_else(|| blocked.component.clone())
            .unwrap_or_default();
        report.violations.push(violation(
            subject,
            "",
            &format!("the plan itself says: {}", blocked.reason),
        ));
    }
    let (status, complaint) = bound::judge(model, document, &course.names);
    report.bound = status;
    report
        .violations
        .extend(complaint.map(|reason| violation("lower bound".into(), "", &reason)));
    (report, digest)
}

/// When everything happens, by component and event.
struct Course<'a> {
    model: &'a Model,
    document: &'a PlanDocument,
    names: Names,
    /// The component of each step, where there is one of that name.
    of_step: Vec<Option<ComponentId>>,
    /// What each component has behind it at the start, and what its files hold (those of its shared set).
    own_start: Vec<EventSet>,
    disk_start: Vec<EventSet>,
    /// Position of the step that brings an event to a component, by `slot`; else `NO_STEP`.
    step_of: Vec<u32>,
    /// The wave of that step, by `slot`; else `NEVER`.
    own: Vec<u32>,
    /// The wave in which the files of a component's shared set may first change for an event; else `NEVER`.
    first: Vec<u32>,
    /// Whether grow and retire of a component's set always fall into one and the same step.
    joined: Vec<bool>,
    /// Whether the first wave of the later of the two has a step of a component's set without the earlier.
    bare: Vec<bool>,
    /// Chain forms that a component may present after its switch: bits by `ChainForm`.
    forms: Vec<u8>,
    violations: Vec<Violation>,
}

impl<'a> Course<'a> {
    fn of(model: &'a Model, document: &'a PlanDocument) -> Course<'a> {
        let count = model.components.len();
        let names = Names::of(&model.components);
        let of_step = names.in_turn(&model.components, document.steps.iter().map(|s| &*s.component));
        let mut violations = Vec::new();
        let mut own_start: Vec<EventSet> = model.components.iter().map(|c| c.done).collect();
        if document.direction == Direction::Undo {
            for (name, events) in &document.start {
                match names.get(&model.components, name) {
                    Some(id) => own_start[id.at()] = own_start[id.at()].union(EventSet::of(events)),
                    None => violations.push(violation(name.clone(), "", "unknown component in `start`")),
                }
            }
        }
        let mut disk_start = own_start.clone();
        for members in &model.shared {
            let any = members
                .iter()
                .fold(EventSet::EMPTY, |all, m| all.union(own_start[m.at()]));
            for member in members {
                disk_start[member.at()] = any;
            }
        }
        let slots = count * Event::ALL.len();
        Course {
            model,
            document,
            names,
            of_step,
            own_start,
            disk_start,
            step_of: vec![NO_STEP; slots],
            own: vec![NEVER; slots],
            first: vec![NEVER; slots],
            joined: vec![false; count],
            bare: vec![false; count],
            forms: vec![0; count],
            violations,
        }
    }

    /// All of a component that [`Course::walk_edge`] looks at.
    fn of_component(&self, id: ComponentId) -> alike::Course {
        let at = id.at();
        let component = &self.model.components[at];
        let bits = [
            self.joined[at],
            self.bare[at],
            component.single_anchor,
            component.events.has(Event::Grow),
        ];
        let sets = [self.own_start[at], self.disk_start[at]];
        let mut word = u32::from(self.forms[at]);
        for bit in bits {
            word = word << 1 | u32::from(bit);
        }
        for (set, event) in sets.iter().flat_map(|set| Event::ALL.map(|event| (set, event))) {
            word = word << 1 | u32::from(set.has(event));
        }
        let first = Event::ALL.map(|event| self.first[slot(id, event)]);
        (first, Event::ALL.map(|event| self.own(id, event)), word)
    }

    fn undo(&self) -> bool {
        self.document.direction == Direction::Undo
    }

    fn step(&self, component: ComponentId, event: Event) -> Option<&'a Step> {
        self.document
            .steps
            .get(self.step_of[slot(component, event)] as usize)
    }

    fn own(&self, component: ComponentId, event: Event) -> u32 {
        self.own[slot(component, event)]
    }

    /// The events that have to be brought to (or taken from) a component.
    fn required(&self, component: ComponentId) -> EventSet {
        let at = component.at();
        if self.undo() {
            self.disk_start[at].without(self.model.components[at].done)
        } else {
            self.model.components[at]
                .wanted(self.document.goal)
                .without(self.own_start[at])
        }
    }

    fn place_steps(&mut self) {
        for (position, step) in self.document.steps.iter().enumerate() {
            let named = || format!("step {} ({})", step.id, step.component);
            let Some(component) = self.of_step[position] else {
                self.violations.push(violation(named(), "", "unknown component"));
                continue;
            };
            if step.wave == 0 || step.wave == NEVER {
                self.violations
                    .push(violation(named(), "", "waves are numbered from 1"));
            }
            let ordered = step
                .events
                .windows(2)
                .all(|w| if self.undo() { w[0] > w[1] } else { w[0] < w[1] });
            if step.events.is_empty() {
                self.violations
                    .push(violation(named(), "", "the step has no events"));
            } else if !ordered {
                let reason = "events of a step fall in the order grow, switch, retire (undone: the reverse), each once";
                self.violations.push(violation(named(), "", reason));
            }
            let required = self.required(component);
            for event in EventSet::of(&step.events).iter() {
                let place = &mut self.step_of[slot(component, event)];
                if let Some(earlier) = self.document.steps.get(*place as usize) {
                    self.violations
                        .push(violation(named(), "", &format!("{event} happens twice")));
                    if earlier.wave <= step.wave {
                        continue;
                    }
                }
                *place = position as u32;
                self.own[slot(component, event)] = step.wave;
                if !required.has(event) {
                    self.violations
                        .push(violation(named(), "", &format!("{event} is not called for")));
                }
            }
            if step.events.contains(&Event::Switch) {
                let form = step.chain.unwrap_or(ChainForm::New);
                self.forms[component.at()] |= 1 << form as u8;
                if form == ChainForm::Cross && !self.model.components[component.at()].cross {
                    self.violations
                        .push(violation(named(), "", "no cross-signed chain is allowed here"));
                }
            }
        }
    }

    /// A shared set's files change at the first step of any of its members.
    fn find_first_writes(&mut self) {
        for at in 0..self.model.components.len() {
            let id = ComponentId::new(at);
            for event in Event::ALL {
                self.first[slot(id, event)] = self.own(id, event);
            }
            self.joined[at] = self.one_step(id);
            if self.own_start[at].has(Event::Switch) && self.forms[at] == 0 {
                self.forms[at] = 1 << ChainForm::New as u8;
            }
        }
        for members in &self.model.shared {
            let forms = members.iter().fold(0, |all, m| all | self.forms[m.at()]);
            let joined = members.iter().all(|&m| self.joined[m.at()]);
            if forms.count_ones() > 1 {
                let names: Vec<&str> = members.iter().map(|&m| self.name(m)).collect();
                let reason = "they read the same files and cannot present chains of different forms";
                self.violations.push(violation(names.join(", "), "", reason));
            }
            for event in Event::ALL {
                let first = members.iter().map(|&m| self.own(m, event)).min().unwrap_or(NEVER);
                for &member in members {
                    self.first[slot(member, event)] = first;
                }
            }
            for member in members {
                self.forms[member.at()] = forms;
                self.joined[member.at()] = joined;
            }
        }
        let later = if self.undo() { Event::Grow } else { Event::Retire };
        let bare = |m: ComponentId| self.own(m, later) == self.first[slot(m, later)] && !self.one_step(m);
        let mut all: Vec<bool> = (0..self.model.components.len())
            .map(|at| bare(ComponentId::new(at)))
            .collect();
        for members in &self.model.shared {
            let any = members.iter().any(|m| all[m.at()]);
            for member in members {
                all[member.at()] = any;
            }
        }
        self.bare = all;
    }

    fn one_step(&self, id: ComponentId) -> bool {
        self.step_of[slot(id, Event::Grow)] == self.step_of[slot(id, Event::Retire)]
    }

    /// Whether an event may be absent, and whether it may be present, for a component during a wave.
    fn status(&self, id: ComponentId, event: Event, wave: u32) -> [bool; 2] {
        let turned = usize::from(!self.undo());
        let mut can = [false; 2];
        if wave > self.own(id, event) {
            can[turned] = true;
            return can;
        }
        can[usize::from(self.own_start[id.at()].has(event))] = true;
        can[usize::from(self.disk_start[id.at()].has(event))] = true;
        if wave >= self.first[slot(id, event)] {
            can[turned] = true;
        }
        can
    }

    /// Whether the files of `id` can ever hold neither generation: retired before grown.
    fn can_hold_nothing(&self, id: ComponentId) -> bool {
        let (x, y) = if self.undo() {
            (Event::Retire, Event::Grow)
        } else {
            (Event::Grow, Event::Retire)
        };
        let turned = !self.undo();
        let rank = |e| match self.disk_start[id.at()].has(e) == turned {
            true => -1,
            false => i64::from(self.first[slot(id, e)]),
        };
        let (x, y) = (rank(x), rank(y));
        y < x || (x == y && x >= 0 && x != i64::from(NEVER) && self.bare[id.at()])
    }

    /// Puts every reachable pair of end states to the edge's table; returns how many pairs there are.
    fn walk_edge(&self, edge: &Edge, broken: &mut Vec<Violation>) -> u64 {
        let Edge { prover, verifier, .. } = *edge;
        let mut times = [0; 7];
        let ends = [
            (verifier, Event::Grow),
            (verifier, Event::Retire),
            (prover, Event::Switch),
        ];
        for (i, (id, event)) in ends.into_iter().enumerate() {
            times[2 * i + 1] = self.first[slot(id, event)];
            times[2 * i + 2] = self.own(id, event).saturating_add(1);
        }
        times.sort_unstable();
        let single = self.model.components[verifier.at()].single_anchor && self.joined[verifier.at()];
        // Whoever has no need to grow holds the new anchors from the start.
        let never_grows = !self.model.components[verifier.at()].events.has(Event::Grow)
            && !self.disk_start[verifier.at()].has(Event::Grow)
            && self.first[slot(verifier, Event::Grow)] == NEVER;
        let forms = self.forms[prover.at()];
        let mut seen = 0_u16;
        for (i, &wave) in times.iter().enumerate() {
            if wave == NEVER || (i > 0 && times[i - 1] == wave) {
                continue;
            }
            let grown = self.status(verifier, Event::Grow, wave);
            let retired = self.status(verifier, Event::Retire, wave);
            let switched = self.status(prover, Event::Switch, wave);
            let trusts = match never_grows {
                true => [retired[0], false, retired[1], false],
                false => [
                    grown[0] && retired[0],
                    grown[1] && retired[0] && !single,
                    grown[1] && retired[1],
                    grown[0] && retired[1] && self.can_hold_nothing(verifier),
                ],
            };
            let chains = [
                switched[0],
                switched[1] && forms & 2 != 0,
                switched[1] && forms & 4 != 0,
            ];
            for (t, c) in pairs(&trusts, &chains) {
                let bit = 1 << (t * 3 + c);
                if seen & bit == 0 {
                    seen |= bit;
                    self.judge_pair(edge, (t, c), wave, broken);
                }
            }
        }
        u64::from(seen.count_ones())
    }

    fn judge_pair(&self, edge: &Edge, (t, c): (usize, usize), wave: u32, broken: &mut Vec<Violation>) {
        let chain = [ChainForm::Old, ChainForm::New, ChainForm::Cross][c];
        let reason = match [TrustState::Old, TrustState::Both, TrustState::New].get(t) {
            Some(&trust) => {
                let table = &self.model.acceptances[edge.acceptance.at()];
                let Some(reason) = table.rejection(trust, chain) else {
                    return;
                };
                self.model.reasons[reason.at()].clone()
            }
            None => "it trusts neither generation".to_owned(),
        };
        let order = if wave == 0 {
            "before the first wave".to_owned()
        } else {
            self.order(edge, t, chain)
        };
        let link = format!("{} -> {}", self.name(edge.prover), self.name(edge.verifier));
        broken.push(Violation { link, order, reason });
    }

    /// The order of events that leads to a pair of end states, in words.
    fn order(&self, edge: &Edge, t: usize, chain: ChainForm) -> String {
        let Edge {
            prover: p,
            verifier: v,
            ..
        } = *edge;
        let ((early, e), (late, l)) = match (t, chain) {
            (0, ChainForm::New | ChainForm::Cross) => ((p, Event::Switch), (v, Event::Grow)),
            (2, ChainForm::Old) => ((v, Event::Retire), (p, Event::Switch)),
            (3, _) => ((v, Event::Retire), (v, Event::Grow)),
            _ => {
                let trusts = ["the old anchors", "both", "the new anchors", "nothing"][t];
                let (p, v) = (self.name(p), self.name(v));
                return format!(
                    "while {v} trusts {trusts} and {p} presents the {} chain",
                    chain.word()
                );
            }
        };
        // Undone, the two change places: what must come first is taken back last.
        let ((early, e), (late, l)) = if self.undo() {
            ((late, l), (early, e))
        } else {
            ((early, e), (late, l))
        };
        let undone = if self.undo() { " undone" } else { "" };
        let first = self.first[slot(early, e)];
        let own = self.own(late, l);
        let (a, b) = (self.name(early), self.name(late));
        if own == NEVER {
            format!("{a} {e}{undone} (wave {first}), and {b} {l} never{undone}")
        } else if first == NEVER {
            format!("{a} {e} never{undone}, and {b} {l}{undone} (wave {own})")
        } else if first == own {
            format!("{a} {e}{undone} in the same wave ({own}) as {b} {l}{undone}")
        } else {
            format!("{a} {e}{undone} (wave {first}) before {b} {l}{undone} (wave {own})")
        }
    }

    fn check_complete(&self, violations: &mut Vec<Violation>) {
        for at in 0..self.model.components.len() {
            let id = ComponentId::new(at);
            for event in self.required(id).iter().filter(|&e| self.step(id, e).is_none()) {
                let undone = if self.undo() {
                    " is never undone"
                } else {
                    " never happens"
                };
                violations.push(violation(
                    self.name(id).to_owned(),
                    "",
                    &format!("{event}{undone}"),
                ));
            }
        }
    }

    fn check_single_anchors(&self, violations: &mut Vec<Violation>) {
        for (at, component) in self.model.components.iter().enumerate() {
            let id = ComponentId::new(at);
            let moves = self.step(id, Event::Grow).is_some() || self.step(id, Event::Retire).is_some();
            if component.single_anchor && moves && !self.one_step(id) {
                let reason = "its trust store holds one anchor only: grow and retire must be one step";
                violations.push(violation(component.name.clone(), "", reason));
            }
        }
    }

    fn check_groups(&self, violations: &mut Vec<Violation>) {
        if self.model.groups.is_empty() {
            return;
        }
        let mut waves_of: Vec<Vec<u32>> = vec![Vec::new(); self.model.components.len()];
        for (step, id) in self.document.steps.iter().zip(&self.of_step) {
            if let Some(id) = id {
                waves_of[id.at()].push(step.wave);
            }
        }
        for waves in &mut waves_of {
            waves.sort_unstable();
            waves.dedup();
        }
        for group in &self.model.groups {
            let mut count: BTreeMap<u32, u32> = BTreeMap::new();
            for member in &group.members {
                for wave in &waves_of[member.at()] {
                    *count.entry(*wave).or_default() += 1;
                }
            }
            for (wave, number) in count.into_iter().filter(|&(_, n)| n > group.max) {
                let names: Vec<&str> = group.members.iter().map(|&m| self.name(m)).collect();
                let reason = format!("{number} of the group at once: at most {}", group.max);
                violations.push(violation(names.join(", "), &format!("wave {wave}"), &reason));
            }
        }
    }

    /// Totals are claims: the steps say the truth.
    fn check_totals(&self, violations: &mut Vec<Violation>) {
        let (mut restarts, mut cost_milli) = (0_u64, 0_u64);
        let mut waves = Vec::with_capacity(self.document.steps.len());
        for (step, id) in self.document.steps.iter().zip(&self.of_step) {
            waves.push(step.wave);
            let Some(id) = id else { continue };
            let component = &self.model.components[id.at()];
            let effective = component.effective(EventSet::of(&step.events));
            restarts += u64::from(effective != Effective::Live);
            cost_milli = cost_milli.saturating_add(component.step_cost_milli(effective));
            if let Some(claimed) = step.effective.filter(|&e| e != effective) {
                let reason = format!("effective by {}, not by {}", effective.word(), claimed.word());
                violations.push(violation(
                    format!("step {} ({})", step.id, step.component),
                    "",
                    &reason,
                ));
            }
        }
        waves.sort_unstable();
        waves.dedup();
        let claims = &self.document.claims;
        let decimal = |milli: u64| milli as f64 / 1000.0;
        let found = [
            ("restarts", claims.restarts.map(|n| n as f64), restarts as f64),
            ("cost", claims.cost_milli.map(decimal), decimal(cost_milli)),
            ("phases", claims.phases.map(|n| n as f64), waves.len() as f64),
        ];
        for (name, claimed, truth) in found {
            if let Some(claimed) = claimed.filter(|&c| c != truth) {
                let reason = format!("the plan says {claimed}, its steps say {truth}");
                violations.push(violation(name.to_owned(), "", &reason));
            }
        }
    }

    fn name(&self, id: ComponentId) -> &'a str {
        &self.model.components[id.at()].name
    }
}

fn check_digest(document: &PlanDocument, violations: &mut Vec<Violation>) -> PlanDigest {
    let digest = document.read_digest.unwrap_or_else(|| document.digest());
    if let Some(stored) = document
        .stored_digest
        .as_ref()
        .filter(|&d| *d != digest.to_string())
    {
        let reason = format!("the plan says {stored}, its content gives {digest}");
        violations.push(violation("digest".to_owned(), "", &reason));
    }
    digest
}

fn pairs<'b>(trusts: &'b [bool; 4], chains: &'b [bool; 3]) -> impl Iterator<Item = (usize, usize)> + 'b {
    let possible = |set: &'b [bool]| (0..set.len()).filter(|&i| set[i]);
    possible(trusts).flat_map(move |t| possible(chains).map(move |c| (t, c)))
}

fn slot(component: ComponentId, event: Event) -> usize {
    component.at() * Event::ALL.len() + event as usize
}

fn violation(link: String, order: &str, reason: &str) -> Violation {
    Violation {
        link,
        order: order.to_owned(),
        reason: reason.to_owned(),
    }
}

const NO_STEP: u32 = u32::MAX;
const NEVER: u32 = u32::MAX;
