//! Just enough DER to walk a certificate: the only place of this crate that slices.

/// One element: its tag, its content, and the whole of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub full: &'a [u8],
}

impl<'a> Element<'a> {
    /// Walks the elements inside.
    pub(crate) fn inside(&self) -> Walk<'a> {
        Walk { rest: self.content }
    }
}

/// Walks elements that lie one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// The next element whatever its tag; `None` at the end or when the bytes are no DER.
    pub(crate) fn any(&mut self) -> Option<Element<'a>> {
        let (&tag, after_tag) = self.rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, after_length) = after_tag.split_first()?;
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let digits = after_length.get(..count)?;
                let length = digits
                    .iter()
                    .fold(0usize, |sum, &digit| sum << 8 | usize::from(digit));
                (length, 2 + count)
            }
            _ => return None,
        };
        let end = header.checked_add(length)?;
        let full = self.rest.get(..end)?;
        let element = Element {
            tag,
            content: full.get(header..)?,
            full,
        };
        self.rest = self.rest.get(end..)?;
        Some(element)
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.any().filter(|element| element.tag == tag)
    }

    /// The next element when it has this tag; otherwise nothing is consumed.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.rest.first() == Some(&tag) {
            self.any()
        } else {
            None
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All elements, or `None` when some bytes are no DER.
    pub(crate) fn all(mut self) -> Option<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            elements.push(self.any()?);
        }
        Some(elements)
    }
}

/// The one element that `bytes` is.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut walk = Walk { rest: bytes };
    let element = walk.expect(tag)?;
    walk.is_empty().then_some(element)
}

/// The text of an OBJECT IDENTIFIER's content: `2.5.29.19`.
pub(crate) fn oid_text(content: &[u8]) -> String {
    let mut arcs: Vec<u128> = Vec::new();
    let mut value: u128 = 0;
    for &octet in content {
        value = value.wrapping_shl(7) | u128::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (value / 40).min(2);
                arcs.push(first);
                value -= first * 40;
            }
            arcs.push(value);
            value = 0;
        }
    }
    let words: Vec<String> = arcs.iter().map(u128::to_string).collect();
    words.join(".")
}

pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
