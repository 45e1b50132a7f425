//! Java's modified UTF-8: NUL is `C0 80`, characters above U+FFFF are two surrogates of three bytes each.
//!
//! Source: `java.io.DataInput.readUTF`.

/// The text; `None` for what Java refuses with `UTFDataFormatException`. A lone surrogate becomes U+FFFD.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let more = |byte: &u8| (byte & 0xc0 == 0x80).then_some(u16::from(byte & 0x3f));
        let (unit, after) = match (first, after) {
            (0..=0x7f, after) => (u16::from(first), after),
            (0xc0..=0xdf, [second, after @ ..]) => (u16::from(first & 0x1f) << 6 | more(second)?, after),
            (0xe0..=0xef, [second, third, after @ ..]) => (
                u16::from(first & 0x0f) << 12 | more(second)? << 6 | more(third)?,
                after,
            ),
            _ => return None,
        };
        units.push(unit);
        rest = after;
    }
    Some(String::from_utf16_lossy(&units))
}

/// The bytes of a text, without the length in front.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match unit {
            1..=0x7f => bytes.push(unit as u8),
            0 | 0x80..=0x7ff => {
                bytes.extend_from_slice(&[0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8])
            }
            0x800.. => bytes.extend_from_slice(&[
                0xe0 | (unit >> 12) as u8,
                0x80 | (unit >> 6 & 0x3f) as u8,
                0x80 | (unit & 0x3f) as u8,
            ]),
        }
    }
    bytes
}
