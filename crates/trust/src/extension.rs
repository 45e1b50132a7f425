//! Extensions of a certificate, decoded once.

use std::collections::BTreeSet;

use crate::asn1::{self, Element};

/// The extensions a runtime may know. The number is the last arc below 2.5.29 where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KnownExtension {
    AuthorityInfoAccess,
    AuthorityKeyId,
    BasicConstraints,
    CertificatePolicies,
    CrlDistributionPoints,
    ExtendedKeyUsage,
    FreshestCrl,
    InhibitAnyPolicy,
    IssuerAltName,
    KeyUsage,
    NameConstraints,
    NetscapeCertType,
    OcspNoCheck,
    PolicyConstraints,
    PolicyMappings,
    PrivateKeyUsage,
    SubjectAltName,
    SubjectDirectory,
    SubjectInfoAccess,
    SubjectKeyId,
}

/// basicConstraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Basic {
    pub ca: bool,
    pub path_length: Option<u32>,
    /// pathLenConstraint was negative or too large for any use.
    pub is_odd: bool,
}

/// authorityKeyIdentifier.
#[derive(Clone, Copy, Default)]
pub(crate) struct Authority<'a> {
    pub key_id: Option<&'a [u8]>,
    /// The first directoryName of authorityCertIssuer, as an encoded Name.
    pub issuer: Option<&'a [u8]>,
    pub serial: Option<&'a [u8]>,
}

/// One GeneralName.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum General<'a> {
    Directory(&'a [u8]),
    Dns(&'a [u8]),
    Email(&'a [u8]),
    Ip(&'a [u8]),
    Other(u8),
    Uri(&'a [u8]),
}

/// nameConstraints.
#[derive(Default)]
pub(crate) struct Subtrees<'a> {
    pub permitted: Vec<General<'a>>,
    pub excluded: Vec<General<'a>>,
    /// Neither list is there, or one is there and empty.
    pub is_empty_list: bool,
    /// A minimum other than 0 or a maximum is given (RFC 5280 4.2.1.10 forbids both).
    pub has_distance: bool,
}

/// One extension as it stands there.
#[derive(Clone, Copy)]
pub(crate) struct Extension<'a> {
    pub oid: &'a [u8],
    pub critical: bool,
}

/// All extensions, known ones decoded.
#[derive(Default)]
pub(crate) struct Extensions<'a> {
    pub all: Vec<Extension<'a>>,
    pub basic: Option<Basic>,
    /// Bits from the left: 0x8000 digitalSignature … 0x0400 keyCertSign, 0x0200 cRLSign.
    pub key_usage: Option<u16>,
    pub extended: Option<Vec<&'a [u8]>>,
    pub names: Option<Vec<General<'a>>>,
    pub subject_key: Option<&'a [u8]>,
    pub authority: Option<Authority<'a>>,
    pub subtrees: Option<Subtrees<'a>>,
    /// Bits from the left: 0x80 SSL client, 0x40 SSL server, 0x04 SSL CA.
    pub netscape: Option<u8>,
    /// requireExplicitPolicy of policyConstraints.
    pub explicit_policy: Option<u32>,
    pub has_policies: bool,
    /// The same extension twice (RFC 5280 4.2 forbids it).
    pub has_duplicate: bool,
    /// The same, where both values can be decoded or are of an unknown kind.
    pub has_sound_duplicate: bool,
    /// Known extensions whose value could not be decoded.
    pub broken: Vec<KnownExtension>,
}

impl<'a> Extensions<'a> {
    /// Reads the content of the SEQUENCE of extensions; `None` when it is none.
    pub(crate) fn read(content: &'a [u8]) -> Option<Self> {
        let mut out = Self::default();
        let mut seen = BTreeSet::new();
        let mut sound = BTreeSet::new();
        let rows = asn1::Walk { rest: content }.all()?;
        for row in rows {
            let mut parts = row.inside();
            let oid = parts.expect(asn1::OID)?.content;
            let critical = parts
                .optional(asn1::BOOLEAN)
                .is_some_and(|flag| flag.content != [0]);
            let value = parts.expect(asn1::OCTET_STRING)?.content;
            out.has_duplicate |= !seen.insert(oid);
            out.all.push(Extension { oid, critical });
            match known(oid) {
                Some(known) if out.decode(known, value).is_none() => out.broken.push(known),
                _ => out.has_sound_duplicate |= !sound.insert(oid),
            }
        }
        Some(out)
    }

    /// The extension of that kind as it stands there.
    pub(crate) fn find(&self, kind: KnownExtension) -> Option<Extension<'a>> {
        self.all
            .iter()
            .copied()
            .find(|extension| known(extension.oid) == Some(kind))
    }

    pub(crate) fn is_critical(&self, kind: KnownExtension) -> bool {
        self.find(kind).is_some_and(|extension| extension.critical)
    }

    /// Whether one of these kinds stands there twice.
    pub(crate) fn has_duplicate_of(&self, kinds: &[KnownExtension]) -> bool {
        self.has_duplicate
            && kinds.iter().any(|kind| {
                let of_kind = self.all.iter().filter(|one| known(one.oid) == Some(*kind));
                of_kind.count() > 1
            })
    }

    /// Identifiers of the critical extensions that are not in `accepted`.
    pub(crate) fn critical_outside(&self, accepted: &[KnownExtension]) -> Vec<String> {
        let critical = self.all.iter().filter(|extension| extension.critical);
        critical
            .filter(|extension| known(extension.oid).is_none_or(|kind| !accepted.contains(&kind)))
            .map(|extension| asn1::oid_text(extension.oid))
            .collect()
    }

    fn decode(&mut self, kind: KnownExtension, value: &'a [u8]) -> Option<()> {
        match kind {
            KnownExtension::BasicConstraints => self.basic = Some(basic(value)?),
            KnownExtension::KeyUsage => {
                let bits = asn1::only(value, asn1::BIT_STRING)?.content.get(1..)?;
                let octet = |at: usize| u16::from(bits.get(at).copied().unwrap_or(0));
                self.key_usage = Some(octet(0) << 8 | octet(1));
            }
            KnownExtension::ExtendedKeyUsage => {
                let rows = asn1::only(value, asn1::SEQUENCE)?.inside().all()?;
                if rows.iter().any(|row| row.tag != asn1::OID) {
                    return None;
                }
                self.extended = Some(rows.iter().map(|row| row.content).collect());
            }
            KnownExtension::SubjectAltName => {
                let rows = asn1::only(value, asn1::SEQUENCE)?.inside().all()?;
                self.names = Some(rows.into_iter().map(general).collect::<Option<_>>()?);
            }
            KnownExtension::SubjectKeyId => {
                self.subject_key = Some(asn1::only(value, asn1::OCTET_STRING)?.content);
            }
            KnownExtension::AuthorityKeyId => self.authority = Some(authority(value)?),
            KnownExtension::NameConstraints => self.subtrees = Some(subtrees(value)?),
            KnownExtension::NetscapeCertType => {
                self.netscape = asn1::only(value, asn1::BIT_STRING)?.content.get(1).copied();
            }
            KnownExtension::PolicyConstraints => {
                let mut fields = asn1::only(value, asn1::SEQUENCE)?.inside();
                self.explicit_policy = fields.optional(0x80).and_then(|number| small(number.content));
            }
            KnownExtension::CertificatePolicies => {
                asn1::only(value, asn1::SEQUENCE)?.inside().all()?;
                self.has_policies = true;
            }
            _ => {}
        }
        Some(())
    }
}

fn basic(value: &[u8]) -> Option<Basic> {
    let mut fields = asn1::only(value, asn1::SEQUENCE)?.inside();
    let ca = fields
        .optional(asn1::BOOLEAN)
        .is_some_and(|flag| flag.content != [0]);
    let length = fields.optional(asn1::INTEGER);
    let path_length = length.and_then(|number| small(number.content));
    let is_odd = length.is_some() && path_length.is_none();
    fields.is_empty().then_some(Basic {
        ca,
        path_length,
        is_odd,
    })
}

fn small(number: &[u8]) -> Option<u32> {
    match number {
        [first, ..] if first & 0x80 != 0 => None,
        [] => None,
        digits if digits.len() > 4 => None,
        digits => Some(digits.iter().fold(0, |sum, &digit| sum << 8 | u32::from(digit))),
    }
}

fn authority(value: &[u8]) -> Option<Authority<'_>> {
    let mut out = Authority::default();
    for field in asn1::only(value, asn1::SEQUENCE)?.inside().all()? {
        match field.tag {
            0x80 => out.key_id = Some(field.content),
            0xa1 => {
                let names = field.inside().all()?;
                let directory = names.into_iter().find(|name| name.tag == 0xa4);
                out.issuer = directory.map(|name| name.content);
            }
            0x82 => out.serial = Some(field.content),
            _ => return None,
        }
    }
    Some(out)
}

fn general(name: Element<'_>) -> Option<General<'_>> {
    Some(match name.tag {
        0x81 => General::Email(name.content),
        0x82 => General::Dns(name.content),
        0xa4 => General::Directory(name.content),
        0x86 => General::Uri(name.content),
        0x87 => General::Ip(name.content),
        0xa0 | 0xa3 | 0xa5 | 0x88 => General::Other(name.tag),
        _ => return None,
    })
}

fn subtrees(value: &[u8]) -> Option<Subtrees<'_>> {
    let mut out = Subtrees::default();
    let lists = asn1::only(value, asn1::SEQUENCE)?.inside().all()?;
    out.is_empty_list = lists.is_empty();
    for list in lists {
        let rows = list.inside().all()?;
        out.is_empty_list |= rows.is_empty();
        for row in rows {
            let mut fields = row.inside();
            let name = general(fields.any()?)?;
            out.has_distance |= !fields.is_empty();
            match list.tag {
                0xa0 => out.permitted.push(name),
                0xa1 => out.excluded.push(name),
                _ => return None,
            }
        }
    }
    Some(out)
}

fn known(oid: &[u8]) -> Option<KnownExtension> {
    KNOWN.iter().find(|(bytes, _)| *bytes == oid).map(|row| row.1)
}

const KNOWN: &[(&[u8], KnownExtension)] = &[
    (&[0x55, 0x1d, 0x09], KnownExtension::SubjectDirectory),
    (&[0x55, 0x1d, 0x0e], KnownExtension::SubjectKeyId),
    (&[0x55, 0x1d, 0x0f], KnownExtension::KeyUsage),
    (&[0x55, 0x1d, 0x10], KnownExtension::PrivateKeyUsage),
    (&[0x55, 0x1d, 0x11], KnownExtension::SubjectAltName),
    (&[0x55, 0x1d, 0x12], KnownExtension::IssuerAltName),
    (&[0x55, 0x1d, 0x13], KnownExtension::BasicConstraints),
    (&[0x55, 0x1d, 0x1e], KnownExtension::NameConstraints),
    (&[0x55, 0x1d, 0x1f], KnownExtension::CrlDistributionPoints),
    (&[0x55, 0x1d, 0x20], KnownExtension::CertificatePolicies),
    (&[0x55, 0x1d, 0x21], KnownExtension::PolicyMappings),
    (&[0x55, 0x1d, 0x23], KnownExtension::AuthorityKeyId),
    (&[0x55, 0x1d, 0x24], KnownExtension::PolicyConstraints),
    (&[0x55, 0x1d, 0x25], KnownExtension::ExtendedKeyUsage),
    (&[0x55, 0x1d, 0x2e], KnownExtension::FreshestCrl),
    (&[0x55, 0x1d, 0x36], KnownExtension::InhibitAnyPolicy),
    (
        &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01],
        KnownExtension::AuthorityInfoAccess,
    ),
    (
        &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x0b],
        KnownExtension::SubjectInfoAccess,
    ),
    (
        &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05],
        KnownExtension::OcspNoCheck,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01],
        KnownExtension::NetscapeCertType,
    ),
];

pub(crate) const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
pub(crate) const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
pub(crate) const NETSCAPE_SGC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x04, 0x01];
pub(crate) const MICROSOFT_SGC: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0a, 0x03, 0x03];

pub(crate) const DIGITAL_SIGNATURE: u16 = 0x8000;
pub(crate) const KEY_ENCIPHERMENT: u16 = 0x2000;
pub(crate) const KEY_AGREEMENT: u16 = 0x0800;
pub(crate) const KEY_CERT_SIGN: u16 = 0x0400;
pub(crate) const CRL_SIGN: u16 = 0x0200;
