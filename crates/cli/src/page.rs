//! `plan --html`: the plan as one page without anything from elsewhere.

use std::path::Path;

use plan::ChainForm;
use plan::Event;
use plan::EventSet;
use plan::Model;
use plan::PlanDocument;
use plan::TrustState;
use serde_json::Value;
use serde_json::json;

use crate::document;
use crate::print::failure;

/// Writes the page to a file that is new or an earlier page.
///
/// # Errors
/// A file of that name that is something else stays as it is.
pub fn write(path: &Path, model: &Model, document: &PlanDocument) -> anyhow::Result<()> {
    let page = page(model, document);
    if std::fs::read(path).is_ok_and(|found| !found.starts_with(MARK.as_bytes())) {
        return Err(failure(
            format!("{} is there already and is no page of a plan", path.display()),
            "give a file name that is free",
        ));
    }
    document::write(&std::path::absolute(path)?, page.as_bytes(), 0o644)
}

fn page(model: &Model, document: &PlanDocument) -> String {
    // In a script element only `</` and `<!` could end the text; a JSON string may hold `<` escaped.
    let data = data(model, document).to_string().replace('<', "\\u003c");
    TEMPLATE.replace("@PLAN@", &data)
}

fn data(model: &Model, document: &PlanDocument) -> Value {
    let phases = document.steps.iter().map(|step| step.wave).max().unwrap_or(0);
    let course = Course::of(model, document, phases);
    let away = crate::downtime::by_component(document);
    let components: Vec<Value> = model
        .components
        .iter()
        .enumerate()
        .map(|(at, component)| {
            let states: String = (0..=phases).map(|phase| course.state(at, phase)).collect();
            let mut value = json!({ "name": component.name, "states": states });
            if let Some(away) = away.get(component.name.as_str()) {
                value["away"] = away.as_str().into();
            }
            value
        })
        .collect();
    let links: Vec<Value> = model
        .edges
        .iter()
        .map(|edge| {
            let (from, to) = (edge.prover.at(), edge.verifier.at());
            let table = &model.acceptances[edge.acceptance.at()];
            let state = |phase| {
                let form = course.form(from, phase);
                match (table.accepts(course.trust(to, phase), form), form) {
                    (false, _) => 'x',
                    (true, ChainForm::Old) => 'o',
                    (true, ChainForm::New) => 'n',
                    (true, ChainForm::Cross) => 'c',
                }
            };
            json!({ "from": from, "to": to, "states": (0..=phases).map(state).collect::<String>() })
        })
        .collect();
    json!({
        "digest": document.digest().to_string(),
        "summary": summary(document),
        "phases": phases,
        "components": components,
        "links": links,
        "steps": steps(model, document),
    })
}

fn summary(document: &PlanDocument) -> String {
    let claims = &document.claims;
    let number = |claim: Option<u64>| claim.map_or("?".to_owned(), |n| n.to_string());
    format!(
        "until {}: {} phases, {} restarts (lower bound {}), cost {}. Checked before this page was written: no reachable state breaks a link that no waiver names.",
        document.goal.word(),
        number(claims.phases),
        number(claims.restarts),
        number(claims.lower_bound),
        claims
            .cost_milli
            .map_or("?".to_owned(), |milli| (milli as f64 / 1000.0).to_string()),
    )
}

fn steps(model: &Model, document: &PlanDocument) -> Vec<Value> {
    let mut steps: Vec<_> = document.steps.iter().collect();
    steps.sort_by_key(|step| step.wave);
    let place = |name: &str| {
        model
            .components
            .iter()
            .position(|component| component.name == name)
    };
    steps
        .into_iter()
        .filter_map(|step| {
            let events: Vec<&str> = step.events.iter().map(|event| event.word()).collect();
            let effective = step.effective.map_or("", plan::Effective::word);
            Some(json!({
                "phase": step.wave,
                "component": place(&step.component)?,
                "events": events.join(" + "),
                "effective": effective,
            }))
        })
        .collect()
}

/// What has happened to each component after each phase.
struct Course<'a> {
    model: &'a Model,
    /// By component and event: the phase, or what was done before.
    when: Vec<[u32; 3]>,
    forms: Vec<ChainForm>,
}

impl<'a> Course<'a> {
    fn of(model: &'a Model, document: &PlanDocument, phases: u32) -> Course<'a> {
        let names: std::collections::BTreeMap<&str, usize> = model
            .components
            .iter()
            .enumerate()
            .map(|(at, component)| (component.name.as_str(), at))
            .collect();
        let start = |done: EventSet| Event::ALL.map(|event| if done.has(event) { 0 } else { phases + 1 });
        let mut course = Course {
            model,
            when: model
                .components
                .iter()
                .map(|component| start(component.done))
                .collect(),
            forms: vec![ChainForm::New; model.components.len()],
        };
        for step in &document.steps {
            let Some(&at) = names.get(step.component.as_str()) else {
                continue;
            };
            for event in &step.events {
                course.when[at][*event as usize] = step.wave;
            }
            course.forms[at] = step.chain.unwrap_or(course.forms[at]);
        }
        course
    }

    fn has(&self, at: usize, event: Event, phase: u32) -> bool {
        self.when[at][event as usize] <= phase
    }

    fn trust(&self, at: usize, phase: u32) -> TrustState {
        let grows = self.model.components[at].events.has(Event::Grow);
        match (
            self.has(at, Event::Grow, phase),
            self.has(at, Event::Retire, phase),
        ) {
            (_, true) => TrustState::New,
            (true, false) => TrustState::Both,
            // Whoever has no need to grow trusts both from the start.
            (false, false) if !grows => TrustState::Both,
            (false, false) => TrustState::Old,
        }
    }

    fn form(&self, at: usize, phase: u32) -> ChainForm {
        if self.has(at, Event::Switch, phase) {
            self.forms[at]
        } else {
            ChainForm::Old
        }
    }

    /// `o` all old, `b` trusts both, `p` presents the new and trusts both, `q` presents the new and trusts the old, `n`
    /// all new.
    fn state(&self, at: usize, phase: u32) -> char {
        let events = self.model.components[at].events;
        let switched = self.has(at, Event::Switch, phase);
        let verifies = events.has(Event::Grow) || events.has(Event::Retire);
        match (self.trust(at, phase), switched || !events.has(Event::Switch)) {
            _ if !verifies => ['o', 'n'][usize::from(switched)],
            (TrustState::Both, _) if !switched => 'b',
            (TrustState::Old, _) if !switched => 'o',
            (TrustState::Old, _) => 'q',
            (TrustState::Both, _) => 'p',
            (TrustState::New, false) => 'b',
            (TrustState::New, true) => 'n',
        }
    }
}

const TEMPLATE: &str = include_str!("page.html");
const MARK: &str = "<!doctype html>\n<!-- capgrow plan -->";
