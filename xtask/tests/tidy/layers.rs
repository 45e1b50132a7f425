//! Who may import whom: `xtask/layers.txt` and `xtask/third-party.txt` against the manifests.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::settle;
use crate::tree;

#[test]
fn no_crate_names_one_that_its_layer_does_not_allow() {
    let layers = tree::lists(&tree::read("xtask/layers.txt"));
    settle(foreign_edges(&layers, &tree::manifests()));
}

#[test]
fn pure_crates_name_only_the_third_parties_on_their_list() {
    let allowed = tree::lists(&tree::read("xtask/third-party.txt"));
    settle(foreign_third_parties(&allowed, &tree::manifests()));
}

#[test]
fn versions_stand_in_one_place_and_no_crate_has_features_or_a_build_script() {
    settle(
        tree::manifests()
            .iter()
            .flat_map(|(name, manifest)| own_ways(name, manifest))
            .collect(),
    );
    let scripts = tree::rust()
        .into_iter()
        .filter(|source| source.path.ends_with("/build.rs"));
    settle(
        scripts
            .map(|source| format!("{}: a build script", source.path))
            .collect(),
    );
}

#[test]
fn anyhow_and_clap_are_named_by_cli_and_xtask_only() {
    let mut complaints = Vec::new();
    for (name, manifest) in tree::manifests() {
        for word in ["anyhow", "clap"] {
            if name != "cli" && name != "xtask" && every_dependency(&manifest).contains(word) {
                complaints.push(format!("{name}: names {word}"));
            }
        }
    }
    settle(complaints);
}

#[test]
fn a_foreign_edge_and_a_foreign_third_party_are_seen() {
    let manifest: toml::Table = "[dependencies]\nexec.workspace = true\ntokio = \"1\"\n[features]\nx = []\n\
        [dev-dependencies]\nlab.workspace = true\n"
        .parse()
        .expect("toml");
    let manifests = [("planner".to_owned(), manifest.clone())];
    assert_eq!(
        foreign_edges(&tree::lists("exec:\nlab:\nplanner: plan # exec"), &manifests),
        ["planner: names exec, which xtask/layers.txt does not allow"]
    );
    assert_eq!(
        foreign_edges(&tree::lists("exec:"), &manifests)[0],
        "planner: has no line in xtask/layers.txt"
    );
    assert_eq!(
        foreign_third_parties(&tree::lists("planner: thiserror"), &manifests),
        ["planner: names tokio, which xtask/third-party.txt does not allow"]
    );
    assert_eq!(
        own_ways("planner", &manifest).len(),
        3,
        "a feature, a version of its own, no lints"
    );
}

fn foreign_edges(layers: &[(String, Vec<String>)], manifests: &[(String, toml::Table)]) -> Vec<String> {
    let layers: BTreeMap<&str, &Vec<String>> =
        layers.iter().map(|(name, may)| (name.as_str(), may)).collect();
    let ours: BTreeSet<&str> = layers.keys().copied().collect();
    let mut complaints = Vec::new();
    for (name, manifest) in manifests {
        let Some(may) = layers.get(name.as_str()) else {
            complaints.push(format!("{name}: has no line in xtask/layers.txt"));
            continue;
        };
        for dependency in dependencies(manifest)
            .into_iter()
            .filter(|dependency| ours.contains(dependency.as_str()))
        {
            if !may.contains(&dependency) {
                complaints.push(format!(
                    "{name}: names {dependency}, which xtask/layers.txt does not allow"
                ));
            }
        }
    }
    complaints
}

fn foreign_third_parties(
    allowed: &[(String, Vec<String>)],
    manifests: &[(String, toml::Table)],
) -> Vec<String> {
    let ours: BTreeSet<String> = tree::manifests().into_iter().map(|(name, _)| name).collect();
    let allowed: BTreeMap<&str, &Vec<String>> =
        allowed.iter().map(|(name, may)| (name.as_str(), may)).collect();
    let mut complaints = Vec::new();
    for (name, manifest) in manifests
        .iter()
        .filter(|(name, _)| tree::PURE.contains(&name.as_str()))
    {
        let Some(may) = allowed.get(name.as_str()) else {
            complaints.push(format!("{name}: has no line in xtask/third-party.txt"));
            continue;
        };
        for dependency in dependencies(manifest) {
            if !ours.contains(&dependency) && !may.contains(&dependency) {
                complaints.push(format!(
                    "{name}: names {dependency}, which xtask/third-party.txt does not allow"
                ));
            }
        }
    }
    complaints
}

/// Ways of its own: a version in a crate's manifest, features, a build script.
fn own_ways(name: &str, manifest: &toml::Table) -> Vec<String> {
    let mut complaints = Vec::new();
    if manifest.contains_key("features") {
        complaints.push(format!("{name}: has features"));
    }
    if manifest
        .get("package")
        .and_then(|package| package.get("build"))
        .is_some()
    {
        complaints.push(format!("{name}: has a build script"));
    }
    for table in TABLES {
        for (dependency, value) in manifest
            .get(table)
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
        {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                complaints.push(format!("{name}: {dependency} has a version of its own"));
            }
        }
    }
    if manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .is_none()
    {
        complaints.push(format!("{name}: does not take the workspace's lints"));
    }
    complaints
}

/// The names in `[dependencies]`, also of single targets.
fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let mut found = names(manifest.get("dependencies"));
    for target in manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
    {
        found.extend(names(target.1.get("dependencies")));
    }
    found
}

fn every_dependency(manifest: &toml::Table) -> BTreeSet<String> {
    TABLES
        .iter()
        .flat_map(|table| names(manifest.get(*table)))
        .chain(dependencies(manifest))
        .collect()
}

fn names(table: Option<&toml::Value>) -> BTreeSet<String> {
    table
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
