//! Sound stores of other tools stay silent.

use std::path::Path;

use doctor::InputFile;
use doctor::Inputs;
use doctor::Severity;
use keystore::Password;

use crate::NOW;

/// Rules that speak of dates are asked at a moment when the certificates are valid; what is out of date on purpose, or
/// odd on purpose by its name, is left out.
#[test]
fn sound_stores_of_the_corpus_bring_no_warning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/keystores");
    let Ok(manifest) = std::fs::read_to_string(root.join("MANIFEST.tsv")) else {
        println!("SKIPPED: no corpus beside the workspace");
        return;
    };
    let mut loud = Vec::new();
    let mut count = 0;
    for line in manifest.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let (path, password) = (cells[0], cells.get(6).copied().unwrap_or("(none)"));
        if path.starts_with("bad/") || ["expired", "ws-bom"].iter().any(|mark| path.contains(mark)) {
            continue;
        }
        let Ok(bytes) = std::fs::read(root.join(path)) else {
            continue;
        };
        let typed = password.trim_matches('"').to_owned();
        let given: Vec<Password> = (password != "(none)" && !password.contains('\\'))
            .then(|| Password::new(typed))
            .into_iter()
            .collect();
        let file = InputFile {
            path: path.to_owned(),
            bytes,
            mode: 0o644,
            unreadable: None,
        };
        let inputs = Inputs::gather(vec![file], &given, NOW);
        count += 1;
        for finding in doctor::diagnose(&inputs) {
            let out_of_date = ["H-50", "H-51", "H-52"].contains(&finding.rule.id);
            if finding.severity > Severity::Note && !out_of_date {
                loud.push(format!("{path}: {} {}", finding.rule.id, finding.evidence[0]));
            }
        }
    }
    assert!(count > 150, "{count} stores");
    assert!(loud.is_empty(), "{} of {count}:\n{}", loud.len(), loud.join("\n"));
}
