//! H-02: a file that a setting names cannot be read.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::paths;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-02",
    title: "a file that a setting names cannot be read",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the program cannot read a file that its settings name: wrong path, wrong owner or mode, or an ending too many",
    fix: "write the absolute path of the file that is there; give the service's user read access (chown mqm or wauser, chmod g+r); SSLKEYR and SSLKeyRepository go without .kdb",
    source: "IBM MQ AMQ9657E; GSKit return codes 86, 87, 89, 90, 101; domain specification H-02",
    states: &[
        "amq9657e",
        "ctgsk2086w",
        "ctgsk2087w",
        "ctgsk2089w",
        "ctgsk2090w",
        "ctgsk2101w",
        "ctgsk3026w",
        "filenotfoundexception && .jks",
        "filenotfoundexception && .p12",
        "filenotfoundexception && key",
        "bio_new_file",
        "fopen:no such file",
        "fopen:permission denied",
        "could not open file or uri",
        "no such file or directory && .key",
        "no such file or directory && .pem",
        "no such file or directory && .crt",
        "no such file or directory && .kdb",
        "no such file or directory && .p12",
        "permission denied && .kdb",
        "permission denied && .key",
        "permission denied && .pem",
        "permission denied && .p12",
        "permission denied && .jks",
        "cannot be opened && keystore",
        "cwpki0807w",
    ],
    hints: &[],
    explains: &[
        "H-01", "H-03", "H-04", "H-07", "H-10", "H-30", "H-72", "H-80", "H-87", "H-88",
    ],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found: Vec<Finding> = paths::named(inputs)
        .into_iter()
        .filter(|named| named.key != "sslrandomseed")
        .filter_map(|named| {
            let why = paths::why_absent(inputs, &named)?;
            let evidence = Evidence::line(&named.file, named.line, format!("{} = {}", named.key, named.path));
            Some(Finding::proven(&RULE, named.path, evidence).because(why))
        })
        .collect();
    for file in &inputs.files {
        if let Some(why) = &file.unreadable {
            found.push(Finding::proven(
                &RULE,
                &file.path,
                Evidence::file(&file.path, why.clone()),
            ));
        } else if file.mode != 0 && file.mode & 0o444 == 0 {
            let mode = format!("mode {:04o}: nobody but root reads it", file.mode & 0o7777);
            found.push(Finding::proven(
                &RULE,
                &file.path,
                Evidence::file(&file.path, mode),
            ));
        }
    }
    found
}
