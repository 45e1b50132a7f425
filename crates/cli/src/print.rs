//! What a person sees: answers on stdout, everything else on stderr, nothing unescaped.

use std::io::IsTerminal;
use std::io::Write;

/// An error with the next step to take.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// What was seen.
    pub what: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// What lies below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// An error in one sentence with one hint.
pub fn failure(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Failure {
        what: what.into(),
        hints: vec![hint.into()],
        source: None,
    }
    .into()
}

/// Prints an error: its sentences in one line, then its hints.
pub fn error(error: &anyhow::Error) {
    let text: Vec<String> = error.chain().map(ToString::to_string).collect();
    line(&format!("capgrow: error: {}", text.join(": ")));
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            for hint in &failure.hints {
                line(&format!("capgrow: hint: {hint}"));
            }
        }
    }
}

/// One line on stderr, control characters escaped.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", safe(text));
}

/// One line of the answer on stdout, control characters escaped. A closed pipe ends quietly.
pub fn answer(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", safe(text));
}

/// A line of the answer that begins with a word, in a colour where one is given (its number among the SGR codes).
pub fn marked(word: &str, colour: Option<&str>, text: &str) {
    let mut out = std::io::stdout().lock();
    let (word, text) = (safe(word), safe(text));
    let _ = match colour {
        Some(colour) => writeln!(out, "\x1b[{colour}m{word}\x1b[0m {text}"),
        None => writeln!(out, "{word} {text}"),
    };
}

/// A text of many lines of our own making on stdout.
pub fn block(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A JSON document on stdout.
pub fn json(value: &serde_json::Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// One JSON line on stdout.
pub fn json_line(value: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{value}");
    let _ = out.flush();
}

/// Whether progress can be repainted.
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// The text with control characters (and what reorders text) escaped; line ends inside become `\n`.
pub fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        let hidden = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if letter.is_control() || hidden {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// Rows with their columns lined up; the last column runs free.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let mut text = String::new();
            for (index, cell) in row.iter().enumerate() {
                text.push_str(cell);
                if index + 1 < row.len() {
                    let gap = widths[index].saturating_sub(cell.chars().count()) + 2;
                    text.extend(std::iter::repeat_n(' ', gap));
                }
            }
            text
        })
        .collect()
}

/// Seconds since 1970 in local time with offset.
pub fn local_time(unix: i64) -> String {
    let stamp = jiff::Timestamp::from_second(unix).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp
        .to_zoned(jiff::tz::TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}

/// Seconds since 1970 as UTC text for JSON.
pub fn utc_time(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
