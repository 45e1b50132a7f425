//! Distinguished names: their text, and when two of them are the same name.

use std::fmt;

use crate::der::{self, Der, Element, tag};
use crate::oid::{self, Oid};
use crate::reader::ReadError;

/// A distinguished name, borrowed from the certificate it stands in.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    der: &'a [u8],
}

impl<'a> Name<'a> {
    /// Takes the DER of a Name (a SEQUENCE) and checks that its structure can be walked.
    ///
    /// # Errors
    /// Any [`ReadError`]; `origin` is where `der` starts in its file.
    pub fn parse(der: &'a [u8], origin: usize) -> Result<Self, ReadError> {
        let mut rows = der::only(der, origin, tag::SEQUENCE, "name")?.children();
        while !rows.is_empty() {
            let mut row = rows.expect(tag::SET, "relative name")?.children();
            while !row.is_empty() {
                attribute(row.any("name attribute")?)?;
            }
        }
        Ok(Self { der })
    }

    /// The encoded name.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// Whether the name has no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }

    /// The relative names in file order (most significant first), each with its attributes in file order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Vec<Attribute<'a>>> + use<'a> {
        walk(self.der).into_iter()
    }

    /// The last common name as text: the most specific one.
    pub fn common_name(&self) -> Option<String> {
        let attributes: Vec<Attribute<'_>> = self.rows().flatten().collect();
        let named = attributes
            .iter()
            .rev()
            .find(|attribute| attribute.kind == oid::COMMON_NAME);
        named.map(Attribute::text)
    }

    /// Whether both are the same name the way path building asks: letters of either case, blanks at the ends
    /// dropped and inner runs of them counted as one, whatever the string type; other values byte for byte.
    ///
    /// Source: RFC 5280 7.1; OpenSSL `x509_name_canon`; OpenJDK `X500Name.equals` (`getRFC2253CanonicalName`).
    pub fn is_same(&self, other: &Name<'_>) -> bool {
        self.der == other.der || self.canonical() == other.canonical()
    }

    /// Bytes that are equal exactly for names that [`Name::is_same`] takes as one. For maps and sorting only.
    pub fn canonical(&self) -> Vec<u8> {
        let rows: Vec<Vec<u8>> = self
            .rows()
            .map(|row| der::write_set_of(row.iter().map(Attribute::canonical).collect()))
            .collect();
        rows.concat()
    }
}

/// RFC 4514: most specific first, `CN=Server,OU=TWS,O=IBM,C=US`. Control characters and other alphabets stay as
/// they are; whoever prints to a terminal escapes them there.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, row) in self.rows().rev().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            for (position, attribute) in row.iter().enumerate() {
                if position > 0 {
                    f.write_str("+")?;
                }
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.to_string())
    }
}

/// Byte for byte; see [`Name::is_same`] for the comparison of path building.
impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Name<'_> {}

/// One `type=value` of a name.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// Its type.
    pub kind: Oid<'a>,
    /// Its value with tag.
    pub value: Element<'a>,
}

impl Attribute<'_> {
    /// The value as text: bytes that are no text of their string type are read as Latin-1; a value that is no
    /// string at all is shown as `#` and hex.
    pub fn text(&self) -> String {
        string_text(&self.value).unwrap_or_else(|| hex_text(self.value.full))
    }

    fn canonical(&self) -> Vec<u8> {
        let kind = der::write_oid(self.kind);
        match string_text(&self.value) {
            Some(text) => {
                let words: Vec<String> = text
                    .split_ascii_whitespace()
                    .map(str::to_ascii_lowercase)
                    .collect();
                der::write_sequence(&[
                    &kind,
                    &der::write(tag::UTF8_STRING, &[words.join(" ").as_bytes()]),
                ])
            }
            None => der::write_sequence(&[&kind, self.value.full]),
        }
    }
}

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (short_name(self.kind), string_text(&self.value)) {
            (Some(kind), Some(text)) => write!(f, "{kind}={}", escaped(&text)),
            (Some(kind), None) => write!(f, "{kind}={}", hex_text(self.value.full)),
            (None, _) => write!(f, "{}={}", self.kind, hex_text(self.value.full)),
        }
    }
}

/// Encodes the text of a name, `CN=Server,OU=TWS,O=IBM,C=US`; blanks around separators are allowed, as keytool
/// prints them. Country, serial number and DN qualifier become PrintableString, e-mail and domain component
/// IA5String, the rest UTF8String.
///
/// # Errors
/// [`NameTextError`] with the part that cannot be read.
pub fn encode(text: &str) -> Result<Vec<u8>, NameTextError> {
    let mut rows = Vec::new();
    if !text.trim().is_empty() {
        for row in split_unescaped(text, ',') {
            let attributes: Result<Vec<Vec<u8>>, NameTextError> = split_unescaped(row, '+')
                .into_iter()
                .map(encode_attribute)
                .collect();
            rows.push(der::write_set_of(attributes?));
        }
    }
    rows.reverse();
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    Ok(der::write_sequence(&rows))
}

/// Text that is not a distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} is not a part of a distinguished name such as CN=server.example.com")]
pub struct NameTextError {
    /// The part that cannot be read.
    pub part: String,
}

fn encode_attribute(part: &str) -> Result<Vec<u8>, NameTextError> {
    let bad = || NameTextError {
        part: part.to_owned(),
    };
    let (kind, value) = part.split_once('=').ok_or_else(bad)?;
    let kind = kind.trim();
    let (_, kind) = SHORT_NAMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(kind))
        .ok_or_else(bad)?;
    let value = unescaped(value).ok_or_else(bad)?;
    let tag = match *kind {
        oid::COUNTRY | oid::SERIAL_NUMBER | oid::DN_QUALIFIER => tag::PRINTABLE_STRING,
        oid::EMAIL_ADDRESS | oid::DOMAIN_COMPONENT => tag::IA5_STRING,
        _ => tag::UTF8_STRING,
    };
    if tag != tag::UTF8_STRING && !value.is_ascii() {
        return Err(bad());
    }
    Ok(der::write_sequence(&[
        &der::write_oid(*kind),
        &der::write(tag, &[value.as_bytes()]),
    ]))
}

fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped, mut quoted) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Takes the escapes and quotes of RFC 4514 and RFC 2253 away; nothing when an escape is cut off or hex is not UTF-8.
fn unescaped(value: &str) -> Option<String> {
    let value = value.trim_start();
    let (mut out, mut keep, mut quoted) = (Vec::new(), 0, false);
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' => {
                let first = characters.next()?;
                match first.to_digit(16) {
                    Some(high) => {
                        let low = characters.next()?.to_digit(16)?;
                        out.push((high * 16 + low) as u8);
                    }
                    None => out.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                keep = out.len();
            }
            _ => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                if quoted || character != ' ' {
                    keep = out.len();
                }
            }
        }
    }
    out.truncate(keep);
    (!quoted).then_some(())?;
    String::from_utf8(out).ok()
}

/// The rows of an encoded name; stops early where it cannot be walked, which [`Name::parse`] rules out.
fn walk(der: &[u8]) -> Vec<Vec<Attribute<'_>>> {
    let Ok(mut rows) = Der::new(der).sequence("name") else {
        return Vec::new();
    };
    let mut all = Vec::new();
    while let Ok(row) = rows.any("relative name") {
        let mut row = row.children();
        let mut attributes = Vec::new();
        while let Ok(element) = row.any("name attribute") {
            attributes.extend(attribute(element));
        }
        all.push(attributes);
    }
    all
}

fn attribute(element: Element<'_>) -> Result<Attribute<'_>, ReadError> {
    let mut parts = element.expect(tag::SEQUENCE, "name attribute")?.children();
    let kind = parts.expect(tag::OID, "attribute type")?.oid("attribute type")?;
    let value = parts.any("attribute value")?;
    parts.finish("attribute value")?;
    Ok(Attribute { kind, value })
}

/// The text of any ASN.1 string type; nothing for another type.
pub(crate) fn string_text(value: &Element<'_>) -> Option<String> {
    let content = value.content;
    match value.tag {
        tag::UTF8_STRING
        | tag::PRINTABLE_STRING
        | tag::IA5_STRING
        | tag::NUMERIC_STRING
        | tag::VISIBLE_STRING
        | tag::TELETEX_STRING => {
            let latin = || content.iter().map(|byte| char::from(*byte)).collect();
            if value.tag == tag::TELETEX_STRING {
                return Some(latin());
            }
            Some(std::str::from_utf8(content).map_or_else(|_| latin(), str::to_owned))
        }
        tag::BMP_STRING => {
            let units = content.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xfffd,
            });
            let units: Vec<u16> = units.collect();
            Some(String::from_utf16_lossy(&units))
        }
        tag::UNIVERSAL_STRING => {
            let codes = content.chunks(4).map(|quad| {
                let code = <[u8; 4]>::try_from(quad)
                    .map(u32::from_be_bytes)
                    .unwrap_or(0xfffd);
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            });
            Some(codes.collect())
        }
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (position, character) in text.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (position == 0 && matches!(character, '#' | ' '))
            || (position == last && character == ' ');
        if special {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn hex_text(bytes: &[u8]) -> String {
    let mut out = String::from("#");
    for byte in bytes {
        out.push_str(&format!("{byte:02X}"));
    }
    out
}

fn short_name(kind: Oid<'_>) -> Option<&'static str> {
    SHORT_NAMES
        .iter()
        .find(|(_, known)| *known == kind)
        .map(|(name, _)| *name)
}

/// The first name of a type is the one that is printed. Source: RFC 4514 3; OpenSSL `obj_mac.h` for the rest.
const SHORT_NAMES: &[(&str, Oid<'static>)] = &[
    ("CN", oid::COMMON_NAME),
    ("OU", oid::ORGANIZATIONAL_UNIT),
    ("O", oid::ORGANIZATION),
    ("L", oid::LOCALITY),
    ("ST", oid::STATE),
    ("C", oid::COUNTRY),
    ("STREET", oid::STREET),
    ("DC", oid::DOMAIN_COMPONENT),
    ("UID", oid::USER_ID),
    ("emailAddress", oid::EMAIL_ADDRESS),
    ("serialNumber", oid::SERIAL_NUMBER),
    ("SN", oid::SURNAME),
    ("GN", oid::GIVEN_NAME),
    ("initials", oid::INITIALS),
    ("generationQualifier", oid::GENERATION),
    ("title", oid::TITLE),
    ("dnQualifier", oid::DN_QUALIFIER),
    ("postalCode", oid::POSTAL_CODE),
    ("organizationIdentifier", oid::ORGANIZATION_IDENTIFIER),
    ("unstructuredName", oid::UNSTRUCTURED_NAME),
    ("E", oid::EMAIL_ADDRESS),
    ("EMAIL", oid::EMAIL_ADDRESS),
    ("S", oid::STATE),
    ("T", oid::TITLE),
    ("SURNAME", oid::SURNAME),
    ("GIVENNAME", oid::GIVEN_NAME),
    ("GENERATION", oid::GENERATION),
];

#[cfg(test)]
mod tests;
