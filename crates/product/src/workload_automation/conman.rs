//! The answer of `conman sc`, and what of it says that a workstation is linked.
//!
//! Columns are `CPUID RUN NODE LIMIT FENCE DATE TIME STATE METHOD DOMAIN`; the state has blanks inside. Source: domain
//! specification B.6.

/// One workstation as `conman sc` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Without its folder.
    pub name: String,
    /// Where conman ran.
    pub here: bool,
    /// `UNIX`, `WNT`, `OTHR`, …
    pub os: String,
    /// In upper case: `MASTER`, `MANAGER`, `FTA`, `AGENT`, `BROKER`, …
    pub kind: String,
    /// The flags without blanks, `LTIJW`.
    pub flags: String,
    /// The last column.
    pub domain: String,
}

/// All workstations in the answer; banners, headings and folder lines are passed over.
pub fn parse(answer: &str) -> Vec<Shown> {
    answer.lines().filter_map(line).collect()
}

/// Whether the answer shows that workstation linked.
///
/// A manager or fault-tolerant agent needs L or F, and T, I, J, W; the one on which conman runs has no link to itself
/// and needs I and J. An agent needs L, B, I, J; a broker L, T, I, J, W. Source: domain specification B.6, R-112.
pub fn is_linked(answer: &str, name: &str) -> bool {
    let all = parse(answer);
    let bare = name.rsplit('/').next().unwrap_or(name);
    all.iter()
        .find(|shown| shown.name.eq_ignore_ascii_case(bare))
        .is_some_and(Shown::is_linked)
}

impl Shown {
    /// As [`is_linked`].
    pub fn is_linked(&self) -> bool {
        let has = |flags: &str| flags.chars().all(|flag| self.flags.contains(flag));
        let up = self.flags.contains(['L', 'F']);
        match self.kind.as_str() {
            "AGENT" | "REM-ENG" | "POOL" | "D-POOL" => up && has("BIJ"),
            _ if self.here => has("IJ"),
            _ => up && has("TIJW"),
        }
    }
}

fn line(line: &str) -> Option<Shown> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.len() < 6 || words[0].starts_with(">>") {
        return None;
    }
    // RUN is a number; then [*]OS TYPE LIMIT FENCE; date and time may be absent.
    words[1].parse::<u32>().ok()?;
    let (os, kind_at) = if words[2] == "*" {
        (words.get(3)?, 4)
    } else {
        (&words[2], 3)
    };
    let here = words[2].starts_with('*');
    let kind = words.get(kind_at)?;
    let mut rest = words.get(kind_at + 1..)?;
    let numbers = rest
        .iter()
        .take(2)
        .take_while(|word| word.parse::<u32>().is_ok())
        .count();
    rest = &rest[numbers..];
    let dated = rest
        .iter()
        .take_while(|word| word.contains(['/', ':', '-']) && word.starts_with(|c: char| c.is_ascii_digit()))
        .count();
    rest = &rest[dated..];
    let (domain, middle) = rest.split_last()?;
    let flags: String = middle
        .iter()
        .take_while(|word| is_flags(word))
        .flat_map(|word| word.chars())
        .collect();
    Some(Shown {
        name: words[0].rsplit('/').next().unwrap_or(words[0]).to_owned(),
        here,
        os: os.trim_start_matches('*').to_owned(),
        kind: kind.to_ascii_uppercase(),
        flags,
        domain: (*domain).to_owned(),
    })
}

/// Letters of the state column only.
fn is_flags(word: &str) -> bool {
    word.chars().all(|letter| "LFTHXBIJWMEeDAR".contains(letter))
}

#[cfg(test)]
mod tests;
