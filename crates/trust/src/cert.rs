//! Borrowed view over one certificate: what the rules look at, decoded once.

use std::borrow::Cow;

use keystore::Certificate;

use crate::algorithm::{Key, Signed};
use crate::asn1::{self, Element};
use crate::dn::{self, Naming};
use crate::extension::{Extensions, KnownExtension};

/// A certificate as the rules see it. Fields borrow from the DER.
pub(crate) struct Cert<'a> {
    pub source: &'a Certificate,
    pub tbs: &'a [u8],
    /// 1, 2 or 3.
    pub version: u8,
    pub serial: &'a [u8],
    /// Whole AlgorithmIdentifier inside the signed part, and the one outside.
    pub inner_algorithm: &'a [u8],
    pub outer_algorithm: &'a [u8],
    pub signed: Signed,
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    /// Canonical forms, see [`dn::canonical`].
    pub issuer_canonical: Cow<'a, [u8]>,
    pub subject_canonical: Cow<'a, [u8]>,
    pub not_before: Time,
    pub not_after: Time,
    pub spki: &'a [u8],
    pub key: Key,
    pub signature: &'a [u8],
    pub extensions: Extensions<'a>,
}

/// A moment of the validity period.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    pub unix: i64,
    /// Written with a fraction of a second, which RFC 5280 4.1.2.5.2 forbids.
    pub has_fraction: bool,
}

impl<'a> Cert<'a> {
    /// Decodes what the rules need. `naming`: when the runtime takes two names as one. `Err` names the first part that is
    /// no X.509.
    pub(crate) fn read(source: &'a Certificate, naming: Naming) -> Result<Self, &'static str> {
        let whole = asn1::only(source.der(), asn1::SEQUENCE).ok_or("certificate")?;
        let mut outer = whole.inside();
        let tbs = outer.expect(asn1::SEQUENCE).ok_or("signed part")?;
        let outer_algorithm = outer.expect(asn1::SEQUENCE).ok_or("signature algorithm")?;
        let signature = outer
            .expect(asn1::BIT_STRING)
            .and_then(whole_octets)
            .ok_or("signature")?;
        let mut fields = tbs.inside();
        let version = match fields.optional(0xa0) {
            None => 1,
            Some(tagged) => match tagged.inside().expect(asn1::INTEGER).map(|number| number.content) {
                Some([0]) => 1,
                Some([1]) => 2,
                Some([2]) => 3,
                _ => return Err("version"),
            },
        };
        let serial = fields.expect(asn1::INTEGER).ok_or("serial number")?;
        let inner_algorithm = fields.expect(asn1::SEQUENCE).ok_or("signature algorithm")?;
        let issuer = fields.expect(asn1::SEQUENCE).ok_or("issuer")?;
        let validity = fields.expect(asn1::SEQUENCE).ok_or("validity")?;
        let subject = fields.expect(asn1::SEQUENCE).ok_or("subject")?;
        let spki = fields.expect(asn1::SEQUENCE).ok_or("public key")?;
        fields.optional(0x81);
        fields.optional(0x82);
        let extensions = match fields.optional(0xa3) {
            Some(tagged) => {
                tagged
                    .inside()
                    .expect(asn1::SEQUENCE)
                    .ok_or("extensions")?
                    .content
            }
            None => &[],
        };
        let mut times = validity.inside();
        Ok(Self {
            source,
            tbs: tbs.full,
            version,
            serial: serial.content,
            inner_algorithm: inner_algorithm.full,
            outer_algorithm: outer_algorithm.full,
            signed: Signed::read(outer_algorithm),
            issuer: issuer.full,
            subject: subject.full,
            issuer_canonical: dn::canonical(issuer.full, naming).ok_or("issuer")?,
            subject_canonical: dn::canonical(subject.full, naming).ok_or("subject")?,
            not_before: times.any().and_then(time).ok_or("notBefore")?,
            not_after: times.any().and_then(time).ok_or("notAfter")?,
            spki: spki.full,
            key: Key::read(spki),
            signature,
            extensions: Extensions::read(extensions).ok_or("extensions")?,
        })
    }

    /// The same bytes.
    pub(crate) fn is(&self, other: &Cert<'_>) -> bool {
        self.source.der() == other.source.der()
    }

    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer_canonical == self.subject_canonical
    }

    /// basicConstraints says CA:TRUE.
    pub(crate) fn is_ca(&self) -> bool {
        self.extensions.basic.is_some_and(|basic| basic.ca)
    }

    /// keyUsage is absent or has one of these bits (first bit = 0x8000, digitalSignature).
    pub(crate) fn may(&self, bits: u16) -> bool {
        self.extensions.key_usage.is_none_or(|usage| usage & bits != 0)
    }

    /// The inner and the outer algorithm identifier are the same bytes (RFC 5280 4.1.1.2).
    pub(crate) fn has_consistent_algorithm(&self) -> bool {
        self.inner_algorithm == self.outer_algorithm
    }

    /// Critical extensions outside `known`.
    pub(crate) fn unknown_critical(&self, known: &[KnownExtension]) -> Vec<String> {
        self.extensions.critical_outside(known)
    }
}

fn whole_octets(bits: Element<'_>) -> Option<&[u8]> {
    match bits.content.split_first() {
        Some((0, octets)) => Some(octets),
        _ => None,
    }
}

fn time(element: Element<'_>) -> Option<Time> {
    let text = std::str::from_utf8(element.content).ok()?;
    let text = text.strip_suffix('Z')?;
    let (text, has_fraction) = match text.split_once('.') {
        Some((whole, _)) => (whole, true),
        None => (text, false),
    };
    if !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (element.tag, text.len()) {
        (0x17, 10 | 12) => {
            let year: i64 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        (0x18, 12 | 14) => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let pair = |at: usize| {
        rest.get(at..at + 2)
            .map_or(Some(0), |digits| digits.parse::<i64>().ok())
    };
    let days = days_from_civil(year, pair(0)?, pair(2)?);
    let unix = days * 86_400 + pair(4)? * 3_600 + pair(6)? * 60 + pair(8)?;
    Some(Time { unix, has_fraction })
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
