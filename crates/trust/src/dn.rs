//! Distinguished names: when two are one, and what stands in them.

use std::borrow::Cow;

use crate::asn1::{self, Element, Walk};

/// When two names are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Byte for byte.
    Bytes,
    /// Values in UTF8String or PrintableString of the attributes that RFC 2253 has a word for: letter case, outer blanks
    /// and runs of blanks do not matter. All other values byte for byte.
    ///
    /// Source: OpenJDK 17 `sun.security.x509.AVA.toRFC2253CanonicalString`.
    Java,
    /// Values of any string type: their type, letter case of ASCII, outer blanks and runs of blanks do not matter.
    ///
    /// Source: OpenSSL 3.0 crypto/x509/x_name.c `asn1_string_canon`; RFC 5280 7.1.
    Strings,
}

/// One attribute of a name.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub kind: &'a [u8],
    pub value: Element<'a>,
}

impl Attribute<'_> {
    /// The value as text, whatever string type it has; `None` when it is no string.
    pub(crate) fn text(&self) -> Option<String> {
        text(self.value)
    }
}

/// The relative names of an encoded Name, in file order; `None` when it is no Name.
pub(crate) fn rows(name: &[u8]) -> Option<Vec<Vec<Attribute<'_>>>> {
    let mut rows = Vec::new();
    for row in asn1::only(name, asn1::SEQUENCE)?.inside().all()? {
        let mut attributes = Vec::new();
        let pairs = Walk { rest: row.content }.all()?;
        for pair in pairs {
            let mut parts = pair.inside();
            attributes.push(Attribute {
                kind: parts.expect(asn1::OID)?.content,
                value: parts.any()?,
            });
        }
        rows.push(attributes);
    }
    Some(rows)
}

/// Bytes that are equal for names that path building takes as one; except with [`Naming::Bytes`], also a prefix for names
/// of a subtree.
///
/// Source: recorded verdicts `odd:dn-encoding`, `odd:dn-case`, `odd:dn-space`.
pub(crate) fn canonical(name: &[u8], naming: Naming) -> Option<Cow<'_, [u8]>> {
    if naming == Naming::Bytes {
        return Some(Cow::Borrowed(name));
    }
    let mut out = Vec::new();
    for row in rows(name)? {
        let mut values: Vec<Vec<u8>> = row
            .iter()
            .map(|attribute| canonical_attribute(attribute, naming))
            .collect();
        values.sort();
        push_counted(&mut out, &values.concat());
    }
    Some(Cow::Owned(out))
}

fn canonical_attribute(attribute: &Attribute<'_>, naming: Naming) -> Vec<u8> {
    let mut out = Vec::new();
    push_counted(&mut out, attribute.kind);
    let text = match naming {
        Naming::Java if !is_java_string(attribute) => None,
        _ => attribute.text(),
    };
    match text {
        Some(text) => {
            let text = match naming {
                Naming::Java => text.to_uppercase().to_lowercase(),
                _ => text.to_ascii_lowercase(),
            };
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            out.push(0x0c);
            push_counted(&mut out, words.join(" ").as_bytes());
        }
        None => push_counted(&mut out, attribute.value.full),
    }
    out
}

fn is_java_string(attribute: &Attribute<'_>) -> bool {
    let has_word = match attribute.kind {
        [0x55, 0x04, arc] => matches!(arc, 3 | 6..=11),
        kind => kind.starts_with(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01]),
    };
    has_word && matches!(attribute.value.tag, 0x0c | 0x13)
}

fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn text(value: Element<'_>) -> Option<String> {
    match value.tag {
        0x0c => Some(String::from_utf8_lossy(value.content).into_owned()),
        0x12 | 0x13 | 0x14 | 0x16 | 0x1a => {
            Some(value.content.iter().map(|&octet| char::from(octet)).collect())
        }
        0x1e => {
            let units = value
                .content
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            Some(
                char::decode_utf16(units)
                    .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        0x1c => {
            let units = value
                .content
                .chunks_exact(4)
                .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
            Some(
                units
                    .map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// Common names in file order.
pub(crate) fn common_names(name: &[u8]) -> Vec<String> {
    values(name, &[0x55, 0x04, 0x03])
}

/// Values of the PKCS#9 emailAddress attribute in file order.
pub(crate) fn email_addresses(name: &[u8]) -> Vec<String> {
    values(name, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01])
}

fn values(name: &[u8], kind: &[u8]) -> Vec<String> {
    let rows = rows(name).unwrap_or_default();
    rows.iter()
        .flatten()
        .filter(|attribute| attribute.kind == kind)
        .filter_map(Attribute::text)
        .collect()
}

/// Whether the name has no attribute.
pub(crate) fn is_empty(name: &[u8]) -> bool {
    rows(name).is_some_and(|rows| rows.is_empty())
}

/// `CN=Server, OU=TWS, O=IBM, C=US`: most specific first, as Java and OpenSSL's newer tools print.
pub(crate) fn display(name: &[u8]) -> String {
    let mut parts = Vec::new();
    for row in rows(name).unwrap_or_default().iter().rev() {
        let pairs: Vec<String> = row
            .iter()
            .map(|attribute| {
                let value = attribute.text().unwrap_or_else(|| "?".to_owned());
                match KINDS.iter().find(|(oid, _)| *oid == attribute.kind) {
                    Some((_, kind)) => format!("{kind}={value}"),
                    None => format!("{}={value}", asn1::oid_text(attribute.kind)),
                }
            })
            .collect();
        parts.push(pairs.join("+"));
    }
    parts.join(", ")
}

const KINDS: &[(&[u8], &str)] = &[
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01],
        "EMAILADDRESS",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19],
        "DC",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01],
        "UID",
    ),
];
