//! Cuts a PEM file into blocks and the text between them, so that joining the pieces gives the file again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::ParseError;
use crate::sniff::Format;
use crate::store::Note;

/// One block and the text in front of it.
#[derive(Clone)]
pub(super) struct Block {
    /// The text since the block before, or since the start of the file.
    pub(super) lead: Vec<u8>,
    /// From `-----BEGIN` to the end of the END line, line end included where there is one.
    pub(super) raw: Zeroizing<Vec<u8>>,
    /// Where `raw` starts in the file it was read from; 0 for a block that was made here.
    pub(super) offset: usize,
    /// What stands behind BEGIN.
    pub(super) label: String,
    /// `Proc-Type`, `DEK-Info` and the like.
    pub(super) headers: Vec<(String, String)>,
    /// The decoded body.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// A file in pieces.
#[derive(Clone)]
pub(super) struct Pieces {
    pub(super) blocks: Vec<Block>,
    /// The text behind the last block.
    pub(super) tail: Vec<u8>,
    /// The line end of the first line that has one.
    pub(super) newline: &'static str,
    pub(super) notes: Vec<Note>,
}

impl Block {
    /// A new block in the form that OpenSSL writes: 64 characters a line.
    pub(super) fn new(label: &str, der: &[u8], newline: &str) -> Self {
        Self::with_headers(label, &[], der, newline)
    }

    /// The same with header lines in front of the content.
    pub(super) fn with_headers(label: &str, headers: &[(&str, &str)], der: &[u8], newline: &str) -> Self {
        let mut raw = Zeroizing::new(format!("-----BEGIN {label}-----{newline}").into_bytes());
        for (name, value) in headers {
            raw.extend_from_slice(format!("{name}: {value}{newline}").as_bytes());
        }
        if !headers.is_empty() {
            raw.extend_from_slice(newline.as_bytes());
        }
        let body = Zeroizing::new(STANDARD.encode(der));
        for line in body.as_bytes().chunks(64) {
            raw.extend_from_slice(line);
            raw.extend_from_slice(newline.as_bytes());
        }
        raw.extend_from_slice(format!("-----END {label}-----{newline}").as_bytes());
        let (label, der) = (label.to_owned(), Zeroizing::new(der.to_vec()));
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            lead: Vec::new(),
            raw,
            offset: 0,
            label,
            headers: headers.iter().map(owned).collect(),
            der,
        }
    }

    /// The value of a header line inside the block.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The `localKeyID` of the Bag Attributes in front, as it is written there.
    pub(super) fn local_key_id(&self) -> Option<String> {
        let own = String::from_utf8_lossy(&self.lead[own_text(&self.lead)..]).into_owned();
        let line = own
            .lines()
            .map(str::trim)
            .find_map(|line| line.strip_prefix("localKeyID:"))?;
        Some(line.trim().to_owned())
    }
}

/// Cuts `bytes`. Every byte is in exactly one piece.
///
/// # Errors
/// `Malformed` with the offset of the marker or block that cannot be read.
pub(super) fn cut(bytes: &[u8]) -> Result<Pieces, ParseError> {
    let mut pieces = Pieces {
        blocks: Vec::new(),
        tail: Vec::new(),
        newline: "\n",
        notes: Vec::new(),
    };
    if line_at(bytes, 0).ends_with(b"\r\n") {
        pieces.newline = "\r\n";
    }
    let (mut at, mut lead_start) = (0, 0);
    while at < bytes.len() {
        let line = line_at(bytes, at);
        match marker(line, at)? {
            None => at += line.len(),
            Some(Marker { kind: Kind::End, .. }) => {
                return Err(malformed(at, "END line without a BEGIN line"));
            }
            Some(Marker {
                kind: Kind::Begin,
                label,
                indent,
                length,
            }) => {
                let start = at + indent;
                if bytes[at..start].iter().any(u8::is_ascii_whitespace) {
                    pieces.notes.push(Note::IndentedMarker { offset: start });
                }
                if !is_blank(&line[indent + length..]) {
                    return Err(malformed(start, "BEGIN marker does not stand alone on its line"));
                }
                let end = body_end(bytes, at + line.len(), start, &label)?;
                let (headers, der) = decode(&bytes[at + line.len()..end.body], start)?;
                if end.is_glued {
                    pieces.notes.push(Note::GluedMarkers { offset: end.block });
                }
                pieces.blocks.push(Block {
                    lead: bytes[lead_start..start].to_vec(),
                    raw: Zeroizing::new(bytes[start..end.block].to_vec()),
                    offset: start,
                    label,
                    headers,
                    der,
                });
                at = end.block;
                lead_start = at;
            }
        }
    }
    pieces.tail = bytes[lead_start..].to_vec();
    Ok(pieces)
}

/// Whether a file without a single sound marker has one with typographic dashes: it is read as PEM to say so.
///
/// Cost: one look at each byte; scans of whole hosts ask it of every file that is nothing else.
pub(crate) fn has_typographic_markers(bytes: &[u8]) -> bool {
    let is_begin = |at: &usize| bytes[*at] == b'B' && bytes[*at..].starts_with(b"BEGIN ");
    let mut begins = (1..bytes.len())
        .filter(is_begin)
        .filter(|at| !bytes[at - 1].is_ascii());
    begins.any(|at| {
        let start = bytes[..at]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let found = marker(line_at(bytes, start), start);
        matches!(
            found,
            Err(ParseError::Malformed {
                what: TYPOGRAPHIC,
                ..
            })
        )
    })
}

/// Where the text that belongs to the following block starts: its Bag Attributes, as `openssl pkcs12` writes them.
/// The end of `lead` when there is none, or when other text stands between them and the block.
pub(super) fn own_text(lead: &[u8]) -> usize {
    let mut start = lead.len();
    let mut at = 0;
    while at < lead.len() {
        let line = line_at(lead, at);
        let text = trimmed(line);
        if text.starts_with(b"Bag Attributes") {
            start = at;
        } else if start < at && !belongs_to_bag(line, text) {
            start = lead.len();
        }
        at += line.len();
    }
    start
}

fn belongs_to_bag(line: &[u8], text: &[u8]) -> bool {
    let indented = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    indented || OWN_LINES.iter().any(|start| text.starts_with(start))
}

struct BodyEnd {
    /// Where the END marker's line starts.
    body: usize,
    /// Behind the END line, or behind the END marker when BEGIN follows it directly.
    block: usize,
    is_glued: bool,
}

fn body_end(bytes: &[u8], mut at: usize, start: usize, label: &str) -> Result<BodyEnd, ParseError> {
    while at < bytes.len() {
        let line = line_at(bytes, at);
        match marker(line, at)? {
            None => at += line.len(),
            Some(Marker {
                kind: Kind::Begin, ..
            }) => break,
            Some(Marker {
                kind: Kind::End,
                label: found,
                indent,
                length,
            }) => {
                if found != label {
                    return Err(malformed(at, "END line names another block than its BEGIN line"));
                }
                let rest = &line[indent + length..];
                let is_glued = rest.starts_with(BEGIN);
                if !is_glued && !is_blank(rest) {
                    return Err(malformed(at, "END marker does not stand alone on its line"));
                }
                let block = if is_glued {
                    at + indent + length
                } else {
                    at + line.len()
                };
                return Ok(BodyEnd {
                    body: at,
                    block,
                    is_glued,
                });
            }
        }
    }
    Err(malformed(start, "block without an END line"))
}

enum Kind {
    Begin,
    End,
}

/// A marker at the start of a line.
struct Marker {
    kind: Kind,
    label: String,
    /// Bytes in front of it: blanks, or a byte order mark.
    indent: usize,
    length: usize,
}

/// The marker that a line starts with.
///
/// # Errors
/// `Malformed` for a line that is meant as a marker and is none: typographic dashes, too few or too many of them, or a
/// marker behind other text.
fn marker(line: &[u8], offset: usize) -> Result<Option<Marker>, ParseError> {
    let bom = if offset == 0 && line.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let indent = bom
        + line[bom..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
    let text = &line[indent..];
    for (start, kind) in [(BEGIN, Kind::Begin), (END, Kind::End)] {
        let Some(rest) = text.strip_prefix(start) else {
            continue;
        };
        let Some(end) = rest.windows(5).position(|window| window == b"-----") else {
            return Err(malformed(offset, dashes_fault(rest)));
        };
        let label = String::from_utf8_lossy(&rest[..end]).into_owned();
        return Ok(Some(Marker {
            kind,
            label,
            indent,
            length: start.len() + end + 5,
        }));
    }
    if contains(text, BEGIN) && !text.starts_with(b"#") {
        return Err(malformed(offset, "BEGIN marker does not stand alone on its line"));
    }
    let word = [b"BEGIN ".as_slice(), b"END "]
        .into_iter()
        .find_map(|word| find(text, word));
    match word {
        Some(word) if word > 0 && is_only_dashes(&text[..word]) => {
            Err(malformed(offset, dashes_fault(&text[..word])))
        }
        _ => Ok(None),
    }
}

fn dashes_fault(text: &[u8]) -> &'static str {
    let typographic = text.iter().any(|byte| !byte.is_ascii());
    if typographic {
        TYPOGRAPHIC
    } else {
        "BEGIN or END marker without five hyphens on each side"
    }
}

/// Hyphens, or the dashes that word processors make of them (in UTF-8 or Windows-1252), and nothing else.
fn is_only_dashes(text: &[u8]) -> bool {
    match std::str::from_utf8(text) {
        Ok(text) => text
            .chars()
            .all(|character| character == '-' || DASHES.contains(&character)),
        Err(_) => text.iter().all(|byte| matches!(byte, b'-' | 0x96 | 0x97)),
    }
}

type Body = (Vec<(String, String)>, Zeroizing<Vec<u8>>);

/// Headers and decoded content of a body.
fn decode(body: &[u8], offset: usize) -> Result<Body, ParseError> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    if contains(line_at(body, 0), b":") {
        while at < body.len() {
            let line = line_at(body, at);
            at += line.len();
            let text = String::from_utf8_lossy(trimmed(line)).into_owned();
            if text.is_empty() {
                break;
            }
            match text.split_once(':') {
                Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => match headers.last_mut() {
                    Some((_, value)) => value.push_str(&text),
                    None => return Err(malformed(offset, "header lines cannot be read")),
                },
            }
        }
    }
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    text.extend(body[at..].iter().filter(|byte| !byte.is_ascii_whitespace()));
    let der = STANDARD
        .decode(text.as_slice())
        .map_err(|_| malformed(offset, "block is not sound base64"))?;
    if der.is_empty() {
        return Err(malformed(offset, "block is empty"));
    }
    Ok((headers, Zeroizing::new(der)))
}

fn malformed(offset: usize, what: &'static str) -> ParseError {
    ParseError::Malformed {
        format: Format::Pem,
        offset,
        alias: None,
        what,
    }
}

/// The line that starts at `at`, its end included.
fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = &bytes[at..];
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(rest.len(), |end| end + 1);
    &rest[..end]
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    find(text, wanted).is_some()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
/// UTF-8's; some editors of Windows write it in front of everything.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const OWN_LINES: [&[u8]; 3] = [b"Key Attributes", b"subject=", b"issuer="];
/// Hyphen, non-breaking hyphen, figure dash, en dash, em dash, horizontal bar, minus.
const DASHES: [char; 7] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}',
];
const TYPOGRAPHIC: &str =
    "typographic dashes in a BEGIN or END marker (from a web page or a word processor): write five hyphens";
