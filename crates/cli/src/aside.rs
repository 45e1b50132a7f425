//! Components that a plan leaves out, because nobody reaches them or something stands in their way, and what waits for
//! them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use fleet::Snapshot;
use plan::Blocked;
use plan::ComponentId;
use plan::Model;
use plan::PlanDocument;
use serde_json::Value;
use serde_json::json;

/// Components with the reason why they are left out.
pub type Aside = BTreeMap<String, String>;

/// The components on hosts that are reached in a way which is not there yet, or by nobody.
pub fn unreachable(snapshot: &Snapshot) -> Aside {
    let mut found = Aside::new();
    for (id, doc) in &snapshot.components {
        let host = doc["host"].as_str().unwrap_or_default();
        let reach = snapshot
            .hosts
            .get(host)
            .map_or("local", |host| host.reach.as_str());
        if reach != "local" && doc["external"].as_bool() != Some(true) {
            found.insert(id.clone(), format!("its host cannot be reached ({reach})"));
        }
    }
    found
}

/// Leaves these components out of the model.
pub fn leave_out(model: &mut Model, aside: &Aside) {
    if aside.is_empty() {
        return;
    }
    let stuck: Vec<(ComponentId, String)> = (model.components.iter().enumerate())
        .filter_map(|(at, component)| Some((ComponentId::new(at), aside.get(&component.name)?.clone())))
        .collect();
    plan::set_aside(model, &stuck);
}

/// Writes into a plan what it leaves out and what it takes for granted.
pub fn write(model: &Model, aside: &Aside, document: &mut PlanDocument) {
    if aside.is_empty() {
        return;
    }
    let out: Vec<Value> = aside
        .iter()
        .map(|(name, why)| json!({ "component": name, "because": why }))
        .collect();
    document.extra.insert("left_out".to_owned(), out.into());
    let mut assumed: BTreeSet<String> = BTreeSet::new();
    for name in aside.keys() {
        assumed.insert(format!(
            "{name} goes on presenting and trusting what it does today"
        ));
    }
    for edge in &model.edges {
        let name = |id: ComponentId| model.components[id.at()].name.as_str();
        let ends = [name(edge.prover), name(edge.verifier)];
        if ends.iter().any(|end| aside.contains_key(*end)) {
            assumed.insert(format!(
                "the link between {} and {} works today",
                ends[0].min(ends[1]),
                ends[0].max(ends[1])
            ));
        }
    }
    let assumed: Vec<Value> = assumed.into_iter().map(Value::String).collect();
    document.extra.insert("assumed".to_owned(), assumed.into());
}

/// Leaves out of the model what a plan leaves out. A plan that leaves more out than it must is no less safe.
pub fn put(snapshot: &Snapshot, document: &PlanDocument, model: &mut Model) {
    let mut aside = Aside::new();
    for one in document
        .extra
        .get("left_out")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(name), Some(why)) = (one["component"].as_str(), one["because"].as_str()) {
            aside.insert(name.to_owned(), why.to_owned());
        }
    }
    aside.retain(|name, _| snapshot.components.contains_key(name));
    leave_out(model, &aside);
}

/// The components that these obstacles are about; `None` where one is about something else.
pub fn of(snapshot: &Snapshot, blocked: &[Blocked]) -> Option<Aside> {
    let mut found = Aside::new();
    for one in blocked {
        let target = one.component.as_deref()?;
        let mut hit = false;
        if snapshot.components.contains_key(target) {
            found.insert(target.to_owned(), one.reason.clone());
            hit = true;
        }
        for (id, doc) in &snapshot.components {
            let host = doc["host"].as_str().unwrap_or_default();
            let Some(path) = target.strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) else {
                continue;
            };
            let stores = doc["stores"].as_array().into_iter().flatten();
            let mut files =
                stores.flat_map(|store| [&store["file"], &store["key-file"], &store["cert-file"]]);
            if files.any(|file| file.as_str() == Some(path)) {
                found.insert(id.clone(), one.reason.clone());
                hit = true;
            }
        }
        if !hit {
            return None;
        }
    }
    Some(found)
}
