//! H-40: a key is too small or a signature too weak for the verifier.

use crate::facts::Key;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h18;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-40",
    title: "a key is too small or a signature too weak for the verifier",
    severity: Severity::Error,
    stage: Stage::Policy,
    cause: "the verifier's policy forbids this: jdk.certpath.disabledAlgorithms, the security level of OpenSSL, MinimumRSAKeySize of IBM MQ",
    fix: "issue the certificate (and, where it is meant, its authority) again with RSA 2048 or more, or P-256, signed with SHA-256",
    source: "OpenJDK java.security; IBM MQ SSL stanza MinimumRSAKeySize; domain specification H-40",
    states: &[
        "algorithm constraints check failed",
        "does not conform to algorithm constraints",
        "disabledalgorithms",
        "certpath.disabled",
        "key size && less than && minimum",
        "certificates do not conform to algorithm constraints",
    ],
    hints: &["minimumrsakeysize"],
    explains: &["H-30", "H-72", "H-87"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = minimum(inputs);
    let heard = inputs.says(RULE.states) || inputs.says(RULE.hints) || inputs.says(super::h75::RULE.states);
    for (store, leaf) in peers::identities(inputs) {
        let weak = weakness(leaf);
        if let (Some(what), false) = (weak, h18::is_default(leaf)) {
            let evidence = Evidence::file(&store.file, format!("{}: {what}", leaf.name()));
            let finding = Finding::proven(&RULE, store.file.clone(), evidence);
            found.push(if heard {
                finding
            } else {
                finding.at(Severity::Note)
            });
        }
    }
    found
}

fn minimum(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in &inputs.settings {
        let Some(item) = settings.last("MinimumRSAKeySize") else {
            continue;
        };
        let Ok(least) = item.value.parse::<usize>() else {
            continue;
        };
        for (store, entry, one) in inputs.certificates() {
            if let Some(Key::Rsa(bits)) = one.key
                && bits > 0
                && bits < least
            {
                let evidence =
                    Evidence::line(&settings.file, item.line, format!("MinimumRSAKeySize={least}"));
                let own = Evidence::file(&store.file, format!("{}: RSA {bits}", one.name()))
                    .alias(entry.alias.as_deref())
                    .at(entry.line);
                found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
            }
        }
    }
    found
}

/// What today's runtimes refuse in an end entity.
pub(super) fn weakness(one: &crate::facts::CertFacts) -> Option<String> {
    if let Some(signature) = one.signature.as_deref()
        && ["md2", "md5", "sha1with", "sha1rsa"]
            .iter()
            .any(|weak| signature.starts_with(weak))
    {
        return Some(format!("signed with {signature}"));
    }
    match one.key {
        Some(Key::Rsa(bits)) if bits > 0 && bits < 2048 => Some(format!("RSA {bits}")),
        Some(Key::Dsa(bits)) => Some(format!("DSA {bits}")),
        _ => None,
    }
}
