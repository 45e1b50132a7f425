//! H-12: the reply belongs to another request.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-12",
    title: "the reply belongs to another request",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the certificate was issued for another key than the one that waits for it: a reply to an older request, or the key was made anew since",
    fix: "import it under the alias whose request it answers, or make a new request from the key that is there and have that signed",
    source: "keytool -importcert; GSKit return codes 108, 109; domain specification H-12",
    states: &[
        "public keys in reply and keystore don't match",
        "ctgsk2108w",
        "ctgsk2109w",
        "no request key",
        "public key && does not match && request",
    ],
    hints: &[],
    explains: &["H-15"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for (store, request) in inputs
        .stores
        .iter()
        .flat_map(|store| store.entries.iter().map(move |entry| (store, entry)))
    {
        let (EntryKind::Request, Some(spki)) = (request.kind, &request.request_spki) else {
            continue;
        };
        let leaves: Vec<_> = inputs
            .certificates()
            .filter(|(other, _, one)| other.is_loose() && !one.is_authority() && !one.is_self_signed())
            .filter_map(|(other, _, one)| Some((other, one, one.certificate.as_ref()?)))
            .collect();
        if leaves
            .iter()
            .any(|(_, _, certificate)| certificate.spki() == spki.as_slice())
        {
            continue;
        }
        let wanted = request_subject(store, request.alias.as_deref(), inputs);
        let reply = leaves
            .iter()
            .find(|(_, one, _)| wanted.as_ref().is_some_and(|wanted| wanted.same(&one.subject)));
        if let Some((other, one, _)) = reply {
            let evidence = Evidence::file(
                &other.file,
                format!("{}: another public key than the request's", one.name()),
            );
            let own = Evidence::file(&store.file, "the request").alias(request.alias.as_deref());
            found.push(Finding::proven(&RULE, other.file.clone(), evidence).and(own));
        }
    }
    found
}

/// Whom the request is for.
fn request_subject(
    store: &crate::facts::StoreFacts,
    alias: Option<&str>,
    inputs: &Inputs,
) -> Option<crate::dn::Dn> {
    let file = inputs.files.iter().find(|file| file.path == store.file)?;
    let read = keystore::read(&file.bytes, None, &keystore::Limits::default()).ok()?;
    let entry = read
        .entries()
        .iter()
        .find(|entry| matches!(entry.body(), keystore::Body::Request { .. }) && entry.alias() == alias)?;
    let keystore::Body::Request { der, .. } = entry.body() else {
        return None;
    };
    let request = keystore::Request::parse(der).ok()?;
    Some(crate::dn::Dn::parse(&request.subject.to_string()))
}
