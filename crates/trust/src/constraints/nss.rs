//! Name constraints of NSS.

use super::{Subject, lies_in};
use crate::cert::Cert;
use crate::dn;
use crate::extension::{General, Subtrees};

/// Whether all names lie within: subject, its e-mail addresses, the SAN, and for a server's end entity without DNS
/// or IP name the common name.
///
/// Source: NSS lib/certdb/genname.c `CERT_GetConstrainedCertificateNames`, `CERT_CompareNameSpace`; verdict nc:cn-violated.
pub(crate) fn allow(cert: &Cert<'_>, subtrees: &Subtrees<'_>, is_server_end: bool) -> bool {
    let mut subjects = Vec::new();
    if !dn::is_empty(cert.subject) {
        subjects.push(Subject::Directory(cert.subject));
    }
    let mails = dn::email_addresses(cert.subject).into_iter();
    subjects.extend(mails.map(|text| Subject::Email(text.into_bytes())));
    let names = cert.extensions.names.iter().flatten();
    subjects.extend(names.map(|name| Subject::of(*name)));
    let has_host = subjects
        .iter()
        .any(|subject| matches!(subject, Subject::Dns(_) | Subject::Ip(_)));
    if is_server_end && !has_host {
        let common = dn::common_names(cert.subject).pop();
        subjects.extend(common.map(|text| Subject::Dns(text.into_bytes())));
    }
    subjects.iter().all(|subject| allows(subtrees, subject))
}

fn allows(subtrees: &Subtrees<'_>, subject: &Subject<'_>) -> bool {
    let lies = |base: &General<'_>| lies_in(subject, base).unwrap_or(Some(false));
    // A name that cannot be compared, like a URI without a host, is taken as excluded.
    let is_out = |base: &General<'_>| lies_in(subject, base).is_ok_and(|inside| inside != Some(true));
    if !subtrees.excluded.iter().all(is_out) {
        return false;
    }
    let found: Vec<bool> = subtrees.permitted.iter().filter_map(lies).collect();
    found.is_empty() || found.contains(&true)
}
