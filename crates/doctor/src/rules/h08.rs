//! H-08: another store is used than the one that was meant.

use std::collections::BTreeMap;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-08",
    title: "another store is used than the one that was meant",
    severity: Severity::Error,
    stage: Stage::Presented,
    cause: "two places name the store, and the one that counts is not the one that was changed: a variable of the environment before mqclient.ini, javax.net.ssl.* before the product's own settings, overrides before defaults",
    fix: "take one of the two away, or make both say the same; MQSSLKEYR, MQCHLLIB, MQCHLTAB and MQCLNTCF come before what mqclient.ini says",
    source: "IBM MQ, client key repository; Liberty configDropins; domain specification H-08",
    states: &[],
    hints: &["mqsslkeyr && override"],
    explains: &["H-04", "H-30", "H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = environment(inputs);
    found.extend(twice(inputs));
    found.extend(traced(inputs));
    found
}

fn environment(inputs: &Inputs) -> Vec<Finding> {
    let ini = inputs.setting(SettingsKind::MqIni, "SSLKeyRepository");
    let variable = inputs.setting(SettingsKind::Environment, "MQSSLKEYR");
    let (Some((file, own)), Some((shell, over))) = (ini, variable) else {
        return Vec::new();
    };
    if plain(&own.value) == plain(&over.value) {
        return Vec::new();
    }
    let evidence = Evidence::line(&shell.file, over.line, format!("MQSSLKEYR={} counts", over.value));
    let other = Evidence::line(
        &file.file,
        own.line,
        format!("SSLKeyRepository={} does not", own.value),
    );
    vec![Finding::proven(&RULE, over.value.clone(), evidence).and(other)]
}

fn plain(path: &str) -> &str {
    path.trim_end_matches(".kdb")
}

/// One Liberty keystore id with two places. Copies that are backups have a rule of their own.
fn twice(inputs: &Inputs) -> Vec<Finding> {
    let mut places: BTreeMap<(String, String), (String, String, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for element in inputs.elements("keyStore") {
        let file = &element.settings.file;
        let (Some(id), Some(place)) = (element.value("id"), element.attribute("location")) else {
            continue;
        };
        let Some((server, _)) = file.split_once("/configDropins/") else {
            continue;
        };
        if super::h20::is_backup(name_of(file)) {
            continue;
        }
        let known = places.insert(
            (server.to_owned(), id.to_owned()),
            (place.value.clone(), file.clone(), place.line),
        );
        if let Some((before, other, line)) = known.filter(|(before, ..)| *before != place.value) {
            let (counts, does_not) = if other.contains("/overrides/") {
                (
                    (other, line, before),
                    (file.clone(), place.line, place.value.clone()),
                )
            } else {
                (
                    (file.clone(), place.line, place.value.clone()),
                    (other, line, before),
                )
            };
            let evidence = Evidence::line(
                &counts.0,
                counts.1,
                format!("keyStore {id} at {} counts", counts.2),
            );
            let other = Evidence::line(
                &does_not.0,
                does_not.1,
                format!("keyStore {id} at {} does not", does_not.2),
            );
            found.push(Finding::proven(&RULE, counts.2, evidence).and(other));
        }
    }
    found
}

/// A client trace names the store of the file and that of the environment.
fn traced(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for text in &inputs.texts {
        let value = |name: &str| {
            let (line, words) = text.speaking_of(name).last()?;
            let at = words.to_lowercase().find(name)? + name.len();
            let value = words.get(at..)?.trim_start_matches(['=', ' ', ':', '\'', '(']);
            let end = value.find(['\'', ' ', ')']).unwrap_or(value.len());
            (value[..end].contains('/')).then(|| (line, plain(&value[..end]).to_owned()))
        };
        if let (Some((line, own)), Some((other_line, over))) = (value("sslkeyrepository"), value("mqsslkeyr"))
            && own != over
        {
            let evidence = Evidence::line(&text.file, other_line, format!("MQSSLKEYR: {over} counts"));
            let other = Evidence::line(&text.file, line, format!("SSLKeyRepository: {own} does not"));
            found.push(Finding::proven(&RULE, over, evidence).and(other));
        }
    }
    found
}
