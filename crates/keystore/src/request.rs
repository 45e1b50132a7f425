//! Certificate requests (PKCS#10): read as far as inspection needs them, and written for a CA to sign.
//!
//! | Part | Bytes |
//! |---|---|
//! | body | SEQUENCE { INTEGER 0, subject, subjectPublicKeyInfo, \[0\] attributes } |
//! | attribute | SEQUENCE { extensionRequest, SET { SEQUENCE OF Extension } } |
//! | request | SEQUENCE { body, AlgorithmIdentifier, BIT STRING signature } |
//!
//! Written with our own DER: a subject that is kept from a certificate keeps its string types and their order, which
//! the builders of other libraries encode anew. Source: RFC 2986 4, RFC 2985 5.4.2.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{self, Algorithm};
use crate::der::{self, Der, tag};
use crate::extension::{Extension, GeneralName, KeyUsage};
use crate::name::Name;
use crate::oid::{self, Oid};
use crate::public_key::PublicKey;
use crate::reader::ReadError;

/// A certificate request, borrowed. Source: RFC 2986 4.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The whole request.
    pub der: &'a [u8],
    /// For whom a certificate is asked.
    pub subject: Name<'a>,
    /// subjectPublicKeyInfo, encoded.
    pub spki: &'a [u8],
    /// The extensions asked for, in file order.
    pub extensions: Vec<Extension<'a>>,
    /// How the request is signed.
    pub signature_algorithm: Algorithm<'a>,
}

impl<'a> Request<'a> {
    /// Reads one request; nothing may follow it. The signature is not checked.
    ///
    /// # Errors
    /// [`ReadError`] with the offset from the start of `der`.
    pub fn parse(der: &'a [u8]) -> Result<Self, ReadError> {
        let mut parts = der::only(der, 0, tag::SEQUENCE, "request")?.children();
        let mut rows = parts.sequence("request body")?;
        let algorithm = certificate::algorithm(&mut parts)?;
        parts.expect(tag::BIT_STRING, "signature")?;
        parts.finish("signature")?;
        rows.expect(tag::INTEGER, "request version")?;
        let subject = rows.expect(tag::SEQUENCE, "subject")?;
        let spki = rows.expect(tag::SEQUENCE, "subjectPublicKeyInfo")?;
        PublicKey::parse(spki.full, spki.offset)?;
        let extensions = match rows.optional(tag::context_constructed(0), "attributes")? {
            Some(attributes) => read_attributes(attributes.children())?,
            None => Vec::new(),
        };
        rows.finish("attributes")?;
        Ok(Self {
            der,
            subject: Name::parse(subject.full, subject.offset)?,
            spki: spki.full,
            extensions,
            signature_algorithm: Algorithm::parse(algorithm.full, algorithm.offset)?,
        })
    }

    /// The host names and addresses asked for, in file order. Names of other kinds are left out.
    ///
    /// # Errors
    /// [`ReadError`] when the extension is malformed.
    pub fn link_names(&self) -> Result<Vec<LinkName>, ReadError> {
        let found = self
            .extensions
            .iter()
            .find(|extension| extension.oid == oid::SUBJECT_ALT_NAME);
        let names = found
            .map(Extension::general_names)
            .transpose()?
            .unwrap_or_default();
        Ok(names.iter().filter_map(LinkName::of).collect())
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey<'a> {
        PublicKey::parse(self.spki, 0).expect("parse() walked the same bytes")
    }
}

/// A name of subjectAltName that a link goes by: what a client dials and verifies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkName {
    /// A host name in lower case, without a dot at its end; `*` may stand for its first label.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl LinkName {
    /// Takes a host as addresses and settings write it: `billing.example`, `10.0.0.7`, `[fd00::7]`.
    ///
    /// Nothing where it is no host name of RFC 1123 (`_` is allowed, as in the field) or the address that means any.
    pub fn read(text: &str) -> Option<Self> {
        let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return (!address.is_unspecified()).then_some(Self::Ip(address));
        }
        let name = bare.trim_end_matches('.').to_ascii_lowercase();
        let fits = |(position, label): (usize, &str)| {
            let letters = label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            let plain = letters && !label.starts_with('-') && !label.ends_with('-');
            (1..=63).contains(&label.len()) && (plain || position == 0 && label == "*" && name.contains('.'))
        };
        let is_name = name.len() <= 253 && name.split('.').enumerate().all(fits);
        is_name.then_some(Self::Dns(name))
    }

    /// The same from a certificate or a request; nothing for names of other kinds.
    pub fn of(name: &GeneralName<'_>) -> Option<Self> {
        match name {
            GeneralName::Dns(host) => match Self::read(std::str::from_utf8(host).ok()?)? {
                Self::Ip(_) => None,
                name @ Self::Dns(_) => Some(name),
            },
            GeneralName::Ip(octets) => {
                let four = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
                let sixteen = <[u8; 16]>::try_from(*octets).map(IpAddr::from);
                four.or(sixteen).ok().map(Self::Ip)
            }
            _ => None,
        }
    }

    /// Whether a certificate with this name is good for `wanted`: the same name, or a `*` for its first label.
    ///
    /// Source: RFC 6125 6.4.3.
    pub fn covers(&self, wanted: &LinkName) -> bool {
        if self == wanted {
            return true;
        }
        let (Self::Dns(pattern), Self::Dns(name)) = (self, wanted) else {
            return false;
        };
        let (Some(behind), Some((first, rest))) = (pattern.strip_prefix("*."), name.split_once('.')) else {
            return false;
        };
        behind == rest && first != "*"
    }

    fn der(&self) -> Vec<u8> {
        match self {
            Self::Dns(name) => der::write(tag::context(2), &[name.as_bytes()]),
            Self::Ip(IpAddr::V4(address)) => der::write(tag::context(7), &[&address.octets()]),
            Self::Ip(IpAddr::V6(address)) => der::write(tag::context(7), &[&address.octets()]),
        }
    }
}

/// As a person would type it: `billing.example`, `10.0.0.7`.
impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

/// A request that is still to be signed: for a TLS server and client of these names.
#[derive(Debug, Clone)]
pub struct RequestBody {
    der: Vec<u8>,
}

impl RequestBody {
    /// `subject` is an encoded Name, `spki` an encoded subjectPublicKeyInfo; `names` are asked for in this order.
    ///
    /// Asks for digitalSignature (and keyEncipherment where the key is RSA, for old cipher suites), serverAuth and
    /// clientAuth. The private key is not seen: whoever holds it signs [`RequestBody::der`].
    ///
    /// # Errors
    /// [`ReadError`] where subject or key are not what they should be.
    pub fn new(subject: &[u8], spki: &[u8], names: &[LinkName]) -> Result<Self, ReadError> {
        Name::parse(subject, 0)?;
        let is_rsa = PublicKey::parse(spki, 0)?.rsa().is_some();
        let mut usage = KeyUsage::DIGITAL_SIGNATURE;
        if is_rsa {
            usage |= KeyUsage::KEY_ENCIPHERMENT;
        }
        let mut extensions = Vec::new();
        if !names.is_empty() {
            let names: Vec<Vec<u8>> = names.iter().map(LinkName::der).collect();
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            extensions.push(extension(
                oid::SUBJECT_ALT_NAME,
                false,
                &der::write_sequence(&names),
            ));
        }
        extensions.push(extension(oid::KEY_USAGE, true, &usage_bits(usage)));
        let purposes = [der::write_oid(oid::SERVER_AUTH), der::write_oid(oid::CLIENT_AUTH)];
        let purposes: Vec<&[u8]> = purposes.iter().map(Vec::as_slice).collect();
        extensions.push(extension(
            oid::EXTENDED_KEY_USAGE,
            false,
            &der::write_sequence(&purposes),
        ));
        let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
        let attribute = der::write_sequence(&[
            &der::write_oid(oid::EXTENSION_REQUEST),
            &der::write(tag::SET, &[&der::write_sequence(&extensions)]),
        ]);
        let attributes = der::write(tag::context_constructed(0), &[&attribute]);
        let der = der::write_sequence(&[&der::write_u64(0), subject, spki, &attributes]);
        Ok(Self { der })
    }

    /// What is signed.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The whole request in PEM. `algorithm` names how `signature` over [`RequestBody::der`] was made.
    pub fn pem(&self, algorithm: Oid<'_>, signature: &[u8]) -> String {
        let parameters = match algorithm {
            oid::SHA256_RSA => der::write_null(),
            _ => Vec::new(),
        };
        let algorithm = der::write_algorithm(algorithm, &parameters);
        let whole = der::write_sequence(&[&self.der, &algorithm, &der::write_bits(signature)]);
        let text = STANDARD.encode(whole);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
            .collect();
        format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            lines.join("\n")
        )
    }
}

fn extension(kind: Oid<'_>, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical {
        der::write(tag::BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    der::write_sequence(&[&der::write_oid(kind), &flag, &der::write_octets(value)])
}

/// A BIT STRING of named bits: bit 0 is the highest of its octet, zeros at the end are left out (X.690 11.2.2).
fn usage_bits(usage: u16) -> Vec<u8> {
    let octet = (usage as u8).reverse_bits();
    der::write(tag::BIT_STRING, &[&[octet.trailing_zeros() as u8], &[octet]])
}

fn read_attributes(mut attributes: Der<'_>) -> Result<Vec<Extension<'_>>, ReadError> {
    let mut extensions = Vec::new();
    while !attributes.is_empty() {
        let mut parts = attributes.sequence("attribute")?;
        let kind = parts.expect(tag::OID, "attribute type")?.oid("attribute type")?;
        let mut values = parts.expect(tag::SET, "attribute values")?.children();
        if kind != oid::EXTENSION_REQUEST {
            continue;
        }
        let mut rows = values.sequence("extension request")?;
        while !rows.is_empty() {
            extensions.push(Extension::read(&mut rows)?);
        }
    }
    Ok(extensions)
}

#[cfg(test)]
mod tests;
