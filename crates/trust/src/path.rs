//! From a question to a verdict: each family of runtimes searches in its own way.

mod gnutls;
mod go;
mod gskit;
mod java;
pub(crate) mod nss;
mod openssl;
mod openssl_chain;
mod webpki;

use crate::algorithm::Key;
use crate::case::{Case, Question};
use crate::cert::Cert;
use crate::dn;
use crate::profile::{Profile, Search};
use crate::signature::Signatures;
use crate::verdict::{Accepted, Fault, Outcome, Reject, Rejected, Undecided, Verdict};

/// What the runtime of `profile` says to `question`.
///
/// Never panics on foreign bytes; a search that takes too much work ends as `BudgetSpent`.
///
/// Cost: decoding of all certificates given, then at most 200 signatures.
pub fn verdict(profile: &Profile, question: &Question<'_>, signatures: &dyn Signatures) -> Verdict {
    let case = match Case::new(profile, question, signatures) {
        Ok(case) => case,
        Err((fault, trace)) => return reject(fault, trace),
    };
    if case.chain.is_empty() {
        let fault = fault(Reject::NoAnchor, None, "no certificate presented".to_owned());
        return reject(fault, case.into_trace());
    }
    if let Some(found) = not_offered(profile, &case.chain[0]) {
        return reject(found, case.into_trace());
    }
    let outcome = match &profile.search {
        Search::GnuTls(rules) => gnutls::judge(&case, rules),
        Search::Go(rules) => go::judge(&case, rules),
        Search::Nss(rules) => nss::judge(&case, rules),
        Search::WebPki(rules) => webpki::judge(&case, rules),
        Search::Gskit(rules) => gskit::judge(&case, rules),
        Search::Java(rules) => java::judge(&case, rules),
        Search::OpenSsl(rules) => openssl::judge(&case, rules),
    };
    let trace = case.into_trace();
    match outcome {
        Ok(Outcome::Path(path)) => Verdict::Accept(Accepted { path, trace }),
        Ok(Outcome::Doubt {
            because,
            leans_to_accept,
            path,
        }) => Verdict::Undecided(Undecided {
            because,
            leans_to_accept,
            path,
            trace,
        }),
        Err(fault) => reject(fault, trace),
    }
}

/// A key of a kind or on a curve that the runtime's handshake does not offer never gets as far as a path.
fn not_offered(profile: &Profile, end: &Cert<'_>) -> Option<Fault> {
    let offered = profile.curves?.value;
    match end.key {
        Key::Dsa { .. } | Key::Unknown => Some(fault(
            Reject::KeyWeak,
            Some(end),
            "sslv3 alert handshake failure".to_owned(),
        )),
        Key::Ec(curve) if !offered.contains(&curve) => Some(fault(
            Reject::KeyWeak,
            Some(end),
            "sslv3 alert handshake failure".to_owned(),
        )),
        _ => None,
    }
}

fn reject(fault: Fault, trace: crate::verdict::Trace) -> Verdict {
    let Fault {
        reason,
        subject,
        prints,
    } = fault;
    Verdict::Reject(Rejected {
        reason,
        subject,
        prints,
        trace,
    })
}

/// A fault about a certificate.
fn fault(reason: Reject, cert: Option<&Cert<'_>>, prints: String) -> Fault {
    Fault {
        reason,
        subject: cert.map(|cert| dn::display(cert.subject)),
        prints,
    }
}

/// The path as certificates, end entity first.
fn owned(path: &[&Cert<'_>]) -> Vec<keystore::Certificate> {
    path.iter().map(|cert| cert.source.clone()).collect()
}
