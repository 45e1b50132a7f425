//! One SafeBag: what it holds, and its attributes byte for byte.

use crate::certificate::Certificate;
use crate::der::{self, Der, Element, tag};
use crate::error::ParseError;
use crate::oid::{self, Oid};
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey};
use crate::sniff::Format;

/// One bag.
#[derive(Clone)]
pub(super) struct Bag {
    pub(super) body: BagBody,
    pub(super) attributes: Attributes,
    /// OID and value as they stand in the file; `None` when they must be made.
    head: Option<Vec<u8>>,
    /// The whole bag as it stands in the file; `None` when it must be made.
    encoded: Option<Vec<u8>>,
}

/// What a bag holds.
#[derive(Clone)]
pub(super) enum BagBody {
    Certificate(Certificate),
    Key(PrivateKey),
    Nested(Vec<Bag>),
    /// A key put in by an edit, sealed when the store is written.
    NewKey {
        key: PrivateKey,
        password: Option<Password>,
    },
    /// A symmetric key put in by an edit, in its frame.
    NewSecret {
        frame: PrivateKey,
        password: Option<Password>,
    },
    Other {
        what: String,
    },
    /// An EncryptedPrivateKeyInfo.
    SealedKey(Vec<u8>),
    /// An EncryptedPrivateKeyInfo whose plaintext is a secret key in a PKCS#8 frame.
    SealedSecret(Vec<u8>),
}

/// Whether a key may stand in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealing {
    /// Never: the format has no other form for it.
    Always,
    /// Beside others that do.
    LikeOthers,
}

/// A bag's attributes, in file order.
#[derive(Clone, Default)]
pub(super) struct Attributes {
    encoded: Vec<Vec<u8>>,
    pub(super) friendly_name: Option<String>,
    pub(super) local_key_id: Option<Vec<u8>>,
    /// Java's mark of a trusted certificate.
    pub(super) is_trusted: bool,
}

impl Bag {
    /// A certificate bag that is not in the file yet.
    pub(super) fn of_certificate(certificate: &Certificate, attributes: Attributes) -> Self {
        let body = BagBody::Certificate(certificate.clone());
        Self {
            body,
            attributes,
            head: None,
            encoded: None,
        }
    }

    /// A key bag that is not in the file yet.
    pub(super) fn of_new_key(key: &PrivateKey, password: Option<&Password>, attributes: Attributes) -> Self {
        let body = BagBody::NewKey {
            key: key.clone(),
            password: password.cloned(),
        };
        Self {
            body,
            attributes,
            head: None,
            encoded: None,
        }
    }

    /// A bag of a symmetric key that is not in the file yet.
    pub(super) fn of_new_secret(
        frame: PrivateKey,
        password: Option<&Password>,
        attributes: Attributes,
    ) -> Self {
        let password = password.cloned();
        let body = BagBody::NewSecret { frame, password };
        Self {
            body,
            attributes,
            head: None,
            encoded: None,
        }
    }

    /// Reads the bags of a safe, or of a bag that holds others.
    pub(super) fn read_all(contents: &Element<'_>, depth: usize) -> Result<Vec<Self>, ParseError> {
        let mut row = contents.children();
        let mut bags = Vec::new();
        while !row.is_empty() {
            let bag = row.expect(tag::SEQUENCE, "bag").map_err(broken)?;
            bags.push(Self::read(&bag, depth)?);
        }
        Ok(bags)
    }

    fn read(bag: &Element<'_>, depth: usize) -> Result<Self, ParseError> {
        let mut fields = bag.children();
        let oid = fields.expect(tag::OID, "bag type").map_err(broken)?;
        let value = fields
            .expect(tag::context_constructed(0), "bag value")
            .map_err(broken)?;
        let attributes = match fields.optional(tag::SET, "bag attributes").map_err(broken)? {
            Some(set) => Attributes::read(&set).map_err(broken)?,
            None => Attributes::default(),
        };
        let alias = attributes.friendly_name.as_deref();
        let body = read_body(oid.oid("bag type").map_err(broken)?, &value, alias, depth)?;
        let head = Some([oid.full, value.full].concat());
        Ok(Self {
            body,
            attributes,
            head,
            encoded: Some(bag.full.to_vec()),
        })
    }

    /// Whether it holds a private key.
    pub(super) fn is_key(&self) -> bool {
        matches!(
            self.body,
            BagBody::Key(_) | BagBody::NewKey { .. } | BagBody::SealedKey(_)
        )
    }

    /// Whether it holds a key of either kind: those stand together, in the order in which they were put in.
    pub(super) fn is_key_or_secret(&self) -> bool {
        self.is_key() || matches!(self.body, BagBody::NewSecret { .. } | BagBody::SealedSecret(_))
    }

    /// Whether it holds a certificate.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match &self.body {
            BagBody::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// Its attributes, to be changed; its value keeps its bytes.
    pub(super) fn attributes_mut(&mut self) -> &mut Attributes {
        self.encoded = None;
        &mut self.attributes
    }

    /// Another sealed form of the same key.
    pub(super) fn set_sealed(&mut self, sealed: Vec<u8>) {
        (self.head, self.encoded) = (None, None);
        match &mut self.body {
            BagBody::SealedKey(old) | BagBody::SealedSecret(old) => *old = sealed,
            _ => {}
        }
    }

    /// The bytes of the bag. `seal` makes the EncryptedPrivateKeyInfo of a new key, or `Ok(None)` for a plain one.
    pub(super) fn encode<E>(
        &self,
        seal: &mut impl FnMut(&PrivateKey, Option<&Password>, Sealing) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Vec<u8>, E> {
        if let Some(encoded) = &self.encoded {
            return Ok(encoded.clone());
        }
        let head = match (&self.head, &self.body) {
            (Some(head), _) => head.clone(),
            (None, BagBody::Certificate(certificate)) => {
                let octets = der::write_octets(certificate.der());
                let value = der::write(tag::context_constructed(0), &[&octets]);
                let value = der::write_sequence(&[&der::write_oid(oid::X509_CERTIFICATE), &value]);
                head(oid::CERT_BAG, &value)
            }
            (None, BagBody::NewKey { key, password }) => {
                match seal(key, password.as_ref(), Sealing::LikeOthers)? {
                    Some(sealed) => head(oid::SHROUDED_KEY_BAG, &sealed),
                    None => head(oid::KEY_BAG, key.pkcs8_der()),
                }
            }
            (None, BagBody::Key(key)) => head(oid::KEY_BAG, key.pkcs8_der()),
            (None, BagBody::SealedKey(sealed)) => head(oid::SHROUDED_KEY_BAG, sealed),
            (None, BagBody::SealedSecret(sealed)) => secret_head(sealed),
            (None, BagBody::NewSecret { frame, password }) => {
                let sealed = seal(frame, password.as_ref(), Sealing::Always)?;
                secret_head(&sealed.unwrap_or_default())
            }
            // These two always keep the head they were read with.
            (None, BagBody::Nested(_) | BagBody::Other { .. }) => Vec::new(),
        };
        Ok(der::write_sequence(&[&head, &self.attributes.encode()]))
    }
}

impl Attributes {
    /// Of a new bag.
    pub(super) fn new(friendly_name: Option<&str>, local_key_id: Option<&[u8]>) -> Self {
        let mut attributes = Self::default();
        if let Some(name) = friendly_name {
            attributes.set_friendly_name(name);
        }
        if let Some(id) = local_key_id {
            attributes.set_local_key_id(id);
        }
        attributes
    }

    fn read(set: &Element<'_>) -> Result<Self, ReadError> {
        let mut attributes = Self::default();
        let mut row = set.children();
        while !row.is_empty() {
            let attribute = row.expect(tag::SEQUENCE, "bag attribute")?;
            attributes.encoded.push(attribute.full.to_vec());
            let mut fields = attribute.children();
            let oid = fields.expect(tag::OID, "attribute type")?.oid("attribute type")?;
            let mut values = fields.expect(tag::SET, "attribute values")?.children();
            if oid == oid::JAVA_TRUSTED_KEY_USAGE {
                attributes.is_trusted = true;
            } else if oid == oid::FRIENDLY_NAME && attributes.friendly_name.is_none() {
                attributes.friendly_name = Some(match values.optional(tag::BMP_STRING, "friendlyName")? {
                    Some(name) => bmp_text(name.content),
                    None => String::new(),
                });
            } else if oid == oid::LOCAL_KEY_ID && attributes.local_key_id.is_none() {
                let id = values.optional(tag::OCTET_STRING, "localKeyID")?;
                attributes.local_key_id = id.map(|id| id.content.to_vec());
            }
        }
        Ok(attributes)
    }

    /// Another name in the place of the old one.
    pub(super) fn set_friendly_name(&mut self, name: &str) {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        self.set(oid::FRIENDLY_NAME, &der::write(tag::BMP_STRING, &[&units]));
        self.friendly_name = Some(name.to_owned());
    }

    /// Another id in the place of the old one.
    pub(super) fn set_local_key_id(&mut self, id: &[u8]) {
        self.set(oid::LOCAL_KEY_ID, &der::write_octets(id));
        self.local_key_id = Some(id.to_vec());
    }

    /// Adds Java's mark: any purpose.
    pub(super) fn set_trusted(&mut self) {
        self.set(
            oid::JAVA_TRUSTED_KEY_USAGE,
            &der::write_oid(oid::ANY_EXTENDED_KEY_USAGE),
        );
        self.is_trusted = true;
    }

    /// Takes name and mark away: what is left is a certificate of somebody's chain.
    pub(super) fn clear_trust(&mut self) {
        self.encoded.retain(|attribute| {
            !matches!(type_of(attribute), Some(oid) if oid == oid::JAVA_TRUSTED_KEY_USAGE || oid == oid::FRIENDLY_NAME)
        });
        (self.is_trusted, self.friendly_name) = (false, None);
    }

    fn set(&mut self, oid: Oid<'_>, value: &[u8]) {
        let attribute = der::write_sequence(&[&der::write_oid(oid), &der::write(tag::SET, &[value])]);
        match self
            .encoded
            .iter_mut()
            .find(|attribute| type_of(attribute) == Some(oid))
        {
            Some(old) => *old = attribute,
            None => self.encoded.push(attribute),
        }
    }

    fn encode(&self) -> Vec<u8> {
        if self.encoded.is_empty() {
            return Vec::new();
        }
        let parts: Vec<&[u8]> = self.encoded.iter().map(Vec::as_slice).collect();
        der::write(tag::SET, &parts)
    }
}

/// An error of the byte readers, as one of this format.
pub(super) fn broken(error: ReadError) -> ParseError {
    ParseError::from_read(Format::Pkcs12, None, error)
}

fn read_body(
    oid: Oid<'_>,
    value: &Element<'_>,
    alias: Option<&str>,
    depth: usize,
) -> Result<BagBody, ParseError> {
    let named = |error| ParseError::from_read(Format::Pkcs12, alias, error);
    let inside = value.children().expect(tag::SEQUENCE, "bag value");
    if oid == oid::KEY_BAG {
        let key = inside.map_err(named)?;
        let what = "private key is not PKCS#8";
        let (format, offset, alias) = (Format::Pkcs12, key.offset, alias.map(str::to_owned));
        let bad = ParseError::Malformed {
            format,
            offset,
            alias,
            what,
        };
        return PrivateKey::from_pkcs8_der(key.full)
            .map(BagBody::Key)
            .map_err(|_| bad);
    }
    if oid == oid::SHROUDED_KEY_BAG {
        return Ok(BagBody::SealedKey(inside.map_err(named)?.full.to_vec()));
    }
    if oid == oid::SAFE_CONTENTS_BAG {
        let contents = inside.map_err(named)?;
        if depth == 0 {
            return Err(named(ReadError::TooDeep {
                offset: contents.offset,
                limit: MAX_NESTED_BAGS,
            }));
        }
        return Bag::read_all(&contents, depth - 1).map(BagBody::Nested);
    }
    if oid == oid::CERT_BAG {
        return read_certificate(inside.map_err(named)?.children(), alias);
    }
    if oid == oid::SECRET_BAG {
        return read_secret(inside.map_err(named)?.children()).map_err(named);
    }
    let what = if oid == oid::CRL_BAG {
        "CRL".to_owned()
    } else {
        format!("bag of type {oid}")
    };
    Ok(BagBody::Other { what })
}

fn read_certificate(mut fields: Der<'_>, alias: Option<&str>) -> Result<BagBody, ParseError> {
    let named = |error| ParseError::from_read(Format::Pkcs12, alias, error);
    let kind = fields
        .expect(tag::OID, "certificate type")
        .and_then(|oid| oid.oid("certificate type"));
    let kind = kind.map_err(named)?;
    if kind != oid::X509_CERTIFICATE {
        return Ok(BagBody::Other {
            what: format!("certificate of type {kind}"),
        });
    }
    let wrapped = fields
        .expect(tag::context_constructed(0), "certificate")
        .map_err(named)?;
    let octets = wrapped.children().any("certificate").map_err(named)?;
    let der = octets.octets().map_err(named)?;
    let certificate = Certificate::parse(&der).map_err(|error| named(error.moved(octets.content_offset)))?;
    Ok(BagBody::Certificate(certificate))
}

fn read_secret(mut fields: Der<'_>) -> Result<BagBody, ReadError> {
    let kind = fields.expect(tag::OID, "secret type")?.oid("secret type")?;
    if kind != oid::SHROUDED_KEY_BAG {
        return Ok(BagBody::Other {
            what: format!("secret of type {kind}"),
        });
    }
    let wrapped = fields.expect(tag::context_constructed(0), "secret")?;
    let octets = wrapped.children().any("secret")?.octets()?;
    Ok(BagBody::SealedSecret(octets.into_owned()))
}

fn secret_head(sealed: &[u8]) -> Vec<u8> {
    let value = der::write(tag::context_constructed(0), &[&der::write_octets(sealed)]);
    let value = der::write_sequence(&[&der::write_oid(oid::SHROUDED_KEY_BAG), &value]);
    head(oid::SECRET_BAG, &value)
}

fn head(oid: Oid<'_>, value: &[u8]) -> Vec<u8> {
    [
        der::write_oid(oid),
        der::write(tag::context_constructed(0), &[value]),
    ]
    .concat()
}

fn type_of(attribute: &[u8]) -> Option<Oid<'_>> {
    let mut fields = Der::new(attribute).sequence("attribute").ok()?;
    fields
        .expect(tag::OID, "attribute type")
        .ok()?
        .oid("attribute type")
        .ok()
}

fn bmp_text(content: &[u8]) -> String {
    let units: Vec<u16> = content
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

/// Bags inside bags; no tool writes more than one level.
pub(super) const MAX_NESTED_BAGS: usize = 8;
