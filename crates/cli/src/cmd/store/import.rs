//! `store import`: keys with their chains into a store, and a CA's answer to the key that asked.

use keystore::Body;
use keystore::Certificate;
use keystore::Edit;
use keystore::KeyMatch;

use super::Edited;
use super::add_trust::hint;
use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::combine;
use super::combine::Combined;
use super::content;
use super::content::Content;
use super::content::Held;
use super::finish;
use super::from_passwords;
use super::open;
use super::open::Opened;
use super::open::Purpose;
use super::open::failed;
use super::open::says;
use super::open::with_env;
use super::open_all;
use super::select;
use crate::Answer;
use crate::args::Args;
use crate::args::store::Import;
use crate::cmd::inspect::aliases;
use crate::cmd::inspect::is_authority;
use crate::passwords;
use crate::print::Failure;
use crate::print::failure;

/// Brings in what the sources hold, all of it or nothing.
pub fn run(args: &Args, these: &Import) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let given_from = from_passwords(&these.from_passwords)?;
    let sources = sources(these, &given_from)?;
    let combined = match combine::combine(&sources) {
        Ok(combined) => combined,
        Err(failures) => return all_or_none(Answer::No, failures),
    };
    let mut all = open_all(std::slice::from_ref(&these.store), &given, these.create)?;
    let one = &mut all[0];
    if combined.contents.is_empty() {
        answered(one, &combined)?;
    } else {
        if let (Some(name), true) = (&these.name, combined.contents.len() > 1) {
            return Err(failure(
                format!(
                    "--as {name:?} names one entry, and {} come in",
                    combined.contents.len()
                ),
                "name the one that is meant with --alias, --entry or --sha256, or leave --as out",
            ));
        }
        for certificate in &combined.loose {
            one.notes.push(format!(
                "{} was left out, as nothing says that it is trusted: capgrow store add-trust",
                certificate.subject()
            ));
        }
        let mut failures = Vec::new();
        for content in &combined.contents {
            if let Err(failure) = bring(one, content, these) {
                failures.push(failure);
            }
        }
        for content in &combined.contents {
            if let Held::Key(_, chain) = &content.body
                && let Err(error) = content::put_issuers(&mut one.opened.store, chain)
            {
                failures.push(says(&one.opened.path, &error, hint(&error)));
            }
        }
        all_or_none((), failures)?;
    }
    finish(args, &these.keep, "import", all)
}

fn sources(these: &Import, given: &passwords::Given) -> anyhow::Result<Vec<(Opened, Vec<usize>)>> {
    let mut failures = Vec::new();
    let mut sources = Vec::new();
    for path in &these.from {
        match open::open(path, given, Purpose::Read) {
            Ok(opened) => sources.push(opened),
            Err(failure) => failures.push(failure),
        }
    }
    let mut sources: Vec<(Opened, Vec<usize>)> = sources
        .into_iter()
        .map(|opened| {
            let all = (0..opened.store.entries().len()).collect();
            (opened, all)
        })
        .collect();
    if select::is_given(&these.selection) {
        match sources.as_mut_slice() {
            [(opened, wanted)] => match select::entries(opened, &these.selection) {
                Ok(chosen) => *wanted = chosen,
                Err(several) => failures.extend(several),
            },
            _ => {
                return Err(failure(
                    "entries are chosen out of one file, and several are given with --from",
                    "one --from, or no --alias, --entry and --sha256",
                ));
            }
        }
    }
    all_or_none(sources, failures)
}

/// A new entry, or with `--replace` another content for the one of that name.
fn bring(one: &mut Edited, content: &Content, these: &Import) -> Result<(), Failure> {
    let wanted = these
        .name
        .clone()
        .or_else(|| content.alias.clone())
        .unwrap_or_else(|| content::usual_name(&content.body));
    if let Held::Key(key, chain) = &content.body
        && let Some(leaf) = chain.first()
        && key.matches(leaf) == KeyMatch::Differs
    {
        let what = format!("the private key does not belong to {}", leaf.subject());
        return Err(failed(
            &one.opened.path,
            &what,
            "give the certificate that was issued for this key",
        ));
    }
    if let Held::Key(_, chain) = &content.body
        && chain.is_empty()
        && content::has_names(one.opened.store.format())
    {
        return Err(failed(
            &one.opened.path,
            &format!("the private key for {wanted:?} has no certificate in these files"),
            "give the file with its certificate, too: another --from",
        ));
    }
    let there = one.opened.store.find(&wanted).filter(|_| these.replace);
    let action = match there {
        Some(index) => replace(one, index, content, &wanted)?,
        None => {
            let store = &mut one.opened.store;
            let put = content::put(store, content, Some(&wanted), one.opened.key_password.as_ref());
            put.map_err(|stays| {
                let hint = match &stays {
                    content::Stays::Refused(_, keystore::EditError::AliasExists { .. }) => {
                        "choose another name with --as, or --replace puts it in the place of what has it"
                    }
                    content::Stays::Refused(_, error) => hint(error),
                    _ => "nothing was changed",
                };
                says(&one.opened.path, &stays, hint)
            })?;
            Action::Added
        }
    };
    let store = &one.opened.store;
    let names = aliases(store);
    let found = store.find(&wanted).or_else(|| last_like(one, content));
    if let Some(index) = found {
        one.lines
            .push(Line::about(action, &store.entries()[index], names[index].clone()));
    }
    Ok(())
}

fn last_like(one: &Edited, content: &Content) -> Option<usize> {
    let kind = match &content.body {
        Held::Certificate(..) => "trusted-cert",
        Held::Key(..) => "private-key",
        Held::Secret(_) => "secret-key",
    };
    let entries = one.opened.store.entries();
    entries.iter().rposition(|entry| entry.kind_name() == kind)
}

fn replace(one: &mut Edited, index: usize, content: &Content, wanted: &str) -> Result<Action, Failure> {
    let is_key = matches!(one.opened.store.entries()[index].body(), Body::PrivateKey { .. });
    let store = &mut one.opened.store;
    let done = match &content.body {
        Held::Key(key, chain) if is_key => {
            let edit = Edit::ReplaceIdentity {
                index,
                key: key.clone(),
                chain: chain.clone(),
                key_password: one.opened.key_password.clone(),
            };
            with_env(None, |env| store.edit(&edit, env))
                .map_err(|error| says(&one.opened.path, &error, hint(&error)))
        }
        _ => {
            let edit = Edit::Remove { index };
            with_env(None, |env| store.edit(&edit, env))
                .map_err(|error| says(&one.opened.path, &error, hint(&error)))
                .and_then(|()| {
                    content::put(store, content, Some(wanted), one.opened.key_password.as_ref())
                        .map_err(|stays| says(&one.opened.path, &stays, "nothing was changed"))
                })
        }
    };
    done.map(|()| Action::Replaced)
}

/// Certificates without a key: the answer to a key that is in the store. Its chain becomes the one that they make,
/// with the issuers that the store has.
fn answered(one: &mut Edited, combined: &Combined) -> anyhow::Result<()> {
    let nothing = || {
        failed(
            &one.opened.path,
            "no private key comes in, and no certificate that belongs to a key in the store",
            "capgrow store add-trust adds certificates of authorities; a key file goes beside its chain with a second --from",
        )
    };
    let mut found = None;
    for (index, entry) in one.opened.store.entries().iter().enumerate() {
        let Body::PrivateKey { chain, .. } = entry.body() else {
            continue;
        };
        let key = content::unlock(&one.opened, entry).ok();
        let fits = |certificate: &&Certificate| match (&key, chain.first()) {
            (_, Some(leaf)) if leaf.spki() == certificate.spki() => true,
            (Some((key, _)), _) => key.matches(certificate) == KeyMatch::Matches,
            _ => false,
        };
        let answer = combined.loose.iter().filter(fits);
        if let Some(answer) = answer.max_by_key(|one| (!is_authority(one), one.validity().not_before)) {
            let Some((key, password)) = key else {
                return Err(failed(
                    &one.opened.path,
                    &format!("{} stays locked", select::shown(&one.opened.store, index)),
                    "--key-password-file FILE",
                )
                .into());
            };
            found = Some((index, key, password, answer.clone()));
            break;
        }
    }
    let (index, key, password, leaf) = found.ok_or_else(nothing)?;
    let known: Vec<Certificate> = combined
        .loose
        .iter()
        .chain(
            one.opened
                .store
                .entries()
                .iter()
                .flat_map(keystore::Entry::certificates),
        )
        .cloned()
        .collect();
    let is_own = password.as_ref() == one.opened.password.as_ref();
    let chain = combine::chain_from(std::slice::from_ref(&leaf), &known);
    let edit = Edit::ReplaceIdentity {
        index,
        key,
        chain: chain.clone(),
        key_password: password.filter(|_| !is_own),
    };
    with_env(None, |env| one.opened.store.edit(&edit, env))
        .and_then(|()| content::put_issuers(&mut one.opened.store, &chain))
        .map_err(|error| says(&one.opened.path, &error, hint(&error)))?;
    let name = aliases(&one.opened.store)[index].clone();
    one.lines.push(Line::about(
        Action::Replaced,
        &one.opened.store.entries()[index],
        name,
    ));
    Ok(())
}
