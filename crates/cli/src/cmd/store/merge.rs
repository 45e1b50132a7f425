//! `store merge`: the entries of several stores in one.

use std::collections::BTreeMap;
use std::path::Path;

use keystore::Certificate;
use keystore::Format;
use keystore::Store;
use serde_json::json;

use super::Edited;
use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::content;
use super::content::Content;
use super::content::Held;
use super::convert;
use super::diff::open_second;
use super::finish;
use super::from_passwords;
use super::open;
use super::open::Opened;
use super::open::Purpose;
use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::inspect::aliases;
use crate::passwords;
use crate::print;
use crate::print::Failure;

/// Puts everything in, or, where names collide or something cannot be held, tells all of it and changes nothing.
pub fn run(args: &Args, these: &args::store::Merge) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let given_from = from_passwords(&these.from_passwords)?;
    let purpose = if these.out.is_some() {
        Purpose::Read
    } else {
        Purpose::Edit
    };
    let into = open::open(&these.into, &given, purpose);
    let mut failures = Vec::new();
    let mut sources = Vec::new();
    for path in &these.from {
        match open_second(path, &given, &given_from) {
            Ok(opened) => sources.push(opened),
            Err(failure) => failures.push(failure),
        }
    }
    let into = match into {
        Ok(into) => all_or_none(into, failures)?,
        Err(failure) => {
            failures.push(failure);
            return all_or_none(Answer::No, failures);
        }
    };
    let mut merge = Merge::new(Edited::of(into), these.rename);
    let mut left = Vec::new();
    for source in &sources {
        let (contents, stays) = convert::contents(source, merge.edited.opened.store.format());
        left.extend(stays);
        for content in contents {
            left.extend(merge.take_in(&source.path, &content).err());
        }
    }
    merge.complete_chains()?;
    if !merge.collisions.is_empty() || !(left.is_empty() || these.leave_out) {
        tell(args, &merge.collisions, left);
        return Ok(Answer::No);
    }
    let mut edited = merge.edited;
    edited.notes.extend(
        left.into_iter()
            .map(|failure| format!("left out: {}", failure.what)),
    );
    if let Some(out) = &these.out {
        edited.opened.lock = convert::lock_of(out, None)?;
        edited.opened.held_key = convert::held_key(out);
        edited.opened.was = open::digest_of(out)?;
        edited.opened.path = out.clone();
        if !edited.is_changed() {
            edited.lines.push(Line::whole(Action::Rewritten));
        }
    }
    finish(args, &these.keep, "merge", vec![edited])
}

/// Two entries that cannot have one name.
struct Collision {
    alias: String,
    /// The other spelling, where they differ in case only.
    with: String,
    from: String,
    first: String,
}

struct Merge {
    edited: Edited,
    rename: bool,
    /// Names in lower case: as they are spelled, and the file that they come from.
    names: BTreeMap<String, (String, String)>,
    collisions: Vec<Collision>,
    /// Of keys that came in.
    chains: Vec<Vec<Certificate>>,
}

impl Merge {
    fn new(edited: Edited, rename: bool) -> Merge {
        let into = edited.opened.path.display().to_string();
        let names = edited
            .opened
            .store
            .entries()
            .iter()
            .filter_map(|entry| entry.alias())
            .map(|alias| (alias.to_lowercase(), (alias.to_owned(), into.clone())));
        Merge {
            names: names.collect(),
            edited,
            rename,
            collisions: Vec::new(),
            chains: Vec::new(),
        }
    }

    fn take_in(&mut self, from: &Path, content: &Content) -> Result<(), Failure> {
        let format = self.edited.opened.store.format();
        let has_names = content::has_names(format);
        if let Some(index) = self.there(content, has_names) {
            let name = aliases(&self.edited.opened.store)[index].clone();
            let line = Line::about(Action::Kept, &self.edited.opened.store.entries()[index], name);
            self.edited.lines.push(line);
            return Ok(());
        }
        let wanted = content
            .alias
            .clone()
            .unwrap_or_else(|| content::usual_name(&content.body));
        let taken = self
            .names
            .get(&wanted.to_lowercase())
            .cloned()
            .filter(|_| has_names);
        if let (Some((with, first)), false, true) = (taken, self.rename, content.alias.is_some()) {
            self.collisions.push(Collision {
                alias: wanted,
                with,
                from: from.display().to_string(),
                first,
            });
            return Ok(());
        }
        let store = &mut self.edited.opened.store;
        let name = content::free_name(store, &wanted);
        let mut tried = store.clone();
        content::put(
            &mut tried,
            content,
            Some(&name),
            self.edited.opened.key_password.as_ref(),
        )
        .map_err(|stays| {
            let what = format!("{wanted:?}: {}", fleet::rotation::chain_of(&stays));
            open::failed(from, &what, "--leave-out leaves it out")
        })?;
        *store = tried;
        if let Held::Key(_, chain) = &content.body {
            self.chains.push(chain.clone());
        }
        self.names
            .insert(name.to_lowercase(), (name.clone(), from.display().to_string()));
        self.edited
            .lines
            .push(convert::line(content, &self.edited.opened.store, &name));
        Ok(())
    }

    fn complete_chains(&mut self) -> Result<(), Failure> {
        for chain in std::mem::take(&mut self.chains) {
            let store = &mut self.edited.opened.store;
            content::put_issuers(store, &chain)
                .map_err(|error| open::says(&self.edited.opened.path, &error, "nothing was changed"))?;
        }
        Ok(())
    }

    /// The entry that holds the same already: under the same name, or under any where names mean nothing.
    fn there(&self, content: &Content, has_names: bool) -> Option<usize> {
        let store = &self.edited.opened.store;
        let is_cms = store.format() == Format::CmsKdb;
        (0..store.entries().len()).find(|index| {
            let named = match (&content.alias, store.entries()[*index].alias()) {
                (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
                _ => true,
            };
            // GSKit refuses a certificate that is there under another name.
            let any_name = !has_names || is_cms && matches!(content.body, Held::Certificate(..));
            (named || any_name) && holds(&self.edited.opened, store, *index, content)
        })
    }
}

fn holds(opened: &Opened, store: &Store, index: usize, content: &Content) -> bool {
    let entry = &store.entries()[index];
    match &content.body {
        Held::Certificate(certificate, trusted) => {
            matches!(entry.body(), keystore::Body::TrustedCert { certificate: known, trusted: mark, .. }
                if known == certificate && (*mark || !trusted))
        }
        Held::Key(key, chain) => {
            let keystore::Body::PrivateKey { chain: known, .. } = entry.body() else {
                return false;
            };
            let same_leaf = match store.format() {
                Format::CmsKdb => known.first() == chain.first(),
                _ => known == chain,
            };
            same_leaf && content::unlock(opened, entry).map_or(!chain.is_empty(), |(known, _)| known == *key)
        }
        Held::Secret(key) => content::take(opened, index, None).is_ok_and(
            |known| matches!(&known.body, Held::Secret(known) if known.raw() == key.raw() && known.algorithm() == key.algorithm()),
        ),
    }
}

fn tell(args: &Args, collisions: &[Collision], left: Vec<Failure>) {
    if args.json || args.json_lines {
        let list: Vec<serde_json::Value> = collisions
            .iter()
            .map(|one| json!({ "alias": one.alias, "with": one.with, "from": one.from, "first": one.first }))
            .collect();
        let refused: Vec<&str> = left.iter().map(|failure| failure.what.as_str()).collect();
        let value = json!({
            "version": 1, "command": "merge", "changed": false, "collisions": list, "refused": refused, "files": [],
        });
        if args.json_lines {
            print::json_line(&value)
        } else {
            print::json(&value)
        }
    } else {
        for one in collisions {
            let how = if one.alias == one.with {
                String::new()
            } else {
                format!(" as {:?}, which differs in case only", one.with)
            };
            print::answer(&format!(
                "collision: {:?} of {} is in {} already{how}, with another content",
                one.alias, one.from, one.first
            ));
        }
    }
    for failure in left {
        print::error(&failure.into());
    }
    if !collisions.is_empty() {
        print::line(
            "capgrow: hint: --rename gives each the next free name; capgrow store rename does it by hand",
        );
    }
    print::line("capgrow: nothing was changed");
}
