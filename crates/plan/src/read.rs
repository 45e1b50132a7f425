//! Reading a plan document: total over any bytes, and strict about what a plan says.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use crate::canon::PlanDigest;
use crate::document::Blocked;
use crate::document::Certificate;
use crate::document::Claims;
use crate::document::Direction;
use crate::document::Obstruction;
use crate::document::PlanDocument;
use crate::document::Step;
use crate::model::ChainForm;
use crate::model::Effective;
use crate::model::Event;
use crate::model::Goal;

/// Why bytes are not a plan document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadPlanError {
    /// A key has another type or value than the format says.
    #[error("{path}: expected {expected}")]
    Key {
        /// Where, as `steps[3].wave`.
        path: String,
        /// What the format says.
        expected: &'static str,
    },
    /// Not JSON at all.
    #[error("not JSON: line {line}, column {column}")]
    NotJson {
        /// Line of the first wrong byte, from 1.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// A version that this program does not know.
    #[error("version {found}: expected 1")]
    Version {
        /// What was found.
        found: String,
    },
}

/// Reads a plan document from JSON. Unknown keys are kept; absent claims claim nothing.
///
/// # Errors
/// The first place where the bytes are not a plan document.
pub fn read_plan(bytes: &[u8]) -> Result<PlanDocument, ReadPlanError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| ReadPlanError::NotJson {
        line: e.line(),
        column: e.column(),
    })?;
    let read_digest = Some(PlanDigest::of(&value));
    let Value::Object(map) = value else {
        return expected("document", "an object");
    };
    let mut keys = Keys {
        map,
        path: String::new(),
    };
    match keys.take("version") {
        Some(Value::Number(n)) if n.as_u64() == Some(1) => {}
        found => {
            let found = found.map_or("missing".to_owned(), |v| v.to_string());
            return Err(ReadPlanError::Version { found });
        }
    }
    let goal = keys
        .word("goal", &[Goal::Coexistence, Goal::Retired], Goal::word)?
        .unwrap_or_default();
    let direction = keys.word("direction", &[Direction::Forward, Direction::Undo], |d| match d {
        Direction::Forward => "forward",
        Direction::Undo => "undo",
    })?;
    let claims = Claims {
        restarts: keys.count("restarts")?,
        lower_bound: keys.count("lower_bound")?,
        cost_milli: keys.milli("cost")?,
        cost_lower_bound_milli: keys.milli("cost_lower_bound")?,
        phases: keys.count("phases")?,
    };
    let start = keys.start()?;
    let Some(steps) = keys.list("steps", read_step)? else {
        return expected("steps", "a list");
    };
    Ok(PlanDocument {
        goal,
        direction: direction.unwrap_or_default(),
        start,
        claims,
        steps,
        blocked: keys.list("blocked", read_blocked)?.unwrap_or_default(),
        questions: keys.values("questions")?,
        waived: keys.values("waived")?,
        model: keys.text("model")?,
        snapshot: keys.text("snapshot")?,
        certificate: keys.certificate()?,
        stored_digest: keys.text("digest")?,
        read_digest,
        extra: keys.map.into_iter().collect(),
    })
}

fn read_step(mut keys: Keys) -> Result<Step, ReadPlanError> {
    let id = match keys.take("id") {
        Some(Value::String(id)) => id,
        Some(Value::Number(id)) => id.to_string(),
        None | Some(Value::Null) => String::new(),
        Some(_) => return keys.wrong("id", "a text"),
    };
    let wave = match keys.count("wave")? {
        Some(wave) if u32::try_from(wave).is_ok() => wave as u32,
        _ => return keys.wrong("wave", "a whole number from 1"),
    };
    let Some(component) = keys.text("component")? else {
        return keys.wrong("component", "a name");
    };
    let Some(Value::Array(list)) = keys.take("events") else {
        return keys.wrong("events", EVENTS);
    };
    let Some(events) = list.iter().map(read_event).collect() else {
        return keys.wrong("events", EVENTS);
    };
    let writes = keys.values("writes")?;
    let all = [Effective::Live, Effective::Reload, Effective::Restart];
    let effective = keys.word("effective", &all, Effective::word)?;
    let chain = keys.word("chain", &[ChainForm::Cross, ChainForm::New], ChainForm::word)?;
    Ok(Step {
        id,
        wave,
        component,
        events,
        writes,
        effective,
        chain,
        extra: keys.map.into_iter().collect(),
    })
}

fn read_event(value: &Value) -> Option<Event> {
    let word = value.as_str()?;
    Event::ALL.into_iter().find(|e| e.word() == word)
}

fn read_blocked(mut keys: Keys) -> Result<Blocked, ReadPlanError> {
    Ok(Blocked {
        component: keys.text("component")?,
        link: keys.text("link")?,
        reason: keys.text("reason")?.unwrap_or_default(),
        remedies: keys.texts("remedies")?,
    })
}

fn read_obstruction(mut keys: Keys) -> Result<Obstruction, ReadPlanError> {
    let components = keys.texts("components")?;
    let Some(extra_milli) = keys.milli("extra")? else {
        return keys.wrong("extra", "a number");
    };
    Ok(Obstruction {
        components,
        extra_milli,
    })
}

/// The keys of one object that are not read yet, and where it stands.
struct Keys {
    map: Map<String, Value>,
    path: String,
}

impl Keys {
    fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, ReadPlanError> {
        match self.take(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong(key, "a text"),
        }
    }

    fn texts(&mut self, key: &str) -> Result<Vec<String>, ReadPlanError> {
        let Some(Value::Array(list)) = self.take(key) else {
            return self.wrong(key, "a list of texts");
        };
        let texts = list.into_iter().map(|v| {
            if let Value::String(text) = v {
                Some(text)
            } else {
                None
            }
        });
        match texts.collect() {
            Some(texts) => Ok(texts),
            None => self.wrong(key, "a list of texts"),
        }
    }

    fn count(&mut self, key: &str) -> Result<Option<u64>, ReadPlanError> {
        match self.take(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(count) => Ok(Some(count)),
                None => self.wrong(key, "a whole number from 0"),
            },
        }
    }

    fn milli(&mut self, key: &str) -> Result<Option<u64>, ReadPlanError> {
        let number = match self.take(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value,
        };
        if let Some(milli) = number.as_u64().and_then(|n| n.checked_mul(1000)) {
            return Ok(Some(milli));
        }
        match number.as_f64().map(|x| x * 1000.0) {
            Some(milli) if (0.0..MAX_MILLI).contains(&milli) && (milli - milli.round()).abs() < 1e-4 => {
                Ok(Some(milli.round() as u64))
            }
            _ => self.wrong(key, "a number from 0 in thousandths"),
        }
    }

    fn word<T: Copy>(
        &mut self,
        key: &str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, ReadPlanError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        match all.iter().find(|&&t| word(t) == text) {
            Some(&found) => Ok(Some(found)),
            None => self.wrong(key, "a known word"),
        }
    }

    fn values(&mut self, key: &str) -> Result<Vec<Value>, ReadPlanError> {
        match self.take(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => self.wrong(key, "a list"),
        }
    }

    fn list<T>(
        &mut self,
        key: &str,
        read: fn(Keys) -> Result<T, ReadPlanError>,
    ) -> Result<Option<Vec<T>>, ReadPlanError> {
        let list = match self.take(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return self.wrong(key, "a list"),
        };
        let mut items = Vec::with_capacity(list.len());
        for (i, value) in list.into_iter().enumerate() {
            let path = format!("{}{key}[{i}].", self.path);
            let Value::Object(map) = value else {
                return expected(&path, "an object");
            };
            items.push(read(Keys { map, path })?);
        }
        Ok(Some(items))
    }

    fn start(&mut self) -> Result<BTreeMap<String, Vec<Event>>, ReadPlanError> {
        let map = match self.take("start") {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(Value::Object(map)) => map,
            Some(_) => return self.wrong("start", "an object"),
        };
        let mut start = BTreeMap::new();
        for (name, events) in map {
            let events = events
                .as_array()
                .and_then(|list| list.iter().map(read_event).collect());
            let Some(events) = events else {
                return self.wrong("start", EVENTS);
            };
            start.insert(name, events);
        }
        Ok(start)
    }

    fn certificate(&mut self) -> Result<Option<Certificate>, ReadPlanError> {
        let map = match self.take("bound") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(_) => return self.wrong("bound", "an object"),
        };
        let mut keys = Keys {
            map,
            path: "bound.".to_owned(),
        };
        let cost = keys.list("cost", read_obstruction)?.unwrap_or_default();
        let restarts = keys.list("restarts", read_obstruction)?.unwrap_or_default();
        Ok(Some(Certificate { cost, restarts }))
    }

    fn wrong<T>(&self, key: &str, what: &'static str) -> Result<T, ReadPlanError> {
        expected(&format!("{}{key}", self.path), what)
    }
}

fn expected<T>(path: &str, expected: &'static str) -> Result<T, ReadPlanError> {
    Err(ReadPlanError::Key {
        path: path.trim_end_matches('.').to_owned(),
        expected,
    })
}

const EVENTS: &str = "a list of grow, switch, retire";
const MAX_MILLI: f64 = 1e15;
