//! `-ext`: extensions from text.

use std::collections::BTreeMap;

use keystore::der::{self, tag};
use keystore::{Extension, PublicKey};

use crate::keytool::fault::{self, Result, Stop};
use crate::keytool::oids;

mod names;

/// `SEQUENCE OF Extension`, in the order of the identifiers as text, which is the order of the original.
///
/// `requested` are those of a request that `honored=` can let in, `kept` those of an old certificate, `authority` is
/// the key identifier of the issuer.
///
/// # Errors
/// For text that is no extension, in the words of Java.
pub(crate) fn build(
    requested: Option<&[Extension<'_>]>,
    kept: &[Extension<'_>],
    texts: &[String],
    spki: &[u8],
    authority: Option<&[u8]>,
) -> Result<Vec<u8>> {
    rows(requested, kept, texts, spki, authority).map_err(|stop| match stop {
        // The original wraps what its own encoders refuse.
        Stop::Fault(fault) if fault.class.starts_with("java.io.") || fault.class.starts_with("java.net.") => {
            fault::of_class("java.lang.RuntimeException", fault.to_string())
        }
        other => other,
    })
}

fn rows(
    requested: Option<&[Extension<'_>]>,
    kept: &[Extension<'_>],
    texts: &[String],
    spki: &[u8],
    authority: Option<&[u8]>,
) -> Result<Vec<u8>> {
    let mut rows = Rows(BTreeMap::new());
    for extension in kept {
        rows.put_raw(extension);
    }
    let own = der::write_octets(&key_identifier(spki));
    rows.put("2.5.29.14", false, &own)?;
    if let Some(authority) = authority {
        let id = der::write(tag::context(0), &[authority]);
        rows.put("2.5.29.35", false, &der::write_sequence(&[&id]))?;
    }
    if let Some(requested) = requested {
        honor(&mut rows, requested, texts)?;
    }
    for text in texts {
        one(&mut rows, text)?;
    }
    let rows: Vec<&[u8]> = rows.0.values().map(Vec::as_slice).collect();
    Ok(der::write_sequence(&rows))
}

/// SHA-1 of the public key's bits, as RFC 5280 4.2.1.2 has it first.
pub(crate) fn key_identifier(spki: &[u8]) -> Vec<u8> {
    let bits = PublicKey::parse(spki, 0).map_or(spki, |key| key.bits);
    openssl::sha::sha1(bits).to_vec()
}

/// Encoded extensions by dotted identifier.
struct Rows(BTreeMap<String, Vec<u8>>);

impl Rows {
    fn put(&mut self, oid: &str, is_critical: bool, value: &[u8]) -> Result<()> {
        let critical = if is_critical {
            der::write(tag::BOOLEAN, &[&[0xff]])
        } else {
            Vec::new()
        };
        let row = der::write_sequence(&[&oids::encode(oid)?, &critical, &der::write_octets(value)]);
        self.0.insert(oid.to_owned(), row);
        Ok(())
    }

    fn put_raw(&mut self, extension: &Extension<'_>) {
        self.put_as(extension, extension.critical);
    }

    fn put_as(&mut self, extension: &Extension<'_>, is_critical: bool) {
        let critical = if is_critical {
            der::write(tag::BOOLEAN, &[&[0xff]])
        } else {
            Vec::new()
        };
        let row = der::write_sequence(&[
            &der::write_oid(extension.oid),
            &critical,
            &der::write_octets(extension.value),
        ]);
        self.0.insert(extension.oid.to_string(), row);
    }
}

/// Lets in what a request asks for, as far as the first `honored=` says.
fn honor(rows: &mut Rows, requested: &[Extension<'_>], texts: &[String]) -> Result<()> {
    let lower = texts.iter().map(|text| text.to_lowercase());
    let Some(list) = lower
        .filter_map(|text| text.strip_prefix("honored=").map(str::to_owned))
        .next()
    else {
        return Ok(());
    };
    let items: Vec<&str> = list.split(',').collect();
    if items.contains(&"all") {
        requested.iter().for_each(|extension| rows.put_raw(extension));
    }
    for item in items.into_iter().filter(|item| *item != "all") {
        if let Some(name) = item.strip_prefix('-') {
            let oid = identifier(name)?;
            rows.0.remove(&oid).ok_or_else(|| not_asked(&oid))?;
            continue;
        }
        let (name, action) = match item.split_once(':') {
            Some((name, action)) => match one_of(action, &["critical", "non-critical"])? {
                Some(action) => (name, Some(action == 0)),
                None => return Err(illegal(item)),
            },
            None => (item, None),
        };
        let wanted = identifier(name)?;
        let Some(found) = requested
            .iter()
            .find(|extension| extension.oid.to_string() == wanted)
        else {
            return Err(not_asked(&wanted));
        };
        rows.put_as(found, action.unwrap_or(found.critical));
    }
    Ok(())
}

fn not_asked(oid: &str) -> Stop {
    fault::io_fault(format!("No extension found with name {oid}"))
}

/// One `name{:critical}{=value}`.
fn one(rows: &mut Rows, text: &str) -> Result<()> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let (name, is_critical) = match name.split_once(':') {
        Some((name, mark)) => (name, one_of(mark, &["critical"])? == Some(0)),
        None => (name, false),
    };
    if name.eq_ignore_ascii_case("honored") {
        return Ok(());
    }
    let Some(kind) = one_of_experimental(name)? else {
        return rows.put(name, is_critical, &hex_value(name, value, text)?);
    };
    let oid = SUPPORTED[kind].1;
    let needed = || value.ok_or_else(|| illegal(text));
    let encoded = match kind {
        0 => basic_constraints(value, text)?,
        1 => key_usage(needed()?)?,
        2 => extended_key_usage(needed()?)?,
        3 | 4 => der::write_sequence(&[&names::list(needed()?, text, kind == 3)?]),
        5 | 6 if is_critical => {
            return Err(fault::plain(format!(
                "This extension cannot be marked as critical. {text}"
            )));
        }
        5 | 6 => access(needed()?, text)?,
        _ => {
            let full_name = der::write(
                tag::context_constructed(0),
                &[&names::list(needed()?, text, false)?],
            );
            let point = der::write_sequence(&[&der::write(tag::context_constructed(0), &[&full_name])]);
            der::write_sequence(&[&point])
        }
    };
    rows.put(oid, is_critical, &encoded)
}

fn basic_constraints(value: Option<&str>, text: &str) -> Result<Vec<u8>> {
    let (mut is_authority, mut length) = (value.is_none(), None);
    if let Some(number) = value.and_then(|value| value.parse::<i32>().ok()) {
        (is_authority, length) = (true, Some(number));
    } else if let Some(value) = value {
        for part in value.split(',') {
            match part.split(':').collect::<Vec<_>>().as_slice() {
                [key, flag] if key.eq_ignore_ascii_case("ca") => {
                    is_authority = flag.eq_ignore_ascii_case("true")
                }
                [key, number] if key.eq_ignore_ascii_case("pathlen") => {
                    let number: i32 = number.parse().map_err(|_| {
                        let message = format!("For input string: \"{number}\"");
                        fault::of_class("java.lang.NumberFormatException", message)
                    })?;
                    length = Some(number);
                }
                _ => return Err(illegal(text)),
            }
        }
    }
    let flag = if is_authority {
        der::write(tag::BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    let length = match length {
        Some(length) if is_authority && length >= 0 => der::write_u64(length as u64),
        _ => Vec::new(),
    };
    Ok(der::write_sequence(&[&flag, &length]))
}

fn key_usage(value: &str) -> Result<Vec<u8>> {
    let mut bits = 0u16;
    for part in value.split(',') {
        let bit = match one_of(part, USAGES)? {
            Some(9) => 1,
            Some(bit) => bit,
            None => return Err(fault::plain(format!("Unknown keyUsage type: {part}"))),
        };
        bits |= 0x8000 >> bit;
    }
    let unused = if bits == 0 { 0 } else { bits.trailing_zeros() };
    let bytes = bits.to_be_bytes();
    let used = &bytes[..usize::from(bits != 0) + usize::from(unused < 8 && bits != 0)];
    let unused = [(unused % 8) as u8];
    Ok(der::write(tag::BIT_STRING, &[&unused, used]))
}

fn extended_key_usage(value: &str) -> Result<Vec<u8>> {
    let mut purposes = Vec::new();
    for part in value.split(',') {
        let names: Vec<&str> = PURPOSES.iter().map(|(name, _)| *name).collect();
        let oid = match one_of(part, &names)? {
            Some(number) => PURPOSES[number].1,
            None => part,
        };
        let encoded = oids::encode(oid);
        purposes.push(encoded.map_err(|_| fault::plain(format!("Unknown extendedkeyUsage type: {part}")))?);
    }
    let rows: Vec<&[u8]> = purposes.iter().map(Vec::as_slice).collect();
    Ok(der::write_sequence(&rows))
}

fn access(value: &str, text: &str) -> Result<Vec<u8>> {
    let mut rows = Vec::new();
    for part in value.split(',') {
        let mut pieces = part.splitn(3, ':');
        let (Some(method), Some(kind), Some(location)) = (pieces.next(), pieces.next(), pieces.next()) else {
            return Err(illegal(text));
        };
        let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
        let oid = match one_of(method, &names)? {
            Some(number) => METHODS[number].1,
            None => method,
        };
        let encoded = oids::encode(oid);
        let encoded =
            encoded.map_err(|_| fault::plain(format!("Unknown AccessDescription type: {method}")))?;
        rows.push(der::write_sequence(&[
            &encoded,
            &names::one(kind, location, false)?,
        ]));
    }
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    Ok(der::write_sequence(&rows))
}

/// The value of an extension that is named by its identifier: hex digits, anything else between them ignored.
fn hex_value(name: &str, value: Option<&str>, text: &str) -> Result<Vec<u8>> {
    oids::encode(name)?;
    let digits: Vec<u32> = value
        .unwrap_or_default()
        .chars()
        .filter_map(|character| character.to_digit(16))
        .collect();
    if !digits.len().is_multiple_of(2) {
        return Err(fault::plain(format!("Odd number of hex digits found: {text}")));
    }
    Ok(digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect())
}

/// The dotted identifier of a name of an extension.
fn identifier(name: &str) -> Result<String> {
    match one_of_experimental(name)? {
        Some(kind) => Ok(SUPPORTED[kind].1.to_owned()),
        None => oids::encode(name).map(|_| name.to_owned()),
    }
}

fn one_of_experimental(name: &str) -> Result<Option<usize>> {
    // What stands last is experimental: it never makes another name ambiguous.
    let names: Vec<&str> = SUPPORTED.iter().map(|(name, _)| *name).collect();
    let (last, first) = names.split_last().expect("the table has rows");
    match one_of(name, first)? {
        Some(found) => Ok(Some(found)),
        None => Ok(one_of(name, &[last])?.map(|_| first.len())),
    }
}

/// Finds a word in a list: exactly, else by its capitals or its beginning, else those without regard to case.
///
/// # Errors
/// When several fit.
pub(super) fn one_of(word: &str, list: &[&str]) -> Result<Option<usize>> {
    let exact = |known: &str| known == word;
    let near = |known: &str| capitals(known) == word || known.starts_with(word);
    let lower = word.to_lowercase();
    let loose =
        |known: &str| capitals(known).to_lowercase() == lower || known.to_lowercase().starts_with(&lower);
    let tests: [&dyn Fn(&str) -> bool; 3] = [&exact, &near, &loose];
    for test in tests {
        let found: Vec<usize> = (0..list.len()).filter(|at| test(list[*at])).collect();
        match found.as_slice() {
            [] => {}
            [only] => return Ok(Some(*only)),
            several => {
                let names: Vec<&str> = several.iter().map(|at| list[*at]).collect();
                return Err(fault::plain(format!(
                    "command {word} is ambiguous:\n     {}",
                    names.join(" ")
                )));
            }
        }
    }
    Ok(None)
}

/// The first letter and all that are not small.
fn capitals(word: &str) -> String {
    let keep = |(at, character): &(usize, char)| *at == 0 || !character.is_ascii_lowercase();
    word.char_indices()
        .filter(keep)
        .map(|(_, character)| character)
        .collect()
}

pub(super) fn illegal(text: &str) -> fault::Stop {
    fault::plain(format!("Illegal value: {text}"))
}

const SUPPORTED: &[(&str, &str)] = &[
    ("BasicConstraints", "2.5.29.19"),
    ("KeyUsage", "2.5.29.15"),
    ("ExtendedKeyUsage", "2.5.29.37"),
    ("SubjectAlternativeName", "2.5.29.17"),
    ("IssuerAlternativeName", "2.5.29.18"),
    ("SubjectInfoAccess", "1.3.6.1.5.5.7.1.11"),
    ("AuthorityInfoAccess", "1.3.6.1.5.5.7.1.1"),
    ("CRLDistributionPoints", "2.5.29.31"),
];

const USAGES: &[&str] = &[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
    "contentCommitment",
];

const PURPOSES: &[(&str, &str)] = &[
    ("anyExtendedKeyUsage", "2.5.29.37.0"),
    ("serverAuth", "1.3.6.1.5.5.7.3.1"),
    ("clientAuth", "1.3.6.1.5.5.7.3.2"),
    ("codeSigning", "1.3.6.1.5.5.7.3.3"),
    ("emailProtection", "1.3.6.1.5.5.7.3.4"),
    ("timeStamping", "1.3.6.1.5.5.7.3.8"),
    ("OCSPSigning", "1.3.6.1.5.5.7.3.9"),
];

const METHODS: &[(&str, &str)] = &[
    ("ocsp", "1.3.6.1.5.5.7.48.1"),
    ("caIssuers", "1.3.6.1.5.5.7.48.2"),
    ("timeStamping", "1.3.6.1.5.5.7.48.3"),
    ("caRepository", "1.3.6.1.5.5.7.48.5"),
];
