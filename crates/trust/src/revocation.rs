//! Revocation lists, when the caller gives some: which runtime looks at them, and what each makes of them. Nothing is
//! fetched.

use keystore::{Certificate, RevocationList};

use crate::asn1;
use crate::case::Question;
use crate::cert::Cert;
use crate::dn::{self, Naming};
use crate::extension as ext;
use crate::path::verdict;
use crate::profile::{Profile, RevocationRule, Search};
use crate::signature::{Claim, Signatures};
use crate::verdict::{Reject, Rejected, Step, Trace, Verdict};

/// What the runtime says to `question` when it is set up to look at `lists`, and to no other.
///
/// A runtime that never looks at lists answers as [`verdict`] does, and its trace says so. Lists count where a certificate
/// of the path that may sign lists has signed them; others are left out with a word in the trace.
///
/// Cost: as [`verdict`], and a signature for each list whose issuer is in the path.
pub fn verdict_with_lists(
    profile: &Profile,
    question: &Question<'_>,
    lists: &[RevocationList<'_>],
    signatures: &dyn Signatures,
) -> Verdict {
    let found = verdict(profile, question, signatures);
    if lists.is_empty() {
        return found;
    }
    let (path, trace) = match &found {
        Verdict::Accept(accepted) => (accepted.path.clone(), accepted.trace.clone()),
        Verdict::Undecided(undecided) => (undecided.path.clone(), undecided.trace.clone()),
        Verdict::Reject(_) => return found,
    };
    let mut walk = Walk {
        rule: profile.revocation.value,
        lists,
        signatures,
        now: question.at_unix,
        trace,
    };
    let status = walk.path(&path);
    match (found, status) {
        (_, Some((status, subject))) => Verdict::Reject(Rejected {
            reason: status.reason(),
            subject: Some(subject),
            prints: prints(&profile.search, status).to_owned(),
            trace: walk.trace,
        }),
        (Verdict::Accept(mut accepted), None) => {
            accepted.trace = walk.trace;
            Verdict::Accept(accepted)
        }
        (Verdict::Undecided(mut undecided), None) => {
            undecided.trace = walk.trace;
            Verdict::Undecided(undecided)
        }
        (rejected, None) => rejected,
    }
}

/// What is wrong about the revocation status of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// The list's next update has passed.
    Expired,
    /// The list is of the future.
    Future,
    /// No list says anything.
    Missing,
    /// It is on a list.
    Revoked,
}

impl Status {
    fn reason(self) -> Reject {
        match self {
            Self::Revoked => Reject::Revoked,
            Self::Expired | Self::Future | Self::Missing => Reject::RevocationUnknown,
        }
    }
}

struct Walk<'a> {
    rule: RevocationRule,
    lists: &'a [RevocationList<'a>],
    signatures: &'a dyn Signatures,
    now: i64,
    trace: Trace,
}

impl Walk<'_> {
    /// The first certificate whose status refuses the path, from the end entity up.
    fn path(&mut self, path: &[Certificate]) -> Option<(Status, String)> {
        let certs: Vec<Cert<'_>> = path
            .iter()
            .filter_map(|cert| Cert::read(cert, Naming::Strings).ok())
            .collect();
        if self.rule == RevocationRule::Never {
            if let Some(end) = certs.first() {
                self.note(end, "revocation lists are not looked at by this runtime");
            }
            return None;
        }
        for (depth, cert) in certs.iter().enumerate() {
            let issuer = match certs.get(depth + 1) {
                Some(issuer) => issuer,
                None if depth > 0 && self.rule == RevocationRule::WholeChain && cert.is_self_issued() => cert,
                None => break,
            };
            if let Some(status) = self.status(cert, issuer) {
                return Some((status, dn::display(cert.subject)));
            }
        }
        None
    }

    fn status(&mut self, cert: &Cert<'_>, issuer: &Cert<'_>) -> Option<Status> {
        let mut usable = Vec::new();
        for list in self.lists {
            let name = dn::canonical(list.issuer.der(), Naming::Strings);
            if name.is_none_or(|name| name != cert.issuer_canonical) {
                continue;
            }
            match (self.is_signed(list, issuer), issuer.may(ext::CRL_SIGN)) {
                (true, true) => usable.push(list),
                (true, false) => self.note(cert, "a list is left out: its issuer's key usage has no cRLSign"),
                (false, _) => self.note(
                    cert,
                    "a list of this issuer's name is left out: another key signed it",
                ),
            }
        }
        // The newest list of an issuer is the one that counts.
        let newest = usable.into_iter().max_by_key(|list| list.this_update);
        let Some(list) = newest else {
            self.note(cert, "no list says whether it is revoked");
            return (self.rule.needs_list()).then_some(Status::Missing);
        };
        let is_on_it = list
            .revoked
            .iter()
            .any(|(serial, _)| trimmed(serial) == trimmed(cert.serial));
        let is_expired = list.next_update.is_some_and(|next| next < self.now);
        if self.rule.minds_dates() {
            if list.this_update > self.now {
                self.note(cert, "the list is of the future");
                return Some(Status::Future);
            }
            // A list that is too old still tells what it lists, to those that look on.
            if is_expired && !(is_on_it && self.rule == RevocationRule::WhereListed) {
                self.note(cert, "the list has expired");
                return Some(Status::Expired);
            }
        }
        self.note(
            cert,
            if is_on_it {
                "is on its issuer's list"
            } else {
                "is not on its issuer's list"
            },
        );
        is_on_it.then_some(Status::Revoked)
    }

    fn is_signed(&self, list: &RevocationList<'_>, issuer: &Cert<'_>) -> bool {
        let parts = || {
            let mut parts = asn1::only(list.der, asn1::SEQUENCE)?.inside();
            let tbs = parts.expect(asn1::SEQUENCE)?;
            Some((tbs.full, parts.expect(asn1::SEQUENCE)?.full))
        };
        parts().is_some_and(|(tbs, algorithm)| {
            self.signatures.holds(&Claim {
                tbs,
                algorithm,
                signature: list.signature,
                issuer_spki: issuer.spki,
            })
        })
    }

    fn note(&mut self, cert: &Cert<'_>, finding: &str) {
        if self.trace.steps.len() < Trace::MAX_STEPS {
            self.trace.steps.push(Step {
                subject: dn::display(cert.subject),
                finding: finding.to_owned(),
            });
        }
    }
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Source: X509_verify_cert_error_string(3); OpenJDK 17 `RevocationChecker`; gnutls.h; rustls `CertificateError`; NSS
/// secerr.h; GSKit return codes.
fn prints(search: &Search, status: Status) -> &'static str {
    match (search, status) {
        (Search::OpenSsl(_), Status::Revoked) => "23: certificate revoked",
        (Search::OpenSsl(_), Status::Missing) => "3: unable to get certificate CRL",
        (Search::OpenSsl(_), Status::Expired) => "12: CRL has expired",
        (Search::OpenSsl(_), Status::Future) => "11: CRL is not yet valid",
        (Search::Java(_), Status::Revoked) => {
            "ValidatorException: PKIX path validation failed: java.security.cert.CertPathValidatorException: Certificate has been revoked"
        }
        (Search::Java(_), _) => {
            "ValidatorException: PKIX path validation failed: java.security.cert.CertPathValidatorException: Could not determine revocation status"
        }
        (Search::GnuTls(_), Status::Revoked) => {
            "0x22: The certificate is NOT trusted. The certificate chain is revoked."
        }
        (Search::GnuTls(_), Status::Future) => {
            "0x8002: The certificate is NOT trusted. The revocation data are issued with a future date."
        }
        (Search::GnuTls(_), _) => {
            "0x1002: The certificate is NOT trusted. The revocation data are old and have been superseded."
        }
        (Search::WebPki(_), Status::Revoked) => "InvalidCertificate(Revoked)",
        (Search::WebPki(_), _) => "InvalidCertificate(UnknownRevocationStatus)",
        (Search::Nss(_), Status::Revoked) => "ERROR -8180: Peer's Certificate has been revoked.",
        (Search::Nss(_), _) => "ERROR -8157: The CRL for the certificate's issuer has an invalid date.",
        (Search::Gskit(_), Status::Revoked) => "GSK_ERROR_CERT_REVOKED; MQ: AMQ9633E",
        (Search::Gskit(_), _) => "GSK_ERROR_BAD_CERT (414): revocation status unknown; MQ: AMQ9716E",
        (Search::Go(_), _) => "",
    }
}
