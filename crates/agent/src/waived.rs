//! Links that a plan takes down under a waiver: while which steps they may fail.

use std::collections::BTreeMap;

use plan::PlanDocument;
use plan::Step;
use serde_json::Value;

/// The waived links of a plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waived {
    /// By the text of the link: the positions of the step that takes it down and of the one that brings it back.
    links: BTreeMap<String, (usize, Option<usize>)>,
    /// The position of each step in the order of the run.
    places: BTreeMap<String, usize>,
}

impl Waived {
    /// From the keys `down_from` and `down_until` of a plan's `waived`. A link that goes not down, or says not when, may
    /// not fail.
    pub(crate) fn of(plan: &PlanDocument) -> Waived {
        let mut steps: Vec<&Step> = plan.steps.iter().collect();
        steps.sort_by(|a, b| (a.wave, &a.id).cmp(&(b.wave, &b.id)));
        let places: BTreeMap<String, usize> = steps
            .iter()
            .enumerate()
            .map(|(place, step)| (step.id.clone(), place))
            .collect();
        let place = |value: &Value| places.get(value["step"].as_str()?).copied();
        let mut links = BTreeMap::new();
        for value in &plan.waived {
            let goes_down = value.get("seconds").is_some_and(|lasts| *lasts != 0);
            if let (Some(link), true) = (value["link"].as_str(), goes_down) {
                let from = place(&value["down_from"]).unwrap_or(0);
                links.insert(link.to_owned(), (from, place(&value["down_until"])));
            }
        }
        Waived { links, places }
    }

    /// Whether no link of the plan goes down.
    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Whether the link may still be down when this step is done: the step that brings it back is a later one.
    pub(crate) fn may_be_down(&self, step: &str, link: &str) -> bool {
        let Some(place) = self.places.get(step) else {
            return false;
        };
        self.links
            .get(link)
            .is_some_and(|(from, until)| place >= from && until.is_none_or(|until| *place < until))
    }

    /// Whether the link stays down when the plan has ended.
    pub(crate) fn stays_down(&self, link: &str) -> bool {
        self.links.get(link).is_some_and(|(_, until)| until.is_none())
    }
}

#[cfg(test)]
mod tests;
