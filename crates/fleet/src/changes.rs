//! What every component's files become in the rotations of a snapshot.

use std::collections::BTreeMap;

use keystore::Certificate;
use product::Change;
use product::Changes;
use product::Component;
use product::HostFiles;
use product::Rotation;
use product::generic::StoreNow;
use product::workload_automation;
use product::workload_automation::EntryContent;
use product::workload_automation::EntryKind;
use product::workload_automation::StoreContent;

use crate::format::WriteDoc;
use crate::meaning::MeaningError;
use crate::snapshot::Fingerprint;
use crate::snapshot::RotationFacts;
use crate::snapshot::Snapshot;

/// The changes of every component that the rotations of `snapshot` touch, by component id.
///
/// # Errors
/// Sentences for components whose words cannot be read any more.
///
/// Cost: O(components × rotations); certificates are parsed once.
pub fn changes(
    snapshot: &Snapshot,
    hosts: &[&dyn HostFiles],
) -> Result<BTreeMap<String, Changes>, Vec<String>> {
    let all = snapshot.all_certificates();
    let mut found = BTreeMap::new();
    let mut errors = Vec::new();
    for id in snapshot.components.keys() {
        let component = match snapshot.component(id) {
            Ok(component) => component,
            Err(error) => {
                errors.push(error.to_string());
                continue;
            }
        };
        let mut total = Changes::default();
        for facts in &snapshot.rotations {
            let rotation = rotation(snapshot, &all, facts, id);
            let more = of_component(snapshot, &all, hosts, &component, &rotation);
            total.grow.extend(more.grow);
            total.switch.extend(more.switch);
            total
                .retire
                .extend(more.retire.into_iter().filter(|_| facts.retire));
            total.notes.extend(more.notes);
            total.obstacles.extend(more.obstacles);
        }
        match first(snapshot, id) {
            Ok(first) => total.first = first,
            Err(error) => errors.push(error.to_string()),
        }
        found.insert(id.clone(), total);
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// What the scan saw that comes before every step, on this component's host.
fn first(snapshot: &Snapshot, id: &str) -> Result<Vec<Change>, MeaningError> {
    let own = snapshot.first.iter().filter(|first| first.component == id);
    own.map(|first| {
        let doc: WriteDoc = serde_json::from_value(first.write.clone())
            .map_err(|error| MeaningError::Unreadable(error.to_string()))?;
        crate::format::change(&doc, snapshot)
    })
    .collect()
}

fn of_component(
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    hosts: &[&dyn HostFiles],
    component: &Component,
    rotation: &Rotation,
) -> Changes {
    if component.external {
        return Changes::default();
    }
    if component.product == workload_automation::PRODUCT {
        let Some(files) = hosts.iter().find(|files| files.host() == component.host) else {
            return Changes {
                obstacles: vec![format!("host {} cannot be looked at", component.host)],
                ..Changes::default()
            };
        };
        return workload_automation::changes(
            component,
            *files,
            &contents(snapshot, all, component),
            rotation,
        );
    }
    product::generic::changes(component, &stores_now(snapshot, all, component), rotation)
}

/// What the stores of a component hold, entry by entry.
pub(crate) fn contents(
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    component: &Component,
) -> Vec<StoreContent> {
    component
        .stores
        .iter()
        .filter_map(|store| content(snapshot, all, component, &store.id))
        .collect()
}

fn content(
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    component: &Component,
    id: &str,
) -> Option<StoreContent> {
    let used = snapshot.use_of(&component.id, id)?;
    let store = snapshot
        .stores
        .iter()
        .find(|store| store.host == used.host && store.path == used.path)?;
    let entries = store.entries.iter().map(|entry| EntryContent {
        alias: entry.alias.clone(),
        kind: match entry.kind.as_str() {
            "private-key" => EntryKind::Key,
            "trusted-cert" => EntryKind::Trusted,
            _ => EntryKind::Other,
        },
        chain: entry
            .chain
            .iter()
            .filter_map(|name| all.get(name).cloned())
            .collect(),
    });
    Some(StoreContent {
        id: id.to_owned(),
        presented: used.presented.first().and_then(|leaf| all.get(leaf).cloned()),
        entries: entries.collect(),
    })
}

/// One rotation as that component sees it.
pub fn rotation(
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    facts: &RotationFacts,
    component: &str,
) -> Rotation {
    let certificates = |names: &[Fingerprint]| -> Vec<Certificate> {
        names.iter().filter_map(|name| all.get(name).cloned()).collect()
    };
    let new = facts.new.get(component);
    let mut new_names = Vec::new();
    for moved in facts.new.values() {
        let name = moved
            .chain
            .first()
            .and_then(|leaf| all.get(leaf))
            .and_then(|leaf| leaf.subject().common_name());
        new_names.extend(name.filter(|name| !new_names.contains(name)));
    }
    let mut old_names: Vec<String> = Vec::new();
    for used in &snapshot.uses {
        let Some(leaf) = used.presented.first().filter(|leaf| facts.leave.contains(leaf)) else {
            continue;
        };
        let name = all.get(leaf).and_then(|leaf| leaf.subject().common_name());
        old_names.extend(name.filter(|name| !old_names.contains(name) && !new_names.contains(name)));
    }
    Rotation {
        name: facts.name.clone(),
        chain: new.map(|new| certificates(&new.chain)).unwrap_or_default(),
        anchors: certificates(&facts.anchors),
        old: certificates(&facts.leave),
        alias: new.and_then(|new| new.alias.clone()),
        new_names,
        old_names,
        material: new.map(|new| new.material.clone()).unwrap_or_default(),
    }
}

/// What each store of the component holds today.
fn stores_now(
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    component: &Component,
) -> Vec<StoreNow> {
    let certificates = |names: &[Fingerprint]| -> Vec<Certificate> {
        names.iter().filter_map(|name| all.get(name).cloned()).collect()
    };
    component
        .stores
        .iter()
        .filter_map(|store| {
            let used = snapshot.use_of(&component.id, &store.id)?;
            Some(StoreNow {
                id: store.id.clone(),
                presented: used.presented.first().and_then(|leaf| all.get(leaf).cloned()),
                alias: used.alias.clone(),
                anchors: certificates(&used.anchors),
                anchors_with_key: certificates(&used.anchors_with_key),
                keys: used.keys,
            })
        })
        .collect()
}
