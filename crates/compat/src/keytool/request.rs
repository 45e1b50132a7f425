//! `-certreq` and `-printcertreq`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::{Algorithm, Request};

use crate::keytool::fault::{self, Result};
use crate::keytool::session::Session;
use crate::keytool::{
    certificate_text, extension_text, extensions, issue, keys, name_text, pem_text, unlock, weak,
};

/// Makes a request with the key and the name of an entry.
pub(crate) fn make(session: &mut Session<'_>) -> Result<()> {
    let alias = session.alias();
    let (item, opened) = unlock::private_key(session, &alias)?;
    let Some(own) = session.vault.chain(&item).first().cloned() else {
        return Err(fault::plain(format!("{alias} has no public key (certificate)")));
    };
    let asked = extensions::build(None, &[], &session.args.extensions, own.spki(), None)?;
    let algorithm = match session.args.signature_algorithm.clone() {
        Some(algorithm) => algorithm,
        None => keys::default_signature(&own.public_key())?,
    };
    let subject = match &session.args.dname {
        Some(name) => name_text::encode(name)?,
        None => own.subject().der().to_vec(),
    };
    let der = issue::request(&subject, own.spki(), &asked, &opened.key, &algorithm)?;
    let text = pem_text::block("NEW CERTIFICATE REQUEST", &der, "\r\n");
    let file = session.args.file.clone();
    session.write_output(file.as_deref(), text.as_bytes())?;
    check(session, "The generated certificate request", &der)?;
    if let Some(file) = file.filter(|_| session.args.is_verbose) {
        session.say(&format!(
            "Certification request stored in file <{}>",
            file.to_string_lossy()
        ));
        session.say("Submit this to your CA");
    }
    Ok(())
}

/// Prints a request.
pub(crate) fn print(session: &mut Session<'_>) -> Result<()> {
    let file = session.args.file.clone();
    let input = session.read_input(file.as_deref())?;
    let body = body(&input, |line| line.starts_with("-----"));
    let der = decode(&body)?;
    let request = parse(&der)?;
    let key = request.public_key();
    let signature = signature_of(&request.signature_algorithm);
    let mut text = format!(
        "PKCS #10 Certificate Request (Version 1.0)\nSubject: {}\nFormat: X.509\nPublic Key: {}\nSignature algorithm: {}\n",
        name_text::show(&request.subject),
        weak::key_text(&key) + weak::key(&key).mark(),
        signature.clone() + weak::signature(&signature, false).mark(),
    );
    text += &extension_text::show("Extension Request:", request.extensions.iter().copied());
    session.io.print(&text);
    check(session, "The certificate request", &der)
}

/// The base64 between the first line that `starts` accepts and the next line of hyphens.
pub(crate) fn body(input: &[u8], starts: impl Fn(&str) -> bool) -> String {
    let text = String::from_utf8_lossy(input);
    let (mut body, mut is_inside) = (String::new(), false);
    for line in text.lines() {
        if !is_inside {
            is_inside = starts(line);
        } else if line.starts_with("-----") {
            break;
        } else {
            body.push_str(line);
        }
    }
    body
}

/// Decodes base64 as Java's PEM reader does, blanks dropped.
pub(crate) fn decode(body: &str) -> Result<Vec<u8>> {
    let packed: String = body
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    STANDARD.decode(packed).map_err(|error| match error {
        base64::DecodeError::InvalidByte(_, byte) => {
            fault::io_fault(format!("Illegal base64 character {byte:x}"))
        }
        _ => fault::io_fault("Input byte array has wrong 4-byte ending unit"),
    })
}

/// Reads a request, and checks that its own key signed it.
pub(crate) fn parse(der: &[u8]) -> Result<Request<'_>> {
    if der.len() < 2 {
        return Err(fault::io_fault("Too short"));
    }
    let request = Request::parse(der)
        .map_err(|_| fault::of_class(fault::ILLEGAL_ARGUMENT, "not a PKCS #10 request"))?;
    if !keys::is_request_sound(der) {
        let message = "Invalid PKCS #10 signature";
        return Err(fault::of_class("java.security.SignatureException", message));
    }
    Ok(request)
}

/// Notes what is weak in a request.
pub(crate) fn check(session: &mut Session<'_>, label: &str, der: &[u8]) -> Result<()> {
    let request = parse(der)?;
    let signature = signature_of(&request.signature_algorithm);
    let key = request.public_key();
    certificate_text::check_parts(session, label, Some(&signature), false, Some(&key));
    Ok(())
}

fn signature_of(algorithm: &Algorithm<'_>) -> String {
    certificate_text::signature_name(algorithm)
}
