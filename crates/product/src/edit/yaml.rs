//! YAML scalars by a dotted path of block mappings (`server.ssl.key-alias`). What is not that simple is refused: flow
//! collections, block scalars, anchors, tags, several documents, tabs as indentation.

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

pub(super) struct Yaml;

impl Dialect for Yaml {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(EditError::BadKey {
                key: key.to_owned(),
                what: "it is names with dots between them",
            });
        }
        let charset = Charset::of(bytes);
        let all = pairs(bytes)?;
        let mut spots = Vec::new();
        for (index, pair) in all.iter().enumerate().filter(|(_, pair)| pair.path == key) {
            let deeper = all
                .get(index + 1)
                .is_some_and(|next| next.path.starts_with(&format!("{key}.")));
            if deeper || pair.continued {
                let what = "this key has no scalar on its own line";
                return Err(EditError::NotUnderstood {
                    line: pair.line,
                    what,
                });
            }
            spots.push(spot(bytes, pair, charset)?);
        }
        Ok(spots)
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        pairs(bytes)
            .unwrap_or_default()
            .into_iter()
            .map(|pair| (pair.path, pair.line))
            .collect()
    }

    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        spot: &Spot,
        range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        let raw = Charset::of(bytes).bytes(text)?;
        match spot.quote {
            Some(b'\'') if text.contains('\'') => Err("it holds a single quote"),
            Some(b'"') if text.contains(['"', '\\']) => Err("it holds a double quote or a backslash"),
            Some(_) => Ok(raw),
            None => {
                let plain = if *range == spot.span {
                    is_plain(text)
                } else {
                    !text.contains([':', '#', '\'', '"'])
                };
                let mut out = Vec::new();
                if spot.span.is_empty() && spot.span.start > 0 && bytes[spot.span.start - 1] == b':' {
                    out.push(b' ');
                }
                match plain {
                    true => out.extend(raw),
                    false if *range != spot.span => return Err("the item needs quotes"),
                    false if text.contains(['"', '\\']) => {
                        return Err("it holds a double quote or a backslash");
                    }
                    false => out.extend([b"\"".as_slice(), &raw, b"\""].concat()),
                }
                Ok(out)
            }
        }
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, _occurs: usize) -> Result<Vec<u8>, EditError> {
        let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
        let all = pairs(bytes)?;
        let siblings = all
            .iter()
            .filter(|pair| pair.path.rsplit_once('.').map_or("", |(above, _)| above) == parent);
        let nearest = || EditError::Absent {
            key: key.to_owned(),
            nearest: super::nearest(key, self.keys(bytes)),
        };
        let first = siblings.clone().next().ok_or_else(nearest)?;
        let unwritable = |what| EditError::Unwritable {
            key: key.to_owned(),
            line: first.line,
            what,
        };
        let raw = Charset::of(bytes).bytes(value).map_err(unwritable)?;
        let quote: &[u8] = if is_plain(value) { b"" } else { b"\"" };
        if !quote.is_empty() && value.contains(['"', '\\']) {
            return Err(unwritable("it holds a double quote or a backslash"));
        }
        let indent = " ".repeat(first.indent);
        let line = [indent.as_bytes(), name.as_bytes(), b": ", quote, &raw, quote].concat();
        // In front of the first sibling: its end may be a block of its own.
        let edited = if first.start == bytes.len() {
            with_line(bytes, bytes.len(), &line)
        } else {
            let new = [line, super::lines::line_end(bytes).to_vec()].concat();
            super::splice(bytes, vec![(first.start..first.start, new)])
        };
        Ok(edited)
    }
}

struct Pair {
    path: String,
    line: usize,
    /// The first byte of its line.
    start: usize,
    indent: usize,
    value: Range<usize>,
    /// Something indented deeper follows that is no `key: value`.
    continued: bool,
}

fn pairs(bytes: &[u8]) -> Result<Vec<Pair>, EditError> {
    let charset = Charset::of(bytes);
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut all: Vec<Pair> = Vec::new();
    // Lines deeper than this belong to something that we do not look into.
    let mut skipped: Option<usize> = None;
    for row in rows(bytes, LoneCr::Stays) {
        let line = row.number;
        let content = trimmed(bytes, row.content.clone());
        if content.is_empty() || bytes[content.start] == b'#' {
            continue;
        }
        let text = charset.text(bytes, content.clone());
        if text == "---" && all.is_empty() {
            continue;
        }
        let indent = content.start - row.content.start;
        if text == "---" || text.starts_with("--- ") {
            return Err(EditError::NotUnderstood {
                line,
                what: "several documents in one file",
            });
        }
        if bytes[row.content.start..content.start].contains(&b'\t') {
            return Err(EditError::NotUnderstood {
                line,
                what: "a tab as indentation",
            });
        }
        if skipped.is_some_and(|limit| indent > limit) {
            continue;
        }
        skipped = None;
        open.retain(|(at, _)| *at < indent);
        let name = if text.starts_with("- ") || text == "-" {
            None
        } else {
            name(&text)
        };
        let Some((name, after)) = name else {
            let parent = all.iter_mut().rev().find(|pair| pair.indent <= indent);
            if let Some(pair) = parent {
                pair.continued = true;
                skipped = Some(pair.indent);
            }
            if text.starts_with('-') {
                skipped = Some(indent);
            }
            continue;
        };
        let from = content.start
            + text
                .chars()
                .take(after)
                .map(|letter| bytes_of(charset, letter))
                .sum::<usize>();
        let value = trimmed(bytes, from..comment(bytes, from..content.end));
        if matches!(
            bytes[value.clone()].first(),
            Some(b'|' | b'>' | b'{' | b'[' | b'&' | b'*' | b'!')
        ) {
            skipped = Some(indent);
        }
        let path = open
            .iter()
            .map(|(_, above)| format!("{above}."))
            .collect::<String>()
            + &name;
        all.push(Pair {
            path,
            line,
            start: row.content.start,
            indent,
            value,
            continued: false,
        });
        open.push((indent, name));
    }
    Ok(all)
}

/// The key of a line, and the index of the character behind the colon.
fn name(text: &str) -> Option<(String, usize)> {
    let letters: Vec<char> = text.chars().collect();
    let quote = letters
        .first()
        .copied()
        .filter(|letter| matches!(letter, '"' | '\''));
    let from = usize::from(quote.is_some());
    let mut at = from;
    while at < letters.len() {
        match quote {
            Some(quote) if letters[at] == quote => {
                let colon = (at + 1..letters.len()).find(|next| !letters[*next].is_whitespace())?;
                return (letters[colon] == ':').then(|| (letters[from..at].iter().collect(), colon + 1));
            }
            None if letters[at] == ':' && letters.get(at + 1).is_none_or(|next| next.is_whitespace()) => {
                let name: String = letters[..at].iter().collect();
                return Some((name.trim_end().to_owned(), at + 1));
            }
            _ => at += 1,
        }
    }
    None
}

fn bytes_of(charset: Charset, letter: char) -> usize {
    match charset {
        Charset::Latin1 => 1,
        Charset::Utf8 => letter.len_utf8(),
    }
}

fn comment(bytes: &[u8], range: Range<usize>) -> usize {
    let value = trimmed(bytes, range.clone());
    let closing = match bytes.get(value.start) {
        Some(quote @ (b'"' | b'\'')) if !value.is_empty() => bytes[value.start + 1..value.end]
            .iter()
            .position(|byte| byte == quote)
            .map(|at| value.start + 2 + at),
        _ => None,
    };
    (closing.unwrap_or(range.start)..range.end)
        .find(|at| bytes[*at] == b'#' && matches!(bytes[at - 1], b' ' | b'\t'))
        .unwrap_or(range.end)
}

fn spot(bytes: &[u8], pair: &Pair, charset: Charset) -> Result<Spot, EditError> {
    let value = pair.value.clone();
    let refused = |what| {
        Err(EditError::NotUnderstood {
            line: pair.line,
            what,
        })
    };
    match bytes[value.clone()].first() {
        Some(b'|' | b'>' | b'{' | b'[') => return refused("a value that is not a scalar on one line"),
        Some(b'&' | b'*' | b'!') => return refused("an anchor, an alias or a tag"),
        _ => {}
    }
    if let Some(spot) = quoted(bytes, value.clone(), b"\"'", pair.line, charset) {
        let clean = spot.span.end + 1 == value.end && !bytes[spot.span.clone()].contains(&b'\\');
        return if clean {
            Ok(spot)
        } else {
            refused("a quoted value with escapes")
        };
    }
    if matches!(bytes[value.clone()].first(), Some(b'"' | b'\'')) {
        return refused("a quoted value over several lines");
    }
    Ok(Spot {
        line: pair.line,
        glyphs: charset.glyphs(bytes, value.clone()),
        span: value,
        quote: None,
    })
}

/// Whether a value needs no quotes and stays a string.
fn is_plain(text: &str) -> bool {
    let special = |letter: char| "!&*-?:,[]{}#|>@`\"'%=".contains(letter);
    let first = text
        .chars()
        .next()
        .is_some_and(|letter| !special(letter) && !letter.is_whitespace());
    let words = ["true", "false", "null", "yes", "no", "on", "off", "~"];
    first
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && text.parse::<f64>().is_err()
        && !words.contains(&text.to_ascii_lowercase().as_str())
}
