//! From a snapshot to the abstract model: who has which events left, and what each trust edge accepts.
//!
//! Everything comes from the snapshot alone, so that a stored plan can be checked without the hosts. What a
//! verifier accepts is asked of `trust`, once for each distinct question, never assumed.

mod asked;
mod edge;

use std::collections::BTreeMap;

use fleet::Snapshot;
use fleet::snapshot::LinkFacts;
use product::ClientCertificate;
use product::Means;
use product::Selects;

use asked::Runtimes;
use edge::End;
use edge::Face;
use edge::Seen;

use crate::effect;
use crate::model::Component;
use crate::model::ComponentId;
use crate::model::Effective;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Model;

/// A model and what a person should know about how it was made.
#[derive(Debug, Clone, Default)]
pub struct Lowered {
    /// The abstract fleet.
    pub model: Model,
    /// For each edge of the model, the link it belongs to (index into the snapshot's links).
    pub links: Vec<usize>,
    /// Links that do not work today, with the reason: a plan cannot keep them up.
    pub broken: Vec<(String, String)>,
    /// Links that a waiver lets break.
    pub waived: Vec<String>,
}

/// Makes the model of a snapshot with rotations. `now` is the moment whose verdicts count (the snapshot's own time).
///
/// # Errors
/// Sentences for components or runtimes that cannot be read from the snapshot.
///
/// Cost: O(components + links), and one verdict for each distinct question.
pub fn lower(snapshot: &Snapshot, waivers: &[String]) -> Result<Lowered, Vec<String>> {
    let mut work = Work::new(snapshot)?;
    for at in 0..work.known.len() {
        work.add(at);
    }
    work.share();
    work.done.model.edges.reserve(2 * snapshot.links.len());
    work.done.links.reserve(2 * snapshot.links.len());
    for (index, link) in snapshot.links.iter().enumerate() {
        work.link(index, link, waivers);
    }
    work.mark_at_retirement();
    Ok(work.done)
}

struct Work<'a> {
    snapshot: &'a Snapshot,
    /// By component id of the model.
    known: Vec<Known<'a>>,
    ids: BTreeMap<&'a str, ComponentId>,
    /// For each rotation; empty where nobody has a list of names.
    names: Vec<Names>,
    runtimes: Runtimes<'a>,
    /// Who called in the link before.
    caller: Option<ComponentId>,
    faces: Vec<Option<usize>>,
    distinct: BTreeMap<Face<'a>, usize>,
    dialled: BTreeMap<String, usize>,
    seen: BTreeMap<Seen, edge::Judged>,
    done: Lowered,
}

/// A component and what belongs to it.
struct Known<'a> {
    id: &'a str,
    component: product::Component,
    /// Its stores, as places in the snapshot's uses.
    uses: Vec<usize>,
    /// Its lists of allowed names, as they are now.
    lists: Vec<Vec<String>>,
}

/// The names that a rotation brings into lists of allowed names, and those it takes out.
struct Names {
    new: Vec<String>,
    old: Vec<String>,
    retire: bool,
}

impl<'a> Work<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Work<'a>, Vec<String>> {
        let mut errors = Vec::new();
        let (mut known, mut ids) = (Vec::new(), BTreeMap::new());
        for id in snapshot.components.keys() {
            match snapshot.component(id) {
                Ok(component) => {
                    ids.insert(id.as_str(), ComponentId::new(known.len()));
                    let lists = allowed(snapshot, &component);
                    known.push(Known {
                        id,
                        component,
                        uses: Vec::new(),
                        lists,
                    });
                }
                Err(error) => errors.push(error.to_string()),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        for (index, used) in snapshot.uses.iter().enumerate() {
            if let Some(at) = ids.get(used.component.as_str()) {
                known[at.at()].uses.push(index);
            }
        }
        let runtimes = Runtimes::new(snapshot);
        let names = match known.iter().any(|known| !known.lists.is_empty()) {
            true => names(snapshot, &runtimes),
            false => Vec::new(),
        };
        Ok(Work {
            snapshot,
            known,
            ids,
            names,
            runtimes,
            caller: None,
            faces: vec![None; snapshot.uses.len()],
            distinct: BTreeMap::new(),
            dialled: BTreeMap::new(),
            seen: BTreeMap::new(),
            done: Lowered::default(),
        })
    }

    fn add(&mut self, at: usize) {
        let known = &self.known[at];
        let found = &known.component;
        let mut component = Component::named(known.id);
        component.identity = class(&found.effective.identity);
        component.trust = class(&found.effective.trust);
        component.cost_milli = found.cost_milli;
        component.external = found.external;
        component.events = if found.external {
            EventSet::EMPTY
        } else {
            self.events(known)
        };
        self.done.model.add_component(component);
    }

    /// What is left to do, from what lies in its stores and settings now.
    fn events(&self, known: &Known<'_>) -> EventSet {
        let mut events = EventSet::EMPTY;
        for rotation in &self.snapshot.rotations {
            for used in known.uses.iter().map(|&index| &self.snapshot.uses[index]) {
                let trusts = !used.anchors.is_empty()
                    && known
                        .component
                        .store(&used.id)
                        .is_some_and(product::StoreFile::holds_trust);
                if trusts
                    && rotation
                        .anchors
                        .iter()
                        .any(|anchor| !used.anchors.contains(anchor))
                {
                    events = events.with(Event::Grow);
                }
                if trusts
                    && rotation.retire
                    && used.anchors.iter().any(|anchor| rotation.leave.contains(anchor))
                {
                    events = events.with(Event::Retire);
                }
                if effect::moves(rotation, used) {
                    events = events.with(Event::Switch);
                }
            }
        }
        for names in &self.names {
            for list in &known.lists {
                if names.new.iter().any(|name| !list.contains(name)) {
                    events = events.with(Event::Grow);
                }
                if names.retire && names.old.iter().any(|name| list.contains(name)) {
                    events = events.with(Event::Retire);
                }
            }
        }
        events
    }

    /// Components that read the same file change together.
    fn share(&mut self) {
        let mut readers: BTreeMap<(&str, &str), Vec<ComponentId>> = BTreeMap::new();
        for used in &self.snapshot.uses {
            if let Some(id) = self.ids.get(used.component.as_str()) {
                let list = readers.entry((&used.host, &used.path)).or_default();
                if !list.contains(id) {
                    list.push(*id);
                }
            }
        }
        for members in readers.into_values().filter(|members| members.len() > 1) {
            self.done.model.share(&members);
        }
        // One write each: whatever one of them has to do, the others load.
        for set in self.done.model.shared.clone() {
            let all = set.iter().fold(EventSet::EMPTY, |all, id| {
                all.union(self.done.model.components[id.at()].events)
            });
            for id in set {
                self.done.model.components[id.at()].events = all;
            }
        }
    }

    fn link(&mut self, index: usize, link: &LinkFacts, waivers: &[String]) {
        // Links stand in the order of who calls.
        let client_at = match self.caller.filter(|at| self.known[at.at()].id == link.from) {
            Some(at) => at,
            None => self.ids[link.from.as_str()],
        };
        self.caller = Some(client_at);
        let server_at = self.ids[link.to.as_str()];
        let (client, server) = (&self.known[client_at.at()], &self.known[server_at.at()]);
        let (Some(dial), Some(listen)) = (
            client.component.dials.get(link.dial),
            server.component.listen(&link.endpoint),
        ) else {
            return;
        };
        let used = |known: &Known<'_>, named: Option<&str>, fits: fn(&product::StoreFile) -> bool| {
            fleet::store_of(&known.component, named, fits).and_then(|store| self.use_of(known, &store.id))
        };
        let end = |at, used| End { at, used };
        // Who has a store of anchors verifies, whether that store could be read or not.
        let trusts = product::StoreFile::holds_trust;
        let verifies = dial.trust.is_some()
            || fleet::store_of(&client.component, dial.trust.as_deref(), trusts).is_some();
        let of_server = verifies.then(|| {
            let identity = listen.identity.as_deref();
            let prover = used(server, identity, product::StoreFile::holds_identity);
            let verifier = used(client, dial.trust.as_deref(), trusts);
            (end(server_at, prover), end(client_at, verifier))
        });
        let mutual = listen.client_certificate != ClientCertificate::None;
        let of_client = dial.identity.as_deref().filter(|_| mutual).map(|identity| {
            let prover = self.use_of(client, identity);
            let verifier = used(server, listen.trust.as_deref(), trusts);
            (end(client_at, prover), end(server_at, verifier))
        });
        let expects = dial.expects.clone();
        let waived = !waivers.is_empty() && waivers.contains(&link.text());
        if let Some(ends) = of_server {
            self.edge(index, ends, expects.as_deref(), false, waived);
        }
        if let Some(ends) = of_client {
            self.edge(index, ends, None, true, waived);
        }
        if waived {
            self.done.waived.push(link.text());
        }
    }

    /// The use of that store by that component, as a place in the snapshot's uses.
    fn use_of(&self, known: &Known<'_>, store: &str) -> Option<usize> {
        let mut uses = known.uses.iter().copied();
        uses.find(|&index| self.snapshot.uses[index].id == store)
    }

    /// What the product file marks as switched at retirement only.
    fn mark_at_retirement(&mut self) {
        for (at, known) in self.known.iter().enumerate() {
            if product::switches_at_retirement(&known.component) {
                let component = &mut self.done.model.components[at];
                component.at_retirement = component.at_retirement.with(Event::Switch);
            }
        }
    }
}

/// The lists of allowed names of a component, as they are now.
fn allowed(snapshot: &Snapshot, component: &product::Component) -> Vec<Vec<String>> {
    let lists = component
        .settings
        .iter()
        .filter_map(|setting| match &setting.selects {
            Selects::AllowedNames { separator } => Some((setting, separator)),
            _ => None,
        });
    lists
        .filter_map(|(setting, separator)| {
            let facts = snapshot.settings.iter().find(|facts| {
                facts.component == component.id && facts.file == setting.file && facts.key == setting.key
            })?;
            let names = facts.value.as_deref()?.split(separator.as_str());
            Some(names.map(|item| item.trim().to_owned()).collect())
        })
        .collect()
}

/// What each rotation does to lists of names: the same for everybody.
fn names(snapshot: &Snapshot, runtimes: &Runtimes<'_>) -> Vec<Names> {
    let rotations = snapshot.rotations.iter();
    rotations
        .map(|rotation| {
            let found = fleet::rotation_of(snapshot, &runtimes.certificates, rotation, "");
            Names {
                new: found.new_names,
                old: found.old_names,
                retire: rotation.retire,
            }
        })
        .collect()
}

fn class(means: &Means) -> Effective {
    match means {
        Means::EachRun | Means::Live(_) => Effective::Live,
        Means::Reload(_) => Effective::Reload,
        Means::Restart(_) => Effective::Restart,
    }
}
