//! `HostnameChecker` of JSSE with endpoint identification `HTTPS`.

use super::{Peer, addresses, common_names, dns_names, has_dns};
use crate::cert::Cert;

/// Whether the certificate is for the name; `Err` is the exception JSSE throws.
///
/// Source: OpenJDK 17 `sun.security.util.HostnameChecker`, `X509TrustManagerImpl.checkIdentity` (which drops one
/// dot at the end of the dialled name); recorded verdicts of family `name`.
pub(crate) fn java(cert: &Cert<'_>, peer: &Peer<'_>) -> Result<(), String> {
    match peer {
        Peer::Ip { text, address } => {
            if cert.extensions.names.is_none() {
                Err("CertificateException: No subject alternative names present".to_owned())
            } else if addresses(cert).contains(address) {
                Ok(())
            } else {
                Err(format!(
                    "CertificateException: No subject alternative names matching IP address {text} found"
                ))
            }
        }
        Peer::Dns(host) => dns(cert, host.strip_suffix('.').unwrap_or(host)),
    }
}

fn dns(cert: &Cert<'_>, host: &str) -> Result<(), String> {
    if !is_host_name(host) {
        return Err(format!("CertificateException: Illegal given domain name: {host}"));
    }
    if has_dns(cert) {
        return match dns_names(cert).iter().any(|pattern| matches(pattern, host)) {
            true => Ok(()),
            false => Err(format!(
                "CertificateException: No subject alternative DNS name matching {host} found."
            )),
        };
    }
    match common_names(cert).last() {
        Some(last) if matches(last, host) => Ok(()),
        _ => Err(format!("CertificateException: No name matching {host} found")),
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    if let Some(last) = pattern.rfind('*') {
        let has_dot_after = pattern.get(last..).is_some_and(|rest| rest.contains('.'));
        if !has_dot_after || pattern == "*." {
            return false;
        }
    }
    if !is_host_name(&pattern.replace('*', "z")) {
        return false;
    }
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    let patterns: Vec<&str> = pattern.split('.').filter(|label| !label.is_empty()).collect();
    let labels: Vec<&str> = host.split('.').filter(|label| !label.is_empty()).collect();
    patterns.len() == labels.len()
        && patterns
            .iter()
            .zip(&labels)
            .all(|(pattern, label)| matches_label(pattern, label))
}

/// A star stands for any run of characters, in any label, as often as one likes.
fn matches_label(pattern: &str, label: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = label.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `SNIHostName`: letters, digits and hyphens, no hyphen at either end of a label, no dot at the end.
fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        })
}
