//! `capgrow report`: the evidence of a run for the change record.

use std::fmt::Write;

use exec::log::Record;
use exec::log::State;
use exec::machine::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args::Args;
use crate::args::Report;
use crate::carry;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::runs;

/// Prints the report of a run.
pub fn run(args: &Args, these: &Report) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let machine = carry::own_machine();
    let run = runs::find(&dir, &machine, these.run.as_deref())?;
    if args.json {
        let records: Vec<Value> = run
            .records
            .iter()
            .map(|record| serde_json::to_value(record).unwrap_or_default())
            .collect();
        let document = runs::plan_of(&dir, &run)?.to_value();
        print::json(&json!({ "version": 1, "run": run.id.as_str(), "plan": document, "records": records }));
        return Ok(Answer::Yes);
    }
    let text = markdown(&dir, &run)?;
    if these.html {
        print::block(&html(&text));
    } else {
        print::block(&text);
    }
    Ok(Answer::Yes)
}

fn when(at: &Timestamp) -> String {
    print::local_time(at.seconds)
}

fn markdown(dir: &FleetDir, run: &runs::RunFacts) -> anyhow::Result<String> {
    let document = runs::plan_of(dir, run)?;
    let mut out = String::new();
    let _ = writeln!(out, "# Run {}\n", run.id.as_str());
    let _ = writeln!(out, "- plan: {}", document.digest());
    let _ = writeln!(out, "- goal: {}", document.goal.word());
    let _ = writeln!(
        out,
        "- restarts planned: {} (lower bound {})",
        document.claims.restarts.unwrap_or(0),
        document.claims.lower_bound.unwrap_or(0)
    );
    let model = crate::cmd::check::model_of(&document, Some(dir))?;
    match plan::check(&model, &document) {
        Ok(checked) => {
            let report = checked.report();
            let _ = writeln!(
                out,
                "- proof: {}; bound {}",
                crate::cmd::check::proof(report),
                report.bound.word()
            );
        }
        Err(refusal) => {
            let _ = writeln!(
                out,
                "- proof: the checker lists {} violations",
                refusal.report.violations.len()
            );
        }
    }
    let _ = writeln!(
        out,
        "- outcome: {}\n\n## Events\n",
        run.outcome().unwrap_or("not finished")
    );
    for record in &run.records {
        event(record, &mut out);
    }
    Ok(out)
}

fn event(record: &Record, out: &mut String) {
    let _ = match record {
        Record::Approved { plan, who, at, .. } => {
            writeln!(out, "- {} approved by {who}: plan {plan}", when(at))
        }
        Record::Intent(intent) => {
            let _ = writeln!(
                out,
                "- {} {}: {} files on {}",
                when(&intent.at),
                intent.step,
                intent.changes.len(),
                intent.host
            );
            for change in &intent.changes {
                let digest = |state: &State| match state {
                    State::File { sha256, .. } => sha256.to_string(),
                    State::Absent => "absent".to_owned(),
                    State::Directory { .. } => "directory".to_owned(),
                };
                let backup = change.backup.as_deref().unwrap_or("none");
                let _ = writeln!(
                    out,
                    "  - `{}`: {} -> {} (backup {backup})",
                    print::safe(&change.named.to_string_lossy()),
                    digest(&change.before),
                    digest(&change.after)
                );
            }
            Ok(())
        }
        Record::Commands { step, host, at, .. } => {
            writeln!(out, "- {} {step}: commands of the product on {host}", when(at))
        }
        Record::CommandBegun {
            step, command, at, ..
        } => writeln!(out, "- {} {step}: runs `{}`", when(at), command.join(" ")),
        Record::CommandEnded {
            step,
            line,
            outcome,
            at,
        } => writeln!(out, "- {} {step}: command {}: {outcome}", when(at), line + 1),
        Record::CommandsDone { step, evidence, at } => {
            writeln!(
                out,
                "- {} {step}: its commands are done, seen: {evidence}",
                when(at)
            )
        }
        Record::StepMade {
            step,
            command,
            outcome,
            at,
        } => writeln!(
            out,
            "- {} {step}: ran `{}`: {outcome}",
            when(at),
            command.join(" ")
        ),
        Record::Observed { step, evidence, at } => {
            writeln!(out, "- {} {step}: observed {evidence}", when(at))
        }
        Record::StepDone { step, at } => writeln!(out, "- {} {step}: done", when(at)),
        Record::Stopped { reason, at } => writeln!(out, "- {} stopped: {reason}", when(at)),
        Record::Finished { outcome, at } => writeln!(out, "- {} finished: {outcome}", when(at)),
        _ => Ok(()),
    };
}

fn html(markdown: &str) -> String {
    let escaped = markdown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>capgrow report</title>\n<pre>{escaped}</pre>\n"
    )
}
