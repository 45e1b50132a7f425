//! The answer: accept with the path, reject with the ranked reason and the runtime's own words, or undecided.

use std::fmt;

use keystore::Certificate;

/// What a runtime says about a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It accepts, over this path.
    Accept(Accepted),
    /// It rejects.
    Reject(Rejected),
    /// What the runtime does here depends on chance, or is neither documented nor measured. Never counts as accept.
    Undecided(Undecided),
}

/// An accepted chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// From the end entity to the certificate of the store where the runtime stopped.
    pub path: Vec<Certificate>,
    /// Everything that was tried.
    pub trace: Trace,
}

/// A rejected chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The most telling reason among those found.
    pub reason: Reject,
    /// Subject of the certificate that it is about, where it is about one.
    pub subject: Option<String>,
    /// What the runtime itself prints.
    pub prints: String,
    /// Everything that was tried.
    pub trace: Trace,
}

/// A chain of which nobody can say what the runtime does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// What is not known, one sentence each; never empty.
    pub because: Vec<&'static str>,
    /// What the runtime most likely does: for chance, what the measured version does with these very bytes; for
    /// gaps in documents, what the documents let expect. Not to be relied on.
    pub leans_to_accept: bool,
    /// The path that would be accepted if all doubts were settled well.
    pub path: Vec<Certificate>,
    /// Everything that was tried.
    pub trace: Trace,
}

impl Verdict {
    /// Whether the runtime accepts for certain.
    pub fn accepts(&self) -> bool {
        matches!(self, Self::Accept(_))
    }

    /// The reason of a rejection.
    pub fn reason(&self) -> Option<Reject> {
        match self {
            Self::Reject(rejected) => Some(rejected.reason),
            Self::Accept(_) | Self::Undecided(_) => None,
        }
    }

    /// One line: what the runtime prints, the doubts, or nothing when it accepts.
    pub fn prints(&self) -> String {
        match self {
            Self::Accept(_) => String::new(),
            Self::Reject(rejected) => rejected.prints.clone(),
            Self::Undecided(undecided) => format!("undecided: {}", undecided.because.join("; ")),
        }
    }

    /// Everything that was tried.
    pub fn trace(&self) -> &Trace {
        match self {
            Self::Accept(accepted) => &accepted.trace,
            Self::Reject(rejected) => &rejected.trace,
            Self::Undecided(undecided) => &undecided.trace,
        }
    }
}

/// Why a chain is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reject {
    /// A signature algorithm the runtime's policy forbids, or does not know.
    AlgorithmRefused,
    /// A signature does not verify.
    BadSignature,
    /// More work than any honest chain needs.
    BudgetSpent,
    /// The chain is not in the order this runtime insists on.
    ChainOrder,
    /// A critical extension the runtime does not know.
    CriticalExtension,
    /// The store has no certificate that counts as anchor.
    EmptyStore,
    /// Past its notAfter.
    Expired,
    /// A strictness rule about extensions or fields (missing key identifier, empty subject).
    Form,
    /// keyUsage does not allow this use.
    KeyUsage,
    /// A key smaller than the runtime's policy allows, or on a curve it does not take.
    KeyWeak,
    /// A name lies outside a name constraint, or the constraint itself is none.
    NameConstraint,
    /// The certificate is not for the name that was asked.
    NameMismatch,
    /// No path from the chain to an anchor.
    NoAnchor,
    /// A certificate that must be a CA is none.
    NotCa,
    /// Before its notBefore.
    NotYetValid,
    /// More certificates between than a pathLenConstraint allows.
    PathLength,
    /// A certificate policy is required and not there.
    Policy,
    /// extendedKeyUsage does not allow this use.
    Purpose,
    /// Whether it is revoked is not known, where the runtime has to know.
    RevocationUnknown,
    /// On a revocation list of its issuer.
    Revoked,
    /// Self-signed and not in the store.
    SelfSigned,
    /// The path is longer than the runtime searches.
    TooDeep,
    /// A certificate the runtime cannot decode.
    Unreadable,
}

impl Reject {
    /// How much a reason tells a person, for choosing among many failed paths: higher tells more. A date that is
    /// wrong on a path that is otherwise complete says more than "unknown issuer" on another.
    pub fn rank(self) -> u8 {
        match self {
            Self::EmptyStore => 0,
            Self::NoAnchor | Self::SelfSigned => 1,
            Self::ChainOrder | Self::TooDeep => 2,
            Self::BadSignature => 3,
            Self::Unreadable | Self::Form => 4,
            Self::NotCa | Self::KeyUsage => 5,
            Self::AlgorithmRefused | Self::KeyWeak | Self::CriticalExtension | Self::Policy => 6,
            Self::PathLength | Self::NameConstraint | Self::Purpose => 7,
            Self::NameMismatch => 8,
            Self::RevocationUnknown => 8,
            Self::Expired | Self::NotYetValid | Self::Revoked => 9,
            Self::BudgetSpent => 10,
        }
    }

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::AlgorithmRefused => "signature algorithm refused",
            Self::BadSignature => "signature does not verify",
            Self::BudgetSpent => "search given up",
            Self::ChainOrder => "chain not in order",
            Self::CriticalExtension => "unknown critical extension",
            Self::EmptyStore => "no anchor in the store",
            Self::Expired => "expired",
            Self::Form => "form of the certificate refused",
            Self::KeyUsage => "key usage does not allow it",
            Self::KeyWeak => "key too weak",
            Self::NameConstraint => "name constraint violated",
            Self::NameMismatch => "name does not match",
            Self::NoAnchor => "no path to an anchor",
            Self::NotCa => "issuer is not a CA",
            Self::NotYetValid => "not yet valid",
            Self::PathLength => "path length constraint exceeded",
            Self::Policy => "certificate policy missing",
            Self::Purpose => "purpose not allowed",
            Self::RevocationUnknown => "revocation status not known",
            Self::Revoked => "revoked",
            Self::SelfSigned => "self-signed and not trusted",
            Self::TooDeep => "path too long",
            Self::Unreadable => "certificate cannot be decoded",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What was tried, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The steps; at most [`Trace::MAX_STEPS`].
    pub steps: Vec<Step>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Subject of the certificate.
    pub subject: String,
    /// What was found, in words.
    pub finding: String,
}

impl Trace {
    /// Steps kept; a search over a hostile chain makes many more.
    pub const MAX_STEPS: usize = 200;
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{}: {}", step.subject, step.finding)?;
        }
        Ok(())
    }
}

/// A rule that failed, before it becomes the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub reason: Reject,
    pub subject: Option<String>,
    pub prints: String,
}

/// What a runtime's search ends with.
pub(crate) enum Outcome {
    Path(Vec<Certificate>),
    Doubt {
        because: Vec<&'static str>,
        leans_to_accept: bool,
        path: Vec<Certificate>,
    },
}
