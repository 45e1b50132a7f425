//! `optman ls`: Workload Automation's global options. Source: domain specification B.7.

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalOption {
    /// The file that lists it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Its short name: `cf`, `sf`.
    pub short: String,
    /// In lower case.
    pub value: String,
}

/// All options in a text: `enCarryForward / cf = ALL`.
pub fn read(file: &str, text: &str) -> Vec<GlobalOption> {
    let option = |(index, line): (usize, &str)| {
        let (names, value) = line.split_once(" = ")?;
        let (long, short) = names.split_once(" / ")?;
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        (is_name(long.trim()) && is_name(short.trim())).then(|| GlobalOption {
            file: file.to_owned(),
            line: index + 1,
            short: short.trim().to_owned(),
            value: value.trim().to_lowercase(),
        })
    };
    text.lines().enumerate().filter_map(option).collect()
}
