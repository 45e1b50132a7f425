//! H-76: the RSA key is too short for TLS 1.3.

use crate::facts::Key;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::peers;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-76",
    title: "the RSA key is too short for TLS 1.3",
    severity: Severity::Error,
    stage: Stage::Cipher,
    cause: "TLS 1.3 signs with RSA-PSS, for which 512 and 1024 bits are too few; Workload Automation asks for 2048",
    fix: "issue the certificate again with RSA 2048 or more; until then allow TLS 1.2",
    source: "RFC 8446 4.2.3; domain specification B.3; domain specification H-76",
    states: &[
        "no suitable signature algorithm",
        "no signature scheme",
        "no common signature algorithms",
        "no_common_signature",
        "digest too big for rsa key",
    ],
    hints: &[],
    explains: &["H-71", "H-72"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let only_13 = inputs.settings.iter().find_map(|settings| {
        let item = settings.items.iter().find(|item| {
            let value = inputs.filled(&item.value).to_lowercase();
            ["sslversion", "ssl_version", "sslprotocol"].contains(&item.key.to_lowercase().as_str())
                && (value == "tlsv1.3" || value == "atleast.tlsv1.3")
        })?;
        Some((settings, item))
    });
    let heard = inputs.says(RULE.states);
    let mut found = Vec::new();
    for (store, leaf) in peers::identities(inputs) {
        let Some(Key::Rsa(bits)) = leaf.key else { continue };
        if bits == 0 || bits >= 2048 || !(heard || only_13.is_some()) {
            continue;
        }
        let mut finding = Finding::proven(
            &RULE,
            store.file.clone(),
            Evidence::file(&store.file, format!("{}: RSA {bits}", leaf.name())),
        );
        if let Some((settings, item)) = only_13 {
            finding = finding.and(Evidence::line(
                &settings.file,
                item.line,
                format!("{} = {}", item.key, item.value),
            ));
        }
        found.push(finding);
    }
    found
}
