//! What a step does to a store: what it presents and what it trusts afterwards, as everything in the model assumes.
//!
//! Invariant: after any step a scan of the host sees exactly this.

use std::collections::BTreeSet;

use fleet::Snapshot;
use fleet::snapshot::Fingerprint;
use fleet::snapshot::RotationFacts;
use fleet::snapshot::UseFacts;

use crate::model::Event;
use crate::model::EventSet;
use crate::model::TrustState;

/// A store as a component reads it after these events: `used` is how the snapshot saw it before the first of them.
///
/// Cost: O(anchors of the store and of the rotations).
pub fn effect(snapshot: &Snapshot, used: &UseFacts, happened: EventSet) -> UseFacts {
    let mut after = used.clone();
    if happened.has(Event::Switch) {
        after.presented = presented(snapshot, used);
    }
    let trusts = snapshot.component(&used.component).is_ok_and(|component| {
        component
            .store(&used.id)
            .is_some_and(product::StoreFile::holds_trust)
    });
    let trust = match (happened.has(Event::Retire), happened.has(Event::Grow)) {
        (true, _) => TrustState::New,
        (false, true) => TrustState::Both,
        (false, false) => TrustState::Old,
    };
    if trusts {
        after.anchors = anchors(snapshot, used, trust);
    }
    if trusts && after.presented != used.presented {
        after.anchors.extend(by_the_way(snapshot, used, &after));
    }
    after
}

/// What is trusted since the switch because it stands in the same file. The model leaves it out: nobody needs it.
///
/// Every runtime trusts the certificate of a key entry, if it trusted the old one so; what reads every certificate of a
/// file trusts the whole chain; in a CMS key database the issuers are records like any anchor.
fn by_the_way(snapshot: &Snapshot, used: &UseFacts, after: &UseFacts) -> Vec<Fingerprint> {
    let mut formats = snapshot
        .stores
        .iter()
        .filter(|store| store.host == used.host && store.path == used.path)
        .map(|store| store.format.as_str());
    let whole_file = formats.any(|format| matches!(format, "cms-kdb" | "pem"));
    let own = used
        .presented
        .first()
        .is_some_and(|leaf| used.anchors_with_key.contains(leaf));
    let issuers = after.presented.iter().skip(1).filter(|_| whole_file);
    let leaf = after.presented.first().filter(|_| own);
    leaf.into_iter()
        .chain(issuers)
        .filter(|name| !after.anchors.contains(name))
        .cloned()
        .collect()
}

/// Whether the rotation gives this store a new identity.
pub(crate) fn moves(rotation: &RotationFacts, used: &UseFacts) -> bool {
    let leaving = used
        .presented
        .first()
        .is_some_and(|leaf| rotation.leave.contains(leaf));
    leaving && rotation.new.contains_key(&used.component)
}

/// What is presented from the store after the switch.
pub(crate) fn presented(snapshot: &Snapshot, used: &UseFacts) -> Vec<Fingerprint> {
    snapshot
        .rotations
        .iter()
        .filter(|rotation| moves(rotation, used))
        .find_map(|rotation| rotation.new.get(&used.component).map(|new| new.chain.clone()))
        .unwrap_or_else(|| used.presented.clone())
}

/// What is trusted by a store of anchors in that state.
pub(crate) fn anchors(snapshot: &Snapshot, used: &UseFacts, trust: TrustState) -> Vec<Fingerprint> {
    let mut anchors = used.anchors.clone();
    if trust == TrustState::Old {
        return anchors;
    }
    for rotation in &snapshot.rotations {
        for anchor in &rotation.anchors {
            if !anchors.contains(anchor) {
                anchors.push(anchor.clone());
            }
        }
    }
    if trust == TrustState::New {
        let retired: BTreeSet<&Fingerprint> = snapshot
            .rotations
            .iter()
            .filter(|rotation| rotation.retire)
            .flat_map(|rotation| &rotation.leave)
            .collect();
        anchors.retain(|anchor| !retired.contains(anchor));
    }
    anchors
}
