//! H-10: a PEM file is not read as it looks.

use keystore::Note;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-10",
    title: "a PEM file is not read as it looks",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "readers with OpenSSL stop at a PEM file that is not exactly what they expect: markers that share a line or stand behind blanks, a byte order mark, typographic dashes from a web page, EBCDIC",
    fix: "put each BEGIN and END marker at the start of a line of its own, with five hyphens, in plain ASCII; transfer from z/OS as text",
    source: "OpenSSL PEM_read_bio; RFC 7468; domain specification H-10",
    states: &[
        "no start line",
        "bad end line",
        "pem routines && bad base64",
        "pem_read_bio",
        "end of pem && expected",
        "incomplete data && pem",
    ],
    hints: &[],
    explains: &["H-02", "H-30", "H-35", "H-72", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for store in inputs
        .stores
        .iter()
        .filter(|store| store.format == "pem" && !store.is_listing)
    {
        for note in &store.notes {
            if matches!(note, Note::GluedMarkers { .. } | Note::IndentedMarker { .. }) {
                found.push(Finding::proven(
                    &RULE,
                    &store.file,
                    Evidence::file(&store.file, note.to_string()),
                ));
            }
        }
    }
    for file in &inputs.files {
        if let Some(what) = odd(&file.bytes) {
            found.push(Finding::proven(
                &RULE,
                &file.path,
                Evidence::file(&file.path, what),
            ));
        } else if let Some(store) = inputs
            .stores
            .iter()
            .find(|store| store.file == file.path && store.format == "pem")
            && let Some(error) = &store.broken
            && !super::h11::is_other(&file.bytes)
        {
            found.push(Finding::proven(
                &RULE,
                &file.path,
                Evidence::file(&file.path, error.to_string()),
            ));
        }
    }
    found
}

fn odd(bytes: &[u8]) -> Option<&'static str> {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    if bytes.starts_with(EBCDIC_BEGIN) {
        return Some("the text is EBCDIC: it was transferred as binary");
    }
    if !has(b"BEGIN ") || bytes.len() > MAX_BYTES {
        return None;
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) && has(b"-----BEGIN ") {
        return Some("a byte order mark stands before the first marker");
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Some("the text is UTF-16");
    }
    let dashes: [&[u8]; 4] = [
        "\u{2013}BEGIN ".as_bytes(),
        "\u{2014}BEGIN ".as_bytes(),
        "\u{2013}-BEGIN ".as_bytes(),
        "\u{2014}-BEGIN ".as_bytes(),
    ];
    if dashes.iter().any(|dash| has(dash)) {
        return Some("typographic dashes stand in place of five hyphens");
    }
    let certificate = has(b"-----BEGIN CERTIFICATE-----") && !has(b"-----END CERTIFICATE-----");
    certificate.then_some("a BEGIN marker has no END marker")
}

/// `-----BEGIN` in code page 1047.
const EBCDIC_BEGIN: &[u8] = &[0x60, 0x60, 0x60, 0x60, 0x60, 0xc2, 0xc5, 0xc7, 0xc9, 0xd5];
const MAX_BYTES: usize = 4 << 20;
