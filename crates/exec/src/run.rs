//! The step loop: write, make effective, observe, next; each durable before the one after it.
//!
//! A plan leaves no choice here. What is done is read from the journal, so that the same call begins a run and
//! resumes it; a step whose files are written and whose process was not seen to load them is made effective again.

use plan::CheckedPlan;
use plan::Direction;
use plan::Step;
use serde_json::Value;

use crate::command;
use crate::command::CommandError;
use crate::command::CommandSet;
use crate::command::Commands;
use crate::journal::Journal;
use crate::journal::JournalError;
use crate::log::Record;
use crate::machine::Machine;
use crate::replace;
use crate::replace::FileSet;
use crate::replace::ReplaceError;

/// What the run cannot decide and cannot do by itself: the world of one fleet.
pub trait Hands: Commands {
    /// The product's own commands of a step. Those that take others back run when everything else of the step is
    /// done and seen, the others before its files.
    ///
    /// # Errors
    /// The plan's words for them cannot be read.
    fn commands(&mut self, step: &Step) -> Result<Vec<CommandSet>, HandsError>;

    /// The file sets of a step, from what lies on disk now; empty where everything is there already.
    ///
    /// # Errors
    /// `Prepare`: why the new bytes cannot be made. `Replace` with `Drift`: a file is not what was planned on. Nothing
    /// has been changed then.
    fn prepare(&mut self, step: &Step, journal: &Journal<'_>) -> Result<Vec<FileSet>, StepError>;

    /// The machine of that host.
    fn machine(&self, host: &str) -> Option<&dyn Machine>;

    /// Runs what makes the step's files effective; each command with its outcome.
    ///
    /// # Errors
    /// The command that failed or took too long.
    fn make_effective(&mut self, step: &Step) -> Result<Vec<Made>, HandsError>;

    /// Sees that the step is effective: handshakes, never a return code alone.
    ///
    /// # Errors
    /// What was seen instead, after the component's own time has passed.
    fn observe(&mut self, step: &Step) -> Result<Value, HandsError>;

    /// Told before each part of a step, for a person who watches.
    fn tell(&mut self, news: News<'_>);

    /// Whether a person asked to stop at the next safe point.
    fn stop_asked(&self) -> bool;

    /// Why this step must not begin now, in words; `None` lets it begin.
    fn hold(&mut self, _step: &Step) -> Option<String> {
        None
    }

    /// Looks once more at what the steps could not show while they were under way; `None` where each step showed all.
    ///
    /// # Errors
    /// What was seen instead.
    fn observe_end(&mut self) -> Result<Option<Value>, HandsError> {
        Ok(None)
    }
}

/// One command and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Exit code, time taken.
    pub outcome: Value,
}

/// What happens now.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// A step begins.
    Step(&'a Step),
    /// Its files are being written.
    Writing(&'a Step),
    /// Its process is being told.
    Effective(&'a Step),
    /// It is being looked at.
    Observing(&'a Step),
    /// It is done.
    Done(&'a Step),
}

/// Something the world did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct HandsError {
    /// What was seen and what was expected.
    pub what: String,
    /// The next step for a person.
    pub hint: Option<String>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Every step is done.
    Done,
    /// Between two steps.
    Stopped {
        /// Who or what asked for it.
        reason: String,
    },
    /// A person is needed.
    PersonNeeded {
        /// The step.
        step: String,
        /// Why.
        why: StepError,
    },
}

/// Why a step could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The new bytes could not be made; nothing was changed.
    #[error("its files cannot be prepared")]
    Prepare(#[from] HandsError),
    /// A product's own commands did not do what they should.
    #[error("its commands did not come to their end")]
    Commands(#[from] CommandError),
    /// A file set was not replaced.
    #[error("its files were not replaced")]
    Replace(#[from] ReplaceError),
    /// The process did not take the new files.
    #[error("it was not made effective")]
    Effective(#[source] HandsError),
    /// It was not seen to work.
    #[error("it was not observed")]
    Observe(#[source] HandsError),
    /// The journal took no record; nothing further was done.
    #[error("the journal takes no record")]
    Journal(#[from] JournalError),
    /// The host has no machine here.
    #[error("host {host} cannot be reached")]
    NoHost {
        /// Its name.
        host: String,
    },
}

/// Carries out the steps of `plan` up to and including `to_wave` that the journal does not show as done.
/// The journal must hold the approval already; unfinished file sets must have been recovered.
///
/// # Errors
/// `JournalError` where the end itself could not be recorded; everything else is in [`Ended`].
pub fn run(
    plan: &CheckedPlan,
    journal: &mut Journal<'_>,
    hands: &mut dyn Hands,
    to_wave: Option<u32>,
) -> Result<Ended, JournalError> {
    let mut steps: Vec<&Step> = plan.document().steps.iter().collect();
    let undo = plan.document().direction == Direction::Undo;
    // What the whole fleet needs comes before the other steps of its wave, and goes after them.
    steps.sort_by_key(|step| (step.wave, runs_commands(step) == undo, step.id.clone()));
    for step in steps {
        if to_wave.is_some_and(|wave| step.wave > wave) {
            return stopped(
                journal,
                format!("as asked, after wave {}", to_wave.unwrap_or_default()),
            );
        }
        if is_done(journal, &step.id) {
            continue;
        }
        if hands.stop_asked() {
            return stopped(journal, "as asked".to_owned());
        }
        if let Some(reason) = hands.hold(step) {
            return stopped(journal, reason);
        }
        if let Err(why) = carry_out(step, journal, hands) {
            return person_needed(journal, &step.id, why);
        }
    }
    match hands.observe_end() {
        Ok(None) => {}
        Ok(Some(evidence)) => journal.append(Record::Observed {
            step: THE_END.to_owned(),
            evidence,
            at: journal.now(),
        })?,
        Err(error) => return person_needed(journal, THE_END, StepError::Observe(error)),
    }
    journal.append(Record::Finished {
        outcome: "done".to_owned(),
        at: journal.now(),
    })?;
    Ok(Ended::Done)
}

fn stopped(journal: &mut Journal<'_>, reason: String) -> Result<Ended, JournalError> {
    journal.append(Record::Stopped {
        reason: reason.clone(),
        at: journal.now(),
    })?;
    Ok(Ended::Stopped { reason })
}

fn person_needed(journal: &mut Journal<'_>, step: &str, why: StepError) -> Result<Ended, JournalError> {
    journal.append(Record::Stopped {
        reason: format!("step {step}: {}", described(&why)),
        at: journal.now(),
    })?;
    Ok(Ended::PersonNeeded {
        step: step.to_owned(),
        why,
    })
}

/// What stands for a step in the record of the last look.
const THE_END: &str = "end";

/// Whether the last word of the journal on this step is that it is done.
pub fn is_done(journal: &Journal<'_>, step: &str) -> bool {
    journal
        .records()
        .iter()
        .rev()
        .find_map(|record| match record {
            Record::StepDone { step: id, .. } if id == step => Some(true),
            Record::StepBegun { step: id, .. } if id == step => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}

fn carry_out(step: &Step, journal: &mut Journal<'_>, hands: &mut dyn Hands) -> Result<(), StepError> {
    hands.tell(News::Step(step));
    journal.append(Record::StepBegun {
        step: step.id.clone(),
        at: journal.now(),
    })?;
    hands.tell(News::Writing(step));
    let sets = hands.commands(step)?;
    let (last, first): (Vec<CommandSet>, Vec<CommandSet>) =
        sets.into_iter().partition(|set| set.reverses.is_some());
    for set in &first {
        command::carry(journal, hands, set)?;
    }
    for set in hands.prepare(step, journal)? {
        let machine = hands.machine(&set.host).ok_or_else(|| StepError::NoHost {
            host: set.host.clone(),
        })?;
        replace::apply(machine, journal, &set)?;
    }
    hands.tell(News::Effective(step));
    for made in hands.make_effective(step).map_err(StepError::Effective)? {
        let record = Record::StepMade {
            step: step.id.clone(),
            command: made.command,
            outcome: made.outcome,
            at: journal.now(),
        };
        journal.append(record)?;
    }
    hands.tell(News::Observing(step));
    let evidence = hands.observe(step).map_err(StepError::Observe)?;
    journal.append(Record::Observed {
        step: step.id.clone(),
        evidence,
        at: journal.now(),
    })?;
    for set in &last {
        command::carry(journal, hands, set)?;
    }
    journal.append(Record::StepDone {
        step: step.id.clone(),
        at: journal.now(),
    })?;
    hands.tell(News::Done(step));
    Ok(())
}

/// Whether one of the step's writes runs a product's own commands.
fn runs_commands(step: &Step) -> bool {
    step.writes.iter().any(|write| write["edit"]["kind"] == "run")
}

fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text = format!("{text}: {source}");
        below = source.source();
    }
    text
}
