//! A product's own commands as a change: what to run is durable before the first one runs, and each has its intent
//! before it and its end after it.
//!
//! A command whose end is not on record is undecided. It is asked for its state where it has one; else it runs again
//! where that is harmless, and a person decides where it is not. So a resumed run never repeats harm, and what a run
//! has begun can always be taken back by the lines that its write names.

use serde_json::Value;

use crate::journal::{Journal, JournalError};
use crate::log::Record;
use crate::run::HandsError;

/// The commands of one event of a step on one host, or those that take them back.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSet {
    /// Unique in the run: step and event.
    pub step: String,
    /// Where they run.
    pub host: String,
    /// The set that this one takes back.
    pub reverses: Option<String>,
    /// The plan's write, from which the lines come; the journal keeps it for the way back.
    pub write: Value,
    /// In this order.
    pub lines: Vec<Line>,
}

/// One command of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Program and arguments, as the plan shows them.
    pub argv: Vec<String>,
    /// What a second run does.
    pub again: Again,
}

/// What a second run of a command does where its state cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It ends where the first one would have ended.
    Harmless,
    /// It does harm.
    Never,
}

/// How the world stands towards a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It did what it should.
    After,
    /// It has still to run.
    Before,
    /// Nothing tells.
    Unknown,
}

/// The world that commands change.
pub trait Commands {
    /// How the world stands towards that line of the set.
    ///
    /// # Errors
    /// It is neither as before nor as after: somebody else changed it. Nothing was run.
    fn stands(&mut self, set: &CommandSet, line: usize) -> Result<Stands, HandsError>;

    /// Runs that line and sees that it did what it should; gives its outcome.
    ///
    /// # Errors
    /// It failed, took too long, or did something else.
    fn run_line(&mut self, set: &CommandSet, line: usize) -> Result<Value, HandsError>;

    /// What shows that the product took the whole set.
    ///
    /// # Errors
    /// What was seen instead.
    fn taken(&mut self, set: &CommandSet) -> Result<Value, HandsError>;
}

/// Runs what the journal does not show as ended. The same call begins a set and resumes it.
///
/// # Errors
/// `Hands` — a command failed or the world is not as planned. `Undecided` — a person has to look. `Journal`.
pub fn carry(
    journal: &mut Journal<'_>,
    commands: &mut dyn Commands,
    set: &CommandSet,
) -> Result<(), CommandError> {
    let past = Past::of(journal.records(), &set.step);
    if past.done {
        return Ok(());
    }
    if !past.intended {
        journal.append(Record::Commands {
            step: set.step.clone(),
            host: set.host.clone(),
            reverses: set.reverses.clone(),
            write: set.write.clone(),
            at: journal.now(),
        })?;
    }
    for (index, line) in set.lines.iter().enumerate() {
        if past.ended.contains(&index) {
            continue;
        }
        let outcome = match commands.stands(set, index)? {
            Stands::After => Value::from("it was so already"),
            Stands::Unknown if past.begun.contains(&index) && line.again == Again::Never => {
                return Err(CommandError::Undecided {
                    command: line.argv.join(" "),
                });
            }
            Stands::Before | Stands::Unknown => {
                journal.append(Record::CommandBegun {
                    step: set.step.clone(),
                    line: index,
                    command: line.argv.clone(),
                    at: journal.now(),
                })?;
                commands.run_line(set, index)?
            }
        };
        journal.append(Record::CommandEnded {
            step: set.step.clone(),
            line: index,
            outcome,
            at: journal.now(),
        })?;
    }
    let evidence = commands.taken(set)?;
    journal.append(Record::CommandsDone {
        step: set.step.clone(),
        evidence,
        at: journal.now(),
    })?;
    Ok(())
}

/// A set that has begun and was not taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its name.
    pub step: String,
    /// Its host.
    pub host: String,
    /// The plan's write.
    pub write: Value,
}

/// The sets of which a command has begun and that no later set took back, oldest first.
pub fn standing(records: &[Record]) -> Vec<Standing> {
    let taken_back = |name: &str| {
        records.iter().any(|record| match record {
            Record::Commands {
                step,
                reverses: Some(of),
                ..
            } => of == name && Past::of(records, step).done,
            _ => false,
        })
    };
    records
        .iter()
        .filter_map(|record| match record {
            Record::Commands {
                step,
                host,
                reverses: None,
                write,
                ..
            } => Some(Standing {
                step: step.clone(),
                host: host.clone(),
                write: write.clone(),
            }),
            _ => None,
        })
        .filter(|set| !Past::of(records, &set.step).begun.is_empty() && !taken_back(&set.step))
        .collect()
}

/// Why a set of commands did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A command failed, or the world is not as planned.
    #[error("a command of the product did not do what it should")]
    Hands(#[from] HandsError),
    /// The journal took no record; nothing further was done.
    #[error("the journal takes no record")]
    Journal(#[from] JournalError),
    /// Whether it ran to its end is not on record, cannot be asked, and a second run does harm.
    #[error("whether `{command}` ran to its end is not known, and running it again does harm")]
    Undecided {
        /// The command.
        command: String,
    },
}

/// What the journal says of one set.
#[derive(Default)]
struct Past {
    intended: bool,
    begun: Vec<usize>,
    ended: Vec<usize>,
    done: bool,
}

impl Past {
    fn of(records: &[Record], name: &str) -> Past {
        let mut past = Past::default();
        for record in records {
            match record {
                Record::Commands { step, .. } if step == name => past.intended = true,
                Record::CommandBegun { step, line, .. } if step == name => past.begun.push(*line),
                Record::CommandEnded { step, line, .. } if step == name => past.ended.push(*line),
                Record::CommandsDone { step, .. } if step == name => past.done = true,
                _ => {}
            }
        }
        past
    }
}
