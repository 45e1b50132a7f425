//! What `[policy]` asks of every wave.

use fleet::Snapshot;
use fleet::file::AtOnceDoc;
use plan::Group;
use plan::Model;

use crate::fleet_dir::FleetDir;

/// Redundancy groups and widths of waves.
pub fn groups(dir: &FleetDir, snapshot: &Snapshot, model: &mut Model) {
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
                max: group.down.max(1),
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
                u32::try_from((members.len() * percent).div_ceil(100)).unwrap_or(u32::MAX)
            }
        };
        if !members.is_empty() {
            model.groups.push(Group {
                members,
                max: max.max(1),
            });
        }
    }
}
