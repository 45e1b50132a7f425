//! H-20: a backup lies where Liberty reads it.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-20",
    title: "a backup lies where Liberty reads it",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "Liberty reads every file that ends in .xml in configDropins, backups too: what was replaced counts again, or is defined twice",
    fix: "move the backup elsewhere, or give it an ending that is not .xml (ssl_config.xml.orig)",
    source: "domain specification R-033; Workload Automation Administration Guide; domain specification H-20",
    states: &[],
    hints: &["cwwkg0027w", "cwwkg0011w"],
    explains: &["H-01", "H-04", "H-05", "H-08", "H-30"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Liberty)
    {
        let file = &settings.file;
        let dropped = dir_of(file).contains("configDropins")
            || ["defaults", "overrides"].contains(&name_of(dir_of(file)));
        if dropped && file.to_lowercase().ends_with(".xml") && is_backup(name_of(file)) {
            let twin = inputs.settings.iter().find(|other| {
                other.file != *file
                    && dir_of(&other.file) == dir_of(file)
                    && settings.items.iter().any(|item| {
                        item.key == "id"
                            && other
                                .items
                                .iter()
                                .any(|own| own.key == "id" && own.value == item.value)
                    })
            });
            let mut finding = Finding::proven(
                &RULE,
                file.clone(),
                Evidence::file(file, "its name is that of a backup, its ending that of a setting"),
            );
            if let Some(twin) = twin {
                finding = finding.and(Evidence::file(&twin.file, "defines the same elements"));
            }
            found.push(finding);
        }
    }
    found
}

/// Whether a name is that of a backup that a person made.
pub(crate) fn is_backup(name: &str) -> bool {
    let name = name.to_lowercase();
    let marks = [
        "backup", "_bak", "-bak", ".bak", "orig", "_old", "-old", ".old", "copy", "_save", ".save", "saved",
        "before",
    ];
    let dated = name
        .split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() == 8 && digits.starts_with("20"));
    marks.iter().any(|mark| name.contains(mark)) || dated
}
