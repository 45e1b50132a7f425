//! `Certificate.VerifyHostname` of Go.

use super::{Peer, addresses, common_names, dns_names};
use crate::cert::Cert;

/// Whether the certificate is for the name; `Err` is Go's error. The common name never counts.
///
/// Source: Go 1.19 crypto/x509/verify.go `VerifyHostname`, `validHostname`, `matchHostnames`; verdicts of family `name`.
pub(crate) fn go(cert: &Cert<'_>, peer: &Peer<'_>) -> Result<(), String> {
    let names = dns_names(cert);
    let (fits, wanted, presented) = match peer {
        Peer::Ip { address, text } => {
            let found = addresses(cert);
            let list: Vec<String> = found.iter().map(ToString::to_string).collect();
            if list.is_empty() {
                let text = format!(
                    "x509: cannot validate certificate for {text} because it doesn't contain any IP SANs"
                );
                return Err(format!("x509.HostnameError: {text}"));
            }
            (found.contains(address), *text, list.join(", "))
        }
        Peer::Dns(host) => {
            let fits = |pattern: &&str| match is_host(host, false) && is_host(pattern, true) {
                true => matches(pattern, host),
                false => !matches!(*pattern, "" | ".") && pattern.eq_ignore_ascii_case(host),
            };
            (names.iter().any(fits), *host, names.join(", "))
        }
    };
    match (fits, presented.is_empty()) {
        (true, _) => Ok(()),
        (false, false) => Err(format!(
            "x509.HostnameError: x509: certificate is valid for {presented}, not {wanted}"
        )),
        (false, true) if cert.extensions.names.is_none() && !common_names(cert).is_empty() => Err(
            "x509.HostnameError: x509: certificate relies on legacy Common Name field, use SANs instead"
                .to_owned(),
        ),
        (false, true) => Err(format!(
            "x509.HostnameError: x509: certificate is not valid for any names, but wanted to match {wanted}"
        )),
    }
}

fn is_host(name: &str, is_pattern: bool) -> bool {
    let name = if is_pattern {
        name
    } else {
        name.strip_suffix('.').unwrap_or(name)
    };
    !name.is_empty()
        && name.split('.').enumerate().all(|(position, label)| {
            let is_star = is_pattern && position == 0 && label == "*";
            let is_plain = !label.is_empty()
                && !label.starts_with('-')
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
            is_star || is_plain
        })
}

fn matches(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let patterns: Vec<&str> = pattern.split('.').collect();
    let labels: Vec<&str> = host.split('.').collect();
    patterns.len() == labels.len()
        && patterns
            .iter()
            .zip(&labels)
            .enumerate()
            .all(|(position, (pattern, label))| {
                (position == 0 && *pattern == "*") || pattern.eq_ignore_ascii_case(label)
            })
}
