//! H-79: FORCE_ENABLED falls back to clear text.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-79",
    title: "FORCE_ENABLED falls back to clear text",
    severity: Severity::Warning,
    stage: Stage::Spoken,
    cause: "securitylevel FORCE_ENABLED tries TLS and goes on without it where that fails: the link is up, and in clear text",
    fix: "prove TLS by a probe of the secure port; use FORCE once every end has TLS; set nm SSL full port",
    source: "domain specification B.5; domain specification H-79",
    states: &["force_enabled && clear", "force-enabled && clear"],
    hints: &[],
    explains: &[],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let forced = inputs.texts.iter().find_map(|text| {
        let patterns = ["securitylevel force_enabled", "securitylevel force-enabled"];
        patterns.iter().find_map(|pattern| {
            text.speaking_of(pattern)
                .next()
                .map(|(line, words)| Evidence::line(&text.file, line, words))
        })
    });
    let Some(forced) = forced else { return found };
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Localopts)
    {
        let closed = |key: &str| {
            settings
                .last(key)
                .is_none_or(|item| ["0", "@", ""].contains(&item.value.as_str()))
        };
        if closed("nmsslfullport") && closed("nmsslport") {
            let evidence = Evidence::file(
                &settings.file,
                "no TLS port: nm SSL full port and nm SSL port are closed",
            );
            found.push(Finding::proven(&RULE, settings.file.clone(), evidence).and(forced.clone()));
        }
    }
    found
}
