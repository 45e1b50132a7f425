//! Bytes as Java dumps them.

/// Lines of 16 bytes: offset, hex, and what is printable.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (number, line) in bytes.chunks(16).enumerate() {
        out.push_str(&format!("{:04X}: ", (number * 16) & 0xffff));
        for at in 0..16 {
            match line.get(at) {
                Some(byte) => out.push_str(&format!("{byte:02X} ")),
                None => out.push_str("   "),
            }
            if at == 7 {
                out.push_str("  ");
            }
        }
        out.push(' ');
        out.extend(line.iter().map(|byte| {
            if (b' '..=b'z').contains(byte) {
                char::from(*byte)
            } else {
                '.'
            }
        }));
        out.push('\n');
    }
    out
}

/// `AB:CD:EF`.
pub(crate) fn colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
