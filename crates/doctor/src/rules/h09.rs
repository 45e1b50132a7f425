//! H-09: only one entry is left after importing many.

use crate::facts::EntryKind;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-09",
    title: "only one entry is left after importing many",
    severity: Severity::Warning,
    stage: Stage::Stores,
    cause: "keytool imported only the first certificate of the file, or all imports went under its default alias mykey and one entry is left",
    fix: "cut the file into one certificate each and import every one with -alias and a name of its own",
    source: "keytool -importcert, measured with OpenJDK 17; domain specification H-09",
    states: &["alias <mykey> already exists"],
    hints: &[],
    explains: &["H-13", "H-30"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let java = |format: &str| matches!(format, "jks" | "jceks" | "pkcs12" | "keytool");
    let mut found = Vec::new();
    for store in inputs.stores.iter().filter(|store| java(store.format)) {
        let [only] = store.entries.as_slice() else {
            continue;
        };
        let EntryKind::Trusted(_) = only.kind else {
            continue;
        };
        let bundle = inputs
            .stores
            .iter()
            .filter(|other| other.format == "pem")
            .find(|other| {
                let certificates: Vec<_> = other.certificates().map(|(_, one)| one).collect();
                let first = only.chain.first().zip(certificates.first());
                certificates.len() > 1 && first.is_some_and(|(own, first)| own.same(first))
            });
        let is_default = only.alias.as_deref() == Some("mykey");
        let own = || {
            Evidence::file(&store.file, "the only entry")
                .alias(only.alias.as_deref())
                .at(only.line)
        };
        if let Some(bundle) = bundle {
            let count = bundle.certificates().count();
            let other = Evidence::file(
                &bundle.file,
                format!("{count} certificates, of which the first was taken"),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), own()).and(other));
        } else if is_default {
            found.push(Finding::proven(&RULE, store.file.clone(), own()));
        }
    }
    found
}
