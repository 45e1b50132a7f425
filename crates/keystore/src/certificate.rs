//! A certificate as it stands in a store: its bytes, and a view that is parsed once.
//!
//! The view is lenient where real stores hold odd certificates (padded lengths, negative serials): what a runtime
//! would refuse is for `trust` to say; here the certificate must be seen, named and kept.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use sha1::Digest;

use crate::der::{self, Der, Element, tag};
use crate::extension::Extension;
use crate::name::Name;
use crate::oid::{self, Oid};
use crate::public_key::PublicKey;
use crate::reader::ReadError;
use crate::time;

/// One X.509 certificate. Cloning shares the bytes; comparing compares the bytes.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    der: Box<[u8]>,
    tbs: Range<usize>,
    version: u8,
    serial: Range<usize>,
    inner_algorithm: Range<usize>,
    issuer: Range<usize>,
    validity: Validity,
    subject: Range<usize>,
    spki: Range<usize>,
    extensions: Vec<ExtensionSpan>,
    algorithm: Range<usize>,
    signature: Range<usize>,
    signature_element: Range<usize>,
}

struct ExtensionSpan {
    oid: Range<usize>,
    critical: bool,
    value: Range<usize>,
}

/// From when to when a certificate is valid, both ends included, in seconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: i64,
    /// Last second.
    pub not_after: i64,
}

impl Validity {
    /// Whether `now` (seconds since 1970) lies inside.
    pub fn contains(&self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

impl Certificate {
    /// Reads one certificate; nothing may follow it.
    ///
    /// # Errors
    /// [`ReadError`] with the offset from the start of `der`, when the outer structure, a name, a date, the key's frame
    /// or the list of extensions cannot be walked. Values of extensions are not looked at here.
    ///
    /// Cost: one pass over the structure, one copy of the bytes.
    pub fn parse(der: &[u8]) -> Result<Self, ReadError> {
        let whole = der::only(der, 0, tag::SEQUENCE, "certificate")?;
        let mut parts = whole.children();
        let tbs = parts.expect(tag::SEQUENCE, "tbsCertificate")?;
        let algorithm = algorithm(&mut parts)?;
        let signature = parts.expect(tag::BIT_STRING, "signature")?;
        let (_, bits) = signature.bits("signature")?;
        parts.finish("signature")?;
        let mut rows = tbs.children();
        let version = read_version(&mut rows)?;
        let serial = rows.expect(tag::INTEGER, "serial number")?;
        let inner_algorithm = self::algorithm(&mut rows)?;
        let issuer = rows.expect(tag::SEQUENCE, "issuer")?;
        Name::parse(issuer.full, issuer.offset)?;
        let validity = read_validity(&mut rows)?;
        let subject = rows.expect(tag::SEQUENCE, "subject")?;
        Name::parse(subject.full, subject.offset)?;
        let spki = rows.expect(tag::SEQUENCE, "subjectPublicKeyInfo")?;
        PublicKey::parse(spki.full, spki.offset)?;
        for unique_id in [1, 2] {
            rows.optional(tag::context(unique_id), "unique identifier")?;
        }
        let extensions = match rows.optional(tag::context_constructed(3), "extensions")? {
            Some(wrapped) => read_extensions(&wrapped)?,
            None => Vec::new(),
        };
        rows.finish("extensions")?;
        let signature_start = signature.content_offset + (signature.content.len() - bits.len());
        Ok(Self {
            inner: Arc::new(Inner {
                tbs: span(&tbs),
                version,
                serial: content_span(&serial),
                inner_algorithm: span(&inner_algorithm),
                issuer: span(&issuer),
                validity,
                subject: span(&subject),
                spki: span(&spki),
                extensions,
                algorithm: span(&algorithm),
                signature: signature_start..signature_start + bits.len(),
                signature_element: span(&signature),
                der: der.into(),
            }),
        })
    }

    /// As [`Certificate::parse`], for readers that keep what is no certificate as something else.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        Self::parse(der).ok()
    }

    /// The whole certificate as it stood in the store.
    pub fn der(&self) -> &[u8] {
        &self.inner.der
    }

    /// The part that is signed, as it stands in the certificate.
    pub fn tbs(&self) -> &[u8] {
        self.part(&self.inner.tbs)
    }

    /// The version as people count it: 1, 2 or 3 (other numbers as found).
    pub fn version(&self) -> u8 {
        self.inner.version
    }

    /// The serial number's content octets: big-endian, two's complement, sign octet included.
    pub fn serial(&self) -> &[u8] {
        self.part(&self.inner.serial)
    }

    /// The serial number in lower-case hex without leading zeros, as keytool prints it; a negative one has `-` in front.
    pub fn serial_hex(&self) -> String {
        serial_hex(self.serial())
    }

    /// The signature algorithm that stands beside the signature.
    pub fn signature_algorithm(&self) -> Algorithm<'_> {
        Algorithm {
            der: self.part(&self.inner.algorithm),
        }
    }

    /// The signature algorithm inside the signed part; it must equal the other one (RFC 5280 4.1.1.2).
    pub fn inner_signature_algorithm(&self) -> Algorithm<'_> {
        Algorithm {
            der: self.part(&self.inner.inner_algorithm),
        }
    }

    /// The signature's octets.
    pub fn signature(&self) -> &[u8] {
        self.part(&self.inner.signature)
    }

    /// The signature's BIT STRING, tag and length included.
    pub fn signature_element(&self) -> &[u8] {
        self.part(&self.inner.signature_element)
    }

    /// Who signed it, by its own words.
    pub fn issuer(&self) -> Name<'_> {
        name(self.part(&self.inner.issuer))
    }

    /// Whom it is for.
    pub fn subject(&self) -> Name<'_> {
        name(self.part(&self.inner.subject))
    }

    /// From when to when it is valid.
    pub fn validity(&self) -> Validity {
        self.inner.validity
    }

    /// subjectPublicKeyInfo, encoded.
    pub fn spki(&self) -> &[u8] {
        self.part(&self.inner.spki)
    }

    /// The public key, its kind and size.
    pub fn public_key(&self) -> PublicKey<'_> {
        PublicKey::parse(self.spki(), self.inner.spki.start).expect("parse() walked the same bytes")
    }

    /// All extensions in file order, duplicates included.
    pub fn extensions(&self) -> impl ExactSizeIterator<Item = Extension<'_>> {
        self.inner.extensions.iter().map(|span| Extension {
            oid: Oid::from_content(self.part(&span.oid)).expect("parse() checked the identifier"),
            critical: span.critical,
            value: self.part(&span.value),
            offset: span.value.start,
        })
    }

    /// The first extension of this type.
    pub fn extension(&self, oid: Oid<'_>) -> Option<Extension<'_>> {
        self.extensions().find(|extension| extension.oid == oid)
    }

    /// Whether issuer and subject are the same name (a root, or a renewal by the same authority). The signature is not
    /// looked at.
    pub fn is_self_issued(&self) -> bool {
        self.issuer().is_same(&self.subject())
    }

    /// Whether this certificate names `issuer` as its issuer. The signature is not looked at; when both have key
    /// identifiers they must agree.
    pub fn names_as_issuer(&self, issuer: &Certificate) -> bool {
        if !self.issuer().is_same(&issuer.subject()) {
            return false;
        }
        let wanted = self
            .authority_key_identifier()
            .ok()
            .flatten()
            .and_then(|id| id.key_identifier);
        let present = issuer.subject_key_identifier().ok().flatten();
        match (wanted, present) {
            (Some(wanted), Some(present)) => wanted == present,
            _ => true,
        }
    }

    /// SHA-256 over the whole certificate.
    pub fn sha256(&self) -> [u8; 32] {
        sha2::Sha256::digest(self.der()).into()
    }

    /// SHA-1 over the whole certificate: a name that tools print, not a proof.
    pub fn sha1(&self) -> [u8; 20] {
        sha1::Sha1::digest(self.der()).into()
    }

    /// SHA-256 over subjectPublicKeyInfo.
    pub fn spki_sha256(&self) -> [u8; 32] {
        sha2::Sha256::digest(self.spki()).into()
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        &self.inner.der[range.clone()]
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.inner.der == other.inner.der
    }
}

impl Eq for Certificate {}

impl PartialOrd for Certificate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Certificate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.inner.der.cmp(&other.inner.der)
    }
}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.der.hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({:?}, serial {})",
            self.subject().to_string(),
            self.serial_hex()
        )
    }
}

/// An AlgorithmIdentifier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Algorithm<'a> {
    der: &'a [u8],
}

impl<'a> Algorithm<'a> {
    /// Takes the DER of an AlgorithmIdentifier (a SEQUENCE) and checks its frame.
    ///
    /// # Errors
    /// Any [`ReadError`]; `origin` is where `der` starts in its file.
    pub fn parse(der: &'a [u8], origin: usize) -> Result<Self, ReadError> {
        let mut parts = der::only(der, origin, tag::SEQUENCE, "algorithm")?.children();
        parts
            .expect(tag::OID, "algorithm identifier")?
            .oid("algorithm identifier")?;
        Ok(Self { der })
    }

    /// The encoded AlgorithmIdentifier.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// Which algorithm.
    pub fn oid(&self) -> Oid<'a> {
        self.parts().0
    }

    /// The encoded parameters; empty when absent.
    pub fn parameters(&self) -> &'a [u8] {
        self.parts().1
    }

    fn parts(&self) -> (Oid<'a>, &'a [u8]) {
        let mut parts = Der::new(self.der)
            .sequence("algorithm")
            .expect("parse() walked it");
        let element = parts.any("algorithm identifier").expect("parse() walked it");
        (
            element.oid("algorithm identifier").expect("parse() walked it"),
            parts.rest(),
        )
    }
}

/// The name people use, `SHA256withRSA`; dotted numbers for an algorithm that is not listed.
impl fmt::Display for Algorithm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let oid = self.oid();
        match ALGORITHM_NAMES.iter().find(|(known, _)| *known == oid) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{oid}"),
        }
    }
}

impl fmt::Debug for Algorithm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Algorithm({self})")
    }
}

/// Hex of an INTEGER's content octets, as [`Certificate::serial_hex`] shows it.
pub(crate) fn serial_hex(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    let mut digits = content.to_vec();
    if negative {
        let mut carry = true;
        for digit in digits.iter_mut().rev() {
            let (sum, over) = (!*digit).overflowing_add(u8::from(carry));
            *digit = sum;
            carry = over;
        }
    }
    let mut out = String::from(if negative { "-" } else { "" });
    let hex: String = digits.iter().map(|digit| format!("{digit:02x}")).collect();
    match hex.trim_start_matches('0') {
        "" => out.push('0'),
        digits => out.push_str(digits),
    }
    out
}

/// Reads the next AlgorithmIdentifier of a row.
pub(crate) fn algorithm<'a>(parts: &mut Der<'a>) -> Result<Element<'a>, ReadError> {
    let element = parts.expect(tag::SEQUENCE, "signature algorithm")?;
    Algorithm::parse(element.full, element.offset)?;
    Ok(element)
}

/// Reads `SEQUENCE OF Extension` inside its explicit tag.
fn read_extensions(wrapped: &Element<'_>) -> Result<Vec<ExtensionSpan>, ReadError> {
    let mut outer = wrapped.children();
    let mut rows = outer.sequence("extensions")?;
    outer.finish("extensions")?;
    let mut spans = Vec::new();
    while !rows.is_empty() {
        let mut parts = rows.sequence("extension")?;
        let oid = parts.expect(tag::OID, "extension identifier")?;
        oid.oid("extension identifier")?;
        let critical = parts
            .optional(tag::BOOLEAN, "critical")?
            .is_some_and(|flag| flag.content != [0]);
        let value = parts.expect(tag::OCTET_STRING, "extension value")?;
        parts.finish("extension value")?;
        spans.push(ExtensionSpan {
            oid: content_span(&oid),
            critical,
            value: content_span(&value),
        });
    }
    Ok(spans)
}

fn read_version(rows: &mut Der<'_>) -> Result<u8, ReadError> {
    let Some(wrapped) = rows.optional(tag::context_constructed(0), "version")? else {
        return Ok(1);
    };
    let mut inner = wrapped.children();
    let version = inner.expect(tag::INTEGER, "version")?;
    inner.finish("version")?;
    let number = version.unsigned("version")?;
    u8::try_from(number + 1).map_err(|_| ReadError::BadValue {
        what: "version",
        offset: version.offset,
    })
}

fn read_validity(rows: &mut Der<'_>) -> Result<Validity, ReadError> {
    let mut dates = rows.sequence("validity")?;
    let not_before = time::read(dates.any("notBefore")?, "notBefore")?;
    let not_after = time::read(dates.any("notAfter")?, "notAfter")?;
    dates.finish("validity")?;
    Ok(Validity {
        not_before,
        not_after,
    })
}

fn name(der: &[u8]) -> Name<'_> {
    Name::parse(der, 0).expect("parse() walked the same bytes")
}

fn span(element: &Element<'_>) -> Range<usize> {
    element.offset..element.offset + element.full.len()
}

fn content_span(element: &Element<'_>) -> Range<usize> {
    element.content_offset..element.content_offset + element.content.len()
}

const ALGORITHM_NAMES: &[(Oid<'static>, &str)] = &[
    (oid::DSA, "DSA"),
    (oid::DSA_SHA1, "SHA1withDSA"),
    (oid::DSA_SHA256, "SHA256withDSA"),
    (oid::EC, "EC"),
    (oid::ECDSA_SHA1, "SHA1withECDSA"),
    (oid::ECDSA_SHA224, "SHA224withECDSA"),
    (oid::ECDSA_SHA256, "SHA256withECDSA"),
    (oid::ECDSA_SHA384, "SHA384withECDSA"),
    (oid::ECDSA_SHA512, "SHA512withECDSA"),
    (oid::ED25519, "Ed25519"),
    (oid::ED448, "Ed448"),
    (oid::MD2_RSA, "MD2withRSA"),
    (oid::MD5_RSA, "MD5withRSA"),
    (oid::RSA, "RSA"),
    (oid::RSA_PSS, "RSASSA-PSS"),
    (oid::SHA1_RSA, "SHA1withRSA"),
    (oid::SHA1_RSA_OIW, "SHA1withRSA"),
    (oid::SHA224_RSA, "SHA224withRSA"),
    (oid::SHA256_RSA, "SHA256withRSA"),
    (oid::SHA384_RSA, "SHA384withRSA"),
    (oid::SHA512_RSA, "SHA512withRSA"),
];
