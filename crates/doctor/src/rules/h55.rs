//! H-55: the key of a leaf may only sign certificates.

use keystore::KeyUsage;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-55",
    title: "the key of a leaf may only sign certificates",
    severity: Severity::Error,
    stage: Stage::Purpose,
    cause: "its key usage has keyCertSign and no digitalSignature (RACF KEYUSAGE(CERTSIGN)): it cannot prove itself in a handshake, the MQ web server fails with it",
    fix: "issue it again with digitalSignature and keyEncipherment: RACF KEYUSAGE(HANDSHAKE)",
    source: "domain specification R-190; RFC 5280 4.2.1.3; domain specification H-55",
    states: &["keyusage(certsign)", "certsign && handshake"],
    hints: &[],
    explains: &["H-30", "H-56", "H-72"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let only_signs = |usage: Option<u16>| {
        usage.is_some_and(|bits| {
            bits & KeyUsage::CERTIFICATE_SIGN != 0 && bits & KeyUsage::DIGITAL_SIGNATURE == 0
        })
    };
    for (store, leaf) in peers::identities(inputs) {
        if only_signs(leaf.key_usage) && !leaf.is_authority() {
            found.push(Finding::proven(
                &RULE,
                store.file.clone(),
                Evidence::file(
                    &store.file,
                    format!("{}: keyCertSign and no digitalSignature", leaf.name()),
                ),
            ));
        }
    }
    for one in &inputs.racf {
        let personal = one.owner != "CERTAUTH" && one.has_key == Some(true);
        if personal && only_signs(one.facts.key_usage) {
            let evidence = Evidence::line(&one.file, one.line, "Key Usage: CERTSIGN").alias(Some(&one.label));
            found.push(Finding::proven(&RULE, one.label.clone(), evidence));
        }
    }
    found
}
