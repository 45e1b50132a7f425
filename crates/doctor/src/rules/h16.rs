//! H-16: the password file does not open the private key.

use keystore::WaPasswordError;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::locks::Source;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-16",
    title: "the password file does not open the private key",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the agent's password file holds another password than that of the key: most often the line end that echo without -n puts into the encoded text",
    fix: "write it again: printf %s PASSWORD | base64 > tls.sth, and check it with the key: openssl pkey -in tls.key -passin pass:PASSWORD -noout",
    source: "Workload Automation tls.sth; domain specification R-055, R-057; domain specification H-16",
    states: &["bad decrypt", "bad password read", "ssl key pwd && "],
    hints: &[],
    explains: &["H-01", "H-15", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in inputs.files.iter().filter(|file| file.name().ends_with(".sth")) {
        let product =
            ["tls.sth", "password.sth"].contains(&file.name()) || keystore::sniff(&file.bytes).is_none();
        if !product || keystore::read_stash(&file.bytes).is_ok() {
            continue;
        }
        let error = keystore::read_wa_password(&file.bytes).err();
        if let Some(
            error @ (WaPasswordError::LineEndInside | WaPasswordError::NotBase64 | WaPasswordError::Empty),
        ) = error
        {
            found.push(Finding::proven(
                &RULE,
                &file.path,
                Evidence::file(&file.path, error.to_string()),
            ));
        }
    }
    for lock in inputs.locks.iter().filter(|lock| !lock.fits) {
        if let Source::Beside { file } = &lock.source {
            let others = inputs
                .locks
                .iter()
                .any(|other| other.store == lock.store && other.fits);
            if !others {
                let evidence =
                    Evidence::file(file, format!("the password in it does not open {}", lock.store));
                found.push(Finding::proven(&RULE, &lock.store, evidence));
            }
        }
    }
    found
}
