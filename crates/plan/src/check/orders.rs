//! Orders asked for beside safety. Undoing does not know them.

use super::Course;
use super::NEVER;
use super::Violation;
use super::slot;
use super::violation;
use crate::model::Event;

impl Course<'_> {
    /// Everything before is effective before anything after is written.
    pub(super) fn check_precedences(&self, violations: &mut Vec<Violation>) {
        if self.undo() {
            return;
        }
        for precedence in &self.model.precedences {
            // When the last of the earlier is effective, and when the first of the later is written.
            let last = (precedence.before.iter())
                .filter(|&&(a, e)| self.required(a).has(e))
                .max_by_key(|&&(a, e)| self.own(a, e));
            let first = precedence
                .after
                .iter()
                .min_by_key(|&&(b, l)| self.first[slot(b, l)]);
            let (Some(&(a, e)), Some(&(b, l))) = (last, first) else {
                continue;
            };
            let (own, later) = (self.own(a, e), self.first[slot(b, l)]);
            if later == NEVER || own < later {
                continue;
            }
            let (early, late) = (self.name(a), self.name(b));
            let order = match own {
                NEVER => format!("{late} {l} (wave {later}), and {early} {e} never"),
                own => format!("{late} {l} (wave {later}) not after {early} {e} (wave {own})"),
            };
            let reason = &self.model.reasons[precedence.reason.at()];
            violations.push(violation(format!("{early}, {late}"), &order, reason));
        }
    }

    /// What is to be one step is one step.
    pub(super) fn check_one_steps(&self, violations: &mut Vec<Violation>) {
        if self.undo() {
            return;
        }
        for asked in &self.model.one_steps {
            let (id, required) = (asked.component, self.required(asked.component));
            let events: Vec<Event> = asked.events.iter().filter(|&e| required.has(e)).collect();
            let step = |e: Event| self.step_of[slot(id, e)];
            if events.windows(2).all(|pair| step(pair[0]) == step(pair[1])) {
                continue;
            }
            let when = |&e: &Event| match self.own(id, e) {
                NEVER => format!("{e} never"),
                wave => format!("{e} (wave {wave})"),
            };
            let order: Vec<String> = events.iter().map(when).collect();
            let reason = format!("one step: {}", self.model.reasons[asked.reason.at()]);
            violations.push(violation(self.name(id).to_owned(), &order.join(", "), &reason));
        }
    }
}
