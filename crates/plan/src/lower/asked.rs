//! Questions to runtimes, each asked once.

use std::collections::BTreeMap;

use fleet::Snapshot;
use fleet::snapshot::Fingerprint;
use keystore::Certificate;

/// One distinct question to a runtime.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
pub(super) struct Asked {
    pub runtime: String,
    pub chain: Vec<Fingerprint>,
    pub anchors: Vec<Fingerprint>,
    pub client: bool,
    pub name: Option<String>,
}

/// The runtimes of the fleet and what they said so far.
pub(super) struct Runtimes<'a> {
    snapshot: &'a Snapshot,
    pub certificates: BTreeMap<Fingerprint, Certificate>,
    signatures: trust::Computed,
    verdicts: BTreeMap<Asked, Option<String>>,
}

impl<'a> Runtimes<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            certificates: snapshot.all_certificates(),
            signatures: trust::Computed::new(),
            verdicts: BTreeMap::new(),
        }
    }

    /// Why the runtime refuses; `None` = it accepts.
    pub fn verdict(&mut self, asked: Asked) -> Option<String> {
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
}
