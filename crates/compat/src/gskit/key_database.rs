//! `-keydb`: stores made, taken away, converted, and their passwords.

use std::path::Path;

use keystore::{CmsFiles, Entropy, Format, Note, Password, PasswordChangeError, change_password};

use crate::gskit::args::Args;
use crate::gskit::bring;
use crate::gskit::database::{self, Database, OWN, TARGET, with_env};
use crate::gskit::fault::{self, Result};
use crate::io::{Io, SystemEntropy};
use crate::replace::replace_private;

/// Makes an empty store.
pub(crate) fn create(args: &Args, io: &mut Io) -> Result<()> {
    let path = io.path(args.file("-db")?);
    if path.exists() {
        return Err(fault::with(9, &path.display().to_string()));
    }
    let kind = database::kind(args, "-type", &path)?;
    let (password, is_shown) = match args.has("-genpw") {
        true => (random_password(24), !args.has("-stash")),
        false => (database::new_password(args, OWN, &path, io)?, false),
    };
    check_password(args, &password)?;
    let mut database = Database::create(path, kind, password, io)?;
    put_new(args, &mut database, io)?;
    let mut text = String::new();
    if is_shown {
        text = format!("{}\n", String::from_utf8_lossy(database.password.as_bytes()));
    }
    if args.has("-populate") {
        text += "No certificates of public authorities come with this program: the database is empty.\n";
    }
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Takes a store away, with its sisters.
pub(crate) fn delete(args: &Args, io: &mut Io) -> Result<()> {
    let database = Database::open_to_write(args, OWN, io)?;
    for end in ["rdb", "crl", "sth"] {
        match std::fs::remove_file(database.path.with_extension(end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(fault::with(10, &error.to_string()));
            }
            _ => {}
        }
    }
    std::fs::remove_file(&database.path).map_err(|error| fault::with(10, &error.to_string()))
}

/// Gives a store and its sisters another password.
pub(crate) fn change(args: &Args, io: &mut Io) -> Result<()> {
    let mut database = Database::open_to_write(args, OWN, io)?;
    let new = match (args.raw("-new_pw"), args.has("-new_genpw")) {
        (Some(typed), _) => Password::new(typed.as_encoded_bytes()),
        (None, true) => random_password(24),
        (None, false) => database::ask_new("Enter the new password: ", io)?,
    };
    check_password(args, &new)?;
    if new == database.password {
        return Err(fault::code(104));
    }
    let expiry = expiry(args, io)?;
    if database.is_cms() {
        change_sisters(&database, &new, io)?;
    } else {
        change_keys(&mut database, &new, io)?;
    }
    database.password = new;
    if let (Some(unix), true) = (expiry, database.is_cms()) {
        let bytes = database::read_file(&database.path)?;
        database.store = keystore::read(&bytes, Some(&database.password), &keystore::Limits::default())?;
        database.store.expire_password_at(unix)?;
        database.save(io)?;
    }
    if args.has("-stash") {
        database.save_stash(args, io)?;
    } else if args.has("-new_genpw") {
        let text = format!("{}\n", String::from_utf8_lossy(database.password.as_bytes()));
        io.print_bytes(text.as_bytes());
    }
    Ok(())
}

/// Writes the stash of a store.
pub(crate) fn stash(args: &Args, io: &mut Io) -> Result<()> {
    let database = Database::open_to_write(args, OWN, io)?;
    let path = database.save_stash(args, io)?;
    let text = format!("The password was stashed into {}\n", path.display());
    io.complain(&text);
    Ok(())
}

/// Puts all of a store into a new one of another type.
pub(crate) fn convert(args: &Args, io: &mut Io) -> Result<()> {
    let source = Database::open(args, OWN, io)?;
    let path = match args.raw("-target") {
        Some(name) => io.path(name),
        None => {
            let kind = database::kind(args, "-target_type", Path::new(""))?;
            let end = if kind == Format::Pkcs12 { "p12" } else { "kdb" };
            source.path.with_extension(end)
        }
    };
    if path.exists() {
        return Err(fault::with(9, &path.display().to_string()));
    }
    let kind = database::kind(args, "-target_type", &path)?;
    let password = match args.one_of(TARGET.password) {
        Some(name) => Password::new(args.raw(name).unwrap_or_default().as_encoded_bytes()),
        None if args.has("-new_genpw") => random_password(24),
        None => source.password.clone(),
    };
    check_password(args, &password)?;
    let mut target = Database::create(path, kind, password, io)?;
    let text = bring::copy_all(&source, &mut target, io)?;
    put_new(args, &mut target, io)?;
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Says until when the password is good.
pub(crate) fn show_expiry(args: &Args, io: &mut Io) -> Result<()> {
    let database = Database::open(args, OWN, io)?;
    let end = database.store.notes().iter().find_map(|note| match note {
        Note::PasswordExpiry { unix } => Some(*unix),
        _ => None,
    });
    let text = match end {
        Some(unix) => format!("Validity : {}\n", crate::gskit::details::date(unix, args, io)),
        None => "Validity : 0\n".to_owned(),
    };
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Prints random characters.
pub(crate) fn random(args: &Args, io: &mut Io) -> Result<()> {
    args.needed("-length")?;
    let length = args.number("-length", 1, 125, 0)?;
    if args.has("-strong") && length < 14 {
        return Err(fault::code(130));
    }
    let made = random_password(length as usize);
    io.print_bytes(&[made.as_bytes(), b"\n"].concat());
    Ok(())
}

/// Saves a new store: sisters first, so that the store is never there without them; then the stash.
fn put_new(args: &Args, database: &mut Database, io: &Io) -> Result<()> {
    if let (Some(unix), true) = (expiry(args, io)?, database.is_cms()) {
        database.store.expire_password_at(unix)?;
    }
    if database.is_cms() {
        for end in ["rdb", "crl"] {
            let sister = database.path.with_extension(end);
            if sister.exists() {
                return Err(fault::with(9, &sister.display().to_string()));
            }
        }
        database.save_sisters(io)?;
    }
    database.save(io)?;
    if args.has("-stash") || args.has("-v1stash") {
        database.save_stash(args, io)?;
    }
    Ok(())
}

fn expiry(args: &Args, io: &Io) -> Result<Option<u32>> {
    if !args.has("-expire") {
        return Ok(None);
    }
    let days = args.number("-expire", 0, 7300, 0)?;
    match days {
        0 => Ok(Some(0)),
        days => {
            let unix = io.now_ms() / 1000 + days * crate::gskit::chain::DAY;
            u32::try_from(unix).map(Some).map_err(|_| fault::code(129))
        }
    }
}

/// Kdb, rdb and crl together: GSKit opens none of them while one has another password.
fn change_sisters(database: &Database, new: &Password, io: &Io) -> Result<()> {
    let path = |end: &str| match end {
        "kdb" => database.path.clone(),
        end => database.path.with_extension(end),
    };
    let read = |end: &str| std::fs::read(path(end)).ok();
    let files = CmsFiles {
        kdb: read("kdb"),
        rdb: read("rdb"),
        crl: read("crl"),
        sth: None,
    };
    let changed = with_env(io, |env| change_password(&files, &database.password, new, env));
    let changed = changed.map_err(|error| match error {
        PasswordChangeError::Read { source, .. } => source.into(),
        PasswordChangeError::Edit { source, .. } => source.into(),
        PasswordChangeError::Write { source, .. } => source.into(),
        other => fault::with(68, &other.to_string()),
    })?;
    for (end, bytes) in [("crl", changed.crl), ("rdb", changed.rdb), ("kdb", changed.kdb)] {
        let Some(bytes) = bytes else { continue };
        replace_private(&path(end), &bytes).map_err(|error| database::not_written(&path(end), &error))?;
    }
    Ok(())
}

fn change_keys(database: &mut Database, new: &Password, io: &Io) -> Result<()> {
    let edit = keystore::Edit::SetPassword {
        old: Some(database.password.clone()),
        new: new.clone(),
    };
    database.edit(&edit, io)?;
    let bytes = with_env(io, |env| database.store.write(Some(new), env))?;
    replace_private(&database.path, &bytes).map_err(|error| database::not_written(&database.path, &error))
}

/// The rule of `-strong`: 14 characters, small and capital letters, a digit or a sign, no character more than three
/// times, none three times in a row.
fn check_password(args: &Args, password: &Password) -> Result<()> {
    let typed = password.as_bytes();
    if typed.is_empty() {
        return Err(fault::code(130));
    }
    if !args.has("-strong") {
        return Ok(());
    }
    if typed.len() < 14 {
        return Err(fault::code(130));
    }
    let has = |test: fn(&u8) -> bool| typed.iter().any(test);
    let is_mixed =
        has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(|byte| !byte.is_ascii_alphabetic());
    let is_varied = typed
        .iter()
        .all(|byte| typed.iter().filter(|other| *other == byte).count() <= 3);
    let has_run = typed
        .windows(3)
        .any(|three| three[0] == three[1] && three[1] == three[2]);
    match is_mixed && is_varied && !has_run {
        true => Ok(()),
        false => Err(fault::code(132)),
    }
}

/// Letters of both cases, digits and signs; drawn again until the rule of `-strong` is kept, where the length allows.
fn random_password(length: usize) -> Password {
    loop {
        let made = draw(length);
        let password = Password::new(made);
        let typed = password.as_bytes();
        let has = |test: fn(&u8) -> bool| typed.iter().any(test);
        let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
        let has_run = typed
            .windows(3)
            .any(|three| three[0] == three[1] && three[1] == three[2]);
        if length < 14 || is_mixed && !has_run {
            return password;
        }
    }
}

fn draw(length: usize) -> Vec<u8> {
    let mut made = Vec::with_capacity(length);
    while made.len() < length {
        let mut byte = [0];
        SystemEntropy.fill(&mut byte);
        // 192 = 3 * 64: each character as likely as the others.
        if byte[0] < 192 {
            made.push(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]);
        }
    }
    made
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_";
