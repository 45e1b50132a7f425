//! Lossless edits of configuration files: every byte that is not concerned stays.
//!
//! Each syntax finds the places of a key's values ([`find`]), and [`change`] splices the new bytes in:
//! byte order mark, line ends, a missing last newline, comments, quoting and foreign bytes are kept.
//! Nothing is ever parsed and printed again.

use std::ops::Range;

use crate::change::SettingChange;
use crate::change::SettingEdit;
use crate::component::Syntax;

mod ini;
mod line;
mod lines;
mod localopts;
mod properties;
mod toml;
mod xml;
mod yaml;

pub(crate) use properties::all as all_properties;
pub(crate) use xml::with_document;

/// One value of a key, as the product reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Unquoted, escapes and entities resolved.
    pub text: String,
    /// The line it stands in, from 1.
    pub line: usize,
    /// The bytes between the quotes, or the bare value.
    pub span: Range<usize>,
}

/// All values of `key` in file order: several where the key occurs more than once, none where it does not.
///
/// Which one counts is the product's rule: the last for `properties` and `localopts`.
///
/// # Errors
/// `BadKey` for a key that the syntax cannot have; `NotUnderstood` for a file that it is not.
///
/// Cost: one pass over the file.
pub fn find(syntax: Syntax, bytes: &[u8], key: &str) -> Result<Vec<Value>, EditError> {
    let spots = dialect(syntax).find(bytes, key)?;
    Ok(spots
        .into_iter()
        .map(|spot| Value {
            text: spot.text(),
            line: spot.line,
            span: spot.span,
        })
        .collect())
}

/// The value that counts: the last one. `None` where the key does not occur.
///
/// # Errors
/// As [`find`].
pub fn value(syntax: Syntax, bytes: &[u8], key: &str) -> Result<Option<String>, EditError> {
    Ok(find(syntax, bytes, key)?.pop().map(|value| value.text))
}

/// The file after one change. The bytes are equal where the file already says so.
///
/// # Errors
/// `Absent` with the nearest key that is there; `Count` with all lines where the key does not occur
/// `occurs` times; `Unwritable` where the syntax cannot say the value; and as [`find`].
pub fn change(syntax: Syntax, bytes: &[u8], change: &SettingChange) -> Result<Vec<u8>, EditError> {
    let dialect = dialect(syntax);
    let key = &change.key;
    let spots = dialect.find(bytes, key)?;
    if change.edit == SettingEdit::CommentOut {
        return commented_out(syntax, bytes, key, &spots);
    }
    if spots.is_empty() {
        return match &change.edit {
            SettingEdit::Set { value, or_add: true } => dialect.add(bytes, key, value, change.occurs),
            SettingEdit::AddItem { item, .. } if dialect.is_list(key) => {
                dialect.add(bytes, key, item, change.occurs)
            }
            _ => Err(EditError::Absent {
                key: key.clone(),
                nearest: nearest(key, dialect.keys(bytes)),
            }),
        };
    }
    if !dialect.is_list(key) && spots.len() != change.occurs {
        let lines = spots.iter().map(|spot| spot.line).collect();
        return Err(EditError::Count {
            key: key.clone(),
            expected: change.occurs,
            lines,
        });
    }
    if dialect.is_list(key) {
        return line::change_list(bytes, key, &spots, &change.edit);
    }
    let mut splices = Vec::new();
    for spot in &spots {
        splices.extend(splice_of(dialect, bytes, spot, &change.edit)?);
    }
    let edited = splice(bytes, splices);
    dialect.confirm(bytes, &edited, key, &change.edit)?;
    Ok(edited)
}

/// Every line of the key behind a `#`, in the syntaxes whose lines can be comments.
fn commented_out(syntax: Syntax, bytes: &[u8], key: &str, spots: &[Spot]) -> Result<Vec<u8>, EditError> {
    let refused = |line: usize, what: &'static str| EditError::Unwritable {
        key: key.to_owned(),
        line,
        what,
    };
    let line_start = |at: usize| {
        bytes[..at]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(0, |end| end + 1)
    };
    let Some(first) = spots.first() else {
        return Ok(bytes.to_vec());
    };
    if !matches!(syntax, Syntax::Ini | Syntax::Localopts) {
        return Err(refused(first.line, "a line of this syntax cannot be a comment"));
    }
    let mut starts: Vec<usize> = spots.iter().map(|spot| line_start(spot.span.start)).collect();
    starts.dedup();
    // A byte order mark stays first.
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let splices = starts
        .into_iter()
        .map(|start| (start.max(mark)..start.max(mark), b"#".to_vec()));
    let edited = splice(bytes, splices.collect());
    if dialect(syntax).find(&edited, key)?.is_empty() {
        Ok(edited)
    } else {
        Err(refused(first.line, "the file would not read back as written"))
    }
}

/// Why a file was not edited. Lines count from 1 in the file that was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The key does not occur.
    #[error("there is no {key}{}", hint(nearest))]
    Absent {
        /// As asked for.
        key: String,
        /// The most similar key of the file and its line.
        nearest: Option<(String, usize)>,
    },
    /// The syntax has no such key.
    #[error("{key:?} is no key of this syntax: {what}")]
    BadKey {
        /// As asked for.
        key: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The key occurs more or less often than it must.
    #[error("{key} occurs {} times (lines {}), expected {expected}", lines.len(), listed(lines))]
    Count {
        /// As asked for.
        key: String,
        /// How often it must occur.
        expected: usize,
        /// Where it occurs.
        lines: Vec<usize>,
    },
    /// The file is not what the syntax says, or uses a part of it that we do not edit.
    #[error("line {line}: {what}")]
    NotUnderstood {
        /// Where.
        line: usize,
        /// What was seen.
        what: &'static str,
    },
    /// The value cannot be said in this file.
    #[error("{key} on line {line} cannot take this value: {what}")]
    Unwritable {
        /// As asked for.
        key: String,
        /// Where it would stand.
        line: usize,
        /// Why.
        what: &'static str,
    },
}

/// What each syntax implements.
pub(crate) trait Dialect {
    /// Every place where `key` has a value.
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError>;

    /// All keys with their lines, for the nearest one.
    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)>;

    /// The raw bytes that stand for `text` in the place of `range`, a part of the spot's value or all of it.
    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        spot: &Spot,
        range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str>;

    /// The file with a key that is not there yet.
    fn add(&self, bytes: &[u8], key: &str, value: &str, occurs: usize) -> Result<Vec<u8>, EditError>;

    /// Whether `key` names the lines of a list.
    fn is_list(&self, _key: &str) -> bool {
        false
    }

    /// Reads the edited file again and compares.
    fn confirm(&self, _old: &[u8], edited: &[u8], key: &str, edit: &SettingEdit) -> Result<(), EditError> {
        reads_back(&self.find(edited, key)?, key, edit)
    }
}

/// Whether each value says after the edit what it should.
fn reads_back(spots: &[Spot], key: &str, edit: &SettingEdit) -> Result<(), EditError> {
    for spot in spots {
        let text = spot.text();
        let held = match edit {
            SettingEdit::AddItem { item, separator } => items(&text, separator).any(|(_, seen)| seen == item),
            SettingEdit::RemoveItem { item, separator } => {
                !items(&text, separator).any(|(_, seen)| seen == item)
            }
            SettingEdit::Set { value, .. } => text == *value,
            SettingEdit::CommentOut => false,
        };
        if !held {
            let what = "the file would not read back as written";
            return Err(EditError::Unwritable {
                key: key.to_owned(),
                line: spot.line,
                what,
            });
        }
    }
    Ok(())
}

/// The place of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// From 1.
    pub(crate) line: usize,
    /// The bytes between the quotes, or the bare value; may be empty.
    pub(crate) span: Range<usize>,
    /// The value, character by character.
    pub(crate) glyphs: Vec<Glyph>,
    /// The quote around it.
    pub(crate) quote: Option<u8>,
}

impl Spot {
    pub(crate) fn text(&self) -> String {
        self.glyphs.iter().map(|glyph| glyph.letter).collect()
    }
}

/// One character of a value and the bytes that say it (`é`, `\u00e9`, `&eacute;`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) letter: char,
    pub(crate) at: Range<usize>,
}

/// Bytes to put in the place of others.
pub(crate) type Splice = (Range<usize>, Vec<u8>);

/// Replaces ranges that do not overlap.
pub(crate) fn splice(bytes: &[u8], mut splices: Vec<Splice>) -> Vec<u8> {
    splices.sort_by_key(|(range, _)| range.start);
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (range, new) in splices {
        out.extend_from_slice(&bytes[from..range.start]);
        out.extend_from_slice(&new);
        from = range.end;
    }
    out.extend_from_slice(&bytes[from..]);
    out
}

/// What one edit does to one value.
fn splice_of(
    dialect: &dyn Dialect,
    bytes: &[u8],
    spot: &Spot,
    edit: &SettingEdit,
) -> Result<Vec<Splice>, EditError> {
    let encode = |key: &str, text: &str, range: Range<usize>| -> Result<Vec<Splice>, EditError> {
        let raw = dialect
            .encode(bytes, text, spot, &range)
            .map_err(|what| EditError::Unwritable {
                key: key.to_owned(),
                line: spot.line,
                what,
            })?;
        Ok(vec![(range, raw)])
    };
    let text = spot.text();
    let apart = spot
        .glyphs
        .windows(2)
        .all(|pair| pair[0].at.end <= pair[1].at.start);
    if !apart && !matches!(edit, SettingEdit::Set { .. }) {
        let what = "a list written with escapes or entities of the file's own";
        return Err(EditError::NotUnderstood {
            line: spot.line,
            what,
        });
    }
    match edit {
        SettingEdit::CommentOut => Ok(Vec::new()),
        SettingEdit::Set { value, .. } if *value == text => Ok(Vec::new()),
        SettingEdit::Set { value, .. } => encode(value, value, spot.span.clone()),
        SettingEdit::AddItem { item, separator } => {
            if items(&text, separator).any(|(_, seen)| seen == item) {
                return Ok(Vec::new());
            }
            let kept = text.trim_end();
            let end = raw_position(spot, kept.chars().count());
            let bare = kept.is_empty() || (!separator.is_empty() && kept.ends_with(separator.as_str()));
            let added = if bare {
                item.clone()
            } else {
                format!("{separator}{item}")
            };
            encode(item, &added, end..spot.span.end)
        }
        SettingEdit::RemoveItem { item, separator } => Ok(removals(&text, item, separator)
            .into_iter()
            .map(|cut| {
                (
                    raw_position(spot, cut.start)..raw_position(spot, cut.end),
                    Vec::new(),
                )
            })
            .collect()),
    }
}

/// The byte at which the character with this index begins.
fn raw_position(spot: &Spot, index: usize) -> usize {
    spot.glyphs
        .get(index)
        .map_or(spot.span.end, |glyph| glyph.at.start)
}

/// The items of a list with their character ranges, blanks around them left out.
fn items<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = (Range<usize>, &'a str)> {
    let mut at = 0;
    let width = separator.chars().count();
    let parts: Vec<&str> = if separator.is_empty() {
        vec![text]
    } else {
        text.split(separator).collect()
    };
    parts.into_iter().map(move |part| {
        let range = at..at + part.chars().count();
        at = range.end + width;
        (range, part.trim())
    })
}

/// Which characters go so that `item` is gone, each with one separator.
fn removals(text: &str, item: &str, separator: &str) -> Vec<Range<usize>> {
    let width = separator.chars().count();
    let all: Vec<(Range<usize>, bool)> = items(text, separator)
        .map(|(range, seen)| (range, seen == item))
        .collect();
    let mut kept_before = false;
    let mut cuts = Vec::new();
    for (index, (range, goes)) in all.iter().enumerate() {
        match (goes, kept_before) {
            (false, _) => kept_before = true,
            (true, true) => cuts.push(range.start - width..range.end),
            (true, false) if index + 1 < all.len() => cuts.push(range.start..range.end + width),
            (true, false) => cuts.push(range.clone()),
        }
    }
    cuts
}

/// The key most like `key`, where one is near enough to be meant.
fn nearest(key: &str, keys: Vec<(String, usize)>) -> Option<(String, usize)> {
    let wanted = key.to_lowercase();
    let most = wanted.chars().count() / 2 + 1;
    keys.into_iter()
        .map(|(name, line)| (distance(&wanted, &name.to_lowercase()), name, line))
        .filter(|(far, ..)| *far <= most)
        .min_by_key(|(far, _, line)| (*far, *line))
        .map(|(_, name, line)| (name, line))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

fn dialect(syntax: Syntax) -> &'static dyn Dialect {
    match syntax {
        Syntax::Ini => &ini::Ini,
        Syntax::Line => &line::Line,
        Syntax::Localopts => &localopts::Localopts,
        Syntax::Properties => &properties::Properties,
        Syntax::Toml => &toml::Toml,
        Syntax::Xml => &xml::Xml,
        Syntax::Yaml => &yaml::Yaml,
    }
}

fn hint(nearest: &Option<(String, usize)>) -> String {
    nearest.as_ref().map_or_else(String::new, |(name, line)| {
        format!("; the nearest is {name} on line {line}")
    })
}

fn listed(lines: &[usize]) -> String {
    lines.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
