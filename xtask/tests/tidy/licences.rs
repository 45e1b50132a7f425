//! Every crate in the build has a licence that `deny.toml` allows.

use std::env;
use std::process::Command;

use serde_json::Value;

use crate::settle;
use crate::tree;

#[test]
fn every_dependency_has_an_allowed_licence() {
    let allowed = allowed();
    assert!(
        allowed.iter().any(|licence| licence == "Apache-2.0"),
        "{allowed:?}"
    );
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("cargo lists packages");
    assert!(packages.len() > 20, "only {} packages", packages.len());
    settle(
        packages
            .iter()
            .flat_map(|package| refused(package, &allowed))
            .collect(),
    );
}

#[test]
fn an_expression_is_allowed_when_one_of_its_choices_is() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"].map(str::to_owned);
    for (expression, want) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT/Apache-2.0", true),
        ("(MIT OR GPL-2.0) AND ISC", true),
        ("ISC AND (GPL-2.0 OR MPL-2.0)", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), want, "{expression}");
    }
    let package = serde_json::json!({"name": "x", "version": "1.0.0", "license": null});
    assert_eq!(
        refused(&package, &allowed),
        ["x 1.0.0: licence \"\" is not allowed by deny.toml"]
    );
}

/// What `cargo metadata` says about this platform's build; nothing is fetched.
pub fn metadata() -> Value {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let rustc = Command::new(env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()))
        .arg("-vV")
        .output()
        .expect("rustc answers its version");
    let version = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host");
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            host,
        ])
        .current_dir(tree::root())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn allowed() -> Vec<String> {
    let deny = tree::manifest("deny.toml");
    let list = deny["licenses"]["allow"].as_array().expect("a list");
    list.iter()
        .map(|licence| licence.as_str().expect("a licence is a string").to_owned())
        .collect()
}

fn refused(package: &Value, allowed: &[String]) -> Vec<String> {
    let licence = package["license"].as_str().unwrap_or_default();
    if is_allowed(licence, allowed) {
        return Vec::new();
    }
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    vec![format!(
        "{name} {version}: licence {licence:?} is not allowed by deny.toml"
    )]
}

/// Whether an SPDX expression (or the older spelling with `/`) leaves a choice that is allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut tokens: Vec<&str> = spaced.split_whitespace().rev().collect();
    let verdict = any(&mut tokens, allowed);
    verdict && tokens.is_empty()
}

/// `tokens` is the rest of the expression, the next one last.
fn any(tokens: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut verdict = all(tokens, allowed);
    while tokens.last() == Some(&"OR") {
        tokens.pop();
        verdict |= all(tokens, allowed);
    }
    verdict
}

fn all(tokens: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut verdict = one(tokens, allowed);
    while tokens.last() == Some(&"AND") {
        tokens.pop();
        verdict &= one(tokens, allowed);
    }
    verdict
}

fn one(tokens: &mut Vec<&str>, allowed: &[String]) -> bool {
    match tokens.pop() {
        Some("(") => {
            let verdict = any(tokens, allowed);
            tokens.pop() == Some(")") && verdict
        }
        Some(licence) if tokens.last() == Some(&"WITH") => {
            tokens.pop();
            let whole = format!("{licence} WITH {}", tokens.pop().unwrap_or_default());
            allowed.contains(&whole)
        }
        Some(licence) => allowed.iter().any(|one| one == licence),
        None => false,
    }
}
