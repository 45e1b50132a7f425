//! `capgrow probe`: what a server speaks, presents and accepts.

mod asked;
pub mod document;
mod record;
mod show;

use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

use ::probe::Event;
use ::probe::Facts;
use ::probe::Finding;
use ::probe::Judge;
use ::probe::Judged;
use ::probe::Limits;
use ::probe::Severity;
use ::probe::Target;
use ::probe::Trouble;
use ::probe::Wants;

use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::now;
use crate::print;
use asked::Asked;

/// One server with everything that is said about it.
pub struct Answered {
    /// What was seen.
    pub facts: Facts,
    /// Who would accept its chain.
    pub verdicts: Vec<Judged>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Asks every server that was named and prints what it found; no where a finding is a warning or an error.
pub fn run(args: &Args, these: &args::Probe) -> anyhow::Result<Answer> {
    let asked = Asked::of(these)?;
    let limits = limits(these);
    let wants = if these.quick {
        Wants::Handshakes
    } else {
        Wants::Everything
    };
    let parallel = these.parallel.unwrap_or(PARALLEL);
    let mut answers: Vec<Option<Answered>> = asked.targets.iter().map(|_| None).collect();
    let mut progress = Progress::new(args, asked.targets.len());
    let identity = asked.identity.as_ref();
    ::probe::sweep(
        &asked.targets,
        identity,
        (wants, &limits, parallel),
        now,
        |event| match event {
            Event::Begun(at) => progress.begun(&asked.targets[at]),
            Event::Done(at, facts) => {
                let answered = judged(&asked, *facts);
                progress.done(&answered);
                if args.json_lines {
                    print::json_line(&document::one(&answered));
                }
                answers[at] = Some(answered);
            }
        },
    );
    progress.end();
    let answers: Vec<Answered> = answers.into_iter().flatten().collect();
    if let Some(path) = &these.record {
        record::write_all(path, &answers)?;
    }
    if args.json {
        print::json(&document::whole(&answers));
    } else if !args.json_lines {
        show::all(&answers, args.verbose > 0);
    }
    let is_wrong = |answered: &Answered| {
        answered
            .findings
            .iter()
            .any(|finding| finding.severity != Severity::Note)
    };
    Ok(if answers.iter().any(is_wrong) {
        Answer::No
    } else {
        Answer::Yes
    })
}

/// What one server shows to a usual client, as the document that `doctor` reads, and what stood in the way.
pub fn evidence(target: &Target) -> anyhow::Result<(Vec<u8>, Option<Trouble>)> {
    let facts = ::probe::probe(target, None, Wants::Everything, &Limits::default(), now());
    let findings = ::probe::findings(&facts, &[], None);
    let trouble = facts.trouble.clone();
    let answered = Answered {
        facts,
        verdicts: Vec::new(),
        findings,
    };
    Ok((serde_json::to_vec(&document::whole(&[answered]))?, trouble))
}

fn judged(asked: &Asked, facts: Facts) -> Answered {
    let judge = Judge {
        runtimes: &asked.runtimes,
        stores: &asked.stores,
        at_unix: facts.at_unix,
        signatures: &asked.signatures,
    };
    let verdicts = ::probe::judge(&facts, &judge);
    let findings = ::probe::findings(&facts, &verdicts, asked.identity.as_ref());
    Answered {
        facts,
        verdicts,
        findings,
    }
}

fn limits(these: &args::Probe) -> Limits {
    let usual = Limits::default();
    let patience = these.timeout.map(Duration::from_secs_f64);
    Limits {
        connect: patience.unwrap_or(usual.connect),
        answer: patience.unwrap_or(usual.answer),
        whole: these.whole.map_or(usual.whole, Duration::from_secs_f64),
        connections: these.connections.unwrap_or(usual.connections),
        per_second: these.rate.unwrap_or(usual.per_second),
    }
}

/// How far it is, on stderr: one line that is repainted on a terminal, else a line for every hundred.
struct Progress {
    quiet: bool,
    is_terminal: bool,
    count: usize,
    done: usize,
    wrong: usize,
}

impl Progress {
    fn new(args: &Args, count: usize) -> Self {
        Self {
            quiet: args.quiet,
            is_terminal: std::io::stderr().is_terminal(),
            count,
            done: 0,
            wrong: 0,
        }
    }

    fn begun(&self, target: &Target) {
        if !self.quiet && self.is_terminal {
            self.paint(&format!("asking {target}"));
        }
    }

    fn done(&mut self, answered: &Answered) {
        self.done += 1;
        self.wrong += usize::from(
            answered
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Error),
        );
        if self.quiet {
            return;
        }
        if self.is_terminal {
            self.paint(&format!("{} through", answered.facts.target));
        } else if self.done.is_multiple_of(STEP) {
            print::line(&format!(
                "{} of {} targets, {} with errors",
                self.done, self.count, self.wrong
            ));
        }
    }

    fn paint(&self, what: &str) {
        let text = format!(
            "{} of {} targets, {} with errors; {what}",
            self.done, self.count, self.wrong
        );
        let text: String = print::safe(&text).chars().take(WIDTH).collect();
        let _ = write!(std::io::stderr().lock(), "\r{text:WIDTH$}");
    }

    fn end(&self) {
        if !self.quiet && self.is_terminal {
            let _ = write!(std::io::stderr().lock(), "\r{:WIDTH$}\r", "");
        }
    }
}

/// Most of the time is waiting for the other end.
const PARALLEL: usize = 32;
const STEP: usize = 100;
const WIDTH: usize = 78;
