//! Certificate requests (PKCS#10), as far as inspection needs them.

use crate::certificate::{self, Algorithm};
use crate::der::{self, Der, tag};
use crate::extension::Extension;
use crate::name::Name;
use crate::oid;
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

    /// The public key.
    pub fn public_key(&self) -> PublicKey<'a> {
        PublicKey::parse(self.spki, 0).expect("parse() walked the same bytes")
    }
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
