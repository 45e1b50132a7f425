//! XML attributes, found by `roxmltree` and spliced by bytes; the result is parsed again and compared.
//!
//! A key is a path that ends in an attribute: `ssl[@id='main']/@serverKeyAlias`, `//@keyAlias`,
//! `variable[@name='x']/@value`, `/Server/Service/Connector/@port`. A path without a leading slash matches anywhere.
//! Names are compared without their prefix.

use std::ops::Range;

use roxmltree::Attribute;
use roxmltree::Document;
use roxmltree::Node;
use roxmltree::ParsingOptions;

use super::Dialect;
use super::EditError;
use super::Glyph;
use super::Spot;
use super::splice;
use crate::change::SettingEdit;
use path::Path;

mod path;

pub(super) struct Xml;

impl Dialect for Xml {
    fn find(&self, bytes: &[u8], key: &str) -> Result<Vec<Spot>, EditError> {
        let path = Path::parse(key)?;
        let text = Text::decode(bytes)?;
        let document = text.parse()?;
        let mut spots: Vec<Spot> = Vec::new();
        for node in document.root().descendants().filter(|node| path.matches(node)) {
            for attribute in node.attributes().filter(|attribute| path.takes(attribute.name())) {
                spots.push(spot(&text, &document, &attribute)?);
            }
        }
        if let Some(twice) = spots.windows(2).find(|pair| pair[0].span == pair[1].span) {
            let what = "an entity that is used more than once holds this attribute";
            return Err(EditError::NotUnderstood {
                line: twice[0].line,
                what,
            });
        }
        Ok(spots)
    }

    fn keys(&self, bytes: &[u8]) -> Vec<(String, usize)> {
        let Ok(text) = Text::decode(bytes) else {
            return Vec::new();
        };
        let Ok(document) = text.parse() else {
            return Vec::new();
        };
        document
            .root()
            .descendants()
            .flat_map(|node| names(&document, node))
            .collect()
    }

    fn encode(
        &self,
        bytes: &[u8],
        text: &str,
        spot: &Spot,
        _range: &Range<usize>,
    ) -> Result<Vec<u8>, &'static str> {
        let quote = spot.quote.map_or('"', char::from);
        let charset = Text::decode(bytes)
            .map_err(|_| "the file cannot be read")?
            .charset;
        Ok(escape(text, quote, charset == Charset::Utf8).into_bytes())
    }

    fn add(&self, bytes: &[u8], key: &str, value: &str, occurs: usize) -> Result<Vec<u8>, EditError> {
        let path = Path::parse(key)?;
        let text = Text::decode(bytes)?;
        let document = text.parse()?;
        let owners: Vec<Node<'_, '_>> = document
            .root()
            .descendants()
            .filter(|node| path.matches(node))
            .collect();
        let lines: Vec<usize> = owners
            .iter()
            .map(|node| line(&document, node.range().start))
            .collect();
        let Some(name) = path.attribute.as_deref().filter(|_| !owners.is_empty()) else {
            return Err(EditError::Absent {
                key: key.to_owned(),
                nearest: super::nearest(key, self.keys(bytes)),
            });
        };
        if owners.len() != occurs {
            return Err(EditError::Count {
                key: key.to_owned(),
                expected: occurs,
                lines,
            });
        }
        let mut splices = Vec::new();
        for node in &owners {
            let at = text.to_byte(tag_name_end(&text.text, node));
            let raw = format!(
                " {name}=\"{}\"",
                escape(value, '"', text.charset == Charset::Utf8)
            );
            splices.push((at..at, raw.into_bytes()));
        }
        let edited = splice(bytes, splices);
        let edit = SettingEdit::Set {
            value: value.to_owned(),
            or_add: true,
        };
        self.confirm(bytes, &edited, key, &edit)?;
        Ok(edited)
    }

    /// Both trees are equal but for the attributes that were to change.
    fn confirm(&self, old: &[u8], edited: &[u8], key: &str, edit: &SettingEdit) -> Result<(), EditError> {
        super::reads_back(&self.find(edited, key)?, key, edit)?;
        let path = Path::parse(key)?;
        let (old, new) = (Text::decode(old)?, Text::decode(edited)?);
        let (before, after) = (old.parse()?, new.parse()?);
        if outline(&before, &path) == outline(&after, &path) {
            return Ok(());
        }
        let what = "the edit would change more than this value";
        Err(EditError::Unwritable {
            key: key.to_owned(),
            line: 1,
            what,
        })
    }
}

/// Lets `look` at the parsed document.
pub(crate) fn with_document<T>(bytes: &[u8], look: impl FnOnce(&Document<'_>) -> T) -> Result<T, EditError> {
    let text = Text::decode(bytes)?;
    let document = text.parse()?;
    Ok(look(&document))
}

/// A file as text, one `char` for one character; single-byte sets are read as ISO-8859-1, which keeps each byte apart.
struct Text {
    text: String,
    charset: Charset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    SingleByte,
    Utf8,
}

impl Text {
    fn decode(bytes: &[u8]) -> Result<Self, EditError> {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).to_ascii_lowercase();
        let declared = head
            .split("?>")
            .next()
            .filter(|head| head.contains("<?xml"))
            .and_then(|head| {
                let rest = head
                    .split_once("encoding")?
                    .1
                    .trim_start()
                    .strip_prefix('=')?
                    .trim_start();
                let quote = rest.chars().next()?;
                rest[quote.len_utf8()..].split(quote).next().map(str::to_owned)
            });
        let declared = declared.unwrap_or_else(|| "utf-8".to_owned());
        if declared == "utf-8" {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let line = 1 + bytes[..error.valid_up_to()]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                EditError::NotUnderstood {
                    line,
                    what: "the file says UTF-8 and is not",
                }
            })?;
            return Ok(Text {
                text: text.to_owned(),
                charset: Charset::Utf8,
            });
        }
        if !SINGLE_BYTE.iter().any(|prefix| declared.starts_with(prefix)) {
            return Err(EditError::NotUnderstood {
                line: 1,
                what: "a character set that is not supported",
            });
        }
        let text = bytes.iter().map(|byte| char::from(*byte)).collect();
        Ok(Text {
            text,
            charset: Charset::SingleByte,
        })
    }

    fn parse(&self) -> Result<Document<'_>, EditError> {
        let options = ParsingOptions {
            allow_dtd: true,
            nodes_limit: 1_000_000,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(&self.text, options).map_err(|error| EditError::NotUnderstood {
            line: usize::try_from(error.pos().row).unwrap_or(1),
            what: "not well-formed XML",
        })
    }

    /// The byte of the file for an offset in `text`.
    fn to_byte(&self, offset: usize) -> usize {
        match self.charset {
            Charset::SingleByte => self.text[..offset].chars().count(),
            Charset::Utf8 => offset,
        }
    }
}

fn spot(text: &Text, document: &Document<'_>, attribute: &Attribute<'_, '_>) -> Result<Spot, EditError> {
    let range = attribute.range_value();
    let line = line(document, range.start);
    let raw = &text.text[range.clone()];
    let quote = text.text[..range.start].bytes().next_back();
    let Some(quote) = quote.filter(|quote| matches!(quote, b'"' | b'\'')) else {
        return Err(EditError::NotUnderstood {
            line,
            what: "the place of the value is not clear",
        });
    };
    let span = text.to_byte(range.start)..text.to_byte(range.end);
    let mut glyphs = letters(text, raw, range.start);
    if glyphs.iter().map(|glyph| glyph.letter).collect::<String>() != attribute.value() {
        // An entity of the document's own: the value is known, its letters have no place of their own.
        glyphs = attribute
            .value()
            .chars()
            .map(|letter| Glyph {
                letter,
                at: span.clone(),
            })
            .collect();
    }
    Ok(Spot {
        line,
        span,
        glyphs,
        quote: Some(quote),
    })
}

/// Characters, predefined entities and character references.
fn letters(text: &Text, raw: &str, start: usize) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    let mut at = 0;
    let place = |from: usize, to: usize| text.to_byte(start + from)..text.to_byte(start + to);
    while let Some(letter) = raw[at..].chars().next() {
        let mut end = at + letter.len_utf8();
        let mut meant = if matches!(letter, '\t' | '\n' | '\r') {
            ' '
        } else {
            letter
        };
        if letter == '\r' && raw[end..].starts_with('\n') {
            end += 1;
        }
        if letter == '&'
            && let Some((name, _)) = raw[end..].split_once(';')
        {
            end += name.len() + 1;
            meant = reference(name).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        glyphs.push(Glyph {
            letter: meant,
            at: place(at, end),
        });
        at = end;
    }
    glyphs
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "quot" => Some('"'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

fn escape(text: &str, quote: char, unicode: bool) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' if quote == '"' => out.push_str("&quot;"),
            '\'' if quote == '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(letter))),
            _ if letter.is_ascii() || unicode => out.push(letter),
            _ => out.push_str(&format!("&#{};", u32::from(letter))),
        }
    }
    out
}

/// The offset behind the name in a start tag.
fn tag_name_end(text: &str, node: &Node<'_, '_>) -> usize {
    let start = node.range().start + 1;
    let length = text[start..].find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '>'));
    // After the last attribute, so that the new one comes last.
    node.attributes()
        .map(|attribute| attribute.range().end)
        .max()
        .unwrap_or_else(|| start + length.unwrap_or(0))
}

fn line(document: &Document<'_>, offset: usize) -> usize {
    usize::try_from(document.text_pos_at(offset).row).unwrap_or(1)
}

fn names(document: &Document<'_>, node: Node<'_, '_>) -> Vec<(String, usize)> {
    let line = line(document, node.range().start);
    let id = node.attribute("id").or_else(|| node.attribute("name"));
    let which = id.map_or_else(String::new, |id| {
        let by = if node.has_attribute("id") { "id" } else { "name" };
        format!("[@{by}='{id}']")
    });
    let tag = node.tag_name().name().to_owned();
    node.attributes()
        .map(|attribute| (format!("{tag}{which}/@{}", attribute.name()), line))
        .collect()
}

/// A document as a list of lines, without the attributes that the path names.
fn outline(document: &Document<'_>, path: &Path) -> Vec<String> {
    document
        .root()
        .descendants()
        .map(|node| {
            let chosen = path.matches(&node);
            let attributes: Vec<String> = node
                .attributes()
                .filter(|attribute| !(chosen && path.takes(attribute.name())))
                .map(|attribute| {
                    format!(
                        "{:?} {}={:?}",
                        attribute.namespace(),
                        attribute.name(),
                        attribute.value()
                    )
                })
                .collect();
            let depth = node.ancestors().count();
            format!(
                "{depth} {:?} {:?} {:?} {attributes:?}",
                node.node_type(),
                node.tag_name(),
                node.text()
            )
        })
        .collect()
}

/// Prefixes of the names of sets with one byte a character, ASCII below 128.
const SINGLE_BYTE: &[&str] = &[
    "ascii",
    "cp125",
    "iso-8859-",
    "iso8859",
    "iso_8859",
    "latin",
    "us-ascii",
    "windows-125",
];
