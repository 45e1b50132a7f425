//! A file is one idea and a function fits on a screen.

use crate::settle;
use crate::source::Source;
use crate::source::functions;
use crate::tree;

#[test]
fn no_file_is_longer_than_800_lines() {
    settle(tree::rust().iter().flat_map(long_files).collect());
}

#[test]
fn no_function_is_longer_than_80_lines() {
    let sources = tree::rust();
    let mut complaints: Vec<String> = sources.iter().flat_map(long_functions).collect();
    for (path, name, why) in TOLERATED {
        let before = complaints.len();
        complaints.retain(|complaint| !complaint.starts_with(&format!("{path}: fn {name} ")));
        if before == complaints.len() {
            complaints.push(format!(
                "{path}: fn {name} is short enough now; take it off the tolerated list ({why})"
            ));
        }
    }
    settle(complaints);
}

#[test]
fn a_long_file_and_a_long_function_are_seen() {
    let body = "    let a = 1;\n".repeat(79);
    let source = Source::new(
        "crates/x/src/y.rs",
        &format!("fn long() {{\n{body}}}\n{}", "\n".repeat(800)),
    );
    assert_eq!(long_files(&source).len(), 1);
    assert_eq!(
        long_functions(&source),
        ["crates/x/src/y.rs: fn long at line 1 has 81 lines, more than 80"]
    );
    let short = Source::new(
        "crates/x/src/y.rs",
        &format!("fn short() {{\n{}}}\n", "    let a = 1;\n".repeat(78)),
    );
    assert_eq!(long_functions(&short), Vec::<String>::new());
}

fn long_files(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    (lines > MAX_FILE_LINES)
        .then(|| format!("{}: {lines} lines, more than {MAX_FILE_LINES}", source.path))
        .into_iter()
        .collect()
}

fn long_functions(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    functions(&source.shipped())
        .into_iter()
        .filter(|found| found.lines > MAX_FUNCTION_LINES)
        .map(|found| {
            format!(
                "{}: fn {} at line {} has {} lines, more than {MAX_FUNCTION_LINES}",
                source.path, found.name, found.line, found.lines
            )
        })
        .collect()
}

const MAX_FILE_LINES: usize = 800;
const MAX_FUNCTION_LINES: usize = 80;

/// Path, function, reason. The list only shrinks.
const TOLERATED: [(&str, &str, &str); 0] = [];
