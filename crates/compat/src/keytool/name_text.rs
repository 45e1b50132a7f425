//! Distinguished names as Java writes and reads them.

use keystore::Name;
use keystore::der::{self, tag};
use keystore::name::Attribute;
use keystore::oid::Oid;

use crate::keytool::fault::{self, Result};
use crate::keytool::oids;

/// A name as `CN=server, OU=Ops, C=DE`: most specific first, with quotes where a value needs them.
pub(crate) fn show(name: &Name<'_>) -> String {
    let rows: Vec<String> = name.rows().rev().map(|row| show_row(&row)).collect();
    rows.join(", ")
}

fn show_row(row: &[Attribute<'_>]) -> String {
    let parts: Vec<String> = row.iter().map(show_attribute).collect();
    parts.join(" + ")
}

fn show_attribute(attribute: &Attribute<'_>) -> String {
    let kind = attribute.kind.to_string();
    let keyword = match KEYWORDS.iter().find(|(_, known)| *known == kind) {
        Some((keyword, _)) => (*keyword).to_owned(),
        None => format!("OID.{kind}"),
    };
    let is_string = matches!(
        attribute.value.tag,
        tag::UTF8_STRING
            | tag::PRINTABLE_STRING
            | tag::IA5_STRING
            | tag::TELETEX_STRING
            | tag::BMP_STRING
            | tag::UNIVERSAL_STRING
            | 0x1b
    );
    if !is_string {
        let hex: String = attribute
            .value
            .full
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        return format!("{keyword}=#{hex}");
    }
    let text = match attribute.value.tag {
        0x1b => attribute
            .value
            .content
            .iter()
            .map(|byte| char::from(*byte))
            .collect(),
        _ => attribute.text(),
    };
    format!("{keyword}={}", quoted(&text))
}

/// A value in quotes when it begins or ends with a blank, has several in a row, or a character that separates.
fn quoted(text: &str) -> String {
    let is_blank = |character: char| matches!(character, ' ' | '\n');
    let already = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let mut needs = text.starts_with(is_blank) || text.ends_with(is_blank);
    let mut after_blank = false;
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        if already && (at == 0 || at == last) {
            out.push(character);
            continue;
        }
        needs |= SEPARATORS.contains(character);
        if is_blank(character) {
            needs |= after_blank;
        } else if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        after_blank = is_blank(character);
        out.push(character);
    }
    if needs && !already {
        format!("\"{out}\"")
    } else {
        out
    }
}

/// Encodes the text of `-dname`.
///
/// # Errors
/// `IOException` in the words of Java.
pub(crate) fn encode(text: &str) -> Result<Vec<u8>> {
    let mut rows = Vec::new();
    if !text.is_empty() {
        for row in split(text, &[',', ';']) {
            let parts = split(row, &['+']);
            if parts.iter().any(|part| part.is_empty()) {
                return Err(fault::io_fault(format!("empty AVA in RDN \"{row}\"")));
            }
            let attributes: Result<Vec<Vec<u8>>> = parts.into_iter().map(attribute).collect();
            rows.push(der::write_set_of(attributes?));
        }
    }
    rows.reverse();
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    Ok(der::write_sequence(&rows))
}

/// Encodes a name of typed answers, most specific first.
pub(crate) fn of_parts(parts: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut rows = Vec::new();
    for (keyword, value) in parts.iter().rev() {
        rows.push(der::write_set_of(vec![encode_attribute(keyword, value)?]));
    }
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    Ok(der::write_sequence(&rows))
}

/// Splits at separators that are neither escaped nor quoted.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let (mut parts, mut start, mut is_escaped, mut is_quoted) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if !is_quoted && separators.contains(&character) => {
                parts.push(&text[start..at]);
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn attribute(part: &str) -> Result<Vec<u8>> {
    let Some((keyword, value)) = part.split_once('=') else {
        return Err(fault::io_fault("Incorrect AVA format"));
    };
    let keyword = keyword.trim();
    let value = value.trim_start_matches([' ', '\n']);
    if let Some(hex) = value.strip_prefix('#') {
        let kind = kind_of(keyword)?;
        let bytes = bytes_of_hex(hex.trim_end())?;
        return Ok(der::write_sequence(&[&kind, &bytes]));
    }
    let value = if value.starts_with('"') {
        read_quoted(value)?
    } else {
        read_plain(value)?
    };
    encode_attribute(keyword, &value)
}

fn encode_attribute(keyword: &str, value: &str) -> Result<Vec<u8>> {
    let kind = kind_of(keyword)?;
    let is_internet = INTERNET.contains(&dotted(&kind).as_str());
    let tag = match () {
        () if is_internet => tag::IA5_STRING,
        () if value.chars().all(is_printable) => tag::PRINTABLE_STRING,
        () => tag::UTF8_STRING,
    };
    let bytes: Vec<u8> = match tag {
        tag::IA5_STRING => value
            .chars()
            .map(|c| if c.is_ascii() { c as u8 } else { b'?' })
            .collect(),
        _ => value.as_bytes().to_vec(),
    };
    Ok(der::write_sequence(&[&kind, &der::write(tag, &[&bytes])]))
}

fn dotted(encoded: &[u8]) -> String {
    let oid = encoded.get(2..).and_then(Oid::from_content);
    oid.map(|oid| oid.to_string()).unwrap_or_default()
}

/// The encoded identifier of a keyword, `OID.1.2.3` and `1.2.3` included.
fn kind_of(keyword: &str) -> Result<Vec<u8>> {
    let upper = keyword.to_uppercase();
    if let Some((_, kind)) = KEYWORDS.iter().find(|(known, _)| *known == upper) {
        return oids::encode(kind);
    }
    if let Some((_, kind)) = OTHER_KEYWORDS.iter().find(|(known, _)| *known == upper) {
        return oids::encode(kind);
    }
    let number = upper.strip_prefix("OID.").unwrap_or(&upper);
    if number.starts_with(|character: char| character.is_ascii_digit()) {
        return oids::encode(number);
    }
    Err(fault::io_fault(format!("Invalid keyword \"{keyword}\"")))
}

fn read_quoted(value: &str) -> Result<String> {
    let mut characters = value.chars().skip(1);
    let mut out = String::new();
    loop {
        match characters.next() {
            None => return Err(fault::io_fault("Quoted string did not end in quote")),
            Some('"') => break,
            Some('\\') => match characters.next() {
                Some(escaped) => out.push(escaped),
                None => return Err(fault::io_fault("Invalid escaped character in AVA: '\u{ffff}'")),
            },
            Some(other) => out.push(other),
        }
    }
    if characters.any(|rest| !matches!(rest, ' ' | '\n')) {
        return Err(fault::io_fault(
            "AVA had characters other than whitespace after terminating quote",
        ));
    }
    Ok(out)
}

fn read_plain(value: &str) -> Result<String> {
    let mut out: Vec<u8> = Vec::new();
    let mut keep = 0;
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\' {
            let first = characters
                .next()
                .ok_or_else(|| fault::io_fault("Invalid trailing backslash"))?;
            match (
                first.to_digit(16),
                characters.peek().and_then(|next| next.to_digit(16)),
            ) {
                (Some(high), Some(low)) => {
                    characters.next();
                    out.push((high * 16 + low) as u8);
                }
                _ if ESCAPABLE.contains(first) => out.push(first as u8),
                _ => {
                    return Err(fault::io_fault(format!(
                        "Invalid escaped character in AVA: '{first}'"
                    )));
                }
            }
            keep = out.len();
            continue;
        }
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        if character != ' ' && character != '\n' {
            keep = out.len();
        }
    }
    out.truncate(keep);
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn bytes_of_hex(hex: &str) -> Result<Vec<u8>> {
    let digit = |character: char| {
        let wrong = || fault::io_fault(format!("AVA parse, invalid hex digit: {character}"));
        character.to_digit(16).ok_or_else(wrong)
    };
    let digits = hex.chars().map(digit).collect::<Result<Vec<u32>>>()?;
    if digits.is_empty() {
        return Err(fault::io_fault("AVA parse, zero hex digits"));
    }
    if !digits.len().is_multiple_of(2) {
        return Err(fault::io_fault("AVA parse, odd number of hex digits"));
    }
    Ok(digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect())
}

/// PrintableString's alphabet.
fn is_printable(character: char) -> bool {
    character.is_ascii_alphanumeric() || " '()+,-./:=?".contains(character)
}

/// What may stand behind a backslash.
const ESCAPABLE: &str = ",=\n+<>#;\\\" ";

const SEPARATORS: &str = ",+=\n<>#;\\\"";

/// E-mail address and domain component: IA5String.
const INTERNET: &[&str] = &["1.2.840.113549.1.9.1", "0.9.2342.19200300.100.1.25"];

/// Keyword and identifier, as they are printed; the others are only read.
const KEYWORDS: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("T", "2.5.4.12"),
    ("IP", "1.3.6.1.4.1.42.2.11.2.1"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("DNQ", "2.5.4.46"),
    ("SURNAME", "2.5.4.4"),
    ("GIVENNAME", "2.5.4.42"),
    ("INITIALS", "2.5.4.43"),
    ("GENERATION", "2.5.4.44"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("SERIALNUMBER", "2.5.4.5"),
];

const OTHER_KEYWORDS: &[(&str, &str)] = &[
    ("S", "2.5.4.8"),
    ("DNQUALIFIER", "2.5.4.46"),
    ("EMAIL", "1.2.840.113549.1.9.1"),
];

#[cfg(test)]
mod tests;
