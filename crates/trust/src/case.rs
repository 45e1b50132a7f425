//! One question made ready for the rules: certificates decoded, notes taken, work counted.

use std::cell::{Cell, RefCell};

use keystore::Certificate;

use crate::cert::Cert;
use crate::dn;
use crate::name::Peer;
use crate::profile::{Defect, Profile};
use crate::signature::{Claim, Signatures};
use crate::verdict::{Fault, Reject, Step, Trace};

/// Which end is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A server judges a client.
    Client,
    /// A client judges a server.
    Server,
}

/// Would the runtime accept this?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The chain as sent, end entity first.
    pub chain: &'a [Certificate],
    /// The judge's anchors in store order; see [`crate::anchors`].
    pub anchors: &'a [Certificate],
    /// Certificates the judge has at hand without trusting them.
    pub intermediates_known: &'a [Certificate],
    /// Which end is judged.
    pub purpose: Purpose,
    /// The name the client dialled, a DNS name or an IP address; `None` = no name check. Ignored for clients.
    pub name: Option<&'a str>,
    /// The moment, in seconds since 1970 (UTC).
    pub at_unix: i64,
}

/// A question with everything decoded.
pub(crate) struct Case<'a> {
    pub chain: Vec<Cert<'a>>,
    pub anchors: Vec<Cert<'a>>,
    pub known: Vec<Cert<'a>>,
    pub purpose: Purpose,
    pub peer: Option<Peer<'a>>,
    pub now: i64,
    signatures: &'a dyn Signatures,
    trace: RefCell<Trace>,
    budget: Cell<u32>,
}

impl<'a> Case<'a> {
    /// Decodes. A certificate of the chain that the runtime cannot read is a fault; one of the store is left out.
    pub(crate) fn new(
        profile: &Profile,
        question: &Question<'a>,
        signatures: &'a dyn Signatures,
    ) -> Result<Self, (Fault, Trace)> {
        let case = Self {
            chain: Vec::new(),
            anchors: Vec::new(),
            known: Vec::new(),
            purpose: question.purpose,
            peer: match question.purpose {
                Purpose::Server => question.name.map(Peer::new),
                Purpose::Client => None,
            },
            now: question.at_unix,
            signatures,
            trace: RefCell::default(),
            budget: Cell::new(WORK_MAX),
        };
        let mut case = case;
        for (index, certificate) in question.chain.iter().enumerate() {
            match readable(profile, certificate) {
                Ok(cert) => case.chain.push(cert),
                Err(defect) => {
                    let fault = Fault {
                        reason: Reject::Unreadable,
                        subject: Some(certificate.subject().to_string()),
                        prints: profile.unreadable(index, defect),
                    };
                    return Err((fault, case.trace.into_inner()));
                }
            }
        }
        for (list, from) in [(0, question.anchors), (1, question.intermediates_known)] {
            for certificate in from {
                match readable(profile, certificate) {
                    Ok(cert) if list == 0 => case.anchors.push(cert),
                    Ok(cert) => case.known.push(cert),
                    Err(defect) => case.note_text(
                        certificate.subject().to_string(),
                        format!("left out of the store: {}", defect.words()),
                    ),
                }
            }
        }
        Ok(case)
    }

    /// Whether `cert` is signed by `issuer`'s key. Counts as work.
    pub(crate) fn is_signed_by(&self, cert: &Cert<'_>, issuer: &Cert<'_>) -> bool {
        self.spend(SIGNATURE_WORK);
        self.signatures.holds(&Claim {
            tbs: cert.tbs,
            algorithm: cert.outer_algorithm,
            signature: cert.signature,
            issuer_spki: issuer.spki,
        })
    }

    /// Takes from the budget.
    pub(crate) fn spend(&self, work: u32) {
        self.budget.set(self.budget.get().saturating_sub(work));
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.budget.get() == 0
    }

    /// Adds a step to the trace.
    pub(crate) fn note(&self, cert: &Cert<'_>, finding: impl Into<String>) {
        self.note_text(dn::display(cert.subject), finding.into());
    }

    fn note_text(&self, subject: String, finding: String) {
        let mut trace = self.trace.borrow_mut();
        if trace.steps.len() < Trace::MAX_STEPS {
            trace.steps.push(Step { subject, finding });
        }
    }

    pub(crate) fn into_trace(self) -> Trace {
        self.trace.into_inner()
    }
}

fn readable<'a>(profile: &Profile, certificate: &'a Certificate) -> Result<Cert<'a>, Defect> {
    let cert = Cert::read(certificate, profile.naming()).map_err(|_| Defect::NoCertificate)?;
    match profile
        .refuses
        .value
        .iter()
        .copied()
        .find(|defect| defect.is_in(&cert))
    {
        Some(defect) => Err(defect),
        None => Ok(cert),
    }
}

/// Work for one question. Source: webpki's `Budget` allows 100 signatures and 200,000 path steps; one
/// signature counts as 2,000 steps here.
const WORK_MAX: u32 = 400_000;
const SIGNATURE_WORK: u32 = 2_000;
