//! H-88: a link of the Workload Automation network is down.

use product::workload_automation::definitions::Definitions;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-88",
    title: "a link of the Workload Automation network is down",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "the TLS port is 0 or differs between localopts and the workstation's definition, a certificate is missing, or one end does not trust the other",
    fix: "set nm SSL full port (optman sf = yes) or nm SSL port (sf = no) to the SECUREADDR of the definition, check the five files of localopts, then look at trust",
    source: "domain specification B.11, R-107, E-34; domain specification H-88",
    states: &["awsdeb046e", "awsbcw003e", "awsbcv035w"],
    hints: &["awsdeb009e", "awsbcv082i"],
    explains: &[],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let full = inputs.options.iter().find(|option| option.short == "sf");
    let options: Vec<_> = inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Localopts && !settings.file.ends_with(".orig"))
        .collect();
    for settings in &options {
        let closed = |key: &str| {
            settings
                .last(key)
                .is_none_or(|item| ["0", "@", ""].contains(&item.value.as_str()))
        };
        let Some(full) = full else { continue };
        let (wanted, key) = if full.value == "yes" {
            ("nm SSL full port", "nmsslfullport")
        } else {
            ("nm SSL port", "nmsslport")
        };
        let other = if full.value == "yes" {
            "nmsslport"
        } else {
            "nmsslfullport"
        };
        if closed(key) && !closed(other) {
            let evidence = Evidence::line(&full.file, full.line, format!("sf = {}", full.value));
            let own = Evidence::file(&settings.file, format!("{wanted} is closed"));
            found.push(
                Finding::proven(&RULE, settings.file.clone(), evidence)
                    .and(own)
                    .because(format!(
                        "with this global option the TLS port is {wanted}, and it is closed"
                    )),
            );
        }
    }
    found.extend(addresses(inputs, &options));
    for (file, shown) in inputs.workstations.iter().filter(|(_, shown)| !shown.is_linked()) {
        if ["FTA", "MANAGER", "AGENT", "BROKER", "MASTER"].contains(&shown.kind.as_str()) {
            let evidence = Evidence::file(file, format!("{} {}: `{}`", shown.name, shown.kind, shown.flags));
            found.push(Finding::proven(&RULE, shown.name.clone(), evidence).likely());
        }
    }
    found
}

/// One definition beside one localopts: the ports must be the same.
fn addresses(inputs: &Inputs, options: &[&crate::settings::Settings]) -> Vec<Finding> {
    let mut found = Vec::new();
    let [settings] = options else { return found };
    let open = |key: &str| {
        settings
            .last(key)
            .filter(|item| !["0", "@", ""].contains(&item.value.as_str()))
    };
    let port = open("nmsslfullport").or_else(|| open("nmsslport"));
    let Some(port) = port else { return found };
    for file in &inputs.files {
        let Some(text) = file.text().filter(|text| text.to_lowercase().contains("cpuname")) else {
            continue;
        };
        let Ok(definitions) = Definitions::parse(&text) else {
            continue;
        };
        let [workstation] = definitions.workstations.as_slice() else {
            continue;
        };
        if let Some(secure) = workstation.secure_port
            && port.value.parse::<u16>().is_ok_and(|own| own != secure)
        {
            let evidence = Evidence::file(&file.path, format!("{}: SECUREADDR {secure}", workstation.name));
            let own = Evidence::line(
                &settings.file,
                port.line,
                format!("the TLS port is {}", port.value),
            );
            found.push(
                Finding::proven(&RULE, workstation.name.clone(), evidence)
                    .and(own)
                    .because("the workstation is defined with another TLS port than it listens on"),
            );
        }
    }
    found
}
