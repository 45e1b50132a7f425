//! `SunCertPathBuilder` with `ForwardBuilder`: depth first from the end entity, with backtracking.

use super::super::fault;
use super::rules;
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::extension as ext;
use crate::profile::Java;
use crate::verdict::{Fault, Reject};

/// The first path that validates, anchor last; else the most telling fault among all that were met.
pub(super) fn build<'c, 'a>(case: &'c Case<'a>, java: &Java) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let mut path = vec![&case.chain[0]];
    let mut best = fault(Reject::NoAnchor, Some(&case.chain[0]), String::new());
    match extend(case, java, &mut path, &mut best) {
        Some(found) => Ok(found),
        None => Err(best),
    }
}

fn extend<'c, 'a>(
    case: &'c Case<'a>,
    java: &Java,
    path: &mut Vec<&'c Cert<'a>>,
    best: &mut Fault,
) -> Option<Vec<&'c Cert<'a>>> {
    let top = *path.last()?;
    case.spend(1);
    if case.is_exhausted() {
        return None;
    }
    for anchor in case.anchors.iter().filter(|anchor| fits_as_anchor(anchor, top)) {
        case.note(anchor, "tried as anchor");
        match is_signed(case, top, anchor).and_then(|()| rules::validate(case, java, path, anchor)) {
            Ok(()) => {
                let mut found = path.clone();
                found.push(anchor);
                return Some(found);
            }
            Err(found) => keep(best, found),
        }
    }
    let authorities = path.iter().skip(1).filter(|cert| !cert.is_self_issued()).count();
    let room = usize::try_from(java.max_searched.value).unwrap_or(usize::MAX);
    if authorities >= room {
        keep(best, fault(Reject::TooDeep, Some(top), String::new()));
        return None;
    }
    for candidate in case.chain.iter().chain(&case.known) {
        if path.iter().any(|used| used.is(candidate)) || !fits_as_anchor(candidate, top) {
            continue;
        }
        case.note(candidate, "tried as issuer");
        match usable(case, top, candidate, authorities) {
            Ok(()) => {
                path.push(candidate);
                let found = extend(case, java, path, best);
                path.pop();
                if found.is_some() {
                    return found;
                }
            }
            Err(found) => keep(best, found),
        }
    }
    None
}

/// Name and key identifier fit (`AdaptableX509CertSelector`). A serial number in the AKI counts for version 3.
pub(super) fn fits_as_anchor(issuer: &Cert<'_>, cert: &Cert<'_>) -> bool {
    if issuer.subject_canonical != cert.issuer_canonical {
        return false;
    }
    let Some(authority) = &cert.extensions.authority else {
        return true;
    };
    let key_fits = match (authority.key_id, issuer.extensions.subject_key) {
        (Some(wanted), Some(present)) => wanted == present,
        _ => true,
    };
    let serial_fits = issuer.version < 3
        || authority
            .serial
            .is_none_or(|serial| trimmed(serial) == trimmed(issuer.serial));
    key_fits && serial_fits
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// `ForwardBuilder.verifyCert` for a candidate from the peer.
fn usable(case: &Case<'_>, top: &Cert<'_>, candidate: &Cert<'_>, authorities: usize) -> Result<(), Fault> {
    let refuse = |reason| fault(reason, Some(candidate), String::new());
    check::validity(candidate, case.now, false).map_err(refuse)?;
    if !candidate.is_ca() && candidate.version >= 3 {
        return Err(refuse(Reject::NotCa));
    }
    if candidate.version < 3 {
        return Err(refuse(Reject::NotCa));
    }
    check::key_usage(candidate, ext::KEY_CERT_SIGN).map_err(refuse)?;
    let limit = candidate.extensions.basic.and_then(|basic| basic.path_length);
    if limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| limit < authorities)) {
        return Err(refuse(Reject::PathLength));
    }
    check::critical_extensions(candidate, rules::KNOWN).map_err(refuse)?;
    is_signed(case, top, candidate)
}

fn is_signed(case: &Case<'_>, cert: &Cert<'_>, issuer: &Cert<'_>) -> Result<(), Fault> {
    match case.is_signed_by(cert, issuer) {
        true => Ok(()),
        false => Err(fault(Reject::BadSignature, Some(cert), String::new())),
    }
}

fn keep(best: &mut Fault, found: Fault) {
    if found.reason.rank() > best.reason.rank() {
        *best = found;
    }
}
