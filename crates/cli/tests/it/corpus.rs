//! Stores of other tools: those that lie beside the workspace, else the copies in the keystore crate.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// A store with what its maker says about it.
pub struct Sample {
    /// Where it lies.
    pub path: PathBuf,
    /// Its password.
    pub password: Option<String>,
}

impl Sample {
    /// The truth that stands beside it.
    pub fn truth(&self) -> Value {
        let path = PathBuf::from(format!("{}.json", self.path.display()));
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
    }
}

/// What a run of the binary gave.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it answered.
    pub stdout: String,
    /// Everything else it said.
    pub stderr: String,
}

impl Ran {
    /// The document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// A command of ours in a clean environment, UTC.
pub fn capgrow(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capgrow"));
    command
        .env_clear()
        .env("TZ", "UTC")
        .env("HOME", dir)
        .current_dir(dir)
        .stdin(std::process::Stdio::null());
    command
}

/// Runs it.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Looks at one file with its password.
pub fn inspect(path: &Path, password: Option<&str>) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let mut command = capgrow(dir.path());
    command.args(["inspect", "--json"]).arg(path);
    if let Some(password) = password {
        let file = dir.path().join("password");
        std::fs::write(&file, password).unwrap();
        command.arg("--password-file").arg(file);
    }
    run(&mut command)
}

/// All samples of these formats.
pub fn keystores(formats: &[&str]) -> Vec<Sample> {
    let folder = folder("keystores").unwrap_or_else(|| copies(""));
    rows(&folder)
        .into_iter()
        .filter(|row| formats.contains(&row[2].as_str()))
        .map(|row| Sample {
            path: folder.join(&row[0]),
            password: (row[6] != "(none)").then(|| serde_json::from_str(&row[6]).unwrap()),
        })
        .collect()
}

/// All databases with what their manifest says: path, password, truth.
pub fn databases() -> Vec<(PathBuf, String, Value)> {
    let folder = folder("kdb").unwrap_or_else(|| copies("kdb"));
    let truth = |row: &[String]| serde_json::from_str(&row[6]).unwrap();
    rows(&folder)
        .into_iter()
        .map(|row| (folder.join(&row[0]), row[3].clone(), truth(&row)))
        .collect()
}

/// A folder of the corpus beside the workspace.
pub fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")).join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: the corpus beside the workspace is absent, only the copied stores are read");
    None
}

/// The copies in the keystore crate.
pub fn copies(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../keystore/tests/vectors")).join(name)
}

fn rows(folder: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}
