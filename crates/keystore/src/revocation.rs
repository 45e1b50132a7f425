//! Certificate revocation lists, as far as inspection needs them.

use crate::certificate::{self, Algorithm};
use crate::der::{self, tag};
use crate::name::Name;
use crate::reader::ReadError;
use crate::time;

/// A revocation list, borrowed. Source: RFC 5280 5.1.
#[derive(Debug, Clone)]
pub struct RevocationList<'a> {
    /// The whole list.
    pub der: &'a [u8],
    /// The part that is signed.
    pub tbs: &'a [u8],
    /// Who signed it, by its own words.
    pub issuer: Name<'a>,
    /// When it was made, seconds since 1970.
    pub this_update: i64,
    /// When the next one comes, where it says so.
    pub next_update: Option<i64>,
    /// Serial numbers (content octets) and when each was revoked, in file order.
    pub revoked: Vec<(&'a [u8], i64)>,
    /// How it is signed.
    pub signature_algorithm: Algorithm<'a>,
    /// The signature's octets.
    pub signature: &'a [u8],
}

impl<'a> RevocationList<'a> {
    /// Reads one list; nothing may follow it. The signature is not checked.
    ///
    /// # Errors
    /// [`ReadError`] with the offset from the start of `der`.
    pub fn parse(der: &'a [u8]) -> Result<Self, ReadError> {
        let mut parts = der::only(der, 0, tag::SEQUENCE, "revocation list")?.children();
        let tbs = parts.expect(tag::SEQUENCE, "tbsCertList")?;
        let algorithm = certificate::algorithm(&mut parts)?;
        let (_, signature) = parts.expect(tag::BIT_STRING, "signature")?.bits("signature")?;
        parts.finish("signature")?;
        let mut rows = tbs.children();
        rows.optional(tag::INTEGER, "version")?;
        certificate::algorithm(&mut rows)?;
        let issuer = rows.expect(tag::SEQUENCE, "issuer")?;
        let this_update = time::read(rows.any("thisUpdate")?, "thisUpdate")?;
        let next_update = match rows.peek_tag() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => {
                Some(time::read(rows.any("nextUpdate")?, "nextUpdate")?)
            }
            _ => None,
        };
        let mut revoked = Vec::new();
        if let Some(list) = rows.optional(tag::SEQUENCE, "revoked certificates")? {
            let mut items = list.children();
            while !items.is_empty() {
                let mut item = items.sequence("revoked certificate")?;
                let serial = item.expect(tag::INTEGER, "serial number")?.content;
                revoked.push((
                    serial,
                    time::read(item.any("revocation date")?, "revocation date")?,
                ));
            }
        }
        rows.optional(tag::context_constructed(0), "extensions")?;
        rows.finish("extensions")?;
        Ok(Self {
            der,
            tbs: tbs.full,
            issuer: Name::parse(issuer.full, issuer.offset)?,
            this_update,
            next_update,
            revoked,
            signature_algorithm: Algorithm::parse(algorithm.full, algorithm.offset)?,
            signature,
        })
    }
}
