//! One value a line.
//!
//! The empty key stands for all lines that are neither blank nor a comment: a list of names. A number is the line with
//! that number. Any other key is the first word of a line; the value is the rest, without a last `;`
//! (`ssl_certificate /etc/x.pem;`).

use std::ops::Range;

use super::Dialect;
use super::EditError;
use super::Spot;
use super::lines::Charset;
use super::lines::LoneCr;
use super::lines::rows;
use super::lines::trimmed;
use super::lines::with_line;
use super::splice;
use crate::change::SettingEdit;

pub(super) struct Line;

impl Dialect for Line {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        let charset = Charset::of(bytes);
        let bare = |range: Range<usize>, line| Spot {
            line,
            glyphs: charset.glyphs(bytes, range.clone()),
            span: range,
            quote: None,
        };
        let mut spots = Vec::new();
        for row in rows(bytes, LoneCr::Stays) {
            let content = trimmed(bytes, row.content.clone());
            if let Ok(number) = key.parse::<usize>() {
                if row.number == number {
                    spots.push(bare(content, number));
                }
                continue;
            }
            if content.is_empty() || bytes[content.start] == b'#' {
                continue;
            }
            if self.is_list(key) {
                spots.push(bare(content, row.number));
                continue;
            }
            spots.extend(rest(bytes, content, key, row.number, charset));
        }
        Ok(spots)
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        let charset = Charset::of(bytes);
        rows(bytes, LoneCr::Stays)
            .into_iter()
            .filter_map(|row| {
                let text = charset.text(bytes, row.content);
                text.split_whitespace()
                    .next()
                    .map(|word| (word.to_owned(), row.number))
            })
            .collect()
    }

    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        _spot: &Spot,
        _range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        Charset::of(bytes).bytes(text)
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, _occurs: usize) -> Result<Vec<u8>, EditError> {
        let line = rows(bytes, LoneCr::Stays).len() + 1;
        let unwritable = |what| EditError::Unwritable {
            key: key.to_owned(),
            line,
            what,
        };
        if !self.is_list(key) {
            return Err(unwritable("where a new line belongs is not known"));
        }
        let value = Charset::of(bytes).bytes(value).map_err(unwritable)?;
        Ok(with_line(bytes, bytes.len(), &value))
    }

    fn is_list(&self, key: &str) -> bool {
        key.is_empty() || key == "*"
    }
}

/// An edit of the list that the lines of a file are.
pub(super) fn change_list(
    bytes: &[u8],
    key: &str,
    spots: &[Spot],
    edit: &SettingEdit,
) -> Result<Vec<u8>, EditError> {
    match edit {
        SettingEdit::AddItem { item, .. } if spots.iter().any(|spot| spot.text() == *item) => {
            Ok(bytes.to_vec())
        }
        SettingEdit::AddItem { item, .. } => Line.add(bytes, key, item, 1),
        SettingEdit::CommentOut => Ok(bytes.to_vec()),
        SettingEdit::RemoveItem { item, .. } => {
            let going: Vec<usize> = spots
                .iter()
                .filter(|spot| spot.text() == *item)
                .map(|spot| spot.line)
                .collect();
            let whole = rows(bytes, LoneCr::Stays)
                .into_iter()
                .filter(|row| going.contains(&row.number))
                .map(|row| (row.content.start..row.end, Vec::new()));
            Ok(splice(bytes, whole.collect()))
        }
        SettingEdit::Set { value, .. } => {
            let [spot] = spots else {
                let lines = spots.iter().map(|spot| spot.line).collect();
                return Err(EditError::Count {
                    key: key.to_owned(),
                    expected: 1,
                    lines,
                });
            };
            let unwritable = |what| EditError::Unwritable {
                key: key.to_owned(),
                line: spot.line,
                what,
            };
            let value = Charset::of(bytes).bytes(value).map_err(unwritable)?;
            Ok(splice(bytes, vec![(spot.span.clone(), value)]))
        }
    }
}

fn rest(bytes: &[u8], content: Range<usize>, key: &str, line: usize, charset: Charset) -> Option<Spot> {
    let after = bytes[content.clone()].strip_prefix(key.as_bytes())?;
    let first = *after.first()?;
    if !matches!(first, b' ' | b'\t' | b'=') {
        return None;
    }
    let mut value = trimmed(bytes, content.start + key.len()..content.end);
    if bytes.get(value.start) == Some(&b'=') && !value.is_empty() {
        value = trimmed(bytes, value.start + 1..value.end);
    }
    if bytes[value.clone()].last() == Some(&b';') {
        value.end -= 1;
    }
    let value = trimmed(bytes, value);
    if let Some(spot) = super::lines::quoted(bytes, value.clone(), b"\"'", line, charset) {
        return Some(spot);
    }
    Some(Spot {
        line,
        glyphs: charset.glyphs(bytes, value.clone()),
        span: value,
        quote: None,
    })
}
