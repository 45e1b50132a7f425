//! What surrounds a fleet and is none of its links: time, what nobody can reach, what is done by hand.

use std::collections::BTreeMap;

use crate::model::ComponentId;
use crate::model::Event;

/// What time has to do with a plan. Moments are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// The moment at which the plan is made; only a model says it.
    pub now: Option<i64>,
    /// Maintenance windows as written; none: every moment is open.
    pub windows: Vec<String>,
    /// How long a step of a component lasts, in milliseconds; absent: no time.
    pub takes_ms: BTreeMap<ComponentId, u64>,
    /// When what a component presents today ends: its switch must be effective before.
    pub expires: BTreeMap<ComponentId, i64>,
    /// When everything must be done.
    pub deadline: Option<i64>,
}

impl Calendar {
    /// Whether anything must be done in time.
    pub fn has_deadlines(&self) -> bool {
        self.deadline.is_some() || !self.expires.is_empty()
    }
}

/// An event that is left for later, because something that it needs cannot happen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whose event.
    pub component: ComponentId,
    /// The event.
    pub event: Event,
    /// Why, in words.
    pub because: String,
}

/// A link whose waiver has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedWaiver {
    /// One end.
    pub from: ComponentId,
    /// The other.
    pub to: ComponentId,
    /// Its last day, as written.
    pub until: String,
}
