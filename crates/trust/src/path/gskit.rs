//! GSKit's basic and standard policies, as documented. What no document says is answered "undecided".
//!
//! Source: IBM MQ, "Basic path validation policy", "Standard path validation policy", "Certificate validation and
//! trust policy design"; HCL and IBM return codes 8, 401, 414.

use super::{fault, owned};
use crate::algorithm::{Hash, Key};
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::constraints;
use crate::extension::{self as ext, KnownExtension};
use crate::profile::Gskit;
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, rules: &Gskit) -> Result<Outcome, Fault> {
    let mut path: Vec<&Cert<'_>> = vec![&case.chain[0]];
    let mut best: Option<Fault> = None;
    if let Some(outcome) = extend(case, rules, &mut path, &mut best) {
        return Ok(outcome);
    }
    Err(best.unwrap_or_else(|| {
        let end = &case.chain[0];
        let reason = if is_self_signed(end) {
            Reject::SelfSigned
        } else {
            Reject::NoAnchor
        };
        failure(reason, end)
    }))
}

/// Depth first; a path ends at a self-issued certificate of the store.
fn extend<'c, 'a>(
    case: &'c Case<'a>,
    rules: &Gskit,
    path: &mut Vec<&'c Cert<'a>>,
    best: &mut Option<Fault>,
) -> Option<Outcome> {
    case.spend(1);
    let top = *path.last()?;
    if case.is_exhausted() || path.len() > MAX_PATH {
        return None;
    }
    if top.is_self_issued() && case.anchors.iter().any(|anchor| anchor.is(top)) {
        return match policies(case, rules, path) {
            Ok(because) if because.is_empty() => Some(Outcome::Path(owned(path))),
            Ok(because) => Some(Outcome::Doubt {
                because,
                leans_to_accept: true,
                path: owned(path),
            }),
            Err(found) => {
                case.note(top, format!("path refused: {}", found.reason));
                if best
                    .as_ref()
                    .is_none_or(|best| best.reason.rank() < found.reason.rank())
                {
                    *best = Some(found);
                }
                None
            }
        };
    }
    let candidates = case
        .anchors
        .iter()
        .chain(case.chain.iter().skip(1))
        .chain(&case.known);
    for candidate in candidates {
        let is_new = !path.iter().any(|used| used.is(candidate));
        if !is_new || candidate.subject_canonical != top.issuer_canonical {
            continue;
        }
        case.note(candidate, "tried as issuer");
        path.push(candidate);
        let outcome = extend(case, rules, path, best);
        path.pop();
        if outcome.is_some() {
            return outcome;
        }
    }
    None
}

/// Accepted when either policy accepts; the doubts of the one that accepts.
fn policies(case: &Case<'_>, rules: &Gskit, path: &[&Cert<'_>]) -> Result<Vec<&'static str>, Fault> {
    if rules.basic_first.value {
        match policy(case, path, true, false) {
            Ok(doubts) => return Ok(doubts),
            Err(found) => case.note(path[0], format!("basic policy: {}", found.reason)),
        }
    }
    policy(case, path, false, rules.checks_extended_usage.value)
}

fn policy(
    case: &Case<'_>,
    path: &[&Cert<'_>],
    is_basic: bool,
    checks_usage: bool,
) -> Result<Vec<&'static str>, Fault> {
    let last = path.len() - 1;
    let mut length_below = 0;
    for (depth, cert) in path.iter().enumerate() {
        let issuer = path.get(depth + 1).unwrap_or(cert);
        check::validity(cert, case.now, false).map_err(|reason| failure(reason, cert))?;
        ensure(cert.has_consistent_algorithm(), Reject::AlgorithmRefused, cert)?;
        ensure(case.is_signed_by(cert, issuer), Reject::BadSignature, cert)?;
        let known = if is_basic { BASIC } else { STANDARD };
        check::critical_extensions(cert, known).map_err(|reason| failure(reason, cert))?;
        if is_basic && depth < last {
            ensure(
                cert.subject_canonical != issuer.subject_canonical,
                Reject::NoAnchor,
                cert,
            )?;
        }
        if depth == 0 {
            continue;
        }
        let is_ca = cert.extensions.basic.map_or(depth == last, |basic| basic.ca);
        ensure(is_ca, Reject::NotCa, cert)?;
        if !is_basic {
            check::key_usage(cert, ext::KEY_CERT_SIGN).map_err(|reason| failure(reason, cert))?;
        }
        let limit = cert.extensions.basic.and_then(|basic| basic.path_length);
        ensure(
            limit.is_none_or(|limit| length_below <= limit),
            Reject::PathLength,
            cert,
        )?;
        if !cert.is_self_issued() {
            length_below += 1;
        }
    }
    if !is_basic {
        standard_only(case, path, checks_usage)?;
    }
    Ok(doubts(path))
}

fn standard_only(case: &Case<'_>, path: &[&Cert<'_>], checks_usage: bool) -> Result<(), Fault> {
    if checks_usage {
        check::extended_usage(path[0], case.purpose, &[ext::ANY_USAGE])
            .map_err(|reason| failure(reason, path[0]))?;
    }
    for (depth, cert) in path.iter().enumerate() {
        for above in path.iter().skip(depth + 1) {
            if let Some(subtrees) = &above.extensions.subtrees {
                let within = constraints::openssl(cert, subtrees, depth == 0);
                ensure(within.is_ok(), Reject::NameConstraint, cert)?;
            }
        }
    }
    Ok(())
}

/// What no document says about a path that is fine otherwise.
fn doubts(path: &[&Cert<'_>]) -> Vec<&'static str> {
    let mut doubts = Vec::new();
    let end = path[0];
    if path.len() == 1 && end.extensions.basic.is_some_and(|basic| !basic.ca) {
        doubts.push("GSKit on a self-signed CA:FALSE end entity as its own anchor: not documented");
    }
    if path.len() > 1 && path[path.len() - 1].version < 3 {
        doubts.push("GSKit on a version 1 anchor that issues certificates: not documented");
    }
    if path
        .iter()
        .any(|cert| matches!(cert.key, Key::Rsa { bits, .. } if bits < 1024))
    {
        doubts.push("GSKit on RSA keys below 1024 bits: not documented");
    }
    if path
        .iter()
        .any(|cert| matches!(cert.signed.hash(), Some(Hash::Md2 | Hash::Md5)))
    {
        doubts.push("GSKit on MD5 signatures outside FIPS mode: not documented");
    }
    let key_ids_differ = path.windows(2).any(|pair| {
        let wanted = pair[0]
            .extensions
            .authority
            .and_then(|authority| authority.key_id);
        matches!((wanted, pair[1].extensions.subject_key), (Some(wanted), Some(present)) if wanted != present)
    });
    if key_ids_differ {
        doubts.push("GSKit on key identifiers that differ: not documented");
    }
    doubts
}

fn ensure(holds: bool, reason: Reject, cert: &Cert<'_>) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(failure(reason, cert)) }
}

fn failure(reason: Reject, cert: &Cert<'_>) -> Fault {
    let prints = match reason {
        Reject::Expired | Reject::NotYetValid => {
            "GSK_ERROR_BAD_DATE (401): bad certificate date; MQ: AMQ9633E, AMQ9637E"
        }
        Reject::NoAnchor | Reject::SelfSigned => {
            "GSK_ERROR_BAD_CERT (414): no trusted root found; MQ: AMQ9633E"
        }
        _ => "GSK_ERROR_CERT_VALIDATION (8): certificate validation failed; MQ: AMQ9633E",
    };
    fault(reason, Some(cert), prints.to_owned())
}

fn is_self_signed(cert: &Cert<'_>) -> bool {
    cert.is_self_issued()
}

/// More than any real chain; a bound on the search.
const MAX_PATH: usize = 20;

/// Source: "Basic and standard certificate policies".
const BASIC: &[KnownExtension] = &[
    KnownExtension::AuthorityInfoAccess,
    KnownExtension::AuthorityKeyId,
    KnownExtension::BasicConstraints,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::IssuerAltName,
    KnownExtension::KeyUsage,
    KnownExtension::PrivateKeyUsage,
    KnownExtension::SubjectAltName,
    KnownExtension::SubjectKeyId,
];

const STANDARD: &[KnownExtension] = &[
    KnownExtension::AuthorityInfoAccess,
    KnownExtension::AuthorityKeyId,
    KnownExtension::BasicConstraints,
    KnownExtension::CertificatePolicies,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::IssuerAltName,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::PolicyConstraints,
    KnownExtension::PolicyMappings,
    KnownExtension::PrivateKeyUsage,
    KnownExtension::SubjectAltName,
    KnownExtension::SubjectKeyId,
];
