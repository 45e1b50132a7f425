//! `X509_check_host` and `X509_check_ip`.

use super::{Peer, addresses, common_names, dns_names, has_dns};
use crate::cert::Cert;

/// Whether the certificate is for the name. `partial`: `agent*.example` counts as a wildcard
/// (off with `X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS`).
///
/// Source: OpenSSL 3.0 `do_x509_check`, `valid_star`, `wildcard_match`; recorded verdicts of family `name`.
pub(crate) fn openssl(cert: &Cert<'_>, peer: &Peer<'_>, partial: bool) -> bool {
    match peer {
        Peer::Ip { address, .. } => addresses(cert).contains(address),
        Peer::Dns(host) if has_dns(cert) => dns_names(cert)
            .iter()
            .any(|pattern| matches(pattern.as_bytes(), host.as_bytes(), partial)),
        Peer::Dns(host) => common_names(cert)
            .iter()
            .any(|pattern| matches(pattern.as_bytes(), host.as_bytes(), partial)),
    }
}

fn matches(pattern: &[u8], host: &[u8], partial: bool) -> bool {
    if pattern.contains(&0) || pattern.is_empty() {
        return false;
    }
    match star(pattern, partial) {
        Some(at) => matches_star(&pattern[..at], &pattern[at + 1..], host),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// The one star that may stand for something: in the first of at least three labels, at its start or end.
fn star(pattern: &[u8], partial: bool) -> Option<usize> {
    let mut found = None;
    let mut dots = 0;
    let (mut at_start, mut after_hyphen, mut is_idna) = (true, false, false);
    for (at, &octet) in pattern.iter().enumerate() {
        match octet {
            b'*' => {
                let at_end = pattern.get(at + 1).is_none_or(|&next| next == b'.');
                let is_whole = at_start && at_end;
                if found.is_some() || is_idna || dots > 0 || (!partial && !is_whole) || (!at_start && !at_end)
                {
                    return None;
                }
                found = Some(at);
                at_start = false;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                let rest = &pattern[at..];
                is_idna |= at_start && rest.len() >= 4 && rest[..4].eq_ignore_ascii_case(b"xn--");
                (at_start, after_hyphen) = (false, false);
            }
            b'.' => {
                if at_start || after_hyphen {
                    return None;
                }
                (at_start, after_hyphen, is_idna) = (true, false, false);
                dots += 1;
            }
            b'-' if !at_start => after_hyphen = true,
            _ => return None,
        }
    }
    if at_start || after_hyphen || dots < 2 {
        None
    } else {
        found
    }
}

fn matches_star(prefix: &[u8], suffix: &[u8], host: &[u8]) -> bool {
    if host.len() < prefix.len() + suffix.len() {
        return false;
    }
    let (head, rest) = host.split_at(prefix.len());
    let (middle, tail) = rest.split_at(rest.len() - suffix.len());
    if !head.eq_ignore_ascii_case(prefix) || !tail.eq_ignore_ascii_case(suffix) {
        return false;
    }
    let is_whole_label = prefix.is_empty() && suffix.first() == Some(&b'.');
    if is_whole_label && middle.is_empty() {
        return false;
    }
    if !is_whole_label && rest.len() >= 4 && rest[..4].eq_ignore_ascii_case(b"xn--") {
        return false;
    }
    middle == b"*"
        || middle
            .iter()
            .all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}
