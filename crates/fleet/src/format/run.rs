//! The serialised twins of a procedure: a product's own commands, with those that take them back.

use product::Again;
use product::Line;
use product::Look;
use product::Procedure;
use product::Shown;
use product::State;
use serde::Deserialize;
use serde::Serialize;

/// Commands in their order, and those that take them back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcedureDoc {
    /// Where they run.
    pub dir: String,
    /// In this order.
    pub lines: Vec<LineDoc>,
    /// What takes them back.
    pub undo: Vec<LineDoc>,
    /// What shows that the product took all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<LookDoc>,
}

/// One command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct LineDoc {
    pub argv: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateDoc>,
    pub again: AgainDoc,
}

/// What a second run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum AgainDoc {
    Harmless,
    Never,
}

/// A question with the answers before and after.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct StateDoc {
    pub ask: Vec<String>,
    pub before: ShownDoc,
    pub after: ShownDoc,
}

/// A question with the answer wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct LookDoc {
    pub ask: Vec<String>,
    pub shown: ShownDoc,
}

/// What an answer shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "shows", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum ShownDoc {
    Definitions {
        text: String,
    },
    Linked {
        names: Vec<String>,
    },
    Option {
        long: String,
        short: String,
        value: String,
    },
    Security {
        text: String,
    },
}

impl ProcedureDoc {
    /// The serialised form.
    pub fn of(procedure: &Procedure) -> ProcedureDoc {
        ProcedureDoc {
            dir: procedure.dir.clone(),
            lines: procedure.lines.iter().map(line_doc).collect(),
            undo: procedure.undo.iter().map(line_doc).collect(),
            seen: procedure.seen.as_ref().map(|look| LookDoc {
                ask: look.ask.clone(),
                shown: shown_doc(&look.shown),
            }),
        }
    }

    /// The procedure again.
    pub fn procedure(&self) -> Procedure {
        Procedure {
            dir: self.dir.clone(),
            lines: self.lines.iter().map(line).collect(),
            undo: self.undo.iter().map(line).collect(),
            seen: self.seen.as_ref().map(|look| Look {
                ask: look.ask.clone(),
                shown: shown(&look.shown),
            }),
        }
    }
}

fn line_doc(line: &Line) -> LineDoc {
    LineDoc {
        argv: line.argv.clone(),
        file: line.file.clone(),
        state: line.state.as_ref().map(|state| StateDoc {
            ask: state.ask.clone(),
            before: shown_doc(&state.before),
            after: shown_doc(&state.after),
        }),
        again: match line.again {
            Again::Harmless => AgainDoc::Harmless,
            Again::Never => AgainDoc::Never,
        },
    }
}

fn line(doc: &LineDoc) -> Line {
    Line {
        argv: doc.argv.clone(),
        file: doc.file.clone(),
        state: doc.state.as_ref().map(|state| State {
            ask: state.ask.clone(),
            before: shown(&state.before),
            after: shown(&state.after),
        }),
        again: match doc.again {
            AgainDoc::Harmless => Again::Harmless,
            AgainDoc::Never => Again::Never,
        },
    }
}

fn shown_doc(shown: &Shown) -> ShownDoc {
    match shown.clone() {
        Shown::Definitions(text) => ShownDoc::Definitions { text },
        Shown::Linked(names) => ShownDoc::Linked { names },
        Shown::Option { long, short, value } => ShownDoc::Option { long, short, value },
        Shown::Security(text) => ShownDoc::Security { text },
    }
}

fn shown(doc: &ShownDoc) -> Shown {
    match doc.clone() {
        ShownDoc::Definitions { text } => Shown::Definitions(text),
        ShownDoc::Linked { names } => Shown::Linked(names),
        ShownDoc::Option { long, short, value } => Shown::Option { long, short, value },
        ShownDoc::Security { text } => Shown::Security(text),
    }
}
