//! H-65: SSL auth mode asks for another name.

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
    id: "H-65",
    title: "SSL auth mode asks for another name",
    severity: Severity::Error,
    stage: Stage::Name,
    cause: "localopts asks for a name in the peer's certificate (SSL auth mode string or cpu), and the certificate has another common name",
    fix: "set SSL auth string to the common name, or SSL auth mode = caonly, or issue a certificate whose common name is the string (mode string) or the workstation's id (mode cpu)",
    source: "domain specification B.4, localopts; domain specification H-65",
    states: &["ssl auth mode", "ssl auth string", "ssl auth && mismatch"],
    hints: &[],
    explains: &["H-60", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Localopts)
    {
        let Some(mode) = settings.last("sslauthmode") else {
            continue;
        };
        let wanted: Vec<String> = match mode.value.to_lowercase().as_str() {
            "string" => vec![
                settings
                    .last("sslauthstring")
                    .map_or("tws", |item| item.value.as_str())
                    .to_lowercase(),
            ],
            "cpu" => inputs
                .workstations
                .iter()
                .map(|(_, shown)| shown.name.to_lowercase())
                .collect(),
            _ => continue,
        };
        let names: Vec<(String, String)> = inputs
            .certificates()
            .filter(|(store, _, one)| {
                ["tls.crt", "TWSClient.cer"].contains(&name_of(&store.file))
                    || name_of(&store.file).contains("TWSClientKeyStore") && !one.is_authority()
            })
            .filter_map(|(store, _, one)| Some((store.file.clone(), one.subject.common_name()?.to_owned())))
            .collect();
        if let (false, Some((file, name))) = (
            wanted.is_empty() || names.iter().any(|(_, name)| wanted.contains(name)),
            names.first(),
        ) {
            let evidence = Evidence::line(
                &settings.file,
                mode.line,
                format!("SSL auth mode = {}: {}", mode.value, wanted.join(", ")),
            );
            found.push(
                Finding::proven(&RULE, settings.file.clone(), evidence)
                    .and(Evidence::file(file, format!("CN={name}"))),
            );
        }
    }
    found
}
