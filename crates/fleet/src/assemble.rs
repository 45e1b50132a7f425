//! The components of a fleet: what products were found by their layout, and what a person wrote, who wins.

use std::collections::BTreeMap;

use product::ClientCertificate;
use product::Component;
use product::HostFiles;
use product::StoreFile;
use product::workload_automation;

use crate::declare;
use crate::declare::DeclareError;
use crate::file::ComponentDoc;
use crate::file::DialDoc;
use crate::file::distance;
use crate::scan::Look;
use crate::scan::finding;
use crate::scan::question;
use crate::snapshot::FirstFacts;
use crate::snapshot::LinkFacts;
use crate::snapshot::Snapshot;

/// All components, in order of their ids.
///
/// # Errors
/// Every mistake in the fleet file's components.
pub(crate) fn components(
    look: &Look<'_>,
    snapshot: &mut Snapshot,
) -> Result<Vec<Component>, Vec<DeclareError>> {
    let mut docs: BTreeMap<String, ComponentDoc> = BTreeMap::new();
    for component in found(look, snapshot) {
        docs.insert(component.id.clone(), declare::document(&component));
    }
    let mut errors = Vec::new();
    for (id, written) in &look.doc.components {
        let host_known = written
            .host
            .as_ref()
            .is_none_or(|host| look.doc.hosts.contains_key(host));
        if !host_known {
            let what = format!(
                "host `{}` is not one of [hosts]",
                written.host.clone().unwrap_or_default()
            );
            errors.push(DeclareError {
                place: format!("components.{id}.host"),
                what,
            });
        }
        let merged = match docs.remove(id) {
            Some(found) => overlay(found, written),
            None => written.clone(),
        };
        docs.insert(id.clone(), merged);
    }
    let mut components = Vec::new();
    for (id, doc) in &docs {
        match declare::component(id, doc) {
            Ok(component) => components.push(component),
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() {
        Ok(components)
    } else {
        Err(errors)
    }
}

/// What the built-in products find by their layout.
fn found(look: &Look<'_>, snapshot: &mut Snapshot) -> Vec<Component> {
    let mut known = workload_automation::ScanContext::default();
    for host in look.hosts {
        let name = host.host().to_owned();
        let trees = crate::scan::trees(look, &name);
        known.look_in.insert(name.clone(), trees);
        known.names.insert(name.clone(), name.clone());
        for (alias, owner) in own_names(*host) {
            known.names.entry(alias).or_insert(owner);
        }
    }
    known.definitions = look.definitions.values().cloned().collect();
    let found = workload_automation::scan(look.hosts, &known);
    for asked in found.questions {
        question(snapshot, &asked.about, asked.text, asked.proposal);
    }
    for note in found.notes {
        finding(snapshot, "note", "workload-automation", note, None);
    }
    let host_of = |id: &str| {
        let of = found.components.iter().find(|component| component.id == id);
        of.map(|component| component.host.clone()).unwrap_or_default()
    };
    for first in &found.first {
        let host = host_of(&first.component);
        let doc = crate::format::write_doc(&host, "", &first.change, snapshot);
        snapshot.first.push(FirstFacts {
            component: first.component.clone(),
            write: serde_json::to_value(doc).expect("a write's words are plain JSON"),
        });
    }
    found.components
}

/// The names that a host has for itself: its own file says so.
fn own_names(host: &dyn HostFiles) -> Vec<(String, String)> {
    let text = host
        .read("/etc/hostname")
        .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    text.ok()
        .filter(|name| !name.is_empty())
        .map(|name| (name, host.host().to_owned()))
        .into_iter()
        .collect()
}

/// What a person wrote wins over what scan found; dials are added to.
fn overlay(mut found: ComponentDoc, written: &ComponentDoc) -> ComponentDoc {
    fn over<T: Clone>(found: &mut Option<T>, written: &Option<T>) {
        if written.is_some() {
            found.clone_from(written);
        }
    }
    over(&mut found.host, &written.host);
    over(&mut found.product, &written.product);
    over(&mut found.role, &written.role);
    over(&mut found.runtime, &written.runtime);
    over(&mut found.dir, &written.dir);
    over(&mut found.cost, &written.cost);
    over(&mut found.external, &written.external);
    over(&mut found.trusts_new_since, &written.trusts_new_since);
    over(&mut found.effective, &written.effective);
    for store in &written.stores {
        found.stores.retain(|known| known.id != store.id);
        found.stores.push(store.clone());
    }
    for listen in &written.listens {
        found.listens.retain(|known| known.name != listen.name);
        found.listens.push(listen.clone());
    }
    for dial in &written.dials {
        found
            .dials
            .retain(|known| (&known.to, &known.endpoint) != (&dial.to, &dial.endpoint));
        found.dials.push(as_the_product_dials(&found, dial.clone()));
    }
    for setting in &written.settings {
        found
            .settings
            .retain(|known| (&known.file, &known.key) != (&setting.file, &setting.key));
        found.settings.push(setting.clone());
    }
    found
}

/// A built-in product presents and verifies with what it has: a dial that names no store takes the only one that fits.
fn as_the_product_dials(found: &ComponentDoc, mut dial: DialDoc) -> DialDoc {
    let only = |holds: &str| {
        let mut fitting = found
            .stores
            .iter()
            .filter(|store| store.holds.iter().any(|word| word == holds));
        let first = fitting.next()?.id.clone();
        first.filter(|_| fitting.next().is_none())
    };
    dial.identity = dial.identity.or_else(|| only("identity"));
    dial.trust = dial.trust.or_else(|| only("trust"));
    dial
}

/// Every dial as a link. One whose target is not known is a question.
pub(crate) fn links(components: &[Component], snapshot: &mut Snapshot) {
    let by_id: BTreeMap<&str, &Component> = components
        .iter()
        .map(|component| (component.id.as_str(), component))
        .collect();
    for component in components {
        for (index, dial) in component.dials.iter().enumerate() {
            let Some(target) = by_id.get(dial.to.as_str()) else {
                let nearest = by_id.keys().min_by_key(|name| distance(name, &dial.to));
                let text = format!(
                    "`{}` dials `{}`, which is not a component of this fleet",
                    component.id, dial.to
                );
                let proposal = nearest.map(|name| format!("to = \"{name}\""));
                question(snapshot, &component.id, text, proposal);
                continue;
            };
            let listen = match dial.endpoint.as_str() {
                "" if target.listens.len() == 1 => target.listens.first(),
                name => target.listen(name),
            };
            let Some(listen) = listen else {
                let names: Vec<&str> = target.listens.iter().map(|listen| listen.name.as_str()).collect();
                let text = format!(
                    "`{}` dials `{}.{}`, which listens on: {}",
                    component.id,
                    dial.to,
                    dial.endpoint,
                    names.join(", ")
                );
                question(
                    snapshot,
                    &component.id,
                    text,
                    names.first().map(|name| format!("endpoint = \"{name}\"")),
                );
                continue;
            };
            let asks = listen.client_certificate != ClientCertificate::None;
            let mutual = asks && dial.identity.is_some();
            if listen.client_certificate == ClientCertificate::Required && dial.identity.is_none() {
                let text = format!(
                    "`{}.{}` requires a client certificate and this dial names no identity",
                    dial.to, listen.name
                );
                finding(
                    snapshot,
                    "warning",
                    &component.id,
                    text,
                    Some("add `identity` to the dial".to_owned()),
                );
            }
            snapshot.links.push(LinkFacts {
                from: component.id.clone(),
                to: dial.to.clone(),
                endpoint: listen.name.clone(),
                dial: index,
                mutual,
            });
        }
    }
}

/// The store that a listen or dial uses: the one it names, else the only one that fits.
pub fn store_of<'a>(
    component: &'a Component,
    named: Option<&str>,
    fits: fn(&StoreFile) -> bool,
) -> Option<&'a StoreFile> {
    match named {
        Some(id) => component.store(id),
        None => {
            let mut fitting = component.stores.iter().filter(|store| fits(store));
            let first = fitting.next()?;
            fitting.next().is_none().then_some(first)
        }
    }
}
