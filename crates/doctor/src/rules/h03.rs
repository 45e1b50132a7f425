//! H-03: the stash is absent, or of another store.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::locks::Source;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-03",
    title: "the stash is absent, or of another store",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the password stash does not belong to this store, so a program that opens the store by its stash (-stashed, IBM MQ, Spectrum Protect) cannot",
    fix: "write the stash again beside the store: gsk8capicmd_64 -keydb -stashpw -db STORE -pw PASSWORD (runmqakm takes the same words), and keep STORE.kdb and STORE.sth together",
    source: "IBM MQ AMQ9660E; GSKit return code 103; domain specification H-03",
    states: &[
        "amq9660e",
        "error code returned was '408'",
        "ctgsk2103w",
        "stash file && absent",
        "stash file && not exist",
        "stash file && unusable",
        "-stashed && fail",
    ],
    hints: &[],
    explains: &["H-01", "H-02", "H-04", "H-30", "H-72", "H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for lock in inputs.locks.iter().filter(|lock| !lock.fits) {
        if let Source::Stash { file } = &lock.source
            && !file.ends_with(".pwd")
        {
            let evidence = Evidence::file(file, format!("the password in it does not open {}", lock.store));
            found.push(Finding::proven(&RULE, &lock.store, evidence));
        }
    }
    for store in inputs.stores.iter().filter(|store| store.format == "cms-kdb") {
        let stash = format!("{}.sth", store.file.trim_end_matches(".kdb"));
        let there = inputs.files.iter().find(|file| file.path == stash);
        match there {
            Some(file) if keystore::read_stash(&file.bytes).is_err() => {
                let evidence = Evidence::file(&stash, "no password can be read out of it");
                found.push(Finding::proven(&RULE, &store.file, evidence));
            }
            None if needs_stash(inputs, &store.file) => {
                let evidence = Evidence::file(&store.file, format!("{stash} is not there"));
                found.push(Finding::proven(&RULE, &store.file, evidence));
            }
            _ => {}
        }
    }
    found
}

/// Where a queue manager or client opens the store and no password is set for it.
fn needs_stash(inputs: &Inputs, store: &str) -> bool {
    let beside = inputs
        .files
        .iter()
        .any(|file| dir_of(&file.path) == dir_of(store) && file.path != store);
    let used = inputs.setting(SettingsKind::MqIni, "SSLKeyRepository").is_some()
        || inputs
            .mq
            .iter()
            .any(|object| object.get("SSLKEYR").is_some_and(|path| !path.is_empty()));
    let password = inputs.setting(SettingsKind::Environment, "MQKEYRPWD").is_some()
        || inputs
            .setting(SettingsKind::MqIni, "SSLKeyRepositoryPassword")
            .is_some()
        || inputs
            .mq
            .iter()
            .any(|object| object.get("KEYRPWD").is_some_and(|text| !text.is_empty()));
    beside && used && !password || inputs.says(RULE.states)
}
