//! What is wrong or odd, in a form that people and scripts read.

use serde::Deserialize;
use serde::Serialize;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Why it matters.
    pub cause: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    /// Its stable name.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// The file, with the entry where it is about one.
    pub target: String,
}
