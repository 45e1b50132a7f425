//! Matchers of curl and Node.

use super::{Peer, addresses, common_names, dns_names, has_dns};
use crate::cert::Cert;

/// curl's `Curl_ossl_verifyhost` and `Curl_cert_hostcheck`.
///
/// Source: curl 7.88 lib/vtls/openssl.c, lib/vtls/hostcheck.c; verdicts name:ip-in-cn, name:two-cn-first.
pub(crate) fn curl(cert: &Cert<'_>, peer: &Peer<'_>) -> bool {
    let in_names = match peer {
        Peer::Ip { address, .. } => addresses(cert).contains(address),
        Peer::Dns(host) => dns_names(cert).iter().any(|pattern| curl_pattern(pattern, host)),
    };
    if has_dns(cert) || !addresses(cert).is_empty() {
        return in_names;
    }
    common_names(cert).last().is_some_and(|last| match peer {
        Peer::Ip { text, .. } => last.eq_ignore_ascii_case(text),
        Peer::Dns(host) => curl_pattern(last, host),
    })
}

fn curl_pattern(pattern: &str, host: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    let host = host.strip_suffix('.').unwrap_or(host);
    match pattern.strip_prefix("*.") {
        Some(tail) if tail.contains('.') => host
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(tail)),
        _ => pattern.eq_ignore_ascii_case(host),
    }
}

/// Node's `tls.checkServerIdentity`.
///
/// Source: Node 20 lib/tls.js; verdicts name:wild-partial, name:trailing-dot-san, name:ip-in-cn.
pub(crate) fn node(cert: &Cert<'_>, peer: &Peer<'_>) -> bool {
    match peer {
        Peer::Ip { address, .. } => addresses(cert).contains(address),
        Peer::Dns(host) if has_dns(cert) => dns_names(cert).iter().any(|pattern| node_pattern(pattern, host)),
        Peer::Dns(host) => common_names(cert)
            .iter()
            .any(|pattern| node_pattern(pattern, host)),
    }
}

fn node_pattern(pattern: &str, host: &str) -> bool {
    let labels = node_labels(host);
    let patterns = node_labels(pattern);
    let is_bad =
        |label: &String| label.is_empty() || !label.bytes().all(|octet| (0x21..=0x7f).contains(&octet));
    if labels.len() != patterns.len() || patterns.iter().any(is_bad) {
        return false;
    }
    let (Some((label, labels)), Some((pattern, rest))) = (labels.split_first(), patterns.split_first())
    else {
        return false;
    };
    if labels != rest {
        return false;
    }
    let parts: Vec<&str> = pattern.split('*').collect();
    match parts.as_slice() {
        _ if pattern.contains("xn--") => label == pattern,
        [_] => label == pattern,
        [prefix, suffix] if patterns.len() > 2 => {
            label.len() >= prefix.len() + suffix.len() && label.starts_with(prefix) && label.ends_with(suffix)
        }
        _ => false,
    }
}

fn node_labels(name: &str) -> Vec<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase().split('.').map(str::to_owned).collect()
}
