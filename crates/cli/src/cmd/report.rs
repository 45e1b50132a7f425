//! `capgrow report`: the evidence of a run for the change record.

mod probes;

use std::fmt::Write;

use exec::log::Record;
use exec::log::State;
use exec::machine::Timestamp;
use plan::PlanDocument;
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
    let probed = probes::read(&these.probes)?;
    if args.json {
        let records: Vec<Value> = run
            .records
            .iter()
            .map(|record| serde_json::to_value(record).unwrap_or_default())
            .collect();
        let document = runs::plan_of(&dir, &run)?.to_value();
        print::json(
            &json!({ "version": 1, "run": run.id.as_str(), "plan": document, "records": records, "probes": probed }),
        );
        return Ok(Answer::Yes);
    }
    let mut text = markdown(&dir, &run)?;
    probes::section(&probed, &mut text);
    if these.html {
        print::block(&html(&text, &format!("capgrow run {}", run.id.as_str())));
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
    summary(dir, run, &document, &mut out)?;
    if !document.waived.is_empty() {
        let _ = writeln!(out, "\n## Links that a waiver let break\n");
        for waived in &document.waived {
            let _ = writeln!(out, "- {}", in_words(waived));
        }
    }
    order(run, &document, &mut out);
    let _ = writeln!(out, "\n## What happened");
    let mut at_step = "";
    for record in &run.records {
        let step = step_of(record);
        if step != at_step && !step.is_empty() {
            at_step = step;
            let _ = writeln!(out, "\n### Step {}\n", title(&document, step));
        }
        event(record, &mut out);
    }
    Ok(out)
}

fn summary(
    dir: &FleetDir,
    run: &runs::RunFacts,
    document: &PlanDocument,
    out: &mut String,
) -> anyhow::Result<()> {
    let _ = writeln!(out, "# Run {}\n", run.id.as_str());
    let _ = writeln!(out, "- outcome: {}", run.outcome().unwrap_or("not finished"));
    let _ = writeln!(out, "- plan: `{}`", document.digest());
    let _ = writeln!(out, "- goal: {}", document.goal.word());
    let _ = writeln!(
        out,
        "- restarts planned: {} (lower bound {})",
        document.claims.restarts.unwrap_or(0),
        document.claims.lower_bound.unwrap_or(0)
    );
    let model = crate::cmd::check::model_of(document, Some(dir))?;
    let _ = match plan::check(&model, document) {
        Ok(checked) => writeln!(
            out,
            "- proof: {}; bound {}",
            crate::cmd::check::proof(checked.report()),
            checked.report().bound.word()
        ),
        Err(refusal) => writeln!(
            out,
            "- proof: the checker lists {} violations",
            refusal.report.violations.len()
        ),
    };
    for record in &run.records {
        if let Record::Approved { who, at, to_wave, .. } = record {
            let until = to_wave.map_or(String::new(), |wave| format!(", up to wave {wave}"));
            let _ = writeln!(out, "- approved by {who}, {}{until}", when(at));
        }
    }
    let count = |of: &dyn Fn(&Record) -> usize| -> usize { run.records.iter().map(of).sum() };
    let files = count(&|record| match record {
        Record::Intent(intent) => intent.changes.len(),
        _ => 0,
    });
    let handshakes = count(&|record| match record {
        Record::Observed { evidence, .. } => evidence["links"].as_array().map_or(0, Vec::len),
        _ => 0,
    });
    let _ = writeln!(out, "- files written, each with its backup: {files}");
    let _ = writeln!(out, "- handshakes on links that were looked at: {handshakes}");
    Ok(())
}

/// The steps as they were planned, each with the time at which it was done.
fn order(run: &runs::RunFacts, document: &PlanDocument, out: &mut String) {
    let _ = writeln!(
        out,
        "\n## Order\n\n| wave | step | component | events | made effective by | done |\n|---:|---|---|---|---|---|"
    );
    let mut steps: Vec<_> = document.steps.iter().collect();
    steps.sort_by_key(|step| step.wave);
    for step in steps {
        let done = run.records.iter().find_map(|record| match record {
            Record::StepDone { step: name, at } if *name == step.id => Some(when(at)),
            _ => None,
        });
        let events: Vec<&str> = step.events.iter().map(|event| event.word()).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            step.wave,
            step.id,
            print::safe(&step.component),
            events.join(" + "),
            step.effective.map_or("", plan::Effective::word),
            done.as_deref().unwrap_or("not done")
        );
    }
}

/// The step that a record belongs to; empty for those of the run as a whole.
fn step_of(record: &Record) -> &str {
    let name = match record {
        Record::Intent(intent) => &intent.step,
        Record::StepBegun { step, .. }
        | Record::StepMade { step, .. }
        | Record::Observed { step, .. }
        | Record::StepDone { step, .. } => step,
        _ => return "",
    };
    name.split('/').next().unwrap_or(name)
}

fn title(document: &PlanDocument, id: &str) -> String {
    let step = document.steps.iter().find(|step| step.id == id);
    step.map_or(id.to_owned(), |step| {
        let events: Vec<&str> = step.events.iter().map(|event| event.word()).collect();
        let component = print::safe(&step.component);
        format!("{id}: {component}, {} (wave {})", events.join(" + "), step.wave)
    })
}

fn event(record: &Record, out: &mut String) {
    let _ = match record {
        Record::Intent(intent) => {
            let set = intent.step.split('/').next_back().unwrap_or_default();
            let _ = writeln!(out, "- {} {set}, files on {}:", when(&intent.at), intent.host);
            for change in &intent.changes {
                let digest = |state: &State| match state {
                    State::File { sha256, .. } => format!("`{sha256}`"),
                    State::Absent => "absent".to_owned(),
                    State::Directory { .. } => "directory".to_owned(),
                };
                let backup = change.backup.as_deref().unwrap_or("none");
                let _ = writeln!(
                    out,
                    "  - `{}`: {} to {} (backup {backup})",
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
            command, outcome, at, ..
        } => writeln!(
            out,
            "- {} ran `{}`: {}",
            when(at),
            print::safe(&command.join(" ")),
            in_words(outcome)
        ),
        Record::Observed { evidence, at, .. } => {
            let _ = writeln!(out, "- {} observed:", when(at));
            observed(evidence, out);
            Ok(())
        }
        Record::StepDone { at, .. } => writeln!(out, "- {} done", when(at)),
        Record::RolledBack { kept, at, .. } => writeln!(
            out,
            "- {} taken back{}",
            when(at),
            if kept.is_empty() {
                ""
            } else {
                "; files that somebody else changed were left"
            }
        ),
        Record::Stopped { reason, at } => writeln!(out, "\n- {} stopped: {}", when(at), print::safe(reason)),
        Record::Finished { outcome, at } => writeln!(out, "\n- {} finished: {outcome}", when(at)),
        _ => Ok(()),
    };
}

/// One line for each thing that was seen.
fn observed(evidence: &Value, out: &mut String) {
    let Value::Object(kinds) = evidence else {
        let _ = writeln!(out, "  - {}", in_words(evidence));
        return;
    };
    for (kind, seen) in kinds {
        match seen {
            Value::Array(items) => {
                for item in items {
                    let _ = writeln!(out, "  - {kind}: {}", in_words(item));
                }
            }
            one => {
                let _ = writeln!(out, "  - {kind}: {}", in_words(one));
            }
        }
    }
}

/// A value of a record as people read it: keys and values side by side, fingerprints by their first 8 bytes.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("`{}`", &text[..16])
        }
        Value::String(text) => print::safe(text),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join("; "),
        Value::Object(map) => {
            let pairs = map.iter().filter(|(_, value)| !value.is_null());
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{} {}", key.replace('_', " "), in_words(value)))
                .collect();
            pairs.join(", ")
        }
        other => other.to_string(),
    }
}

/// One page without anything from elsewhere. What stands in it as text stays text: no HTML passes through.
fn html(markdown: &str, title: &str) -> String {
    use pulldown_cmark::Event;
    let parser = pulldown_cmark::Parser::new_ext(markdown, pulldown_cmark::Options::ENABLE_TABLES);
    let inert = parser.map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, inert);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<main>\n{body}</main>\n</html>\n"
    )
}

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8886; padding: .25rem .6rem; text-align: left; }
code { font-size: .85em; overflow-wrap: anywhere; }
h2 { margin-top: 2rem; }
h3 { font-size: 1em; margin-bottom: .2rem; }";
