//! docs/rules.md is made from the rules.

use std::path::Path;

#[test]
fn the_page_of_rules_is_what_the_rules_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let mut want = String::from(
        "# Rules of `capgrow doctor`\n\nMade from the code by a test; `UPDATE_EXPECT=1 cargo test -p doctor` writes it anew. Patterns are parts of messages in lower case.\n",
    );
    for rule in doctor::RULES {
        want.push('\n');
        want.push_str(&doctor::page(rule));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        is == want,
        "docs/rules.md is not what the rules say: UPDATE_EXPECT=1 cargo test -p doctor"
    );
}

#[test]
fn rules_are_in_order_and_their_references_exist() {
    let ids: Vec<&str> = doctor::RULES.iter().map(|rule| rule.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
    assert_eq!(ids.len(), 81);
    for rule in doctor::RULES {
        for other in rule.explains {
            assert!(doctor::rule(other).is_some(), "{} explains {other}", rule.id);
            assert_ne!(*other, rule.id);
        }
        for pattern in rule.states.iter().chain(rule.hints) {
            assert_eq!(*pattern, pattern.to_lowercase(), "{}", rule.id);
        }
    }
}
