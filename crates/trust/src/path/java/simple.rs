//! `SimpleValidator`: the chain as sent, no search.

use super::super::fault;
use super::{no_trusted, rules};
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::extension::{self as ext, KnownExtension};
use crate::profile::Java;
use crate::verdict::{Fault, Reject};

/// Validates the chain as sent; gives it with its anchor.
pub(super) fn validate<'c, 'a>(case: &'c Case<'a>, java: &Java) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let path = with_anchor(case)?;
    let mut room = path.len() - 1;
    for depth in (0..path.len() - 1).rev() {
        let (cert, issuer) = (path[depth], path[depth + 1]);
        rules::algorithm(java, cert, issuer).map_err(|found| Fault {
            prints: "ValidatorException: Certificate signature algorithm disabled".to_owned(),
            ..found
        })?;
        check::validity(cert, case.now, false).map_err(|reason| {
            let text = match reason {
                Reject::NotYetValid => "CertificateNotYetValidException: NotBefore",
                _ => "CertificateExpiredException: NotAfter",
            };
            fault(reason, Some(cert), text.to_owned())
        })?;
        if cert.issuer_canonical != issuer.subject_canonical {
            return Err(refuse(Reject::ChainOrder, cert, "Certificate chaining error"));
        }
        if !rules::verifies(case, java, cert, issuer) {
            return Err(refuse(
                Reject::BadSignature,
                cert,
                "Certificate signature validation failed",
            ));
        }
        if depth != 0 {
            room = authority(cert, room)?;
        }
    }
    Ok(path)
}

/// Several anchors of one name, no key identifier to choose: a hash set's order decides.
pub(super) fn chance(case: &Case<'_>) -> Option<&'static str> {
    if case.chain.iter().any(|cert| trusted_twin(case, cert).is_some()) {
        return None;
    }
    let last = case.chain.last()?;
    let named: Vec<&Cert<'_>> = issuers(case, last).collect();
    let wanted = last.extensions.authority.and_then(|authority| authority.key_id);
    let chosen = named
        .iter()
        .filter(|anchor| wanted.is_some() && anchor.extensions.subject_key == wanted)
        .count();
    let keys: std::collections::BTreeSet<&[u8]> = named.iter().map(|anchor| anchor.spki).collect();
    (chosen != 1 && keys.len() > 1).then_some(
        "SunX509 among several anchors of one name without a key identifier takes what a hash set puts first",
    )
}

fn with_anchor<'c, 'a>(case: &'c Case<'a>) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let mut path: Vec<&Cert<'_>> = Vec::new();
    for cert in &case.chain {
        if let Some(anchor) = trusted_twin(case, cert) {
            case.note(anchor, "in the store");
            path.push(anchor);
            return Ok(path);
        }
        path.push(cert);
    }
    let last = path[path.len() - 1];
    let wanted = last.extensions.authority.and_then(|authority| authority.key_id);
    let best = issuers(case, last).find(|anchor| wanted.is_some() && anchor.extensions.subject_key == wanted);
    let anchor = best
        .or_else(|| issuers(case, last).next())
        .ok_or_else(|| no_trusted(last))?;
    case.note(anchor, "taken from the store");
    path.push(anchor);
    Ok(path)
}

/// Anchors of the issuer's name, as a `HashSet<X509Certificate>` gives them.
fn issuers<'c, 'a>(case: &'c Case<'a>, cert: &Cert<'_>) -> impl Iterator<Item = &'c Cert<'a>> {
    let fits = |anchor: &&Cert<'_>| anchor.subject_canonical == cert.issuer_canonical;
    hash_order(case, 16)
        .into_iter()
        .filter(fits)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The anchors in the order of a `HashSet` made with room for `capacity` buckets, each once.
pub(super) fn hash_order<'c, 'a>(case: &'c Case<'a>, capacity: usize) -> Vec<&'c Cert<'a>> {
    let mut anchors: Vec<&Cert<'_>> = Vec::new();
    for anchor in &case.anchors {
        if !anchors.iter().any(|known| known.is(anchor)) {
            anchors.push(anchor);
        }
    }
    let mut buckets = capacity.next_power_of_two();
    while anchors.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    anchors.sort_by_key(|anchor| bucket(anchor.source.der(), buckets));
    anchors
}

/// Where `java.util.HashMap` puts a certificate, whose hash is `Arrays.hashCode` of its DER.
///
/// Source: OpenJDK 17 `java.security.cert.Certificate.hashCode`, `java.util.HashMap.hash`.
fn bucket(der: &[u8], buckets: usize) -> usize {
    let add = |hash: u32, octet: &u8| {
        let signed = i32::from(i8::from_ne_bytes([*octet])).cast_unsigned();
        hash.wrapping_mul(31).wrapping_add(signed)
    };
    let hash = der.iter().fold(1, add);
    let spread = hash ^ (hash >> 16);
    usize::try_from(spread).unwrap_or_default() & (buckets - 1)
}

/// The same certificate, or one of the same subject, issuer and key. Source: `getTrustedCertificate`.
fn trusted_twin<'c, 'a>(case: &'c Case<'a>, cert: &Cert<'_>) -> Option<&'c Cert<'a>> {
    case.anchors.iter().find(|anchor| {
        anchor.is(cert)
            || (anchor.subject_canonical == cert.subject_canonical
                && anchor.issuer_canonical == cert.issuer_canonical
                && anchor.spki == cert.spki)
    })
}

fn authority(cert: &Cert<'_>, room: usize) -> Result<usize, Fault> {
    if !cert.is_ca() {
        return Err(refuse(Reject::NotCa, cert, "End user tried to act as a CA"));
    }
    let mut room = room;
    if !cert.is_self_issued() {
        if room == 0 {
            return Err(refuse(
                Reject::PathLength,
                cert,
                "Violated path length constraints",
            ));
        }
        room -= 1;
    }
    if let Some(limit) = cert.extensions.basic.and_then(|basic| basic.path_length) {
        room = room.min(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    check::key_usage(cert, ext::KEY_CERT_SIGN)
        .map_err(|reason| refuse(reason, cert, "Wrong key usage: expected keyCertSign"))?;
    if cert.extensions.netscape.is_some_and(|bits| bits & 0x04 == 0) {
        return Err(refuse(
            Reject::NotCa,
            cert,
            "Invalid Netscape CertType extension for SSL CA certificate",
        ));
    }
    let unknown = cert.unknown_critical(CA_KNOWN);
    if !unknown.is_empty() {
        let text = format!(
            "Certificate contains unknown critical extensions: [{}]",
            unknown.join(", ")
        );
        return Err(refuse(Reject::CriticalExtension, cert, &text));
    }
    Ok(room)
}

fn refuse(reason: Reject, cert: &Cert<'_>, text: &str) -> Fault {
    fault(reason, Some(cert), format!("ValidatorException: {text}"))
}

const CA_KNOWN: &[KnownExtension] = &[
    KnownExtension::BasicConstraints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::KeyUsage,
    KnownExtension::NetscapeCertType,
];

pub(super) const END_KNOWN: &[KnownExtension] = &[
    KnownExtension::BasicConstraints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::KeyUsage,
    KnownExtension::NetscapeCertType,
    KnownExtension::SubjectAltName,
];
