//! Whether a certificate is for the name that was dialled. Source: RFC 9525, 6.

use std::net::IpAddr;

use keystore::Certificate;
use keystore::GeneralName;

/// Whether a subjectAltName of `certificate` is `name`: an address by its bytes, a DNS name by its labels, with a star
/// for a whole first label and for nothing shorter than three labels.
///
/// The common name is not looked at. What the runtimes do, which differ in all of this, is a verdict's to say.
pub fn fits(certificate: &Certificate, name: &str) -> bool {
    let names = certificate.subject_alt_names().ok().flatten().unwrap_or_default();
    let address: Option<IpAddr> = name.parse().ok();
    names.iter().any(|known| match (known, address) {
        (GeneralName::Ip(bytes), Some(IpAddr::V4(address))) => *bytes == address.octets(),
        (GeneralName::Ip(bytes), Some(IpAddr::V6(address))) => *bytes == address.octets(),
        (GeneralName::Dns(pattern), None) => {
            std::str::from_utf8(pattern).is_ok_and(|pattern| fits_pattern(pattern, name))
        }
        _ => false,
    })
}

fn fits_pattern(pattern: &str, name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let Some(rest) = pattern.strip_prefix("*.") else {
        return pattern.eq_ignore_ascii_case(name);
    };
    match name.split_once('.') {
        Some((first, parent)) => !first.is_empty() && rest.contains('.') && parent.eq_ignore_ascii_case(rest),
        None => false,
    }
}
