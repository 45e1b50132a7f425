//! Words that never belong into a finished tree.

use crate::settle;
use crate::source::Source;
use crate::source::words;
use crate::tree;

#[test]
fn no_test_is_switched_off_and_nothing_is_left_undone() {
    settle(tree::rust().iter().flat_map(unfinished).collect());
}

#[test]
fn errors_print_their_own_words_only_and_have_no_catch_all() {
    settle(tree::rust().iter().flat_map(vague_errors).collect());
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    settle(
        tree::texts()
            .iter()
            .flat_map(|(path, text)| machine_paths(path, text))
            .collect(),
    );
}

#[test]
fn each_of_these_words_is_seen() {
    let text =
        "// TODO later\n// TODO(#12): a note\n#[ignore]\nfn a() { todo!() }\nfn b() { unimplemented!() }\n";
    assert_eq!(unfinished(&Source::new("x.rs", text)).len(), 4);
    let text = "enum XError {\n#[error(\"cannot read: {source}\")]\nIo,\nOther( String ),\n}\n\
        pub fn f(a: fn() -> u8) -> Result<(u8, u8), String> {}\nfn g() -> Result<(), String> {}\n\
        enum Part { Other(String) }\npub fn h() -> Result<String, XError> {}\n";
    assert_eq!(vague_errors(&Source::new("crates/x/src/x.rs", text)).len(), 3);
    let place = places().remove(0);
    assert_eq!(machine_paths("x.md", &format!("see {place}/x")).len(), 1);
    assert_eq!(machine_paths("x.md", "see /opt/IBM/TWA and /tmp/run").len(), 0);
}

fn unfinished(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (word, after) in [("ignore", ""), ("todo", "!"), ("unimplemented", "!")] {
        for at in words(&source.code, word) {
            let is_attribute = source.code[..at].trim_end().ends_with("#[");
            if (after.is_empty() && is_attribute)
                || (!after.is_empty() && source.code[at + word.len()..].starts_with(after))
            {
                complaints.push(format!("{}:{}: {word}{after}", source.path, source.line(at)));
            }
        }
    }
    for word in ["TODO", "FIXME", "XXX"] {
        for at in words(&source.comments, word) {
            if word != "TODO" || !source.comments[at + word.len()..].starts_with("(#") {
                complaints.push(format!(
                    "{}:{}: {word} in a comment",
                    source.path,
                    source.line(at)
                ));
            }
        }
    }
    complaints
}

/// `cli::report` walks the chain of sources once, so no error may print its source itself; and a caller can do nothing
/// with a string.
fn vague_errors(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let code = source.shipped();
    let mut complaints = Vec::new();
    for at in words(&code, "error") {
        if !code[..at].ends_with("#[") {
            continue;
        }
        let end = source.text[at..]
            .find(")]")
            .map_or(source.text.len(), |end| at + end);
        if ["{source}", "{source:"]
            .iter()
            .any(|word| source.strings[at..end].contains(word))
        {
            complaints.push(format!(
                "{}:{}: an error that prints its source",
                source.path,
                source.line(at)
            ));
        }
    }
    for at in words(&code, "Other")
        .into_iter()
        .filter(|at| dense(&code[*at..]).starts_with("Other(String)"))
    {
        if is_in_error(&code, at) {
            complaints.push(format!("{}:{}: Other(String)", source.path, source.line(at)));
        }
    }
    for at in words(&code, "pub") {
        let end = code[at..].find(['{', ';']).map_or(code.len(), |end| at + end);
        let signature = dense(&code[at..end]);
        let result = signature
            .rsplit_once("->")
            .map(|(_, result)| result)
            .unwrap_or_default();
        if signature.starts_with("pubfn") && is_string_error(result) {
            complaints.push(format!(
                "{}:{}: a pub fn whose error is a String",
                source.path,
                source.line(at)
            ));
        }
    }
    complaints
}

fn dense(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether the enum around `at` is an error, by its name or what it derives.
fn is_in_error(code: &str, at: usize) -> bool {
    let Some(open) = words(&code[..at], "enum").pop() else {
        return true;
    };
    let head = code[..open].rfind(['}', ';']).map_or(0, |end| end + 1);
    let name_end = code[open..].find('{').map_or(at, |end| open + end);
    code[head..name_end].contains("Error")
}

/// Whether `Result<…, String>` begins here.
fn is_string_error(text: &str) -> bool {
    if !text.starts_with("Result<") {
        return false;
    }
    let mut depth = 0_i32;
    let mut last_comma = 0;
    for (at, c) in text.char_indices().skip("Result".len()) {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if text[..at].ends_with('-') => {}
            '>' | ')' | ']' => {
                depth -= 1;
                if depth <= 0 {
                    return last_comma > 0 && text[last_comma + 1..at].trim_end_matches(',') == "String";
                }
            }
            ',' if depth == 1 => last_comma = at,
            _ => {}
        }
    }
    false
}

fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let places = places();
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for place in places.iter().filter(|place| line.contains(place.as_str())) {
            complaints.push(format!("{path}:{}: {place}", number + 1));
        }
    }
    complaints
}

/// Built from parts, so that this file does not complain about itself.
fn places() -> Vec<String> {
    [
        ["/wo", "rk/"],
        ["/fa", "rm/"],
        ["/ro", "ot/."],
        ["/tmp/", "bash_"],
        ["/tmp/", "brief"],
        ["/tmp/", "t-"],
    ]
    .iter()
    .map(|parts| parts.concat())
    .collect()
}
