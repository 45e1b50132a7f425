//! rustls with rustls-webpki: an anchor is subject, key and name constraints, nothing else.
//!
//! Source: rustls-webpki 0.103 src/verify_cert.rs `build_chain_inner`, `check_issuer_independent_properties`,
//! src/cert.rs, src/subject_name; rustls 0.23 src/crypto/ring; recorded verdicts.

use super::{fault, owned};
use crate::algorithm::{Key, Signed};
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::constraints::webpki as constraints;
use crate::extension::KnownExtension;
use crate::name;
use crate::profile::{WebPki, uses};
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, webpki: &WebPki) -> Result<Outcome, Fault> {
    let end = &case.chain[0];
    readable(end)?;
    let mut path = vec![end];
    let found = extend(case, webpki, &mut path)?;
    if let Some(peer) = &case.peer
        && !name::webpki(end, peer)
    {
        let presented = name::dns_names(end).join(", ");
        let text = format!(
            "InvalidCertificate(NotValidForNameContext {{ expected: {peer:?}, presented: [{presented}] }})"
        );
        return Err(fault(Reject::NameMismatch, Some(end), text));
    }
    Ok(Outcome::Path(owned(&found)))
}

fn extend<'c, 'a>(
    case: &'c Case<'a>,
    webpki: &WebPki,
    path: &mut Vec<&'c Cert<'a>>,
) -> Result<Vec<&'c Cert<'a>>, Fault> {
    case.spend(1);
    let top = path[path.len() - 1];
    let below = path.len().saturating_sub(2);
    own_rules(case, top, path.len() > 1, below)?;
    if path.len() > 1 && below >= usize::try_from(webpki.max_intermediates.value).unwrap_or(usize::MAX) {
        return Err(other(Reject::TooDeep, top, "MaximumPathDepthExceeded"));
    }
    let mut best = fault(
        Reject::NoAnchor,
        Some(top),
        "InvalidCertificate(UnknownIssuer)".to_owned(),
    );
    let is_read = |anchor: &&Cert<'_>| {
        !anchor
            .extensions
            .broken
            .contains(&KnownExtension::NameConstraints)
    };
    for anchor in case
        .anchors
        .iter()
        .filter(|anchor| anchor.subject == top.issuer)
        .filter(is_read)
    {
        case.note(anchor, "tried as anchor");
        match complete(case, webpki, path, anchor) {
            Ok(()) => {
                let mut found = path.clone();
                found.push(anchor);
                return Ok(found);
            }
            Err(found) => keep(&mut best, found),
        }
    }
    for candidate in case.chain.iter().skip(1).chain(&case.known) {
        let is_loop = |used: &&Cert<'_>| used.spki == candidate.spki && used.subject == candidate.subject;
        if candidate.subject != top.issuer || path.iter().any(is_loop) || case.is_exhausted() {
            continue;
        }
        case.note(candidate, "tried as issuer");
        if let Err(found) = readable(candidate) {
            keep(&mut best, found);
            continue;
        }
        path.push(candidate);
        let found = extend(case, webpki, path);
        path.pop();
        match found {
            Ok(found) => return Ok(found),
            Err(found) => keep(&mut best, found),
        }
    }
    Err(best)
}

/// What `Cert::from_der` refuses; anchors are read more leniently.
fn readable(cert: &Cert<'_>) -> Result<(), Fault> {
    if cert.version != 3 {
        return Err(other(Reject::Form, cert, "UnsupportedCertVersion"));
    }
    if !cert.has_consistent_algorithm() {
        return Err(other(Reject::Form, cert, "SignatureAlgorithmMismatch"));
    }
    if cert.extensions.has_duplicate_of(KNOWN) {
        return Err(other(Reject::Form, cert, "ExtensionValueInvalid"));
    }
    check::critical_extensions(cert, KNOWN)
        .map_err(|reason| other(reason, cert, "UnsupportedCriticalExtension"))
}

/// `check_issuer_independent_properties`.
fn own_rules(case: &Case<'_>, cert: &Cert<'_>, as_ca: bool, below: usize) -> Result<(), Fault> {
    check::validity(cert, case.now, false).map_err(|reason| {
        let name = if reason == Reject::Expired {
            "ExpiredContext"
        } else {
            "NotValidYetContext"
        };
        let text = format!("InvalidCertificate({name} {{ time: UnixTime({}) }})", case.now);
        fault(reason, Some(cert), text)
    })?;
    match (as_ca, cert.is_ca()) {
        (false, true) => return Err(other(Reject::NotCa, cert, "CaUsedAsEndEntity")),
        (true, false) => return Err(other(Reject::NotCa, cert, "EndEntityUsedAsCa")),
        _ => {}
    }
    let is_read = |kind| !cert.extensions.broken.contains(&kind);
    if !is_read(KnownExtension::BasicConstraints) || !is_read(KnownExtension::ExtendedKeyUsage) {
        let text = "InvalidCertificate(BadEncoding)".to_owned();
        return Err(fault(Reject::Unreadable, Some(cert), text));
    }
    let limit = cert.extensions.basic.and_then(|basic| basic.path_length);
    if as_ca && limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| below > limit)) {
        return Err(other(Reject::PathLength, cert, "PathLenConstraintViolated"));
    }
    check::extended_usage(cert, case.purpose, &[]).map_err(|reason| {
        fault(
            reason,
            Some(cert),
            "InvalidCertificate(InvalidPurposeContext)".to_owned(),
        )
    })
}

/// Signatures from the anchor down, then name constraints of all.
fn complete(case: &Case<'_>, webpki: &WebPki, path: &[&Cert<'_>], anchor: &Cert<'_>) -> Result<(), Fault> {
    for (depth, cert) in path.iter().enumerate().rev() {
        let issuer = path.get(depth + 1).copied().unwrap_or(anchor);
        signature(case, webpki, cert, issuer)?;
    }
    for (depth, cert) in path.iter().enumerate() {
        let above = path.iter().skip(depth + 1).copied().chain([anchor]);
        for subtrees in above.filter_map(|issuer| issuer.extensions.subtrees.as_ref()) {
            if !constraints::allow(cert, subtrees) {
                return Err(other(Reject::NameConstraint, cert, "NameConstraintViolation"));
            }
        }
    }
    Ok(())
}

fn signature(case: &Case<'_>, webpki: &WebPki, cert: &Cert<'_>, issuer: &Cert<'_>) -> Result<(), Fault> {
    let is_known_hash = !uses(webpki.refused_hashes.value, cert.signed.hash());
    let has_algorithm = match (cert.signed, issuer.key) {
        (Signed::Ed25519, _) => true,
        (Signed::Ecdsa(hash), Key::Ec(curve)) => webpki.ecdsa.value.contains(&(curve, hash)),
        (Signed::RsaPss { hash, mask, salt }, _) => is_known_hash && hash == mask && salt == hash.octets(),
        (Signed::RsaPkcs1(_), _) => is_known_hash,
        _ => false,
    };
    if !has_algorithm {
        let text = "InvalidCertificate(UnsupportedSignatureAlgorithmContext)";
        return Err(fault(Reject::AlgorithmRefused, Some(cert), text.to_owned()));
    }
    let is_big_enough = match issuer.key {
        Key::Rsa { bits, .. } => (webpki.min_rsa_bits.value..=8192).contains(&bits),
        _ => true,
    };
    match is_big_enough && case.is_signed_by(cert, issuer) {
        true => Ok(()),
        false => Err(fault(
            Reject::BadSignature,
            Some(cert),
            "InvalidCertificate(BadSignature)".to_owned(),
        )),
    }
}

fn other(reason: Reject, cert: &Cert<'_>, name: &str) -> Fault {
    fault(
        reason,
        Some(cert),
        format!("InvalidCertificate(Other(OtherError({name})))"),
    )
}

fn keep(best: &mut Fault, found: Fault) {
    if found.reason.rank() > best.reason.rank() {
        *best = found;
    }
}

/// Source: src/cert.rs `remember_cert_extension`.
const KNOWN: &[KnownExtension] = &[
    KnownExtension::BasicConstraints,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::SubjectAltName,
];
