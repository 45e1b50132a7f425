//! What each trust edge accepts. Edges between alike stores are judged once.

use fleet::snapshot::Fingerprint;

use super::Work;
use super::asked::Asked;
use crate::effect;
use crate::model::Acceptance;
use crate::model::AcceptanceId;
use crate::model::ChainForm;
use crate::model::ComponentId;
use crate::model::ReasonId;
use crate::model::TrustState;

/// One end of an edge: a component, and its store as a place in the snapshot's uses.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub at: ComponentId,
    pub used: Option<usize>,
}

/// All that a verdict asks of a store: alike stores have one face.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Face<'a> {
    runtime: String,
    external: bool,
    presented: &'a [Fingerprint],
    anchors: &'a [Fingerprint],
    /// What each rotation would have it present.
    next: Vec<&'a [Fingerprint]>,
}

/// Two faces, the name that is dialled, and which end presents.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub(super) struct Seen {
    prover: usize,
    verifier: usize,
    name: Option<usize>,
    client: bool,
}

/// What an edge accepts, or why it does not work today.
pub(super) type Judged = Result<AcceptanceId, ReasonId>;

impl Work<'_> {
    pub(super) fn edge(
        &mut self,
        link: usize,
        (prover, verifier): (End, End),
        name: Option<&str>,
        client: bool,
        waived: bool,
    ) {
        let seen = self.seen(prover, verifier, name, client);
        let judged = match seen.and_then(|seen| self.seen.get(&seen)) {
            Some(judged) => *judged,
            None => {
                let judged = self.judged(prover, verifier, name, client);
                if let Some(seen) = seen {
                    self.seen.insert(seen, judged);
                }
                judged
            }
        };
        match judged {
            Ok(acceptance) => {
                self.done.model.add_edge(prover.at, verifier.at, acceptance);
                if let Some(edge) = self.done.model.edges.last_mut() {
                    edge.waived = waived;
                }
                self.done.links.push(link);
            }
            Err(reason) => {
                let [prover, verifier] = [prover, verifier].map(|end| self.known[end.at.at()].id);
                let why = self.done.model.reasons[reason.at()].clone();
                self.done.broken.push((format!("{prover} -> {verifier}"), why));
            }
        }
    }

    /// Under which an edge like this is remembered; `None` where the answer depends on who the ends are.
    fn seen(&mut self, prover: End, verifier: End, name: Option<&str>, client: bool) -> Option<Seen> {
        let known = &self.known[verifier.at.at()];
        if known.component.external || (client && !known.lists.is_empty()) {
            return None;
        }
        let name = name.map(|name| match self.dialled.get(name) {
            Some(&id) => id,
            None => {
                let id = self.dialled.len();
                self.dialled.insert(name.to_owned(), id);
                id
            }
        });
        Some(Seen {
            prover: self.face(prover.at, prover.used?),
            verifier: self.face(verifier.at, verifier.used?),
            name,
            client,
        })
    }

    fn face(&mut self, at: ComponentId, index: usize) -> usize {
        if let Some(face) = self.faces[index] {
            return face;
        }
        let used = &self.snapshot.uses[index];
        let component = &self.known[at.at()].component;
        let rotations = &self.snapshot.rotations;
        let coming = rotations
            .iter()
            .filter(|_| !used.presented.is_empty())
            .map(|rotation| {
                let new = rotation.new.get(&used.component);
                new.map_or(&[][..], |new| new.chain.as_slice())
            })
            .collect();
        let next = self.distinct.len();
        let face = *self
            .distinct
            .entry(Face {
                runtime: product::runtime_of(component, &used.id),
                external: component.external,
                presented: &used.presented,
                anchors: &used.anchors,
                next: coming,
            })
            .or_insert(next);
        self.faces[index] = Some(face);
        face
    }

    fn judged(&mut self, prover: End, verifier: End, name: Option<&str>, client: bool) -> Judged {
        let mut table = Acceptance::EVERYTHING;
        for trust in [TrustState::Old, TrustState::Both, TrustState::New] {
            // What a fleet file gives is one new chain, cross-signed or not.
            for (form, also) in [
                (ChainForm::Old, ChainForm::Old),
                (ChainForm::New, ChainForm::Cross),
            ] {
                if let Some(reason) = self.rejection(prover, verifier, (trust, form), name, client) {
                    let reason = self.done.model.intern_reason(&reason);
                    table = table
                        .rejecting(trust, form, reason)
                        .rejecting(trust, also, reason);
                }
            }
        }
        match table.rejection(TrustState::Old, ChainForm::Old) {
            Some(reason) => Err(reason),
            None => Ok(self.done.model.intern_acceptance(table)),
        }
    }

    /// Why the verifier in that trust state refuses the prover's chain of that form; `None` = it accepts.
    fn rejection(
        &mut self,
        prover: End,
        verifier: End,
        (trust, form): (TrustState, ChainForm),
        name: Option<&str>,
        client: bool,
    ) -> Option<String> {
        let (proves, verifies) = (&self.known[prover.at.at()], &self.known[verifier.at.at()]);
        let Some(presented) = prover.used.map(|index| &self.snapshot.uses[index]) else {
            return (form != ChainForm::Old)
                .then(|| format!("unknown: what {} presents could not be read", proves.id));
        };
        let Some(trusted) = verifier.used.map(|index| &self.snapshot.uses[index]) else {
            return (form != ChainForm::Old)
                .then(|| format!("unknown: what {} trusts could not be read", verifies.id));
        };
        let chain = match form {
            ChainForm::Old => presented.presented.clone(),
            ChainForm::New | ChainForm::Cross => effect::presented(self.snapshot, presented),
        };
        let external = verifies.component.external;
        if external && form != ChainForm::Old {
            return self.partner(verifier.at);
        }
        if let Some(refused) = client
            .then(|| self.name_refused(prover.at, verifier.at, &chain, trust))
            .flatten()
        {
            return Some(refused);
        }
        let asked = Asked {
            runtime: product::runtime_of(&verifies.component, &trusted.id),
            chain,
            anchors: match external {
                true => trusted.anchors.clone(),
                false => effect::anchors(self.snapshot, trusted, trust),
            },
            client,
            name: None,
        };
        let Some(name) = name else {
            return self.runtimes.verdict(asked);
        };
        let named = Asked {
            name: Some(name.to_owned()),
            ..asked.clone()
        };
        let refused = self.runtimes.verdict(named)?;
        // Where the same chain passes without a name, the name is what is wrong with it.
        Some(match self.runtimes.verdict(asked) {
            None => format!("{refused}: `{name}` is dialled"),
            Some(_) => refused,
        })
    }

    /// Whether an external partner has confirmed that it trusts the new chain.
    fn partner(&self, at: ComponentId) -> Option<String> {
        let known = &self.known[at.at()];
        let (component, since) = (known.id, known.component.trusts_new_since.clone());
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
        prover: ComponentId,
        verifier: ComponentId,
        chain: &[Fingerprint],
        trust: TrustState,
    ) -> Option<String> {
        let (prover, verifier) = (&self.known[prover.at()], &self.known[verifier.at()]);
        let leaf = chain
            .first()
            .and_then(|leaf| self.runtimes.certificates.get(leaf))?;
        let (name, subject) = (
            leaf.subject().common_name().unwrap_or_default(),
            leaf.subject().to_string(),
        );
        for mut list in verifier.lists.clone() {
            for names in &self.names {
                if trust != TrustState::Old {
                    list.extend(names.new.iter().cloned());
                }
                if trust == TrustState::New && names.retire {
                    list.retain(|item| !names.old.contains(item));
                }
            }
            if !product::admits(&verifier.component, &prover.component, &list, &name, &subject) {
                return Some(format!(
                    "{name} is not in the list of allowed names of {}",
                    verifier.id
                ));
            }
        }
        None
    }
}
