//! `NameConstraintsExtension.verify` of OpenJDK, merged from the anchor's side down.

use std::net::IpAddr;

use super::{Subject, directory_in, lies_in};
use crate::cert::Cert;
use crate::dn::{self, Naming};
use crate::extension::{General, Subtrees};

/// Constraints met so far. Each certificate's own set must hold; that is the intersection OpenJDK computes.
#[derive(Default)]
pub(crate) struct Merged<'c, 'a> {
    sets: Vec<&'c Subtrees<'a>>,
}

impl<'c, 'a> Merged<'c, 'a> {
    pub(crate) fn add(&mut self, cert: &'c Cert<'a>) {
        self.sets.extend(cert.extensions.subtrees.iter());
    }

    /// Whether all names of the certificate lie within. Without SAN the subject's e-mail addresses count, and its
    /// most specific common name as a host name or address (verdict nc:cn-violated).
    pub(crate) fn allow(&self, cert: &Cert<'_>) -> bool {
        if self.sets.is_empty() {
            return true;
        }
        let mut subjects = Vec::new();
        if !dn::is_empty(cert.subject) {
            subjects.push(Subject::Directory(cert.subject));
        }
        // A SAN that cannot be decoded counts as absent (verdict limbo:rfc5280::nc::nc-permits-invalid-ip-san).
        let names = cert
            .extensions
            .names
            .as_ref()
            .filter(|names| names.iter().all(is_sound));
        match names {
            Some(names) => subjects.extend(names.iter().map(|name| Subject::of(*name))),
            None => {
                let mails = dn::email_addresses(cert.subject).into_iter();
                subjects.extend(mails.map(|text| Subject::Email(text.into_bytes())));
            }
        }
        let common = dn::common_names(cert.subject).pop();
        subjects.extend(common.and_then(|text| common_name(&text, &subjects)));
        self.hold(&subjects)
    }

    fn hold(&self, subjects: &[Subject<'_>]) -> bool {
        self.sets
            .iter()
            .all(|set| !set.has_distance && subjects.iter().all(|subject| allows(set, subject)))
    }
}

/// Excluded subtrees first, then the permitted ones until one holds. What makes the comparison throw refuses.
fn allows(set: &Subtrees<'_>, subject: &Subject<'_>) -> bool {
    let lies = |base: &General<'_>| match base {
        _ if throws(subject, base) => Err(()),
        General::Directory(base) => Ok(match subject {
            Subject::Directory(name) => Some(directory_in(name, base, Naming::Java)),
            _ => None,
        }),
        base => Ok(lies_in(subject, base).unwrap_or(Some(false))),
    };
    if set
        .excluded
        .iter()
        .any(|base| !matches!(lies(base), Ok(None | Some(false))))
    {
        return false;
    }
    let mut has_kind = false;
    for base in &set.permitted {
        match lies(base) {
            Ok(Some(true)) => return true,
            Ok(Some(false)) => has_kind = true,
            Ok(None) => {}
            Err(()) => return false,
        }
    }
    !has_kind
}

/// `DNSName.constrains` on an empty base ends with StringIndexOutOfBoundsException, `URIName.constrains` on a URI without
/// a host with NullPointerException.
fn throws(subject: &Subject<'_>, base: &General<'_>) -> bool {
    match (subject, base) {
        (Subject::Dns(name), General::Dns(base)) => base.is_empty() && !name.is_empty(),
        (Subject::Uri(uri), General::Uri(_)) => !has_host(uri),
        _ => false,
    }
}

fn has_host(uri: &[u8]) -> bool {
    let text = String::from_utf8_lossy(uri);
    text.split_once("://")
        .is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'))
}

/// The common name counts as an address when it looks like one and the SAN has none, else as a host likewise
/// (verdict bettertls:nameconstraints:7560).
fn common_name<'a>(text: &str, subjects: &[Subject<'_>]) -> Option<Subject<'a>> {
    match text.parse() {
        Ok(IpAddr::V4(address)) => subjects
            .iter()
            .all(|subject| !matches!(subject, Subject::Ip(_)))
            .then(|| Subject::Ip(address.octets().to_vec())),
        Ok(IpAddr::V6(address)) => subjects
            .iter()
            .all(|subject| !matches!(subject, Subject::Ip(_)))
            .then(|| Subject::Ip(address.octets().to_vec())),
        Err(_) => (is_host(text) && subjects.iter().all(|subject| !matches!(subject, Subject::Dns(_))))
            .then(|| Subject::Dns(text.as_bytes().to_vec())),
    }
}

fn is_host(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_');
    !text.is_empty() && text.bytes().all(allowed)
}

fn is_sound(name: &General<'_>) -> bool {
    match name {
        General::Ip(address) => matches!(address.len(), 4 | 16),
        _ => true,
    }
}
