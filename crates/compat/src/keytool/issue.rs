//! Certificates, requests and revocation lists, put together and signed.
//!
//! Our own encoder writes them: no library offers the order of extensions, the DSA and Ed448 keys and the names of the
//! original at once.

use keystore::der::{self, tag};
use keystore::{Certificate, Entropy, PrivateKey};

use crate::io::SystemEntropy;
use crate::keytool::fault::{self, Result};
use crate::keytool::keys;

/// What a certificate says.
pub(crate) struct Draft<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    /// `SEQUENCE OF Extension`; none when empty.
    pub(crate) extensions: &'a [u8],
}

/// Signs a certificate of version 3, with a random serial number of 64 bits.
pub(crate) fn certificate(draft: &Draft<'_>, key: &PrivateKey, algorithm: &str) -> Result<Certificate> {
    certificate_as(draft, (3, None), key, algorithm)
}

/// Signs a certificate of that version and serial number; extensions are for version 3 only.
pub(crate) fn certificate_as(
    draft: &Draft<'_>,
    (version, number): (u8, Option<&[u8]>),
    key: &PrivateKey,
    algorithm: &str,
) -> Result<Certificate> {
    // A signature over nothing tells how the algorithm is written.
    let identifier = keys::sign(key, algorithm, b"")?.algorithm;
    let extensions = match draft.extensions.is_empty() {
        true => Vec::new(),
        false => der::write(tag::context_constructed(3), &[draft.extensions]),
    };
    let version = match version {
        1 => Vec::new(),
        other => der::write(
            tag::context_constructed(0),
            &[&der::write_u64(u64::from(other) - 1)],
        ),
    };
    let body = der::write_sequence(&[
        &version,
        &number.map_or_else(serial, der::write_unsigned),
        &identifier,
        draft.issuer,
        &der::write_sequence(&[&time(draft.not_before)?, &time(draft.not_after)?]),
        draft.subject,
        draft.spki,
        &extensions,
    ]);
    let der = signed(&body, key, algorithm)?;
    Certificate::parse(&der).map_err(|error| fault::io_fault(error.to_string()))
}

/// Signs a request that asks for the extensions given.
pub(crate) fn request(
    subject: &[u8],
    spki: &[u8],
    extensions: &[u8],
    key: &PrivateKey,
    algorithm: &str,
) -> Result<Vec<u8>> {
    let attribute = der::write_sequence(&[
        &der::write_oid(keystore::oid::EXTENSION_REQUEST),
        &der::write(tag::SET, &[extensions]),
    ]);
    let body = der::write_sequence(&[
        &der::write_u64(0),
        subject,
        spki,
        &der::write(tag::context_constructed(0), &[&attribute]),
    ]);
    signed(&body, key, algorithm)
}

/// Signs a revocation list. `revoked` holds the encoded entries.
pub(crate) fn revocation_list(
    issuer: &[u8],
    times: (i64, i64),
    revoked: &[Vec<u8>],
    key: &PrivateKey,
    algorithm: &str,
) -> Result<Vec<u8>> {
    let identifier = keys::sign(key, algorithm, b"")?.algorithm;
    let rows: Vec<&[u8]> = revoked.iter().map(Vec::as_slice).collect();
    let rows = if rows.is_empty() {
        Vec::new()
    } else {
        der::write_sequence(&rows)
    };
    let (this, next) = (time(times.0)?, time(times.1)?);
    let body = der::write_sequence(&[&der::write_u64(1), &identifier, issuer, &this, &next, &rows]);
    signed(&body, key, algorithm)
}

/// UTCTime up to 2049, GeneralizedTime after.
pub(crate) fn time(unix: i64) -> Result<Vec<u8>> {
    let moment = jiff::Timestamp::from_second(unix)
        .map_err(|_| fault::plain(format!("the date {unix} seconds after 1970 cannot be written")))?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC);
    let (kind, format) = match moment.year() {
        1950..2050 => (tag::UTC_TIME, "%y%m%d%H%M%SZ"),
        _ => (tag::GENERALIZED_TIME, "%Y%m%d%H%M%SZ"),
    };
    Ok(der::write(
        kind,
        &[moment.strftime(format).to_string().as_bytes()],
    ))
}

fn signed(body: &[u8], key: &PrivateKey, algorithm: &str) -> Result<Vec<u8>> {
    let made = keys::sign(key, algorithm, body)?;
    Ok(der::write_sequence(&[
        body,
        &made.algorithm,
        &der::write_bits(&made.signature),
    ]))
}

fn serial() -> Vec<u8> {
    let mut bytes = [0; 8];
    while bytes == [0; 8] {
        SystemEntropy.fill(&mut bytes);
    }
    der::write_unsigned(&bytes)
}
