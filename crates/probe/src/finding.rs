//! What is wrong, with the evidence for it.

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

/// A rule about servers.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name, `P-01`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// How much it matters, where the circumstances do not say otherwise.
    pub severity: Severity,
    /// Why that is so.
    pub cause: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
}

/// One thing that is wrong. All texts are raw; whoever prints them escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How much it matters here.
    pub severity: Severity,
    /// What was seen; never empty.
    pub evidence: Vec<String>,
    /// Why that is so, in the words of this case.
    pub cause: String,
    /// What to do about it here.
    pub fix: String,
}

impl Finding {
    pub(crate) fn new(rule: &'static Rule, evidence: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            evidence: vec![evidence.into()],
            cause: rule.cause.to_owned(),
            fix: rule.fix.to_owned(),
        }
    }

    pub(crate) fn at(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn and(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    pub(crate) fn fixed_by(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}
