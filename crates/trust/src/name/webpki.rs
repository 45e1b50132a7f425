//! Names in rustls-webpki.

use super::{Peer, addresses, dns_names};
use crate::cert::Cert;

/// Whether the certificate is for the name. The common name never counts.
///
/// Source: rustls-webpki 0.103 src/subject_name/dns_name.rs `presented_id_matches_reference_id`; verdicts of family
/// `name`.
pub(crate) fn webpki(cert: &Cert<'_>, peer: &Peer<'_>) -> bool {
    match peer {
        Peer::Ip { address, .. } => addresses(cert).contains(address),
        Peer::Dns(host) => {
            let host = host.strip_suffix('.').unwrap_or(host);
            dns_names(cert).iter().any(|pattern| matches(pattern, host))
        }
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(tail) => {
            let has_two_labels = tail.contains('.') && is_host(tail);
            let rest = host.split_once('.').filter(|(label, _)| !label.is_empty());
            has_two_labels && rest.is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(tail))
        }
        None => is_host(pattern) && pattern.eq_ignore_ascii_case(host),
    }
}

fn is_host(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    })
}
