//! Certificates in a file, as Java's factory finds them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::der::{Der, tag};
use keystore::{Certificate, Curve, Format, KeyKind, Limits, ReadError};

use crate::keytool::extension_text;

/// All certificates: of one PKCS#7, DER or PEM, or else one after the other. `None` when something in it is no
/// certificate; no bytes at all are an
/// empty list.
pub(crate) fn all(bytes: &[u8]) -> Option<Vec<Certificate>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((der, left)) = next(rest)? {
        if found.is_empty()
            && let Some(many) = of_pkcs7(&der)
        {
            return Some(many);
        }
        found.push(parse(&der)?);
        rest = left;
    }
    (bytes.is_empty() || !found.is_empty()).then_some(found)
}

/// The first certificate; `None` when what comes first is none.
pub(crate) fn first(bytes: &[u8]) -> Option<Certificate> {
    let (der, _) = next(bytes)??;
    parse(&der)
}

/// Whether a request comes first.
pub(crate) fn is_request(bytes: &[u8]) -> bool {
    let first = next(bytes).flatten();
    first.is_some_and(|(der, _)| keystore::Request::parse(&der).is_ok())
}

/// A certificate that Java accepts: with an issuer, with a subject or a critical alternative name, without damage in
/// what is critical, and on no curve that is spelled out and unknown.
fn parse(der: &[u8]) -> Option<Certificate> {
    let certificate = Certificate::parse(der).ok()?;
    let is_named_otherwise = || {
        let name = certificate.extension(keystore::oid::SUBJECT_ALT_NAME);
        name.is_some_and(|name| name.critical)
    };
    let has_names =
        !certificate.issuer().is_empty() && (!certificate.subject().is_empty() || is_named_otherwise());
    let is_explicit = matches!(
        certificate.public_key().kind(),
        KeyKind::Ec {
            curve: Curve::Explicit
        }
    );
    let is_accepted = has_names && !is_explicit && extension_text::are_accepted(certificate.extensions());
    is_accepted.then_some(certificate)
}

/// The next DER or PEM object and what follows it. `None`: damaged; `Some(None)`: the end.
#[allow(clippy::option_option)]
pub(crate) fn next(bytes: &[u8]) -> Option<Option<(Vec<u8>, &[u8])>> {
    if bytes.is_empty() {
        return Some(None);
    }
    if bytes[0] == 0x30 {
        let length = der_length(bytes)?;
        let (der, rest) = bytes.split_at_checked(length)?;
        return Some(Some((der.to_vec(), rest)));
    }
    next_pem(bytes)
}

/// Looks for a line of hyphens, as Java does: any text before it is passed over.
#[allow(clippy::option_option)]
fn next_pem(bytes: &[u8]) -> Option<Option<(Vec<u8>, &[u8])>> {
    let at_line_start = |at: &usize| *at == 0 || matches!(bytes[*at - 1], b'\n' | b'\r');
    let mut marks = bytes
        .windows(5)
        .enumerate()
        .filter(|(_, window)| *window == b"-----");
    let Some(begin) = marks.find(|(at, _)| at_line_start(at)).map(|(at, _)| at) else {
        return Some(None);
    };
    let after = &bytes[begin..];
    let line_end = after.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let header = std::str::from_utf8(&after[..line_end]).ok()?;
    let header = header.trim_end().strip_prefix("-----BEGIN")?;
    let body = &after[line_end..];
    let end = body.iter().position(|byte| *byte == b'-')?;
    let footer_end = body[end..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(body.len(), |at| end + at);
    let footer = std::str::from_utf8(&body[end..footer_end]).ok()?;
    if footer.trim_end().strip_prefix("-----END") != Some(header) {
        return None;
    }
    let packed: Vec<u8> = body[..end]
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let der = STANDARD.decode(packed).ok()?;
    let rest = &body[footer_end..];
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\n' | b'\r'))
        .count();
    Some(Some((der, &rest[blanks..])))
}

fn of_pkcs7(der: &[u8]) -> Option<Vec<Certificate>> {
    if keystore::sniff(der) != Some(Format::Pkcs7) {
        return None;
    }
    let store = keystore::read(der, None, &Limits::default()).ok()?;
    Some(
        store
            .entries()
            .iter()
            .flat_map(|entry| entry.certificates().to_vec())
            .collect(),
    )
}

/// The revocation lists in a PKCS#7; nothing for any other bytes.
pub(crate) fn lists_of_pkcs7(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    if keystore::sniff(der) != Some(Format::Pkcs7) {
        return None;
    }
    let read = || -> Result<Vec<Vec<u8>>, ReadError> {
        let mut outer = Der::new(der).sequence("PKCS#7")?;
        outer.any("content type")?;
        let mut signed = outer.any("content")?.children().sequence("signed content")?;
        let mut found = Vec::new();
        while !signed.is_empty() {
            let part = signed.any("signed content")?;
            let mut lists = part.children();
            while part.tag == tag::context_constructed(1) && !lists.is_empty() {
                found.push(lists.any("revocation list")?.full.to_vec());
            }
        }
        Ok(found)
    };
    read().ok()
}

/// Length of the DER object at the start, header included.
fn der_length(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.get(1)?;
    let (header, length) = match first {
        0..=0x7f => (2, usize::from(first)),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = bytes.get(2..2 + count)?;
            (
                2 + count,
                digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
            )
        }
        _ => return None,
    };
    header.checked_add(length)
}
