//! Objects that `runmqsc` displays or a script defines. Source: domain specification E.7; A.14.

use std::collections::BTreeMap;

/// One object: a queue manager, a channel, or a running channel.
#[derive(Debug, Clone)]
pub struct MqObject {
    /// The file that shows it.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// What it is.
    pub kind: MqKind,
    /// Attributes, names in upper case, values without quotes.
    pub attributes: BTreeMap<String, String>,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqKind {
    /// A channel definition.
    Channel,
    /// A running channel: `DISPLAY CHSTATUS`.
    Running,
    /// A queue manager.
    QueueManager,
    /// A CHLAUTH record.
    Rule,
}

impl MqObject {
    /// An attribute; `None` where it was not shown, empty where it is blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        let named = ["CHANNEL", "CHSTATUS", "QMNAME", "CHLAUTH"];
        named.iter().find_map(|name| self.get(name)).unwrap_or("?")
    }
}

/// All objects in a text.
pub fn read(file: &str, text: &str) -> Vec<MqObject> {
    let mut objects: Vec<MqObject> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if let Some(kind) = begins(trimmed) {
            objects.push(MqObject {
                file: file.to_owned(),
                line: index + 1,
                kind,
                attributes: BTreeMap::new(),
            });
            open = true;
        } else if ends(trimmed) {
            open = false;
        }
        if open && let Some(object) = objects.last_mut() {
            pairs(trimmed, &mut object.attributes);
        }
    }
    objects.retain(|object| !object.attributes.is_empty());
    objects
}

/// The heading of a display, or a command that defines.
fn begins(line: &str) -> Option<MqKind> {
    let upper = line.to_uppercase();
    if upper.starts_with("AMQ8417") || upper.contains("DISPLAY CHANNEL STATUS DETAILS") {
        return Some(MqKind::Running);
    }
    if upper.starts_with("AMQ8414") || upper.contains("DISPLAY CHANNEL DETAILS") {
        return Some(MqKind::Channel);
    }
    if upper.starts_with("AMQ8408") || upper.contains("DISPLAY QUEUE MANAGER DETAILS") {
        return Some(MqKind::QueueManager);
    }
    if upper.starts_with("AMQ8878") || upper.contains("DISPLAY CHANNEL AUTHENTICATION RECORD") {
        return Some(MqKind::Rule);
    }
    let command =
        upper.trim_start_matches(|first: char| first.is_ascii_digit() || first == ':' || first == ' ');
    let verb = ["DEFINE ", "ALTER ", "DEF ", "ALT ", "SET "]
        .iter()
        .find_map(|verb| command.strip_prefix(verb))?;
    match verb.trim_start() {
        what if what.starts_with("CHANNEL") || what.starts_with("CHL(") => Some(MqKind::Channel),
        what if what.starts_with("QMGR") => Some(MqKind::QueueManager),
        what if what.starts_with("CHLAUTH") => Some(MqKind::Rule),
        _ => None,
    }
}

fn ends(line: &str) -> bool {
    line.is_empty() || line.starts_with("AMQ") || line.starts_with("One MQSC") || line.starts_with("****")
}

/// `NAME(value)` any number of times; a value in quotes may hold anything.
fn pairs(line: &str, into: &mut BTreeMap<String, String>) {
    let mut rest = line;
    while let Some(open) = rest.find('(') {
        // The end of the last character that no name has, which may be of any width.
        let name_start = rest[..open]
            .char_indices()
            .rfind(|(_, c)| !(c.is_ascii_alphanumeric() || *c == '_'))
            .map_or(0, |(at, c)| at + c.len_utf8());
        let name = rest[name_start..open].to_uppercase();
        let body = &rest[open + 1..];
        let (value, after) = if let Some(quoted) = body.strip_prefix('\'') {
            match quoted.find('\'') {
                Some(end) => (&quoted[..end], quoted[end + 1..].trim_start_matches(')')),
                None => (quoted, ""),
            }
        } else {
            match closing(body) {
                Some(end) => (&body[..end], &body[end + 1..]),
                None => (body, ""),
            }
        };
        if !name.is_empty() {
            let name = if name == "CHL" { "CHANNEL".to_owned() } else { name };
            into.insert(name, value.trim().to_owned());
        }
        rest = after;
    }
}

/// The bracket that closes, over brackets inside: `CONNAME(host(1414))`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}
