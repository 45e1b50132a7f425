//! `X509_verify_cert` of OpenSSL 3.0, in its order of checks.
//!
//! Source: crypto/x509/x509_vfy.c `verify_chain` and below, crypto/x509/v3_purp.c; recorded verdicts.

use super::openssl_chain::{self, Built};
use super::{fault, owned};
use crate::algorithm::{Hash, Key, Signed};
use crate::case::{Case, Purpose};
use crate::cert::Cert;
use crate::check;
use crate::constraints;
use crate::dn;
use crate::extension::{self as ext, KnownExtension};
use crate::name;
use crate::profile::{HostMatch, OpenSsl, OpenSslPrints};
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, rules: &OpenSsl) -> Result<Outcome, Fault> {
    let leaf = &case.chain[0];
    let print = |error: Error, depth: usize, cert: &Cert<'_>| {
        fault(error.reason(), Some(cert), text(rules.prints.value, error, depth))
    };
    if !has_level(leaf.key, rules.auth_level.value) {
        return Err(print(Error::EeKeyTooSmall, 0, leaf));
    }
    // An invalid certificate has no issuer and issues nothing: only as its own anchor it gets any further, and the
    // check of its purpose then counts as passed, except with strictness.
    let partial = is_partial(case, rules);
    let is_pinned = partial
        && !rules.strict.value
        && is_invalid(leaf)
        && case.anchors.iter().any(|anchor| anchor.is(leaf));
    if is_pinned {
        identity(case, rules, leaf)
            .and_then(|()| dates(case, leaf, 0))
            .and_then(|()| node_identity(case, rules, leaf))
            .map_err(|(error, depth)| print(error, depth, leaf))?;
        return Ok(Outcome::Path(owned(&[leaf])));
    }
    if let Some(depth) = case.chain.iter().position(is_invalid) {
        return Err(print(Error::Unspecified, depth, &case.chain[depth]));
    }
    let built = openssl_chain::build(case, partial);
    let chain = &built.chain;
    if let Some(depth) = chain.iter().position(|cert| is_invalid(cert)) {
        return Err(print(Error::Unspecified, depth, chain[depth]));
    }
    let checked = trusted(&built)
        .and_then(|()| extensions(case, rules, &built))
        .and_then(|()| levels(rules, chain))
        .and_then(|()| identity(case, rules, leaf))
        .and_then(|()| signatures(case, rules, chain))
        .and_then(|()| names(chain))
        .and_then(|()| node_identity(case, rules, leaf));
    match checked {
        Ok(()) => Ok(Outcome::Path(owned(chain))),
        Err((error, depth)) => Err(print(error, depth, chain.get(depth).copied().unwrap_or(leaf))),
    }
}

fn is_partial(case: &Case<'_>, rules: &OpenSsl) -> bool {
    rules.partial_chain.value && (rules.partial_in_servers.value || case.purpose == Purpose::Server)
}

type Checked = Result<(), (Error, usize)>;

fn trusted(built: &Built<'_, '_>) -> Checked {
    if built.is_trusted {
        return Ok(());
    }
    let depth = built.chain.len() - 1;
    let error = match (openssl_chain::is_self_signed(built.chain[depth]), depth) {
        (true, 0) => Error::SelfSigned,
        (true, _) => Error::SelfSignedInChain,
        (false, _) if built.untrusted < built.chain.len() => Error::NoIssuer,
        (false, _) => Error::NoIssuerLocally,
    };
    Err((error, depth))
}

/// `check_chain_extensions`.
fn extensions(case: &Case<'_>, rules: &OpenSsl, built: &Built<'_, '_>) -> Checked {
    let chain = &built.chain;
    let strict = rules.strict.value;
    let mut path_length = 0;
    for (depth, cert) in chain.iter().enumerate() {
        let check = |holds: bool, error: Error| if holds { Ok(()) } else { Err((error, depth)) };
        check(
            check::critical_extensions(cert, KNOWN).is_ok(),
            Error::CriticalExtension,
        )?;
        let ca = ca_kind(cert);
        if depth == 0 {
            check(!strict || ca <= 1, Error::InvalidCa)?;
        } else {
            let must_be_proper = depth + 1 < chain.len() || strict;
            check(ca != 0 && (!must_be_proper || ca == 1), Error::InvalidCa)?;
        }
        if strict && chain.len() > 1 {
            strict_form(cert, depth + 1 < chain.len()).map_err(|error| (error, depth))?;
        }
        check(
            purpose_fits(case.purpose, cert, depth > 0, strict),
            Error::Purpose,
        )?;
        let limit = cert.extensions.basic.and_then(|basic| basic.path_length);
        check(
            depth <= 1 || limit.is_none_or(|limit| path_length <= limit),
            Error::PathLength,
        )?;
        if depth > 0 && !cert.is_self_issued() {
            path_length += 1;
        }
    }
    Ok(())
}

/// `check_ca`: 0 = none, 1 = basicConstraints says so, 3 = version 1 self-signed, 4 = keyCertSign without
/// basicConstraints, 5 = Netscape's certificate type.
fn ca_kind(cert: &Cert<'_>) -> u8 {
    if !cert.may(ext::KEY_CERT_SIGN) {
        return 0;
    }
    match cert.extensions.basic {
        Some(basic) => u8::from(basic.ca),
        None if cert.version == 1 && openssl_chain::is_self_signed(cert) => 3,
        None if cert.extensions.key_usage.is_some() => 4,
        None if cert.extensions.netscape.is_some_and(|bits| bits & 0x07 != 0) => 5,
        None => 0,
    }
}

fn purpose_fits(purpose: Purpose, cert: &Cert<'_>, as_ca: bool, strict: bool) -> bool {
    let gated: &[&[u8]] = match purpose {
        Purpose::Server => &[ext::NETSCAPE_SGC, ext::MICROSOFT_SGC],
        Purpose::Client => &[],
    };
    if check::extended_usage(cert, purpose, gated).is_err() {
        return false;
    }
    if as_ca {
        return match ca_kind(cert) {
            0 => false,
            1 => true,
            5 => cert.extensions.netscape.is_some_and(|bits| bits & 0x04 != 0) && !strict,
            _ => !strict,
        };
    }
    let (usage, netscape) = match purpose {
        Purpose::Server => (
            ext::DIGITAL_SIGNATURE | ext::KEY_ENCIPHERMENT | ext::KEY_AGREEMENT,
            0x40,
        ),
        Purpose::Client => (ext::DIGITAL_SIGNATURE | ext::KEY_AGREEMENT, 0x80),
    };
    check::key_usage(cert, usage).is_ok() && cert.extensions.netscape.is_none_or(|bits| bits & netscape != 0)
}

/// The checks of `X509_V_FLAG_X509_STRICT`.
fn strict_form(cert: &Cert<'_>, has_issuer_above: bool) -> Result<(), Error> {
    let extensions = &cert.extensions;
    let usage = extensions.key_usage;
    let may_sign = usage.is_none_or(|usage| usage & ext::KEY_CERT_SIGN != 0);
    let is_critical = |kind| extensions.is_critical(kind);
    if extensions.basic.is_some_and(|basic| basic.path_length.is_some()) {
        ensure(cert.is_ca(), Error::PathLengthOfNonCa)?;
        ensure(may_sign, Error::PathLengthWithoutSign)?;
    }
    if cert.is_ca() {
        ensure(
            is_critical(KnownExtension::BasicConstraints),
            Error::BasicNotCritical,
        )?;
        ensure(usage.is_some(), Error::CaWithoutUsage)?;
    } else {
        ensure(
            usage.is_none_or(|usage| usage & ext::KEY_CERT_SIGN == 0),
            Error::SignOfNonCa,
        )?;
    }
    ensure(!dn::is_empty(cert.issuer), Error::EmptyIssuer)?;
    let is_nameless = dn::is_empty(cert.subject);
    let signs_lists = usage.is_some_and(|usage| usage & ext::CRL_SIGN != 0);
    let needs_subject = cert.is_ca() || signs_lists || extensions.names.is_none();
    ensure(!(needs_subject && is_nameless), Error::EmptySubject)?;
    let has_names = extensions.names.is_some();
    ensure(
        !is_nameless || !has_names || is_critical(KnownExtension::SubjectAltName),
        Error::NamesNotCritical,
    )?;
    ensure(
        extensions.names.as_ref().is_none_or(|names| !names.is_empty()),
        Error::EmptyNames,
    )?;
    ensure(cert.has_consistent_algorithm(), Error::AlgorithmMismatch)?;
    ensure(
        !is_critical(KnownExtension::AuthorityKeyId),
        Error::AuthorityKeyCritical,
    )?;
    ensure(
        !is_critical(KnownExtension::SubjectKeyId),
        Error::SubjectKeyCritical,
    )?;
    if cert.version >= 3 {
        let has_key_id = extensions
            .authority
            .is_some_and(|authority| authority.key_id.is_some());
        ensure(!has_issuer_above || has_key_id, Error::NoAuthorityKey)?;
        ensure(
            !cert.is_ca() || extensions.subject_key.is_some(),
            Error::NoSubjectKey,
        )?;
    } else {
        ensure(extensions.all.is_empty(), Error::ExtensionsNeedVersion3)?;
    }
    Ok(())
}

fn ensure(holds: bool, error: Error) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(error) }
}

/// `check_auth_level`: keys of issuers, signature algorithms of all but the last.
fn levels(rules: &OpenSsl, chain: &[&Cert<'_>]) -> Checked {
    for (depth, cert) in chain.iter().enumerate() {
        if depth > 0 && !has_level(cert.key, rules.auth_level.value) {
            return Err((Error::CaKeyTooSmall, depth));
        }
        if depth + 1 < chain.len()
            && signature_bits(cert.signed) < LEVELS[usize::from(rules.auth_level.value)]
        {
            return Err((Error::DigestTooWeak, depth));
        }
    }
    Ok(())
}

fn has_level(key: Key, level: u8) -> bool {
    level == 0 || key_bits(key) >= LEVELS[usize::from(level)]
}

/// Bits of security. Source: `ossl_ifc_ffc_compute_security_bits`, `EC_GROUP_order_bits` in `ossl_ec_pkey_security_bits`.
fn key_bits(key: Key) -> u32 {
    match key {
        Key::Rsa { bits, .. } | Key::RsaPss { bits } | Key::Dsa { bits } => match bits {
            0..512 => 0,
            512..1024 => 56,
            1024..2048 => 80,
            2048..3072 => 112,
            3072..7680 => 128,
            7680..15360 => 192,
            _ => 256,
        },
        Key::Ec(curve) => match curve.bits() {
            512.. => 256,
            384.. => 192,
            256.. => 128,
            224.. => 112,
            160.. => 80,
            bits => bits / 2,
        },
        Key::Ed25519 => 128,
        Key::Ed448 => 224,
        Key::Unknown => 0,
    }
}

/// Source: crypto/x509/x509_set.c `x509_sig_info_init`: MD5 39, SHA-1 63.
fn signature_bits(signed: Signed) -> u32 {
    match signed {
        Signed::Ed25519 => 128,
        Signed::Ed448 => 224,
        Signed::Unknown => 0,
        other => match other.hash() {
            Some(Hash::Sha1) => 63,
            Some(Hash::Sha224) => 112,
            Some(Hash::Sha256) => 128,
            Some(Hash::Sha384) => 192,
            Some(Hash::Sha512) => 256,
            Some(Hash::Md2 | Hash::Md5) | None => 39,
        },
    }
}

/// `check_id`.
fn identity(case: &Case<'_>, rules: &OpenSsl, leaf: &Cert<'_>) -> Checked {
    let Some(peer) = &case.peer else { return Ok(()) };
    let fits = match rules.host.value {
        HostMatch::Library => name::openssl(leaf, peer, false),
        HostMatch::LibraryPartialStars => name::openssl(leaf, peer, true),
        HostMatch::Curl | HostMatch::Node => true,
    };
    let error = match peer {
        name::Peer::Dns(_) => Error::HostMismatch,
        name::Peer::Ip { .. } => Error::IpMismatch,
    };
    if fits { Ok(()) } else { Err((error, 0)) }
}

/// curl and Node look at the name after the handshake, with matchers of their own.
fn node_identity(case: &Case<'_>, rules: &OpenSsl, leaf: &Cert<'_>) -> Checked {
    let Some(peer) = &case.peer else { return Ok(()) };
    let fits = match rules.host.value {
        HostMatch::Curl => name::curl(leaf, peer),
        HostMatch::Node => name::node(leaf, peer),
        HostMatch::Library | HostMatch::LibraryPartialStars => true,
    };
    if fits {
        Ok(())
    } else {
        Err((Error::HostMismatch, 0))
    }
}

/// `internal_verify`: from the anchor down, signature then dates of each.
fn signatures(case: &Case<'_>, rules: &OpenSsl, chain: &[&Cert<'_>]) -> Checked {
    let last = chain.len() - 1;
    let mut from = last;
    if !openssl_chain::may_have_issued(chain[last], chain[last]) && !is_partial(case, rules) {
        from = last.checked_sub(1).ok_or((Error::LeafSignature, 0))?;
    }
    for depth in (0..=from).rev() {
        let cert = chain[depth];
        if let Some(issuer) = chain.get(depth + 1) {
            if !issuer.may(ext::KEY_CERT_SIGN) {
                return Err((Error::NoCertSign, depth + 1));
            }
            if !cert.has_consistent_algorithm() || !case.is_signed_by(cert, issuer) {
                return Err((Error::BadSignature, depth));
            }
        }
        dates(case, cert, depth)?;
    }
    Ok(())
}

fn dates(case: &Case<'_>, cert: &Cert<'_>, depth: usize) -> Checked {
    check::validity(cert, case.now, true).map_err(|reason| match reason {
        Reject::NotYetValid => (Error::NotYetValid, depth),
        _ => (Error::Expired, depth),
    })
}

/// `check_name_constraints`: every certificate against the constraints of all above it, the anchor's too.
fn names(chain: &[&Cert<'_>]) -> Checked {
    for (depth, cert) in chain.iter().enumerate().rev() {
        if depth != 0 && cert.is_self_issued() {
            continue;
        }
        for above in chain.iter().skip(depth + 1).rev() {
            if let Some(subtrees) = &above.extensions.subtrees
                && let Err(violation) = constraints::openssl(cert, subtrees, depth == 0)
            {
                let error = match violation {
                    constraints::Violation::Excluded => Error::Excluded,
                    constraints::Violation::NotPermitted => Error::NotPermitted,
                    constraints::Violation::Unsupported => Error::ConstraintUnsupported,
                };
                return Err((error, depth));
            }
        }
    }
    Ok(())
}

/// Known extensions that cannot be decoded, or that stand there twice (`EXFLAG_INVALID`).
fn is_invalid(cert: &Cert<'_>) -> bool {
    let extensions = &cert.extensions;
    let has_no_usage = extensions.key_usage == Some(0);
    let has_odd_length = extensions.basic.is_some_and(|basic| basic.is_odd);
    !extensions.broken.is_empty() || extensions.has_duplicate || has_no_usage || has_odd_length
}

/// `X509_V_ERR_…` with number, symbol, text, and our reason.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Error {
    number: u8,
    symbol: &'static str,
    text: &'static str,
    reason: Reject,
}

impl Error {
    fn reason(self) -> Reject {
        self.reason
    }
}

fn text(style: OpenSslPrints, error: Error, depth: usize) -> String {
    let Error {
        number, symbol, text, ..
    } = error;
    match style {
        OpenSslPrints::Curl => format!("curl: (60) SSL certificate problem: {text}"),
        OpenSslPrints::Library => format!("{number}: {text} (depth {depth})"),
        OpenSslPrints::Node => format!("{symbol}: {text}"),
        OpenSslPrints::Python => format!("{number}: {text}"),
        OpenSslPrints::SClient => format!("num={number}:{text}"),
    }
}

macro_rules! errors {
    ($($name:ident = $number:literal, $symbol:literal, $text:literal, $reason:ident;)*) => {
        #[allow(non_upper_case_globals, reason = "they read as variants")]
        impl Error {
            $(const $name: Self =
                Self { number: $number, symbol: $symbol, text: $text, reason: Reject::$reason };)*
        }
    };
}

// Source: openssl/x509_vfy.h, X509_verify_cert_error_string(3).
errors! {
    Unspecified = 1, "UNSPECIFIED", "unspecified certificate verification error", Unreadable;
    NoIssuer = 2, "UNABLE_TO_GET_ISSUER_CERT", "unable to get issuer certificate", NoAnchor;
    BadSignature = 7, "CERT_SIGNATURE_FAILURE", "certificate signature failure", BadSignature;
    NotYetValid = 9, "CERT_NOT_YET_VALID", "certificate is not yet valid", NotYetValid;
    Expired = 10, "CERT_HAS_EXPIRED", "certificate has expired", Expired;
    SelfSigned = 18, "DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate", SelfSigned;
    SelfSignedInChain = 19, "SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain", SelfSigned;
    NoIssuerLocally = 20, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate", NoAnchor;
    LeafSignature = 21, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify the first certificate", NoAnchor;
    PathLength = 25, "PATH_LENGTH_EXCEEDED", "path length constraint exceeded", PathLength;
    Purpose = 26, "INVALID_PURPOSE", "unsuitable certificate purpose", Purpose;
    NoCertSign = 32, "UNSPECIFIED", "key usage does not include certificate signing", KeyUsage;
    CriticalExtension = 34, "UNSPECIFIED", "unhandled critical extension", CriticalExtension;
    NotPermitted = 47, "UNSPECIFIED", "permitted subtree violation", NameConstraint;
    Excluded = 48, "UNSPECIFIED", "excluded subtree violation", NameConstraint;
    ConstraintUnsupported = 51, "UNSPECIFIED", "unsupported name constraint type", NameConstraint;
    HostMismatch = 62, "HOSTNAME_MISMATCH", "hostname mismatch", NameMismatch;
    IpMismatch = 64, "UNSPECIFIED", "IP address mismatch", NameMismatch;
    EeKeyTooSmall = 66, "UNSPECIFIED", "EE certificate key too weak", KeyWeak;
    CaKeyTooSmall = 67, "UNSPECIFIED", "CA certificate key too weak", KeyWeak;
    DigestTooWeak = 68, "UNSPECIFIED", "CA signature digest algorithm too weak", AlgorithmRefused;
    InvalidCa = 79, "INVALID_CA", "invalid CA certificate", NotCa;
    PathLengthOfNonCa = 80, "UNSPECIFIED", "Path length invalid for non-CA cert", Form;
    PathLengthWithoutSign = 81, "UNSPECIFIED", "Path length given without key usage keyCertSign", Form;
    SignOfNonCa = 82, "UNSPECIFIED", "Key usage keyCertSign invalid for non-CA cert", Form;
    EmptyIssuer = 83, "UNSPECIFIED", "Issuer name empty", Form;
    EmptySubject = 84, "UNSPECIFIED", "Subject name empty", Form;
    NoAuthorityKey = 85, "UNSPECIFIED", "Missing Authority Key Identifier", Form;
    NoSubjectKey = 86, "UNSPECIFIED", "Missing Subject Key Identifier", Form;
    EmptyNames = 87, "UNSPECIFIED", "Empty Subject Alternative Name extension", Form;
    NamesNotCritical = 88, "UNSPECIFIED", "Empty subject and Subject Alternative Name extension not critical", Form;
    BasicNotCritical = 89, "UNSPECIFIED", "Basic Constraints of CA cert not marked critical", Form;
    AuthorityKeyCritical = 90, "UNSPECIFIED", "Authority Key Identifier marked critical", Form;
    SubjectKeyCritical = 91, "UNSPECIFIED", "Subject Key Identifier marked critical", Form;
    CaWithoutUsage = 92, "UNSPECIFIED", "CA cert does not include key usage extension", Form;
    ExtensionsNeedVersion3 = 93, "UNSPECIFIED", "Using cert extension requires at least X509v3", Form;
    AlgorithmMismatch = 76, "UNSPECIFIED", "Subject signature algorithm and issuer public key algorithm mismatch", Form;
}

/// Bits of security per level. Source: X509_VERIFY_PARAM_set_auth_level(3).
const LEVELS: [u32; 6] = [0, 80, 112, 128, 192, 256];

/// Source: crypto/x509/v3_purp.c `X509_supported_extension`; verdicts limbo:rfc5280::aki::critical-aki,
/// limbo:rfc5280::ski::critical-ski.
const KNOWN: &[KnownExtension] = &[
    KnownExtension::BasicConstraints,
    KnownExtension::CertificatePolicies,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::InhibitAnyPolicy,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::NetscapeCertType,
    KnownExtension::OcspNoCheck,
    KnownExtension::PolicyConstraints,
    KnownExtension::PolicyMappings,
    KnownExtension::SubjectAltName,
];
