//! Which entries a command means.

use std::collections::BTreeSet;

use keystore::Store;

use super::open::Opened;
use super::open::failed;
use crate::args::store::Selection;
use crate::cmd::inspect::aliases;
use crate::cmd::inspect::hex;
use crate::print::Failure;

/// The entries that are meant, in file order; everything that fits no entry, or several, is told at once.
///
/// # Errors
/// One for each word that names nothing or not one entry.
pub fn entries(opened: &Opened, selection: &Selection) -> Result<Vec<usize>, Vec<Failure>> {
    let mut chosen = BTreeSet::new();
    let mut failures = Vec::new();
    let found = selection
        .alias
        .iter()
        .map(|alias| by_alias(&opened.store, alias))
        .chain(
            selection
                .entry
                .iter()
                .map(|number| by_number(&opened.store, *number)),
        )
        .chain(
            selection
                .sha256
                .iter()
                .map(|start| by_sha256(&opened.store, start)),
        );
    for one in found {
        match one {
            Ok(index) => {
                chosen.insert(index);
            }
            Err(why) => failures.push(failed(
                &opened.path,
                &why,
                &format!(
                    "capgrow inspect {} lists its entries; --entry N and --sha256 HEX name one without its alias",
                    opened.path.display()
                ),
            )),
        }
    }
    if failures.is_empty() {
        Ok(chosen.into_iter().collect())
    } else {
        Err(failures)
    }
}

/// Whether any entry is named.
pub fn is_given(selection: &Selection) -> bool {
    !(selection.alias.is_empty() && selection.entry.is_empty() && selection.sha256.is_empty())
}

/// The name of an entry for people and scripts: as `inspect` shows it, else its number.
pub fn shown(store: &Store, index: usize) -> String {
    aliases(store)
        .into_iter()
        .nth(index)
        .flatten()
        .map_or_else(|| format!("entry {}", index + 1), |alias| format!("{alias:?}"))
}

fn by_alias(store: &Store, alias: &str) -> Result<usize, String> {
    let names = aliases(store);
    let exact: Vec<usize> = places(&names, |name| name == alias);
    match exact.as_slice() {
        [one] => return Ok(*one),
        [] => {}
        several => return Err(ambiguous(alias, several)),
    }
    // By the rule of the format; a name that only differs in case is not taken where the format keeps case.
    match store.find(alias) {
        Some(index) => Ok(index),
        None => Err(nearest(&names, alias)),
    }
}

fn places(names: &[Option<String>], fits: impl Fn(&str) -> bool) -> Vec<usize> {
    let at = |(index, name): (usize, &Option<String>)| name.as_deref().is_some_and(&fits).then_some(index);
    names.iter().enumerate().filter_map(at).collect()
}

fn ambiguous(alias: &str, several: &[usize]) -> String {
    let numbers: Vec<String> = several.iter().map(|index| (index + 1).to_string()).collect();
    format!(
        "{} entries are named {alias:?}: numbers {}",
        several.len(),
        numbers.join(", ")
    )
}

fn nearest(names: &[Option<String>], alias: &str) -> String {
    let folded = alias.to_lowercase();
    let near = names
        .iter()
        .flatten()
        .find(|name| name.to_lowercase() == folded)
        .map_or_else(String::new, |name| format!("; there is {name:?}"));
    if names.iter().all(Option::is_none) {
        format!("no entry is named {alias:?}: its entries have no names")
    } else {
        format!("no entry is named {alias:?}{near}")
    }
}

fn by_number(store: &Store, number: usize) -> Result<usize, String> {
    let count = store.entries().len();
    number
        .checked_sub(1)
        .filter(|index| *index < count)
        .ok_or_else(|| format!("no entry has number {number}: it has {count}"))
}

fn by_sha256(store: &Store, start: &str) -> Result<usize, String> {
    let wanted = start.replace(':', "").to_lowercase();
    if wanted.is_empty() || !wanted.chars().all(|letter| letter.is_ascii_hexdigit()) {
        return Err(format!("{start:?} is no fingerprint: hexadecimal digits are"));
    }
    let fits = |index: &usize| {
        store.entries()[*index]
            .certificates()
            .first()
            .is_some_and(|first| hex(&first.sha256()).starts_with(&wanted))
    };
    let found: Vec<usize> = (0..store.entries().len()).filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(format!(
            "no entry has a certificate whose SHA-256 begins with {wanted}"
        )),
        several => {
            let numbers: Vec<String> = several.iter().map(|index| (index + 1).to_string()).collect();
            Err(format!(
                "{} entries have a certificate whose SHA-256 begins with {wanted}: numbers {}",
                several.len(),
                numbers.join(", ")
            ))
        }
    }
}
