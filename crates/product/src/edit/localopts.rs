//! Workload Automation's `localopts` and `useropts`: `option = value`.
//!
//! Names without regard to case and blanks, `#` to the end of the line is a comment, values may stand in double
//! quotes. Source: domain specification B.4, R-103.

use std::ops::Range;

use super::Dialect;
use super::EditError;
use super::Spot;
use super::lines::Charset;
use super::lines::LoneCr;
use super::lines::Row;
use super::lines::quoted;
use super::lines::rows;
use super::lines::trimmed;
use super::lines::with_line;

pub(super) struct Localopts;

impl Dialect for Localopts {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        let wanted = checked(key)?;
        let charset = Charset::of(bytes);
        Ok(options(bytes)
            .into_iter()
            .filter(|(name, ..)| normal(name) == wanted)
            .map(|(_, row, value)| spot(bytes, value, row.number, charset))
            .collect())
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        options(bytes)
            .into_iter()
            .map(|(name, row, _)| (name, row.number))
            .collect()
    }

    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        spot: &Spot,
        range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        let raw = raw(bytes, text)?;
        if spot.quote.is_some() {
            return Ok(raw);
        }
        let whole = *range == spot.span;
        let needs = text.contains([' ', '\t', '#']);
        if needs && !whole {
            return Err("an item with blanks cannot be added to a value without quotes");
        }
        let mut out = Vec::new();
        if spot.span.is_empty() && spot.span.start > 0 && bytes[spot.span.start - 1] == b'=' {
            out.push(b' ');
        }
        out.extend(if needs {
            [b"\"".as_slice(), &raw, b"\""].concat()
        } else {
            raw
        });
        Ok(out)
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, _occurs: usize) -> Result<Vec<u8>, EditError> {
        checked(key)?;
        let at = bytes.len();
        let line = rows(bytes, LoneCr::Stays).len() + 1;
        let unwritable = |what| EditError::Unwritable {
            key: key.to_owned(),
            line,
            what,
        };
        let raw = raw(bytes, value).map_err(unwritable)?;
        let quoted = value.is_empty() || value.contains([' ', '\t', '#', '/', '\\']);
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        Ok(with_line(
            bytes,
            at,
            &[key.trim().as_bytes(), b" = ", quote, &raw, quote].concat(),
        ))
    }
}

/// A name in the form that is compared.
fn normal(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

fn checked(key: &str) -> Result<String, EditError> {
    let name = normal(key);
    let what = "a name is letters, digits and blanks";
    if name.is_empty() || name.contains(['=', '#', '"']) {
        return Err(EditError::BadKey {
            key: key.to_owned(),
            what,
        });
    }
    Ok(name)
}

/// Name, line and the range after `=` up to the comment, of every option.
fn options(bytes: &[u8]) -> Vec<(String, Row, Range<usize>)> {
    let charset = Charset::of(bytes);
    rows(bytes, LoneCr::Stays)
        .into_iter()
        .filter_map(|row| {
            let content = row.content.clone();
            let equals = content.start + bytes[content.clone()].iter().position(|byte| *byte == b'=')?;
            let name = trimmed(bytes, content.start..equals);
            if name.is_empty() || bytes[name.clone()].contains(&b'#') {
                return None;
            }
            let end = comment(bytes, equals + 1..content.end);
            let name = charset.text(bytes, name);
            Some((name, row, trimmed(bytes, equals + 1..end)))
        })
        .collect()
}

/// Where the comment begins, or the end: `#` outside of double quotes.
fn comment(bytes: &[u8], range: Range<usize>) -> usize {
    let mut within = false;
    for at in range.clone() {
        match bytes[at] {
            b'"' => within = !within,
            b'#' if !within => return at,
            _ => {}
        }
    }
    range.end
}

fn spot(bytes: &[u8], value: Range<usize>, line: usize, charset: Charset) -> Spot {
    quoted(bytes, value.clone(), b"\"", line, charset).unwrap_or_else(|| Spot {
        line,
        glyphs: charset.glyphs(bytes, value.clone()),
        span: value,
        quote: None,
    })
}

fn raw(bytes: &[u8], text: &str) -> Result<Vec<u8>, &'static str> {
    if text.contains('"') {
        return Err("it holds a double quote");
    }
    Charset::of(bytes).bytes(text)
}
