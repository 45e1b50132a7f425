//! How long each component is away in a plan: what earlier runs took, else what its product or the fleet file says.

use std::collections::BTreeMap;

use exec::log::Record;
use exec::machine::Timestamp;
use fleet::Snapshot;
use plan::Effective;
use plan::PlanDocument;
use serde_json::Value;
use serde_json::json;

use crate::fleet_dir::FleetDir;
use crate::timeline::takes_ms;

/// Writes `downtime` into the plan: `[{component, times, seconds, from}]`, seconds of all its restarts and reloads together.
pub fn put(dir: &FleetDir, snapshot: &Snapshot, document: &mut PlanDocument) {
    let measured = measured(dir);
    let mut found: BTreeMap<&str, (u64, u64, &str)> = BTreeMap::new();
    for step in &document.steps {
        if step.effective == Some(Effective::Live) {
            continue;
        }
        let (seconds, from) = match measured.get(&step.component) {
            Some(seconds) => (*seconds, "measured"),
            None => (
                takes_ms(snapshot, &step.component, &step.events).div_ceil(1000),
                "said",
            ),
        };
        let entry = found.entry(&step.component).or_insert((0, 0, from));
        entry.0 += 1;
        entry.1 += seconds;
    }
    let rows: Vec<Value> = found
        .into_iter()
        .map(|(component, (times, seconds, from))| {
            json!({ "component": component, "times": times, "seconds": seconds, "from": from })
        })
        .collect();
    if !rows.is_empty() {
        document.extra.insert("downtime".to_owned(), rows.into());
    }
}

/// It in words for each component: `2 times, at most 40 s together`.
pub fn by_component(document: &PlanDocument) -> BTreeMap<&str, String> {
    let rows = document.extra.get("downtime").and_then(Value::as_array);
    let told = |row: &'_ Value| {
        format!(
            "{} times, {} {} s together",
            row["times"],
            about(row),
            row["seconds"]
        )
    };
    rows.into_iter()
        .flatten()
        .filter_map(|row| Some((row["component"].as_str()?, told(row))))
        .collect()
}

fn about(row: &Value) -> &'static str {
    if row["from"] == "measured" {
        "about"
    } else {
        "at most"
    }
}

/// It in one line; the longest first, and of many only those.
pub fn line(document: &PlanDocument) -> Option<String> {
    let rows = document.extra.get("downtime")?.as_array()?;
    let number = |row: &Value, key: &str| row[key].as_u64().unwrap_or(0);
    let mut rows: Vec<&Value> = rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(number(row, "seconds")));
    let named: Vec<String> = rows
        .iter()
        .take(SHOWN)
        .map(|row| {
            let about = if row["from"] == "measured" {
                "about"
            } else {
                "at most"
            };
            let name = row["component"].as_str().unwrap_or_default();
            format!(
                "{name} {} times, {about} {} s together",
                number(row, "times"),
                number(row, "seconds")
            )
        })
        .collect();
    let more = rows.len().saturating_sub(named.len());
    let rest = if more > 0 {
        format!("; {more} more are away no longer")
    } else {
        String::new()
    };
    (!named.is_empty()).then(|| format!("away: {}{rest}", named.join("; ")))
}

/// Seconds of a step of each component in the last run that made one.
fn measured(dir: &FleetDir) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let machine = crate::carry::own_machine();
    for run in crate::runs::all(dir, &machine).unwrap_or_default() {
        let Some(plan) = run.plan.as_ref().and_then(|digest| saved(dir, digest)) else {
            continue;
        };
        let mut begun: BTreeMap<&str, i64> = BTreeMap::new();
        for record in &run.records {
            match record {
                Record::StepBegun { step, at } => {
                    begun.insert(step, seconds(at));
                }
                Record::StepDone { step, at } => {
                    let of = plan.steps.iter().find(|known| known.id == *step);
                    if let (Some(of), Some(from)) = (of, begun.get(step.as_str()))
                        && of.effective != Some(Effective::Live)
                    {
                        let lasted = u64::try_from(seconds(at) - from).unwrap_or(0).max(1);
                        found.insert(of.component.clone(), lasted);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn saved(dir: &FleetDir, digest: &str) -> Option<PlanDocument> {
    plan::read_plan(&std::fs::read(dir.plan_path(digest).ok()?).ok()?).ok()
}

fn seconds(at: &Timestamp) -> i64 {
    at.seconds
}

/// So many are named.
const SHOWN: usize = 8;
