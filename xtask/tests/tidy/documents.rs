//! What the documents promise is there.

use std::path::Path;

use crate::settle;
use crate::source::Source;
use crate::source::functions;
use crate::tree;

#[test]
fn the_changelog_has_the_shape_that_readers_expect() {
    settle(misshapen(&tree::read("CHANGELOG.md")));
}

#[test]
fn every_numbered_invariant_names_a_test_that_exists() {
    let text = tree::read("ARCHITECTURE.md");
    settle(unproven(&text, |path| {
        std::fs::read_to_string(tree::root().join(path)).ok()
    }));
}

#[test]
fn the_readme_has_its_two_commands_and_the_gate_runs_both() {
    let (readme, gate) = (tree::read("README.md"), tree::read(".ci/run"));
    settle(
        COMMANDS
            .iter()
            .flat_map(|command| missing_command(command, &readme, &gate))
            .collect(),
    );
}

#[test]
fn the_example_fleet_of_the_readme_is_toml_of_about_ten_lines() {
    let readme = tree::read("README.md");
    let example = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    let fleet: toml::Table = example
        .parse()
        .unwrap_or_else(|error| panic!("README.md: {error}"));
    assert!(
        fleet.contains_key("components") && fleet.contains_key("rotate"),
        "{fleet:?}"
    );
    assert!(example.lines().count() <= 12, "{} lines", example.lines().count());
}

#[test]
fn the_gate_is_executable_and_ends_with_its_count() {
    let gate = tree::read(".ci/run");
    assert!(gate.starts_with("#!/usr/bin/env bash\n"));
    assert!(gate.contains("%d passed, %d failed"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [".ci/run", ".ci/nightly"] {
            let mode = std::fs::metadata(tree::root().join(path))
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o111, 0o111, "{path} has mode {mode:o}");
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut complaints = Vec::new();
    for (path, text) in tree::texts()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".md"))
    {
        let folder = Path::new(&path).parent().unwrap_or(Path::new("")).to_path_buf();
        complaints.extend(
            links(&text)
                .into_iter()
                .filter(|link| !tree::root().join(&folder).join(link).exists())
                .map(|link| format!("{path}: the link {link} leads nowhere")),
        );
    }
    settle(complaints);
}

#[test]
fn the_glossary_has_every_noun_of_the_style_once_and_in_order() {
    let terms = glossary(&tree::read("docs/glossary.md"));
    let mut sorted = terms.clone();
    sorted.sort_by_key(|term| term.to_lowercase());
    sorted.dedup();
    assert_eq!(terms, sorted, "alphabetical, each once");
    let missing = NOUNS
        .iter()
        .filter(|noun| !terms.iter().any(|term| term == *noun));
    settle(
        missing
            .map(|noun| format!("docs/glossary.md: no {noun}"))
            .collect(),
    );
}

#[test]
fn broken_promises_are_seen() {
    let good = "# Changelog\n\nWords.\n\n## [Unreleased]\n\n### Added\n\n- a thing\n  that goes on\n";
    assert_eq!(misshapen(good), Vec::<String>::new());
    for bad in [
        "# Changes\n\n## [Unreleased]\n",
        "# Changelog\n\n## [1.0.0] - 2026-01-01\n\n### Added\n\n- a\n",
        "# Changelog\n\n## [Unreleased]\n\n### News\n\n- a\n",
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n### Fixed\n\n- a\n",
        "# Changelog\n\n## [Unreleased]\n\n## [1.0] - today\n",
        "# Changelog\n\n## [Unreleased]\n\n## [Unreleased]\n",
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\nprose\n",
    ] {
        assert!(!misshapen(bad).is_empty(), "{bad}");
    }
    let invariants = |items: &str| {
        format!(
            "## Invariants\n\n{items}\n### Not yet\n\n{}",
            "- later\n".repeat(11)
        )
    };
    let file = |path: &str| (path == "a.rs").then(|| "#[test]\nfn holds() {}\nfn plain() {}\n".to_owned());
    assert_eq!(
        unproven(&invariants("1. Yes. Test: `a.rs::holds`\n"), file),
        Vec::<String>::new()
    );
    for bad in [
        "1. No test.\n",
        "1. Test: `a.rs::plain`\n",
        "1. Test: `a.rs::gone`\n",
        "1. Test: `b.rs::holds`\n",
    ] {
        assert_eq!(unproven(&invariants(bad), file).len(), 1, "{bad}");
    }
    assert_eq!(
        unproven(&invariants(""), file),
        ["ARCHITECTURE.md: 11 invariants, 12 are agreed"]
    );
    assert_eq!(missing_command("cargo x", "none", "none").len(), 2);
    assert_eq!(links("[a](b.md#c) [d](https://e) `[f](g)` [h](#i)"), ["b.md"]);
}

/// Keep-a-Changelog: `Unreleased` first and once, then versions with their dates; known groups; bullets below them.
fn misshapen(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if text.lines().next() != Some("# Changelog") {
        complaints.push("the first line is not \"# Changelog\"".to_owned());
    }
    let (mut releases, mut group, mut bullets) = (0, None, 1);
    for line in text.lines().chain(std::iter::once("## [0.0.0] - 0000-00-00")) {
        if line.starts_with("## ") || line.starts_with("### ") {
            if bullets == 0 {
                complaints.push(format!("{}: nothing below it", group.unwrap_or_default()));
            }
            bullets = 1;
        }
        if let Some(release) = line.strip_prefix("## ") {
            if (releases == 0) != (release == "[Unreleased]") || (releases > 0 && !is_release(release)) {
                complaints.push(format!("unexpected release {release:?}"));
            }
            (releases, group) = (releases + 1, None);
        } else if let Some(name) = line.strip_prefix("### ") {
            if !GROUPS.contains(&name) {
                complaints.push(format!("unknown group {name:?}"));
            }
            (group, bullets) = (Some(name), 0);
        } else if line.starts_with("- ") {
            bullets += 1;
        } else if group.is_some() && !line.is_empty() && !line.starts_with("  ") && !line.starts_with('[') {
            complaints.push(format!("not a bullet: {line:?}"));
        }
    }
    complaints
}

/// `[1.2.3] - 2026-01-31`
fn is_release(text: &str) -> bool {
    let Some((version, date)) = text.split_once("] - ") else {
        return false;
    };
    let numbers = |text: &str, sign: char, count: usize| {
        text.split(sign).count() == count && text.split(sign).all(|part| part.parse::<u32>().is_ok())
    };
    version
        .strip_prefix('[')
        .is_some_and(|version| numbers(version, '.', 3))
        && numbers(date, '-', 3)
        && date.len() == 10
}

/// Complaints about the numbered items of `## Invariants`; `open` gives the text of a file of the workspace.
fn unproven(text: &str, open: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let section = text.split("## Invariants\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let (proved, later) = section.split_once("### Not yet").unwrap_or((section, ""));
    let mut items: Vec<(u32, String)> = Vec::new();
    for line in proved.lines() {
        let number = line.split_once(". ").and_then(|(number, _)| number.parse().ok());
        match (number, items.last_mut()) {
            (Some(number), _) => items.push((number, line.to_owned())),
            (None, Some(last)) => last.1.push_str(line),
            (None, None) => {}
        }
    }
    let mut complaints = Vec::new();
    for (number, item) in &items {
        let tests: Vec<&str> = item
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.contains(".rs::"))
            .collect();
        if tests.is_empty() {
            complaints.push(format!("ARCHITECTURE.md: invariant {number} names no test"));
        }
        for test in tests {
            let (path, name) = test.split_once("::").expect("it has one");
            let is_there = open(path).is_some_and(|text| {
                functions(&Source::new(path, &text).code)
                    .iter()
                    .any(|found| found.is_test && found.name == name)
            });
            if !is_there {
                complaints.push(format!(
                    "ARCHITECTURE.md: invariant {number}: there is no test {test}"
                ));
            }
        }
    }
    let count = items.len() + later.lines().filter(|line| line.starts_with("- ")).count();
    if count != 12 {
        complaints.push(format!("ARCHITECTURE.md: {count} invariants, 12 are agreed"));
    }
    if items.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        complaints.push("ARCHITECTURE.md: invariants are not in order".to_owned());
    }
    complaints
}

/// The command stands on a line of its own in the README; the gate runs it, there with `--locked` if it has none.
fn missing_command(command: &str, readme: &str, gate: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if !readme
        .lines()
        .any(|line| line.trim_start_matches("$ ") == command)
    {
        complaints.push(format!("README.md: no line {command:?}"));
    }
    let locked = command.replace(" -- ", " --locked -- ");
    if !gate
        .lines()
        .any(|line| line.contains(command) || line.contains(&locked))
    {
        complaints.push(format!(".ci/run: does not run {command:?}"));
    }
    complaints
}

/// Targets of Markdown links that are files; code spans are left out.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split('`').step_by(2).collect();
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://") && !link.starts_with('#') && !link.starts_with("mailto:"))
        .filter_map(|link| link.split('#').next())
        .map(str::to_owned)
        .collect()
}

/// The terms of the glossary: `- **Term**: …`.
fn glossary(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("- **"))
        .filter_map(|line| line.split("**").next())
        .map(str::to_owned)
        .collect()
}

const COMMANDS: [&str; 2] = ["cargo run --release -- demo", "cargo test --workspace --locked"];

const GROUPS: [&str; 6] = ["Added", "Changed", "Deprecated", "Fixed", "Removed", "Security"];

const NOUNS: [&str; 18] = [
    "Blocked",
    "Drift",
    "Edge",
    "Entry",
    "Finding",
    "Goal",
    "Plan",
    "Profile",
    "Record",
    "Reject",
    "Rule",
    "Run",
    "Snapshot",
    "Step",
    "Store",
    "Verdict",
    "Violation",
    "Wave",
];
