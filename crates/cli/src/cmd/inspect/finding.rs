//! What is wrong or odd, in a form that people and scripts read.

use serde_json::Value;
use serde_json::json;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It fails, now or for sure.
    Error,
    /// Worth knowing; nothing to be done today.
    Note,
    /// It will fail, or somebody can misuse it.
    Warning,
}

impl Severity {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// One thing seen. All texts are raw; whoever prints them escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its stable name.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The file, with the entry where it is about one.
    pub target: String,
    /// What was seen.
    pub evidence: String,
    /// Why it matters.
    pub cause: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    /// Its JSON.
    pub fn value(&self) -> Value {
        json!({
            "rule": self.rule, "severity": self.severity.word(), "target": self.target,
            "evidence": self.evidence, "cause": self.cause, "fix": self.fix,
        })
    }
}
