//! Name constraints of rustls-webpki.

use super::{dns_in, ip_in};
use crate::cert::Cert;
use crate::extension::{General, Subtrees};

/// Whether all names of the SAN, and the subject as a directory name, lie within. Constraints of forms that webpki
/// does not know, directory names among them, are violated by any name of that form.
///
/// Source: rustls-webpki 0.103 src/subject_name/mod.rs `check_presented_id_conforms_to_constraints`; verdicts
/// nc:dn-permit-ok, limbo:rfc5280::nc::nc-permits-email-exact.
pub(crate) fn allow(cert: &Cert<'_>, subtrees: &Subtrees<'_>) -> bool {
    let names = cert.extensions.names.iter().flatten().copied();
    names
        .chain([General::Directory(cert.subject)])
        .all(|name| allows(&name, subtrees))
}

fn allows(name: &General<'_>, subtrees: &Subtrees<'_>) -> bool {
    let mut permitted: Option<bool> = None;
    for base in &subtrees.permitted {
        match lies_in(name, base, false) {
            Lies::Elsewhere => {}
            Lies::Refused => return false,
            Lies::Inside(inside) => permitted = Some(permitted.unwrap_or(false) || inside),
        }
    }
    let is_excluded = subtrees
        .excluded
        .iter()
        .any(|base| matches!(lies_in(name, base, true), Lies::Refused | Lies::Inside(true)));
    permitted != Some(false) && !is_excluded
}

enum Lies {
    Elsewhere,
    Inside(bool),
    Refused,
}

fn lies_in(name: &General<'_>, base: &General<'_>, is_excluding: bool) -> Lies {
    match (name, base) {
        (General::Dns(_), General::Dns(base)) if !is_base(base) => Lies::Refused,
        (General::Dns(name), General::Dns(base)) => Lies::Inside(match name.strip_prefix(b"*") {
            Some(tail) if is_excluding => dns_in(tail, base) || wildcard_covers(tail, base),
            _ => dns_in(name, base),
        }),
        (General::Ip(address), General::Ip(base)) => match ip_in(address, base) {
            Some(inside) => Lies::Inside(inside),
            None => Lies::Refused,
        },
        (General::Directory(_), General::Directory(_))
        | (General::Email(_), General::Email(_))
        | (General::Uri(_), General::Uri(_)) => Lies::Refused,
        (General::Other(form), General::Other(other)) if form == other => Lies::Refused,
        _ => Lies::Elsewhere,
    }
}

/// A host name, with or without a dot in front; empty for all. Anything else is `MalformedNameConstraint`.
fn is_base(base: &[u8]) -> bool {
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    base.iter().all(is_letter)
}

/// `*.example.com` may stand for the excluded `foo.example.com`.
fn wildcard_covers(tail: &[u8], base: &[u8]) -> bool {
    let at = base.len().checked_sub(tail.len());
    let head = at.and_then(|at| base.split_at_checked(at));
    head.is_some_and(|(label, rest)| {
        rest.eq_ignore_ascii_case(tail) && !label.is_empty() && !label.contains(&b'.')
    })
}
