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
    let (Some(pattern), Some(host)) = (to_unicode(pattern), to_unicode(host)) else {
        return false;
    };
    let (pattern, host) = (pattern.as_str(), host.as_str());
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

/// `IDN.toUnicode`, label by label. `None`: code points that Unicode 3.2, on which Java's IDN stands, does not
/// have, so that the name is no host name there (verdict limbo:webpki::cn::utf8-vs-punycode-mismatch).
fn to_unicode(name: &str) -> Option<String> {
    let labels = name.split('.').map(|label| {
        let encoded = label
            .get(..4)
            .filter(|head| head.eq_ignore_ascii_case("xn--"))
            .and(label.get(4..));
        match encoded.and_then(decode_punycode) {
            Some(decoded) if decoded.contains(|letter| ('\u{1f000}'..'\u{20000}').contains(&letter)) => None,
            Some(decoded) => Some(decoded),
            None => Some(label.to_owned()),
        }
    });
    labels
        .collect::<Option<Vec<String>>>()
        .map(|labels| labels.join("."))
}

/// Source: RFC 3492 6.2.
fn decode_punycode(text: &str) -> Option<String> {
    let (basic, tail) = text.rsplit_once('-').unwrap_or(("", text));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut code, mut bias, mut at) = (128u32, 72u32, 0u32);
    let mut digits = tail.bytes().peekable();
    while digits.peek().is_some() {
        let (start, mut weight, mut threshold_at) = (at, 1u32, 36u32);
        loop {
            let digit = match digits.next()? {
                letter @ (b'a'..=b'z' | b'A'..=b'Z') => u32::from(letter.to_ascii_lowercase() - b'a'),
                number @ b'0'..=b'9' => u32::from(number - b'0') + 26,
                _ => return None,
            };
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let threshold = threshold_at.saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
            threshold_at += 36;
        }
        let count = u32::try_from(out.len()).ok()? + 1;
        let mut delta = if start == 0 {
            (at - start) / 700
        } else {
            (at - start) / 2
        };
        delta += delta / count;
        bias = 0;
        while delta > 455 {
            delta /= 35;
            bias += 36;
        }
        bias += 36 * delta / (delta + 38);
        code = code.checked_add(at / count)?;
        at %= count;
        out.insert(usize::try_from(at).ok()?, char::from_u32(code)?);
        at += 1;
    }
    Some(out.into_iter().collect())
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
                    .chars()
                    .all(|letter| !letter.is_ascii() || letter.is_ascii_alphanumeric() || letter == '-')
        })
}
