//! A rule: what it is about, which messages speak of it, and how facts show it.

use crate::finding::Finding;
use crate::inputs::Inputs;

/// One rule of the diagnosis table.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name, `H-01`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// When in a connection it strikes.
    pub stage: Stage,
    /// Why things fail then.
    pub cause: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// Messages that name this cause and no other: lower case, parts that must all occur joined by ` && `.
    pub states: &'static [&'static str],
    /// Messages that this cause has in common with others.
    pub hints: &'static [&'static str],
    /// Rules whose messages are only consequences where this one is true.
    pub explains: &'static [&'static str],
    /// What facts show.
    pub find: fn(&Inputs) -> Vec<Finding>,
}

/// For rules that only messages show.
pub fn no_facts(_inputs: &Inputs) -> Vec<Finding> {
    Vec::new()
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing fails.
    Note,
    /// It will fail, or somebody can misuse it.
    Warning,
    /// It fails.
    Error,
}

impl Severity {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// When in the life of a connection something strikes; earlier ones hide later ones.
///
/// Source: domain specification H.0, with the opening of a program's own stores put before everything else: a program
/// that cannot open them does not listen at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A program opens its own stores.
    Stores,
    /// The name resolves, TCP connects.
    Connect,
    /// TLS is spoken at all.
    Spoken,
    /// Both ends share a protocol version.
    Version,
    /// Both ends share a cipher that fits the key.
    Cipher,
    /// Which certificate is presented.
    Presented,
    /// The chain is complete in the handshake.
    Chain,
    /// The verifier trusts it.
    Trust,
    /// The dates are right.
    Dates,
    /// The certificate is for this use.
    Purpose,
    /// The name is right.
    Name,
    /// Sizes and algorithms are allowed.
    Policy,
    /// It is not revoked.
    Revocation,
    /// The client's own certificate.
    Client,
    /// The program behind TLS.
    Application,
}

impl Stage {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stores => "opening its own stores",
            Self::Connect => "name and TCP connection",
            Self::Spoken => "is TLS spoken",
            Self::Version => "protocol version",
            Self::Cipher => "cipher and key type",
            Self::Presented => "certificate presented",
            Self::Chain => "chain complete",
            Self::Trust => "trust of the verifier",
            Self::Dates => "dates",
            Self::Purpose => "purpose",
            Self::Name => "name",
            Self::Policy => "sizes and algorithms",
            Self::Revocation => "revocation",
            Self::Client => "client certificate",
            Self::Application => "application",
        }
    }
}
