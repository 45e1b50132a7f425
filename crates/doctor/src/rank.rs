//! From rules to findings in order: the cause first.

use std::collections::BTreeSet;

use crate::finding::Certainty;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rules::RULES;

/// Asks every rule; the cause comes first, its consequences after it.
///
/// Order: what facts show and messages confirm; what a message says in so many words; what facts show as an error;
/// what messages make likely; warnings; what another finding explains; notes. Among equals the earlier stage of a
/// connection hides the later ones.
///
/// Cost: every line of every text against every pattern; the rules' own comparisons are bounded by stores squared.
pub fn diagnose(inputs: &Inputs) -> Vec<Finding> {
    let spoken: Vec<Finding> = RULES.iter().flat_map(|rule| said(rule, inputs)).collect();
    let mut found: Vec<Finding> = RULES.iter().flat_map(|rule| (rule.find)(inputs)).collect();
    merge(&mut found, spoken.clone());
    let heard: BTreeSet<&str> = spoken
        .iter()
        .chain(
            found
                .iter()
                .filter(|finding| finding.certainty != Certainty::Proven),
        )
        .map(|finding| finding.rule.id)
        .collect();
    let confirmed = |finding: &Finding| {
        finding.certainty == Certainty::Proven
            && (heard.contains(finding.rule.id) || finding.rule.explains.iter().any(|id| heard.contains(id)))
    };
    // A cause explains the messages that it is known to bring, and nothing that facts show by themselves.
    let explained: BTreeSet<&str> = found
        .iter()
        .filter(|finding| confirmed(finding) || finding.certainty == Certainty::Stated)
        .flat_map(|finding| finding.rule.explains.iter().copied())
        .collect();
    let place = |finding: &Finding| -> u8 {
        let is_explained = explained.contains(finding.rule.id);
        match (finding.certainty, finding.severity) {
            (Certainty::Proven, _) if confirmed(finding) => 0,
            (Certainty::Proven, Severity::Error) => 2,
            (Certainty::Stated, Severity::Warning | Severity::Error) if !is_explained => 1,
            (Certainty::Likely, Severity::Error) if !is_explained => 3,
            (Certainty::Proven | Certainty::Likely, Severity::Warning) if !is_explained => 4,
            (_, Severity::Note) => 6,
            _ => 5,
        }
    };
    let position = |rule: &Rule| RULES.iter().position(|one| one.id == rule.id);
    let mut ordered: Vec<((u8, _, _, String), Finding)> = found
        .iter()
        .map(|finding| {
            let rule = finding.rule;
            let key = (place(finding), rule.stage, position(rule), finding.target.clone());
            (key, finding.clone())
        })
        .collect();
    ordered.sort_by(|(one, _), (other, _)| one.cmp(other));
    ordered.into_iter().map(|(_, finding)| finding).collect()
}

/// What messages say of a rule: one finding for each file that speaks of it.
fn said(rule: &'static Rule, inputs: &Inputs) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in &inputs.texts {
        let gather = |patterns: &'static [&'static str]| -> Vec<Evidence> {
            let mut seen: Vec<Evidence> = patterns
                .iter()
                .flat_map(|pattern| text.speaking_of(pattern))
                .map(|(line, words)| Evidence::line(&text.file, line, words))
                .collect();
            seen.sort_by_key(|evidence| evidence.line);
            seen.dedup();
            seen.truncate(MAX_EVIDENCE);
            seen
        };
        let stated = gather(rule.states);
        let hinted = gather(rule.hints);
        let (evidence, certainty) = if stated.is_empty() {
            (hinted, Certainty::Likely)
        } else {
            (stated, Certainty::Stated)
        };
        if let Some(first) = evidence.first().cloned() {
            let mut finding = Finding::proven(rule, text.file.clone(), first);
            finding.evidence = evidence;
            finding.certainty = certainty;
            findings.push(finding);
        }
    }
    findings
}

/// Messages about a rule that facts already show become its evidence.
fn merge(found: &mut Vec<Finding>, spoken: Vec<Finding>) {
    for said in spoken {
        let known = found
            .iter_mut()
            .find(|finding| finding.rule.id == said.rule.id && finding.certainty == Certainty::Proven);
        match known {
            Some(finding) => finding.evidence.extend(said.evidence.into_iter().take(3)),
            None => found.push(said),
        }
    }
}

/// Lines shown of one message that repeats.
const MAX_EVIDENCE: usize = 5;
