//! `crypto/x509` of Go: any certificate of the pool is an anchor, full backtracking.
//!
//! Source: Go 1.19 crypto/x509/verify.go `Verify`, `buildChains`, `isValid`, `checkChainForKeyUsage`,
//! `CheckSignatureFrom`; recorded verdicts.

use super::{fault, owned};
use crate::algorithm::{Key, Signed};
use crate::case::Case;
use crate::cert::Cert;
use crate::check;
use crate::constraints::go as constraints;
use crate::extension::{self as ext, KnownExtension};
use crate::name;
use crate::profile::{Go, uses};
use crate::verdict::{Fault, Outcome, Reject};

pub(super) fn judge(case: &Case<'_>, go: &Go) -> Result<Outcome, Fault> {
    let end = &case.chain[0];
    let mut search = Search {
        case,
        go,
        path: vec![end],
        chains: Vec::new(),
        hint: None,
    };
    search.is_valid(end, Role::Leaf)?;
    if let Some(peer) = &case.peer {
        name::go(end, peer).map_err(|text| fault(Reject::NameMismatch, Some(end), text))?;
    }
    if case.anchors.iter().any(|anchor| anchor.is(end)) {
        search.chains.push(vec![end]);
    } else {
        search.build();
    }
    if search.chains.is_empty() {
        return Err(search.unknown_authority());
    }
    let usable = search.chains.iter().find(|chain| {
        let fits = |cert: &&Cert<'_>| allows_usage(case, cert);
        chain.iter().all(fits)
    });
    match usable {
        Some(chain) => Ok(Outcome::Path(owned(chain))),
        None => {
            let text = "x509.CertificateInvalidError: x509: certificate specifies an incompatible key usage";
            Err(fault(Reject::Purpose, Some(end), text.to_owned()))
        }
    }
}

/// Every certificate of the chain, the anchor too; an empty extension says nothing.
fn allows_usage(case: &Case<'_>, cert: &Cert<'_>) -> bool {
    let is_empty = cert.extensions.extended.as_ref().is_none_or(Vec::is_empty);
    is_empty || check::extended_usage(cert, case.purpose, &[ext::ANY_USAGE]).is_ok()
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Intermediate,
    Leaf,
    Root,
}

struct Search<'s, 'c, 'a> {
    case: &'c Case<'a>,
    go: &'s Go,
    path: Vec<&'c Cert<'a>>,
    chains: Vec<Vec<&'c Cert<'a>>>,
    hint: Option<Fault>,
}

impl<'c, 'a> Search<'_, 'c, 'a> {
    fn build(&mut self) {
        let case = self.case;
        let Some(&top) = self.path.last() else { return };
        let roots = case.anchors.iter().map(|cert| (Role::Root, cert));
        let others = case
            .chain
            .iter()
            .skip(1)
            .chain(&case.known)
            .map(|cert| (Role::Intermediate, cert));
        for (role, candidate) in roots.chain(others) {
            if candidate.subject != top.issuer || self.has_twin(candidate) || case.is_exhausted() {
                continue;
            }
            case.note(candidate, "tried as issuer");
            if let Err(found) = self.consider(top, candidate, role) {
                let is_better = self
                    .hint
                    .as_ref()
                    .is_none_or(|hint| found.reason.rank() > hint.reason.rank());
                if is_better {
                    self.hint = Some(found);
                }
                continue;
            }
            self.path.push(candidate);
            match role {
                Role::Root => self.chains.push(self.path.clone()),
                _ => self.build(),
            }
            self.path.pop();
        }
    }

    fn consider(&self, child: &Cert<'_>, parent: &Cert<'_>, role: Role) -> Result<(), Fault> {
        self.signature(child, parent)?;
        self.is_valid(parent, role)
    }

    /// Same subject, key and SAN: another spelling of what is already in the path.
    fn has_twin(&self, candidate: &Cert<'_>) -> bool {
        self.path.iter().any(|used| {
            used.subject == candidate.subject
                && used.spki == candidate.spki
                && used.extensions.names == candidate.extensions.names
        })
    }

    /// `CheckSignatureFrom`.
    fn signature(&self, child: &Cert<'_>, parent: &Cert<'_>) -> Result<(), Fault> {
        let refuse = |reason, text: &str| fault(reason, Some(parent), format!("x509: {text}"));
        let is_ca = match parent.extensions.basic {
            Some(basic) => basic.ca,
            None => parent.version < 3,
        };
        if !is_ca || !parent.may(ext::KEY_CERT_SIGN) {
            return Err(refuse(
                Reject::NotCa,
                "invalid signature: parent certificate cannot sign this kind of certificate",
            ));
        }
        let is_refused = uses(self.go.refused_hashes.value, child.signed.hash())
            || matches!(child.signed, Signed::Dsa(_) | Signed::Unknown | Signed::Ed448);
        if is_refused {
            let text = "cannot verify signature: insecure or unknown algorithm";
            return Err(refuse(Reject::AlgorithmRefused, text));
        }
        let is_known_key = !matches!(parent.key, Key::Dsa { .. } | Key::Unknown | Key::Ed448);
        match is_known_key && self.case.is_signed_by(child, parent) {
            true => Ok(()),
            false => Err(refuse(Reject::BadSignature, "certificate signature failure")),
        }
    }

    /// `isValid`.
    fn is_valid(&self, cert: &Cert<'_>, role: Role) -> Result<(), Fault> {
        let invalid = |reason, text: &str| {
            fault(
                reason,
                Some(cert),
                format!("x509.CertificateInvalidError: x509: {text}"),
            )
        };
        if constraints::has_unhandled(cert, KNOWN) {
            let text = "x509.UnhandledCriticalExtension: x509: unhandled critical extension";
            return Err(fault(Reject::CriticalExtension, Some(cert), text.to_owned()));
        }
        check::validity(cert, self.case.now, false)
            .map_err(|reason| invalid(reason, "certificate has expired or is not yet valid"))?;
        if role != Role::Leaf
            && let Some(subtrees) = &cert.extensions.subtrees
        {
            // The end entity, and the constrained certificate itself (verdict limbo:…::invalid-dnsname-leading-period).
            let named = [self.path[0], cert]
                .into_iter()
                .filter(|cert| cert.extensions.names.is_some());
            for below in named {
                constraints::check(below, subtrees).map_err(|()| {
                    let text = "a root or intermediate certificate is not authorized to sign for this name";
                    invalid(Reject::NameConstraint, text)
                })?;
            }
        }
        if role == Role::Intermediate && !cert.is_ca() {
            return Err(invalid(
                Reject::NotCa,
                "certificate is not authorized to sign other certificates",
            ));
        }
        let limit = cert
            .extensions
            .basic
            .filter(|basic| basic.ca)
            .and_then(|basic| basic.path_length);
        let between = if role == Role::Leaf {
            0
        } else {
            self.path.len() - 1
        };
        match limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| between > limit)) {
            true => Err(invalid(
                Reject::PathLength,
                "too many intermediates for path length constraint",
            )),
            false => Ok(()),
        }
    }

    /// `UnknownAuthorityError`, with the first thing that went wrong as its hint.
    fn unknown_authority(self) -> Fault {
        let text = "x509.UnknownAuthorityError: x509: certificate signed by unknown authority";
        let end = self.path.first().copied();
        match self.hint {
            Some(hint) if hint.prints.starts_with("x509.CertificateInvalid") => hint,
            Some(hint) => Fault {
                prints: format!("{text} (possibly because of {:?})", hint.prints),
                ..hint
            },
            None => fault(Reject::NoAnchor, end, text.to_owned()),
        }
    }
}

/// Source: crypto/x509/parser.go `processExtensions`.
const KNOWN: &[KnownExtension] = &[
    KnownExtension::AuthorityInfoAccess,
    KnownExtension::AuthorityKeyId,
    KnownExtension::BasicConstraints,
    KnownExtension::CertificatePolicies,
    KnownExtension::CrlDistributionPoints,
    KnownExtension::ExtendedKeyUsage,
    KnownExtension::KeyUsage,
    KnownExtension::NameConstraints,
    KnownExtension::SubjectAltName,
    KnownExtension::SubjectKeyId,
];
