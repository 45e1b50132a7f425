//! H-41: the trusted authority has the right name and another key.

use trust::Claim;
use trust::Computed;
use trust::Signatures;

use crate::facts::CertFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-41",
    title: "the trusted authority has the right name and another key",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "the authority was made anew under the same name: the certificate in the verifier's store is of another generation than the one that signed",
    fix: "import the authority's certificate of the right generation: compare the authority key identifier of the leaf with the subject key identifier of the authority",
    source: "OpenSSL 7; RFC 5280 4.2.1.1; domain specification H-41",
    states: &[
        "certificate signature failure",
        "signature does not match",
        "signature check failed",
        "authority and subject key identifier mismatch",
        "verify error:num=30",
        "signature verification failed && certificate",
    ],
    hints: &[],
    explains: &["H-13", "H-30", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let all: Vec<_> = inputs
        .distinct()
        .into_iter()
        .filter(|(_, _, one)| one.certificate.is_some())
        .collect();
    let mut found: Vec<Finding> = Vec::new();
    if all.len() > 3_000 {
        return found;
    }
    let signatures = Computed::new();
    for (store, entry, one) in all.iter().filter(|(_, _, one)| !one.is_self_signed()) {
        let named: Vec<_> = all
            .iter()
            .filter(|(_, _, issuer)| one.issuer.same(&issuer.subject) && issuer.is_authority())
            .collect();
        let Some((other, _, issuer)) = named.first() else {
            continue;
        };
        let known = named
            .iter()
            .any(|(_, _, issuer)| is_signed_by(one, issuer, &signatures));
        if !known && found.iter().all(|finding| finding.target != other.file) {
            let evidence = Evidence::file(
                &other.file,
                format!("{} is not what signed {}", issuer.name(), one.name()),
            );
            let own = Evidence::file(&store.file, "its signature does not verify with it")
                .alias(entry.alias.as_deref());
            found.push(Finding::proven(&RULE, other.file.clone(), evidence).and(own));
        }
    }
    found
}

/// Unknown algorithms count as signed: what cannot be computed is no fault.
fn is_signed_by(one: &CertFacts, issuer: &CertFacts, signatures: &Computed) -> bool {
    let (Some(certificate), Some(by)) = (&one.certificate, &issuer.certificate) else {
        return true;
    };
    let signature = one.signature.as_deref().unwrap_or_default();
    let computable = [
        "md5withrsa",
        "sha1withrsa",
        "sha256withrsa",
        "sha384withrsa",
        "sha512withrsa",
        "sha1withecdsa",
        "sha256withecdsa",
        "sha384withecdsa",
        "sha512withecdsa",
    ];
    if !computable.contains(&signature) {
        return true;
    }
    signatures.holds(&Claim {
        tbs: certificate.tbs(),
        algorithm: certificate.signature_algorithm().der(),
        signature: certificate.signature(),
        issuer_spki: by.spki(),
    })
}
