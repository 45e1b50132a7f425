//! A type that holds bytes to be wiped neither prints nor serialises them (invariant 11).

use crate::settle;
use crate::source::Source;
use crate::source::words;
use crate::tree;

#[test]
fn types_that_hold_secrets_do_not_print_or_serialise() {
    let sources: Vec<Source> = tree::rust()
        .into_iter()
        .filter(|source| !source.is_test())
        .collect();
    let names: Vec<String> = sources
        .iter()
        .flat_map(|source| holders(&source.code))
        .map(|held| held.name)
        .collect();
    for name in ["Password", "PrivateKey"] {
        assert!(
            names.iter().any(|found| found == name),
            "{name} holds no bytes that are wiped"
        );
    }
    settle(
        sources
            .iter()
            .flat_map(|source| talkative(source, &names))
            .collect(),
    );
}

#[test]
fn a_talkative_secret_is_seen() {
    let text = "#[derive(Clone, Debug)]\npub struct Key { bytes: Zeroizing<Vec<u8>> }\n\
        struct Pin(Zeroizing<String>);\nimpl fmt::Display for Pin {}\n\
        impl fmt::Debug for Quiet {}\nstruct Quiet(Zeroizing<String>);\n#[derive(Debug)]\nstruct Open(Vec<u8>);\n";
    let source = Source::new("x.rs", text);
    let names: Vec<String> = holders(&source.code).into_iter().map(|held| held.name).collect();
    assert_eq!(names, ["Key", "Pin", "Quiet"]);
    assert_eq!(
        talkative(&source, &names),
        [
            "x.rs: Key holds a secret and derives Debug",
            "x.rs: Pin holds a secret and has Display"
        ]
    );
}

struct Holder {
    name: String,
    /// The attributes before it.
    head: String,
}

/// The types with a field that is wiped.
fn holders(code: &str) -> Vec<Holder> {
    let mut found = Vec::new();
    let starts = ["struct", "enum"]
        .into_iter()
        .flat_map(|keyword| words(code, keyword).into_iter().map(move |at| (at, keyword)));
    for (at, keyword) in starts {
        let rest = &code[at + keyword.len()..];
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let end = match (rest.find(';'), rest.find('{')) {
            (Some(end), open) if open.is_none_or(|open| end < open) => end,
            (_, Some(_)) => rest.find("\n}").or_else(|| rest.find('}')).unwrap_or(rest.len()),
            _ => rest.len(),
        };
        if !words(&rest[..end], "Zeroizing").is_empty() {
            let begin = code[..at].rfind(['}', ';']).map_or(0, |end| end + 1);
            found.push(Holder {
                name,
                head: code[begin..at].to_owned(),
            });
        }
    }
    found
}

fn talkative(source: &Source, names: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for held in holders(&source.code) {
        for word in ["Debug", "Display", "Serialize"] {
            if !words(&held.head, word).is_empty() {
                complaints.push(format!(
                    "{}: {} holds a secret and derives {word}",
                    source.path, held.name
                ));
            }
        }
    }
    for name in names {
        for word in ["Display", "Serialize"] {
            if !words(&source.code, &format!("{word} for {name}")).is_empty() {
                complaints.push(format!("{}: {name} holds a secret and has {word}", source.path));
            }
        }
    }
    complaints
}
