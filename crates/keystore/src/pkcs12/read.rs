//! PKCS#12, the way in.

use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::der::{self, Der, Element, tag};
use crate::error::{ParseError, UnlockError};
use crate::limits::Limits;
use crate::oid;
use crate::pbe::{KdfPassword, Scheme};
use crate::pkcs12::bag::{Bag, BagBody, MAX_NESTED_BAGS, broken};
use crate::pkcs12::mac::Mac;
use crate::pkcs12::{Content, Opened, Pkcs12Store, Safe};
use crate::reader::ReadError;
use crate::secret::Password;
use crate::sniff::Format;
use crate::store::Integrity;

/// Reads a PKCS#12 file. Bytes after the PFX are noted and kept.
///
/// Without a password plain safes are listed and encrypted ones stay closed, with a note. The MAC is checked
/// when there are both a MAC and a password; an empty password is tried in both of its forms, one beyond ASCII
/// also in that of OpenSSL before 1.1.
///
/// # Errors
/// `Altered` — the password opens the contents, the MAC does not fit. `BadMac` — wrong password or altered:
/// cannot be told. `OverLimit`, `Malformed`, `Structure`, `LengthPastEnd`, `Unsupported` with offset; inside an
/// encrypted safe the offset is that of the ciphertext.
///
/// Cost: one pass, the derivation of the MAC and one for each encrypted safe.
pub(crate) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    limits: &Limits,
) -> Result<Pkcs12Store, ParseError> {
    let mut file = Der::new(bytes);
    let mut pfx = file.expect(tag::SEQUENCE, "PFX").map_err(broken)?.children();
    let end = file.offset();
    let version = pfx
        .expect(tag::INTEGER, "version")
        .and_then(|version| version.unsigned("version"));
    let version = version.map_err(broken)?;
    let wrapped = auth_safe(&mut pfx)?;
    let content = wrapped.octets().map_err(broken)?;
    let mac = match pfx.optional(tag::SEQUENCE, "MAC").map_err(broken)? {
        Some(fields) => Some(Mac::read(fields.children()).map_err(broken)?),
        None => None,
    };
    let sealed = sealed_safes(&content, wrapped.content_offset)?;
    let opened = match password {
        Some(password) => Some(open(password, &content, mac.as_ref(), &sealed, limits)?),
        None => None,
    };
    let safes = sealed.iter().map(|safe| read_safe(safe, opened.as_ref(), limits));
    let safes: Vec<Safe> = safes.collect::<Result<_, _>>()?;
    check_count(&safes, limits)?;
    let integrity = match (&mac, &opened) {
        (None, _) => Integrity::Absent,
        (Some(_), None) => Integrity::NotChecked,
        (Some(_), Some(_)) => Integrity::Verified,
    };
    let (key_scheme, certificate_scheme) = schemes(&safes);
    let mut store = Pkcs12Store {
        version,
        original: bytes.into(),
        end,
        safes,
        mac,
        opened,
        key_scheme,
        certificate_scheme,
        entries: Vec::new(),
        sources: Vec::new(),
        limits: limits.clone(),
        integrity,
        notes: Vec::new(),
        edited: false,
    };
    store.rebuild();
    Ok(store)
}

/// The forms in which tools have used this password, most likely first.
pub(super) fn forms(password: &Password) -> Vec<KdfPassword> {
    let mut forms = vec![KdfPassword::new(password)];
    if password.as_bytes().is_empty() {
        forms.push(KdfPassword::absent());
    }
    if !password.as_bytes().is_ascii() {
        forms.push(KdfPassword::bytes_widened(password));
    }
    forms
}

/// Opens an EncryptedPrivateKeyInfo with the first form that gives a PKCS#8 frame.
pub(super) fn open_key(
    sealed: &[u8],
    forms: &[KdfPassword],
    max_rounds: u64,
) -> Result<(Zeroizing<Vec<u8>>, Scheme), UnlockError> {
    let (scheme, data) = split_key(sealed)?;
    for form in forms {
        match scheme.decrypt(form, &data, max_rounds) {
            Ok(clear) if der::only(&clear, 0, tag::SEQUENCE, "key").is_ok() => return Ok((clear, scheme)),
            Ok(_) | Err(UnlockError::WrongPassword) => {}
            Err(error) => return Err(error),
        }
    }
    Err(UnlockError::WrongPassword)
}

/// Scheme and ciphertext of an EncryptedPrivateKeyInfo.
pub(super) fn split_key(sealed: &[u8]) -> Result<(Scheme, Vec<u8>), UnlockError> {
    let read = || -> Result<_, ReadError> {
        let mut fields = der::only(sealed, 0, tag::SEQUENCE, "protected key")?.children();
        let scheme = Scheme::read(fields.sequence("encryption algorithm")?)?;
        Ok((scheme, fields.any("protected key data")?.octets()?.into_owned()))
    };
    let (scheme, data) = read().map_err(|_| UnlockError::Malformed {
        what: "not an EncryptedPrivateKeyInfo",
    })?;
    Ok((scheme.map_err(|what| UnlockError::Unsupported { what })?, data))
}

/// The OCTET STRING with the AuthenticatedSafe.
fn auth_safe<'a>(pfx: &mut Der<'a>) -> Result<Element<'a>, ParseError> {
    let mut info = pfx.sequence("authenticated safe").map_err(broken)?;
    let oid = info.expect(tag::OID, "content type").map_err(broken)?;
    let kind = oid.oid("content type").map_err(broken)?;
    if kind != oid::DATA {
        return Err(unsupported(
            oid.offset,
            format!("integrity by content type {kind}"),
        ));
    }
    let wrapped = info
        .expect(tag::context_constructed(0), "authenticated safe")
        .map_err(broken)?;
    let octets = wrapped.children().any("authenticated safe").map_err(broken)?;
    match octets.tag {
        tag::OCTET_STRING | 0x24 => Ok(octets),
        _ => octets
            .expect(tag::OCTET_STRING, "authenticated safe")
            .map_err(broken),
    }
}

/// One safe, not yet opened.
struct Sealed {
    encoded: Vec<u8>,
    content: SealedContent,
}

enum SealedContent {
    Encrypted {
        scheme: Result<Scheme, String>,
        data: Vec<u8>,
        offset: usize,
    },
    Plain {
        contents: Vec<u8>,
        offset: usize,
    },
    Unknown,
}

fn sealed_safes(content: &[u8], origin: usize) -> Result<Vec<Sealed>, ParseError> {
    let mut row = Der::at(content, origin)
        .sequence("list of safes")
        .map_err(broken)?;
    let mut safes = Vec::new();
    while !row.is_empty() {
        let info = row.expect(tag::SEQUENCE, "safe").map_err(broken)?;
        let content = sealed_content(&info).map_err(broken)?;
        safes.push(Sealed {
            encoded: info.full.to_vec(),
            content,
        });
    }
    Ok(safes)
}

fn sealed_content(info: &Element<'_>) -> Result<SealedContent, ReadError> {
    let mut fields = info.children();
    let kind = fields.expect(tag::OID, "content type")?.oid("content type")?;
    if kind != oid::DATA && kind != oid::ENCRYPTED_DATA {
        return Ok(SealedContent::Unknown);
    }
    let wrapped = fields.expect(tag::context_constructed(0), "safe content")?;
    let inner = wrapped.children().any("safe content")?;
    if kind == oid::DATA {
        let offset = inner.content_offset;
        return Ok(SealedContent::Plain {
            contents: inner.octets()?.into_owned(),
            offset,
        });
    }
    let mut encrypted = inner.expect(tag::SEQUENCE, "encrypted data")?.children();
    encrypted.expect(tag::INTEGER, "encrypted data version")?;
    let mut content_info = encrypted.sequence("encrypted content")?;
    content_info.expect(tag::OID, "encrypted content type")?;
    let scheme = Scheme::read(content_info.sequence("encryption algorithm")?)?;
    let data = content_info.any("encrypted content")?;
    let offset = data.content_offset;
    Ok(SealedContent::Encrypted {
        scheme,
        data: data.octets()?.into_owned(),
        offset,
    })
}

/// Finds the form of the password that the store was made with.
fn open(
    password: &Password,
    content: &[u8],
    mac: Option<&Mac>,
    safes: &[Sealed],
    limits: &Limits,
) -> Result<Opened, ParseError> {
    let forms = forms(password);
    let found = match mac {
        Some(mac) => {
            let mut found = None;
            for form in &forms {
                let verified = mac.verify(form, content, limits.max_kdf_rounds);
                if verified.map_err(|error| mac_error(error, mac.rounds_offset))? {
                    found = Some(form);
                    break;
                }
            }
            if found.is_none() && fits_a_safe(&forms, safes, limits) {
                return Err(ParseError::Altered {
                    format: Format::Pkcs12,
                });
            }
            found
        }
        None if safes
            .iter()
            .any(|safe| matches!(safe.content, SealedContent::Encrypted { .. })) =>
        {
            forms
                .iter()
                .find(|form| fits_a_safe(std::slice::from_ref(form), safes, limits))
        }
        None => forms.first(),
    };
    match found {
        Some(form) => Ok(Opened {
            password: password.clone(),
            kdf: form.clone(),
        }),
        // Without a MAC the reason is given by the safe itself.
        None if mac.is_none() => Ok(Opened {
            password: password.clone(),
            kdf: forms[0].clone(),
        }),
        None => Err(ParseError::BadMac {
            format: Format::Pkcs12,
        }),
    }
}

fn fits_a_safe(forms: &[KdfPassword], safes: &[Sealed], limits: &Limits) -> bool {
    let first = safes.iter().find_map(|safe| match &safe.content {
        SealedContent::Encrypted {
            scheme: Ok(scheme),
            data,
            ..
        } => Some((scheme, data)),
        _ => None,
    });
    let Some((scheme, data)) = first else { return false };
    let opens = |form: &KdfPassword| match scheme.decrypt(form, data, limits.max_kdf_rounds) {
        Ok(clear) => der::only(&clear, 0, tag::SEQUENCE, "safe").is_ok(),
        Err(_) => false,
    };
    forms.iter().any(opens)
}

fn read_safe(sealed: &Sealed, opened: Option<&Opened>, limits: &Limits) -> Result<Safe, ParseError> {
    let closed = || Safe {
        encoded: Some(sealed.encoded.clone()),
        content: Content::Closed,
    };
    let (scheme, clear, offset) = match (&sealed.content, opened) {
        (SealedContent::Unknown, _) | (SealedContent::Encrypted { .. }, None) => return Ok(closed()),
        (SealedContent::Plain { contents, offset }, _) => (None, Zeroizing::new(contents.clone()), *offset),
        (SealedContent::Encrypted { scheme, data, offset }, Some(opened)) => {
            let scheme = scheme.clone().map_err(|what| unsupported(*offset, what))?;
            let clear = scheme.decrypt(&opened.kdf, data, limits.max_kdf_rounds);
            let clear = clear.map_err(|error| safe_error(error, *offset))?;
            (Some(scheme), clear, *offset)
        }
    };
    let contents = Der::at(&clear, offset).expect(tag::SEQUENCE, "contents of a safe");
    let contents = match (contents, &scheme) {
        (Ok(contents), _) => contents,
        (Err(_), Some(_)) => {
            return Err(ParseError::BadMac {
                format: Format::Pkcs12,
            });
        }
        (Err(error), None) => return Err(broken(error)),
    };
    let bags = Bag::read_all(&contents, MAX_NESTED_BAGS)?;
    Ok(Safe {
        encoded: Some(sealed.encoded.clone()),
        content: Content::Open { scheme, bags },
    })
}

fn check_count(safes: &[Safe], limits: &Limits) -> Result<(), ParseError> {
    fn count(bags: &[Bag]) -> usize {
        let nested = bags.iter().map(|bag| match &bag.body {
            BagBody::Nested(inner) => count(inner),
            _ => 1,
        });
        nested.sum()
    }
    let found = safes.iter().map(|safe| count(safe.bags())).sum::<usize>();
    if found <= limits.max_entries {
        return Ok(());
    }
    let (found, limit) = (found as u64, limits.max_entries as u64);
    let (format, what) = (Format::Pkcs12, "number of bags");
    Err(ParseError::OverLimit {
        format,
        offset: 0,
        alias: None,
        what,
        found,
        limit,
    })
}

/// How new keys and new safes of certificates are sealed: as the file does, else as Java 17.
fn schemes(safes: &[Safe]) -> (Scheme, Scheme) {
    let key = safes.iter().flat_map(Safe::bags).find_map(|bag| match &bag.body {
        BagBody::SealedKey(sealed) => split_key(sealed).ok().map(|(scheme, _)| scheme),
        _ => None,
    });
    let certificate = safes.iter().find_map(|safe| match &safe.content {
        Content::Open {
            scheme: Some(scheme),
            bags,
        } if bags.iter().any(|bag| bag.certificate().is_some()) => Some(scheme.clone()),
        _ => None,
    });
    let for_keys = |scheme: &Scheme| match scheme {
        // Old tools seal certificates with RC2-40 and keys with 3DES.
        Scheme::Pkcs12 { salt, rounds, .. } => Scheme::Pkcs12 {
            cipher: Cipher::Des3,
            salt: salt.clone(),
            rounds: *rounds,
        },
        other => other.clone(),
    };
    match (key, certificate) {
        (Some(key), Some(certificate)) => (key, certificate),
        (Some(key), None) => (key.clone(), key),
        (None, Some(certificate)) => (for_keys(&certificate), certificate),
        (None, None) => (Scheme::java17(), Scheme::java17()),
    }
}

fn unsupported(offset: usize, what: String) -> ParseError {
    ParseError::Unsupported {
        format: Format::Pkcs12,
        offset,
        alias: None,
        what,
    }
}

fn mac_error(error: UnlockError, offset: usize) -> ParseError {
    derivation_error(error, offset, "MAC iteration count")
}

fn safe_error(error: UnlockError, offset: usize) -> ParseError {
    derivation_error(error, offset, "iteration count of an encrypted part")
}

fn derivation_error(error: UnlockError, offset: usize, counted: &'static str) -> ParseError {
    let (format, alias) = (Format::Pkcs12, None);
    match error {
        UnlockError::OverLimit { found, limit } => ParseError::OverLimit {
            format,
            offset,
            alias,
            what: counted,
            found,
            limit,
        },
        UnlockError::Malformed { what } => ParseError::Malformed {
            format,
            offset,
            alias,
            what,
        },
        UnlockError::Unsupported { what } => unsupported(offset, what),
        _ => ParseError::BadMac { format },
    }
}
