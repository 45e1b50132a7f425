//! Alternative names from text.

use std::net::Ipv6Addr;

use keystore::der::{self, tag};

use crate::keytool::extensions::one_of;
use crate::keytool::fault::{self, Result, Stop};
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
        Some(0) => der::write(tag::context(1), &[email(name)?.as_bytes()]),
        Some(1) => der::write(tag::context(6), &[uri(name)?.as_bytes()]),
        Some(2) => der::write(tag::context(2), &[dns(name, allows_wildcard)?.as_bytes()]),
        Some(3) => der::write(tag::context(7), &[&address(name)?]),
        Some(4) => {
            let encoded = oids::encode(name).map_err(|stop| match stop {
                Stop::Fault(why) => fault::io_fault(format!("Unable to create OIDName: {why}")),
                other => other,
            })?;
            der::write(tag::context(8), &[&encoded[2..]])
        }
        _ => return Err(fault::plain(format!("Unrecognized GeneralName type: {kind}"))),
    })
}

fn dns(name: &str, allows_wildcard: bool) -> Result<&str> {
    let bad = |why: &str| Err(fault::io_fault(why));
    if name.is_empty() {
        return bad("DNSName must not be null or empty");
    }
    if name.contains(' ') {
        return bad("DNSName with blank components are not permitted");
    }
    if name.starts_with('.') || name.ends_with('.') {
        return bad("DNSName may not begin or end with a .");
    }
    for (number, part) in name.split('.').enumerate() {
        if part.is_empty() {
            return bad("DNSName with empty components are not permitted");
        }
        if allows_wildcard && number == 0 && part == "*" {
            continue;
        }
        if !part.starts_with(|character: char| character.is_ascii_alphanumeric()) {
            return bad(match allows_wildcard {
                true => {
                    "DNSName components must begin with a letter, digit, or the first component can have only a \
                     wildcard character *"
                }
                false => "DNSName components must begin with a letter or digit",
            });
        }
        if !part
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-')
        {
            return bad("DNSName components must consist of letters, digits, and hyphens");
        }
    }
    Ok(name)
}

fn uri(name: &str) -> Result<&str> {
    match name.split_once(':') {
        Some((scheme, _)) if !scheme.is_empty() => Ok(name),
        _ => Err(fault::io_fault(format!("URI name must include scheme:{name}"))),
    }
}

fn email(name: &str) -> Result<&str> {
    let bad = |why: &str| Err(fault::io_fault(why));
    match name.rsplit_once('@') {
        _ if name.is_empty() => bad("RFC822Name may not be null or empty"),
        Some((_, "")) => bad("RFC822Name may not end with @"),
        Some((_, domain)) if domain.starts_with('.') => bad("RFC822Name domain may not begin with ."),
        None if name == "." => bad("RFC822Name domain may not be just ."),
        _ => Ok(name),
    }
}

/// An address, or two of four bytes with a slash between: net and mask.
fn address(name: &str) -> Result<Vec<u8>> {
    if let Ok(sixteen) = name.parse::<Ipv6Addr>() {
        return Ok(sixteen.octets().to_vec());
    }
    match name.split_once('/') {
        Some((net, mask)) => Ok([four(net)?, four(mask)?].concat()),
        None => Ok(four(name)?.to_vec()),
    }
}

/// One to four numbers; the last one fills what is left.
fn four(name: &str) -> Result<[u8; 4]> {
    let unknown = || {
        let why = format!("{name}: Name or service not known");
        fault::of_class("java.net.UnknownHostException", why)
    };
    let numbers: Option<Vec<u64>> = name.split('.').map(|part| part.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| numbers.len() <= 4).ok_or_else(unknown)?;
    let (last, first) = numbers.split_last().ok_or_else(unknown)?;
    let mut out = [0; 4];
    for (byte, number) in out.iter_mut().zip(first) {
        *byte = u8::try_from(*number).map_err(|_| unknown())?;
    }
    let left = &mut out[first.len()..];
    if *last >= 1 << (8 * left.len()) {
        return Err(unknown());
    }
    let bytes = last.to_be_bytes();
    left.copy_from_slice(&bytes[8 - left.len()..]);
    Ok(out)
}
