//! What `init` writes is read by `scan`, as it stands and with every example in force.

use fleet::declare;
use fleet::file;

use super::EXAMPLE;

#[test]
fn the_written_file_is_a_fleet_of_one_host() {
    let doc = file::read(EXAMPLE).unwrap();
    assert_eq!(doc.hosts.keys().collect::<Vec<_>>(), ["this"]);
    assert!(doc.components.is_empty() && doc.rotate.is_empty());
}

#[test]
fn its_examples_mean_something_once_they_are_uncommented() {
    let text = in_force();
    let doc = file::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mistakes = declare::component("billing", &doc.components["billing"]).err();
    assert_eq!(mistakes.unwrap_or_default(), []);
    assert_eq!(doc.hosts["this"].passwords.len(), 1);
    assert_eq!(doc.components["billing"].dials.len(), 1);
    assert_eq!(doc.rotate.len(), 1);
}

/// The example without the marks in front of its tables and keys; sentences stay comments.
fn in_force() -> String {
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let key = bare.split_once('=').map_or("", |(key, _)| key.trim());
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        text.push_str(if bare.starts_with('[') || is_key {
            bare
        } else {
            line
        });
        text.push('\n');
    }
    text
}
