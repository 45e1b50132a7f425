//! Keys opened as the original opens them: with the password given, with the store's, else with a typed one.

use keystore::{Password, PrivateKey};

use crate::io::Io;
use crate::keytool::fault::{self, Fault, Result, Stop};
use crate::keytool::list;
use crate::keytool::session::Session;
use crate::keytool::vault::{EntryKind, Item, Vault};

/// A key, and the password that opened it.
pub(crate) struct Opened<K> {
    pub(crate) key: K,
    pub(crate) password: Password,
}

/// The private key of an alias.
pub(crate) fn private_key(session: &mut Session<'_>, alias: &str) -> Result<(Item, Opened<PrivateKey>)> {
    let given = session.key_password.clone();
    private_key_with(session, alias, given)
}

/// The private key of an alias, by another password than that of `-keypass`.
pub(crate) fn private_key_with(
    session: &mut Session<'_>,
    alias: &str,
    given: Option<Password>,
) -> Result<(Item, Opened<PrivateKey>)> {
    let item = session
        .vault
        .find(alias)
        .cloned()
        .ok_or_else(|| list::no_such(alias))?;
    if item.kind == EntryKind::TrustedCert {
        return Err(fault::plain(format!("Alias <{alias}> has no key")));
    }
    let store = session.store_password.clone();
    if item.kind == EntryKind::SecretKey {
        let open = |vault: &Vault, password: &Password| vault.unlock_secret(&item, Some(password));
        let opened = with_passwords(session.io, &session.vault, alias, (given, store), open)?;
        return Err(no_private_key(session, opened.key.algorithm()));
    }
    let open = |vault: &Vault, password: &Password| vault.unlock(&item, Some(password));
    let opened = with_passwords(session.io, &session.vault, alias, (given, store), open)?;
    Ok((item, opened))
}

/// What Java says of a symmetric key where a private one is wanted. Passwords kept in PKCS#12 have a class of their own.
fn no_private_key(session: &Session<'_>, algorithm: &str) -> Stop {
    let is_password = session.vault.kind.is_pkcs12() && algorithm.to_uppercase().starts_with("PBE");
    let class = match is_password {
        true => "com.sun.crypto.provider.PBEKey",
        false => "javax.crypto.spec.SecretKeySpec",
    };
    let message = format!(
        "class {class} cannot be cast to class java.security.PrivateKey ({class} and java.security.PrivateKey are in module \
         java.base of loader 'bootstrap')"
    );
    fault::of_class("java.lang.ClassCastException", message)
}

/// Opens something: `given` must fit when there is one, else the store's password is tried, else one is asked for.
pub(crate) fn with_passwords<K>(
    io: &mut Io,
    vault: &Vault,
    alias: &str,
    (given, store): (Option<Password>, Option<Password>),
    open: impl Fn(&Vault, &Password) -> std::result::Result<K, Fault>,
) -> Result<Opened<K>> {
    if let Some(password) = given {
        let key = open(vault, &password)?;
        return Ok(Opened { key, password });
    }
    if let Some(password) = store
        && let Ok(key) = open(vault, &password)
    {
        return Ok(Opened { key, password });
    }
    let password = ask(io, alias)?;
    let key = open(vault, &password)?;
    Ok(Opened { key, password })
}

/// Asks for a key's password, three times at most.
fn ask(io: &mut Io, alias: &str) -> Result<Password> {
    for _ in 0..3 {
        io.complain(&format!("Enter key password for <{alias}>"));
        if let Some(typed) = io.read_password() {
            return Ok(Password::new(typed.to_vec()));
        }
    }
    Err(fault::plain("Too many failures - try later"))
}

/// Asks for the password that a new key gets. Nothing typed means `same`, which in PKCS#12 is not even asked.
pub(crate) fn ask_new(
    session: &mut Session<'_>,
    alias: &str,
    other: Option<&str>,
    same: Option<Password>,
) -> Result<Option<Password>> {
    if same.is_some() && session.vault.kind.is_pkcs12() {
        return Ok(same);
    }
    if session.args.is_protected {
        return Ok(None);
    }
    for _ in 0..3 {
        session.io.complain(&format!("Enter key password for <{alias}>"));
        if same.is_some() {
            session.io.complain(&match other {
                None => "\n\t(RETURN if same as keystore password):  ".to_owned(),
                Some(other) => format!("\n\t(RETURN if same as for <{other}>)"),
            });
        }
        let typed = session
            .io
            .read_password()
            .map(|typed| Password::new(typed.to_vec()));
        match typed {
            None if same.is_some() => return Ok(same),
            Some(typed) if !crate::keytool::session::is_short(&typed) => {
                session.io.complain("Re-enter new password: ");
                let again = session
                    .io
                    .read_password()
                    .map(|typed| Password::new(typed.to_vec()));
                if again.as_ref() == Some(&typed) {
                    return Ok(Some(typed));
                }
                session.say("They don't match. Try again");
            }
            _ => session.say("Key password is too short - must be at least 6 characters"),
        }
    }
    Err(failures(other.is_some()))
}

fn failures(is_clone: bool) -> Stop {
    fault::plain(match is_clone {
        true => "Too many failures. Key entry not cloned",
        false => "Too many failures - key not added to keystore",
    })
}
