//! What `[policy]` asks of every wave.

use std::collections::BTreeMap;

use fleet::Snapshot;
use fleet::file::AtOnceDoc;
use fleet::file::CanaryDoc;
use plan::Group;
use plan::Model;

use crate::fleet_dir::FleetDir;

/// Everything of `[policy]`, and what a person does by hand: groups, widths, canaries.
pub fn put(dir: &FleetDir, snapshot: &Snapshot, model: &mut Model) {
    groups(dir, snapshot, model);
    canaries(dir, snapshot, model);
    for (at, component) in model.components.iter().enumerate() {
        let said = dir.doc.components.get(&component.name);
        if said.and_then(|component| component.manual) == Some(true) {
            model.by_hand.push(plan::ComponentId::new(at));
        }
    }
}

/// Of components that are alike one goes first: by the formats of their stores, by the site of their host.
fn canaries(dir: &FleetDir, snapshot: &Snapshot, model: &mut Model) {
    let by = &dir.doc.policy.canary;
    if by.is_empty() {
        return;
    }
    let format: BTreeMap<(&str, &str), &str> = (snapshot.stores.iter())
        .map(|store| ((store.host.as_str(), store.path.as_str()), store.format.as_str()))
        .collect();
    let mut formats_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for used in &snapshot.uses {
        let found = format.get(&(used.host.as_str(), used.path.as_str()));
        formats_of.entry(&used.component).or_default().extend(found);
    }
    let mut classes: BTreeMap<String, Vec<plan::ComponentId>> = BTreeMap::new();
    for (at, component) in model.components.iter().enumerate() {
        let mut words: Vec<String> = Vec::new();
        if by.contains(&CanaryDoc::Store) {
            let mut formats = formats_of
                .get(component.name.as_str())
                .cloned()
                .unwrap_or_default();
            formats.sort_unstable();
            formats.dedup();
            words.push(formats.join("+"));
        }
        if by.contains(&CanaryDoc::Site) {
            let host = snapshot
                .components
                .get(&component.name)
                .and_then(|doc| doc["host"].as_str());
            let site = host.and_then(|host| dir.doc.hosts.get(host)?.site.clone());
            let Some(site) = site else { continue };
            words.push(site);
        }
        classes
            .entry(words.join(" "))
            .or_default()
            .push(plan::ComponentId::new(at));
    }
    for (class, members) in classes {
        plan::put_canary(model, &class, &members);
    }
}

/// Redundancy groups and widths of waves.
fn groups(dir: &FleetDir, snapshot: &Snapshot, model: &mut Model) {
    let id_of = |model: &Model, name: &str| {
        model
            .components
            .iter()
            .position(|component| component.name == name)
            .map(plan::ComponentId::new)
    };
    for group in &dir.doc.policy.redundancy {
        let members: Vec<_> = group
            .members
            .iter()
            .filter_map(|name| id_of(model, name))
            .collect();
        if !members.is_empty() {
            model.groups.push(Group {
                members,
                max: group.down,
            });
        }
    }
    for (who, width) in &dir.doc.policy.at_once {
        let role = who.strip_prefix("role:").unwrap_or(who);
        let members: Vec<_> = snapshot
            .components
            .iter()
            .filter(|(id, value)| {
                who == "*"
                    || id.as_str() == role
                    || value["role"]
                        .as_str()
                        .is_some_and(|found| found.eq_ignore_ascii_case(role))
            })
            .filter_map(|(id, _)| id_of(model, id))
            .collect();
        let max = match width {
            AtOnceDoc::Count(count) => *count,
            AtOnceDoc::Share(text) => {
                let percent: usize = text.trim_end_matches('%').trim().parse().unwrap_or(100);
                // A share of few is one of them.
                u32::try_from((members.len() * percent).div_ceil(100))
                    .unwrap_or(u32::MAX)
                    .max(1)
            }
        };
        if !members.is_empty() {
            model.groups.push(Group { members, max });
        }
    }
}
