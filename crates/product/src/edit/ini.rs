//! `[section]` and `key = value`. Keys are given as `section/key`, or `key` for one before any section.
//!
//! Names are compared exactly, and without regard to case where no exact one is there. Whole lines that begin with
//! `#` or `;` are comments, and so is what follows a blank and one of them behind a value.

use std::ops::Range;

use super::Dialect;
use super::EditError;
use super::Spot;
use super::lines::Charset;
use super::lines::LoneCr;
use super::lines::quoted;
use super::lines::rows;
use super::lines::trimmed;
use super::lines::with_line;

pub(super) struct Ini;

impl Dialect for Ini {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        let (section, name) = split(key)?;
        let all = pairs(bytes);
        let exact = |pair: &&Pair| pair.section == section && pair.name == name;
        let alike =
            |pair: &&Pair| pair.section.eq_ignore_ascii_case(section) && pair.name.eq_ignore_ascii_case(name);
        let charset = Charset::of(bytes);
        let chosen: Vec<&Pair> = if all.iter().any(|pair| exact(&pair)) {
            all.iter().filter(exact).collect()
        } else {
            all.iter().filter(alike).collect()
        };
        Ok(chosen
            .into_iter()
            .map(|pair| spot(bytes, pair.value.clone(), pair.line, charset))
            .collect())
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        let full = |pair: Pair| {
            let section = if pair.section.is_empty() {
                String::new()
            } else {
                format!("{}/", pair.section)
            };
            (section + &pair.name, pair.line)
        };
        pairs(bytes).into_iter().map(full).collect()
    }

    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        spot: &Spot,
        _range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        if spot.quote.is_some_and(|quote| text.contains(char::from(quote))) {
            return Err("it holds the quote that stands around the value");
        }
        Charset::of(bytes).bytes(text)
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, _occurs: usize) -> Result<Vec<u8>, EditError> {
        let (section, name) = split(key)?;
        let last = rows(bytes, LoneCr::Stays).len();
        let unwritable = |what| EditError::Unwritable {
            key: key.to_owned(),
            line: last + 1,
            what,
        };
        let value = Charset::of(bytes).bytes(value).map_err(unwritable)?;
        let glue = glue(bytes);
        let line = [name.as_bytes(), glue, &value].concat();
        if let Some(at) = section_end(bytes, section) {
            return Ok(with_line(bytes, at, &line));
        }
        let with_head = with_line(bytes, bytes.len(), format!("[{section}]").as_bytes());
        Ok(with_line(&with_head, with_head.len(), &line))
    }
}

struct Pair {
    section: String,
    name: String,
    line: usize,
    value: Range<usize>,
}

fn split(key: &str) -> Result<(&str, &str), EditError> {
    let (section, name) = key.rsplit_once('/').unwrap_or(("", key));
    if name.is_empty() {
        return Err(EditError::BadKey {
            key: key.to_owned(),
            what: "it is section/key",
        });
    }
    Ok((section, name))
}

fn pairs(bytes: &[u8]) -> Vec<Pair> {
    let charset = Charset::of(bytes);
    let mut section = String::new();
    let mut pairs = Vec::new();
    for row in rows(bytes, LoneCr::Stays) {
        let content = trimmed(bytes, row.content.clone());
        match bytes[content.clone()].first() {
            None | Some(b'#' | b';') => {}
            Some(b'[') => {
                if let Some(name) = heading(bytes, &content) {
                    section = charset.text(bytes, name);
                }
            }
            Some(_) => {
                let Some(equals) = bytes[content.clone()].iter().position(|byte| *byte == b'=') else {
                    continue;
                };
                let equals = content.start + equals;
                let name = charset.text(bytes, trimmed(bytes, content.start..equals));
                let value = trimmed(bytes, equals + 1..comment(bytes, equals + 1..content.end));
                pairs.push(Pair {
                    section: section.clone(),
                    name,
                    line: row.number,
                    value,
                });
            }
        }
    }
    pairs
}

fn heading(bytes: &[u8], content: &Range<usize>) -> Option<Range<usize>> {
    let end = bytes[content.clone()].iter().position(|byte| *byte == b']')?;
    Some(trimmed(bytes, content.start + 1..content.start + end))
}

/// Where a comment behind the value begins, or the end.
fn comment(bytes: &[u8], range: Range<usize>) -> usize {
    let value = trimmed(bytes, range.clone());
    let closing = match bytes.get(value.start) {
        Some(quote @ (b'"' | b'\'')) if !value.is_empty() => bytes[value.start + 1..value.end]
            .iter()
            .position(|byte| byte == quote)
            .map(|at| value.start + 2 + at),
        _ => None,
    };
    let from = closing.unwrap_or(range.start);
    (from..range.end)
        .find(|at| {
            matches!(bytes[*at], b'#' | b';') && *at > range.start && matches!(bytes[at - 1], b' ' | b'\t')
        })
        .unwrap_or(range.end)
}

fn spot(bytes: &[u8], value: Range<usize>, line: usize, charset: Charset) -> Spot {
    quoted(bytes, value.clone(), b"\"'", line, charset)
        .filter(|spot| spot.span.end + 1 == value.end)
        .unwrap_or_else(|| Spot {
            line,
            glyphs: charset.glyphs(bytes, value.clone()),
            span: value,
            quote: None,
        })
}

/// Where a line is added to a section: behind its last line that is not blank.
fn section_end(bytes: &[u8], section: &str) -> Option<usize> {
    let charset = Charset::of(bytes);
    let mut within = section.is_empty();
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut end = within.then_some(start);
    for row in rows(bytes, LoneCr::Stays) {
        let content = trimmed(bytes, row.content.clone());
        if bytes[content.clone()].first() == Some(&b'[') {
            within = heading(bytes, &content)
                .is_some_and(|name| charset.text(bytes, name).eq_ignore_ascii_case(section));
        }
        if within && !content.is_empty() {
            end = Some(row.end);
        }
    }
    end
}

/// ` = ` or `=`, as the file has it.
fn glue(bytes: &[u8]) -> &'static [u8] {
    if bytes.windows(3).any(|window| window == b" = ") {
        b" = "
    } else {
        b"="
    }
}
