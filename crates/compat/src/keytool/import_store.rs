//! `-importkeystore`: one entry or all, from another store or from the old form of the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use keystore::{Certificate, Password, PrivateKey, SecretKey};

use crate::keytool::fault::{self, Fault, Result};
use crate::keytool::session::{Session, ignored_password};
use crate::keytool::vault::{EntryKind, Item, Kind, Vault};
use crate::keytool::{certificate_text, list, unlock};

/// The store that entries come from.
pub(crate) struct Source {
    vault: Vault,
    password: Option<Password>,
    is_in_place: bool,
}

/// Opens the source first when both are one file: the new store then begins empty, and the old one is kept beside it.
pub(crate) fn open_in_place(session: &mut Session<'_>) -> Result<Option<Source>> {
    let Some(name) = session.args.source.clone() else {
        return Err(fault::plain("Please specify -srckeystore"));
    };
    let text = name.to_string_lossy().into_owned();
    let path = session.io.path(&name);
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        return Err(fault::plain(format!(
            "Source keystore file exists, but is empty: {text}"
        )));
    }
    if canonical(&path) != canonical(&session.io.path(&session.store_name)) {
        let dest = session.store_name.to_string_lossy().into_owned();
        session.say(&format!("Importing keystore {text} to {dest}..."));
        return Ok(None);
    }
    let mut source = open(session)?;
    source.is_in_place = true;
    if session.store_password.is_none() {
        session.store_password = source.password.clone();
    }
    Ok(Some(source))
}

/// Where a name leads, links followed as far as there is something.
fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            std::fs::canonicalize(parent).map_or_else(|_| path.to_owned(), |at| at.join(name))
        }
        _ => path.to_owned(),
    })
}

/// Imports what is asked for.
pub(crate) fn run(session: &mut Session<'_>, source: Option<Source>) -> Result<()> {
    let source = match source {
        Some(source) => source,
        None => open(session)?,
    };
    match session.args.alias.clone() {
        Some(alias) => {
            one(session, &source, &alias)?;
        }
        None if session.args.dest.is_some() || session.args.source_key_password.is_some() => {
            let message = "if alias not specified, destalias and srckeypass must not be specified";
            return Err(fault::plain(message));
        }
        None => all(session, &source)?,
    }
    if source.is_in_place {
        keep_old(session, &source)?;
    }
    session.must_save = true;
    Ok(())
}

fn open(session: &mut Session<'_>) -> Result<Source> {
    let name = session.args.source.clone().unwrap_or_default();
    let bytes = session.read_file(&name)?;
    let mut password = session.args.source_password.clone();
    let kind = match session.args.source_type.clone() {
        Some(name) => Kind::of(&name, &session.args.providers)?,
        None => {
            let kind = Vault::probe(&bytes)?;
            Vault::read(&bytes, kind, password.as_ref())?;
            kind
        }
    };
    let is_open = Vault::read(&bytes, kind, None).is_ok_and(|vault| vault.is_passwordless());
    if password.is_none() && !session.args.is_source_protected && !is_open {
        session.io.complain("Enter source keystore password:  ");
        password = session
            .io
            .read_password()
            .map(|typed| Password::new(typed.to_vec()));
    }
    if kind.is_pkcs12()
        && let (Some(store), Some(key)) = (&password, &session.args.source_key_password)
        && store != key
    {
        session.io.complain_line(&ignored_password("-srckeypass"));
        session.args.source_key_password = password.clone();
    }
    let vault = Vault::read(&bytes, kind, password.as_ref())?;
    if password.is_none() && !is_open {
        let stars = list::STARS;
        session.io.complain(&format!(
            "\n{stars}\n* The integrity of the information stored in the srckeystore*\n* has NOT been verified!  In order to verify \
             its integrity, *\n* you must provide the srckeystore password.                *\n{stars}\n\n"
        ));
    }
    Ok(Source {
        vault,
        password,
        is_in_place: false,
    })
}

/// How the import of one entry ended.
#[derive(PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
    Left,
}

fn all(session: &mut Session<'_>, source: &Source) -> Result<()> {
    let items = source.vault.items().to_vec();
    let mut done = 0;
    for item in &items {
        match one(session, source, &item.alias)? {
            Outcome::Done => {
                done += 1;
                session.say(&format!("Entry for alias {} successfully imported.", item.alias));
            }
            Outcome::Failed if !session.args.no_prompt => {
                if session.asks_yes("Do you want to quit the import process? [no]:  ")? {
                    break;
                }
            }
            Outcome::Failed | Outcome::Left => {}
        }
    }
    let (done, left) = (list::grouped(done), list::grouped(items.len() as i64 - done));
    session.say(&format!(
        "Import command completed:  {done} entries successfully imported, {left} entries failed or cancelled"
    ));
    Ok(())
}

/// What an entry holds, opened.
enum Content {
    Certificate(Certificate),
    Key(PrivateKey, Vec<Certificate>),
    Secret(SecretKey),
}

fn one(session: &mut Session<'_>, source: &Source, alias: &str) -> Result<Outcome> {
    let Some(new_alias) = free_alias(session, alias)? else {
        return Ok(Outcome::Left);
    };
    let item = source
        .vault
        .find(alias)
        .cloned()
        .ok_or_else(|| list::no_such(alias))?;
    let (content, opened_with) = recover(session, source, alias, &item)?;
    let password = match (&session.dest_key_password, opened_with) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(_)) if session.vault.kind.is_pkcs12() => session.store_password.clone(),
        (None, other) => other,
    };
    if let Some(first) = source.vault.chain(&item).first() {
        certificate_text::check(session, &format!("<{new_alias}>"), first);
    }
    let Some(new_alias) = new_alias.text else {
        return Err(fault::of_class(
            "java.lang.NullPointerException",
            "invalid null input",
        ));
    };
    let now = session.io.now_ms();
    let put = match &content {
        Content::Certificate(_) if password.is_some() => Err(fault::of_class(
            fault::KEY_STORE_EXCEPTION,
            "trusted certificate entries are not password-protected",
        )),
        Content::Certificate(certificate) => session.vault.put_certificate(&new_alias, certificate, now),
        Content::Key(key, chain) => session
            .vault
            .put_key(&new_alias, key, chain, password.as_ref(), now),
        Content::Secret(key) => session.vault.put_secret(&new_alias, key, password.as_ref(), now),
    };
    match put {
        Ok(()) => Ok(Outcome::Done),
        Err(fault::Stop::Fault(fault)) if fault.class == fault::KEY_STORE_EXCEPTION => {
            session.say(&format!(
                "Problem importing entry for alias {alias}: {fault}.\nEntry for alias {alias} not imported."
            ));
            Ok(Outcome::Failed)
        }
        Err(other) => Err(other),
    }
}

/// The name that the entry gets; no text where the answer to the question for one had ended.
struct NewAlias {
    text: Option<String>,
}

impl std::fmt::Display for NewAlias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.as_deref().unwrap_or("null"))
    }
}

/// Settles what to do when the name is taken; `None`: leave the entry out.
fn free_alias(session: &mut Session<'_>, alias: &str) -> Result<Option<NewAlias>> {
    let wanted = session.args.dest.clone().unwrap_or_else(|| alias.to_owned());
    if session.vault.find(&wanted).is_none() {
        return Ok(Some(NewAlias { text: Some(wanted) }));
    }
    if session.args.no_prompt {
        session.say(&format!(
            "Warning: Overwriting existing alias {alias} in destination keystore"
        ));
        return Ok(Some(NewAlias { text: Some(wanted) }));
    }
    if session.asks_yes(&format!(
        "Existing entry alias {alias} exists, overwrite? [no]:  "
    ))? {
        return Ok(Some(NewAlias { text: Some(wanted) }));
    }
    session
        .io
        .complain("Enter new alias name\t(RETURN to cancel import for this entry):  ");
    match session.io.read_answer() {
        Some(typed) if typed.is_empty() => {
            session.say(&format!("Entry for alias {alias} not imported."));
            Ok(None)
        }
        text => Ok(Some(NewAlias { text })),
    }
}

/// Opens an entry, and says by which password.
fn recover(
    session: &mut Session<'_>,
    source: &Source,
    alias: &str,
    item: &Item,
) -> Result<(Content, Option<Password>)> {
    let chain = source.vault.chain(item).to_vec();
    if item.kind == EntryKind::TrustedCert {
        return Ok((Content::Certificate(chain[0].clone()), None));
    }
    let open = |vault: &Vault, password: &Password| -> std::result::Result<Content, Fault> {
        Ok(match item.kind {
            EntryKind::SecretKey => Content::Secret(vault.unlock_secret(item, Some(password))?),
            _ => Content::Key(vault.unlock(item, Some(password))?, chain.clone()),
        })
    };
    if source.vault.kind.is_pkcs12()
        && session.args.source_key_password.is_none()
        && let Some(password) = &source.password
    {
        // PKCS#12 has one password, so that no other is asked for.
        return Ok((open(&source.vault, password)?, Some(password.clone())));
    }
    let given = (session.args.source_key_password.clone(), source.password.clone());
    let opened = unlock::with_passwords(session.io, &source.vault, alias, given, open)?;
    Ok((opened.key, Some(opened.password)))
}

/// Copies the old file to `NAME.old`, `NAME.old2` …, the first that is free.
fn keep_old(session: &mut Session<'_>, source: &Source) -> Result<()> {
    let name = session.args.source.clone().unwrap_or_default();
    let bytes = session.read_file(&name)?;
    for number in 1.. {
        let mut backup: OsString = name.clone();
        backup.push(if number == 1 {
            ".old".to_owned()
        } else {
            format!(".old{number}")
        });
        let path = session.io.path(&backup);
        if path.exists() {
            continue;
        }
        std::fs::copy(session.io.path(&name), &path)
            .map_err(|error| fault::not_opened(&backup.to_string_lossy(), &error))?;
        let kind = Vault::probe(&bytes).unwrap_or(source.vault.kind);
        session.backup = Some((backup, kind));
        return Ok(());
    }
    Ok(())
}
