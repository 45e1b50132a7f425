//! The names of symmetric keys' algorithms, where a store holds an OID and Java a name.
//!
//! Source: OpenJDK 17 `sun.security.util.KnownOIDs`; BouncyCastle 1.72 `BcFKSKeyStoreSpi`.

use crate::der::{self, Der, tag};
use crate::oid::{self, Oid};
use crate::reader::ReadError;
use crate::secret::SecretKey;
use crate::sniff::Format;

/// Java's name, else the dotted OID.
pub(crate) fn name_of(oid: Oid<'_>) -> String {
    let known = NAMES.iter().find(|row| row.0 == oid);
    known.map_or_else(|| oid.to_string(), |row| row.1.to_owned())
}

/// The encoded OBJECT IDENTIFIER that stands for `name` in a store of this format; `None` when it has none.
pub(crate) fn oid_of(name: &str, format: Format) -> Option<Vec<u8>> {
    let is_same = |row: &&(Oid<'_>, &str)| row.1.eq_ignore_ascii_case(name);
    let known = if format == Format::Bcfks {
        NAMES.iter().rev().find(is_same)
    } else {
        NAMES.iter().find(is_same)
    };
    match known {
        Some(row) => Some(der::write_oid(row.0)),
        None => der::write_dotted_oid(name),
    }
}

/// A secret key as PKCS#12 holds it: SEQUENCE{ 0, SEQUENCE{ OID, NULL }, OCTET STRING }.
pub(crate) fn write_frame(key: &SecretKey, format: Format) -> Option<Vec<u8>> {
    let oid = oid_of(key.algorithm(), format)?;
    let algorithm = der::write_sequence(&[&oid, &der::write_null()]);
    Some(der::write_sequence(&[
        &der::write_u64(0),
        &algorithm,
        &der::write_octets(key.raw()),
    ]))
}

/// The key in such a frame.
///
/// # Errors
/// [`ReadError`] with the offset from the start of the frame.
pub(crate) fn read_frame(frame: &[u8]) -> Result<SecretKey, ReadError> {
    let mut fields = der::only(frame, 0, tag::SEQUENCE, "secret key")?.children();
    fields.expect(tag::INTEGER, "version")?;
    let mut algorithm = fields.sequence("secret key algorithm")?;
    read_rest(&mut algorithm, &mut fields)
}

/// The OID at the start of `algorithm` and the octets at the start of `fields`.
pub(crate) fn read_rest(algorithm: &mut Der<'_>, fields: &mut Der<'_>) -> Result<SecretKey, ReadError> {
    let what = "secret key algorithm";
    let name = name_of(algorithm.expect(tag::OID, what)?.oid(what)?);
    let raw = fields.any("secret key")?.octets()?;
    Ok(SecretKey::new(name, raw.as_ref()))
}

/// Of two OIDs with one name, PKCS#12 takes the first and BCFKS the last.
#[rustfmt::skip]
const NAMES: [(Oid<'static>, &str); 12] = [
    (oid::HMAC_SHA1, "HmacSHA1"),
    (oid::HMAC_SHA224, "HmacSHA224"),
    (oid::HMAC_SHA256, "HmacSHA256"),
    (oid::HMAC_SHA384, "HmacSHA384"),
    (oid::HMAC_SHA512, "HmacSHA512"),
    (oid::RC4, "ARCFOUR"),
    (oid::DES_EDE3_CBC, "DESede"),
    (oid::DES_EDE, "DESede"),
    (oid::DES_CBC, "DES/CBC"),
    (oid::DES_CBC, "DES"),
    (oid::AES, "AES"),
    (oid::PBE_MD5_DES, "PBEWithMD5AndDES"),
];
