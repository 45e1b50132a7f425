//! `store remove`: entries taken away.

use keystore::Edit;

use super::Edited;
use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::finish;
use super::open::says;
use super::open::with_env;
use super::open_all;
use super::select;
use crate::Answer;
use crate::args::Args;
use crate::args::store::Remove;
use crate::cmd::inspect::aliases;
use crate::passwords;
use crate::print::failure;

/// Takes the entries out of every store. Where one of the stores does not have one of them nothing changes.
pub fn run(args: &Args, these: &Remove) -> anyhow::Result<Answer> {
    if !select::is_given(&these.selection) {
        return Err(failure(
            "no entry is named",
            "--alias NAME, --entry N or --sha256 HEX; capgrow inspect lists them",
        ));
    }
    let given = passwords::given(&these.passwords)?;
    let mut failures = Vec::new();
    let mut all = open_all(&these.stores, &given, None)?;
    for one in &mut all {
        match select::entries(&one.opened, &these.selection) {
            Err(several) => failures.extend(several),
            Ok(indices) => {
                if let Err(failure) = remove(one, &indices) {
                    failures.push(failure);
                }
            }
        }
    }
    all_or_none((), failures)?;
    finish(args, &these.keep, "remove", all)
}

/// The last first, so that numbers stay right.
fn remove(one: &mut Edited, indices: &[usize]) -> Result<(), crate::print::Failure> {
    let names = aliases(&one.opened.store);
    let mut lines = Vec::new();
    for index in indices.iter().rev() {
        let entry = &one.opened.store.entries()[*index];
        lines.push(Line::about(Action::Removed, entry, names[*index].clone()));
        let (before, edit) = (one.opened.store.entries().len(), Edit::Remove { index: *index });
        with_env(None, |env| one.opened.store.edit(&edit, env))
            .map_err(|error| says(&one.opened.path, &error, super::open::PASSWORD_HINT))?;
        if one.opened.store.entries().len() == before {
            one.notes.push(
                "a certificate that a key's chain needs stays in the file; it is no longer trusted by itself"
                    .to_owned(),
            );
        }
    }
    lines.reverse();
    one.lines.extend(lines);
    Ok(())
}
