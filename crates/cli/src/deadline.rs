//! What must be done by when: certificates that end, and a day by which a rotation wants to be over.

use std::collections::BTreeMap;

use fleet::Snapshot;
use plan::Blocked;
use plan::ComponentId;
use plan::Event;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use serde_json::json;

use crate::fleet_dir::FleetDir;
use crate::print;
use crate::timeline::Timeline;
use crate::windows;
use crate::windows::Span;
use crate::windows::Windows;

/// A plan, the moments at which its steps can be, and what of it comes too late.
pub struct Clock {
    now: i64,
    spans: Vec<Span>,
}

/// A step that would be effective after the moment at which it must be.
struct Late {
    component: String,
    wave: u32,
    ends: i64,
    due: i64,
    /// Whether it is the day of the whole, and not the end of a certificate.
    whole: bool,
}

impl Clock {
    /// From this moment on, within these windows.
    pub fn new(now: i64, windows: &Windows) -> Clock {
        let spans = match windows.is_empty() {
            true => vec![Span {
                begin: now,
                end: i64::MAX / 4,
                text: String::new(),
            }],
            false => windows.spans(now),
        };
        Clock { now, spans }
    }

    /// The plan where all of it is in time; else the cheapest other one that is, where another may be taken; else what
    /// would come too late, and the links that would have to break.
    pub fn in_time(
        &self,
        model: &Model,
        document: PlanDocument,
        may_choose: bool,
        timeline: &dyn Fn(&PlanDocument) -> Vec<(usize, u64)>,
    ) -> PlanDocument {
        if !document.blocked.is_empty() || !model.calendar.has_deadlines() {
            return document;
        }
        let late = self.late(model, &document, timeline);
        if late.is_empty() {
            return document;
        }
        let goal = document.goal;
        let others = if may_choose {
            others(model, goal, &late)
        } else {
            Vec::new()
        };
        let in_time = others
            .into_iter()
            .filter(|other| self.late(model, other, timeline).is_empty());
        if let Some(mut other) = in_time.min_by_key(|other| (other.claims.cost_milli, other.claims.phases)) {
            let claims = document.claims;
            let cheapest = json!({
                "phases": claims.phases, "restarts": claims.restarts,
                "cost": claims.cost_milli.map(|milli| milli as f64 / 1000.0),
            });
            let words = |late: &Late| format!("{}: {}", late.component, late.what());
            let why = late.iter().map(words).collect::<Vec<_>>().join("; ");
            other.extra.insert(
                "hurried".to_owned(),
                json!({ "cheapest": cheapest, "because": why }),
            );
            return other;
        }
        PlanDocument {
            goal,
            blocked: self.blocked(model, goal, &late),
            claims: document.claims,
            ..PlanDocument::default()
        }
    }

    fn late(
        &self,
        model: &Model,
        document: &PlanDocument,
        timeline: &dyn Fn(&PlanDocument) -> Vec<(usize, u64)>,
    ) -> Vec<Late> {
        let order = timeline(document);
        let mut late = Vec::new();
        let mut at = self.now;
        for &(step, lasts) in &order {
            let lasts = i64::try_from(lasts.div_ceil(1000)).unwrap_or(i64::MAX / 8);
            let Some((begins, _)) = windows::fit(&self.spans, at, lasts) else {
                // What fits nowhere is said by the timetable.
                return late;
            };
            at = begins + lasts;
            let step = &document.steps[step];
            let id = model
                .components
                .iter()
                .position(|component| component.name == step.component);
            let due = id.and_then(|id| model.calendar.expires.get(&ComponentId::new(id)));
            if let (Some(&due), true) = (due, step.events.contains(&Event::Switch))
                && at > due
            {
                late.push(Late {
                    component: step.component.clone(),
                    wave: step.wave,
                    ends: at,
                    due,
                    whole: false,
                });
            }
        }
        if let (Some(due), Some(&(last, _))) = (model.calendar.deadline, order.last())
            && at > due
        {
            let step = &document.steps[last];
            late.push(Late {
                component: step.component.clone(),
                wave: step.wave,
                ends: at,
                due,
                whole: true,
            });
        }
        late
    }

    fn blocked(&self, model: &Model, goal: Goal, late: &[Late]) -> Vec<Blocked> {
        let takes = takes_ms(model);
        let (_, outages) = planner::plan_rip(model, goal, &takes);
        let mut links: Vec<String> = outages
            .iter()
            .map(|outage| {
                let edge = &model.edges[outage.edge];
                let name = |id: ComponentId| model.components[id.at()].name.as_str();
                format!("{} -> {}", name(edge.prover), name(edge.verifier))
            })
            .collect();
        links.sort();
        links.dedup();
        let more = links.len().saturating_sub(SHOWN);
        links.truncate(SHOWN);
        let listed = match more {
            0 => links.join(", "),
            more => format!("{} and {more} more", links.join(", ")),
        };
        let mut all: Vec<Blocked> = late
            .iter()
            .map(|late| Blocked {
                component: Some(late.component.clone()),
                link: None,
                reason: late.what(),
                remedies: Vec::new(),
            })
            .collect();
        all.push(Blocked {
            component: None,
            link: None,
            reason: format!("no plan that keeps every link is in time ({} steps come too late)", late.len()),
            remedies: vec![
                "an earlier or longer window in [policy] windows, or a truer `takes`".to_owned(),
                "renew what ends under the authority that is trusted now, and rotate afterwards".to_owned(),
                format!(
                    "if it cannot wait, these links must break: {listed} (strategy = \"rip-and-replace\" with a [[waiver]] for each)"
                ),
            ],
        });
        all
    }
}

impl Late {
    fn what(&self) -> String {
        let [ends, due] = [self.ends, self.due].map(print::utc_time);
        match self.whole {
            true => format!(
                "the last step (phase {}) would end at {ends}, and all must be done by {due}",
                self.wave
            ),
            false => format!(
                "its switch in phase {} would be effective at {ends}, and the certificate that it presents today ends at {due}",
                self.wave
            ),
        }
    }
}

/// How long a step of each component lasts.
fn takes_ms(model: &Model) -> Vec<u64> {
    let takes = &model.calendar.takes_ms;
    (0..model.components.len())
        .map(|at| takes.get(&ComponentId::new(at)).copied().unwrap_or(0))
        .collect()
}

/// Other safe plans: those of the front, those in which what is late switches as soon as it grows, and the quickest.
fn others(model: &Model, goal: Goal, late: &[Late]) -> Vec<PlanDocument> {
    let mut early = model.clone();
    let reason = early.intern_reason("what it presents today ends");
    for one in late.iter().filter(|late| !late.whole) {
        let found = early
            .components
            .iter()
            .position(|component| component.name == one.component);
        let at_once = found.map(|at| plan::OneStep {
            component: ComponentId::new(at),
            events: plan::EventSet::of(&[Event::Grow, Event::Switch]),
            reason,
        });
        early.one_steps.extend(at_once);
    }
    let seconds: Vec<u64> = takes_ms(model).iter().map(|ms| ms.div_ceil(1000)).collect();
    let mut found = vec![
        planner::plan_model(&early, goal),
        planner::plan_quickest(&early, goal, &seconds),
        planner::plan_quickest(model, goal, &seconds),
    ];
    if let Ok(front) = planner::plan_front(model, goal) {
        found.extend(front.choices.iter().map(|choice| front.plan(choice)));
    }
    found.retain(|other| other.blocked.is_empty());
    found
}

/// Where each step of the plan comes, and how long it lasts, as the fleet's components say.
pub fn of_fleet(snapshot: &Snapshot, document: &PlanDocument) -> Vec<(usize, u64)> {
    placed(document, &Timeline::of(snapshot, document))
}

/// The same as a model's components say.
pub fn of_model(model: &Model, document: &PlanDocument) -> Vec<(usize, u64)> {
    placed(document, &Timeline::of_model(model, document))
}

fn placed(document: &PlanDocument, timeline: &Timeline<'_>) -> Vec<(usize, u64)> {
    let at = |id: &str| document.steps.iter().position(|step| step.id == id).unwrap_or(0);
    timeline
        .steps
        .iter()
        .map(|(step, _, lasts)| (at(&step.id), *lasts))
        .collect()
}

/// Puts into the model when what each component presents today ends, and by when the rotations want to be done.
pub fn put(dir: &FleetDir, snapshot: &Snapshot, model: &mut Model, now: i64) {
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    for used in &snapshot.uses {
        let moves = |leaf: &&String| {
            let rotations = &snapshot.rotations;
            rotations
                .iter()
                .any(|rotation| rotation.leave.contains(*leaf) && rotation.new.contains_key(&used.component))
        };
        let leaf = used.presented.first().filter(moves);
        let leaf = leaf.and_then(|leaf| snapshot.certificate(leaf));
        // What has ended already is accepted all the same, or the link is broken; both are said elsewhere.
        if let Some(at) = leaf.map(|leaf| leaf.validity().not_after).filter(|at| *at > now) {
            let known = ends.entry(&used.component).or_insert(at);
            *known = at.min(*known);
        }
    }
    for at in 0..model.components.len() {
        let component = &model.components[at];
        let events = component.events.without(component.done);
        let takes = crate::timeline::takes_ms(snapshot, &component.name, &events.iter().collect::<Vec<_>>());
        let ends = ends
            .get(component.name.as_str())
            .filter(|_| events.has(Event::Switch));
        if let Some(&ends) = ends {
            model.calendar.expires.insert(ComponentId::new(at), ends);
        }
        model.calendar.takes_ms.insert(ComponentId::new(at), takes);
    }
    let deadlines = dir
        .doc
        .rotate
        .iter()
        .filter_map(|rotate| rotate.deadline.as_ref());
    // The whole of the day counts.
    model.calendar.deadline = deadlines.map(|day| day.unix() + 86_400).min();
}

/// So many links are named; the others are counted.
const SHOWN: usize = 40;
