//! Distinguished names as tools print them: compared without regard to order, blanks and case.

/// A name as it was printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dn {
    /// As it was printed, without quotes around it.
    pub text: String,
    parts: Vec<(String, String)>,
}

impl Dn {
    /// Reads `CN=a, O=b`, `CN = a, O = b`, `/C=GB/O=b/CN=a`, RACF's `CN=a.OU=b` and GSKit's quoted form.
    pub fn parse(text: &str) -> Self {
        let text = text.trim().trim_matches('"').trim().to_owned();
        let pieces = if let Some(slashed) = text.strip_prefix('/') {
            split(slashed, &['/'])
        } else {
            let plain = split(&text, &[',', ';', '+']);
            if plain.len() == 1 {
                split(&text, &['.'])
            } else {
                plain
            }
        };
        let mut parts: Vec<(String, String)> = pieces.iter().filter_map(|piece| part(piece)).collect();
        parts.sort();
        Self { text, parts }
    }

    /// Whether both name the same.
    pub fn same(&self, other: &Self) -> bool {
        !self.parts.is_empty() && self.parts == other.parts
    }

    /// The common name.
    pub fn common_name(&self) -> Option<&str> {
        self.value("cn")
    }

    /// The value of an attribute, its type in lower case.
    pub fn value(&self, kind: &str) -> Option<&str> {
        self.parts
            .iter()
            .find(|(known, _)| known == kind)
            .map(|(_, value)| value.as_str())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// Cuts at a separator that starts a new `TYPE=`.
fn split(text: &str, at: &[char]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(end) = next_cut(rest, at) {
        pieces.push(rest[..end].to_owned());
        rest = &rest[end + 1..];
    }
    pieces.push(rest.to_owned());
    pieces
}

fn next_cut(text: &str, at: &[char]) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if at.contains(&letter) && !quoted && starts_part(&text[index + 1..]) => return Some(index),
            _ => {}
        }
    }
    None
}

fn starts_part(text: &str) -> bool {
    let Some((kind, _)) = text.split_once('=') else {
        return false;
    };
    let kind = kind.trim();
    !kind.is_empty()
        && kind.len() <= 30
        && kind
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '.')
}

fn part(piece: &str) -> Option<(String, String)> {
    let (kind, value) = piece.split_once('=')?;
    let kind = match kind.trim().to_ascii_lowercase().as_str() {
        "e" | "email" | "mail" | "emailaddress" => "emailaddress".to_owned(),
        "sp" | "s" | "st" => "st".to_owned(),
        other => other.to_owned(),
    };
    let value = value.trim().trim_matches('"').replace('\\', "");
    let folded: Vec<&str> = value.split_whitespace().collect();
    Some((kind, folded.join(" ").to_lowercase()))
}

#[cfg(test)]
mod tests;
