//! Logs and pasted output: lines that can be searched, and what the small parsers make of them.

pub mod conversation;
pub mod gskit;
pub mod keytool;
pub mod mqsc;
pub mod openssl;
pub mod optman;
pub mod probe;
pub mod racf;

/// One text.
#[derive(Debug, Clone)]
pub struct Text {
    /// Where it was taken from.
    pub file: String,
    /// Lines that speak: what a message explains in general is left out. Numbers count from 1.
    pub lines: Vec<(usize, String)>,
    /// The same lines in lower case: they are searched for hundreds of patterns.
    lowered: Vec<String>,
}

impl Text {
    /// Takes a text apart.
    ///
    /// IBM MQ's error logs explain each message with all causes it could have: from `EXPLANATION:` to the end of the
    /// record only what is said of this very case is kept. PEM blocks are left out. Source: domain specification E.5.
    pub fn new(file: &str, content: &str) -> Self {
        let mut lines = Vec::new();
        let mut explaining = false;
        let mut inside_pem = false;
        for (index, line) in content.lines().take(MAX_LINES).enumerate() {
            let trimmed = line.trim();
            if trimmed.starts_with("EXPLANATION:") || trimmed.starts_with("ACTION:") {
                explaining = true;
            } else if trimmed.starts_with("-----") || begins_record(trimmed) {
                explaining = false;
            }
            if trimmed.starts_with("-----BEGIN ") {
                inside_pem = true;
            }
            let kept = !inside_pem
                && !NAMES.iter().any(|mark| trimmed.starts_with(mark))
                && (!explaining || OF_THIS_CASE.iter().any(|mark| trimmed.contains(mark)));
            if trimmed.starts_with("-----END ") {
                inside_pem = false;
            }
            if kept && !trimmed.is_empty() {
                let cut: String = line.chars().take(MAX_COLUMNS).map(straight).collect();
                let cut = masked(&cut);
                lines.push((index + 1, cut));
            }
        }
        let lowered = lines.iter().map(|(_, line)| line.to_lowercase()).collect();
        Self {
            file: file.to_owned(),
            lines,
            lowered,
        }
    }

    /// The lines in which all parts of a pattern occur, `a && b`: in the line itself, or broken over it and the next.
    /// Patterns are in lower case.
    pub fn speaking_of<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        let parts: Vec<&str> = pattern.split(" && ").collect();
        self.lines
            .iter()
            .enumerate()
            .filter_map(move |(at, (number, line))| {
                let lower = &self.lowered[at];
                if parts.iter().all(|part| lower.contains(part)) {
                    return Some((*number, line.trim()));
                }
                let (next_number, next) = (self.lines.get(at + 1)?.0, &self.lowered[at + 1]);
                let begins = parts.iter().any(|part| lower.contains(part))
                    || parts.iter().any(|part| straddles(lower, next, part));
                if next_number != number + 1 || !begins || next.contains(parts[0]) {
                    return None;
                }
                let both = format!("{} {}", lower.trim(), next.trim());
                parts
                    .iter()
                    .all(|part| both.contains(part))
                    .then_some((*number, line.trim()))
            })
    }
}

/// The line without passwords and keys that somebody typed on a command line: lines become evidence.
fn masked(line: &str) -> String {
    let lower = line.to_lowercase();
    if !SECRETS.iter().any(|mark| lower.contains(mark)) {
        return line.to_owned();
    }
    let mut hide = false;
    let words = line.split(' ').map(|word| {
        let bare = word.to_lowercase();
        let hidden = hide && !word.is_empty();
        hide = SECRETS.contains(&bare.as_str()) || hide && word.is_empty();
        match bare.find('=') {
            _ if hidden => "***".to_owned(),
            Some(at) if ENDS.iter().any(|end| bare[..at].ends_with(end)) => match word.get(..=at) {
                Some(name) => format!("{name}***"),
                None => "***".to_owned(),
            },
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

/// Web pages and word processors bend quotation marks.
fn straight(letter: char) -> char {
    match letter {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        other => other,
    }
}

/// Whether a part begins in one line and ends in the next.
fn straddles(line: &str, next: &str, part: &str) -> bool {
    let (line, next) = (line.trim_end(), next.trim_start());
    part.match_indices(' ')
        .any(|(at, _)| line.ends_with(&part[..at]) && next.starts_with(&part[at + 1..]))
}

/// Whether a line begins a record of an IBM MQ log: a date, then the process.
fn begins_record(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit()) && line.contains(" - Process(")
}

/// Beginnings of lines that only carry names, which say nothing of faults whatever they contain.
const NAMES: [&str; 8] = [
    "Issuer",
    "Subject:",
    "Subject :",
    "subject=",
    "issuer=",
    "Owner:",
    "Label",
    "Alias name:",
];
/// Words in the explanation of an IBM MQ message that are about this case.
const OF_THIS_CASE: [&str; 5] = [
    "error code returned was",
    "The details of the certificate",
    "[Class=]GSKVALMethod",
    "certificate validation error was",
    "SSLCIPH(",
];
/// Options whose value is a secret, and beginnings of assignments of one.
const SECRETS: [&str; 17] = [
    "--apikey",
    "-apikey",
    "--wapassword",
    "-wapassword",
    "-storepass",
    "-keypass",
    "-srcstorepass",
    "-deststorepass",
    "-pw",
    "-new_pw",
    "-target_pw",
    "-passin",
    "-passout",
    "--password",
    "password=",
    "pwd=",
    "apikey=",
];
const ENDS: [&str; 3] = ["password", "pwd", "apikey"];
const MAX_LINES: usize = 200_000;
const MAX_COLUMNS: usize = 4_000;

#[cfg(test)]
mod tests;
