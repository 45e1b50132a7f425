//! `gnutls_x509_crt_check_hostname2`.

use super::{Peer, addresses, common_names, dns_names};
use crate::cert::Cert;
use crate::check;
use crate::extension::{self as ext, General};
use crate::{Purpose, dn};

/// Whether the certificate is for the name. The common name counts only alone, without a host, an address or a URI in
/// the SAN, and for servers. Builds before 3.7.9-2+deb12u7 let it count beside a URI (CVE-2026-42012); the recorded
/// verdict name:uri-san, which refuses, is kept.
///
/// Source: GnuTLS 3.7 lib/x509/hostname-verify.c, lib/str.c `_gnutls_hostname_compare`; verdicts of family `name`.
pub(crate) fn gnutls(cert: &Cert<'_>, peer: &Peer<'_>) -> bool {
    let host = match peer {
        Peer::Ip { address, .. } => return addresses(cert).contains(address),
        Peer::Dns(host) => host,
    };
    if dns_names(cert).iter().any(|pattern| matches(pattern, host)) {
        return true;
    }
    let precludes = |name: &General<'_>| matches!(name, General::Dns(_) | General::Ip(_) | General::Uri(_));
    let has_names = cert.extensions.names.iter().flatten().any(precludes);
    let is_for_servers = check::extended_usage(cert, Purpose::Server, &[ext::ANY_USAGE]).is_ok();
    match common_names(cert).as_slice() {
        [only] if !has_names && is_for_servers && !dn::is_empty(cert.subject) => matches(only, host),
        _ => false,
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    if !pattern.bytes().all(|octet| (0x20..0x7f).contains(&octet)) {
        return pattern == host;
    }
    let Some(tail) = pattern.strip_prefix('*') else {
        return pattern.eq_ignore_ascii_case(host);
    };
    if tail.matches('.').count() < 2 || tail.ends_with('.') {
        return false;
    }
    let first = host.find('.').unwrap_or(host.len());
    let starts = (0..=first).filter_map(|at| host.get(at..));
    starts.into_iter().any(|rest| rest.eq_ignore_ascii_case(tail))
}
