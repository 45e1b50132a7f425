//! Lines with their ends, and characters with their bytes: the ground that the line-wise syntaxes share.

use std::ops::Range;

use super::Glyph;
use super::Spot;

/// One physical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// From 1.
    pub(super) number: usize,
    /// Without byte order mark and line end.
    pub(super) content: Range<usize>,
    /// With the line end.
    pub(super) end: usize,
}

/// The lines of a file; LF and CRLF end one, and a lone CR too where the syntax says so.
pub(super) fn rows(bytes: &[u8], lone_cr: LoneCr) -> Vec<Row> {
    let mut all = Vec::new();
    let mut start = if bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut at = start;
    while at < bytes.len() {
        let after = match bytes[at] {
            b'\n' => at + 1,
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => at + 2,
            b'\r' if lone_cr == LoneCr::EndsLine => at + 1,
            _ => {
                at += 1;
                continue;
            }
        };
        all.push(Row {
            number: all.len() + 1,
            content: start..at,
            end: after,
        });
        start = after;
        at = after;
    }
    if start < bytes.len() {
        all.push(Row {
            number: all.len() + 1,
            content: start..bytes.len(),
            end: bytes.len(),
        });
    }
    all
}

/// What a carriage return without line feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoneCr {
    /// The end of a line (Java properties).
    EndsLine,
    /// A character like any other.
    Stays,
}

/// The line end that the file uses, LF where it has none.
pub(super) fn line_end(bytes: &[u8]) -> &'static [u8] {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at > 0 && bytes[at - 1] == b'\r' => b"\r\n",
        _ => b"\n",
    }
}

/// The file with one line more at `at`, the end of a line or of the file. A file without a last newline keeps to it.
pub(super) fn with_line(bytes: &[u8], at: usize, line: &[u8]) -> Vec<u8> {
    let eol = line_end(bytes);
    let unfinished = at > 0 && at == bytes.len() && bytes[at - 1] != b'\n';
    let fresh = bytes.is_empty() || bytes == BYTE_ORDER_MARK;
    let mut new = Vec::new();
    if unfinished && !fresh {
        new.extend_from_slice(eol);
    }
    new.extend_from_slice(line);
    if !unfinished || fresh {
        new.extend_from_slice(eol);
    }
    super::splice(bytes, vec![(at..at, new)])
}

/// Blanks at both ends taken off a range.
pub(super) fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    let part = &bytes[range.clone()];
    let front = part.iter().take_while(|byte| blank(byte)).count();
    let back = part[front..].iter().rev().take_while(|byte| blank(byte)).count();
    range.start + front..range.end - back
}

/// How a line-wise file says characters beyond ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// One byte each, as ISO-8859-1 reads them.
    Latin1,
    /// UTF-8.
    Utf8,
}

impl Charset {
    /// UTF-8 where the whole file is, else one byte a character.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if std::str::from_utf8(bytes).is_ok() {
            Charset::Utf8
        } else {
            Charset::Latin1
        }
    }

    /// The characters of a range.
    pub(super) fn glyphs(self, bytes: &[u8], range: Range<usize>) -> Vec<Glyph> {
        let part = &bytes[range.clone()];
        match (self, std::str::from_utf8(part)) {
            (Charset::Utf8, Ok(text)) => text
                .char_indices()
                .map(|(at, letter)| {
                    let from = range.start + at;
                    Glyph {
                        letter,
                        at: from..from + letter.len_utf8(),
                    }
                })
                .collect(),
            _ => part
                .iter()
                .enumerate()
                .map(|(at, byte)| Glyph {
                    letter: char::from(*byte),
                    at: range.start + at..range.start + at + 1,
                })
                .collect(),
        }
    }

    pub(super) fn text(self, bytes: &[u8], range: Range<usize>) -> String {
        self.glyphs(bytes, range)
            .into_iter()
            .map(|glyph| glyph.letter)
            .collect()
    }

    /// The bytes of `text`, or why there are none.
    pub(super) fn bytes(self, text: &str) -> Result<Vec<u8>, &'static str> {
        if text.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err("it holds a control character");
        }
        match self {
            Charset::Utf8 => Ok(text.as_bytes().to_vec()),
            Charset::Latin1 => text
                .chars()
                .map(|letter| {
                    u8::try_from(u32::from(letter))
                        .map_err(|_| "the file's character set has no such character")
                })
                .collect(),
        }
    }
}

/// A value at the start of `range` that stands in quotes: the spot lies between them. An opening quote without a
/// closing one is part of the value.
pub(super) fn quoted(
    bytes: &[u8],
    range: Range<usize>,
    quotes: &[u8],
    line: usize,
    charset: Charset,
) -> Option<Spot> {
    let quote = *bytes.get(range.start).filter(|_| !range.is_empty())?;
    if !quotes.contains(&quote) {
        return None;
    }
    let inner = range.start + 1;
    let end = inner + bytes[inner..range.end].iter().position(|byte| *byte == quote)?;
    Some(Spot {
        line,
        span: inner..end,
        glyphs: charset.glyphs(bytes, inner..end),
        quote: Some(quote),
    })
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
