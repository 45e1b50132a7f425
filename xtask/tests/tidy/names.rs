//! Names that say nothing are banned for types, modules and files.

use std::collections::BTreeSet;

use crate::settle;
use crate::source::Source;
use crate::source::words;
use crate::tree;

#[test]
fn no_type_module_or_file_has_a_name_that_says_nothing() {
    settle(tree::rust().iter().flat_map(empty_names).collect());
}

#[test]
fn empty_names_are_seen_and_near_ones_are_not() {
    let text = "mod common;\nstruct LinkManager;\nenum HostInfo {}\ntype Base = u8;\nstruct Database; mod base64; trait Handles {}\n";
    let complaints = empty_names(&Source::new("crates/x/src/util/engine.rs", text));
    assert_eq!(
        complaints,
        [
            "crates/x/src/util/engine.rs: the path says \"engine\"",
            "crates/x/src/util/engine.rs: the path says \"util\"",
            "crates/x/src/util/engine.rs:1: mod common",
            "crates/x/src/util/engine.rs:2: struct LinkManager",
            "crates/x/src/util/engine.rs:3: enum HostInfo",
            "crates/x/src/util/engine.rs:4: type Base",
        ]
    );
}

fn empty_names(source: &Source) -> Vec<String> {
    let parts: BTreeSet<String> = source
        .path
        .trim_end_matches(".rs")
        .split('/')
        .flat_map(name_words)
        .filter(|word| is_banned(word))
        .collect();
    let mut complaints: Vec<String> = parts
        .iter()
        .map(|word| format!("{}: the path says {word:?}", source.path))
        .collect();
    let mut found = Vec::new();
    for keyword in ["struct", "enum", "trait", "type", "union", "mod"] {
        for at in words(&source.code, keyword) {
            let name: String = source.code[at + keyword.len()..]
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if name_words(&name).iter().any(|word| is_banned(word)) {
                found.push((
                    at,
                    format!("{}:{}: {keyword} {name}", source.path, source.line(at)),
                ));
            }
        }
    }
    found.sort();
    complaints.extend(found.into_iter().map(|(_, complaint)| complaint));
    complaints
}

/// The words of a name in either spelling, lower case.
fn name_words(name: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut last_is_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            found.push(String::new());
        } else {
            if c.is_uppercase() && last_is_lower {
                found.push(String::new());
            }
            found.last_mut().expect("never empty").extend(c.to_lowercase());
        }
        last_is_lower = c.is_lowercase() || c.is_numeric();
    }
    found.retain(|word| !word.is_empty());
    found
}

fn is_banned(word: &str) -> bool {
    BANNED.contains(&word)
}

const BANNED: [&str; 15] = [
    "base",
    "common",
    "data",
    "engine",
    "handler",
    "helper",
    "helpers",
    "impl2",
    "info",
    "manager",
    "misc",
    "processor",
    "processors",
    "util",
    "utils",
];
