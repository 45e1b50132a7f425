//! Name constraints of GnuTLS: applied to the end entity only.

use super::{Subject, lies_in};
use crate::cert::Cert;
use crate::dn;
use crate::extension::{General, Subtrees};

/// Constraints of the issuers met so far; each set must hold.
#[derive(Default)]
pub(crate) struct Merged<'c, 'a> {
    sets: Vec<&'c Subtrees<'a>>,
}

impl<'c, 'a> Merged<'c, 'a> {
    pub(crate) fn add(&mut self, cert: &'c Cert<'a>) {
        self.sets.extend(cert.extensions.subtrees.iter());
    }

    /// Names of the SAN; without a dNSName the one common name, without an e-mail address those of the subject.
    /// The subject itself is not held against directory names (verdict nc:dn-permit-violated).
    ///
    /// Source: GnuTLS 3.7 lib/x509/name_constraints.c `gnutls_x509_name_constraints_check_crt`.
    pub(crate) fn allow(&self, cert: &Cert<'_>) -> bool {
        let names = cert.extensions.names.iter().flatten();
        let mut subjects: Vec<Subject<'_>> = names.map(|name| Subject::of(*name)).collect();
        if !subjects.iter().any(|subject| matches!(subject, Subject::Dns(_))) {
            let common = dn::common_names(cert.subject);
            if let [only] = common.as_slice() {
                subjects.push(Subject::Dns(only.clone().into_bytes()));
            }
        }
        if !subjects
            .iter()
            .any(|subject| matches!(subject, Subject::Email(_)))
        {
            let mails = dn::email_addresses(cert.subject).into_iter();
            subjects.extend(mails.map(|text| Subject::Email(text.into_bytes())));
        }
        let is_unread = |base: &General<'_>| matches!(base, General::Other(_));
        if self
            .sets
            .iter()
            .any(|set| set.permitted.iter().chain(&set.excluded).any(is_unread))
        {
            return false;
        }
        let is_unread = |base: &General<'_>| matches!(base, General::Other(_));
        if self
            .sets
            .iter()
            .any(|set| set.permitted.iter().chain(&set.excluded).any(is_unread))
        {
            return false;
        }
        self.sets
            .iter()
            .all(|set| subjects.iter().all(|subject| allows(set, subject)))
    }
}

fn allows(set: &Subtrees<'_>, subject: &Subject<'_>) -> bool {
    let is_unsupported = |base: &General<'_>| {
        matches!(
            (subject, base),
            (Subject::Uri(_), General::Uri(_)) | (Subject::Other, General::Other(_))
        )
    };
    if matches!(subject, Subject::Ip(address) if !matches!(address.len(), 4 | 16)) {
        return true;
    }
    if set.permitted.iter().chain(&set.excluded).any(is_unsupported) {
        return false;
    }
    let lies = |base: &General<'_>| lies_in(subject, base).unwrap_or(Some(false));
    if set.excluded.iter().any(|base| lies(base) == Some(true)) {
        return false;
    }
    let found: Vec<bool> = set.permitted.iter().filter_map(lies).collect();
    found.is_empty() || found.contains(&true)
}
