//! What was seen, kept as evidence: the document of `--json`, one file for all or one for each target.

use std::path::Path;

use super::Answered;
use super::document;
use crate::document::write;

/// Writes to the directory `path`, one file for each target, or to the file `path`.
///
/// What is there already is replaced as a whole.
pub fn write_all(path: &Path, answers: &[Answered]) -> anyhow::Result<()> {
    if !path.is_dir() && !path.as_os_str().to_string_lossy().ends_with('/') {
        return one_file(path, answers);
    }
    if !path.is_dir() {
        crate::document::private_dir(path)?;
    }
    for answered in answers {
        let name = name_of(&answered.facts.target.to_string());
        one_file(&path.join(name), std::slice::from_ref(answered))?;
    }
    Ok(())
}

fn one_file(path: &Path, answers: &[Answered]) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(&document::whole(answers))?;
    text.push('\n');
    write(path, text.as_bytes(), 0o644)
}

/// A target as a file name: letters, digits, dots and dashes only.
fn name_of(target: &str) -> String {
    let plain: String = target
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-') {
                letter
            } else {
                '_'
            }
        })
        .collect();
    format!("probe-{plain}.json")
}
