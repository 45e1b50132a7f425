//! Checker and planner share types and no logic (invariant 4).

use crate::settle;
use crate::source::Source;
use crate::source::words;
use crate::tree;

#[test]
fn the_planner_takes_types_of_the_kernel_and_none_of_its_functions() {
    let sources = of_crate("planner");
    assert!(sources.len() > 5, "{} files", sources.len());
    settle(
        sources
            .iter()
            .flat_map(|source| borrowed(source, "plan"))
            .collect(),
    );
}

#[test]
fn the_kernel_takes_nothing_of_the_planner() {
    let sources = of_crate("plan");
    let checks = |source: &&Source| source.path.ends_with("check.rs") || source.path.ends_with("bound.rs");
    assert_eq!(sources.iter().filter(checks).count(), 2);
    settle(
        sources
            .iter()
            .filter(|source| !words(&source.shipped(), "planner").is_empty())
            .map(|source| format!("{}: names the planner", source.path))
            .collect(),
    );
}

#[test]
fn a_checked_plan_is_made_in_one_place() {
    let made: Vec<String> = tree::rust()
        .into_iter()
        .filter(|source| !source.is_test() && source.shipped().contains("CheckedPlan {"))
        .map(|source| source.path)
        .collect();
    assert_eq!(made, ["crates/plan/src/check.rs"]);
}

#[test]
fn a_borrowed_function_is_seen() {
    let text = "use plan::Model;\nuse plan::check;\nuse plan::{Event, lower};\nuse plan::*;\n\
        fn f(m: &plan::Goal) { plan::check(m); my_plan::check(); }\n";
    let complaints = borrowed(&Source::new("planner/src/x.rs", text), "plan");
    assert_eq!(
        complaints,
        [
            "planner/src/x.rs: takes plan::check",
            "planner/src/x.rs: takes plan::{Event, lower}",
            "planner/src/x.rs: takes plan::*",
            "planner/src/x.rs: takes plan::check"
        ]
    );
}

fn of_crate(name: &str) -> Vec<Source> {
    let place = format!("crates/{name}/src/");
    tree::rust()
        .into_iter()
        .filter(|source| source.path.starts_with(&place) && !source.is_test())
        .collect()
}

/// What a file names of a crate that is no type: types begin with a capital.
fn borrowed(source: &Source, from: &str) -> Vec<String> {
    let code = source.shipped();
    let mut complaints = Vec::new();
    for at in words(&code, from) {
        let Some(rest) = code[at + from.len()..].strip_prefix("::") else {
            continue;
        };
        let end = if rest.starts_with('{') {
            rest.find('}').map_or(rest.len(), |end| end + 1)
        } else {
            rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '*')
                .unwrap_or(rest.len())
        };
        let named = &rest[..end];
        let items = named.trim_matches(['{', '}']).split(',').map(str::trim);
        if items
            .filter(|item| !item.is_empty())
            .any(|item| !item.starts_with(char::is_uppercase))
        {
            complaints.push(format!("{}: takes {from}::{named}", source.path));
        }
    }
    complaints
}
