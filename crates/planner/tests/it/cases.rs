//! Text-driven cases: `tests/cases/*.txt` hold a model, then what is asked and the answer.
//!
//! A section starts with `---- ` and the question: a goal, then alterations of the plan, separated by commas
//! (`drop 2`, `swap 2 3`, `merge 2`, `wave 2 1`); or `front`. The question `rip-and-replace` plans everything of a component at
//! once, each step 10 s, and `keep a -> b` takes the waiver of that edge away. `UPDATE_EXPECT=1` rewrites the answers.

use std::fmt::Write as _;
use std::path::Path;

use plan::CheckReport;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use plan::check;
use plan::read_model;
use planner::plan_front;
use planner::plan_model;
use planner::plan_rip;

#[test]
fn the_answers_to_all_cases_are_as_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = directory
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "{paths:?}");
    for path in paths {
        #[expect(clippy::disallowed_methods, reason = "cases are files")]
        let text = std::fs::read_to_string(&path).unwrap();
        expect_test::expect_file![&path].assert_eq(&answered(&text));
    }
}

fn answered(text: &str) -> String {
    let (model_text, rest) = text.split_once("---- ").unwrap_or((text, "retired\n"));
    let mut answer = model_text.to_owned();
    for section in rest.split("---- ") {
        let question = section.lines().next().unwrap_or("");
        let _ = writeln!(answer, "---- {question}");
        match read_model(model_text) {
            Ok(model) => answer += &asked(&model, question),
            Err(errors) => {
                for error in errors {
                    let hint = error.hint.as_ref().map(|h| format!(" (did you mean {h}?)"));
                    let _ = writeln!(answer, "{error}{}", hint.unwrap_or_default());
                }
            }
        }
    }
    answer
}

fn asked(model: &Model, question: &str) -> String {
    if question == "front" {
        return front(model);
    }
    if question.starts_with("rip-and-replace") {
        return ripped(model, question);
    }
    let mut words = question.split(", ");
    let goal = match words.next() {
        Some("coexistence") => Goal::Coexistence,
        _ => Goal::Retired,
    };
    let mut document = plan_model(model, goal);
    let mut altered = false;
    for alteration in words {
        alter(&mut document, alteration);
        altered = true;
    }
    let mut answer = String::new();
    if !altered {
        answer += &shown(&document);
    }
    if document.blocked.is_empty() {
        let report = match check(model, &document) {
            Ok(checked) => checked.report().clone(),
            Err(refusal) => refusal.report,
        };
        answer += &judged(&report);
    }
    answer
}

/// Every plan of the front in numbers, each through the checker.
fn front(model: &Model) -> String {
    let front = match plan_front(model, Goal::Retired) {
        Ok(front) => front,
        Err(blocked) => return shown(&blocked),
    };
    let mut answer = String::from(if front.exact {
        "exact\n"
    } else {
        "not proved to be all\n"
    });
    for (kind, list) in [("choice", &front.choices), ("narrower", &front.narrower)] {
        for choice in list {
            let document = front.plan(choice);
            let checked = check(model, &document).unwrap_or_else(|refusal| panic!("{refusal:?}"));
            assert_eq!(checked.report().bound.word(), "verified");
            let claims = document.claims;
            assert_eq!(
                (claims.phases, claims.restarts, claims.cost_milli),
                (
                    Some(choice.phases),
                    Some(choice.restarts),
                    Some(choice.cost_milli)
                )
            );
            let _ = writeln!(
                answer,
                "{kind}: phases {}, restarts {}, cost {}, at once {}",
                choice.phases,
                choice.restarts,
                choice.cost_milli as f64 / 1000.0,
                choice.at_once
            );
        }
    }
    answer
}

fn ripped(model: &Model, question: &str) -> String {
    let (document, outages) = plan_rip(model, Goal::Retired, &vec![10_000; model.components.len()]);
    let mut answer = shown(&document);
    let mut model = model.clone();
    for outage in &outages {
        let edge = &mut model.edges[outage.edge];
        let name = |id: plan::ComponentId| &model.components[id.at()].name;
        let link = format!("{} -> {}", name(edge.prover), name(edge.verifier));
        let until = outage
            .until
            .map_or("the end and after".to_owned(), |wave| format!("wave {wave}"));
        let _ = writeln!(answer, "down {link}: wave {} to {until}", outage.from);
        edge.waived = !question.split(", ").any(|word| word == format!("keep {link}"));
    }
    let report = match check(&model, &document) {
        Ok(checked) => checked.report().clone(),
        Err(refusal) => refusal.report,
    };
    answer += &judged(&report);
    let _ = writeln!(answer, "accepted by waiver: {}", report.waived.len());
    answer
}

fn alter(document: &mut PlanDocument, alteration: &str) {
    let words: Vec<&str> = alteration.split_whitespace().collect();
    let number = |i: usize| words[i].parse::<usize>().unwrap();
    match words[0] {
        "drop" => {
            document.steps.remove(number(1) - 1);
        }
        "swap" => {
            let (i, j) = (number(1) - 1, number(2) - 1);
            let wave = document.steps[i].wave;
            document.steps[i].wave = document.steps[j].wave;
            document.steps[j].wave = wave;
        }
        "merge" => {
            let wave = number(1) as u32;
            document
                .steps
                .iter_mut()
                .filter(|s| s.wave > wave)
                .for_each(|s| s.wave -= 1);
        }
        "wave" => document.steps[number(1) - 1].wave = number(2) as u32,
        word => panic!("{word}"),
    }
}

fn shown(document: &PlanDocument) -> String {
    let mut text = String::new();
    for blocked in &document.blocked {
        let subject = blocked.link.as_ref().or(blocked.component.as_ref()).unwrap();
        let _ = writeln!(text, "blocked {subject}: {}", blocked.reason);
        for remedy in &blocked.remedies {
            let _ = writeln!(text, "  {remedy}");
        }
    }
    if !document.blocked.is_empty() {
        return text;
    }
    let claims = document.claims;
    let decimal = |milli: Option<u64>| milli.unwrap() as f64 / 1000.0;
    let _ = writeln!(
        text,
        "restarts {} (lower bound {}), cost {} (lower bound {}), phases {}",
        claims.restarts.unwrap(),
        claims.lower_bound.unwrap(),
        decimal(claims.cost_milli),
        decimal(claims.cost_lower_bound_milli),
        claims.phases.unwrap(),
    );
    for step in &document.steps {
        let events: Vec<&str> = step.events.iter().map(|e| e.word()).collect();
        let cross = if step.chain == Some(plan::ChainForm::Cross) {
            " (cross)"
        } else {
            ""
        };
        let live = step
            .effective
            .filter(|e| *e != plan::Effective::Restart)
            .map(|e| format!(" [{}]", e.word()));
        let _ = writeln!(
            text,
            "wave {}  {} {}{cross}{}",
            step.wave,
            step.component,
            events.join("+"),
            live.unwrap_or_default()
        );
        for seen in listed(step.extra.get("observe")) {
            let _ = writeln!(text, "        by hand; seen when {}", seen.as_str().unwrap());
        }
    }
    for waits in listed(document.extra.get("waits")) {
        let [component, event, because] =
            ["component", "event", "because"].map(|key| waits[key].as_str().unwrap());
        let _ = writeln!(text, "waits: {component} {event}: {because}");
    }
    text
}

fn listed(value: Option<&plan::Json>) -> &[plan::Json] {
    value.and_then(plan::Json::as_array).map_or(&[], Vec::as_slice)
}

fn judged(report: &CheckReport) -> String {
    let safe = if report.safe() { "safe" } else { "not safe" };
    let bound = report.bound.word();
    let mut text = format!(
        "{safe}: {} edges, {} states, bound {bound}\n",
        report.edges, report.states
    );
    for violation in &report.violations {
        let order = if violation.order.is_empty() {
            String::new()
        } else {
            format!(" {}:", violation.order)
        };
        let _ = writeln!(text, "  {}:{order} {}", violation.link, violation.reason);
    }
    text
}
