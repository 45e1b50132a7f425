//! H-13: the chain cannot be built from what is there.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-13",
    title: "the chain cannot be built from what is there",
    severity: Severity::Error,
    stage: Stage::Chain,
    cause: "an intermediate or the root that the certificate needs is not in the store or file where it is looked for",
    fix: "import the chain first, from the root down to the issuer, then the reply; in ca.crt of an agent the issuer of tls.crt and all above it",
    source: "keytool -importcert; GSKit CTGSK2146W, CTGSK2043W, codes 126 and 146; domain specification H-13",
    states: &[
        "failed to establish chain from reply",
        "ctgsk2126w",
        "ctgsk2146w",
        "ctgsk2043w",
        "gskkm_err_invalid_cert_chain",
        "getting chain",
        "gskkm_validationfail",
    ],
    hints: &[],
    explains: &["H-30", "H-32", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for store in inputs
        .stores
        .iter()
        .filter(|store| store.format == "pem" && name_of(&store.file) == "tls.crt")
    {
        let dir = dir_of(&store.file);
        let beside = |file: &str| {
            dir_of(file) == dir
                || dir_of(file) == format!("{dir}/additionalCAs")
                || dir.is_empty() && file.starts_with("additionalCAs/")
        };
        let bundle = inputs
            .stores
            .iter()
            .find(|other| dir_of(&other.file) == dir && name_of(&other.file) == "ca.crt");
        let Some(bundle) = bundle.filter(|bundle| bundle.broken.is_none()) else {
            continue;
        };
        let near: Vec<_> = inputs
            .certificates()
            .filter(|(other, _, _)| beside(&other.file))
            .map(|(_, _, one)| one)
            .collect();
        let Some((_, leaf)) = store.certificates().next() else {
            continue;
        };
        let mut at = leaf;
        let mut steps = 0;
        while !at.is_self_signed() && steps < 16 {
            match near.iter().find(|issuer| at.names_as_issuer(issuer)) {
                Some(issuer) => at = issuer,
                None => break,
            }
            steps += 1;
        }
        // The bundle may end below the root on purpose; an issuer that is nowhere is the fault.
        // One of its name with another key is another rule's (H-41).
        let namesake = near
            .iter()
            .any(|one| one.is_authority() && one.subject.same(&at.issuer));
        if !at.is_self_signed()
            && !namesake
            && (steps == 0 || !bundle.certificates().any(|(_, one)| one.same(at)))
        {
            let evidence = Evidence::file(&bundle.file, format!("no certificate of \"{}\"", at.issuer.text));
            let own = Evidence::file(&store.file, format!("{} was issued by it", at.name()));
            found.push(Finding::proven(&RULE, bundle.file.clone(), evidence).and(own));
        }
    }
    found
}
