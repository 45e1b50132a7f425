//! Extensions of certificates and requests, raw and decoded.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::certificate::Certificate;
use crate::der::{self, Der, Element, tag};
use crate::name::Name;
use crate::oid::{self, Oid};
use crate::reader::ReadError;

/// One extension as it stands in the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its type.
    pub oid: Oid<'a>,
    /// Whether whoever does not understand it must refuse the certificate.
    pub critical: bool,
    /// The content of its OCTET STRING.
    pub value: &'a [u8],
    /// Where the value starts, from the start of the certificate.
    pub offset: usize,
}

/// basicConstraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the certificate may sign others.
    pub is_authority: bool,
    /// How many intermediates may stand below it.
    pub path_length: Option<u64>,
}

/// keyUsage. Bit 0 of the standard (digitalSignature) is the lowest bit here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage {
    /// The nine bits.
    pub bits: u16,
}

impl KeyUsage {
    /// Signatures other than over certificates and CRLs.
    pub const DIGITAL_SIGNATURE: u16 = 1;
    /// Also called contentCommitment.
    pub const NON_REPUDIATION: u16 = 1 << 1;
    /// RSA key transport.
    pub const KEY_ENCIPHERMENT: u16 = 1 << 2;
    /// Rarely used.
    pub const DATA_ENCIPHERMENT: u16 = 1 << 3;
    /// Diffie-Hellman.
    pub const KEY_AGREEMENT: u16 = 1 << 4;
    /// Signs certificates.
    pub const CERTIFICATE_SIGN: u16 = 1 << 5;
    /// Signs CRLs.
    pub const CRL_SIGN: u16 = 1 << 6;
    /// Key agreement for encryption only.
    pub const ENCIPHER_ONLY: u16 = 1 << 7;
    /// Key agreement for decryption only.
    pub const DECIPHER_ONLY: u16 = 1 << 8;

    /// Whether all of these bits are set.
    pub fn allows(&self, bits: u16) -> bool {
        self.bits & bits == bits
    }
}

/// `digitalSignature, keyEncipherment`.
impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = KEY_USAGE_NAMES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.bits & (1 << bit) != 0);
        let names: Vec<&str> = set.map(|(_, name)| *name).collect();
        f.write_str(&names.join(", "))
    }
}

/// authorityKeyIdentifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthorityKeyIdentifier<'a> {
    /// The issuer's subjectKeyIdentifier.
    pub key_identifier: Option<&'a [u8]>,
    /// The issuer's issuer: encoded GeneralNames without their tag.
    pub issuer: Option<&'a [u8]>,
    /// The issuer's serial number, content octets.
    pub serial: Option<&'a [u8]>,
}

/// One name of subjectAltName.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName<'a> {
    /// A distinguished name.
    Directory(Name<'a>),
    /// A host name, as its octets stand there.
    Dns(&'a [u8]),
    /// A mailbox.
    Email(&'a [u8]),
    /// Four or sixteen octets; in name constraints eight or thirty-two. Other lengths are kept.
    Ip(&'a [u8]),
    /// x400Address, ediPartyName, otherName, or a tag of the future: tag and content.
    Other(u8, &'a [u8]),
    /// An object identifier's content.
    Registered(&'a [u8]),
    /// A URI.
    Uri(&'a [u8]),
}

impl<'a> GeneralName<'a> {
    /// Reads one GeneralName.
    ///
    /// # Errors
    /// [`ReadError`] when a directoryName cannot be walked.
    pub fn from_element(element: &Element<'a>) -> Result<Self, ReadError> {
        Ok(match element.tag {
            0x81 => Self::Email(element.content),
            0x82 => Self::Dns(element.content),
            0xa4 => Self::Directory(Name::parse(element.content, element.content_offset)?),
            0x86 => Self::Uri(element.content),
            0x87 => Self::Ip(element.content),
            0x88 => Self::Registered(element.content),
            other => Self::Other(other, element.content),
        })
    }
}

/// `DNS:host`, `IP:10.0.0.1`, as OpenSSL and keytool label them.
impl fmt::Display for GeneralName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(name) => write!(f, "dirName:{name}"),
            Self::Dns(host) => write!(f, "DNS:{}", String::from_utf8_lossy(host)),
            Self::Email(mailbox) => write!(f, "email:{}", String::from_utf8_lossy(mailbox)),
            Self::Ip(octets) => write!(f, "IP:{}", address_text(octets)),
            Self::Other(tag, content) => write!(f, "other:{tag:02x}:{}", hex(content)),
            Self::Registered(content) => match Oid::from_content(content) {
                Some(oid) => write!(f, "RID:{oid}"),
                None => write!(f, "RID:{}", hex(content)),
            },
            Self::Uri(uri) => write!(f, "URI:{}", String::from_utf8_lossy(uri)),
        }
    }
}

/// The decoded extensions of a certificate. Nothing when the extension is absent; the first one counts when it is
/// there twice.
///
/// # Errors
/// Each: [`ReadError`] with the offset from the start of the certificate when the value is malformed, which runtimes
/// take as a refusal.
impl Certificate {
    /// basicConstraints.
    pub fn basic_constraints(&self) -> Result<Option<BasicConstraints>, ReadError> {
        self.extension(oid::BASIC_CONSTRAINTS)
            .map(|extension| extension.basic_constraints())
            .transpose()
    }

    /// keyUsage.
    pub fn key_usage(&self) -> Result<Option<KeyUsage>, ReadError> {
        self.extension(oid::KEY_USAGE)
            .map(|extension| extension.key_usage())
            .transpose()
    }

    /// extKeyUsage: the purposes in file order.
    pub fn extended_key_usage(&self) -> Result<Option<Vec<Oid<'_>>>, ReadError> {
        self.extension(oid::EXTENDED_KEY_USAGE)
            .map(|extension| extension.extended_key_usage())
            .transpose()
    }

    /// subjectAltName: the names in file order.
    pub fn subject_alt_names(&self) -> Result<Option<Vec<GeneralName<'_>>>, ReadError> {
        self.extension(oid::SUBJECT_ALT_NAME)
            .map(|extension| extension.general_names())
            .transpose()
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_identifier(&self) -> Result<Option<&[u8]>, ReadError> {
        self.extension(oid::SUBJECT_KEY_IDENTIFIER)
            .map(|extension| extension.octets())
            .transpose()
    }

    /// authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Result<Option<AuthorityKeyIdentifier<'_>>, ReadError> {
        let extension = self.extension(oid::AUTHORITY_KEY_IDENTIFIER);
        extension
            .map(|extension| extension.authority_key_identifier())
            .transpose()
    }

    /// nameConstraints, encoded.
    pub fn name_constraints(&self) -> Option<&[u8]> {
        self.extension(oid::NAME_CONSTRAINTS)
            .map(|extension| extension.value)
    }
}

impl<'a> Extension<'a> {
    /// Reads the next Extension of a row.
    pub(crate) fn read(rows: &mut Der<'a>) -> Result<Self, ReadError> {
        let mut parts = rows.sequence("extension")?;
        let oid = parts
            .expect(tag::OID, "extension identifier")?
            .oid("extension identifier")?;
        let critical = parts
            .optional(tag::BOOLEAN, "critical")?
            .is_some_and(|flag| flag.content != [0]);
        let value = parts.expect(tag::OCTET_STRING, "extension value")?;
        parts.finish("extension value")?;
        Ok(Self {
            oid,
            critical,
            value: value.content,
            offset: value.content_offset,
        })
    }

    /// The value as basicConstraints.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn basic_constraints(&self) -> Result<BasicConstraints, ReadError> {
        let what = "basicConstraints";
        let mut parts = der::only(self.value, self.offset, tag::SEQUENCE, what)?.children();
        let is_authority = parts
            .optional(tag::BOOLEAN, what)?
            .is_some_and(|flag| flag.content != [0]);
        let path_length = match parts.optional(tag::INTEGER, what)? {
            Some(number) => Some(number.unsigned(what)?),
            None => None,
        };
        parts.finish(what)?;
        Ok(BasicConstraints {
            is_authority,
            path_length,
        })
    }

    /// The value as keyUsage.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn key_usage(&self) -> Result<KeyUsage, ReadError> {
        let element = der::only(self.value, self.offset, tag::BIT_STRING, "keyUsage")?;
        let (_, octets) = element.bits("keyUsage")?;
        let mut bits = 0;
        for bit in 0..9 {
            let octet = octets.get(bit / 8).copied().unwrap_or(0);
            if octet & (0x80 >> (bit % 8)) != 0 {
                bits |= 1 << bit;
            }
        }
        Ok(KeyUsage { bits })
    }

    /// The value as extKeyUsage.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn extended_key_usage(&self) -> Result<Vec<Oid<'a>>, ReadError> {
        let mut rows = der::only(self.value, self.offset, tag::SEQUENCE, "extKeyUsage")?.children();
        let mut purposes = Vec::new();
        while !rows.is_empty() {
            purposes.push(rows.expect(tag::OID, "purpose")?.oid("purpose")?);
        }
        Ok(purposes)
    }

    /// The value as GeneralNames (subjectAltName, issuerAltName).
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn general_names(&self) -> Result<Vec<GeneralName<'a>>, ReadError> {
        let mut rows = der::only(self.value, self.offset, tag::SEQUENCE, "alternative names")?.children();
        let mut names = Vec::new();
        while !rows.is_empty() {
            names.push(GeneralName::from_element(&rows.any("alternative name")?)?);
        }
        Ok(names)
    }

    /// The value as one OCTET STRING (subjectKeyIdentifier).
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn octets(&self) -> Result<&'a [u8], ReadError> {
        Ok(der::only(self.value, self.offset, tag::OCTET_STRING, "key identifier")?.content)
    }

    /// The value as authorityKeyIdentifier.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn authority_key_identifier(&self) -> Result<AuthorityKeyIdentifier<'a>, ReadError> {
        let what = "authorityKeyIdentifier";
        let mut parts = der::only(self.value, self.offset, tag::SEQUENCE, what)?.children();
        let mut part = |tag| -> Result<Option<&'a [u8]>, ReadError> {
            Ok(Der::optional(&mut parts, tag, what)?.map(|element| element.content))
        };
        let (key_identifier, issuer, serial) = (part(0x80)?, part(0xa1)?, part(0x82)?);
        parts.finish(what)?;
        Ok(AuthorityKeyIdentifier {
            key_identifier,
            issuer,
            serial,
        })
    }
}

fn address_text(octets: &[u8]) -> String {
    let four = |octets: &[u8]| <[u8; 4]>::try_from(octets).map(Ipv4Addr::from);
    let sixteen = |octets: &[u8]| <[u8; 16]>::try_from(octets).map(Ipv6Addr::from);
    if let Ok(address) = four(octets) {
        return address.to_string();
    }
    if let Ok(address) = sixteen(octets) {
        return address.to_string();
    }
    let (left, right) = octets.split_at(octets.len() / 2);
    match (four(left), four(right), sixteen(left), sixteen(right)) {
        (Ok(address), Ok(mask), ..) => format!("{address}/{mask}"),
        (.., Ok(address), Ok(mask)) => format!("{address}/{mask}"),
        _ => hex(octets),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

const KEY_USAGE_NAMES: &[&str] = &[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];
