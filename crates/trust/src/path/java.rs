//! The trust managers of OpenJDK and its `CertPathBuilder`.
//!
//! Source: OpenJDK 17 sun.security.validator.{PKIXValidator, SimpleValidator, EndEntityChecker},
//! sun.security.provider.certpath.{PKIXCertPathValidator, ForwardBuilder, AlgorithmChecker, ConstraintsChecker,
//! KeyChecker, BasicChecker}, sun.security.ssl.X509TrustManagerImpl; recorded verdicts.

mod builder;
mod rules;
mod simple;

use super::{fault, owned};
use crate::case::{Case, Purpose};
use crate::cert::Cert;
use crate::check;
use crate::extension as ext;
use crate::name;
use crate::profile::{Java, JavaValidator};
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, java: &Java) -> Result<Outcome, Fault> {
    let end = &case.chain[0];
    if case.anchors.is_empty() {
        let prints = "RuntimeException: Unexpected error: java.security.InvalidAlgorithmParameterException: \
                      the trustAnchors parameter must be non-empty";
        return Err(match java.validator.value {
            JavaValidator::Simple => no_trusted(end),
            _ => fault(Reject::EmptyStore, Some(end), prints.to_owned()),
        });
    }
    match java.validator.value {
        JavaValidator::CertPath => {
            let path = builder::build(case, java).map_err(|found| builder_fault(&found, false))?;
            Ok(Outcome::Path(owned(&path)))
        }
        JavaValidator::Pkix => {
            let path = pkix(case, java)?;
            if path.len() > 1 {
                end_entity(case, end, false)?;
            }
            finish(case, end, &path)
        }
        JavaValidator::Simple => {
            let judged = as_sent(case, java, end);
            let Some(because) = simple::chance(case) else {
                return judged;
            };
            Ok(Outcome::Doubt {
                because: vec![because],
                leans_to_accept: judged.is_ok(),
                path: owned(&case.chain.iter().collect::<Vec<_>>()),
            })
        }
    }
}

fn as_sent(case: &Case<'_>, java: &Java, end: &Cert<'_>) -> Result<Outcome, Fault> {
    let path = simple::validate(case, java)?;
    if path.len() > 1 {
        end_entity(case, end, true)?;
    }
    finish(case, end, &path)
}

fn finish(case: &Case<'_>, end: &Cert<'_>, path: &[&Cert<'_>]) -> Result<Outcome, Fault> {
    if let Some(peer) = &case.peer {
        name::java(end, peer).map_err(|prints| fault(Reject::NameMismatch, Some(end), prints))?;
    }
    Ok(Outcome::Path(owned(path)))
}

/// `PKIXValidator.engineValidate`: in order as sent if it can, else by search.
fn pkix<'c, 'a>(case: &'c Case<'a>, java: &Java) -> Result<Vec<&'c Cert<'a>>, Fault> {
    for (depth, cert) in case.chain.iter().enumerate() {
        let is_trusted = case.anchors.iter().any(|anchor| anchor.is(cert));
        if depth == 0 {
            if is_trusted {
                case.note(cert, "itself in the store: accepted without any check");
                return Ok(vec![cert]);
            }
            continue;
        }
        if cert.subject_canonical != case.chain[depth - 1].issuer_canonical {
            case.note(
                cert,
                "not the issuer of the certificate before it: a path is searched",
            );
            return built(case, java);
        }
        let is_same_key = |anchor: &Cert<'_>| {
            anchor.subject_canonical == cert.subject_canonical && anchor.spki == cert.spki
        };
        if is_trusted || case.anchors.iter().any(is_same_key) {
            case.note(cert, "in the store: the chain is validated up to here");
            return validated(case, java, depth);
        }
    }
    let last = &case.chain[case.chain.len() - 1];
    if case
        .anchors
        .iter()
        .any(|anchor| anchor.subject_canonical == last.issuer_canonical)
    {
        return validated(case, java, case.chain.len());
    }
    built(case, java)
}

/// The first `length` certificates as sent, under each anchor that fits.
fn validated<'c, 'a>(case: &'c Case<'a>, java: &Java, length: usize) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let sent: Vec<&Cert<'_>> = case.chain.iter().take(length).collect();
    let top = sent[length - 1];
    let mut last = None;
    for anchor in case
        .anchors
        .iter()
        .filter(|anchor| builder::fits_as_anchor(anchor, top))
    {
        case.note(anchor, "tried as anchor");
        match rules::validate(case, java, &sent, anchor) {
            Ok(()) => {
                let mut path = sent.clone();
                path.push(anchor);
                return rules::anchor(java, anchor)
                    .map(|()| path)
                    .map_err(|found| wrapped("PKIX path validation failed: sun.security.validator.", found));
            }
            Err(found) => last = Some(found),
        }
    }
    let found = last.unwrap_or_else(|| {
        let prints = "CertPathValidatorException: Path does not chain with any of the trust anchors";
        fault(Reject::NoAnchor, Some(top), prints.to_owned())
    });
    Err(wrapped("PKIX path validation failed: java.security.cert.", found))
}

fn built<'c, 'a>(case: &'c Case<'a>, java: &Java) -> Result<Vec<&'c Cert<'a>>, Fault> {
    let path = builder::build(case, java).map_err(|found| builder_fault(&found, true))?;
    let anchor = path[path.len() - 1];
    rules::anchor(java, anchor)
        .map_err(|found| wrapped("PKIX path building failed: sun.security.validator.", found))?;
    Ok(path)
}

fn wrapped(prefix: &str, found: Fault) -> Fault {
    Fault {
        prints: format!("ValidatorException: {prefix}{}", found.prints),
        ..found
    }
}

/// The builder says the same whatever it found; what it found is kept as the reason.
fn builder_fault(found: &Fault, in_trust_manager: bool) -> Fault {
    let text = "SunCertPathBuilderException: unable to find valid certification path to requested target";
    let prints = match in_trust_manager {
        true => {
            format!("ValidatorException: PKIX path building failed: sun.security.provider.certpath.{text}")
        }
        false => text.to_owned(),
    };
    Fault {
        prints,
        ..found.clone()
    }
}

fn no_trusted(cert: &Cert<'_>) -> Fault {
    fault(
        Reject::NoAnchor,
        Some(cert),
        "ValidatorException: No trusted certificate found".to_owned(),
    )
}

/// `EndEntityChecker` for TLS 1.3, where a server's key always signs.
fn end_entity(case: &Case<'_>, end: &Cert<'_>, checks_critical: bool) -> Result<(), Fault> {
    let (also, who): (&[&[u8]], _) = match case.purpose {
        Purpose::Server => (&[ext::ANY_USAGE, ext::NETSCAPE_SGC, ext::MICROSOFT_SGC], "server"),
        Purpose::Client => (&[ext::ANY_USAGE], "client"),
    };
    let refuse = |reason, text: String| fault(reason, Some(end), text);
    check::key_usage(end, ext::DIGITAL_SIGNATURE).map_err(|reason| {
        refuse(
            reason,
            "ValidatorException: KeyUsage does not allow digital signatures".to_owned(),
        )
    })?;
    check::extended_usage(end, case.purpose, also).map_err(|reason| {
        let text = format!(
            "ValidatorException: Extended key usage does not permit use for TLS {who} authentication"
        );
        refuse(reason, text)
    })?;
    let netscape = if case.purpose == Purpose::Server {
        0x40
    } else {
        0x80
    };
    if end.extensions.netscape.is_some_and(|bits| bits & netscape == 0) {
        let text = format!("ValidatorException: Netscape cert type does not permit use for SSL {who}");
        return Err(refuse(Reject::Purpose, text));
    }
    let unknown = end.unknown_critical(simple::END_KNOWN);
    if checks_critical && !unknown.is_empty() {
        let text = format!(
            "CertificateException: Certificate contains unsupported critical extensions: [{}]",
            unknown.join(", ")
        );
        return Err(refuse(Reject::CriticalExtension, text));
    }
    Ok(())
}
