//! From a snapshot to the abstract model: who has which events left, and what each trust edge accepts.
//!
//! Everything comes from the snapshot alone, so that a stored plan can be checked without the hosts. What a
//! verifier accepts is asked of `trust`, once for each distinct question, never assumed.

use std::collections::BTreeMap;

use fleet::Snapshot;
use fleet::snapshot::Fingerprint;
use fleet::snapshot::LinkFacts;
use fleet::snapshot::UseFacts;
use keystore::Certificate;
use product::ClientCertificate;
use product::Means;
use product::Selects;

use crate::effect;
use crate::model::Acceptance;
use crate::model::ChainForm;
use crate::model::Component;
use crate::model::ComponentId;
use crate::model::Effective;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Model;
use crate::model::ReasonId;
use crate::model::TrustState;

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
/// Cost: O(links) and one verdict for each distinct question.
pub fn lower(snapshot: &Snapshot, waivers: &[String]) -> Result<Lowered, Vec<String>> {
    let mut work = Work::new(snapshot)?;
    for id in snapshot.components.keys() {
        work.add(id);
    }
    work.share();
    for (index, link) in snapshot.links.iter().enumerate() {
        work.link(index, link, waivers);
    }
    work.mark_at_retirement();
    Ok(work.done)
}

struct Work<'a> {
    snapshot: &'a Snapshot,
    certificates: BTreeMap<Fingerprint, Certificate>,
    components: BTreeMap<String, product::Component>,
    ids: BTreeMap<String, ComponentId>,
    signatures: trust::Computed,
    verdicts: BTreeMap<Asked, Option<String>>,
    done: Lowered,
}

/// One distinct question to a runtime.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Asked {
    runtime: String,
    chain: Vec<Fingerprint>,
    anchors: Vec<Fingerprint>,
    client: bool,
    name: Option<String>,
}

/// One end of an edge: a component and its store.
#[derive(Clone, Copy)]
struct End<'a> {
    component: &'a str,
    store: Option<&'a UseFacts>,
}

impl<'a> Work<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Work<'a>, Vec<String>> {
        let mut errors = Vec::new();
        let mut components = BTreeMap::new();
        for id in snapshot.components.keys() {
            match snapshot.component(id) {
                Ok(component) => {
                    components.insert(id.clone(), component);
                }
                Err(error) => errors.push(error.to_string()),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Work {
            snapshot,
            certificates: snapshot.all_certificates(),
            components,
            ids: BTreeMap::new(),
            signatures: trust::Computed::new(),
            verdicts: BTreeMap::new(),
            done: Lowered::default(),
        })
    }

    fn add(&mut self, id: &str) {
        let found = &self.components[id];
        let mut component = Component::named(id);
        component.identity = class(&found.effective.identity);
        component.trust = class(&found.effective.trust);
        component.cost_milli = found.cost_milli;
        component.external = found.external;
        component.events = if found.external {
            EventSet::EMPTY
        } else {
            self.events(id)
        };
        let id = id.to_owned();
        let at = self.done.model.add_component(component);
        self.ids.insert(id, at);
    }

    /// What is left to do, from what lies in its stores and settings now.
    fn events(&self, id: &str) -> EventSet {
        let mut events = EventSet::EMPTY;
        let uses: Vec<&UseFacts> = self
            .snapshot
            .uses
            .iter()
            .filter(|used| used.component == id)
            .collect();
        for rotation in &self.snapshot.rotations {
            for used in &uses {
                let trusts = !used.anchors.is_empty() && self.holds_trust(id, &used.id);
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
            let names = fleet::rotation_of(self.snapshot, &self.certificates, rotation, id);
            for list in self.allowed(id) {
                if names.new_names.iter().any(|name| !list.contains(name)) {
                    events = events.with(Event::Grow);
                }
                if rotation.retire && names.old_names.iter().any(|name| list.contains(name)) {
                    events = events.with(Event::Retire);
                }
            }
        }
        events
    }

    fn holds_trust(&self, id: &str, store: &str) -> bool {
        self.components[id]
            .store(store)
            .is_some_and(product::StoreFile::holds_trust)
    }

    /// The lists of allowed names of a component, as they are now.
    fn allowed(&self, id: &str) -> Vec<Vec<String>> {
        self.components[id]
            .settings
            .iter()
            .filter_map(|setting| match &setting.selects {
                Selects::AllowedNames { separator } => Some((setting, separator)),
                _ => None,
            })
            .filter_map(|(setting, separator)| {
                let facts = self.snapshot.settings.iter().find(|facts| {
                    facts.component == id && facts.file == setting.file && facts.key == setting.key
                })?;
                let value = facts.value.as_deref()?;
                Some(
                    value
                        .split(separator.as_str())
                        .map(|item| item.trim().to_owned())
                        .collect(),
                )
            })
            .collect()
    }

    /// Components that read the same file change together.
    fn share(&mut self) {
        let mut readers: BTreeMap<(&str, &str), Vec<ComponentId>> = BTreeMap::new();
        for used in &self.snapshot.uses {
            if let Some(id) = self.ids.get(&used.component) {
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

    fn link(&mut self, index: usize, link: &'a LinkFacts, waivers: &[String]) {
        let snapshot = self.snapshot;
        let (client, server) = (&self.components[&link.from], &self.components[&link.to]);
        let (Some(dial), Some(listen)) = (client.dials.get(link.dial), server.listen(&link.endpoint)) else {
            return;
        };
        let used =
            |component: &product::Component, named: Option<&str>, fits: fn(&product::StoreFile) -> bool| {
                fleet::store_of(component, named, fits)
                    .and_then(|store| snapshot.use_of(&component.id, &store.id))
            };
        let presents_server = used(
            server,
            listen.identity.as_deref(),
            product::StoreFile::holds_identity,
        );
        let verifies_client = used(server, listen.trust.as_deref(), product::StoreFile::holds_trust);
        let verifies_server = used(client, dial.trust.as_deref(), product::StoreFile::holds_trust);
        let presents_client = dial
            .identity
            .as_deref()
            .and_then(|id| snapshot.use_of(&link.from, id));
        let expects = dial.expects.clone();
        let mutual = listen.client_certificate != ClientCertificate::None && dial.identity.is_some();
        let waived = waivers.contains(&link.text());
        // Who has a store of anchors verifies, whether that store could be read or not.
        let has_trust =
            fleet::store_of(client, dial.trust.as_deref(), product::StoreFile::holds_trust).is_some();
        let verifies = has_trust || dial.trust.is_some();
        if verifies {
            let ends = (
                End {
                    component: &link.to,
                    store: presents_server,
                },
                End {
                    component: &link.from,
                    store: verifies_server,
                },
            );
            self.edge(index, ends, expects, false, waived);
        }
        if mutual {
            let ends = (
                End {
                    component: &link.from,
                    store: presents_client,
                },
                End {
                    component: &link.to,
                    store: verifies_client,
                },
            );
            self.edge(index, ends, None, true, waived);
        }
        if waived {
            self.done.waived.push(link.text());
        }
    }

    fn edge(
        &mut self,
        link: usize,
        (prover, verifier): (End<'a>, End<'a>),
        name: Option<String>,
        client: bool,
        waived: bool,
    ) {
        let mut table = Acceptance::EVERYTHING;
        for trust in [TrustState::Old, TrustState::Both, TrustState::New] {
            for form in [ChainForm::Old, ChainForm::New, ChainForm::Cross] {
                if let Some(reason) = self.rejection(prover, verifier, (trust, form), name.as_deref(), client)
                {
                    table = table.rejecting(trust, form, self.done.model.intern_reason(&reason));
                }
            }
        }
        if let Some(reason) = table.rejection(TrustState::Old, ChainForm::Old) {
            let text = format!("{} -> {}", prover.component, verifier.component);
            let why = self.reason(reason).to_owned();
            self.done.broken.push((text, why));
            return;
        }
        let acceptance = self.done.model.intern_acceptance(table);
        let (prover, verifier) = (self.ids[prover.component], self.ids[verifier.component]);
        self.done.model.add_edge(prover, verifier, acceptance);
        if let Some(edge) = self.done.model.edges.last_mut() {
            edge.waived = waived;
        }
        self.done.links.push(link);
    }

    fn reason(&self, id: ReasonId) -> &str {
        &self.done.model.reasons[id.at()]
    }

    /// Why the verifier in that trust state refuses the prover's chain of that form; `None` = it accepts.
    fn rejection(
        &mut self,
        prover: End<'a>,
        verifier: End<'a>,
        (trust, form): (TrustState, ChainForm),
        name: Option<&str>,
        client: bool,
    ) -> Option<String> {
        let Some(presented) = prover.store else {
            return (form != ChainForm::Old)
                .then(|| format!("unknown: what {} presents could not be read", prover.component));
        };
        let Some(trusted) = verifier.store else {
            return (form != ChainForm::Old)
                .then(|| format!("unknown: what {} trusts could not be read", verifier.component));
        };
        let chain = self.chain(presented, form);
        let anchors = self.anchors(trusted, trust, verifier.component);
        if self.components[verifier.component].external && form != ChainForm::Old {
            return self.partner(verifier.component);
        }
        if let Some(refused) = client
            .then(|| self.name_refused(prover.component, verifier.component, &chain, trust))
            .flatten()
        {
            return Some(refused);
        }
        let asked = Asked {
            runtime: product::runtime_of(&self.components[verifier.component], &trusted.id),
            chain,
            anchors,
            client,
            name: None,
        };
        let Some(name) = name else {
            return self.verdict(asked);
        };
        let named = Asked {
            name: Some(name.to_owned()),
            ..asked.clone()
        };
        let refused = self.verdict(named)?;
        // Where the same chain passes without a name, the name is what is wrong with it.
        Some(match self.verdict(asked) {
            None => format!("{refused}: `{name}` is dialled"),
            Some(_) => refused,
        })
    }

    fn chain(&self, used: &UseFacts, form: ChainForm) -> Vec<Fingerprint> {
        if form == ChainForm::Old {
            return used.presented.clone();
        }
        effect::presented(self.snapshot, used)
    }

    fn anchors(&self, used: &UseFacts, trust: TrustState, component: &str) -> Vec<Fingerprint> {
        if self.components[component].external {
            return used.anchors.clone();
        }
        effect::anchors(self.snapshot, used, trust)
    }

    /// Whether an external partner has confirmed that it trusts the new chain.
    fn partner(&self, component: &str) -> Option<String> {
        let since = self.components[component].trusts_new_since.clone();
        let day = |text: &str| {
            serde_json::from_value::<fleet::date::DateDoc>(text.into())
                .ok()
                .map(|day| day.unix())
        };
        match since.as_deref().and_then(day) {
            Some(since) if since <= self.snapshot.taken_at => None,
            Some(_) => Some(format!(
                "the owner of {component} confirms trust in the new chain only from {}",
                since.unwrap_or_default()
            )),
            None => Some(format!(
                "the owner of {component} has not confirmed trust in the new chain (trusts-new-since)"
            )),
        }
    }

    fn name_refused(
        &self,
        prover: &str,
        verifier: &str,
        chain: &[Fingerprint],
        trust: TrustState,
    ) -> Option<String> {
        let lists = self.allowed(verifier);
        let leaf = chain.first().and_then(|leaf| self.certificates.get(leaf))?;
        let (name, subject) = (
            leaf.subject().common_name().unwrap_or_default(),
            leaf.subject().to_string(),
        );
        for mut list in lists {
            for rotation in &self.snapshot.rotations {
                let names = fleet::rotation_of(self.snapshot, &self.certificates, rotation, verifier);
                if trust != TrustState::Old {
                    list.extend(names.new_names);
                }
                if trust == TrustState::New && rotation.retire {
                    list.retain(|item| !names.old_names.contains(item));
                }
            }
            let (prover, verifier) = (&self.components[prover], &self.components[verifier]);
            if !product::admits(verifier, prover, &list, &name, &subject) {
                return Some(format!(
                    "{name} is not in the list of allowed names of {}",
                    verifier.id
                ));
            }
        }
        None
    }

    fn verdict(&mut self, asked: Asked) -> Option<String> {
        if let Some(known) = self.verdicts.get(&asked) {
            return known.clone();
        }
        let answer = self.ask(&asked);
        self.verdicts.insert(asked, answer.clone());
        answer
    }

    fn ask(&self, asked: &Asked) -> Option<String> {
        let Some(profile) = trust::runtime(&asked.runtime) else {
            return Some(format!("unknown: no profile for runtime `{}`", asked.runtime));
        };
        let certificates = |names: &[Fingerprint]| -> Vec<Certificate> {
            names
                .iter()
                .filter_map(|name| self.certificates.get(name).cloned())
                .collect()
        };
        let (chain, anchors) = (certificates(&asked.chain), certificates(&asked.anchors));
        if chain.is_empty() {
            return Some("unknown: no certificate is presented".to_owned());
        }
        let question = trust::Question {
            chain: &chain,
            anchors: &anchors,
            intermediates_known: &[],
            purpose: if asked.client {
                trust::Purpose::Client
            } else {
                trust::Purpose::Server
            },
            name: asked.name.as_deref(),
            at_unix: self.snapshot.taken_at,
        };
        let verdict = trust::verdict(profile, &question, &self.signatures);
        // Where no source says what the runtime does, what it most probably does is taken; a link that does not
        // work today is seen by `verify` before anything is changed.
        if let trust::Verdict::Undecided(undecided) = &verdict {
            return (!undecided.leans_to_accept)
                .then(|| format!("unknown: {}", undecided.because.join("; ")));
        }
        (!verdict.accepts()).then(|| verdict.prints())
    }

    /// What the product file marks as switched at retirement only.
    fn mark_at_retirement(&mut self) {
        for (id, at) in &self.ids {
            if product::switches_at_retirement(&self.components[id]) {
                let component = &mut self.done.model.components[at.at()];
                component.at_retirement = component.at_retirement.with(Event::Switch);
            }
        }
    }
}

fn class(means: &Means) -> Effective {
    match means {
        Means::EachRun | Means::Live(_) => Effective::Live,
        Means::Reload(_) => Effective::Reload,
        Means::Restart(_) => Effective::Restart,
    }
}
