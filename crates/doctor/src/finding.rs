//! What is wrong, with the evidence for it.

use crate::rule::Rule;
use crate::rule::Severity;

/// One thing that is wrong. All texts are raw; whoever prints them escapes.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How much it matters here: a rule may be milder in some circumstances.
    pub severity: Severity,
    /// The file, store, channel or host it is about.
    pub target: String,
    /// What was seen, the most telling first; never empty.
    pub evidence: Vec<Evidence>,
    /// Why it fails, in the words of this case.
    pub cause: String,
    /// What to do about it.
    pub fix: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl Finding {
    /// A finding out of facts, with the rule's own severity, cause and fix.
    pub fn proven(rule: &'static Rule, target: impl Into<String>, evidence: Evidence) -> Self {
        Self {
            rule,
            severity: rule.severity,
            target: target.into(),
            evidence: vec![evidence],
            cause: rule.cause.to_owned(),
            fix: rule.fix.to_owned(),
            certainty: Certainty::Proven,
        }
    }

    /// With the cause in the words of this case.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// With the fix for this case.
    pub fn fixed_by(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// With another severity.
    pub fn at(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With more evidence.
    pub fn and(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Not from facts alone: a conclusion that several causes share.
    pub fn likely(mut self) -> Self {
        self.certainty = Certainty::Likely;
        self
    }

    /// As if a message had said it in so many words.
    pub fn stated(mut self) -> Self {
        self.certainty = Certainty::Stated;
        self
    }
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The file, as it was given.
    pub file: String,
    /// The entry of a store.
    pub alias: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What stands there.
    pub text: String,
}

impl Evidence {
    /// About a whole file.
    pub fn file(file: &str, text: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            alias: None,
            line: None,
            text: text.into(),
        }
    }

    /// About a line of a file.
    pub fn line(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::file(file, text)
        }
    }

    /// With the entry it is about.
    pub fn alias(mut self, alias: Option<&str>) -> Self {
        self.alias = alias.map(str::to_owned);
        self
    }

    /// With the line it is about, where there is one.
    pub fn at(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }
}

/// `path:12: "alias": text`.
impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(alias) = &self.alias {
            write!(f, ": entry \"{alias}\"")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Facts show it: bytes of a store, a setting beside what it names.
    Proven,
    /// A message names this cause and no other.
    Stated,
    /// A message that several causes share.
    Likely,
}
