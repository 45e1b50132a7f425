//! What the blocks of a PEM file are, and which of them make one entry.

use std::collections::BTreeSet;

use super::blocks::Block;
use super::legacy::LegacyKey;
use crate::certificate::Certificate;
use crate::der::{Der, tag};
use crate::entry::{Body, Entry, LockedKey, Unlock};
use crate::error::ParseError;
use crate::issuers::Issuers;
use crate::keys::{EncryptedKey, KeyMatch, NoKey, Widening};
use crate::limits::Limits;
use crate::pkcs7;
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey};
use crate::sniff::Format;

/// What one block is.
#[derive(Clone)]
pub(super) enum Part {
    Certificate(Certificate),
    /// Certificates inside PKCS#7.
    Certificates(Vec<Certificate>),
    Key {
        locked: LockedKey,
        /// The key itself where it is in the clear or its password is known: it tells the leaf.
        opened: Option<PrivateKey>,
    },
    /// A block that stands in front of a key and belongs to it.
    KeyParameters,
    Other(String),
    Request(Vec<u8>),
}

/// The entries, and for each the blocks it is made of.
pub(super) struct Assembled {
    pub(super) entries: Vec<Entry>,
    pub(super) members: Vec<Vec<usize>>,
}

/// Says what a block is.
///
/// # Errors
/// `Malformed` or `LengthPastEnd` with the offset of the block when its content is not what its label says.
pub(super) fn part(block: &Block, password: Option<&Password>, limits: &Limits) -> Result<Part, ParseError> {
    let broken = |what| ParseError::Malformed {
        format: Format::Pem,
        offset: block.offset,
        alias: None,
        what,
    };
    Ok(match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            Part::Certificate(certificate(block).map_err(|_| broken("certificate block cannot be read"))?)
        }
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => {
            let certificates =
                pkcs7::certificates(&block.der).map_err(|_| broken("PKCS#7 block cannot be read"))?;
            Part::Certificates(certificates)
        }
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Part::Request(block.der.to_vec()),
        "PRIVATE KEY" => {
            let key = PrivateKey::from_pkcs8_der(block.der.as_slice())
                .map_err(|_| broken("private key block cannot be read"))?;
            clear(key)
        }
        "ENCRYPTED PRIVATE KEY" => {
            let key = EncryptedKey::read(&block.der, 0, limits.max_kdf_rounds, Widening::Text)
                .map_err(|_| broken("encrypted private key block cannot be read"))?;
            locked(key, password)
        }
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" => match block.header("DEK-Info") {
            Some(dek) => locked(LegacyKey::new(dek, &block.der), password),
            None => {
                let key = PrivateKey::from_any_der(&block.der)
                    .map_err(|_| broken("private key block cannot be read"))?;
                clear(key)
            }
        },
        "EC PARAMETERS" | "DSA PARAMETERS" => Part::KeyParameters,
        "X509 CRL" => Part::Other("certificate revocation list".to_owned()),
        other => Part::Other(other.to_lowercase()),
    })
}

/// Makes entries of the parts: each key with its chain, every other certificate by itself, in file order. `key_ids`
/// are the `localKeyID` of the blocks.
pub(super) fn assemble(parts: &[Part], key_ids: &[Option<String>]) -> Assembled {
    let mut drafts: Vec<(usize, Vec<usize>, Body)> = Vec::new();
    let mut taken = vec![false; parts.len()];
    let certificates = || {
        parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| Some((at, single(part)?)))
    };
    let keys = parts
        .iter()
        .filter(|part| matches!(part, Part::Key { .. }))
        .count();
    let issuers = Issuers::new(certificates().filter(|_| keys > 0));
    let is_affordable = keys.saturating_mul(certificates().count()) <= MAX_COMPARISONS;
    for (index, part) in parts.iter().enumerate() {
        let Part::Key { locked, .. } = part else { continue };
        let leaf = if is_affordable {
            leaf(parts, key_ids, index)
        } else {
            None
        };
        let mut chain: Vec<usize> = leaf.into_iter().collect();
        chain.extend(
            leaf.and_then(|at| single(&parts[at]))
                .map(|leaf| issuers.above(leaf))
                .unwrap_or_default(),
        );
        let mut members = vec![index];
        if index > 0 && matches!(parts[index - 1], Part::KeyParameters) {
            members.insert(0, index - 1);
        }
        members.extend(&chain);
        members.iter().for_each(|member| taken[*member] = true);
        let chain = chain
            .iter()
            .filter_map(|member| single(&parts[*member]).cloned())
            .collect();
        let first = *members.iter().min().expect("the key is a member");
        drafts.push((
            first,
            members,
            Body::PrivateKey {
                chain,
                key: locked.clone(),
            },
        ));
    }
    for (index, part) in parts.iter().enumerate() {
        if taken[index] {
            continue;
        }
        let mut add = |body| drafts.push((index, vec![index], body));
        match part {
            Part::Certificate(certificate) => add(trusted(certificate)),
            Part::Certificates(all) => all.iter().for_each(|certificate| add(trusted(certificate))),
            Part::Key { .. } => {}
            Part::KeyParameters => add(Body::Opaque {
                what: "key parameters".to_owned(),
            }),
            Part::Other(what) => add(Body::Opaque { what: what.clone() }),
            Part::Request(der) => add(Body::Request {
                der: der.clone(),
                key: LockedKey::new(NoKey),
            }),
        }
    }
    in_file_order(drafts)
}

fn in_file_order(mut drafts: Vec<(usize, Vec<usize>, Body)>) -> Assembled {
    drafts.sort_by_key(|(first, ..)| *first);
    let mut assembled = Assembled {
        entries: Vec::new(),
        members: Vec::new(),
    };
    for (_, members, body) in drafts {
        assembled.members.push(members);
        assembled.entries.push(Entry {
            alias: None,
            created_ms: None,
            body,
        });
    }
    assembled
}

fn trusted(certificate: &Certificate) -> Body {
    Body::TrustedCert {
        certificate: certificate.clone(),
        trusted: true,
    }
}

fn single(part: &Part) -> Option<&Certificate> {
    match part {
        Part::Certificate(certificate) => Some(certificate),
        _ => None,
    }
}

/// The certificate of the key at `index`: by the key's own numbers where it is open, else by localKeyID, else the one
/// end of a chain that no other key can claim.
fn leaf(parts: &[Part], key_ids: &[Option<String>], index: usize) -> Option<usize> {
    let Part::Key { opened, .. } = &parts[index] else {
        return None;
    };
    let candidates = || {
        parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| Some((at, single(part)?)))
    };
    if let Some(key) = opened {
        let found = candidates().find(|(_, certificate)| key.matches(certificate) == KeyMatch::Matches);
        if found.is_some() {
            return found.map(|(at, _)| at);
        }
        let all_known = candidates().all(|(_, certificate)| key.matches(certificate) == KeyMatch::Differs);
        if all_known {
            return None;
        }
    }
    let keys = parts
        .iter()
        .filter(|part| matches!(part, Part::Key { .. }))
        .count();
    let with_id = key_ids[index]
        .as_ref()
        .and_then(|wanted| candidates().find(|(at, _)| key_ids[*at].as_ref() == Some(wanted)));
    if let Some((at, _)) = with_id {
        return Some(at);
    }
    if keys > 1 {
        return None;
    }
    let all: Vec<(usize, &Certificate)> = candidates().collect();
    let issuers: BTreeSet<Vec<u8>> = all
        .iter()
        .filter(|(_, one)| !one.is_self_issued())
        .map(|(_, one)| one.issuer().canonical())
        .collect();
    let is_issuer = |one: &Certificate| issuers.contains(&one.subject().canonical());
    let is_authority = |one: &Certificate| {
        one.basic_constraints()
            .ok()
            .flatten()
            .is_some_and(|constraints| constraints.is_authority)
    };
    let ends: Vec<&(usize, &Certificate)> = all.iter().filter(|(_, one)| !is_issuer(one)).collect();
    let end = ends.iter().find(|(_, one)| !is_authority(one)).or(ends.first());
    end.map(|(at, _)| *at)
}

/// The certificate of a block. OpenSSL's trust settings may follow it, and stray bytes that OpenSSL ignores.
fn certificate(block: &Block) -> Result<Certificate, ReadError> {
    let first = Der::new(&block.der).expect(tag::SEQUENCE, "certificate")?;
    Certificate::parse(first.full)
}

fn clear(key: PrivateKey) -> Part {
    Part::Key {
        locked: LockedKey::clear(key.clone()),
        opened: Some(key),
    }
}

fn locked(key: impl Unlock + Send + Sync + 'static, password: Option<&Password>) -> Part {
    let opened = password.and_then(|password| key.private_key(Some(password)).ok());
    Part::Key {
        locked: LockedKey::new(key),
        opened,
    }
}

/// A file with more keys times certificates is nobody's: its keys are listed without chains. 500 of each are within.
const MAX_COMPARISONS: usize = 250_000;
