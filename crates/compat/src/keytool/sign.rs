//! `-gencert`, and `-selfcert` and `-gencrl`, which are not in the help.

use keystore::der::{self, tag};
use keystore::{Certificate, Extension};

use crate::keytool::fault::{self, Result};
use crate::keytool::issue::{self, Draft};
use crate::keytool::session::Session;
use crate::keytool::{
    certificate_text, dates, extensions, generate, import_cert, keys, name_text, pem_text, request, unlock,
};

/// Signs the certificate that a request asks for.
pub(crate) fn certificate(session: &mut Session<'_>) -> Result<()> {
    // Both files are opened before anything else is looked at.
    if let Some(name) = session.args.in_file.clone() {
        session.read_file(&name)?;
    }
    session.check_output(session.args.out_file.as_deref())?;
    let alias = session.alias();
    if session.vault.find(&alias).is_none() {
        return Err(crate::keytool::list::no_such(&alias));
    }
    let has_certificate = |item| !session.vault.chain(item).is_empty();
    if !session.vault.find(&alias).is_some_and(has_certificate) {
        return Err(no_signer());
    }
    let (not_before, not_after) = validity(session)?;
    let (item, opened) = unlock::private_key(session, &alias)?;
    let chain = session.vault.chain(&item).to_vec();
    let issuer = &chain[0];
    let algorithm = match session.args.signature_algorithm.clone() {
        Some(algorithm) => algorithm,
        None => keys::default_signature(&issuer.public_key())?,
    };
    let file = session.args.in_file.clone();
    let input = session.read_input(file.as_deref())?;
    let body = request::body(&input, |line| {
        line.starts_with("-----BEGIN") && line.contains("REQUEST")
    });
    let asked = request::decode(&body)?;
    let asked_parts = request::parse(&asked)?;
    request::check(session, "The certificate request", &asked)?;
    let subject = match &session.args.dname {
        Some(name) => name_text::encode(name)?,
        None => asked_parts.subject.der().to_vec(),
    };
    let authority = (asked_parts.spki != issuer.spki()).then(|| generate::authority_of(issuer));
    let requested: Vec<Extension<'_>> = asked_parts.extensions.clone();
    let built = extensions::build(
        Some(&requested),
        &[],
        &session.args.extensions,
        asked_parts.spki,
        authority.as_deref(),
    )?;
    let draft = Draft {
        subject: &subject,
        issuer: issuer.subject().der(),
        spki: asked_parts.spki,
        not_before,
        not_after,
        extensions: &built,
    };
    let made = issue::certificate(&draft, &opened.key, &algorithm)?;
    let mut out = dumped(session, &made);
    for one in chain.iter().filter(|one| !import_cert::is_self_signed(one)) {
        out.extend(dumped(session, one));
    }
    let file = session.args.out_file.clone();
    session.write_output(file.as_deref(), &out)?;
    certificate_text::check_all(session, "The issuer", &chain);
    certificate_text::check(session, "The generated certificate", &made);
    Ok(())
}

/// Puts a new certificate, signed by itself, in the place of a key's chain.
pub(crate) fn self_signed(session: &mut Session<'_>) -> Result<()> {
    let alias = session.alias();
    let (item, opened) = unlock::private_key(session, &alias)?;
    let Some(old) = session.vault.chain(&item).first().cloned() else {
        return Err(fault::plain(format!("{alias} has no public key")));
    };
    let algorithm = match session.args.signature_algorithm.clone() {
        Some(algorithm) => algorithm,
        None => keys::default_signature(&old.public_key())?,
    };
    let (not_before, not_after) = validity(session)?;
    let subject = match &session.args.dname {
        Some(name) => name_text::encode(name)?,
        None => old.subject().der().to_vec(),
    };
    let kept: Vec<Extension<'_>> = old.extensions().collect();
    let built = extensions::build(None, &kept, &session.args.extensions, old.spki(), None)?;
    let draft = Draft {
        subject: &subject,
        issuer: &subject,
        spki: old.spki(),
        not_before,
        not_after,
        extensions: &built,
    };
    let made = issue::certificate(&draft, &opened.key, &algorithm)?;
    let now = session.io.now_ms();
    session.vault.put_key(
        &alias,
        &opened.key,
        std::slice::from_ref(&made),
        Some(&opened.password),
        now,
    )?;
    session.must_save = true;
    if session.args.is_verbose {
        let text = certificate_text::show(session, &made);
        session.say(&format!("New certificate (self-signed):\n{text}"));
    }
    Ok(())
}

/// Signs a revocation list of the serial numbers of `-id`.
pub(crate) fn revocation_list(session: &mut Session<'_>) -> Result<()> {
    session.check_output(session.args.file.as_deref())?;
    let alias = session.alias();
    let item = session.vault.find(&alias);
    if item.is_none_or(|item| session.vault.chain(item).is_empty()) {
        return Err(no_signer());
    }
    let (not_before, not_after) = validity(session)?;
    let (item, opened) = unlock::private_key(session, &alias)?;
    let issuer = session.vault.chain(&item)[0].clone();
    let algorithm = match session.args.signature_algorithm.clone() {
        Some(algorithm) => algorithm,
        None => keys::default_signature(&issuer.public_key())?,
    };
    let revoked: Result<Vec<Vec<u8>>> = session
        .args
        .revoked
        .iter()
        .map(|id| revoked(id, not_before))
        .collect();
    let times = (not_before, not_after);
    let list = issue::revocation_list(issuer.subject().der(), times, &revoked?, &opened.key, &algorithm)?;
    let bytes = match session.args.is_rfc {
        true => pem_text::block("X509 CRL", &list, "\r\n").into_bytes(),
        false => list,
    };
    let file = session.args.file.clone();
    session.write_output(file.as_deref(), &bytes)?;
    certificate_text::check_parts(
        session,
        "The generated CRL",
        Some(&algorithm),
        false,
        Some(&issuer.public_key()),
    );
    Ok(())
}

/// What Java says when an alias has no certificate.
fn no_signer() -> fault::Stop {
    let message =
        "Cannot invoke \"java.security.cert.Certificate.getEncoded()\" because \"signerCert\" is null";
    fault::of_class("java.lang.NullPointerException", message)
}

/// An entry of a revocation list, of `serial` or `serial:reason`.
fn revoked(id: &str, at: i64) -> Result<Vec<u8>> {
    let (serial, reason) = match id.split_once(':') {
        Some((serial, reason)) => (serial, Some(reason)),
        None => (id, None),
    };
    let bad = |text: &str| {
        // Java takes leading zeros away before it looks at the rest.
        let text = text.trim_start_matches('0');
        let message = format!("For input string: \"{text}\"");
        fault::of_class("java.lang.NumberFormatException", message)
    };
    let digits = serial.strip_prefix(['+', '-']).unwrap_or(serial);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad(serial));
    }
    let number = openssl::bn::BigNum::from_dec_str(serial).map_err(|_| bad(serial))?;
    let extension = match reason {
        Some(reason) => {
            let code: u8 = reason.parse().map_err(|_| bad(reason))?;
            let value = der::write(tag::ENUMERATED, &[&[code]]);
            let oid = crate::keytool::oids::encode("2.5.29.21")?;
            let row = der::write_sequence(&[&oid, &der::write_octets(&value)]);
            der::write_sequence(&[&row])
        }
        None => Vec::new(),
    };
    Ok(der::write_sequence(&[
        &der::write_unsigned(&number.to_vec()),
        &issue::time(at)?,
        &extension,
    ]))
}

fn validity(session: &Session<'_>) -> Result<(i64, i64)> {
    let start = dates::start(
        session.args.start_date.as_deref(),
        session.io.now_ms(),
        &session.io.zone(),
    )?;
    let end = dates::end(start, session.args.validity_days).map_err(|year| {
        fault::plain(format!(
            "Validity period ends at calendar year {year} which is greater than 9999"
        ))
    })?;
    Ok((start, end))
}

fn dumped(session: &Session<'_>, certificate: &Certificate) -> Vec<u8> {
    match session.args.is_rfc {
        true => pem_text::certificate(certificate.der()).into_bytes(),
        false => certificate.der().to_vec(),
    }
}
