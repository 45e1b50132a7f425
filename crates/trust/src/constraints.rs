//! Name constraints (RFC 5280 4.2.1.10), as each family applies them.

pub(crate) mod gnutls;
pub(crate) mod go;
pub(crate) mod java;
pub(crate) mod nss;
pub(crate) mod webpki;

use crate::cert::Cert;
use crate::dn::{self, Naming};
use crate::extension::{General, Subtrees};

/// How a constraint fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    Excluded,
    NotPermitted,
    Unsupported,
}

/// A name that constraints are applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    Directory(&'a [u8]),
    Dns(Vec<u8>),
    Email(Vec<u8>),
    Ip(Vec<u8>),
    Other,
    Uri(&'a [u8]),
}

impl<'a> Subject<'a> {
    fn of(name: General<'a>) -> Self {
        match name {
            General::Directory(name) => Self::Directory(name),
            General::Dns(name) => Self::Dns(name.to_vec()),
            General::Email(name) => Self::Email(name.to_vec()),
            General::Ip(address) => Self::Ip(address.to_vec()),
            General::Other(_) => Self::Other,
            General::Uri(uri) => Self::Uri(uri),
        }
    }
}

/// `NAME_CONSTRAINTS_check`, and `NAME_CONSTRAINTS_check_CN` for an end entity without dNSName.
///
/// Source: OpenSSL 3.0 crypto/x509/v3_ncons.c; verdicts of family `nc`.
pub(crate) fn openssl(cert: &Cert<'_>, subtrees: &Subtrees<'_>, is_leaf: bool) -> Result<(), Violation> {
    let mut subjects = Vec::new();
    if !dn::is_empty(cert.subject) {
        subjects.push(Subject::Directory(cert.subject));
        subjects.extend(
            dn::email_addresses(cert.subject)
                .into_iter()
                .map(|text| Subject::Email(text.into_bytes())),
        );
    }
    let names = cert.extensions.names.iter().flatten();
    subjects.extend(names.map(|name| Subject::of(*name)));
    let has_dns = subjects.iter().any(|subject| matches!(subject, Subject::Dns(_)));
    if is_leaf && !has_dns {
        let common = dn::common_names(cert.subject)
            .into_iter()
            .filter(|text| looks_like_host(text));
        subjects.extend(common.map(|text| Subject::Dns(text.into_bytes())));
    }
    for subject in &subjects {
        within(subject, subtrees)?;
    }
    Ok(())
}

/// At least one permitted subtree of its kind, if there are any, and no excluded one.
fn within(subject: &Subject<'_>, subtrees: &Subtrees<'_>) -> Result<(), Violation> {
    let (mut has_kind, mut is_permitted) = (false, false);
    for base in &subtrees.permitted {
        if let Some(inside) = lies_in(subject, base)? {
            has_kind = true;
            is_permitted |= inside;
        }
    }
    if has_kind && !is_permitted {
        return Err(Violation::NotPermitted);
    }
    for base in &subtrees.excluded {
        if lies_in(subject, base)? == Some(true) {
            return Err(Violation::Excluded);
        }
    }
    Ok(())
}

/// Whether the name lies in the subtree; `None` when they are of different kinds.
fn lies_in(subject: &Subject<'_>, base: &General<'_>) -> Result<Option<bool>, Violation> {
    Ok(Some(match (subject, base) {
        (Subject::Directory(name), General::Directory(base)) => directory_in(name, base, Naming::Strings),
        (Subject::Dns(name), General::Dns(base)) => dns_in(name, base),
        (Subject::Email(name), General::Email(base)) => email_in(name, base).ok_or(Violation::Unsupported)?,
        (Subject::Ip(address), General::Ip(base)) => ip_in(address, base).ok_or(Violation::Unsupported)?,
        (Subject::Uri(uri), General::Uri(base)) => uri_in(uri, base).ok_or(Violation::Unsupported)?,
        _ => return Ok(None),
    }))
}

/// The base is a prefix of the name, relative name by relative name.
pub(crate) fn directory_in(name: &[u8], base: &[u8], naming: Naming) -> bool {
    match (dn::canonical(name, naming), dn::canonical(base, naming)) {
        (Some(name), Some(base)) => name.starts_with(&base),
        _ => false,
    }
}

/// Equal, or with labels more at the left. A base with a leading dot wants at least one more.
pub(crate) fn dns_in(name: &[u8], base: &[u8]) -> bool {
    if base.is_empty() {
        return true;
    }
    let Some(at) = name.len().checked_sub(base.len()) else {
        return false;
    };
    let is_at_border = at == 0 || base.first() == Some(&b'.') || name.get(at - 1) == Some(&b'.');
    is_at_border && name.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(base))
}

/// A whole address, a host, or with a leading dot any host below. `None`: no address.
fn email_in(name: &[u8], base: &[u8]) -> Option<bool> {
    let at = name.iter().rposition(|&octet| octet == b'@')?;
    let host = name.get(at + 1..)?;
    if base.first() == Some(&b'.') {
        return Some(name.len() > base.len() && ends_with(name, base));
    }
    match base.iter().rposition(|&octet| octet == b'@') {
        Some(base_at) => {
            let local = base.get(..base_at)?;
            let same_local = local.is_empty() || name.get(..at)? == local;
            Some(same_local && host.eq_ignore_ascii_case(base.get(base_at + 1..)?))
        }
        None => Some(host.eq_ignore_ascii_case(base)),
    }
}

fn ends_with(name: &[u8], tail: &[u8]) -> bool {
    let at = name.len().checked_sub(tail.len());
    at.and_then(|at| name.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(tail))
}

/// Address under mask. `None`: a length that is no address.
pub(crate) fn ip_in(address: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!(address.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return None;
    }
    if address.len() * 2 != base.len() {
        return Some(false);
    }
    let (network, mask) = base.split_at(address.len());
    Some(
        address
            .iter()
            .zip(network)
            .zip(mask)
            .all(|((a, n), m)| (a ^ n) & m == 0),
    )
}

/// The host of the URI. `None`: no URI with a host.
fn uri_in(uri: &[u8], base: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(uri).ok()?;
    let (_, rest) = text.split_once("://")?;
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let host = rest.get(..end)?.as_bytes();
    if host.is_empty() {
        return None;
    }
    if base.first() == Some(&b'.') {
        return Some(host.len() > base.len() && ends_with(host, base));
    }
    Some(host.eq_ignore_ascii_case(base))
}

/// `cn2dnsid`: letters, digits, underscores and hyphens in at least two labels.
fn looks_like_host(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    labels.len() > 1
        && labels.iter().all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
        })
}

/// Labels of visible ASCII, none empty.
pub(crate) fn is_printable_host(name: &[u8]) -> bool {
    name.split(|&octet| octet == b'.')
        .all(|label| !label.is_empty() && label.iter().all(u8::is_ascii_graphic))
}
