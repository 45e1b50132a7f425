//! `PKIXCertPathValidator`: the checkers, from the anchor down to the end entity.

use super::super::fault;
use crate::algorithm::Key;
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::constraints::java::Merged;
use crate::dn;
use crate::extension::{self as ext, KnownExtension};
use crate::profile::{Java, uses};
use crate::verdict::{Fault, Reject};

/// Validates `sent` (end entity first, anchor not in it) under `anchor`.
pub(super) fn validate(
    case: &Case<'_>,
    java: &Java,
    sent: &[&Cert<'_>],
    anchor: &Cert<'_>,
) -> Result<(), Fault> {
    let mut room = sent.len();
    let mut merged = Merged::default();
    let mut explicit: Option<u32> = None;
    for (depth, cert) in sent.iter().enumerate().rev() {
        let issuer = sent.get(depth + 1).copied().unwrap_or(anchor);
        case.spend(1);
        algorithm(java, cert, issuer)?;
        if depth > 0 {
            check::key_usage(cert, ext::KEY_CERT_SIGN)
                .map_err(|reason| exception(reason, cert, "keyCertSign bit is not set"))?;
            room = room_below(cert, room, depth + 1 == sent.len())?;
        }
        if (depth == 0 || !cert.is_self_issued()) && !merged.allow(cert) {
            return Err(exception(
                Reject::NameConstraint,
                cert,
                "name constraints check failed",
            ));
        }
        merged.add(cert);
        explicit = policy(cert, explicit, depth)?;
        validity(case, cert)?;
        if !verifies(case, java, cert, issuer) {
            return Err(exception(Reject::BadSignature, cert, "signature check failed"));
        }
        if !cert.unknown_critical(KNOWN).is_empty() {
            let text = "unrecognized critical extension(s)";
            return Err(exception(Reject::CriticalExtension, cert, text));
        }
    }
    Ok(())
}

/// What `SunCertPathBuilder` still checks over a path it built: name constraints, policies, algorithms, extensions.
pub(super) fn whole_path(java: &Java, path: &[&Cert<'_>], anchor: &Cert<'_>) -> Result<(), Fault> {
    let mut merged = Merged::default();
    let mut explicit: Option<u32> = None;
    for (depth, cert) in path.iter().enumerate().rev() {
        let issuer = path.get(depth + 1).copied().unwrap_or(anchor);
        if (depth == 0 || !cert.is_self_issued()) && !merged.allow(cert) {
            return Err(exception(
                Reject::NameConstraint,
                cert,
                "name constraints check failed",
            ));
        }
        merged.add(cert);
        explicit = policy(cert, explicit, depth)?;
        algorithm(java, cert, issuer)?;
        check::critical_extensions(cert, KNOWN)
            .map_err(|reason| exception(reason, cert, "unrecognized critical extension(s)"))?;
    }
    Ok(())
}

/// Whether the signature verifies, on a curve that the provider has.
pub(super) fn verifies(case: &Case<'_>, java: &Java, cert: &Cert<'_>, issuer: &Cert<'_>) -> bool {
    let has_curve = match issuer.key {
        Key::Ec(curve) => java.curves.value.contains(&curve),
        _ => true,
    };
    has_curve && case.is_signed_by(cert, issuer)
}

/// `PKIXValidator.verifyTrustAnchor`.
pub(super) fn anchor(java: &Java, anchor: &Cert<'_>) -> Result<(), Fault> {
    if !java.anchor_must_be_ca.value || anchor.version < 3 {
        return Ok(());
    }
    let subject = dn::display(anchor.subject);
    if !anchor.is_ca() {
        let text =
            format!("ValidatorException: TrustAnchor with subject \"{subject}\" is not a CA certificate");
        return Err(fault(Reject::NotCa, Some(anchor), text));
    }
    if !anchor.may(ext::KEY_CERT_SIGN) {
        let text = format!(
            "ValidatorException: TrustAnchor with subject \"{subject}\" does not have keyCertSign bit set in KeyUsage extension"
        );
        return Err(fault(Reject::KeyUsage, Some(anchor), text));
    }
    Ok(())
}

/// `AlgorithmChecker`: hash of the signature, bits of keyUsage, sizes of the certificate's key and of its issuer's.
pub(super) fn algorithm(java: &Java, cert: &Cert<'_>, issuer: &Cert<'_>) -> Result<(), Fault> {
    let is_disabled = uses(java.disabled_hashes.value, cert.signed.hash());
    if is_disabled {
        let name = cert.signed.java_name();
        let text = format!("Algorithm constraints check failed on signature algorithm: {name}");
        return Err(exception(Reject::AlgorithmRefused, cert, &text));
    }
    if !cert.may(SIGNS_OR_ENCIPHERS) {
        return Err(exception(
            Reject::KeyUsage,
            cert,
            "incorrect KeyUsage extension bits",
        ));
    }
    for key in [cert.key, issuer.key] {
        let minimum = match key {
            Key::Ec(_) => java.min_ec_bits.value,
            Key::Rsa { .. } | Key::RsaPss { .. } | Key::Dsa { .. } => java.min_rsa_bits.value,
            Key::Ed25519 | Key::Ed448 | Key::Unknown => 0,
        };
        if key.bits() < minimum {
            let (kind, bits) = (key.java_name(), key.bits());
            let subject = dn::display(cert.subject);
            let text = format!(
                "Algorithm constraints check failed on keysize limits: {kind} {bits} bit key used with certificate: {subject}"
            );
            return Err(exception(Reject::KeyWeak, cert, &text));
        }
    }
    Ok(())
}

/// `ConstraintsChecker.checkBasicConstraints`.
fn room_below(cert: &Cert<'_>, room: usize, is_first: bool) -> Result<usize, Fault> {
    let limit = match cert.extensions.basic {
        _ if cert.version < 3 => (is_first && cert.is_self_issued()).then_some(usize::MAX),
        Some(basic) if basic.ca => Some(
            basic
                .path_length
                .map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(usize::MAX)),
        ),
        _ => None,
    };
    let Some(limit) = limit else {
        return Err(exception(
            Reject::NotCa,
            cert,
            "basic constraints check failed: this is not a CA certificate",
        ));
    };
    let mut room = room;
    if !cert.is_self_issued() {
        room = room.checked_sub(1).ok_or_else(|| {
            let text = "basic constraints check failed: pathLenConstraint violated - this cert must be the last cert in the certification path";
            exception(Reject::PathLength, cert, text)
        })?;
    }
    Ok(room.min(limit))
}

/// Only what rotations meet: an explicit policy that is required and not there.
fn policy(cert: &Cert<'_>, explicit: Option<u32>, depth: usize) -> Result<Option<u32>, Fault> {
    let here = cert.extensions.explicit_policy;
    if depth == 0 {
        let is_required = explicit == Some(0) || here == Some(0);
        return match is_required && !cert.extensions.has_policies {
            true => Err(exception(
                Reject::Policy,
                cert,
                "non-null policy tree required and policy tree is null",
            )),
            false => Ok(explicit),
        };
    }
    let counted = match cert.is_self_issued() {
        true => explicit,
        false => explicit.map(|skip| skip.saturating_sub(1)),
    };
    Ok(match (counted, here) {
        (Some(counted), Some(here)) => Some(counted.min(here)),
        (counted, here) => counted.or(here),
    })
}

fn validity(case: &Case<'_>, cert: &Cert<'_>) -> Result<(), Fault> {
    check::validity(cert, case.now, false).map_err(|reason| exception(reason, cert, "validity check failed"))
}

pub(super) fn exception(reason: Reject, cert: &Cert<'_>, text: &str) -> Fault {
    fault(reason, Some(cert), format!("CertPathValidatorException: {text}"))
}

/// All bits of keyUsage but encipherOnly and decipherOnly.
const SIGNS_OR_ENCIPHERS: u16 = 0xfe00;

/// Source: the checkers' `getSupportedExtensions`; `PKIX` constants.
pub(super) const KNOWN: &[KnownExtension] = &[
    KnownExtension::BasicConstraints,
    KnownExtension::CertificatePolicies,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::InhibitAnyPolicy,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::PolicyConstraints,
    KnownExtension::PolicyMappings,
    KnownExtension::SubjectAltName,
];
