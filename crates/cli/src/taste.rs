//! Which of the safe plans is wanted: the proof's or the published procedure's, the cheapest or one with fewer phases.

use fleet::Snapshot;
use plan::Goal;
use plan::Model;
use plan::PlanDocument;
use planner::Choice;
use planner::Front;
use serde_json::Value;
use serde_json::json;

use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::failure;

/// Which plan of the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The fewest restarts by cost.
    Cheapest,
    /// The fewest phases, and of these the cheapest.
    FewestPhases,
    /// None yet: all are to be shown.
    Front,
    /// By its number in `plan --front`, from 1.
    Number(usize),
    /// What `[policy] prefer` says.
    Preferred,
}

/// Plans the fleet as `[policy] style` and `prefer` and the command line ask for. The model gets the orders of the
/// style.
///
/// # Errors
/// A word that the fleet file does not know, a number that the front does not have.
pub fn planned(
    dir: &FleetDir,
    model: &mut Model,
    snapshot: &Snapshot,
    goal: Goal,
    asked: Pick,
) -> anyhow::Result<PlanDocument> {
    let pick = pick(dir, asked)?;
    if style(dir)? == Style::Proof {
        return plan(model, goal, pick);
    }
    let proof = planner::plan_model(model, goal).claims;
    plan::add_document_orders(model, snapshot)
        .map_err(|errors| failure(errors.join("; "), "capgrow scan"))?;
    let mut document = plan(model, goal, pick)?;
    let proof =
        json!({ "phases": proof.phases, "restarts": proof.restarts, "cost": proof.cost_milli.map(number) });
    document.extra.insert("style".to_owned(), DOCUMENT.into());
    document.extra.insert("proof_style".to_owned(), proof);
    Ok(document)
}

/// Rip and replace has one order, and it is neither of these.
///
/// # Errors
/// What the fleet file or the command line asks for beside it.
pub fn none_beside_rip(dir: &FleetDir, asked: Pick) -> anyhow::Result<()> {
    let too = if style(dir)? == Style::Document {
        "[policy] style = \"document\""
    } else {
        match pick(dir, asked)? {
            Pick::Cheapest | Pick::Preferred => return Ok(()),
            Pick::FewestPhases => "[policy] prefer = \"fewest-phases\"",
            Pick::Front => "--front",
            Pick::Number(_) => "--choose",
        }
    };
    Err(failure(
        format!("strategy = \"rip-and-replace\" has one order only: {too} has nothing to choose from"),
        "take the one or the other out and plan again",
    ))
}

/// The plan that was picked; where it is not the cheapest it says beside it what that would take.
///
/// # Errors
/// A number that the front does not have.
pub fn plan(model: &Model, goal: Goal, pick: Pick) -> anyhow::Result<PlanDocument> {
    if matches!(pick, Pick::Cheapest | Pick::Front | Pick::Preferred) {
        return Ok(planner::plan_model(model, goal));
    }
    let front = match planner::plan_front(model, goal) {
        Ok(front) => front,
        Err(blocked) => return Ok(*blocked),
    };
    let all = numbered(&front);
    let (number, choice) = match pick {
        Pick::Number(number) => {
            let choice = number.checked_sub(1).and_then(|at| all.get(at)).copied();
            let choice = choice.ok_or_else(|| {
                failure(
                    format!("there is no plan {number}: the front has {}", all.len()),
                    "capgrow plan --front lists them",
                )
            })?;
            (number, choice)
        }
        _ => (1, all[0]),
    };
    let mut document = front.plan(choice);
    let cheapest = front.choices.last().unwrap_or(choice);
    document.extra.insert(
        "choice".to_owned(),
        json!({ "n": number, "at_once": choice.at_once, "cheapest": numbers(cheapest) }),
    );
    Ok(document)
}

/// Whether a plan was made with the orders of the published procedures.
pub fn has_document_style(document: &PlanDocument) -> bool {
    document.extra.get("style").and_then(Value::as_str) == Some(DOCUMENT)
}

/// What the choice and the style cost, in words; nothing where the plan is simply the cheapest.
pub fn prices(document: &PlanDocument) -> Vec<String> {
    let claims = &document.claims;
    let mut lines = Vec::new();
    let compared = |title: &str, other: &Value| {
        let [phases, restarts] = ["phases", "restarts"].map(|key| other[key].as_u64().unwrap_or(0));
        let cost = other["cost"].as_f64().unwrap_or(0.0);
        format!(
            "{title}: {phases} phases, {restarts} restarts, cost {cost}; this plan: {} phases, {} restarts, cost {}",
            claims.phases.unwrap_or(0),
            claims.restarts.unwrap_or(0),
            claims.cost_milli.map_or(0.0, decimal)
        )
    };
    if let Some(other) = document.extra.get("choice").map(|choice| &choice["cheapest"]) {
        lines.push(compared("the cheapest plan", other));
    }
    if let Some(other) = document.extra.get("proof_style") {
        lines.push(compared("style \"proof\"", other));
    }
    lines
}

/// The front on stdout, as a table or as JSON.
pub fn show(front: &Front<'_>, goal: Goal, as_json: bool) {
    let all = numbered(front);
    let bound = all.first().map(|choice| front.plan(choice).claims);
    if as_json {
        let list = |choices: &[&Choice], from: usize| -> Vec<Value> {
            let row = |(at, choice): (usize, &&Choice)| {
                let mut value = numbers(choice);
                value["n"] = (from + at + 1).into();
                value
            };
            choices.iter().enumerate().map(row).collect()
        };
        let (choices, narrower) = all.split_at(front.choices.len());
        print::json(&json!({
            "version": 1, "goal": goal.word(), "exact": front.exact,
            "lower_bound": bound.and_then(|claims| claims.lower_bound),
            "cost_lower_bound": bound.and_then(|claims| claims.cost_lower_bound_milli).map(number),
            "front": list(choices, 0), "narrower": list(narrower, choices.len()),
        }));
        return;
    }
    print::answer("  n  phases  restarts        cost  at once");
    for (at, choice) in all.iter().enumerate() {
        if at == front.choices.len() {
            print::answer("fewer at once:");
        }
        print::answer(&format!(
            "{:>3}  {:>6}  {:>8}  {:>10}  {:>7}",
            at + 1,
            choice.phases,
            choice.restarts,
            decimal(choice.cost_milli),
            choice.at_once
        ));
    }
    if let Some(claims) = bound {
        print::answer(&format!(
            "no plan costs less than {} ({} restarts){}",
            claims.cost_lower_bound_milli.map_or(0.0, decimal),
            claims.lower_bound.unwrap_or(0),
            if front.exact {
                "; nothing better lies between these"
            } else {
                "; between these there may be better ones"
            }
        ));
    }
    print::answer("next: capgrow plan --choose N");
}

/// `[policy] style`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Also the orders that a product's published procedure asks for.
    Document,
    /// What safety needs.
    Proof,
}

/// The style that the fleet file asks for.
fn style(dir: &FleetDir) -> anyhow::Result<Style> {
    match dir.doc.policy.style.as_deref() {
        None | Some("proof") => Ok(Style::Proof),
        Some("document") => Ok(Style::Document),
        Some(word) => Err(failure(
            format!("capgrow.toml: [policy] style = {word:?} is not known"),
            "write \"proof\" or \"document\"",
        )),
    }
}

/// The pick of the command line, else that of the fleet file.
fn pick(dir: &FleetDir, asked: Pick) -> anyhow::Result<Pick> {
    let preferred = match dir.doc.policy.prefer.as_deref() {
        None | Some("cheapest") => Pick::Cheapest,
        Some("fewest-phases") => Pick::FewestPhases,
        Some(word) => {
            return Err(failure(
                format!("capgrow.toml: [policy] prefer = {word:?} is not known"),
                "write \"cheapest\" or \"fewest-phases\"",
            ));
        }
    };
    Ok(if asked == Pick::Preferred {
        preferred
    } else {
        asked
    })
}

fn numbered<'a>(front: &'a Front<'_>) -> Vec<&'a Choice> {
    front.choices.iter().chain(&front.narrower).collect()
}

fn numbers(choice: &Choice) -> Value {
    json!({
        "phases": choice.phases, "restarts": choice.restarts,
        "cost": number(choice.cost_milli), "at_once": choice.at_once,
    })
}

/// A whole number where it is one, as in the plan itself.
fn number(milli: u64) -> Value {
    if milli.is_multiple_of(1000) {
        (milli / 1000).into()
    } else {
        decimal(milli).into()
    }
}

fn decimal(milli: u64) -> f64 {
    milli as f64 / 1000.0
}

const DOCUMENT: &str = "document";
