//! `store password`: another password for stores, for the keys that had the same one, and for a stash that exists.

use std::path::Path;

use keystore::Body;
use keystore::CmsFiles;
use keystore::Edit;
use keystore::Format;
use keystore::Password;
use keystore::Place;

use super::Edited;
use super::add_trust::hint;
use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::commit::Access;
use super::commit::Output;
use super::content;
use super::finish;
use super::new_password;
use super::open;
use super::open::failed;
use super::open::says;
use super::open::with_env;
use super::open_all;
use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::inspect;
use crate::passwords;
use crate::print::Failure;
use crate::print::failure;

/// Changes the password of every store, or of none.
pub fn run(args: &Args, these: &args::store::Password) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let new = match new_password(&these.new_password)? {
        Some(new) => new,
        None => asked()?,
    };
    let mut failures = Vec::new();
    let mut all = open_all(&these.stores, &given, None)?;
    for one in &mut all {
        let old = one.opened.password.clone();
        let done = match one.opened.store.format() {
            Format::CmsKdb | Format::CmsRdb | Format::CmsCrl => family(one, &new),
            Format::Pem | Format::Der => keys_alone(one, &new),
            Format::Pkcs7 => Err(failed(
                &one.opened.path,
                "PKCS#7 has no password",
                "nothing was changed",
            )),
            format => named(one, &new, these.store_only || format == Format::Pkcs12),
        };
        match done.and_then(|()| stash_beside(one, old.as_ref(), &new)) {
            Ok(()) => {
                one.lines.insert(0, Line::whole(Action::Password));
                others_beside(one, old.as_ref());
            }
            Err(failure) => failures.push(failure),
        }
    }
    all_or_none((), failures)?;
    finish(args, &these.keep, "password", all)
}

fn asked() -> anyhow::Result<Password> {
    let none = || {
        failure(
            "no new password is given",
            "--new-password-file FILE, --new-password-env VAR or --new-password-fd N",
        )
    };
    let first = passwords::ask("the stores, the new one").ok_or_else(none)?;
    let second = passwords::ask("the stores, the new one again").ok_or_else(none)?;
    if first != second {
        return Err(failure("the two passwords differ", "type the same one twice"));
    }
    Ok(first)
}

/// Key database, requests, revocations and stash of one stem: GSKit opens none of them while one has another password.
fn family(one: &mut Edited, new: &Password) -> Result<(), Failure> {
    let path = one.opened.path.clone();
    let Some(old) = one.opened.password.clone() else {
        return Err(failed(&path, "the store needs its password", open::PASSWORD_HINT));
    };
    let own = one.opened.bytes.clone();
    let is = |format: Format| one.opened.store.format() == format;
    let sister = |end: &str, format: Format| -> Result<Option<Vec<u8>>, Failure> {
        if is(format) {
            return Ok(Some(own.clone()));
        }
        Ok(content_of(&path.with_extension(end))?.filter(|bytes| keystore::sniff(bytes) == Some(format)))
    };
    let stash = content_of(&path.with_extension("sth"))?.filter(|bytes| keystore::read_stash(bytes).is_ok());
    let files = CmsFiles {
        kdb: sister("kdb", Format::CmsKdb)?,
        rdb: sister("rdb", Format::CmsRdb)?,
        crl: sister("crl", Format::CmsCrl)?,
        sth: stash,
    };
    let next = with_env(None, |env| keystore::change_password(&files, &old, new, env)).map_err(|error| {
        says(
            &path,
            &error,
            "the files of one stem share one password: make them agree first (gsk8capicmd -keydb -stashpw)",
        )
    })?;
    for (end, format, before, after) in [
        ("kdb", Some(Format::CmsKdb), &files.kdb, &next.kdb),
        ("rdb", Some(Format::CmsRdb), &files.rdb, &next.rdb),
        ("crl", Some(Format::CmsCrl), &files.crl, &next.crl),
        ("sth", None, &files.sth, &next.sth),
    ] {
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        if format == Some(one.opened.store.format()) {
            one.opened.store = keystore::read(after, Some(new), &keystore::Limits::default())
                .map_err(|error| says(&path, &error, "nothing was changed"))?;
            one.opened.password = Some(new.clone());
            continue;
        }
        let place = path.with_extension(end);
        one.notes
            .push(format!("{} has the new password, too", place.display()));
        one.beside.push(replaced(&place, before, after.clone()));
    }
    Ok(())
}

/// Java's and BouncyCastle's stores, and PKCS#12, which ties its keys to the store's password itself.
///
/// # Errors
/// Of the edits.
pub fn named(one: &mut Edited, new: &Password, leave_keys: bool) -> Result<(), Failure> {
    let old = one.opened.password.clone();
    let edit = Edit::SetPassword {
        old: None,
        new: new.clone(),
    };
    with_env(None, |env| one.opened.store.edit(&edit, env))
        .map_err(|error| says(&one.opened.path, &error, hint(&error)))?;
    one.opened.password = Some(new.clone());
    let Some(old) = old.filter(|_| !leave_keys) else {
        return Ok(());
    };
    let mut secrets = Vec::new();
    for index in 0..one.opened.store.entries().len() {
        let entry = one.opened.store.entries()[index].clone();
        let created = entry.created_ms();
        let edit = match entry.body() {
            Body::PrivateKey { chain, .. } => match entry.unlock(Some(&old)) {
                Ok(key) => Edit::ReplaceIdentity {
                    index,
                    key,
                    chain: chain.clone(),
                    key_password: None,
                },
                Err(_) => {
                    note_own(one, index);
                    continue;
                }
            },
            Body::SecretKey { .. } => {
                match entry.unlock_secret(Some(&old)) {
                    Ok(key) => secrets.push((entry.alias().map(str::to_owned), key, created)),
                    Err(_) => note_own(one, index),
                }
                continue;
            }
            _ => continue,
        };
        edit_at(one, created, &edit)?;
    }
    for (alias, key, created) in secrets {
        let index = alias.as_deref().and_then(|alias| {
            one.opened
                .store
                .entries()
                .iter()
                .position(|entry| entry.alias() == Some(alias))
        });
        if let Some(index) = index {
            edit_at(one, None, &Edit::Remove { index })?;
        }
        let edit = Edit::PutSecret {
            alias,
            key,
            key_password: None,
            place: Place::Last,
        };
        edit_at(one, created, &edit)?;
    }
    Ok(())
}

fn edit_at(one: &mut Edited, ms: Option<i64>, edit: &Edit) -> Result<(), Failure> {
    with_env(ms, |env| one.opened.store.edit(edit, env))
        .map_err(|error| says(&one.opened.path, &error, hint(&error)))
}

fn note_own(one: &mut Edited, index: usize) {
    let shown = super::select::shown(&one.opened.store, index);
    one.notes
        .push(format!("{shown} keeps the key password of its own that it had"));
}

/// Files with nothing but keys to protect: every key in them gets the new password.
fn keys_alone(one: &mut Edited, new: &Password) -> Result<(), Failure> {
    let mut count = 0;
    for index in 0..one.opened.store.entries().len() {
        let entry = one.opened.store.entries()[index].clone();
        let Body::PrivateKey { chain, .. } = entry.body() else {
            continue;
        };
        let (key, _) = content::unlock(&one.opened, &entry).map_err(|stays| {
            let shown = super::select::shown(&one.opened.store, index);
            failed(
                &one.opened.path,
                &format!("{shown}: {}", fleet::rotation::chain_of(&stays)),
                open::PASSWORD_HINT,
            )
        })?;
        let edit = Edit::ReplaceIdentity {
            index,
            key,
            chain: chain.clone(),
            key_password: Some(new.clone()),
        };
        edit_at(one, None, &edit)?;
        count += 1;
    }
    if count == 0 {
        let format = one.opened.store.format().name();
        return Err(failed(
            &one.opened.path,
            &format!("no private key in it, and {format} has no other password"),
            "name a file with a key",
        ));
    }
    Ok(())
}

/// The stash that has the store's name, where it held the old password.
fn stash_beside(one: &mut Edited, old: Option<&Password>, new: &Password) -> Result<(), Failure> {
    let place = one.opened.path.with_extension("sth");
    if place == one.opened.path || one.beside.iter().any(|output| output.path == place) {
        return Ok(());
    }
    let Some(bytes) = content_of(&place)? else {
        return Ok(());
    };
    let written = match keystore::read_stash(&bytes) {
        Ok((stashed, version)) if Some(&stashed) == old => {
            with_env(None, |env| keystore::write_stash(new, version, env))
                .map_err(|error| says(&place, &error, "choose another password, or move the stash away"))?
        }
        Ok(_) => {
            one.notes.push(format!(
                "{} holds another password and was left as it is",
                place.display()
            ));
            return Ok(());
        }
        Err(_) => match keystore::read_wa_password(&bytes) {
            Ok(stashed) if Some(&stashed) == old => keystore::rewrite_wa_password(new, &bytes),
            _ => {
                one.notes.push(format!(
                    "{} holds no or another password and was left as it is",
                    place.display()
                ));
                return Ok(());
            }
        },
    };
    one.notes
        .push(format!("{} has the new password, too", place.display()));
    one.beside.push(replaced(&place, &bytes, written));
    Ok(())
}

/// Files of the product that hold the old password for whoever reads them: told, as other stores may use them.
fn others_beside(one: &mut Edited, old: Option<&Password>) {
    for (place, stashed) in inspect::product_stashes(&one.opened.path) {
        let is_own = place == one.opened.path.with_extension("sth");
        if !is_own && stashed.ok().as_ref() == old && old.is_some() {
            one.notes.push(format!(
                "{} still holds the old password; it was left, as other stores may use it",
                place.display()
            ));
        }
    }
}

fn replaced(path: &Path, before: &[u8], bytes: Vec<u8>) -> Output {
    Output {
        path: path.to_owned(),
        was: Some(exec::digest::Sha256::of(before)),
        bytes,
        access: Access::Keep,
    }
}

/// The bytes of a file that may be absent.
fn content_of(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if path.is_file() {
        inspect::read_file(path).map(|(bytes, _)| Some(bytes))
    } else {
        Ok(None)
    }
}
