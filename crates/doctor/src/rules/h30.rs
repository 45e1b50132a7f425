//! H-30: the signer is not in the verifier's store.

use crate::facts::CertFacts;
use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-30",
    title: "the signer is not in the verifier's store",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "whoever checks the certificate has no path from it to something it trusts: the root (and intermediate) of the signer is not in the store that is really used",
    fix: "import the root, and the intermediate, into the verifier's store; make sure that it is the store it really reads, and restart it",
    source: "JSSE PKIX messages; Liberty CWPKI0022E, CWPKI0823E; IBM MQ AMQ9633E; GSKit 414; OpenSSL 2, 20, 21; domain specification H-30",
    states: &[
        "pkix path building failed",
        "unable to find valid certification path",
        "unable to get local issuer certificate",
        "unable to get issuer certificate",
        "unable to verify the first certificate",
        "cwpki0022e",
        "cwpki0823e",
        "could not build a valid certpath",
        "is not trusted; internal cause",
        "no trusted certificate found",
        "certificate signed by unknown authority",
        "sec_error_unknown_issuer",
        "alert unknown ca",
        "unknown_ca",
        "csqx633e",
        "trustanchors parameter must be non-empty",
        "gsk_error_cert_not_trusted",
    ],
    hints: &[
        "amq9633e",
        "amq9633:",
        "gsk_error_bad_cert",
        "ffdc1015i",
        "cwwko0801e",
        "net::err_cert_authority_invalid",
        "certificate verify failed",
        "arithinsert1(414)",
        "error code returned was '414'",
        "certificate_unknown",
        "alert certificate unknown",
        "path does not chain with any of the trust anchors",
        "verify error:num=27",
    ],
    explains: &["H-87", "H-88", "H-72", "H-80", "H-84"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = seen(inputs);
    found.extend(named(inputs));
    found.extend(two_ends(inputs));
    found
}

/// A connection in which the client found no issuer, though more than the leaf was sent.
fn seen(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let code = seen
            .verify
            .iter()
            .find(|(code, _)| matches!(code, 2 | 20 | 21 | 27));
        let alert = seen.alerts.iter().find(|(_, alert)| *alert == 48);
        let refused = seen.alerts.iter().find(|(from_server, alert)| {
            matches!(alert, 42 | 46)
                && (!from_server || seen.client_sent.as_ref().is_some_and(|sent| !sent.is_empty()))
        });
        let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
        if let Some((code, line)) = code {
            let top = seen.sent.last().map_or(String::new(), |top| {
                format!("; nobody trusted has signed \"{}\"", top.issuer.text)
            });
            let evidence = Evidence::line(&seen.file, *line, format!("verify code {code}{top}"));
            found.push(Finding::proven(&RULE, target, evidence).stated());
        } else if alert.is_some() {
            found.push(
                Finding::proven(&RULE, target, Evidence::file(&seen.file, "alert 48, unknown_ca")).stated(),
            );
        } else if let Some((_, number)) = refused {
            let evidence = Evidence::file(&seen.file, format!("alert {number}: the certificate was refused"));
            found.push(Finding::proven(&RULE, target, evidence).likely());
        }
    }
    found
}

/// A message names a certificate, and the stores at hand lack its issuer.
fn named(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, line, peer) in peers::refused(inputs) {
        let stores: Vec<_> = inputs
            .stores
            .iter()
            .filter(|store| anchors(store).next().is_some())
            .collect();
        let known = stores
            .iter()
            .any(|store| anchors(store).any(|anchor| peer.issuer().same(&anchor.subject)));
        if let (Some(first), false) = (stores.first(), known) {
            let evidence = Evidence::line(
                &file,
                line,
                format!("refused: signed by \"{}\"", peer.issuer().text),
            );
            let own = Evidence::file(
                &first.file,
                "no entry of that name in it, nor in any other store at hand",
            );
            found.push(Finding::proven(&RULE, first.file.clone(), evidence).and(own));
        }
    }
    found
}

/// One end's only identity beside the other end's only trust store.
fn two_ends(inputs: &Inputs) -> Vec<Finding> {
    let identities = peers::identities(inputs);
    let trusts: Vec<_> = inputs
        .stores
        .iter()
        .filter(|store| {
            !store.entries.is_empty()
                && store.keys().next().is_none()
                && store
                    .certificates()
                    .all(|(_, one)| one.subject.is_empty() || one.is_authority() || one.is_self_signed())
        })
        .filter(|store| !store.certificates().all(|(_, one)| one.subject.is_empty()))
        .collect();
    let ([(store, leaf)], [trust]) = (identities.as_slice(), trusts.as_slice()) else {
        return Vec::new();
    };
    let heard = inputs.says(RULE.states) || inputs.says(RULE.hints);
    let other_end = name_of(&trust.file).to_lowercase().contains("client")
        || dir_of(&trust.file) != dir_of(&store.file)
            && name_of(&trust.file).to_lowercase().contains("trust");
    if !(heard || other_end) || leaf.is_self_signed() && trust.certificates().any(|(_, one)| one.same(leaf)) {
        return Vec::new();
    }
    let mut at: &CertFacts = leaf;
    for _ in 0..8 {
        if trust
            .certificates()
            .any(|(_, anchor)| at.issuer.same(&anchor.subject))
        {
            return Vec::new();
        }
        let Some((_, up)) = store
            .certificates()
            .find(|(_, up)| at.names_as_issuer(up) && !up.same(at))
        else {
            break;
        };
        at = up;
    }
    let evidence = Evidence::file(&trust.file, format!("no certificate of \"{}\"", at.issuer.text));
    let own = Evidence::file(&store.file, format!("{} is signed by it", at.name()));
    vec![Finding::proven(&RULE, trust.file.clone(), evidence).and(own)]
}

/// What of a store can be trusted by its verifier.
fn anchors(store: &crate::facts::StoreFacts) -> impl Iterator<Item = &CertFacts> {
    store
        .certificates()
        .filter(|(entry, one)| {
            !one.subject.is_empty() && (entry.kind == EntryKind::Trusted(true) || one.is_self_signed())
        })
        .map(|(_, one)| one)
}
