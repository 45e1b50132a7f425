//! Which state a component is in: S0 old, S1 coexistence, S2 retired, or mixed. Source: fleet-file contract, rules.

use std::collections::BTreeMap;

use keystore::Certificate;
use product::HostFiles;
use product::workload_automation;
use product::workload_automation::state_table;
use product::workload_automation::state_table::STATES;
use product::workload_automation::state_table::State;

use crate::snapshot::Fingerprint;
use crate::snapshot::RotationFacts;
use crate::snapshot::Snapshot;
use crate::snapshot::UseFacts;

/// A component's state and what it lacks for the one it was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentState {
    /// The component.
    pub id: String,
    /// `S0`, `S1`, `S2`, `mixed`, or `unknown` where a store of it could not be read.
    pub state: String,
    /// Each difference from the expected state, in words; empty where it is reached.
    pub deviations: Vec<String>,
}

/// What one component presents and trusts, as far as the rotations ask.
#[derive(Debug, Default)]
struct Seen {
    presents_old: Vec<String>,
    presents_new: Vec<String>,
    trusts_old: Vec<String>,
    lacks_old: Vec<String>,
    trusts_new: Vec<String>,
    lacks_new: Vec<String>,
}

/// The states of all components of `now`, in order of their ids. `rotations` are those of the plan that moved
/// (or will move) the fleet; `expected` is `S0`, `S1` or `S2`, absent = only classify. Products with a state table of
/// their own are compared with that, on their files.
pub fn states(
    now: &Snapshot,
    rotations: &[RotationFacts],
    expected: Option<&str>,
    hosts: &[&dyn HostFiles],
) -> Vec<ComponentState> {
    let all = now.all_certificates();
    now.components
        .keys()
        .map(|id| {
            let unread = unread(now, id);
            if !unread.is_empty() {
                return ComponentState {
                    id: id.clone(),
                    state: "unknown".to_owned(),
                    deviations: unread,
                };
            }
            by_table(now, &all, rotations, (id, expected), hosts)
                .unwrap_or_else(|| of_component(now, rotations, id, expected))
        })
        .collect()
}

/// The stores of a component about which nothing can be said: what they hold may be old or new.
fn unread(now: &Snapshot, id: &str) -> Vec<String> {
    let Ok(component) = now.component(id) else {
        return vec!["it cannot be understood".to_owned()];
    };
    if component.stores.is_empty() {
        return vec!["none of its stores is known".to_owned()];
    }
    let mut unread = Vec::new();
    for store in &component.stores {
        let place = format!("{}:{}", component.host, store.file);
        match now.use_of(id, &store.id) {
            None => unread.push(format!("{place} could not be read")),
            Some(used) if store.holds_identity() && used.presented.is_empty() => {
                unread.push(format!("what it presents from {place} cannot be told"));
            }
            Some(_) => {}
        }
    }
    unread
}

/// The state by the product's own table; `None` where it has none, or none of its rows concerns the component.
fn by_table(
    now: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    rotations: &[RotationFacts],
    (id, expected): (&str, Option<&str>),
    hosts: &[&dyn HostFiles],
) -> Option<ComponentState> {
    let component = now
        .component(id)
        .ok()
        .filter(|component| component.product == workload_automation::PRODUCT)?;
    let files = hosts.iter().find(|files| files.host() == component.host)?;
    let stores = crate::changes::contents(now, all, &component);
    let facts = rotations
        .iter()
        .find(|facts| facts.new.contains_key(id))
        .or(rotations.first());
    let rotation = facts.map(|facts| crate::changes::rotation(now, all, facts, id));
    let classified = state_table::classify(&component, *files, &stores, rotation.as_ref());
    if classified.rows == 0 {
        return None;
    }
    let wanted = STATES.into_iter().find(|state| expected == Some(state.name()));
    // Two states can be the same for a component: the expected one is named where it fits.
    let fits = wanted.filter(|state| classified.deviations(*state).is_empty());
    let state = fits.or(classified.state()).map_or("mixed", State::name);
    let deviations = wanted
        .map(|state| classified.deviations(state).to_vec())
        .unwrap_or_default();
    Some(ComponentState {
        id: id.to_owned(),
        state: state.to_owned(),
        deviations,
    })
}

fn of_component(
    now: &Snapshot,
    rotations: &[RotationFacts],
    id: &str,
    expected: Option<&str>,
) -> ComponentState {
    let uses: Vec<&UseFacts> = now.uses.iter().filter(|used| used.component == id).collect();
    let component = now.component(id).ok();
    let mut seen = Seen::default();
    for rotation in rotations {
        for used in &uses {
            let store = component.as_ref().and_then(|component| component.store(&used.id));
            look(
                rotation,
                used,
                id,
                store.is_some_and(product::StoreFile::holds_trust),
                now,
                &mut seen,
            );
        }
    }
    let state = seen.state();
    let deviations = expected.map_or_else(Vec::new, |wanted| seen.deviations(wanted, state));
    ComponentState {
        id: id.to_owned(),
        state: state.to_owned(),
        deviations,
    }
}

fn look(rotation: &RotationFacts, used: &UseFacts, id: &str, trusts: bool, now: &Snapshot, seen: &mut Seen) {
    let place = |name: &Fingerprint| {
        let subject = now
            .certificate(name)
            .map(|certificate| certificate.subject().to_string())
            .unwrap_or_default();
        format!(
            "{subject} ({}) in {}:{}",
            &name[..16.min(name.len())],
            used.host,
            used.path
        )
    };
    if let Some(leaf) = used.presented.first() {
        if rotation.leave.contains(leaf) {
            seen.presents_old.push(place(leaf));
        }
        if rotation
            .new
            .get(id)
            .is_some_and(|new| new.chain.first() == Some(leaf))
        {
            seen.presents_new.push(place(leaf));
        }
    }
    if !trusts {
        return;
    }
    let old: Vec<&Fingerprint> = rotation
        .leave
        .iter()
        .filter(|name| used.anchors.contains(name))
        .collect();
    if old.is_empty() {
        seen.lacks_old.push(format!("{}:{}", used.host, used.path));
    }
    seen.trusts_old.extend(old.into_iter().map(place));
    for anchor in &rotation.anchors {
        if used.anchors.contains(anchor) {
            seen.trusts_new.push(place(anchor));
        } else {
            seen.lacks_new.push(place(anchor));
        }
    }
}

impl Seen {
    fn state(&self) -> &'static str {
        let old_only =
            self.presents_new.is_empty() && self.trusts_new.is_empty() && self.lacks_old.is_empty();
        let new_only =
            self.presents_old.is_empty() && self.trusts_old.is_empty() && self.lacks_new.is_empty();
        // A new generation that nobody signed yet is trusted nowhere.
        let both = !self.trusts_new.is_empty() && self.lacks_new.is_empty() && self.lacks_old.is_empty();
        match (both, old_only, new_only) {
            (true, ..) => "S1",
            (_, true, false) => "S0",
            (_, false, true) => "S2",
            // Neither presents nor trusts anything of the rotation.
            (_, true, true) => "S2",
            _ => "mixed",
        }
    }

    fn deviations(&self, wanted: &str, state: &str) -> Vec<String> {
        if wanted == state {
            return Vec::new();
        }
        let say = |words: &str, list: &[String]| {
            list.iter()
                .map(|what| format!("{words} {what}"))
                .collect::<Vec<_>>()
        };
        let mut all = Vec::new();
        match wanted {
            "S0" => {
                all.extend(say("presents the new", &self.presents_new));
                all.extend(say("trusts the new", &self.trusts_new));
                all.extend(say("trusts nothing old in", &self.lacks_old));
            }
            "S1" => {
                all.extend(say("does not trust the new", &self.lacks_new));
                all.extend(say("trusts nothing old in", &self.lacks_old));
            }
            _ => {
                all.extend(say("presents the old", &self.presents_old));
                all.extend(say("trusts the old", &self.trusts_old));
                all.extend(say("does not trust the new", &self.lacks_new));
            }
        }
        if all.is_empty() {
            all.push(format!("is {state}, not {wanted}"));
        }
        all
    }
}
