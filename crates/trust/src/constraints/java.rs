//! `NameConstraintsExtension.verify` of OpenJDK, merged from the anchor's side down.

use super::{Subject, lies_in};
use crate::cert::Cert;
use crate::dn;
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
        match &cert.extensions.names {
            Some(names) => subjects.extend(names.iter().map(|name| Subject::of(*name))),
            None => {
                let mails = dn::email_addresses(cert.subject).into_iter();
                subjects.extend(mails.map(|text| Subject::Email(text.into_bytes())));
                let common = dn::common_names(cert.subject).pop();
                subjects.extend(
                    common
                        .filter(|text| is_host(text))
                        .map(|text| Subject::Dns(text.into_bytes())),
                );
            }
        }
        self.sets
            .iter()
            .all(|set| !set.has_distance && subjects.iter().all(|subject| allows(set, subject)))
    }
}

fn allows(set: &Subtrees<'_>, subject: &Subject<'_>) -> bool {
    let lies = |base: &General<'_>| lies_in(subject, base).unwrap_or(Some(false));
    if set.excluded.iter().any(|base| lies(base) == Some(true)) {
        return false;
    }
    let found: Vec<bool> = set.permitted.iter().filter_map(lies).collect();
    found.is_empty() || found.contains(&true)
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_'))
}
