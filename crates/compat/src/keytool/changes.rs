//! `-delete`, `-changealias`, `-storepasswd`, `-keypasswd`, and `-keyclone`, which is not in the help.

use keystore::Password;

use crate::keytool::fault::{self, Result};
use crate::keytool::session::{Session, is_short};
use crate::keytool::vault::EntryKind;
use crate::keytool::{list, secret, unlock};

/// Takes an entry out.
pub(crate) fn delete(session: &mut Session<'_>) -> Result<()> {
    let Some(alias) = session.args.alias.clone() else {
        return Err(no_alias());
    };
    let item = session
        .vault
        .find(&alias)
        .cloned()
        .ok_or_else(|| list::no_such(&alias))?;
    session.vault.remove(item.index, session.io.now_ms())?;
    session.must_save = true;
    Ok(())
}

/// Gives an entry another name. The key is opened first, as the original does it, so that a wrong password is said.
pub(crate) fn change_alias(session: &mut Session<'_>) -> Result<()> {
    let alias = session.alias();
    let Some(dest) = session.args.dest.clone() else {
        return Err(no_alias());
    };
    if session.vault.find(&dest).is_some() {
        return Err(fault::plain(format!("Destination alias <{dest}> already exists")));
    }
    let item = session
        .vault
        .find(&alias)
        .cloned()
        .ok_or_else(|| list::no_such(&alias))?;
    match item.kind {
        EntryKind::TrustedCert => {}
        EntryKind::PrivateKey => {
            password_of_pkcs12(session);
            unlock::private_key(session, &alias)?;
        }
        EntryKind::SecretKey => {
            password_of_pkcs12(session);
            secret::open(session, &alias)?;
        }
    }
    session.vault.rename(item.index, &dest, session.io.now_ms())?;
    session.must_save = true;
    Ok(())
}

/// Another password for the store; in PKCS#12 for its keys too.
pub(crate) fn store_password(session: &mut Session<'_>) -> Result<()> {
    let new = match session.args.new_password.take() {
        Some(new) => new,
        None => ask_new(session, "keystore password", session.store_password.clone())?,
    };
    let old = session.store_password.clone();
    if session.vault.kind.is_pkcs12() {
        change_keys(session, old.as_ref(), &new)?;
    }
    session
        .vault
        .set_password(old.as_ref(), &new, session.io.now_ms())?;
    session.next_password = Some(new);
    session.must_save = true;
    Ok(())
}

/// Keys of PKCS#12 change their password with the store's, and must open by the old one first. A JKS file that was opened
/// as PKCS#12 goes the same way.
fn change_keys(session: &mut Session<'_>, old: Option<&Password>, new: &Password) -> Result<()> {
    let is_file_of_pkcs12 = session.vault.format() == keystore::Format::Pkcs12;
    for item in session.vault.items().to_vec() {
        match item.kind {
            EntryKind::TrustedCert => {}
            EntryKind::SecretKey => drop(session.vault.unlock_secret(&item, old)?),
            EntryKind::PrivateKey => {
                let key = session.vault.unlock(&item, old)?;
                if !is_file_of_pkcs12 {
                    let (chain, now) = (session.vault.chain(&item).to_vec(), session.io.now_ms());
                    session.vault.put_key(&item.alias, &key, &chain, Some(new), now)?;
                }
            }
        }
    }
    Ok(())
}

/// Another password for one key.
pub(crate) fn key_password(session: &mut Session<'_>) -> Result<()> {
    let alias = session.alias();
    if session
        .vault
        .find(&alias)
        .is_some_and(|item| item.kind == EntryKind::SecretKey)
    {
        let opened = secret::open(session, &alias)?;
        let new = new_key_password(session, &alias, &opened.password)?;
        session
            .vault
            .put_secret(&alias, &opened.key, Some(&new), session.io.now_ms())?;
    } else {
        let (item, opened) = unlock::private_key(session, &alias)?;
        let new = new_key_password(session, &alias, &opened.password)?;
        let chain = session.vault.chain(&item).to_vec();
        let now = session.io.now_ms();
        session
            .vault
            .put_key(&alias, &opened.key, &chain, Some(&new), now)?;
    }
    session.must_save = true;
    Ok(())
}

/// A copy of a key under another name.
pub(crate) fn clone_key(session: &mut Session<'_>) -> Result<()> {
    let alias = session.alias();
    let Some(dest) = session.args.dest.clone() else {
        return Err(no_alias());
    };
    let item = session
        .vault
        .find(&alias)
        .cloned()
        .ok_or_else(|| list::no_such(&alias))?;
    if item.kind != EntryKind::PrivateKey {
        return Err(fault::plain(format!(
            "Alias <{alias}> references an entry type that is not a private key entry.  The -keyclone command only supports \
             cloning of private key entries"
        )));
    }
    if session.vault.find(&dest).is_some() {
        return Err(fault::plain(format!("Destination alias <{dest}> already exists")));
    }
    password_of_pkcs12(session);
    let (item, opened) = unlock::private_key(session, &alias)?;
    let new = match session.args.new_password.take() {
        _ if session.vault.kind.is_pkcs12() => Some(opened.password),
        Some(new) => Some(new),
        None => unlock::ask_new(session, &dest, Some(&alias), Some(opened.password))?,
    };
    let chain = session.vault.chain(&item).to_vec();
    session
        .vault
        .put_key(&dest, &opened.key, &chain, new.as_ref(), session.io.now_ms())?;
    session.must_save = true;
    Ok(())
}

/// PKCS#12 has one password, so that no other is asked for.
fn password_of_pkcs12(session: &mut Session<'_>) {
    if session.vault.kind.is_pkcs12() && session.key_password.is_none() {
        session.key_password.clone_from(&session.store_password);
    }
}

fn new_key_password(session: &mut Session<'_>, alias: &str, old: &Password) -> Result<Password> {
    match session.args.new_password.take() {
        Some(new) => Ok(new),
        None => ask_new(session, &format!("key password for <{alias}>"), Some(old.clone())),
    }
}

/// Asks for a new password twice; it must differ from the old one.
fn ask_new(session: &mut Session<'_>, what: &str, old: Option<Password>) -> Result<Password> {
    for _ in 0..3 {
        session.io.complain(&format!("New {what}: "));
        let typed = session
            .io
            .read_password()
            .map(|typed| Password::new(typed.to_vec()));
        match typed {
            Some(typed) if is_short(&typed) => session.say(TOO_SHORT),
            None => session.say(TOO_SHORT),
            typed if typed == old => session.say("Passwords must differ"),
            Some(typed) => {
                session.io.complain(&format!("Re-enter new {what}: "));
                let again = session
                    .io
                    .read_password()
                    .map(|typed| Password::new(typed.to_vec()));
                if again.as_ref() == Some(&typed) {
                    return Ok(typed);
                }
                session.say("They don't match. Try again");
            }
        }
    }
    Err(fault::plain("Too many failures - try later"))
}

/// What Java says when an alias was asked for and stdin had ended.
fn no_alias() -> fault::Stop {
    let message = "Cannot invoke \"String.toLowerCase(java.util.Locale)\" because \"alias\" is null";
    fault::of_class("java.lang.NullPointerException", message)
}

const TOO_SHORT: &str = "Password is too short - must be at least 6 characters";
