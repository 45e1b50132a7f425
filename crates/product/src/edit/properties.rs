//! Java properties. Source: `java.util.Properties.load`, OpenJDK 21; bytes are ISO-8859-1 there.

use std::ops::Range;

use super::Dialect;
use super::EditError;
use super::Glyph;
use super::Spot;
use super::lines::LoneCr;
use super::lines::Row;
use super::lines::rows;
use super::lines::with_line;

pub(super) struct Properties;

impl Dialect for Properties {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        if key.is_empty() {
            return Err(EditError::BadKey {
                key: key.to_owned(),
                what: "it is empty",
            });
        }
        Ok(pairs(bytes)?
            .into_iter()
            .filter(|pair| pair.key == key)
            .map(|pair| pair.spot)
            .collect())
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        pairs(bytes)
            .unwrap_or_default()
            .into_iter()
            .map(|pair| (pair.key, pair.spot.line))
            .collect()
    }

    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        spot: &Spot,
        range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        let at_start = range.start == spot.span.start;
        let mut out = Vec::new();
        // A key alone on its line has no separator yet.
        if spot.span.is_empty() && !separated(bytes, spot) {
            out.push(b'=');
        }
        out.extend(escaped(text, at_start, b""));
        Ok(out)
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, _occurs: usize) -> Result<Vec<u8>, EditError> {
        let mut line = escaped(key, true, b"=: #!");
        line.push(b'=');
        line.extend(escaped(value, true, b""));
        Ok(with_line(bytes, bytes.len(), &line))
    }
}

/// All pairs in file order; none where the file is no properties file.
pub(crate) fn all(bytes: &[u8]) -> Vec<(String, String)> {
    pairs(bytes)
        .unwrap_or_default()
        .into_iter()
        .map(|pair| (pair.key, pair.spot.text()))
        .collect()
}

struct Pair {
    key: String,
    spot: Spot,
}

/// One logical line: its characters without continuations.
fn pairs(bytes: &[u8]) -> Result<Vec<Pair>, EditError> {
    let rows = rows(bytes, LoneCr::EndsLine);
    let mut pairs = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let first = at;
        let (letters, next) = logical(bytes, &rows, at);
        at = next;
        let end = rows[at - 1].content.end;
        if let Some(pair) = pair(bytes, &letters, rows[first].number, end)? {
            pairs.push(pair);
        }
    }
    Ok(pairs)
}

/// The bytes of the logical line that begins at row `first` (positions only), and the row after it.
fn logical(bytes: &[u8], rows: &[Row], first: usize) -> (Vec<usize>, usize) {
    let mut letters: Vec<usize> = Vec::new();
    let mut at = first;
    loop {
        let content = &rows[at].content;
        let skip = bytes[content.clone()]
            .iter()
            .take_while(|byte| is_blank(**byte))
            .count();
        let body = content.start + skip..content.end;
        let comment =
            at == first && bytes.get(body.start).is_some_and(|byte| b"#!".contains(byte)) && !body.is_empty();
        at += 1;
        if comment {
            return (Vec::new(), at);
        }
        let slashes = bytes[body.clone()]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        let goes_on = slashes % 2 == 1;
        letters.extend(body.start..if goes_on { body.end - 1 } else { body.end });
        if !goes_on || at == rows.len() {
            return (letters, at);
        }
    }
}

fn pair(bytes: &[u8], letters: &[usize], line: usize, end: usize) -> Result<Option<Pair>, EditError> {
    if letters.is_empty() {
        return Ok(None);
    }
    let mut split = letters.len();
    let mut at = 0;
    while at < letters.len() {
        match bytes[letters[at]] {
            b'\\' => at += 1,
            b'=' | b':' | b' ' | b'\t' | b'\x0c' => {
                split = at;
                break;
            }
            _ => {}
        }
        at += 1;
    }
    let mut value = split;
    let mut seen = false;
    while value < letters.len() {
        match bytes[letters[value]] {
            b'=' | b':' if !seen => seen = true,
            byte if is_blank(byte) => {}
            _ => break,
        }
        value += 1;
    }
    let key = glyphs(bytes, &letters[..split], line)?
        .into_iter()
        .map(|glyph| glyph.letter)
        .collect();
    let glyphs = glyphs(bytes, &letters[value..], line)?;
    let start = letters.get(value).copied().unwrap_or(end);
    Ok(Some(Pair {
        key,
        spot: Spot {
            line,
            span: start..end,
            glyphs,
            quote: None,
        },
    }))
}

/// Escapes resolved: `\t \n \r \f \uXXXX`, any other escaped character is itself.
fn glyphs(bytes: &[u8], letters: &[usize], line: usize) -> Result<Vec<Glyph>, EditError> {
    let mut units: Vec<(u16, Range<usize>)> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let from = letters[at];
        let mut unit = u16::from(bytes[from]);
        let mut last = from;
        if bytes[from] == b'\\' && at + 1 < letters.len() {
            at += 1;
            last = letters[at];
            unit = match bytes[last] {
                b't' => 9,
                b'n' => 10,
                b'r' => 13,
                b'f' => 12,
                b'u' => {
                    let digits: String = letters[at + 1..]
                        .iter()
                        .take(4)
                        .map(|place| char::from(bytes[*place]))
                        .collect();
                    let what = "a \\u escape without four hexadecimal digits";
                    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                        return Err(EditError::NotUnderstood { line, what });
                    }
                    at += 4;
                    last = letters[at];
                    u16::from_str_radix(&digits, 16).unwrap_or(0xfffd)
                }
                byte => u16::from(byte),
            };
        }
        units.push((unit, from..last + 1));
        at += 1;
    }
    Ok(joined(units))
}

/// Surrogate pairs put together.
fn joined(units: Vec<(u16, Range<usize>)>) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    let mut at = 0;
    for letter in char::decode_utf16(units.iter().map(|(unit, _)| *unit)) {
        let width = letter.as_ref().map_or(1, |letter| letter.len_utf16());
        let range = units[at].1.start..units[at + width - 1].1.end;
        glyphs.push(Glyph {
            letter: letter.unwrap_or(char::REPLACEMENT_CHARACTER),
            at: range,
        });
        at += width;
    }
    glyphs
}

fn escaped(text: &str, at_start: bool, also: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, letter) in text.chars().enumerate() {
        match letter {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\x0c' => out.extend_from_slice(b"\\f"),
            ' ' if at_start && index == 0 => out.extend_from_slice(b"\\ "),
            '=' | ':' if at_start && index == 0 => out.extend([b'\\', letter as u8]),
            ' '..='~' if also.contains(&(letter as u8)) => out.extend([b'\\', letter as u8]),
            ' '..='~' => out.push(letter as u8),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
                }
            }
        }
    }
    out
}

/// Whether something stands between the key and its empty value.
fn separated(bytes: &[u8], spot: &Spot) -> bool {
    spot.span.start > 0 && matches!(bytes[spot.span.start - 1], b'=' | b':' | b' ' | b'\t' | b'\x0c')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0c')
}
