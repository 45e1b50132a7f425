//! Name constraints of NSS.

use std::net::IpAddr;

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
        subjects.extend(
            dn::common_names(cert.subject)
                .pop()
                .map(|text| match text.parse() {
                    Ok(IpAddr::V4(address)) => Subject::Ip(address.octets().to_vec()),
                    Ok(IpAddr::V6(address)) => Subject::Ip(address.octets().to_vec()),
                    Err(_) => Subject::Dns(text.into_bytes()),
                }),
        );
    }
    subjects.iter().all(|subject| allows(subtrees, subject))
}

fn allows(subtrees: &Subtrees<'_>, subject: &Subject<'_>) -> bool {
    let lies = |base: &General<'_>| lies_in(subject, base).unwrap_or(Some(false));
    if subtrees.excluded.iter().any(|base| lies(base) == Some(true)) {
        return false;
    }
    let found: Vec<bool> = subtrees.permitted.iter().filter_map(lies).collect();
    found.is_empty() || found.contains(&true)
}
