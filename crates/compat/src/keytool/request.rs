//! `-certreq` and `-printcertreq`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use keystore::der::{Der, Element, tag};
use keystore::{Algorithm, Certificate, Request};

use crate::keytool::fault::{self, Result};
use crate::keytool::session::Session;
use crate::keytool::{
    certificate_text, extension_text, extensions, issue, keys, name_text, order, pem_text, unlock, weak,
};

/// Makes a request with the key and the name of an entry.
pub(crate) fn make(session: &mut Session<'_>) -> Result<()> {
    let file = session.args.file.clone();
    session.check_output(file.as_deref())?;
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
    text += &attributes(&request, &session.io.zone())?;
    session.io.print(&text);
    check(session, "The certificate request", &der)
}

/// The attributes of a request, in the order in which Java's table of three buckets has them.
fn attributes(request: &Request<'_>, zone: &TimeZone) -> Result<String> {
    let damaged = |_| fault::io_fault("the request's attributes cannot be read");
    let mut found: Vec<(String, Element<'_>)> = Vec::new();
    let mut parts = Der::new(request.der).sequence("request").map_err(damaged)?;
    let mut rows = parts.sequence("body").map_err(damaged)?;
    for _ in 0..3 {
        rows.any("body").map_err(damaged)?;
    }
    if let Some(wrapped) = rows
        .optional(tag::context_constructed(0), "attributes")
        .map_err(damaged)?
    {
        let mut rows = wrapped.children();
        while !rows.is_empty() {
            let mut row = rows.sequence("attribute").map_err(damaged)?;
            let kind = row
                .expect(tag::OID, "attribute")
                .and_then(|kind| kind.oid("attribute"))
                .map_err(damaged)?;
            let values = row.expect(tag::SET, "values").map_err(damaged)?;
            found.retain(|(known, _)| *known != kind.to_string());
            found.push((kind.to_string(), values));
        }
    }
    let mut text = String::new();
    for (kind, values) in order::hash_table(found, 3, |(kind, _)| kind) {
        if kind == keystore::oid::EXTENSION_REQUEST.to_string() {
            text += &extension_text::show("Extension Request:", request.extensions.iter().copied(), zone);
            continue;
        }
        let (mut values, mut texts) = (values.children(), Vec::new());
        while let Ok(value) = values.any("value") {
            texts.push(String::from_utf8_lossy(value.content).into_owned());
        }
        text += &match ATTRIBUTES.iter().find(|(known, ..)| *known == kind) {
            Some((_, name, true)) => format!("Attribute: {kind}\n{name}: [{}]\n", texts.join(", ")),
            Some((_, name, false)) => format!("Attribute: {kind}\n{name}: {}\n", texts.concat()),
            None => format!("Attribute: {kind}\n{kind}: [B@0\n"),
        };
    }
    Ok(text)
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
/// The tag of the first part of what is signed, in a sequence of three.
fn first_of_body(der: &[u8]) -> Option<u8> {
    let mut outer = Der::new(der).sequence("request").ok()?;
    let mut body = outer.sequence("body").ok()?;
    outer.any("algorithm").ok()?;
    outer.any("signature").ok()?;
    outer
        .is_empty()
        .then(|| body.any("first part").ok().map(|part| part.tag))?
}

pub(crate) fn parse(der: &[u8]) -> Result<Request<'_>> {
    if der.len() < 2 {
        return Err(fault::io_fault("Too short"));
    }
    let request = Request::parse(der).map_err(|_| match first_of_body(der) {
        // A certificate: its body begins with a version of its own tag.
        Some(tag) if tag != tag::INTEGER => fault::io_fault(format!(
            "DerValue.getBigIntegerInternal, not expected {}",
            tag as i8
        )),
        Some(_) if Certificate::parse(der).is_ok() => {
            fault::of_class(fault::ILLEGAL_ARGUMENT, "not PKCS #10 v1")
        }
        _ => fault::of_class(fault::ILLEGAL_ARGUMENT, "not a PKCS #10 request"),
    })?;
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

/// Attributes with names, and whether they hold several values.
const ATTRIBUTES: &[(&str, &str, bool)] = &[
    ("1.2.840.113549.1.9.7", "ChallengePassword", false),
    ("1.2.840.113549.1.9.2", "UnstructuredName", true),
    ("1.2.840.113549.1.9.8", "UnstructuredAddress", true),
];
