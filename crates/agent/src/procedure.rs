//! A product's own commands as changes of a run: asked, run, asked again.

use std::time::Duration;
use std::time::Instant;

use exec::command::Again;
use exec::command::CommandSet;
use exec::command::Commands;
use exec::command::Line;
use exec::command::Stands;
use exec::machine::Attributes;
use exec::machine::Machine;
use exec::run::HandsError;
use fleet::format::EditDoc;
use fleet::format::WriteDoc;
use plan::Direction;
use plan::Step;
use product::Command;
use product::Procedure;
use product::Shown;
use serde_json::Value;
use serde_json::json;

use crate::hands::OsHands;
use crate::hands::fail;
use crate::os::OsMachine;

/// The sets of commands of a step: those of its writes, on the way back with what they take back.
///
/// # Errors
/// A write that cannot be read.
pub(crate) fn sets(step: &Step, direction: Direction) -> Result<Vec<CommandSet>, HandsError> {
    let mut sets: Vec<CommandSet> = Vec::new();
    for value in step.writes.iter().filter(|value| value["edit"]["kind"] == "run") {
        let (doc, procedure) = parsed(value)?;
        let same = sets
            .iter()
            .filter(|set| set.step.starts_with(&format!("{}/{}", step.id, doc.event)))
            .count();
        let more = if same == 0 {
            String::new()
        } else {
            format!("/{}", same + 1)
        };
        let reverses = match direction {
            Direction::Forward => None,
            Direction::Undo => Some(value["reverses"].as_str().unwrap_or_default().to_owned()),
        };
        sets.push(CommandSet {
            step: format!("{}/{}{more}", step.id, doc.event),
            host: doc.host,
            reverses,
            write: value.clone(),
            lines: procedure
                .lines
                .iter()
                .map(|line| Line {
                    argv: line.argv.clone(),
                    again: match line.again {
                        product::Again::Harmless => Again::Harmless,
                        product::Again::Never => Again::Never,
                    },
                })
                .collect(),
        });
    }
    Ok(sets)
}

fn parsed(value: &Value) -> Result<(WriteDoc, Procedure), HandsError> {
    let unread = |what: String| {
        fail(
            format!("the plan's commands cannot be read: {what}"),
            "plan again",
        )
    };
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        map.remove("reverses");
    }
    let doc: WriteDoc = serde_json::from_value(value).map_err(|error| unread(error.to_string()))?;
    match &doc.edit {
        EditDoc::Run(procedure) => {
            let procedure = procedure.procedure();
            Ok((doc, procedure))
        }
        _ => Err(unread("it is a file's".to_owned())),
    }
}

impl Commands for OsHands<'_> {
    fn stands(&mut self, set: &CommandSet, line: usize) -> Result<Stands, HandsError> {
        let (_, procedure) = parsed(&set.write)?;
        let Some(state) = &procedure.lines[line].state else {
            return Ok(Stands::Unknown);
        };
        let answer = self.asked(set, &procedure, &state.ask)?;
        if state.after.is_in(&answer) {
            Ok(Stands::After)
        } else if state.before.is_in(&answer) {
            Ok(Stands::Before)
        } else {
            Err(fail(
                format!(
                    "{}: `{}` shows neither {} nor {}: somebody else changed it",
                    set.host,
                    state.ask.join(" "),
                    state.before.words(),
                    state.after.words()
                ),
                "look at the change; `capgrow scan` and `capgrow plan` begin from what is there now",
            ))
        }
    }

    fn run_line(&mut self, set: &CommandSet, line: usize) -> Result<Value, HandsError> {
        let (_, procedure) = parsed(&set.write)?;
        let line = &procedure.lines[line];
        let words = line.argv.join(" ");
        let begun = Instant::now();
        let file = line.file.as_deref().map(PrivateFile::write).transpose()?;
        let path = file.as_ref().map(PrivateFile::path).unwrap_or_default();
        let argv: Vec<String> = line
            .argv
            .iter()
            .map(|word| {
                if word == product::FILE {
                    path.clone()
                } else {
                    word.clone()
                }
            })
            .collect();
        (self.progress)("command", &words);
        self.ran(set, &procedure, &argv)?;
        let seen = match &line.state {
            Some(state) => Some(self.wait_for(set, &procedure, &state.ask, &state.after, STATE_WITHIN)?),
            None => None,
        };
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(json!({ "exit": 0, "milliseconds": milliseconds, "seen": seen }))
    }

    fn taken(&mut self, set: &CommandSet) -> Result<Value, HandsError> {
        let (_, procedure) = parsed(&set.write)?;
        match &procedure.seen {
            Some(look) => {
                let seen = self.wait_for(set, &procedure, &look.ask, &look.shown, TAKEN_WITHIN)?;
                Ok(Value::from(seen))
            }
            None => Ok(Value::Null),
        }
    }
}

impl OsHands<'_> {
    /// The answer of a read-only command.
    fn asked(&self, set: &CommandSet, procedure: &Procedure, ask: &[String]) -> Result<String, HandsError> {
        let done = self.ran(set, procedure, ask)?;
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    fn ran(
        &self,
        set: &CommandSet,
        procedure: &Procedure,
        argv: &[String],
    ) -> Result<crate::command::Done, HandsError> {
        let root = self
            .vault
            .trees()
            .get(&set.host)
            .and_then(crate::tree::Tree::root);
        let command = Command {
            argv: argv.to_vec(),
            env: Default::default(),
        };
        let words = argv.join(" ");
        let hint = "run the command by hand and look, then `capgrow apply --resume`, or `capgrow undo`";
        let done =
            crate::command::run(root, Some(&procedure.dir), &command, COMMAND_WITHIN).map_err(|error| {
                fail(
                    format!("{}: `{words}`: {}", set.host, fleet::rotation::chain_of(&error)),
                    hint,
                )
            })?;
        if done.code == Some(0) {
            return Ok(done);
        }
        let code = done.code.map_or("a signal".to_owned(), |code| code.to_string());
        Err(fail(
            format!("{}: `{words}` ended with {code}: {}", set.host, done.last_line()),
            hint,
        ))
    }

    /// Asks until the answer shows it; gives what was shown in words.
    fn wait_for(
        &self,
        set: &CommandSet,
        procedure: &Procedure,
        ask: &[String],
        shown: &Shown,
        within: Duration,
    ) -> Result<String, HandsError> {
        let deadline = Instant::now() + within;
        loop {
            if shown.is_in(&self.asked(set, procedure, ask)?) {
                return Ok(shown.words());
            }
            if Instant::now() >= deadline {
                return Err(fail(
                    format!(
                        "{}: `{}` does not show {} (waited {} s)",
                        set.host,
                        ask.join(" "),
                        shown.words(),
                        within.as_secs()
                    ),
                    "look at the product's log, then `capgrow apply --resume`, or `capgrow undo`",
                ));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A file that a command reads; it goes when the command has ended.
struct PrivateFile {
    machine: OsMachine,
    path: std::path::PathBuf,
}

impl PrivateFile {
    fn write(text: &str) -> Result<PrivateFile, HandsError> {
        let mut random = [0; 8];
        keystore::Entropy::fill(&mut crate::OsEntropy, &mut random);
        let name = format!("capgrow-{}.txt", fleet::snapshot::hex(&random));
        let dir = std::env::temp_dir();
        let path = dir.canonicalize().unwrap_or(dir).join(name);
        let machine = OsMachine::new(None);
        machine
            .write_new(&path, text.as_bytes(), &Attributes::private())
            .map_err(|error| {
                fail(
                    fleet::rotation::chain_of(&error),
                    "TMPDIR must name a directory that can be written",
                )
            })?;
        Ok(PrivateFile { machine, path })
    }

    fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        // Left over it harms nobody: it holds definitions, and only its owner can read it.
        let _ = self.machine.unlink(&self.path);
    }
}

/// JnextPlan on a large network takes its time.
const COMMAND_WITHIN: Duration = Duration::from_secs(3600);
const STATE_WITHIN: Duration = Duration::from_secs(30);
/// Until every workstation has linked again.
const TAKEN_WITHIN: Duration = Duration::from_secs(300);
