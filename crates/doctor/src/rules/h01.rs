//! H-01: wrong store password, or a damaged store.

use keystore::ParseError;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::locks::Source;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-01",
    title: "wrong store password, or a damaged store",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the program cannot open its store: the password that it is given is not the store's, or the file is damaged",
    fix: "give the right password where the product keeps it (Liberty: password of <keyStore>, {aes} values in ssl_variables.xml), or restore the store from its backup",
    source: "OpenJDK JavaKeyStore and PKCS12KeyStore messages; Liberty CWPKI0033E; domain specification H-01",
    states: &[
        "keystore was tampered with",
        "keystore password was incorrect",
        "failed pkcs12 integrity checking",
        "mac verify error",
        "mac verify failure",
        "ctgsk2016w",
        "ctgsk2019w",
        "ctgsk2120w",
        "pkcs12 key store mac invalid",
        "invalid keystore format",
        "cannot recover key",
    ],
    hints: &["cwpki0033e"],
    explains: &["H-02", "H-07", "H-30", "H-70", "H-72", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = damaged(inputs);
    let given_opens = inputs
        .locks
        .iter()
        .any(|lock| lock.source == Source::Given && lock.fits);
    for lock in inputs.locks.iter().filter(|lock| !lock.fits) {
        let evidence = match &lock.source {
            Source::Setting { file, line } => Evidence::line(
                file,
                *line,
                format!("the password that is set here does not open {}", lock.store),
            ),
            Source::Stash { file } if file.ends_with(".pwd") => {
                Evidence::file(file, format!("the password in it does not open {}", lock.store))
            }
            Source::Given if !given_opens => {
                Evidence::file(&lock.store, "the password given does not open it")
            }
            _ => continue,
        };
        found.push(Finding::proven(&RULE, &lock.store, evidence));
    }
    found
}

/// Stores that no password would open. What is wrong with a PEM file has rules of its own.
fn damaged(inputs: &Inputs) -> Vec<Finding> {
    let broken = inputs
        .stores
        .iter()
        .filter(|store| !matches!(store.format, "pem" | "der" | "pkcs7"));
    broken
        .filter_map(|store| Some((store, store.broken.as_ref()?)))
        .filter(|(_, error)| {
            !matches!(
                error,
                ParseError::NeedsPassword { .. }
                    | ParseError::BadMac { .. }
                    | ParseError::WrongPassword { .. }
                    | ParseError::Unsupported { .. }
                    | ParseError::OverLimit { .. }
            )
        })
        .map(|(store, error)| {
            Finding::proven(&RULE, &store.file, Evidence::file(&store.file, error.to_string()))
                .because("the file is damaged: no password opens it")
                .fixed_by(
                    "restore the store from its backup, or build it again from key, certificate and chain",
                )
        })
        .collect()
}
