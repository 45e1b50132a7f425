//! H-22: SSL cert type does not fit the file.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::paths;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::settings::SettingsKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-22",
    title: "SSL cert type does not fit the file",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "localopts says P12 and names PEM files, or the other way round: type and paths must be changed together",
    fix: "SSL cert type = PEM with SSL key and SSL certificate as PEM files, or = P12 with the .p12 as SSL certificate and an empty SSL key",
    source: "Workload Automation 10.2 localopts; domain specification B.4; domain specification H-22",
    states: &["ssl cert type"],
    hints: &[],
    explains: &["H-01", "H-10", "H-15", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Localopts)
    {
        let (Some(kind), Some(file)) = (settings.last("sslcerttype"), settings.last("sslcertificate")) else {
            continue;
        };
        if file.value.is_empty() {
            continue;
        }
        let says_p12 = kind.value.eq_ignore_ascii_case("p12");
        let format =
            paths::at(inputs, &settings.file, &file.value).and_then(|found| keystore::sniff(&found.bytes));
        let is_p12 = match format {
            Some(format) => format == keystore::Format::Pkcs12,
            None => [".p12", ".pfx"]
                .iter()
                .any(|end| file.value.to_lowercase().ends_with(end)),
        };
        if says_p12 != is_p12 {
            let evidence = Evidence::line(
                &settings.file,
                kind.line,
                format!("SSL cert type = {}", kind.value),
            );
            let own = Evidence::line(
                &settings.file,
                file.line,
                format!(
                    "SSL certificate = {}, {}",
                    file.value,
                    if is_p12 { "PKCS#12" } else { "PEM" }
                ),
            );
            found.push(Finding::proven(&RULE, settings.file.clone(), evidence).and(own));
        }
    }
    found
}
