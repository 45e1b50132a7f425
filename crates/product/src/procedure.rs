//! Changes that only a product's own commands can make, because what they change lies in none of its files.

use crate::workload_automation::conman;
use crate::workload_automation::definitions::Definitions;
use crate::workload_automation::option;

/// Commands in their order, and those that take them back. Each says how it is known whether it has to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Procedure {
    /// Where the commands run, a path of the host.
    pub dir: String,
    /// In this order.
    pub lines: Vec<Line>,
    /// What takes all of them back, in this order.
    pub undo: Vec<Line>,
    /// What shows in the end that the product took the change.
    pub seen: Option<Look>,
}

impl Procedure {
    /// The commands that take this one back, as a procedure of its own.
    pub fn reversed(&self) -> Procedure {
        Procedure {
            dir: self.dir.clone(),
            lines: self.undo.clone(),
            undo: self.lines.clone(),
            seen: None,
        }
    }
}

/// One command of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Program and arguments, never a shell; the argument [`FILE`] stands for a private file with `file` in it.
    pub argv: Vec<String>,
    /// The content of that file.
    pub file: Option<String>,
    /// What tells whether the command has to run, and afterwards that it did what it should.
    pub state: Option<State>,
    /// What a second run does where nothing tells whether the first one came to its end.
    pub again: Again,
}

/// The argument of a [`Line`] that stands for the private file.
pub const FILE: &str = "{file}";

/// What a second run of the same command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It ends where the first one would have ended.
    Harmless,
    /// It does harm: a person decides.
    Never,
}

/// How it is known whether a command has run: an answer is either of these, or somebody else changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// A read-only command of the product.
    pub ask: Vec<String>,
    /// What its answer shows until then.
    pub before: Shown,
    /// What it shows from then on.
    pub after: Shown,
}

/// A read-only command and what its answer must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Program and arguments.
    pub ask: Vec<String>,
    /// What must be in the answer.
    pub shown: Shown,
}

/// What an answer of a product's command shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Each workstation of this text is defined there, word by word.
    Definitions(String),
    /// Each of these workstations is linked and ready.
    Linked(Vec<String>),
    /// A global option has this value.
    Option {
        /// `enCarryForward`.
        long: String,
        /// `cf`.
        short: String,
        /// Without regard to case.
        value: String,
    },
    /// Each workstation of this text is defined there with the same address, ports, domain and security: the product
    /// writes a definition in words of its own.
    Security(String),
}

impl Shown {
    /// Whether `answer` shows it. An answer that cannot be read shows nothing.
    pub fn is_in(&self, answer: &str) -> bool {
        match self {
            Shown::Definitions(text) => both(text, answer).is_some_and(|(wanted, seen)| {
                wanted
                    .workstations
                    .iter()
                    .all(|one| wanted.words_of(&one.name) == seen.words_of(&one.name))
            }),
            Shown::Linked(names) => names.iter().all(|name| conman::is_linked(answer, name)),
            Shown::Option { long, short, value } => {
                option(answer, long, short).is_some_and(|seen| seen.eq_ignore_ascii_case(value))
            }
            Shown::Security(text) => both(text, answer).is_some_and(|(wanted, seen)| {
                let alike = |name: &str| {
                    wanted
                        .workstation(name)
                        .zip(seen.workstation(name))
                        .is_some_and(|(one, other)| one.same_as(other))
                };
                wanted.workstations.iter().all(|one| alike(&one.name))
            }),
        }
    }

    /// It in words, for a person.
    pub fn words(&self) -> String {
        let names = |text: &str| {
            let all = Definitions::parse(text)
                .map(|all| all.workstations)
                .unwrap_or_default();
            all.into_iter().map(|one| one.name).collect::<Vec<_>>().join(", ")
        };
        match self {
            Shown::Definitions(text) | Shown::Security(text) => {
                format!("{} as the plan has them", names(text))
            }
            Shown::Linked(list) => format!("{} linked", list.join(", ")),
            Shown::Option { short, value, .. } => format!("{short} = {value}"),
        }
    }
}

fn both(text: &str, answer: &str) -> Option<(Definitions, Definitions)> {
    Definitions::parse(text).ok().zip(Definitions::parse(answer).ok())
}
