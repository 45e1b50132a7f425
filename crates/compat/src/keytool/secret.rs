//! `-genseckey` and `-importpass`: symmetric keys, and passwords kept as such.

use keystore::{Entropy, SecretKey};

use crate::io::SystemEntropy;
use crate::keytool::fault::{self, Result};
use crate::keytool::list;
use crate::keytool::session::Session;
use crate::keytool::unlock::{self, Opened};

/// Makes a symmetric key.
pub(crate) fn generate(session: &mut Session<'_>) -> Result<()> {
    let Some(algorithm) = session.args.key_algorithm.clone() else {
        return Err(fault::plain("The -keyalg option must be specified."));
    };
    if algorithm.to_uppercase().starts_with("PBE") {
        return keep_password(session, &algorithm);
    }
    let alias = free_alias(session)?;
    let unknown = || {
        fault::of_class(
            fault::NO_SUCH_ALGORITHM,
            format!("{algorithm} KeyGenerator not available"),
        )
    };
    let row = ALGORITHMS
        .iter()
        .find(|row| row.name.eq_ignore_ascii_case(&algorithm) || row.other.eq_ignore_ascii_case(&algorithm));
    let row = row.ok_or_else(unknown)?;
    let size = match (session.args.key_size, row.name) {
        (Some(size), _) => size,
        (None, "DES") => 56,
        (None, "DESede") => 168,
        (None, _) => return Err(fault::plain("Please provide -keysize for secret key generation")),
    };
    if !(row.allows)(size) {
        return Err(fault::of_class(
            "java.security.InvalidParameterException",
            row.refusal,
        ));
    }
    let key = random_key(row, size);
    session.say(&format!(
        "Generated {}-bit {} secret key",
        list::grouped(i64::from(size)),
        row.name
    ));
    put(session, &alias, &key)
}

/// `-importpass`: as `-genseckey` with an algorithm for passwords, unless `-keyalg` says another.
pub(crate) fn import_password(session: &mut Session<'_>) -> Result<()> {
    let algorithm = session.args.key_algorithm.get_or_insert_with(|| "PBE".to_owned());
    match algorithm.to_uppercase().starts_with("PBE") {
        true => {
            let algorithm = algorithm.clone();
            keep_password(session, &algorithm)
        }
        false => generate(session),
    }
}

/// Keeps a typed password as a key.
fn keep_password(session: &mut Session<'_>, algorithm: &str) -> Result<()> {
    let alias = free_alias(session)?;
    let typed = ask(session)?;
    if typed.iter().any(|byte| !byte.is_ascii()) {
        let message = "Password is not ASCII";
        return Err(fault::of_class(
            "java.security.spec.InvalidKeySpecException",
            message,
        ));
    }
    if session.args.is_verbose {
        session.say(&format!("Generated {algorithm} secret key"));
    }
    // Only PKCS#12 can be told how to protect an entry; ours is protected as the others are.
    if !algorithm.eq_ignore_ascii_case("PBE") && !session.vault.kind.is_pkcs12() {
        let password = password_for(session, &alias)?;
        drop(password);
        let message = "unsupported password protection algorithm";
        return Err(fault::of_class(fault::KEY_STORE_EXCEPTION, message));
    }
    put(
        session,
        &alias,
        &SecretKey::new("PBEWithMD5AndDES", typed.to_vec()),
    )
}

/// Opens the symmetric key of an alias.
pub(crate) fn open(session: &mut Session<'_>, alias: &str) -> Result<Opened<SecretKey>> {
    let item = session
        .vault
        .find(alias)
        .cloned()
        .ok_or_else(|| list::no_such(alias))?;
    let given = (session.key_password.clone(), session.store_password.clone());
    unlock::with_passwords(session.io, &session.vault, alias, given, |vault, password| {
        vault.unlock_secret(&item, Some(password))
    })
}

fn free_alias(session: &Session<'_>) -> Result<String> {
    let alias = session.alias();
    match session.vault.find(&alias) {
        Some(_) => Err(fault::plain(format!(
            "Secret Key not generated, alias <{alias}> already exists"
        ))),
        None => Ok(alias),
    }
}

fn put(session: &mut Session<'_>, alias: &str, key: &SecretKey) -> Result<()> {
    let password = password_for(session, alias)?;
    session
        .vault
        .put_secret(alias, key, password.as_ref(), session.io.now_ms())?;
    session.must_save = true;
    Ok(())
}

fn password_for(session: &mut Session<'_>, alias: &str) -> Result<Option<keystore::Password>> {
    let same = session.store_password.clone();
    match session.key_password.clone() {
        Some(password) => Ok(Some(password)),
        None => unlock::ask_new(session, alias, None, same),
    }
}

/// The password to keep: a line of stdin, or typed twice at a terminal.
fn ask(session: &mut Session<'_>) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    if !session.io.has_console() {
        // Nothing at all is kept as an empty password, as in the original.
        return Ok(session.io.read_password().unwrap_or_default());
    }
    for _ in 0..3 {
        session.io.complain("Enter the password to be stored:  ");
        let typed = session.io.read_password();
        session.io.complain("Re-enter password: ");
        let again = session.io.read_password();
        match typed {
            Some(typed) if Some(&typed) == again.as_ref() => return Ok(typed),
            _ => session.say("They don't match. Try again"),
        }
    }
    Err(fault::plain("Too many failures - key not added to keystore"))
}

fn random_key(row: &Row, size: i32) -> SecretKey {
    // DES keys count 7 bits of each byte; 112 bits of DESede are two keys, of which the first comes again.
    let bytes = match (row.name, size) {
        ("DES", _) => 8,
        ("DESede", 112) => 16,
        ("DESede", _) => 24,
        (_, size) => (size as usize).div_ceil(8),
    };
    let mut raw = zeroize::Zeroizing::new(vec![0; bytes]);
    SystemEntropy.fill(&mut raw);
    if row.name.starts_with("DES") {
        raw.iter_mut().for_each(|byte| *byte = with_parity(*byte));
    }
    if bytes == 16 && row.name == "DESede" {
        let first = raw[..8].to_vec();
        raw.extend_from_slice(&first);
    }
    SecretKey::new(row.name, raw.to_vec())
}

/// Odd parity in the lowest bit.
fn with_parity(byte: u8) -> u8 {
    (byte & 0xfe) | u8::from((byte & 0xfe).count_ones().is_multiple_of(2))
}

struct Row {
    name: &'static str,
    other: &'static str,
    allows: fn(i32) -> bool,
    refusal: &'static str,
}

const fn row(name: &'static str, other: &'static str, allows: fn(i32) -> bool, refusal: &'static str) -> Row {
    Row {
        name,
        other,
        allows,
        refusal,
    }
}

const HMAC: &str = "Key length must be at least 40 bits";

const ALGORITHMS: &[Row] = &[
    row(
        "AES",
        "Rijndael",
        |size| matches!(size, 128 | 192 | 256),
        "Wrong keysize: must be equal to 128, 192 or 256",
    ),
    row(
        "ARCFOUR",
        "RC4",
        |size| (40..=1024).contains(&size),
        "Key length for ARCFOUR must be between 40 and 1024 bits",
    ),
    row(
        "Blowfish",
        "",
        |size| size % 8 == 0 && (32..=448).contains(&size),
        "Keysize must be multiple of 8, and can only range from 32 to 448 (inclusive)",
    ),
    row(
        "ChaCha20",
        "",
        |size| size == 256,
        "Key length for ChaCha20 must be 256 bits",
    ),
    row("DES", "", |size| size == 56, "Wrong keysize: must be equal to 56"),
    row(
        "DESede",
        "TripleDES",
        |size| matches!(size, 112 | 168),
        "Wrong keysize: must be equal to 112 or 168",
    ),
    row("HmacMD5", "", |size| size > 0, HMAC),
    row("HmacSHA1", "", |size| size > 0, HMAC),
    row("HmacSHA224", "", |size| size >= 40, HMAC),
    row("HmacSHA256", "", |size| size >= 40, HMAC),
    row("HmacSHA384", "", |size| size >= 40, HMAC),
    row("HmacSHA512", "", |size| size >= 40, HMAC),
    row(
        "RC2",
        "",
        |size| (40..=1024).contains(&size),
        "Key length for RC2 must be between 40 and 1024 bits",
    ),
];
