//! H-67: Liberty compares host names since its update.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h60;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-67",
    title: "Liberty compares host names since its update",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "verifyHostname became true by default with Liberty 24.0.0.7: outbound links whose certificates do not list the host fail since the update",
    fix: "issue certificates with the names that are dialled; until then verifyHostname=\"false\" on the <ssl> element",
    source: "Open Liberty 24.0.0.7; domain specification B.4, F.1; domain specification H-67",
    states: &["verifyhostname"],
    hints: &[],
    explains: &["H-60", "H-61", "H-62"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    if !inputs.says(h60::RULE.states) {
        return Vec::new();
    }
    let Some((file, line, version)) = newest(inputs) else {
        return Vec::new();
    };
    let silent = inputs
        .elements("ssl")
        .find(|element| element.attribute("verifyHostname").is_none());
    let set = inputs
        .elements("ssl")
        .any(|element| element.attribute("verifyHostname").is_some());
    match silent {
        Some(element) if !set => {
            let evidence = Evidence::line(&file, line, format!("Liberty {version}"));
            let own = Evidence::line(
                &element.settings.file,
                element.line(),
                "<ssl> says nothing of verifyHostname",
            );
            vec![Finding::proven(&RULE, element.settings.file.clone(), evidence).and(own)]
        }
        _ => Vec::new(),
    }
}

/// The first version from 24.0.0.7 on that a log names.
fn newest(inputs: &Inputs) -> Option<(String, usize, String)> {
    for text in &inputs.texts {
        for (line, words) in text
            .speaking_of("liberty")
            .chain(text.speaking_of("websphere application server"))
        {
            let version = words
                .split(|c: char| !(c.is_ascii_digit() || c == '.'))
                .find(|word| word.matches('.').count() == 3);
            let numbers: Vec<u32> = version
                .unwrap_or_default()
                .split('.')
                .filter_map(|part| part.parse().ok())
                .collect();
            if numbers.len() == 4 && numbers.as_slice() >= [24, 0, 0, 7].as_slice() {
                return Some((text.file.clone(), line, version.unwrap_or_default().to_owned()));
            }
        }
    }
    None
}
