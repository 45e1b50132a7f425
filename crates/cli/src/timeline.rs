//! How long a plan's steps last, as far as `takes` of the fleet file says, and when links go down and come up.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet::Snapshot;
use plan::Event;
use plan::Model;
use plan::PlanDocument;
use plan::Step;
use planner::Outage;
use product::Means;
use serde_json::Value;
use serde_json::json;

/// The steps of a plan in the order in which they are carried out: one after the other.
pub struct Timeline<'a> {
    /// Each with when it begins and how long it lasts, in milliseconds.
    pub steps: Vec<(&'a Step, u64, u64)>,
}

/// One link that is down for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Down {
    /// The position of the step with which it goes down; `None` where it is down before the first.
    pub from: Option<usize>,
    /// The position of the step with which it comes up; `None` where it stays down.
    pub until: Option<usize>,
}

impl<'a> Timeline<'a> {
    /// The steps of a plan with what its components take.
    pub fn of(snapshot: &Snapshot, document: &'a PlanDocument) -> Timeline<'a> {
        let mut steps: Vec<&Step> = document.steps.iter().collect();
        steps.sort_by(|a, b| (a.wave, &a.id).cmp(&(b.wave, &b.id)));
        let mut now = 0;
        let timed = |step: &'a Step| {
            let lasts = takes_ms(snapshot, &step.component, &step.events);
            let begins = now;
            now += lasts;
            (step, begins, lasts)
        };
        Timeline {
            steps: steps.into_iter().map(timed).collect(),
        }
    }

    /// The steps of a plan of an abstract fleet, with what its components take; what reads its files by itself takes none.
    pub fn of_model(model: &Model, document: &'a PlanDocument) -> Timeline<'a> {
        let mut steps: Vec<&Step> = document.steps.iter().collect();
        steps.sort_by_key(|step| step.wave);
        let ids: BTreeMap<&str, usize> = (model.components.iter().enumerate())
            .map(|(at, component)| (component.name.as_str(), at))
            .collect();
        let mut now = 0;
        let timed = |step: &'a Step| {
            let lasts = ids.get(step.component.as_str()).map_or(0, |&at| {
                let live = step.effective == Some(plan::Effective::Live);
                let takes = model.calendar.takes_ms.get(&plan::ComponentId::new(at));
                takes.copied().filter(|_| !live).unwrap_or(0)
            });
            let begins = now;
            now += lasts;
            (step, begins, lasts)
        };
        Timeline {
            steps: steps.into_iter().map(timed).collect(),
        }
    }

    /// When the links of the snapshot (by their text) are down. `links` names the link of each edge of the model.
    pub fn downs(
        &self,
        snapshot: &Snapshot,
        model: &Model,
        links: &[usize],
        outages: &[Outage],
    ) -> BTreeMap<String, Down> {
        let mut found: BTreeMap<String, Down> = BTreeMap::new();
        for outage in outages {
            let Some(link) = links.get(outage.edge).and_then(|&at| snapshot.links.get(at)) else {
                continue;
            };
            let edge = &model.edges[outage.edge];
            let mut ends = vec![edge.prover, edge.verifier];
            for end in [edge.prover, edge.verifier] {
                if let Some(shared) = model.components[end.at()].shared {
                    ends.extend(&model.shared[shared.at()]);
                }
            }
            let of_ends = |step: &Step| {
                ends.iter()
                    .any(|end| model.components[end.at()].name == step.component)
            };
            let new = Down {
                from: self
                    .steps
                    .iter()
                    .position(|(step, ..)| step.wave == outage.from && of_ends(step)),
                until: outage.until.and_then(|wave| {
                    self.steps
                        .iter()
                        .rposition(|(step, ..)| step.wave == wave && of_ends(step))
                }),
            };
            let both = match found.get(&link.text()) {
                None => new,
                Some(old) => Down {
                    from: old.from.min(new.from),
                    until: old.until.zip(new.until).map(|(a, b)| a.max(b)),
                },
            };
            found.insert(link.text(), both);
        }
        found
    }

    /// The first millisecond and the length of an outage; no length where it does not end.
    pub fn span_ms(&self, down: &Down) -> (u64, Option<u64>) {
        let from = down.from.map_or(0, |at| self.steps[at].1);
        let until = down.until.map(|at| self.steps[at].1 + self.steps[at].2);
        (from, until.map(|until| until - from))
    }

    /// The keys `down_from`, `down_until` and `seconds` of a waived link.
    pub fn put(&self, value: &mut Value, down: Option<&Down>) {
        let Some(down) = down else {
            value["down_from"] = Value::Null;
            value["down_until"] = Value::Null;
            value["seconds"] = 0.into();
            return;
        };
        let (from, lasts) = self.span_ms(down);
        let place = |at: Option<usize>, after: Option<u64>| match (at.map(|at| self.steps[at].0), after) {
            (Some(step), Some(after)) => {
                json!({ "wave": step.wave, "step": step.id, "component": step.component, "after_seconds": seconds(after) })
            }
            _ => Value::Null,
        };
        value["down_from"] = place(down.from, Some(from));
        value["down_until"] = place(down.until, lasts.map(|lasts| from + lasts));
        value["seconds"] = lasts.map(seconds).into();
    }

    /// In words: `from phase 1 (agent) to phase 2 (hub), about 40 s`.
    pub fn words(&self, down: &Down) -> String {
        let named = |at: usize| {
            let step = self.steps[at].0;
            format!("phase {} ({})", step.wave, step.component)
        };
        let from = down.from.map_or("before the first phase".to_owned(), named);
        match (down.until, self.span_ms(down).1) {
            (Some(until), Some(lasts)) => {
                format!("from {from} to {}, about {} s", named(until), seconds(lasts))
            }
            _ => format!("from {from} to the end of the plan and after it"),
        }
    }

    /// The steps that must not be parted: while they last some link is down, as the plan's `waived` says. Positions,
    /// first and last.
    pub fn blocks(&self, waived: &[Value]) -> Vec<(usize, usize)> {
        let place = |value: &Value| {
            let id = value["step"].as_str()?;
            self.steps.iter().position(|(step, ..)| step.id == id)
        };
        let mut spans: Vec<(usize, usize)> = waived
            .iter()
            .filter_map(|link| {
                Some((
                    place(&link["down_from"]).unwrap_or(0),
                    place(&link["down_until"])?,
                ))
            })
            .collect();
        spans.sort_unstable();
        let mut blocks: Vec<(usize, usize)> = Vec::new();
        for (from, until) in spans {
            match blocks.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => blocks.push((from, until)),
            }
        }
        blocks
    }
}

/// How long a step of that component lasts: its `takes`, or the time within which it notices by itself.
pub fn takes_ms(snapshot: &Snapshot, component: &str, events: &[Event]) -> u64 {
    let Ok(component) = snapshot.component(component) else {
        return 0;
    };
    let lasts = events.iter().map(|event| {
        let means = match event {
            Event::Switch => &component.effective.identity,
            Event::Grow | Event::Retire => &component.effective.trust,
        };
        match means {
            Means::EachRun => Duration::ZERO,
            Means::Live(within) => *within,
            Means::Reload(_) | Means::Restart(_) => component.effective.takes,
        }
    });
    let longest = lasts.max().unwrap_or_default().min(TEN_YEARS);
    u64::try_from(longest.as_millis()).unwrap_or_default()
}

/// Whole seconds, rounded up.
pub fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000)
}

/// Whatever lasts longer is said to last so long: sums of it stay numbers.
const TEN_YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);
