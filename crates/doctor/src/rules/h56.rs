//! H-56: the key usage does not fit the key exchange.

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
    id: "H-56",
    title: "the key usage does not fit the key exchange",
    severity: Severity::Error,
    stage: Stage::Purpose,
    cause: "keyEncipherment is needed for TLS_RSA suites, digitalSignature for ECDHE and TLS 1.3, keyAgreement for static ECDH: the certificate lacks it",
    fix: "issue it again with digitalSignature and keyEncipherment, or choose a suite that the key usage allows",
    source: "RFC 5246 7.4.2, RFC 8446 4.4.2.2; RFC 5280 4.2.1.3; domain specification H-56",
    states: &[
        "keyusage does not allow key encipherment",
        "keyusage does not allow digital signatures",
        "keyusage does not allow key agreement",
        "key usage && does not allow",
        "keyusage bit incorrect",
        "illegal key usage",
        "key usage violation",
    ],
    hints: &[],
    explains: &["H-30", "H-53", "H-72"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let static_rsa = peers::static_rsa(inputs);
    let mut found = Vec::new();
    for (store, leaf) in peers::identities(inputs) {
        let Some(usage) = leaf.key_usage else { continue };
        let signs = usage & KeyUsage::DIGITAL_SIGNATURE != 0;
        let enciphers = usage & KeyUsage::KEY_ENCIPHERMENT != 0;
        if let (Some(place), false) = (&static_rsa, enciphers) {
            let own = Evidence::file(&store.file, format!("{}: no keyEncipherment", leaf.name()));
            found.push(Finding::proven(&RULE, store.file.clone(), own).and(place.clone()));
        } else if !signs && usage & KeyUsage::CERTIFICATE_SIGN == 0 {
            let own = Evidence::file(
                &store.file,
                format!(
                    "{}: no digitalSignature, so neither ECDHE nor TLS 1.3",
                    leaf.name()
                ),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), own));
        }
    }
    found
}
