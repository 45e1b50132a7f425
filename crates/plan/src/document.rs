//! A plan as it is stored and shown: the JSON of `plan --json`.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use crate::canon;
use crate::canon::PlanDigest;
use crate::model::ChainForm;
use crate::model::Effective;
use crate::model::Event;
use crate::model::Goal;

/// A plan document. Only `steps` say what happens; the rest is claims, explanation and provenance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanDocument {
    /// How far the plan goes.
    pub goal: Goal,
    /// Forward, or the undoing of events.
    pub direction: Direction,
    /// For an undo: what has happened to each component before the first step. Absent names: nothing.
    pub start: BTreeMap<String, Vec<Event>>,
    /// The stored totals and bounds; absent ones claim nothing.
    pub claims: Claims,
    /// The steps, in any order: their waves say the order.
    pub steps: Vec<Step>,
    /// Why there is no plan, or not for all.
    pub blocked: Vec<Blocked>,
    /// What could not be derived and must be answered by a person.
    pub questions: Vec<Value>,
    /// Links that a waiver allows to break.
    pub waived: Vec<Value>,
    /// The text of the model, for a plan made from one.
    pub model: Option<String>,
    /// The digest of the snapshot, for a plan made from one.
    pub snapshot: Option<String>,
    /// What proves the lower bounds.
    pub certificate: Option<Certificate>,
    /// The stored digest, when the document was read; not written.
    pub stored_digest: Option<String>,
    /// The digest of what was read, when the document was read; not written.
    pub read_digest: Option<PlanDigest>,
    /// Other keys, kept as they are.
    pub extra: BTreeMap<String, Value>,
}

impl PlanDocument {
    /// The document as JSON, its digest included.
    pub fn to_value(&self) -> Value {
        let mut map = self.to_map();
        map.insert("steps".into(), self.steps.iter().map(Step::to_value).collect());
        map.insert("digest".into(), self.digest().to_string().into());
        Value::Object(map)
    }

    /// Everything but the steps and the digest.
    fn to_map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        for (key, value) in &self.extra {
            map.insert(key.clone(), value.clone());
        }
        map.insert("version".into(), 1.into());
        map.insert("goal".into(), self.goal.word().into());
        if self.direction == Direction::Undo {
            map.insert("direction".into(), "undo".into());
            let start = self
                .start
                .iter()
                .map(|(name, events)| (name.clone(), words(events)));
            map.insert("start".into(), Value::Object(start.collect()));
        }
        self.claims.put(&mut map);
        map.insert(
            "blocked".into(),
            self.blocked.iter().map(Blocked::to_value).collect(),
        );
        map.insert("questions".into(), Value::Array(self.questions.clone()));
        map.insert("waived".into(), Value::Array(self.waived.clone()));
        for (key, text) in [("model", &self.model), ("snapshot", &self.snapshot)] {
            if let Some(text) = text {
                map.insert(key.into(), text.as_str().into());
            }
        }
        if let Some(certificate) = &self.certificate {
            map.insert("bound".into(), certificate.to_value());
        }
        map
    }

    /// The canonical bytes of [`PlanDocument::to_value`], with a final line feed. Steps, of which there can be
    /// hundreds of thousands, are written as they come.
    pub fn to_bytes(&self) -> Vec<u8> {
        let members = self.members();
        let digest = digest_of(&members);
        let mut members = members;
        let mut member = Vec::new();
        canon::write_member("digest", &digest.to_string().into(), &mut member);
        members.push(("digest".to_owned(), member));
        members.sort();
        let mut bytes = joined(&members);
        bytes.push(b'\n');
        bytes
    }

    /// The digest that names the plan.
    pub fn digest(&self) -> PlanDigest {
        digest_of(&self.members())
    }

    /// Each key with its canonical bytes, sorted by key; without the digest.
    fn members(&self) -> Vec<(String, Vec<u8>)> {
        let mut members = Vec::new();
        let mut put = |key: &str, write: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = Vec::new();
            write(&mut bytes);
            members.push((key.to_owned(), bytes));
        };
        for (key, value) in self.to_map() {
            if !["digest", "steps"].contains(&key.as_str()) {
                put(&key, &|bytes| canon::write_member(&key, &value, bytes));
            }
        }
        put("steps", &|bytes| {
            bytes.extend_from_slice(b"\"steps\":[");
            for (i, step) in self.steps.iter().enumerate() {
                if i > 0 {
                    bytes.push(b',');
                }
                step.write(bytes);
            }
            bytes.push(b']');
        });
        members.sort();
        members
    }
}

fn digest_of(members: &[(String, Vec<u8>)]) -> PlanDigest {
    PlanDigest::of_bytes(&joined(members))
}

fn joined(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(members.iter().map(|(_, m)| m.len() + 1).sum::<usize>() + 2);
    bytes.push(b'{');
    for (i, (_, member)) in members.iter().enumerate() {
        if i > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(member);
    }
    bytes.push(b'}');
    bytes
}

/// Whether steps make events happen or undo them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Direction {
    /// Events happen.
    #[default]
    Forward,
    /// Events are undone: retire first, then switch, then grow.
    Undo,
}

/// Totals that a document states. Costs are in thousandths; in JSON they are decimal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claims {
    /// Restarts and reloads.
    pub restarts: Option<u64>,
    /// No plan needs fewer restarts and reloads.
    pub lower_bound: Option<u64>,
    /// Weighted cost.
    pub cost_milli: Option<u64>,
    /// No plan costs less.
    pub cost_lower_bound_milli: Option<u64>,
    /// The number of waves.
    pub phases: Option<u64>,
}

impl Claims {
    fn put(&self, map: &mut Map<String, Value>) {
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key.into(), value);
            }
        };
        put("restarts", self.restarts.map(Value::from));
        put("lower_bound", self.lower_bound.map(Value::from));
        put("cost", self.cost_milli.map(milli_number));
        put("cost_lower_bound", self.cost_lower_bound_milli.map(milli_number));
        put("phases", self.phases.map(Value::from));
    }
}

/// What is done to one component at one time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// A name for the step within its plan.
    pub id: String,
    /// When: waves are barriers, numbered from 1.
    pub wave: u32,
    /// To whom.
    pub component: String,
    /// What happens, in this order.
    pub events: Vec<Event>,
    /// The files that are written; the abstract planner leaves it empty.
    pub writes: Vec<Value>,
    /// How it becomes effective, as claimed.
    pub effective: Option<Effective>,
    /// The form of the chain that is presented from this step on, where it switches.
    pub chain: Option<ChainForm>,
    /// Other keys, kept as they are.
    pub extra: BTreeMap<String, Value>,
}

impl Step {
    /// The canonical bytes of [`Step::to_value`].
    fn write(&self, bytes: &mut Vec<u8>) {
        if !self.extra.is_empty() || !self.writes.is_empty() {
            return canon::write_value(&self.to_value(), bytes);
        }
        let word = |key: &str, word: Option<&str>, bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(key.as_bytes());
            match word {
                Some(word) => canon::write_string(word, bytes),
                None => bytes.extend_from_slice(b"null"),
            }
        };
        word("{\"chain\":", self.chain.map(ChainForm::word), bytes);
        word(",\"component\":", Some(&self.component), bytes);
        word(",\"effective\":", self.effective.map(Effective::word), bytes);
        bytes.extend_from_slice(b",\"events\":[");
        for (i, event) in self.events.iter().enumerate() {
            word(if i > 0 { "," } else { "" }, Some(event.word()), bytes);
        }
        word("],\"id\":", Some(&self.id), bytes);
        bytes.extend_from_slice(b",\"wave\":");
        bytes.extend_from_slice(self.wave.to_string().as_bytes());
        bytes.extend_from_slice(b",\"writes\":[]}");
    }

    fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (key, value) in &self.extra {
            map.insert(key.clone(), value.clone());
        }
        map.insert("id".into(), self.id.as_str().into());
        map.insert("wave".into(), self.wave.into());
        map.insert("component".into(), self.component.as_str().into());
        map.insert("events".into(), words(&self.events));
        map.insert("writes".into(), Value::Array(self.writes.clone()));
        map.insert("effective".into(), self.effective.map(Effective::word).into());
        map.insert("chain".into(), self.chain.map(ChainForm::word).into());
        Value::Object(map)
    }
}

/// Something that no order can make safe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocked {
    /// The component that is stuck, if it is one.
    pub component: Option<String>,
    /// The link that would break, as `prover -> verifier`.
    pub link: Option<String>,
    /// Why.
    pub reason: String,
    /// What a person can do about it.
    pub remedies: Vec<String>,
}

impl Blocked {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("component".into(), self.component.as_deref().into());
        map.insert("link".into(), self.link.as_deref().into());
        map.insert("reason".into(), self.reason.as_str().into());
        map.insert(
            "remedies".into(),
            self.remedies.iter().map(String::as_str).collect(),
        );
        Value::Object(map)
    }
}

/// What proves the lower bounds: sets of components that cannot all take their cheapest way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// For the bound on the cost.
    pub cost: Vec<Obstruction>,
    /// For the bound on the number of restarts; `extra` is 1000 for each.
    pub restarts: Vec<Obstruction>,
}

impl Certificate {
    fn to_value(&self) -> Value {
        let list = |obstructions: &[Obstruction]| obstructions.iter().map(Obstruction::to_value).collect();
        let mut map = Map::new();
        map.insert("cost".into(), list(&self.cost));
        map.insert("restarts".into(), list(&self.restarts));
        Value::Object(map)
    }
}

/// Components that together cost at least `extra_milli` more than the sum of their cheapest ways.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Obstruction {
    /// The components; of an odd cycle, in its order.
    pub components: Vec<String>,
    /// How much more, in thousandths.
    pub extra_milli: u64,
}

impl Obstruction {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert(
            "components".into(),
            self.components.iter().map(String::as_str).collect(),
        );
        map.insert("extra".into(), milli_number(self.extra_milli));
        Value::Object(map)
    }
}

fn words(events: &[Event]) -> Value {
    events.iter().map(|e| e.word()).collect()
}

/// A whole number where it is one, else the nearest decimal.
fn milli_number(milli: u64) -> Value {
    if milli.is_multiple_of(1000) {
        (milli / 1000).into()
    } else {
        (milli as f64 / 1000.0).into()
    }
}
