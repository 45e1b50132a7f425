//! docs/profiles.md and docs/divergences.md are made of the profiles and of recorded verdicts. `UPDATE_EXPECT=1` rewrites them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use trust::profile::Evidence;
use trust::vectors::{answer, measured};
use trust::{Computed, runtimes};

use crate::replay::vector;

#[test]
fn the_page_of_profiles_is_what_the_profiles_say() {
    let mut page = String::from(
        "# Profiles\n\nGenerated from the profiles; `UPDATE_EXPECT=1 cargo test -p trust` rewrites it.\n\
         What a verdict says a runtime does stands here, field by field, with its source: a specification, a vendor's\n\
         document or source, or the id of a recorded verdict (`family:what`, crates/trust/tests/oracle/rotation.jsonl).\n\
         **Documented** means that nothing was measured; `verdict` says so beside its answers.\n\n\
         | runtime | what it is | known from |\n|---|---|---|\n",
    );
    for profile in runtimes() {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            profile.name,
            profile.describes,
            known(profile.evidence)
        );
    }
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut order = Vec::new();
    for profile in runtimes() {
        let mut table = String::from("| field | value | source |\n|---|---|---|\n");
        for field in profile.fields() {
            assert!(
                !field.source.is_empty(),
                "{}: {} has no source",
                profile.name,
                field.name
            );
            let _ = writeln!(table, "| {} | {} | {} |", field.name, field.value, field.source);
        }
        if !groups.contains_key(&table) {
            order.push(table.clone());
        }
        groups.entry(table).or_default().push(profile.name);
    }
    for table in order {
        let _ = writeln!(page, "\n## {}\n\n{}", groups[&table].join(", "), table.trim_end());
    }
    compare("profiles.md", &page);
}

#[test]
fn the_page_of_divergences_is_what_the_profiles_do_with_the_recorded_chains() {
    let mut page = String::from(
        "# Divergences\n\nGenerated from the profiles over the recorded chain shapes of rotations\n\
         (crates/trust/tests/oracle/rotation.jsonl); `UPDATE_EXPECT=1 cargo test -p trust` rewrites it. Each row is a chain\n\
         that some runtimes accept and others reject; those where all agree are left out. Runtimes that differ from a\n\
         neighbour only in how a handshake is asked are left out too.\n\n## Where we know that we are wrong\n\n\
         | suite | runtime | vector | reason |\n|---|---|---|---|\n",
    );
    for line in include_str!("exceptions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let Some((head, reason)) = line.split_once("  ") else {
            continue;
        };
        let words: Vec<&str> = head.split(' ').collect();
        let _ = writeln!(
            page,
            "| {} | {} | `{}` | {reason} |",
            words[0], words[1], words[2]
        );
    }
    page.push_str("\n## Where runtimes differ\n\n| chain | accepted by | rejected by |\n|---|---|---|\n");
    let signatures = Computed::new();
    for line in include_str!("../oracle/rotation.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let vector = vector(&row);
        let (mut accepting, mut rejecting) = (Vec::new(), Vec::new());
        for profile in measured().filter(|profile| SHOWN.contains(&profile.name)) {
            match answer(profile, &vector, &signatures) {
                found if found.undecided => {}
                found if found.ok => accepting.push(profile.name),
                _ => rejecting.push(profile.name),
            }
        }
        if !accepting.is_empty() && !rejecting.is_empty() {
            let id = row["id"].as_str().unwrap().trim_start_matches("rot:");
            let what = row["description"].as_str().unwrap().replace('|', "/");
            let _ = writeln!(
                page,
                "| `{id}`: {what} | {} | {} |",
                accepting.join(", "),
                rejecting.join(", ")
            );
        }
    }
    compare("divergences.md", &page);
}

fn known(evidence: Evidence) -> String {
    match evidence {
        Evidence::Documented => "**Documented**, not measured".to_owned(),
        Evidence::Measured(on) => format!("measured on {on}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test reads and writes the page")]
fn compare(name: &str, page: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/{name} is not what the code says: UPDATE_EXPECT=1 cargo test -p trust"
    );
}

const SHOWN: [&str; 12] = [
    "openssl",
    "openssl-partial",
    "openssl-strict-partial",
    "node",
    "curl",
    "gnutls",
    "go",
    "rustls",
    "java-pkix",
    "java-sunx509",
    "nss-classic",
    "nss-pkix",
];
