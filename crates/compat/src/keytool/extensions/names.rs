//! Alternative names from text.

use std::net::{Ipv4Addr, Ipv6Addr};

use keystore::der::{self, tag};

use crate::keytool::extensions::one_of;
use crate::keytool::fault::{self, Result};
use crate::keytool::oids;

/// `dns:a,ip:10.0.0.1`: the encoded names one after the other.
pub(super) fn list(value: &str, text: &str, allows_wildcard: bool) -> Result<Vec<u8>> {
    let mut names = Vec::new();
    for item in value.split(',') {
        let Some((kind, name)) = item.split_once(':') else {
            return Err(fault::plain(format!("Illegal item {item} in {text}")));
        };
        names.extend(one(kind, name, allows_wildcard)?);
    }
    Ok(names)
}

/// One name of a kind.
pub(super) fn one(kind: &str, name: &str, allows_wildcard: bool) -> Result<Vec<u8>> {
    Ok(match one_of(kind, &["EMAIL", "URI", "DNS", "IP", "OID"])? {
        Some(0) => der::write(tag::context(1), &[name.as_bytes()]),
        Some(1) => der::write(tag::context(6), &[uri(name)?.as_bytes()]),
        Some(2) => der::write(tag::context(2), &[dns(name, allows_wildcard)?.as_bytes()]),
        Some(3) => der::write(tag::context(7), &[&address(name)?]),
        Some(4) => {
            let encoded = oids::encode(name)
                .map_err(|_| fault::io_fault(format!("Unable to create OIDName: {name}")))?;
            der::write(tag::context(8), &[&encoded[2..]])
        }
        _ => return Err(fault::plain(format!("Unrecognized GeneralName type: {kind}"))),
    })
}

fn dns(name: &str, allows_wildcard: bool) -> Result<&str> {
    let bad = |why: &str| Err(runtime(why));
    if name.is_empty() {
        return bad("DNSName must not be null or empty");
    }
    if name.contains(' ') {
        return bad("DNSNames or NameConstraints with blank components are not permitted");
    }
    if name.starts_with('.') || name.ends_with('.') {
        return bad("DNSNames or NameConstraints may not begin or end with a .");
    }
    for (number, part) in name.split('.').enumerate() {
        let is_wildcard = allows_wildcard && number == 0 && part == "*";
        if part.is_empty() {
            return bad("DNSName with blank components are not permitted");
        }
        if is_wildcard {
            continue;
        }
        let first_is_fine = part.starts_with(|character: char| character.is_ascii_alphanumeric());
        if !first_is_fine {
            return bad("DNSName components must begin with a letter or digit");
        }
        if !part
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
        {
            return bad("DNSName components must consist of letters, digits, and hyphens");
        }
    }
    Ok(name)
}

fn uri(name: &str) -> Result<&str> {
    match name.split_once(':') {
        Some((scheme, _)) if !scheme.is_empty() => Ok(name),
        _ => Err(runtime(&format!("URI name must include scheme:{name}"))),
    }
}

fn address(name: &str) -> Result<Vec<u8>> {
    if let Ok(four) = name.parse::<Ipv4Addr>() {
        return Ok(four.octets().to_vec());
    }
    if let Ok(sixteen) = name.parse::<Ipv6Addr>() {
        return Ok(sixteen.octets().to_vec());
    }
    Err(runtime(&format!("Invalid IP Address: {name}")))
}

/// The original wraps what its name classes refuse.
fn runtime(why: &str) -> fault::Stop {
    fault::of_class(
        "java.lang.RuntimeException",
        format!("java.io.IOException: {why}"),
    )
}
