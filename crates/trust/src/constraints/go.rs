//! Name constraints of Go's `crypto/x509`.

use super::{Subject, lies_in};
use crate::cert::Cert;
use crate::extension::{General, KnownExtension, Subtrees};

/// Critical extensions the parser leaves unhandled: unknown ones, a SAN without any name form it knows, and
/// constraints of other forms than DNS, IP, e-mail and URI (verdict nc:dn-permit-ok).
pub(crate) fn has_unhandled(cert: &Cert<'_>, known: &[KnownExtension]) -> bool {
    let extensions = &cert.extensions;
    let is_handled = |name: &General<'_>| !matches!(name, General::Directory(_) | General::Other(_));
    let odd_subtrees = extensions
        .subtrees
        .as_ref()
        .is_some_and(|set| !set.permitted.iter().chain(&set.excluded).all(is_handled));
    let odd_names = extensions
        .names
        .as_ref()
        .is_some_and(|names| !names.iter().any(is_handled));
    !cert.unknown_critical(known).is_empty()
        || (odd_subtrees && extensions.is_critical(KnownExtension::NameConstraints))
        || (odd_names && extensions.is_critical(KnownExtension::SubjectAltName))
}

/// Every name of the SAN against the constraints; the common name plays no part.
pub(crate) fn check(cert: &Cert<'_>, subtrees: &Subtrees<'_>) -> Result<(), ()> {
    for name in cert.extensions.names.iter().flatten() {
        if matches!(name, General::Directory(_) | General::Other(_)) {
            continue;
        }
        let subject = Subject::of(*name);
        let is_sound = match name {
            General::Dns(name) => super::is_printable_host(name),
            General::Ip(address) => matches!(address.len(), 4 | 16),
            General::Email(mail) => mail.iter().filter(|&&octet| octet == b'@').count() == 1,
            _ => true,
        };
        let lies = |base: &General<'_>| lies_in(&subject, base).map_err(|_| ());
        let mut permitted: Option<bool> = None;
        for base in &subtrees.permitted {
            if let Some(inside) = lies(base)? {
                permitted = Some(permitted.unwrap_or(false) || inside);
            }
        }
        let mut is_excluded = false;
        for base in &subtrees.excluded {
            is_excluded |= lies(base)? == Some(true);
        }
        if !is_sound || permitted == Some(false) || is_excluded {
            return Err(());
        }
    }
    Ok(())
}
