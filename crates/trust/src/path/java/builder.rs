//! `SunCertPathBuilder` with `ForwardBuilder`: depth first from the end entity, with backtracking.

use super::super::fault;
use super::rules;
use super::simple::hash_order;
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::extension as ext;
use crate::profile::Java;
use crate::verdict::{Fault, Reject};

/// The first path that validates, anchor last; else the most telling fault among all that were met.
pub(super) fn build<'c, 'a>(case: &'c Case<'a>, java: &Java) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let end = &case.chain[0];
    if case.anchors.iter().any(|anchor| anchor.is(end)) {
        case.note(end, "itself in the store: accepted without any check");
        return Ok(vec![end]);
    }
    let mut search = Search {
        case,
        java,
        path: vec![end],
        best: fault(Reject::NoAnchor, Some(end), String::new()),
        is_later: false,
    };
    match check::validity(end, case.now, false) {
        Ok(()) => search.extend().ok_or(search.best),
        Err(reason) => Err(fault(reason, Some(end), String::new())),
    }
}

struct Search<'s, 'c, 'a> {
    case: &'c Case<'a>,
    java: &'s Java,
    path: Vec<&'c Cert<'a>>,
    best: Fault,
    /// The selector for issuers is made once and keeps the date it got after its first use: from the second look on,
    /// anchors are checked for their dates too (verdict time:root-expired).
    is_later: bool,
}

impl<'c, 'a> Search<'_, 'c, 'a> {
    fn extend(&mut self) -> Option<Vec<&'c Cert<'a>>> {
        let case = self.case;
        let top = *self.path.last()?;
        case.spend(1);
        if case.is_exhausted() {
            return None;
        }
        let checks_dates = std::mem::replace(&mut self.is_later, true);
        let authorities = self
            .path
            .iter()
            .skip(1)
            .filter(|cert| !cert.is_self_issued())
            .count();
        let has_room = authorities < usize::try_from(self.java.max_searched.value).unwrap_or(usize::MAX);
        if !has_room {
            self.keep(fault(Reject::TooDeep, Some(top), String::new()));
        }
        for (is_anchor, candidate) in self.candidates(top, has_room) {
            case.note(
                candidate,
                if is_anchor {
                    "tried as anchor"
                } else {
                    "tried as issuer"
                },
            );
            let fits = match is_anchor {
                true if !covers(candidate, top) => {
                    Err(fault(Reject::NotYetValid, Some(candidate), String::new()))
                }
                true => self.complete(top, candidate, checks_dates),
                false => self.usable(candidate, authorities),
            };
            if let Err(found) = fits {
                self.keep(found);
                continue;
            }
            if !is_anchor && top.is_self_issued() && candidate.is_self_issued() {
                case.note(
                    candidate,
                    "second self-issued one in a row: nothing else is tried here",
                );
                return None;
            }
            if let Err(found) = self.is_signed(top, candidate) {
                self.keep(found);
                continue;
            }
            self.path.push(candidate);
            if is_anchor {
                return Some(self.path.clone());
            }
            let found = self.extend();
            self.path.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Issuers by name, in the order in which `PKIXCertComparator` puts them: key identifier first, then those whose
    /// own issuer is trusted, a later one before an earlier one. The first complete path is the answer, even when its
    /// anchor is refused afterwards.
    fn candidates(&self, top: &Cert<'_>, has_room: bool) -> Vec<(bool, &'c Cert<'a>)> {
        let case = self.case;
        let anchors = hash_order(case, case.anchors.len())
            .into_iter()
            .map(|cert| (true, cert));
        let is_trusted = |cert: &Cert<'_>| case.anchors.iter().any(|anchor| anchor.is(cert));
        let sent = case
            .chain
            .iter()
            .chain(&case.known)
            .filter(|cert| has_room && !is_trusted(cert));
        let wanted = top.extensions.authority.and_then(|authority| authority.key_id);
        let has_wanted = |cert: &Cert<'_>| wanted.is_some() && cert.extensions.subject_key == wanted;
        let leads_up = |cert: &Cert<'_>| {
            case.anchors
                .iter()
                .any(|anchor| anchor.subject_canonical == cert.issuer_canonical)
        };
        let goes_before = |new: &Cert<'_>, old: &Cert<'_>| {
            has_wanted(new) || (!has_wanted(old) && (leads_up(new) || !leads_up(old)))
        };
        let mut ordered: Vec<(bool, &Cert<'_>)> = Vec::new();
        for (is_anchor, cert) in anchors.chain(sent.map(|cert| (false, cert))) {
            if cert.subject_canonical == top.issuer_canonical
                && !self.has_twin(cert)
                && !ordered.iter().any(|(_, known)| known.is(cert))
            {
                let place = ordered.partition_point(|(_, old)| !goes_before(cert, old));
                ordered.insert(place, (is_anchor, cert));
            }
        }
        ordered
    }

    /// Whether the path has it already, or another certificate of the same subject, key and SAN.
    ///
    /// Source: OpenJDK 17 `SunCertPathBuilder.repeated`; verdict ssdef:ca-true:renewed-same-key.
    fn has_twin(&self, cert: &Cert<'_>) -> bool {
        self.path.iter().any(|used| {
            used.subject_canonical == cert.subject_canonical
                && used.spki == cert.spki
                && used.extensions.names == cert.extensions.names
        })
    }

    /// The path with this anchor on top: signature, names, then the checkers that run over the whole path.
    fn complete(&self, top: &Cert<'_>, anchor: &Cert<'_>, checks_dates: bool) -> Result<(), Fault> {
        let refuse = |reason| fault(reason, Some(anchor), String::new());
        if checks_dates {
            check::validity(anchor, self.case.now, false).map_err(refuse)?;
        }
        rules::verifies(self.case, self.java, top, anchor)
            .then_some(())
            .ok_or_else(|| fault(Reject::BadSignature, Some(top), String::new()))?;
        rules::whole_path(self.java, &self.path, anchor)
    }

    /// `ForwardBuilder.verifyCert` and the selector, for a candidate from the peer.
    fn usable(&self, candidate: &Cert<'_>, authorities: usize) -> Result<(), Fault> {
        let refuse = |reason| fault(reason, Some(candidate), String::new());
        check::validity(candidate, self.case.now, false).map_err(refuse)?;
        if !candidate.is_ca() || candidate.version < 3 {
            return Err(refuse(Reject::NotCa));
        }
        check::key_usage(candidate, ext::KEY_CERT_SIGN).map_err(refuse)?;
        let limit = candidate.extensions.basic.and_then(|basic| basic.path_length);
        if limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| limit < authorities)) {
            return Err(refuse(Reject::PathLength));
        }
        check::critical_extensions(candidate, rules::KNOWN).map_err(refuse)
    }

    fn is_signed(&self, cert: &Cert<'_>, issuer: &Cert<'_>) -> Result<(), Fault> {
        match rules::verifies(self.case, self.java, cert, issuer) {
            true => Ok(()),
            false => Err(fault(Reject::BadSignature, Some(cert), String::new())),
        }
    }

    fn keep(&mut self, found: Fault) {
        if found.reason.rank() > self.best.reason.rank() {
            self.best = found;
        }
    }
}

/// Before version 3 an anchor must be valid at both ends of the validity of what it issued
/// (`AdaptableX509CertSelector`).
pub(super) fn covers(issuer: &Cert<'_>, cert: &Cert<'_>) -> bool {
    let is_valid_at = |moment: i64| check::validity(issuer, moment, false).is_ok();
    issuer.version >= 3 || (is_valid_at(cert.not_before.unix) && is_valid_at(cert.not_after.unix))
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
