//! H-89: old plan files after a change of the TLS mode.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h88;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-89",
    title: "old plan files after a change of the TLS mode",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "the mode of TLS was changed (not only certificates), and Symphony, Sinfonia and the message files of before are still there: the link fails until they are gone",
    fix: "the vendor's clean-up loses what is in them: stop everything, remove Symphony, Sinfonia, *.msg and pobox/*.msg on that workstation, start, link",
    source: "domain specification B.7; domain specification H-89",
    states: &["symphony && ssl && mismatch", "sinfonia && old"],
    hints: &[],
    explains: &["H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let left = inputs
        .files
        .iter()
        .find(|file| ["Symphony", "Sinfonia"].contains(&file.name()) || file.name().ends_with(".msg"));
    let Some(left) = left.filter(|_| inputs.says(h88::RULE.states) || inputs.says(h88::RULE.hints)) else {
        return Vec::new();
    };
    let mode = |settings: &crate::settings::Settings, key: &str| {
        settings
            .last(key)
            .is_some_and(|item| !["0", "@", ""].contains(&item.value.as_str()))
    };
    let options: Vec<_> = inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Localopts)
        .collect();
    let changed = options.iter().enumerate().find_map(|(at, one)| {
        let other = options[..at].iter().find(|other| {
            mode(other, "nmsslfullport") != mode(one, "nmsslfullport")
                || mode(other, "nmsslport") != mode(one, "nmsslport")
        })?;
        Some((*other, *one))
    });
    match changed {
        Some((one, other)) => {
            let evidence = Evidence::file(&left.path, "a plan or message file of before");
            vec![
                Finding::proven(&RULE, left.path.clone(), evidence)
                    .and(Evidence::file(&one.file, "one mode of TLS"))
                    .and(Evidence::file(&other.file, "another")),
            ]
        }
        None => Vec::new(),
    }
}
