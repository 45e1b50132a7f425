//! `store add-trust`: certificates that are trusted from now on, in one store or in many.

use std::path::PathBuf;

use keystore::Body;
use keystore::Certificate;
use keystore::Edit;
use keystore::Entry;
use keystore::Format;
use keystore::Place;

use super::Edited;
use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::content;
use super::content::Held;
use super::finish;
use super::hashed;
use super::open;
use super::open::Purpose;
use super::open::failed;
use super::open::says;
use super::open::with_env;
use super::open_all;
use crate::Answer;
use crate::args::Args;
use crate::args::store::AddTrust;
use crate::cmd::inspect::aliases;
use crate::cmd::now;
use crate::passwords;
use crate::passwords::Given;
use crate::print::Failure;
use crate::print::failure;

/// Adds what is not there yet to every store. Where one of the stores refuses nothing changes.
pub fn run(args: &Args, these: &AddTrust) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let certificates = certificates(&these.certificates)?;
    if let (Some(alias), true) = (&these.alias, certificates.len() > 1) {
        return Err(failure(
            format!(
                "--alias {alias:?} names one entry, and {} certificates are given",
                certificates.len()
            ),
            "leave --alias out: each is then named by its own common name",
        ));
    }
    let (directories, stores): (Vec<PathBuf>, Vec<PathBuf>) =
        these.stores.iter().cloned().partition(|path| path.is_dir());
    let mut failures = Vec::new();
    let mut all = open_all(&stores, &given, these.create)?;
    for one in &mut all {
        for certificate in &certificates {
            if let Err(failure) = add(one, certificate, these.alias.as_deref()) {
                failures.push(failure);
            }
        }
    }
    for directory in &directories {
        match hashed::add(directory, &certificates) {
            Ok(edited) => all.push(edited),
            Err(failure) => failures.push(failure),
        }
    }
    all_or_none((), failures)?;
    finish(args, &these.keep, "add-trust", all)
}

/// Every certificate of the files, each once.
fn certificates(paths: &[PathBuf]) -> anyhow::Result<Vec<Certificate>> {
    let mut all: Vec<Certificate> = Vec::new();
    let mut failures = Vec::new();
    for path in paths {
        let opened = match open::open(path, &Given::default(), Purpose::Read) {
            Ok(opened) => opened,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let before = all.len();
        let mut found = 0;
        for entry in opened.store.entries() {
            if let Body::TrustedCert { certificate, .. } = entry.body() {
                found += 1;
                if !all.contains(certificate) {
                    all.push(certificate.clone());
                }
            }
        }
        if found == 0 && all.len() == before {
            failures.push(failed(
                path,
                "no certificate in it that stands by itself",
                "give a file with the certificate of the authority (PEM, DER, PKCS#7 or a trust store)",
            ));
        }
    }
    all_or_none(all, failures)
}

fn add(one: &mut Edited, certificate: &Certificate, alias: Option<&str>) -> Result<(), Failure> {
    let format = one.opened.store.format();
    // Whoever reads PEM for its anchors takes every certificate in it.
    let is_pem = format == Format::Pem;
    let is_there = |entry: &Entry| match entry.body() {
        Body::TrustedCert {
            certificate: known,
            trusted,
            ..
        } => known == certificate && *trusted,
        _ => is_pem && entry.certificates().contains(certificate),
    };
    if let Some(index) = one.opened.store.entries().iter().position(is_there) {
        let name = aliases(&one.opened.store)[index].clone();
        let line = Line::about(Action::Kept, &one.opened.store.entries()[index], name);
        one.lines.push(line);
        return Ok(());
    }
    let name = content::has_names(format).then(|| {
        alias.map_or_else(
            || {
                content::free_name(
                    &one.opened.store,
                    &content::usual_name(&Held::Certificate(certificate.clone(), true)),
                )
            },
            str::to_owned,
        )
    });
    if let (Some(alias), None) = (alias, &name) {
        one.notes.push(format!(
            "{} has no names for entries: {alias:?} is not kept",
            format.name()
        ));
    }
    let edit = Edit::Trust {
        alias: name,
        certificate: certificate.clone(),
        place: Place::Last,
    };
    with_env(None, |env| one.opened.store.edit(&edit, env))
        .map_err(|error| says(&one.opened.path, &error, hint(&error)))?;
    if certificate.validity().not_after < now() {
        one.notes.push(format!("{} has expired", certificate.subject()));
    }
    let entries = one.opened.store.entries();
    if let Some(index) = entries.iter().position(is_there) {
        let name = aliases(&one.opened.store)[index].clone();
        one.lines.push(Line::about(Action::Added, &entries[index], name));
    }
    Ok(())
}

/// What to do about a refused edit.
pub fn hint(error: &keystore::EditError) -> &'static str {
    use keystore::EditError;
    match error {
        EditError::AliasExists { .. } => "choose another name, or remove or rename what has it",
        EditError::Locked | EditError::WrongPassword | EditError::KeyLocked { .. } => open::PASSWORD_HINT,
        EditError::NotInFormat { .. } => "capgrow store convert writes it in a format that can",
        _ => "nothing was changed",
    }
}
