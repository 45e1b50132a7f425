//! `-list`.

use crate::keytool::fault::{self, Result};
use crate::keytool::session::Session;
use crate::keytool::vault::{EntryKind, Item};
use crate::keytool::{certificate_text, dates, hex, pem_text};

/// Prints one entry, or all.
pub(crate) fn run(session: &mut Session<'_>) -> Result<()> {
    warn_of_unchecked(session);
    match session.args.alias.clone() {
        Some(alias) => {
            let item = session.vault.find(&alias).cloned();
            let item = item.ok_or_else(|| no_such(&alias))?;
            entry(session, "The certificate", &alias, &item);
            Ok(())
        }
        None => all(session),
    }
}

/// Says that nobody checked the store, when no password was given.
pub(crate) fn warn_of_unchecked(session: &mut Session<'_>) {
    if session.store_password.is_none() && !session.is_passwordless && !session.args.is_protected {
        session.io.complain(&format!(
            "\n{STARS}\n* The integrity of the information stored in your keystore  *\n* has NOT been verified!  In order to verify \
             its integrity, *\n* you must provide your keystore password.                  *\n{STARS}\n\n"
        ));
    }
}

/// The error of an unknown alias.
pub(crate) fn no_such(alias: &str) -> fault::Stop {
    fault::plain(format!("Alias <{alias}> does not exist"))
}

/// A number with commas, as Java's message formats have it.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn all(session: &mut Session<'_>) -> Result<()> {
    let kind = session.vault.kind;
    let mut items = session.vault.items().to_vec();
    let noun = if items.len() == 1 { "entry" } else { "entries" };
    let count = grouped(items.len() as i64);
    session.io.print(&format!(
        "Keystore type: {}\nKeystore provider: {}\n\nYour keystore contains {count} {noun}\n\n",
        kind.name(),
        kind.provider()
    ));
    items.sort_by(|left, right| left.alias.encode_utf16().cmp(right.alias.encode_utf16()));
    for named in &items {
        // The original looks each name up again: in JKS that leads to the entry whose name is in small letters.
        let alias = &named.alias;
        let item = session.vault.find(alias).cloned().ok_or_else(|| no_such(alias))?;
        entry(session, &format!("<{alias}>"), alias, &item);
        if session.args.is_verbose || session.args.is_rfc {
            let stars = "*******************************************";
            session.io.print(&format!("\n\n{stars}\n{stars}\n\n\n"));
        }
    }
    Ok(())
}

/// Prints one entry under the name given, and notes what is weak in it.
fn entry(session: &mut Session<'_>, label: &str, alias: &str, item: &Item) {
    let is_long = session.args.is_verbose || session.args.is_rfc;
    let created = session
        .vault
        .entry(item)
        .created_ms()
        .unwrap_or_else(|| session.io.now_ms());
    let created = dates::day(created, &session.io.zone());
    let kind = item.kind.name();
    session.io.print(&match is_long {
        true => format!("Alias name: {alias}\nCreation date: {created}\nEntry type: {kind}\n"),
        false => format!("{alias}, {created}, {kind}, \n"),
    });
    let chain = session.vault.chain(item).to_vec();
    match item.kind {
        EntryKind::SecretKey => {}
        EntryKind::PrivateKey if chain.is_empty() => session.io.print("Certificate chain length: 0\n"),
        EntryKind::PrivateKey if is_long => {
            session
                .io
                .print(&format!("Certificate chain length: {}\n", chain.len()));
            for (number, certificate) in chain.iter().enumerate() {
                session
                    .io
                    .print(&format!("Certificate[{}]:\n", grouped(number as i64 + 1)));
                long_certificate(session, certificate);
                certificate_text::check(session, label, certificate);
            }
        }
        EntryKind::PrivateKey => {
            fingerprint(session, &chain[0]);
            certificate_text::check_all(session, label, &chain);
        }
        EntryKind::TrustedCert => {
            if is_long {
                session.io.print("\n");
                long_certificate(session, &chain[0]);
            } else {
                fingerprint(session, &chain[0]);
            }
            certificate_text::check(session, label, &chain[0]);
        }
    }
}

fn long_certificate(session: &mut Session<'_>, certificate: &keystore::Certificate) {
    let text = match session.args.is_verbose {
        true => certificate_text::show(session, certificate),
        false => pem_text::certificate(certificate.der()),
    };
    session.io.print(&text);
}

fn fingerprint(session: &mut Session<'_>, certificate: &keystore::Certificate) {
    let digest = hex::colons(&certificate.sha256());
    session
        .io
        .print(&format!("Certificate fingerprint (SHA-256): {digest}\n"));
}

pub(crate) const STARS: &str = "*****************  WARNING WARNING WARNING  *****************";
