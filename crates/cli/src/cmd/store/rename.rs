//! `store rename`: another name for one entry.

use keystore::Edit;

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
use crate::args::store::Rename;
use crate::cmd::inspect::aliases;
use crate::passwords;
use crate::print::failure;

/// Gives the one entry that is named another name. A name that another entry has is refused.
pub fn run(args: &Args, these: &Rename) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let mut all = open_all(std::slice::from_ref(&these.store), &given, None)?;
    let one = &mut all[0];
    let chosen = match select::entries(&one.opened, &these.selection) {
        Ok(chosen) => chosen,
        Err(failures) => return all_or_none(Answer::No, failures),
    };
    let [index] = chosen.as_slice() else {
        return Err(failure(
            format!("{} entries are named, one can be renamed", chosen.len()),
            "one --alias NAME, --entry N or --sha256 HEX; capgrow inspect lists them",
        ));
    };
    let old = aliases(&one.opened.store)[*index].clone();
    let edit = Edit::Rename {
        index: *index,
        alias: these.to.clone(),
    };
    with_env(None, |env| one.opened.store.edit(&edit, env)).map_err(|error| {
        says(
            &one.opened.path,
            &error,
            "choose another name with --to, or remove what has it",
        )
    })?;
    let names = aliases(&one.opened.store);
    // Some formats keep entries in an order of their own, but a name never moves one.
    let alias = names.get(*index).cloned().flatten();
    if alias.as_deref() != Some(these.to.as_str()) {
        one.notes.push(format!(
            "the format keeps names in its own way: {:?} became {:?}",
            these.to,
            alias.as_deref().unwrap_or_default()
        ));
    }
    let action = if alias == old {
        Action::Kept
    } else {
        Action::Renamed
    };
    let mut line = Line::about(action, &one.opened.store.entries()[*index], alias);
    line.was = old;
    one.lines.push(line);
    finish(args, &these.keep, "rename", all)
}
