//! NSS: the old verifier with one candidate per step, and libpkix with backtracking. Anchors have trust `CT,,`.
//! No name is checked here; NSS leaves that to its caller.
//!
//! Source: NSS 3.87 lib/certhigh/certvfy.c `cert_VerifyCertChainOld`, `CERT_CheckKeyUsage`, lib/certdb/certdb.c
//! `cert_ComputeCertType`, lib/pki/certificate.c `find_cert_issuer`; recorded verdicts.

use super::{fault, owned};
use crate::algorithm::{Curve, Hash, Key};
use crate::case::{Case, Purpose};
use crate::cert::Cert;
use crate::check;
use crate::constraints::nss as constraints;
use crate::dn;
use crate::extension::{self as ext, KnownExtension};
use crate::profile::{Nss, uses};
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, nss: &Nss) -> Result<Outcome, Fault> {
    let end = &case.chain[0];
    dates(case, end).map_err(|reason| error(reason, end, EXPIRED))?;
    ensure(
        end_usage_fits(case.purpose, end),
        Reject::KeyUsage,
        end,
        KEY_USAGE,
    )?;
    ensure(
        end_purpose_fits(case.purpose, end),
        Reject::Purpose,
        end,
        CERT_TYPE,
    )?;
    let is_nameless = dn::is_empty(end.subject) && end.extensions.names.is_none();
    ensure(
        !is_nameless || !nss.wants_name.value,
        Reject::Form,
        end,
        "Chain is bad!",
    )?;
    let is_known_key = !matches!(end.key, Key::Ed25519 | Key::Ed448 | Key::Unknown);
    ensure(
        is_known_key || !nss.wants_known_key.value,
        Reject::AlgorithmRefused,
        end,
        UNKNOWN_OBJECT,
    )?;
    let mut path = vec![end];
    match nss.backtracks.value {
        true => search(case, nss, &mut path).map(|path| Outcome::Path(owned(&path))),
        false => straight(case, nss, path).map(|path| Outcome::Path(owned(&path))),
    }
}

/// The old verifier: the best issuer at each step, nothing else tried.
fn straight<'c, 'a>(
    case: &'c Case<'a>,
    nss: &Nss,
    mut path: Vec<&'c Cert<'a>>,
) -> Result<Vec<&'c Cert<'a>>, Fault> {
    while path.len() <= MAX_CHAIN {
        case.spend(1);
        let top = path[path.len() - 1];
        own_form(nss, top)?;
        let issuer = match is_root(top) {
            true => top,
            false => best(case, top).ok_or_else(|| error(Reject::NoAnchor, top, UNKNOWN_ISSUER))?,
        };
        case.note(issuer, "taken as issuer");
        match link(case, nss, &path, issuer)? {
            Link::Anchor => {
                path.push(issuer);
                return Ok(path);
            }
            Link::Authority if is_root(issuer) => {
                return Err(error(Reject::SelfSigned, issuer, UNTRUSTED_ISSUER));
            }
            Link::Authority => path.push(issuer),
        }
    }
    Err(error(Reject::TooDeep, path[0], UNKNOWN_ISSUER))
}

/// libpkix: every issuer that fits, until one leads to an anchor.
fn search<'c, 'a>(
    case: &'c Case<'a>,
    nss: &Nss,
    path: &mut Vec<&'c Cert<'a>>,
) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let top = path[path.len() - 1];
    let mut worst = error(Reject::NoAnchor, top, UNKNOWN_ISSUER);
    case.spend(1);
    own_form(nss, top)?;
    if case.is_exhausted() || path.len() > MAX_CHAIN {
        return Err(error(Reject::BudgetSpent, top, UNKNOWN_ISSUER));
    }
    for issuer in candidates(case, top) {
        let is_used = path.iter().any(|used| used.is(issuer));
        if is_used && !is_trusted(case, issuer) {
            continue;
        }
        case.note(issuer, "tried as issuer");
        let found = match link(case, nss, path, issuer) {
            Ok(Link::Anchor) => {
                let mut found = path.clone();
                found.push(issuer);
                policies(path).map(|()| found)
            }
            Ok(Link::Authority) if is_used => continue,
            Ok(Link::Authority) => {
                path.push(issuer);
                let found = search(case, nss, path);
                path.pop();
                found
            }
            Err(found) => Err(found),
        };
        match found {
            Ok(found) => return Ok(found),
            Err(found) if found.reason.rank() > worst.reason.rank() => worst = found,
            Err(_) => {}
        }
    }
    Err(worst)
}

enum Link {
    Anchor,
    Authority,
}

/// One step up: the last of `path` under `issuer`.
fn link(case: &Case<'_>, nss: &Nss, path: &[&Cert<'_>], issuer: &Cert<'_>) -> Result<Link, Fault> {
    let top = path[path.len() - 1];
    dates(case, issuer).map_err(|reason| error(reason, issuer, EXPIRED_ISSUER))?;
    let is_disabled = uses(nss.refused_hashes.value, top.signed.hash());
    ensure(!is_disabled, Reject::AlgorithmRefused, top, ALGORITHM_DISABLED)?;
    let is_known_key = !matches!(
        issuer.key,
        Key::Ec(Curve::K256 | Curve::P192 | Curve::P224 | Curve::Unknown) | Key::Ed25519 | Key::Ed448
    );
    ensure(
        is_known_key && case.is_signed_by(top, issuer),
        Reject::BadSignature,
        top,
        BAD_SIGNATURE,
    )?;
    let basic = issuer.extensions.basic;
    ensure(
        basic.is_none_or(|basic| basic.ca),
        Reject::NotCa,
        issuer,
        CA_INVALID,
    )?;
    let between = path.iter().skip(1).filter(|cert| !is_self_issued(cert)).count();
    let limit = basic.and_then(|basic| basic.path_length);
    let is_short = limit.is_none_or(|limit| usize::try_from(limit).is_ok_and(|limit| between <= limit));
    ensure(is_short, Reject::PathLength, issuer, PATH_LENGTH)?;
    let is_read = !issuer
        .extensions
        .broken
        .contains(&KnownExtension::NameConstraints);
    ensure(is_read, Reject::NameConstraint, issuer, NAME_SPACE)?;
    if let Some(subtrees) = &issuer.extensions.subtrees {
        for (depth, cert) in path.iter().enumerate() {
            if depth > 0 && is_self_issued(cert) {
                continue;
            }
            let is_server = depth == 0 && case.purpose == Purpose::Server;
            ensure(
                constraints::allow(cert, subtrees, is_server),
                Reject::NameConstraint,
                cert,
                NAME_SPACE,
            )?;
        }
    }
    let may_sign = issuer.may(ext::KEY_CERT_SIGN);
    if is_trusted(case, issuer) {
        let is_end_only = basic.is_none() && issuer.extensions.extended.is_some();
        ensure(
            !is_end_only || !nss.backtracks.value,
            Reject::Purpose,
            issuer,
            CERT_TYPE,
        )?;
        ensure(
            may_sign || !nss.anchor_must_sign.value,
            Reject::KeyUsage,
            issuer,
            KEY_USAGE,
        )?;
        return Ok(Link::Anchor);
    }
    let has_empty_usage = issuer.extensions.extended.as_ref().is_some_and(Vec::is_empty);
    ensure(
        !(has_empty_usage && nss.backtracks.value),
        Reject::Purpose,
        issuer,
        CERT_TYPE,
    )?;
    let is_ca = basic.is_some() && authority_purpose_fits(issuer);
    ensure(is_ca || is_old_root(issuer), Reject::NotCa, issuer, CA_INVALID)?;
    ensure(may_sign, Reject::KeyUsage, issuer, KEY_USAGE)?;
    Ok(Link::Authority)
}

/// What is asked of each certificate below the anchor.
fn own_form(nss: &Nss, cert: &Cert<'_>) -> Result<(), Fault> {
    check::critical_extensions(cert, nss.known_extensions.value)
        .map_err(|reason| error(reason, cert, UNKNOWN_CRITICAL))?;
    ensure(
        cert.has_consistent_algorithm(),
        Reject::Form,
        cert,
        ALGORITHM_MISMATCH,
    )
}

/// `nssBestCertificate_Callback`: a valid one before one that is not, a trusted one before others, then the newer, then
/// the later found.
fn best<'c, 'a>(case: &'c Case<'a>, cert: &Cert<'_>) -> Option<&'c Cert<'a>> {
    let mut found: Option<&Cert<'_>> = None;
    for candidate in candidates(case, cert) {
        let Some(known) = found else {
            found = Some(candidate);
            continue;
        };
        let rank = |cert: &Cert<'_>| {
            (
                dates(case, cert).is_ok(),
                is_trusted(case, cert),
                cert.not_before.unix,
                cert.not_after.unix,
            )
        };
        if rank(candidate) >= rank(known) {
            found = Some(candidate);
        }
    }
    found
}

/// Certificates of the issuer's name that may be authorities: those whose key identifier is the wanted one, or if
/// there are none those that do not contradict it. What the peer sent comes first.
fn candidates<'c, 'a>(case: &'c Case<'a>, cert: &Cert<'_>) -> Vec<&'c Cert<'a>> {
    let sent = case
        .chain
        .iter()
        .chain(&case.known)
        .filter(|cert| !is_trusted(case, cert));
    let named: Vec<&Cert<'_>> = sent
        .chain(&case.anchors)
        .filter(|issuer| issuer.subject == cert.issuer)
        .filter(|issuer| is_trusted(case, issuer) || issuer.is_ca() || is_old_root(issuer))
        .collect();
    let matching = |wanted: Option<bool>| -> Vec<&'c Cert<'a>> {
        named
            .iter()
            .copied()
            .filter(|issuer| id_fits(cert, issuer) == wanted)
            .collect()
    };
    let exact = matching(Some(true));
    if exact.is_empty() { matching(None) } else { exact }
}

/// `None`: nothing to compare, or issuer and serial number that name another certificate (verdict ski:no-ski/iss-ser).
fn id_fits(cert: &Cert<'_>, issuer: &Cert<'_>) -> Option<bool> {
    let authority = cert.extensions.authority.as_ref()?;
    if let Some(wanted) = authority.key_id {
        return issuer.extensions.subject_key.map(|present| present == wanted);
    }
    let is_named = authority.serial == Some(issuer.serial) && authority.issuer == Some(issuer.issuer);
    is_named.then_some(true)
}

fn is_trusted(case: &Case<'_>, cert: &Cert<'_>) -> bool {
    case.anchors.iter().any(|anchor| anchor.is(cert))
}

fn is_self_issued(cert: &Cert<'_>) -> bool {
    cert.issuer == cert.subject
}

fn is_root(cert: &Cert<'_>) -> bool {
    let wanted = cert.extensions.authority.and_then(|authority| authority.key_id);
    is_self_issued(cert) && (wanted.is_none() || wanted == cert.extensions.subject_key)
}

fn is_old_root(cert: &Cert<'_>) -> bool {
    cert.version < 3 && is_self_issued(cert)
}

/// Up to a day early counts as valid (verdict limbo:rfc5280::validity::not-yet-valid-1-second).
fn dates(case: &Case<'_>, cert: &Cert<'_>) -> Result<(), Reject> {
    if case.now < cert.not_before.unix - EARLY_SECONDS {
        return Err(Reject::NotYetValid);
    }
    if case.now > cert.not_after.unix {
        Err(Reject::Expired)
    } else {
        Ok(())
    }
}

/// A server's RSA key must encipher, its EC key sign or agree; keys of other kinds never fit (verdict alg:ed25519).
fn end_usage_fits(purpose: Purpose, cert: &Cert<'_>) -> bool {
    match (purpose, cert.key) {
        (Purpose::Client, _) => cert.may(ext::DIGITAL_SIGNATURE),
        (Purpose::Server, Key::Rsa { .. }) => cert.may(ext::KEY_ENCIPHERMENT),
        (Purpose::Server, Key::RsaPss { .. } | Key::Dsa { .. }) => cert.may(ext::DIGITAL_SIGNATURE),
        (Purpose::Server, Key::Ec(_)) => cert.may(ext::DIGITAL_SIGNATURE | ext::KEY_AGREEMENT),
        (Purpose::Server, Key::Ed25519 | Key::Ed448 | Key::Unknown) => false,
    }
}

/// `cert_ComputeCertType`: Netscape's certificate type and EKU count together; with EKU a CA counts as CA only, not as
/// server or client.
fn end_purpose_fits(purpose: Purpose, cert: &Cert<'_>) -> bool {
    let (also, bit): (&[&[u8]], u8) = match purpose {
        Purpose::Server => (&[ext::NETSCAPE_SGC], 0x40),
        Purpose::Client => (&[], 0x80),
    };
    let extensions = &cert.extensions;
    let is_typed = extensions.netscape.is_some_and(|bits| bits & bit != 0);
    let has_usage = extensions.extended.is_some();
    let is_free = extensions.netscape.is_none() && !has_usage;
    let is_named = has_usage && !cert.is_ca() && check::extended_usage(cert, purpose, also).is_ok();
    is_free || is_typed || is_named
}

/// EKU of a CA matters only when it speaks of e-mail or code and not of TLS (verdict eku:int-email/server).
fn authority_purpose_fits(cert: &Cert<'_>) -> bool {
    let Some(usages) = &cert.extensions.extended else {
        return true;
    };
    let has = |list: &[&[u8]]| usages.iter().any(|usage| list.contains(usage));
    has(&[ext::SERVER_AUTH, ext::CLIENT_AUTH, ext::NETSCAPE_SGC]) || !has(&[EMAIL, CODE])
}

/// An explicit policy that is required and not there (verdict odd:policy-required).
fn policies(path: &[&Cert<'_>]) -> Result<(), Fault> {
    let is_required = path.iter().any(|cert| cert.extensions.explicit_policy == Some(0));
    ensure(
        !is_required || path[0].extensions.has_policies,
        Reject::Policy,
        path[0],
        POLICY,
    )
}

fn ensure(holds: bool, reason: Reject, cert: &Cert<'_>, text: &str) -> Result<(), Fault> {
    if holds {
        Ok(())
    } else {
        Err(error(reason, cert, text))
    }
}

fn error(reason: Reject, cert: &Cert<'_>, text: &str) -> Fault {
    fault(reason, Some(cert), format!("ERROR {text}"))
}

const EMAIL: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04];
const CODE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// `PENDING_SLOP`.
const EARLY_SECONDS: i64 = 24 * 60 * 60;
/// `CERT_MAX_CERT_CHAIN`.
const MAX_CHAIN: usize = 20;

// Source: NSS secerr.h and its messages.
const ALGORITHM_DISABLED: &str = "-8016: The certificate was signed using a signature algorithm that is disabled because it is not secure.";
const ALGORITHM_MISMATCH: &str = "-8010: The signature algorithm in the signature field of the certificate does not \
                                  match the algorithm in its signatureAlgorithm field.";
const BAD_SIGNATURE: &str = "-8182: Peer's certificate has an invalid signature.";
const CA_INVALID: &str = "-8156: Issuer certificate is invalid.";
const CERT_TYPE: &str = "-8101: Certificate type not approved for application.";
const EXPIRED: &str = "-8181: Peer's Certificate has expired.";
const EXPIRED_ISSUER: &str =
    "-8162: The certificate issuer's certificate has expired. Check your system date and time.";
const KEY_USAGE: &str = "-8102: Certificate key usage inadequate for attempted operation.";
const NAME_SPACE: &str = "-8080: The Certifying Authority for this certificate is not permitted to issue a certificate with this name.";
const PATH_LENGTH: &str = "-8155: Certificate path length constraint is invalid.";
const POLICY: &str = "-8032: Cert chain fails policy validation";
const UNKNOWN_CRITICAL: &str = "-8151: Certificate contains unknown critical extension.";
const UNKNOWN_ISSUER: &str = "-8179: Peer's Certificate issuer is not recognized.";
const UNKNOWN_OBJECT: &str = "-8049: Unrecognized Object Identifier.";
const UNTRUSTED_ISSUER: &str = "-8172: Peer's certificate issuer has been marked as not trusted by the user.";

/// Extensions that both verifiers know.
pub(crate) const OLD_KNOWN: &[KnownExtension] = &[
    KnownExtension::AuthorityInfoAccess,
    KnownExtension::AuthorityKeyId,
    KnownExtension::BasicConstraints,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::NetscapeCertType,
    KnownExtension::OcspNoCheck,
    KnownExtension::SubjectAltName,
    KnownExtension::SubjectKeyId,
];

/// libpkix knows policies, but not critical AIA (verdict limbo:rfc5280::ee-critical-aia-invalid).
pub(crate) const PKIX_KNOWN: &[KnownExtension] = &[
    KnownExtension::AuthorityKeyId,
    KnownExtension::BasicConstraints,
    KnownExtension::CertificatePolicies,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::InhibitAnyPolicy,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::NetscapeCertType,
    KnownExtension::PolicyConstraints,
    KnownExtension::PolicyMappings,
    KnownExtension::SubjectAltName,
    KnownExtension::SubjectKeyId,
];

/// Hashes its policy disables.
pub(crate) const DISABLED: &[Hash] = &[Hash::Md2, Hash::Md5];
