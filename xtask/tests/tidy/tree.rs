//! The files of the workspace, as the rules see them.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::source::Source;

/// The crates that decide on values and never touch the world.
pub const PURE: [&str; 9] = [
    "keystore", "trust", "product", "fleet", "plan", "planner", "exec", "doctor", "hello",
];

/// Where the workspace lies.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
        .to_path_buf()
}

/// The text of a file of the workspace; `path` is relative to its root.
#[track_caller]
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file of the workspace, sorted by path.
pub fn rust() -> Vec<Source> {
    let found: Vec<Source> = all()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .filter_map(|path| Some(Source::new(&path, &fs::read_to_string(root().join(&path)).ok()?)))
        .collect();
    assert!(
        found.len() > 10,
        "only {} Rust files below {}",
        found.len(),
        root().display()
    );
    found
}

/// Every text file of the workspace with its text, sorted by path; others are left out.
pub fn texts() -> Vec<(String, String)> {
    all()
        .into_iter()
        .filter_map(|path| Some((path.clone(), fs::read_to_string(root().join(&path)).ok()?)))
        .collect()
}

/// The manifests of our crates: the crate's name and the parsed file.
pub fn manifests() -> Vec<(String, toml::Table)> {
    let mut names: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("the crates folder is there")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| root().join("crates").join(name).join("Cargo.toml").is_file())
        .collect();
    names.sort();
    let mut found: Vec<(String, toml::Table)> = names
        .into_iter()
        .map(|name| (name.clone(), manifest(&format!("crates/{name}/Cargo.toml"))))
        .collect();
    for name in ["fuzz", "xtask"] {
        found.push((name.to_owned(), manifest(&format!("{name}/Cargo.toml"))));
    }
    found
}

/// One parsed manifest.
#[track_caller]
pub fn manifest(path: &str) -> toml::Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A list file: `name: word word`, `#` begins a comment.
pub fn lists(text: &str) -> Vec<(String, Vec<String>)> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, words) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("no colon in {line:?}"));
            (
                name.trim().to_owned(),
                words.split_whitespace().map(str::to_owned).collect(),
            )
        })
        .collect()
}

/// Paths of all files relative to the root, with `/`, sorted; build output and version control left out.
fn all() -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let entry = entry.expect("readable");
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("known");
            if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                open.push(entry.path());
            } else if kind.is_file()
                && let Ok(path) = entry.path().strip_prefix(root())
            {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

const NOT_OURS: [&str; 5] = [".capgrow", ".git", "demo", "target", "node_modules"];
