//! The model language: an abstract fleet as text, one statement a line.

mod around;

pub use around::put_canary;

use around::Around;

use crate::model::Component;
use crate::model::ComponentId;
use crate::model::CrossSign;
use crate::model::Effective;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Group;
use crate::model::Model;
use crate::model::OneStep;
use crate::model::Precedence;
use crate::model::ReasonId;
use crate::names::Names;

/// What is wrong with one line of a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ModelError {
    /// Line number, from 1.
    pub line: usize,
    /// What was seen and what was expected.
    pub problem: Problem,
    /// The nearest word that would have been understood.
    pub hint: Option<String>,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A number, or a value of an option, that is not one.
    #[error("{option}={value}: expected {expected}")]
    BadValue {
        /// The option.
        option: &'static str,
        /// What was written.
        value: String,
        /// What can be written.
        expected: &'static str,
    },
    /// A component declared twice.
    #[error("component {name} is declared already on line {first}")]
    Declared {
        /// The component.
        name: String,
        /// Where it was first.
        first: usize,
    },
    /// The first statement is not the version.
    #[error("expected `model 1` as the first statement")]
    NoVersion,
    /// The statement has another shape.
    #[error("expected `{shape}`")]
    Shape {
        /// The shape.
        shape: &'static str,
    },
    /// A name that no `component` statement declares.
    #[error("unknown component {name}")]
    UnknownComponent {
        /// The name.
        name: String,
    },
    /// An option that the statement does not have.
    #[error("unknown option {option}")]
    UnknownOption {
        /// The option.
        option: String,
    },
    /// A line that starts with no known word.
    #[error("unknown statement {word}")]
    UnknownStatement {
        /// The word.
        word: String,
    },
}

/// Reads a model. Names may be used before the line that declares them.
///
/// # Errors
/// Every line that is wrong, in order, at most a hundred.
pub fn read_model(text: &str) -> Result<Model, Vec<ModelError>> {
    let mut reading = Reading::default();
    let mut statements = Statements::of(text);
    let mut words = Vec::new();
    match statements.next(&mut words) {
        Some(_) if words[..] == ["model", "1"] => {}
        Some(line) => reading.fail(line, Problem::NoVersion, None),
        None => reading.fail(1, Problem::NoVersion, None),
    }
    // Twice through the text: names may be used before they are declared.
    let mut again = statements.clone();
    while let Some(line) = statements.next(&mut words) {
        if words[0] == "component" {
            reading.component(line, &words[1..]);
        }
    }
    while let Some(line) = again.next(&mut words) {
        reading.line = line;
        match words[0] {
            "component" => {}
            "cross-sign" => reading.cross_sign(&words[1..]),
            "group" => reading.group(&words[1..]),
            "link" => reading.link(&words[1..]),
            "one-step" => reading.one_step(&words[1..]),
            "order" => reading.order(&words[1..]),
            "shared" => reading.shared(&words[1..]),
            "single-anchor" => reading.single_anchor(&words[1..]),
            _ if reading.around(&words) => {}
            word => {
                let hint = nearest(word, STATEMENTS.iter().copied());
                reading.fail(
                    line,
                    Problem::UnknownStatement {
                        word: word.to_owned(),
                    },
                    hint,
                );
            }
        }
    }
    reading.finish()
}

/// The lines that say something, as words.
#[derive(Clone)]
struct Statements<'a> {
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
}

impl<'a> Statements<'a> {
    fn of(text: &'a str) -> Statements<'a> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Statements {
            lines: text.lines().enumerate(),
        }
    }

    /// The number of the next statement, from 1, with its words put into `words`.
    fn next(&mut self, words: &mut Vec<&'a str>) -> Option<usize> {
        for (number, line) in self.lines.by_ref() {
            words.clear();
            words.extend(line.split('#').next().unwrap_or("").split_whitespace());
            if !words.is_empty() {
                return Some(number + 1);
            }
        }
        None
    }
}

#[derive(Default)]
struct Reading {
    model: Model,
    names: Names,
    /// The line of each component.
    declared: Vec<usize>,
    /// Prover and verifier, packed so that they sort as one number.
    edges: Vec<u64>,
    cross_sign: bool,
    around: Around,
    line: usize,
    errors: Vec<ModelError>,
}

impl Reading {
    fn component(&mut self, line: usize, words: &[&str]) {
        let mut settings = Component::named("");
        let mut names = Vec::new();
        let mut kept = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((option, value)) => match self.around_option(line, option, value) {
                    Some(one) => kept.push(one),
                    None => self.option(line, &mut settings, option, value),
                },
                None => names.push(*word),
            }
        }
        if names.is_empty() {
            let shape = "component NAME… [effective=restart|reload|live|each-run|standby] [cost=N]";
            self.fail(line, Problem::Shape { shape }, None);
        }
        for name in names {
            if let Some(first) = self.names.get(&self.model.components, name) {
                let problem = Problem::Declared {
                    name: name.to_owned(),
                    first: self.declared[first.at()],
                };
                self.fail(line, problem, None);
                continue;
            }
            let component = Component {
                name: name.to_owned(),
                ..settings.clone()
            };
            let id = self.model.add_component(component);
            self.names.insert(&self.model.components, id);
            self.declared.push(line);
            for one in &kept {
                self.keep(id, one);
            }
        }
    }

    fn option(&mut self, line: usize, settings: &mut Component, option: &str, value: &str) {
        let (option, ways) = match option {
            "cost" => {
                match milli(value) {
                    Some(cost) => settings.cost_milli = cost,
                    None => {
                        let expected = "a number from 0 to 1000000 with at most two decimals";
                        let problem = Problem::BadValue {
                            option: "cost",
                            value: value.to_owned(),
                            expected,
                        };
                        self.fail(line, problem, None);
                    }
                }
                return;
            }
            "effective" => ("effective", [true, true]),
            "identity" => ("identity", [true, false]),
            "trust" => ("trust", [false, true]),
            _ => {
                let hint = nearest(option, OPTIONS.into_iter());
                self.fail(
                    line,
                    Problem::UnknownOption {
                        option: option.to_owned(),
                    },
                    hint,
                );
                return;
            }
        };
        let all = [Effective::Live, Effective::Reload, Effective::Restart];
        // What is started now and then, and what stands by cold, read what lies there when they are started.
        let meant = if ["each-run", "standby"].contains(&value) {
            "live"
        } else {
            value
        };
        match all.into_iter().find(|e| e.word() == meant) {
            Some(effective) => {
                if ways[0] {
                    settings.identity = effective;
                }
                if ways[1] {
                    settings.trust = effective;
                }
            }
            None => {
                let hint = nearest(value, all.into_iter().map(Effective::word));
                let expected = "restart, reload, live, each-run or standby";
                self.fail(
                    line,
                    Problem::BadValue {
                        option,
                        value: value.to_owned(),
                        expected,
                    },
                    hint,
                );
            }
        }
    }

    fn link(&mut self, words: &[&str]) {
        let &[from, arrow, to] = words else {
            return self.shape("link CLIENT -> SERVER` or `link CLIENT <-> SERVER");
        };
        if arrow != "->" && arrow != "<->" {
            return self.shape("link CLIENT -> SERVER` or `link CLIENT <-> SERVER");
        }
        let (Some(client), Some(server)) = (self.named(from), self.named(to)) else {
            return;
        };
        let packed =
            |prover: ComponentId, verifier: ComponentId| u64::from(prover.0) << 32 | u64::from(verifier.0);
        self.edges.push(packed(server, client));
        if arrow == "<->" {
            self.edges.push(packed(client, server));
        }
    }

    fn single_anchor(&mut self, words: &[&str]) {
        if words.is_empty() {
            return self.shape("single-anchor NAME…");
        }
        for word in words {
            if let Some(id) = self.named(word) {
                self.model.components[id.at()].single_anchor = true;
            }
        }
    }

    fn shared(&mut self, words: &[&str]) {
        if words.len() < 2 {
            return self.shape("shared NAME NAME…");
        }
        let members: Vec<ComponentId> = words.iter().filter_map(|w| self.named(w)).collect();
        if members.len() == words.len() {
            self.model.share(&members);
        }
    }

    fn group(&mut self, words: &[&str]) {
        let mut members = Vec::new();
        let mut max = None;
        for word in words {
            match word.split_once('=') {
                Some(("max", value)) => match value.parse::<u32>() {
                    Ok(number) => max = Some(number),
                    Err(_) => {
                        let expected = "a whole number";
                        let problem = Problem::BadValue {
                            option: "max",
                            value: value.to_owned(),
                            expected,
                        };
                        return self.fail(self.line, problem, None);
                    }
                },
                Some((option, _)) => {
                    let problem = Problem::UnknownOption {
                        option: option.to_owned(),
                    };
                    return self.fail(self.line, problem, nearest(option, ["max"].into_iter()));
                }
                None => members.extend(self.named(word)),
            }
        }
        let (Some(max), false) = (max, members.is_empty()) else {
            return self.shape("group NAME… max=N");
        };
        members.sort_unstable();
        members.dedup();
        self.model.groups.push(Group { members, max });
    }

    fn order(&mut self, words: &[&str]) {
        let shape = "order NAME.EVENT… < NAME.EVENT…";
        let mut sides = words.split(|word| *word == "<");
        let (Some(before), Some(after), None) = (sides.next(), sides.next(), sides.next()) else {
            return self.shape(shape);
        };
        if before.is_empty() || after.is_empty() {
            return self.shape(shape);
        }
        let [before, after] = [before, after].map(|side| -> Vec<(ComponentId, Event)> {
            side.iter()
                .filter_map(|word| self.event_of(word, shape))
                .collect()
        });
        let reason = self.asked_here();
        self.model.precedences.push(Precedence {
            before,
            after,
            reason,
        });
    }

    /// Lines differ, so the text is new.
    fn asked_here(&mut self) -> ReasonId {
        let reasons = &mut self.model.reasons;
        reasons.push(format!("the model asks for it on line {}", self.line));
        ReasonId::new(reasons.len() - 1)
    }

    /// `NAME.EVENT`; names may have points of their own.
    fn event_of(&mut self, word: &str, shape: &'static str) -> Option<(ComponentId, Event)> {
        let Some((name, event)) = word.rsplit_once('.') else {
            self.shape(shape);
            return None;
        };
        let event = self.event(event);
        Some((self.named(name)?, event?))
    }

    fn event(&mut self, word: &str) -> Option<Event> {
        let found = Event::ALL.into_iter().find(|event| event.word() == word);
        if found.is_none() {
            let problem = Problem::BadValue {
                option: "event",
                value: word.to_owned(),
                expected: "grow, switch or retire",
            };
            self.fail(
                self.line,
                problem,
                nearest(word, Event::ALL.into_iter().map(Event::word)),
            );
        }
        found
    }

    fn one_step(&mut self, words: &[&str]) {
        let mut members = Vec::new();
        let mut events = EventSet::EMPTY;
        for word in words {
            match word.split_once('=') {
                Some(("events", value)) => {
                    for event in value.split('+') {
                        let Some(event) = self.event(event) else { return };
                        events = events.with(event);
                    }
                }
                Some((option, _)) => {
                    let problem = Problem::UnknownOption {
                        option: option.to_owned(),
                    };
                    return self.fail(self.line, problem, nearest(option, ["events"].into_iter()));
                }
                None => members.extend(self.named(word)),
            }
        }
        if members.is_empty() || events.len() < 2 {
            return self.shape("one-step NAME… events=EVENT+EVENT");
        }
        let reason = self.asked_here();
        let asked = members.into_iter().map(|component| OneStep {
            component,
            events,
            reason,
        });
        self.model.one_steps.extend(asked);
    }

    fn cross_sign(&mut self, words: &[&str]) {
        if words != ["allowed"] {
            return self.shape("cross-sign allowed");
        }
        self.cross_sign = true;
    }

    fn named(&mut self, name: &str) -> Option<ComponentId> {
        let found = self.names.get(&self.model.components, name);
        if found.is_some() {
            return found;
        }
        let hint = nearest(name, self.model.components.iter().map(|c| c.name.as_str()));
        self.fail(
            self.line,
            Problem::UnknownComponent {
                name: name.to_owned(),
            },
            hint,
        );
        None
    }

    fn shape(&mut self, shape: &'static str) {
        self.fail(self.line, Problem::Shape { shape }, None);
    }

    fn fail(&mut self, line: usize, problem: Problem, hint: Option<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(ModelError { line, problem, hint });
        }
    }

    fn finish(mut self) -> Result<Model, Vec<ModelError>> {
        self.check_now();
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|e| e.line);
            return Err(self.errors);
        }
        self.edges.sort_unstable();
        self.edges.dedup();
        let cross = if self.cross_sign {
            CrossSign::Accepted
        } else {
            CrossSign::Refused
        };
        let table = self.model.usual_acceptance(cross);
        self.model.edges.reserve_exact(self.edges.len());
        for packed in std::mem::take(&mut self.edges) {
            let (prover, verifier) = (ComponentId((packed >> 32) as u32), ComponentId(packed as u32));
            self.model.add_edge(prover, verifier, table);
        }
        self.put_partners_and_waivers();
        for component in &mut self.model.components {
            component.cross = self.cross_sign && !component.external;
        }
        // Who reads a file that holds one anchor only holds one anchor only.
        for members in &self.model.shared {
            if members
                .iter()
                .any(|m| self.model.components[m.at()].single_anchor)
            {
                for member in members {
                    self.model.components[member.at()].single_anchor = true;
                }
            }
        }
        self.model.derive_events();
        self.put_canaries_and_waiting();
        Ok(self.model)
    }
}

/// A decimal number with at most two digits after the point, in thousandths.
fn milli(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.len() <= 7 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let hundredths: u64 = format!("{part:0<2}").parse().ok()?;
    let milli = whole * 1000 + hundredths * 10;
    (milli <= MAX_COST_MILLI).then_some(milli)
}

/// The candidate nearest to `word` by edit distance, if it is near at all.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .take(MAX_CANDIDATES)
        .map(|c| (edit_distance(word, c), c))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, c)| c.to_owned())
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(MAX_WORD).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(MAX_WORD).enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

const STATEMENTS: [&str; 16] = [
    "canary",
    "component",
    "cross-sign",
    "deadline",
    "group",
    "link",
    "manual",
    "now",
    "one-step",
    "order",
    "partner",
    "shared",
    "single-anchor",
    "unreachable",
    "waive",
    "window",
];
const OPTIONS: [&str; 8] = [
    "cost",
    "effective",
    "identity",
    "not-after",
    "site",
    "store",
    "takes",
    "trust",
];
const MAX_ERRORS: usize = 100;
const MAX_COST_MILLI: u64 = 1_000_000_000;
const MAX_CANDIDATES: usize = 10_000;
const MAX_WORD: usize = 64;
