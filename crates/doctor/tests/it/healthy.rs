//! Healthy fleets stay silent.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use doctor::InputFile;
use doctor::Inputs;
use doctor::Severity;
use lab::Kind;
use lab::LabSpec;

/// Further healthy ones, such as fleets in coexistence and after it, are situations.
#[test]
fn new_fleets_of_eight_sizes_bring_no_warning() {
    let kinds = [
        Kind::Generic,
        Kind::Wa { components: 14 },
        Kind::Wa { components: 15 },
        Kind::Wa { components: 17 },
        Kind::Wa { components: 20 },
        Kind::Wa { components: 23 },
        Kind::Wa { components: 27 },
        Kind::Wa { components: 33 },
    ];
    let mut loud = Vec::new();
    for kind in kinds {
        let dir = tempfile::tempdir().unwrap();
        let spec = LabSpec {
            dir: dir.path().join("fleet"),
            kind,
            exe: PathBuf::from("/bin/true"),
        };
        lab::create(&spec).unwrap();
        let mut files = Vec::new();
        gather(&spec.dir.join("hosts"), &mut files);
        assert!(files.len() > 4, "{kind:?}: {} files", files.len());
        // The lab makes its certificates now.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let inputs = Inputs::gather(files, &[], now as i64);
        let findings = doctor::diagnose(&inputs);
        loud.extend(
            findings
                .iter()
                .filter(|finding| finding.severity > Severity::Note)
                .map(|finding| format!("{kind:?}: {} {}", finding.rule.id, finding.evidence[0])),
        );
    }
    assert!(loud.is_empty(), "{}", loud.join("\n"));
}

fn gather(dir: &Path, files: &mut Vec<InputFile>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.push(InputFile {
                path: path.display().to_string(),
                bytes: std::fs::read(&path).unwrap(),
                mode: path.metadata().unwrap().mode() & 0o7777,
                unreadable: None,
            });
        }
    }
}
