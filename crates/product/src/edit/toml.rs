//! TOML values by a dotted path. `toml_edit` finds the bytes; they are spliced, as its own writer loses CRLF, a byte
//! order mark and comments behind a value.

use std::ops::Range;

use toml_edit::Document;
use toml_edit::Item;
use toml_edit::TableLike;
use toml_edit::Value;

use super::Dialect;
use super::EditError;
use super::Glyph;
use super::Spot;
use super::lines::line_end;
use crate::change::SettingEdit;

pub(super) struct Toml;

impl Dialect for Toml {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        let document = parse(bytes)?;
        let Some(item) = walk(document.as_table(), &path(key)?) else {
            return Ok(Vec::new());
        };
        let line = |span: &Range<usize>| line_of(bytes, span.start);
        let Some((value, span)) = item.as_value().and_then(|value| Some((value, value.span()?))) else {
            let line = item.span().map_or(1, |span| line(&span));
            return Err(EditError::NotUnderstood {
                line,
                what: "a table, not a value",
            });
        };
        let text = match value {
            Value::String(text) => text.value().clone(),
            Value::Integer(_) | Value::Boolean(_) | Value::Float(_) | Value::Datetime(_) => {
                String::from_utf8_lossy(&bytes[span.clone()]).into_owned()
            }
            Value::Array(_) | Value::InlineTable(_) => {
                let what = "an array or an inline table, not a value";
                return Err(EditError::NotUnderstood {
                    line: line(&span),
                    what,
                });
            }
        };
        Ok(vec![spot(bytes, span, text)])
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        let mut keys = Vec::new();
        if let Ok(document) = parse(bytes) {
            collect(bytes, document.as_table(), "", &mut keys);
        }
        keys
    }

    fn encode(
        &self,
        _bytes: &[u8],
        text: &str,
        spot: &Spot,
        range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        match spot.quote {
            Some(b'"') => Ok(escaped(text).into_bytes()),
            Some(_) if text.contains('\'') || text.chars().any(char::is_control) => {
                Err("it cannot stand between single quotes")
            }
            Some(_) => Ok(text.as_bytes().to_vec()),
            None if spot.span != *range => Err("the value is no list on one line"),
            None if is_multi_line(&spot.text(), spot) => Ok(format!("\"{}\"", escaped(text)).into_bytes()),
            None if bare(text) => Ok(text.as_bytes().to_vec()),
            None => Err("the value is no string, and the new one is"),
        }
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, _occurs: usize) -> Result<Vec<u8>, EditError> {
        let document = parse(bytes)?;
        let path = path(key)?;
        let absent = || EditError::Absent {
            key: key.to_owned(),
            nearest: super::nearest(key, self.keys(bytes)),
        };
        let (name, above) = path.split_last().ok_or_else(absent)?;
        let at = if above.is_empty() {
            if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
        } else {
            let table = walk(document.as_table(), above)
                .and_then(Item::as_table)
                .ok_or_else(absent)?;
            let head = table
                .span()
                .filter(|_| !table.is_implicit() && !table.is_dotted())
                .ok_or_else(absent)?;
            let end = bytes[head.start..].iter().position(|byte| *byte == b'\n');
            end.map_or(bytes.len(), |end| head.start + end + 1)
        };
        let eol = line_end(bytes);
        let mut line = format!("{name} = \"{}\"", escaped(value)).into_bytes();
        if at == bytes.len() && at > 0 && bytes[at - 1] != b'\n' {
            line.splice(0..0, eol.iter().copied());
        } else {
            line.extend_from_slice(eol);
        }
        let edited = super::splice(bytes, vec![(at..at, line)]);
        self.confirm(
            bytes,
            &edited,
            key,
            &SettingEdit::Set {
                value: value.to_owned(),
                or_add: true,
            },
        )?;
        Ok(edited)
    }
}

fn parse(bytes: &[u8]) -> Result<Document<&str>, EditError> {
    let text = std::str::from_utf8(bytes).map_err(|_| EditError::NotUnderstood {
        line: 1,
        what: "TOML is UTF-8, and this file is not",
    })?;
    Document::parse(text).map_err(|error| EditError::NotUnderstood {
        line: error.span().map_or(1, |span| line_of(bytes, span.start)),
        what: "not valid TOML",
    })
}

fn path(key: &str) -> Result<Vec<String>, EditError> {
    let keys = toml_edit::Key::parse(key).map_err(|_| EditError::BadKey {
        key: key.to_owned(),
        what: "it is a dotted TOML key",
    })?;
    Ok(keys.into_iter().map(|key| key.get().to_owned()).collect())
}

fn walk<'a>(table: &'a dyn TableLike, path: &[String]) -> Option<&'a Item> {
    let (first, rest) = path.split_first()?;
    let item = table.get(first)?;
    if rest.is_empty() {
        return Some(item);
    }
    if let Some(tables) = item.as_array_of_tables() {
        // `[[a]]`: an index chooses the table, as in `a.0.key`.
        let (index, rest) = rest.split_first()?;
        return walk(tables.get(index.parse().ok()?)?, rest);
    }
    walk(item.as_table_like()?, rest)
}

fn collect(bytes: &[u8], table: &dyn TableLike, prefix: &str, into: &mut Vec<(String, usize)>) {
    for (name, item) in table.iter() {
        let full = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        };
        match item.as_table_like() {
            Some(inner) => collect(bytes, inner, &full, into),
            None => into.push((full, item.span().map_or(1, |span| line_of(bytes, span.start)))),
        }
    }
}

/// The place of a value: between the quotes of a string on one line, else all of it.
fn spot(bytes: &[u8], span: Range<usize>, text: String) -> Spot {
    let line = line_of(bytes, span.start);
    let raw = &bytes[span.clone()];
    let quote = raw
        .first()
        .copied()
        .filter(|first| matches!(first, b'"' | b'\'') && raw.len() >= 2 && !raw.starts_with(&[*first; 3]));
    let span = if quote.is_some() {
        span.start + 1..span.end - 1
    } else {
        span
    };
    let plain = String::from_utf8_lossy(&bytes[span.clone()]) == text;
    let mut at = span.start;
    let glyphs = text
        .chars()
        .map(|letter| {
            let from = at;
            at += letter.len_utf8();
            Glyph {
                letter,
                at: if plain { from..at } else { span.clone() },
            }
        })
        .collect();
    Spot {
        line,
        span,
        glyphs,
        quote,
    }
}

fn is_multi_line(text: &str, spot: &Spot) -> bool {
    // Only a string in triple quotes is longer than its text and has no quote of its own.
    spot.span.len() >= text.len() + 6
}

fn bare(text: &str) -> bool {
    text.parse::<i64>().is_ok() || text.parse::<f64>().is_ok() || matches!(text, "true" | "false")
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if letter.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at.min(bytes.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}
