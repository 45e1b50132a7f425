//! The table as data.

use std::sync::OnceLock;

use serde_json::Value;

use super::State;

/// One expected entry of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) alias: String,
    pub(super) is_key: bool,
    pub(super) what: What,
    /// The alias does not count.
    pub(super) is_doubtful: bool,
}

/// Which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Default(String),
    Intermediates,
    Leaf,
    Roots,
}

impl What {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "${INT}" => What::Intermediates,
            "${NEWCN}" => What::Leaf,
            "${ROOT}" => What::Roots,
            name => What::Default(name.to_owned()),
        }
    }
}

/// The row of that component and store.
pub(super) fn row(component: &str, store: &str) -> Option<&'static Value> {
    let rows = table().get("rows")?.as_array()?;
    rows.iter().find(|row| {
        let named = row.get("components").and_then(Value::as_array);
        let is_named = named.is_some_and(|names| names.iter().any(|name| name == component));
        is_named && row.get("store").is_some_and(|name| name == store)
    })
}

/// The entries of a cell. `same as S1` and `same as MDM …` are followed; a cell that the source does not describe is the
/// master's.
pub(super) fn entries(row: &'static Value, state: State) -> Vec<Expected> {
    let Some(cell) = row.get(state.name()) else {
        return Vec::new();
    };
    if let Some(list) = cell.as_array() {
        return list.iter().filter_map(expected).collect();
    }
    let store = row.get("store").and_then(Value::as_str).unwrap_or_default();
    let text = cell.as_str().unwrap_or_default();
    match text.strip_prefix("same as ") {
        Some("S1") => entries(row, State::S1),
        _ if is_of_master(row) => Vec::new(),
        _ => master_row(store)
            .map(|row| entries(row, state))
            .unwrap_or_default(),
    }
}

/// A text cell, as it is.
pub(super) fn text(row: &'static Value, state: State) -> Option<&'static str> {
    row.get(state.name())?.as_str()
}

/// A cell that is a list of texts.
pub(super) fn texts(row: &'static Value, state: State) -> Vec<&'static str> {
    let list = row.get(state.name()).and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// A cell that names a value for each key; `same as S1` is followed.
pub(super) fn pairs(row: &'static Value, state: State) -> Vec<(&'static str, &'static Value)> {
    match row.get(state.name()) {
        Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.as_str(), value)).collect(),
        Some(Value::String(text)) if text == "same as S1" => pairs(row, State::S1),
        _ => Vec::new(),
    }
}

fn is_of_master(row: &Value) -> bool {
    row.get("components")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|name| name == "MDM"))
}

fn master_row(store: &str) -> Option<&'static Value> {
    row("MDM", store)
}

fn expected(entry: &Value) -> Option<Expected> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    Some(Expected {
        alias: text("alias")?.to_owned(),
        is_key: text("kind")? == "key",
        what: What::of(text("cn")?),
        is_doubtful: text("confidence") == Some("doubtful"),
    })
}

fn table() -> &'static Value {
    static TABLE: OnceLock<Value> = OnceLock::new();
    TABLE.get_or_init(|| serde_json::from_str(TEXT).expect("the state table is well-formed JSON"))
}

const TEXT: &str = include_str!("../../../data/workload_automation_states.json");
