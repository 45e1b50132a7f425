//! H-04: the alias or label that is configured is not in the store.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-04",
    title: "the alias or label that is configured is not in the store",
    severity: Severity::Error,
    stage: Stage::Presented,
    cause: "the settings name an entry that the store does not have, or has in other letters, or has without a private key",
    fix: "set the alias or label of the private key that is there, or import the key under the name that is set; labels of CMS and RACF know upper and lower case",
    source: "Liberty CWPKI0024E; IBM MQ AMQ9642E, CSQX645E; GSKit 407, 428; domain specification H-04",
    states: &[
        "cwpki0024e",
        "csqx645e",
        "amq9642e",
        "keylabel not found",
        "arithinsert1(407)",
        "arithinsert1(428)",
        "ssl0206e",
        "ssl_bad_keyfile_label",
        "does not identify a key entry",
        "ctgsk3029w",
        "error code returned was '407'",
        "error code returned was '428'",
        "ctgsk2117w",
        "gsk_keyfile_bad_label",
        "gsk_error_bad_keyfile_label",
    ],
    hints: &["amq9638e"],
    explains: &["H-05", "H-06", "H-07", "H-30", "H-72", "H-80", "H-81", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for named in labels::named(inputs) {
        let Some(store) = labels::store_of(inputs, &named) else {
            continue;
        };
        let seen = store.find(&named.label);
        let what = match seen {
            Some(entry) if entry.kind == crate::facts::EntryKind::Key => continue,
            // A short listing of a file shows no kinds; only a list does.
            Some(_) => format!(
                "the entry is there, and has no private key: {}",
                labels::list(store)
            ),
            None => format!("{} has {}", store.file, labels::list(store)),
        };
        let evidence = Evidence::line(
            &named.file,
            named.line,
            format!("{} = {}", named.key, named.label),
        );
        let own = Evidence::file(&store.file, what);
        let near = store
            .entries
            .iter()
            .filter_map(|entry| entry.alias.as_deref())
            .find(|alias| alias.eq_ignore_ascii_case(&named.label) && *alias != named.label);
        let mut finding = Finding::proven(&RULE, store.file.clone(), evidence).and(own);
        if let Some(near) = near.filter(|_| seen.is_none()) {
            finding = finding.because(format!(
                "the label is written in other letters: the store has \"{near}\""
            ));
        }
        found.push(finding);
    }
    found
}
