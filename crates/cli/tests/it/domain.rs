//! A Workload Automation domain as files, rearranged before the first scan; no process runs.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The domain of the demo as files.
pub struct Domain {
    /// The fleet directory.
    pub dir: PathBuf,
    _place: tempfile::TempDir,
}

impl Domain {
    /// A domain of at least that many processes, rearranged and scanned.
    pub fn made(components: usize, arrange: impl FnOnce(&Path)) -> Domain {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("fleet");
        lab::create(&lab::LabSpec {
            dir: dir.clone(),
            kind: lab::Kind::Wa { components },
            exe: PathBuf::from(env!("CARGO_BIN_EXE_capgrow")),
        })
        .unwrap();
        arrange(&dir);
        let domain = Domain { dir, _place: place };
        domain.run(&["scan"], 0);
        domain
    }

    /// The fleet file with these lines under `[policy]`.
    pub fn policy(&self, lines: &str) -> &Domain {
        edit(&self.dir.join("capgrow.toml"), |text| {
            let kept = text.split("\n[policy]").next().unwrap_or(text);
            format!("{kept}\n[policy]\n{lines}\n")
        });
        self
    }

    /// The document that these words answer with that exit code; where there is none, what was said on stderr.
    #[track_caller]
    pub fn run(&self, words: &[&str], code: i32) -> Value {
        let with_json: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let (out, said) = self.said(&with_json, code);
        serde_json::from_str(&out).unwrap_or(Value::String(said))
    }

    /// Both streams of these words, which must end with that exit code.
    #[track_caller]
    pub fn said(&self, words: &[&str], code: i32) -> (String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_capgrow"))
            .arg("-C")
            .arg(&self.dir)
            .args(words)
            .output()
            .unwrap();
        let [out, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}{out}");
        (out, said)
    }
}

/// Changes a file.
pub fn edit(path: &Path, change: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::fs::write(path, change(&text)).unwrap();
}

/// Every agent directly below the master.
pub fn flat(dir: &Path) {
    edit(&dir.join("lab/database/definitions"), |text| {
        let agents = text
            .split("CPUNAME ")
            .map(|block| match block.starts_with("FTA") {
                true => block.replace("DOMAIN DM1DOM", "DOMAIN MASTERDM"),
                false => block.to_owned(),
            });
        agents.collect::<Vec<_>>().join("CPUNAME ")
    });
}

/// Sets a global option, given as `sw = NO`.
pub fn option(dir: &Path, set: &str) {
    let name = set.split('=').next().unwrap_or_default();
    edit(&dir.join("lab/database/options"), |text| {
        let line = |line: &str| match line.split_once(&format!("/ {name}= ")) {
            Some((long, _)) => format!("{long}/ {set}\n"),
            None => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    });
}

/// The steps of a component: wave and events.
pub fn steps(plan: &Value, component: &str) -> Vec<(u64, String)> {
    let of = |step: &&Value| step["component"] == component;
    let told = |step: &Value| {
        let events: Vec<&str> = step["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        (step["wave"].as_u64().unwrap(), events.join("+"))
    };
    plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of)
        .map(told)
        .collect()
}
