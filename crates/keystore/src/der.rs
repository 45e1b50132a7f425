//! DER as real stores hold it (indefinite and padded lengths included), and a DER writer.
//!
//! | Bytes | Meaning |
//! |---|---|
//! | 1, or more when the low five bits are 31 | tag |
//! | 1 | length below 128, or 80 = up to the end mark, or 81 to 84 = that many length bytes follow |
//! | length | content |
//!
//! Source: X.690 8.1 (BER), 10 and 11 (DER).

use std::borrow::Cow;

use crate::oid::Oid;
use crate::reader::{ReadError, Reader};

/// First octets of the tags that the formats here use.
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// NumericString.
    pub const NUMERIC_STRING: u8 = 0x12;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// TeletexString, also called T61String.
    pub const TELETEX_STRING: u8 = 0x14;
    /// IA5String.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// VisibleString.
    pub const VISIBLE_STRING: u8 = 0x1a;
    /// UniversalString.
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    /// BMPString.
    pub const BMP_STRING: u8 = 0x1e;
    /// SEQUENCE, constructed.
    pub const SEQUENCE: u8 = 0x30;
    /// SET, constructed.
    pub const SET: u8 = 0x31;

    /// `[number]`, primitive: an implicit tag on a string or integer.
    pub const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]`, constructed: an explicit tag, or an implicit one on a sequence.
    pub const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// How deep elements may lie in each other; certificates need about 12, PKCS#12 about 20.
pub const MAX_DEPTH: usize = 64;

/// One element: tag, length, content. Borrowed from the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// First octet of the tag.
    pub tag: u8,
    /// The content, without the end mark of an indefinite length.
    pub content: &'a [u8],
    /// The whole element as it stands in the file, end mark included.
    pub full: &'a [u8],
    /// Where the tag stands in the outermost file.
    pub offset: usize,
    /// Where the content starts in the outermost file.
    pub content_offset: usize,
}

impl<'a> Element<'a> {
    /// Whether the content is a list of elements.
    pub fn is_constructed(&self) -> bool {
        self.tag & 0x20 != 0
    }

    /// A cursor over the elements inside.
    pub fn children(&self) -> Der<'a> {
        Der {
            reader: Reader::at(self.content, self.content_offset),
        }
    }

    /// The element as it is, when it has this tag.
    ///
    /// # Errors
    /// `UnexpectedTag`.
    pub fn expect(self, expected: u8, what: &'static str) -> Result<Self, ReadError> {
        if self.tag == expected {
            return Ok(self);
        }
        Err(ReadError::UnexpectedTag {
            what,
            offset: self.offset,
            expected,
            found: self.tag,
        })
    }

    /// The bytes of an OCTET STRING (or of an implicitly tagged one), put together when it comes in pieces.
    ///
    /// # Errors
    /// `UnexpectedTag` for a piece that is no OCTET STRING, `TooDeep`.
    pub fn octets(&self) -> Result<Cow<'a, [u8]>, ReadError> {
        if !self.is_constructed() {
            return Ok(Cow::Borrowed(self.content));
        }
        let mut whole = Vec::with_capacity(self.content.len());
        self.collect_octets(&mut whole, 0)?;
        Ok(Cow::Owned(whole))
    }

    fn collect_octets(&self, whole: &mut Vec<u8>, depth: usize) -> Result<(), ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep {
                offset: self.offset,
                limit: MAX_DEPTH,
            });
        }
        let mut pieces = self.children();
        while !pieces.is_empty() {
            let piece = pieces.any("piece of an octet string")?;
            match piece.tag {
                tag::OCTET_STRING => whole.extend_from_slice(piece.content),
                0x24 => piece.collect_octets(whole, depth + 1)?,
                _ => piece
                    .expect(tag::OCTET_STRING, "piece of an octet string")
                    .map(|_| ())?,
            }
        }
        Ok(())
    }

    /// The bytes of a BIT STRING whose length is a multiple of eight bits.
    ///
    /// # Errors
    /// `BadValue` when bits are left over or the string has no first octet.
    pub fn whole_bits(&self, what: &'static str) -> Result<&'a [u8], ReadError> {
        match self.bits(what)? {
            (0, bits) => Ok(bits),
            _ => Err(ReadError::BadValue {
                what,
                offset: self.offset,
            }),
        }
    }

    /// The number of unused bits and the bytes of a BIT STRING.
    ///
    /// # Errors
    /// `BadValue` when the first octet is absent or above seven.
    pub fn bits(&self, what: &'static str) -> Result<(u8, &'a [u8]), ReadError> {
        match self.content.split_first() {
            Some((unused @ 0..=7, bits)) if *unused == 0 || !bits.is_empty() => Ok((*unused, bits)),
            _ => Err(ReadError::BadValue {
                what,
                offset: self.offset,
            }),
        }
    }

    /// An INTEGER that fits into 64 bits and is not negative.
    ///
    /// # Errors
    /// `BadValue`.
    pub fn unsigned(&self, what: &'static str) -> Result<u64, ReadError> {
        let bad = ReadError::BadValue {
            what,
            offset: self.offset,
        };
        match self.content.first() {
            None => return Err(bad),
            Some(first) if first & 0x80 != 0 => return Err(bad),
            Some(_) => {}
        }
        let digits = trim_zeros(self.content);
        if digits.len() > 8 {
            return Err(bad);
        }
        Ok(digits.iter().fold(0, |sum, digit| (sum << 8) | u64::from(*digit)))
    }

    /// The object identifier that is the content.
    ///
    /// # Errors
    /// `BadValue`.
    pub fn oid(&self, what: &'static str) -> Result<Oid<'a>, ReadError> {
        Oid::from_content(self.content).ok_or(ReadError::BadValue {
            what,
            offset: self.offset,
        })
    }
}

/// A cursor over a row of elements.
#[derive(Clone)]
pub struct Der<'a> {
    reader: Reader<'a>,
}

impl<'a> Der<'a> {
    /// Starts at the first byte of a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
        }
    }

    /// Starts at the first of `bytes`, which stands at `origin` of the outermost file.
    pub fn at(bytes: &'a [u8], origin: usize) -> Self {
        Self {
            reader: Reader::at(bytes, origin),
        }
    }

    /// Where the next element stands in the outermost file.
    pub fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// Whether all elements are read.
    pub fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// The bytes not yet read.
    pub fn rest(&self) -> &'a [u8] {
        self.reader.peek()
    }

    /// The tag of the next element; nothing at the end.
    pub fn peek_tag(&self) -> Option<u8> {
        self.reader.peek().first().copied()
    }

    /// The next element, whatever it is.
    ///
    /// # Errors
    /// `LengthPastEnd`, `BadValue` (length of more than four bytes), `TooDeep` (indefinite lengths in each other).
    ///
    /// Cost: constant; for an indefinite length one pass over its content.
    pub fn any(&mut self, what: &'static str) -> Result<Element<'a>, ReadError> {
        element(&mut self.reader, what, 0)
    }

    /// The next element, which must have this tag.
    ///
    /// # Errors
    /// Those of [`Der::any`], and `UnexpectedTag`.
    pub fn expect(&mut self, expected: u8, what: &'static str) -> Result<Element<'a>, ReadError> {
        self.any(what)?.expect(expected, what)
    }

    /// The next element if it has this tag.
    ///
    /// # Errors
    /// Those of [`Der::any`].
    pub fn optional(&mut self, tag: u8, what: &'static str) -> Result<Option<Element<'a>>, ReadError> {
        if self.peek_tag() != Some(tag) {
            return Ok(None);
        }
        self.any(what).map(Some)
    }

    /// The elements inside the next SEQUENCE.
    ///
    /// # Errors
    /// Those of [`Der::expect`].
    pub fn sequence(&mut self, what: &'static str) -> Result<Der<'a>, ReadError> {
        Ok(self.expect(tag::SEQUENCE, what)?.children())
    }

    /// Refuses further elements.
    ///
    /// # Errors
    /// `TrailingBytes`.
    pub fn finish(&self, what: &'static str) -> Result<(), ReadError> {
        self.reader.finish(what)
    }
}

/// Reads `bytes` as one element of this tag with nothing behind it.
///
/// # Errors
/// Those of [`Der::expect`] and `TrailingBytes`.
pub fn only<'a>(
    bytes: &'a [u8],
    origin: usize,
    expected: u8,
    what: &'static str,
) -> Result<Element<'a>, ReadError> {
    let mut row = Der::at(bytes, origin);
    let element = row.expect(expected, what)?;
    row.finish(what)?;
    Ok(element)
}

/// `digits` without the zeros in front.
pub fn trim_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    &digits[zeros..]
}

fn element<'a>(reader: &mut Reader<'a>, what: &'static str, depth: usize) -> Result<Element<'a>, ReadError> {
    let offset = reader.offset();
    if depth > MAX_DEPTH {
        return Err(ReadError::TooDeep {
            offset,
            limit: MAX_DEPTH,
        });
    }
    let whole = reader.peek();
    let tag = reader.u8(what)?;
    if tag & 0x1f == 0x1f {
        skip_long_tag(reader, what)?;
    }
    let length = read_length(reader, what)?;
    let content_offset = reader.offset();
    let content = match length {
        Some(length) => reader.take(length, what)?,
        None => up_to_end_mark(reader, what, depth)?,
    };
    let full = &whole[..reader.offset() - offset];
    Ok(Element {
        tag,
        content,
        full,
        offset,
        content_offset,
    })
}

fn skip_long_tag(reader: &mut Reader<'_>, what: &'static str) -> Result<(), ReadError> {
    let offset = reader.offset();
    for _ in 0..5 {
        if reader.u8(what)? & 0x80 == 0 {
            return Ok(());
        }
    }
    Err(ReadError::BadValue { what, offset })
}

/// The length; nothing for an indefinite one.
fn read_length(reader: &mut Reader<'_>, what: &'static str) -> Result<Option<usize>, ReadError> {
    let offset = reader.offset();
    let first = reader.u8(what)?;
    match first {
        0..=0x7f => Ok(Some(usize::from(first))),
        0x80 => Ok(None),
        0xff => Err(ReadError::BadValue { what, offset }),
        _ => {
            let digits = trim_zeros(reader.take(usize::from(first & 0x7f), what)?);
            let length = digits.iter().try_fold(0u64, |sum, digit| {
                sum.checked_mul(256).map(|sum| sum + u64::from(*digit))
            });
            let length = length.ok_or(ReadError::BadValue { what, offset })?;
            let left = reader.left();
            if length > left as u64 {
                return Err(ReadError::LengthPastEnd {
                    what,
                    offset: reader.offset(),
                    length,
                    left,
                });
            }
            Ok(Some(length as usize))
        }
    }
}

fn up_to_end_mark<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
    depth: usize,
) -> Result<&'a [u8], ReadError> {
    let (start, whole) = (reader.offset(), reader.peek());
    loop {
        let length = reader.offset() - start;
        let inner = element(reader, what, depth + 1)?;
        if inner.tag == 0 && inner.full == [0, 0] {
            return Ok(&whole[..length]);
        }
    }
}

/// Writes one element: `tag`, the shortest length, and `parts` one after the other.
pub fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let digits = (length as u64).to_be_bytes();
        let digits = trim_zeros(&digits);
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// SEQUENCE of elements that are already encoded.
pub fn write_sequence(parts: &[&[u8]]) -> Vec<u8> {
    write(tag::SEQUENCE, parts)
}

/// SET OF: the encoded elements in the order that DER asks for.
///
/// Source: X.690 11.6.
pub fn write_set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    write(tag::SET, &parts)
}

/// INTEGER from big-endian digits of a number that is not negative.
pub fn write_unsigned(digits: &[u8]) -> Vec<u8> {
    let digits = trim_zeros(digits);
    match digits.first() {
        None => write(tag::INTEGER, &[&[0]]),
        Some(first) if first & 0x80 != 0 => write(tag::INTEGER, &[&[0], digits]),
        Some(_) => write(tag::INTEGER, &[digits]),
    }
}

/// INTEGER from a small number.
pub fn write_u64(number: u64) -> Vec<u8> {
    write_unsigned(&number.to_be_bytes())
}

/// OBJECT IDENTIFIER.
pub fn write_oid(oid: Oid<'_>) -> Vec<u8> {
    write(tag::OID, &[oid.content()])
}

/// OBJECT IDENTIFIER from its dotted numbers; `None` when the text is none, or a number is past 64 bits.
pub fn write_dotted_oid(dotted: &str) -> Option<Vec<u8>> {
    let mut arcs = dotted.split('.').map(|arc| arc.parse::<u64>().ok());
    let (first, second) = (arcs.next()??, arcs.next()??);
    if first > 2 || (first < 2 && second > 39) {
        return None;
    }
    let mut content = Vec::new();
    push_arc(&mut content, (first * 40).checked_add(second)?);
    for arc in arcs {
        push_arc(&mut content, arc?);
    }
    Some(write(tag::OID, &[&content]))
}

fn push_arc(content: &mut Vec<u8>, arc: u64) {
    let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x80 } else { 0 };
        content.push(more | (arc >> (7 * group) & 0x7f) as u8);
    }
}

/// OCTET STRING.
pub fn write_octets(octets: &[u8]) -> Vec<u8> {
    write(tag::OCTET_STRING, &[octets])
}

/// BIT STRING of whole octets.
pub fn write_bits(octets: &[u8]) -> Vec<u8> {
    write(tag::BIT_STRING, &[&[0], octets])
}

/// NULL.
pub fn write_null() -> Vec<u8> {
    write(tag::NULL, &[])
}

/// AlgorithmIdentifier; `parameters` is encoded, empty when absent.
pub fn write_algorithm(oid: Oid<'_>, parameters: &[u8]) -> Vec<u8> {
    write_sequence(&[&write_oid(oid), parameters])
}

#[cfg(test)]
mod tests;
