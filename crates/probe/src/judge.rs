//! Who would accept the chain.

use keystore::Certificate;
use keystore::Store;
use trust::Profile;
use trust::Purpose;
use trust::Question;
use trust::Signatures;
use trust::Verdict;

use crate::Facts;

/// Who judges, and with what.
pub struct Judge<'a> {
    /// The runtimes.
    pub runtimes: &'a [&'static Profile],
    /// Their stores; each runtime takes its own anchors out of them.
    pub stores: &'a [Store],
    /// The moment, in seconds since 1970.
    pub at_unix: i64,
    /// Who computes.
    pub signatures: &'a dyn Signatures,
}

/// One runtime's answer.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The runtime.
    pub runtime: &'static str,
    /// Whether the runtime was measured, or is known from documents only.
    pub is_measured: bool,
    /// Its answer.
    pub verdict: Verdict,
}

/// The verdicts on the usual chain of `facts`, for the name that was dialled; none where no certificate was sent.
pub fn judge(facts: &Facts, judge: &Judge<'_>) -> Vec<Judged> {
    let Some(chain) = facts.chain().filter(|chain| !chain.sent.is_empty()) else {
        return Vec::new();
    };
    let one = |runtime: &&'static Profile| {
        let anchors: Vec<Certificate> = judge
            .stores
            .iter()
            .flat_map(|store| trust::anchors(store, runtime))
            .collect();
        let question = Question {
            chain: &chain.sent,
            anchors: &anchors,
            intermediates_known: &[],
            purpose: Purpose::Server,
            name: Some(facts.target.expected_name()),
            at_unix: judge.at_unix,
        };
        Judged {
            runtime: runtime.name,
            is_measured: matches!(runtime.evidence, trust::profile::Evidence::Measured(_)),
            verdict: trust::verdict(runtime, &question, judge.signatures),
        }
    };
    judge.runtimes.iter().map(one).collect()
}
