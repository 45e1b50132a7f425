//! GnuTLS: the chain sorted, cut at the first certificate that is trusted, then verified link by link.
//!
//! Source: GnuTLS 3.7 lib/x509/verify.c `_gnutls_verify_crt_status`, `verify_crt`, `check_if_ca`, lib/x509/verify-high.c
//! `gnutls_x509_trust_list_verify_crt2`, `shorten_clist`; recorded verdicts.

use super::{fault, owned};
use crate::algorithm::{Curve, Hash, Key, Signed};
use crate::case::{Case, Purpose};
use crate::cert::Cert;
use crate::check;
use crate::constraints::gnutls::Merged;
use crate::extension::{self as ext, KnownExtension};
use crate::name::{self, Peer};
use crate::profile::{GnuTls, uses};
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, gnutls: &GnuTls) -> Result<Outcome, Fault> {
    let end = &case.chain[0];
    let sent = shortened(case, arranged(case));
    let Some(last) = sent.last() else {
        return Err(status_fault(SIGNER_NOT_FOUND, end));
    };
    let (mut status, mut path) = chain_status(case, gnutls, &sent, &trusted(case, last.issuer));
    if status & (SIGNER_NOT_FOUND | EXPIRED | INSECURE) != 0 && last.issuer != last.subject {
        case.note(
            last,
            "issuer not found: the last certificate is looked for in the store itself",
        );
        let (again, shorter) = chain_status(case, gnutls, &sent, &trusted(case, last.subject));
        let keeps_first = again != 0 && status & SIGNER_NOT_FOUND == 0;
        if !keeps_first {
            (status, path) = (again, shorter);
        }
    }
    if !purpose_fits(case, end, false) {
        status |= INVALID | PURPOSE;
    }
    if gnutls.is_program.value {
        handshake(case, end)?;
    }
    if let Some(peer) = &case.peer
        && !name::gnutls(end, &as_dialled(gnutls, *peer))
    {
        status |= INVALID | OWNER;
    }
    match status {
        0 => Ok(Outcome::Path(owned(&path))),
        _ => Err(status_fault(status, end)),
    }
}

/// The program drops a dot at the end of the name it dials.
fn as_dialled<'p>(gnutls: &GnuTls, peer: Peer<'p>) -> Peer<'p> {
    match peer {
        Peer::Dns(host) if gnutls.is_program.value => Peer::Dns(host.strip_suffix('.').unwrap_or(host)),
        peer => peer,
    }
}

/// In TLS 1.3 a server's key signs, and keyUsage must say so before the path is looked at.
fn handshake(case: &Case<'_>, end: &Cert<'_>) -> Result<(), Fault> {
    let bits = if case.purpose == Purpose::Server {
        ext::DIGITAL_SIGNATURE
    } else {
        u16::MAX
    };
    check::key_usage(end, bits).map_err(|reason| {
        let text = "*** Fatal error: Key usage violation in certificate has been detected.";
        fault(reason, Some(end), text.to_owned())
    })
}

/// What the peer sent, put in order segment by segment until the end of one has its issuer in the store. Without such
/// an end everything stays, unrelated certificates too, and hides a pinned end entity.
fn arranged<'c, 'a>(case: &'c Case<'a>) -> Vec<&'c Cert<'a>> {
    let mut list: Vec<&Cert<'_>> = case.chain.iter().collect();
    let mut at = 0;
    while at < list.len() {
        case.spend(1);
        let length = sort(&mut list[at..]);
        let repeated = (at..at + length).find(|&place| list[..at].iter().any(|seen| seen.is(list[place])));
        if let Some(place) = repeated {
            // One certificate is moved and the last one dropped, as GnuTLS does, not the whole rest moved up.
            if place + 1 < list.len() {
                list[place] = list[place + 1];
            }
            list.pop();
            continue;
        }
        at += length;
        let end = list[at - 1];
        if trusted(case, end.issuer)
            .iter()
            .any(|anchor| is_issuer(end, anchor))
        {
            list.truncate(at);
        }
    }
    list
}

/// `_gnutls_sort_clist`: follows issuers from the first certificate; says how many are in order, the others stay behind
/// them.
fn sort(list: &mut [&Cert<'_>]) -> usize {
    let count = list.len().min(MAX_DEPTH);
    let issuer_of = |at: usize| (0..count).find(|&other| is_issuer(list[at], list[other]));
    let mut order = vec![0];
    while let Some(next) = order
        .last()
        .and_then(|&at| issuer_of(at))
        .filter(|next| !order.contains(next))
    {
        order.push(next);
    }
    let length = order.len();
    order.extend((1..count).filter(|at| !order.contains(at)).collect::<Vec<_>>());
    let sorted: Vec<&Cert<'_>> = order.into_iter().map(|at| list[at]).collect();
    list[..count].copy_from_slice(&sorted);
    length
}

/// `shorten_clist`: a self-signed end of the chain goes; so does what follows a trusted self-issued one.
fn shortened<'c, 'a>(case: &Case<'_>, sent: Vec<&'c Cert<'a>>) -> Vec<&'c Cert<'a>> {
    let mut sent = without_root(sent);
    let cut = sent
        .iter()
        .enumerate()
        .skip(1)
        .find(|(_, cert)| trusted(case, cert.issuer).iter().any(|anchor| anchor.is(cert)));
    if let Some((at, _)) = cut {
        sent.truncate(at + 1);
    }
    sent
}

fn without_root<'c, 'a>(mut sent: Vec<&'c Cert<'a>>) -> Vec<&'c Cert<'a>> {
    if sent.len() > 1 && sent.last().is_some_and(|last| is_issuer(last, last)) {
        sent.pop();
    }
    sent
}

/// The bucket of the store that GnuTLS looks into for a name: certificates whose subject hashes alike.
fn trusted<'c, 'a>(case: &'c Case<'a>, name: &[u8]) -> Vec<&'c Cert<'a>> {
    let wanted = bucket(name);
    let mut found: Vec<&Cert<'_>> = Vec::new();
    for anchor in case
        .anchors
        .iter()
        .filter(|anchor| bucket(anchor.subject) == wanted)
    {
        if !found.iter().any(|known| known.is(anchor)) {
            found.push(anchor);
        }
    }
    found
}

/// `hash_pjw_bare` modulo the size of the list.
fn bucket(name: &[u8]) -> u64 {
    name.iter().fold(0u64, |hash, &octet| {
        hash.rotate_left(9).wrapping_add(u64::from(octet))
    }) % 127
}

/// Bits of what is wrong, and the path as far as it was cut and verified, the certificate of the store last.
fn chain_status<'c, 'a>(
    case: &'c Case<'a>,
    gnutls: &GnuTls,
    sent: &[&'c Cert<'a>],
    trusted: &[&'c Cert<'a>],
) -> (u32, Vec<&'c Cert<'a>>) {
    let mut sent = without_root(sent.to_vec());
    let mut path = sent.clone();
    for (at, cert) in sent.clone().into_iter().enumerate() {
        let is_same = |anchor: &&&Cert<'_>| match at {
            0 => anchor.is(cert),
            _ => anchor.subject == cert.subject && anchor.spki == cert.spki,
        };
        let Some(anchor) = trusted.iter().find(is_same) else {
            continue;
        };
        case.note(anchor, "in the store: the chain ends below it");
        let mut status = time_status(case, anchor);
        if !has_level(gnutls, anchor.key) {
            status |= INSECURE | INVALID;
        }
        sent.truncate(at);
        path.truncate(at);
        path.push(anchor);
        if status != 0 {
            return (status, path);
        }
        break;
    }
    let Some(last) = sent.len().checked_sub(1) else {
        return (0, path);
    };
    let mut walk = Walk {
        case,
        gnutls,
        room: u32::try_from(MAX_DEPTH).unwrap_or(u32::MAX),
        names: Merged::default(),
    };
    let issuer = find_issuer(case, sent[last], trusted);
    if path.len() == sent.len() {
        path.extend(issuer);
    }
    let status = walk.link(sent[last], issuer, last == 0, true);
    if status != 0 {
        return (status | INVALID, path);
    }
    for at in (1..=last).rev() {
        if !purpose_fits(case, sent[at], true) {
            return (INVALID | PURPOSE, path);
        }
        let issuer = is_issuer(sent[at - 1], sent[at]).then_some(sent[at]);
        let status = walk.link(sent[at - 1], issuer, at == 1, false);
        if status != 0 {
            return (status | INVALID, path);
        }
    }
    (0, path)
}

struct Walk<'s, 'c, 'a> {
    case: &'c Case<'a>,
    gnutls: &'s GnuTls,
    room: u32,
    names: Merged<'a>,
}

impl<'c, 'a> Walk<'_, 'c, 'a> {
    /// `verify_crt`: one certificate under its issuer; bits of what is wrong.
    fn link(
        &mut self,
        cert: &'c Cert<'a>,
        issuer: Option<&'c Cert<'a>>,
        is_end: bool,
        allows_v1: bool,
    ) -> u32 {
        if self.room == 0 {
            return CONSTRAINTS | INVALID;
        }
        self.room -= 1;
        let mut status = 0;
        match issuer {
            None => status |= SIGNER_NOT_FOUND,
            Some(issuer) => {
                self.case.note(issuer, "taken as issuer");
                let is_sound = self.names.add(issuer);
                if !is_sound || (is_end && !self.names.allow(cert)) {
                    status |= CONSTRAINTS;
                }
                if !allows_v1 || issuer.version != 1 {
                    status |= self.authority(cert, issuer, allows_v1);
                }
                if is_odd_pss(cert.signed) || !self.case.is_signed_by(cert, issuer) {
                    status |= SIGNATURE;
                }
                if check::critical_extensions(issuer, KNOWN).is_err() {
                    status |= CRITICAL;
                }
            }
        }
        if is_end && check::critical_extensions(cert, KNOWN).is_err() {
            status |= CRITICAL;
        }
        let levels = [Some(cert), issuer]
            .into_iter()
            .flatten()
            .all(|cert| has_level(self.gnutls, cert.key));
        let is_broken = uses(self.gnutls.broken_hashes.value, cert.signed.hash());
        let is_too_short = matches!(cert.signed.hash(), Some(Hash::Md2 | Hash::Md5))
            || matches!(
                cert.signed,
                Signed::RsaPss {
                    hash: Hash::Sha224,
                    ..
                }
            );
        if !levels || is_too_short || (is_broken && !is_issuer(cert, cert)) {
            status |= INSECURE;
        }
        status |= issuer.map_or(0, |issuer| time_status(self.case, issuer)) | time_status(self.case, cert);
        match status {
            0 => 0,
            status => status | INVALID,
        }
    }

    /// `check_if_ca` and the issuer's keyUsage.
    fn authority(&mut self, cert: &Cert<'_>, issuer: &Cert<'_>, allows_v1: bool) -> u32 {
        let mut status = 0;
        let is_ca = match issuer.extensions.basic {
            _ if cert.is(issuer) => true,
            Some(basic) => {
                if let Some(length) = basic.path_length.filter(|_| basic.ca) {
                    self.room = self.room.min(length);
                }
                basic.ca
            }
            None => allows_v1 && is_issuer(issuer, issuer),
        };
        if !is_ca {
            status |= NOT_CA;
        }
        if !issuer.may(ext::KEY_CERT_SIGN) {
            status |= CONSTRAINTS;
        }
        status
    }
}

/// RSASSA-PSS with a salt of another length than the hash, which its backend does not verify.
fn is_odd_pss(signed: Signed) -> bool {
    matches!(signed, Signed::RsaPss { hash, salt, .. } if salt != hash.octets())
}

/// The last fitting certificate that is valid now, else the first that fits.
fn find_issuer<'c, 'a>(case: &Case<'_>, cert: &Cert<'_>, trusted: &[&'c Cert<'a>]) -> Option<&'c Cert<'a>> {
    let mut found: Option<&Cert<'_>> = None;
    for candidate in trusted.iter().filter(|candidate| is_issuer(cert, candidate)) {
        let is_valid = candidate.not_before.unix <= case.now && case.now < candidate.not_after.unix;
        if found.is_none() || is_valid {
            found = Some(candidate);
        }
    }
    found
}

/// Names byte for byte, key identifiers when both are there.
fn is_issuer(cert: &Cert<'_>, issuer: &Cert<'_>) -> bool {
    let wanted = cert.extensions.authority.and_then(|authority| authority.key_id);
    let fits = match (wanted, issuer.extensions.subject_key) {
        (Some(wanted), Some(present)) => wanted == present,
        _ => true,
    };
    cert.issuer == issuer.subject && fits
}

fn time_status(case: &Case<'_>, cert: &Cert<'_>) -> u32 {
    match check::validity(cert, case.now, false) {
        Ok(()) => 0,
        Err(Reject::NotYetValid) => NOT_ACTIVATED | INVALID,
        Err(_) => EXPIRED | INVALID,
    }
}

fn has_level(gnutls: &GnuTls, key: Key) -> bool {
    match key {
        Key::Rsa { bits, .. } | Key::RsaPss { bits } | Key::Dsa { bits } => bits >= gnutls.min_rsa_bits.value,
        Key::Ec(curve) => !matches!(curve, Curve::K256 | Curve::Unknown),
        Key::Ed25519 | Key::Ed448 => true,
        Key::Unknown => false,
    }
}

fn purpose_fits(case: &Case<'_>, cert: &Cert<'_>, as_ca: bool) -> bool {
    let mut also: Vec<&[u8]> = Vec::new();
    if !as_ca {
        also.push(ext::ANY_USAGE);
    }
    if cert.is_ca() && case.purpose == Purpose::Server {
        also.extend([ext::NETSCAPE_SGC, VERISIGN_SGC]);
    }
    if cert.extensions.broken.contains(&KnownExtension::ExtendedKeyUsage) {
        return false;
    }
    let is_empty = cert.extensions.extended.as_ref().is_none_or(Vec::is_empty);
    is_empty || check::extended_usage(cert, case.purpose, &also).is_ok()
}

fn status_fault(status: u32, cert: &Cert<'_>) -> Fault {
    let status = status | INVALID;
    let rows = REASONS.iter().filter(|(bit, _, _)| status & bit != 0);
    let sentences: Vec<&str> = rows.clone().map(|(_, text, _)| *text).collect();
    let reason = rows
        .map(|row| row.2)
        .max_by_key(|reason| reason.rank())
        .unwrap_or(Reject::NoAnchor);
    let text = format!(
        "{status:#x}: The certificate is NOT trusted. {}",
        sentences.join(" ")
    );
    fault(reason, Some(cert), text)
}

const INVALID: u32 = 0x2;
const SIGNER_NOT_FOUND: u32 = 0x40;
const NOT_CA: u32 = 0x80;
const INSECURE: u32 = 0x100;
const NOT_ACTIVATED: u32 = 0x200;
const EXPIRED: u32 = 0x400;
const SIGNATURE: u32 = 0x800;
const OWNER: u32 = 0x4000;
const CONSTRAINTS: u32 = 0x10000;
const PURPOSE: u32 = 0x40000;
const CRITICAL: u32 = 0x0020_0000;

/// Source: gnutls/gnutls.h `gnutls_certificate_status_t`; texts of the recorded verdicts.
const REASONS: &[(u32, &str, Reject)] = &[
    (
        SIGNER_NOT_FOUND,
        "The certificate issuer is unknown.",
        Reject::NoAnchor,
    ),
    (NOT_CA, "The certificate issuer is not a CA.", Reject::NotCa),
    (
        INSECURE,
        "The certificate chain uses insecure algorithm.",
        Reject::AlgorithmRefused,
    ),
    (
        CONSTRAINTS,
        "The certificate chain violates the signer's constraints.",
        Reject::NameConstraint,
    ),
    (
        NOT_ACTIVATED,
        "The certificate chain uses not yet valid certificate.",
        Reject::NotYetValid,
    ),
    (
        EXPIRED,
        "The certificate chain uses expired certificate.",
        Reject::Expired,
    ),
    (
        SIGNATURE,
        "The signature in the certificate is invalid.",
        Reject::BadSignature,
    ),
    (
        PURPOSE,
        "The certificate chain does not match the intended purpose.",
        Reject::Purpose,
    ),
    (
        CRITICAL,
        "The certificate contains an unknown critical extension.",
        Reject::CriticalExtension,
    ),
    (
        OWNER,
        "The name in the certificate does not match the expected.",
        Reject::NameMismatch,
    ),
];

/// `MAX_VERIFY_DEPTH`.
const MAX_DEPTH: usize = 16;
const VERISIGN_SGC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x08, 0x01];

/// Source: lib/x509/extensions.c; verdicts odd:policy-critical, odd:policy-required, limbo:rfc5280::ee-critical-aia-invalid.
const KNOWN: &[KnownExtension] = &[
    KnownExtension::AuthorityInfoAccess,
    KnownExtension::AuthorityKeyId,
    KnownExtension::BasicConstraints,
    KnownExtension::CertificatePolicies,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::InhibitAnyPolicy,
    KnownExtension::IssuerAltName,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::PrivateKeyUsage,
    KnownExtension::SubjectAltName,
    KnownExtension::SubjectKeyId,
];
