//! From bags to entries, by the rules of Java.
//!
//! - A key's certificate is the one with the same localKeyID (the same name too, where several have it), else
//!   the one of the same name. The chain follows from issuer to subject through all certificates of the file;
//!   of several with one subject the one is taken that has the key identifier asked for, else the first.
//! - With a single key and no localKeyID, the first certificate of a safe is the key's.
//! - localKeyID `Time 1795236876695` is the creation date.
//! - A certificate with Java's trust mark is an entry; so is, for us, every other one that is in no chain.
//!
//! Source: OpenJDK 17 `PKCS12KeyStore.loadSafeContents`, `engineLoad`, `findMatchedCertificate`,
//! `findIssuer` (17.0.15; releases before it look at names only).

use std::collections::{BTreeMap, BTreeSet};

use crate::certificate::Certificate;
use crate::entry::{Body, Entry, LockedKey, Unlock};
use crate::error::UnlockError;
use crate::pbe::KdfPassword;
use crate::pkcs12::Safe;
use crate::pkcs12::bag::{Bag, BagBody};
use crate::pkcs12::read::{forms, open_key, split_key};
use crate::reader::ReadError;
use crate::secret::{Password, PrivateKey, SecretKey};
use crate::secret_names;
use crate::store::Note;

/// Where a bag stands: number of its safe, and its number there.
pub(super) type Place = (usize, usize);

/// Which bags an entry was made from.
#[derive(Clone)]
pub(super) struct Source {
    /// `None` for a bag inside another bag, which no edit reaches.
    pub(super) place: Option<Place>,
    /// The certificate of a key, where it has one that is reached.
    pub(super) leaf: Option<Place>,
}

/// Entries, and the bags of each.
pub(super) struct Built {
    pub(super) entries: Vec<Entry>,
    pub(super) sources: Vec<Source>,
}

/// Makes the entries. Cost: O(n log n) in the number of certificates.
pub(super) fn build(safes: &[Safe], max_rounds: u64) -> Built {
    let items = items(safes);
    let ids = effective_ids(&items);
    let by_subject = certificates_by_subject(&items);
    let leaves = Leaves::new(&items, &ids);
    let mut built = Built {
        entries: Vec::new(),
        sources: Vec::new(),
    };
    let mut slots = Vec::new();
    let mut in_chains = BTreeSet::new();
    for (number, item) in items.iter().enumerate() {
        if !item.bag.is_key() {
            continue;
        }
        let leaf = leaves.of(item, ids[number].as_deref());
        let chain = leaf
            .map(|leaf| chain(&items, leaf, &by_subject))
            .unwrap_or_default();
        in_chains.extend(chain.iter().map(|certificate| certificate.der().to_vec()));
        let place = leaf.and_then(|leaf| items[leaf].place);
        slots.push((number, chain, place));
    }
    let mut slots = slots.into_iter().peekable();
    for (number, item) in items.iter().enumerate() {
        let slot = slots.next_if(|slot| slot.0 == number);
        let (chain, leaf) = slot.map(|slot| (slot.1, slot.2)).unwrap_or_default();
        let Some(body) = body(item.bag, chain, &in_chains, max_rounds) else {
            continue;
        };
        let created_ms = match body {
            Body::PrivateKey { .. } | Body::SecretKey { .. } => created(item.bag),
            _ => None,
        };
        built.entries.push(Entry {
            alias: item.bag.attributes.friendly_name.clone(),
            created_ms,
            body,
        });
        built.sources.push(Source {
            place: item.place,
            leaf,
        });
    }
    built
}

/// Names that fall together in Java. Cost: O(n log n).
pub(super) fn alias_notes(entries: &[Entry]) -> Vec<Note> {
    let mut last = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(alias) = entry.alias() {
            last.insert(alias.to_lowercase(), index);
        }
    }
    let hidden = |(index, entry): (usize, &Entry)| {
        let alias = entry.alias()?;
        let is_last = last.get(&alias.to_lowercase()) == Some(&index);
        (!is_last).then(|| Note::ShadowedAlias {
            alias: alias.to_owned(),
            index,
        })
    };
    entries.iter().enumerate().filter_map(hidden).collect()
}

/// The chain, leaf first: from `leaf` to its issuer and so on, until a certificate that issued itself, a missing one
/// or a loop.
fn chain(items: &[Item<'_>], leaf: usize, by_subject: &BySubject) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = items[leaf].bag.certificate();
    while let Some(certificate) = next {
        if !seen.insert(certificate.sha256()) {
            break;
        }
        chain.push(certificate.clone());
        if certificate.names_as_issuer(certificate) {
            break;
        }
        next = issuer(items, certificate, by_subject);
    }
    chain
}

/// Of the certificates with the issuer's name: the first, where `certificate` has no key identifier for its issuer. Else
/// the one with that identifier, or the last of those without any.
fn issuer<'a>(
    items: &[Item<'a>],
    certificate: &Certificate,
    by_subject: &BySubject,
) -> Option<&'a Certificate> {
    let named = by_subject.get(&certificate.issuer().canonical())?;
    let mut named = named.iter().filter_map(|number| items[*number].bag.certificate());
    let wanted = certificate.authority_key_identifier().ok().flatten();
    let Some(wanted) = wanted.and_then(|id| id.key_identifier) else {
        return named.next();
    };
    let mut without = None;
    for candidate in named {
        match candidate.subject_key_identifier() {
            Ok(Some(id)) if id == wanted => return Some(candidate),
            Ok(Some(_)) => {}
            _ => without = Some(candidate),
        }
    }
    without
}

/// The numbers of the certificates of each name, in reading order.
type BySubject = BTreeMap<Vec<u8>, Vec<usize>>;

/// One bag in reading order; bags inside bags count like those around them.
struct Item<'a> {
    place: Option<Place>,
    /// Its number in its own safe or bag.
    position: usize,
    bag: &'a Bag,
}

fn items(safes: &[Safe]) -> Vec<Item<'_>> {
    fn walk<'a>(bags: &'a [Bag], safe: Option<usize>, items: &mut Vec<Item<'a>>) {
        for (position, bag) in bags.iter().enumerate() {
            match &bag.body {
                BagBody::Nested(inner) => walk(inner, None, items),
                _ => items.push(Item {
                    place: safe.map(|safe| (safe, position)),
                    position,
                    bag,
                }),
            }
        }
    }
    let mut items = Vec::new();
    for (number, safe) in safes.iter().enumerate() {
        walk(safe.bags(), Some(number), &mut items);
    }
    items
}

/// The localKeyID of each bag, with the one that Java makes up where a single key has none.
fn effective_ids(items: &[Item<'_>]) -> Vec<Option<Vec<u8>>> {
    let mut keys = 0;
    let id = |item: &Item<'_>| {
        keys += usize::from(item.bag.is_key());
        let made_up = match item.bag.certificate() {
            Some(_) => keys == 1 && item.position == 0,
            None => keys == 1 && item.bag.is_key(),
        };
        item.bag
            .attributes
            .local_key_id
            .clone()
            .or_else(|| made_up.then(|| b"01".to_vec()))
    };
    items.iter().map(id).collect()
}

fn certificates_by_subject(items: &[Item<'_>]) -> BySubject {
    let mut by_subject = BySubject::new();
    for (number, item) in items.iter().enumerate() {
        if let Some(certificate) = item.bag.certificate() {
            let name = certificate.subject().canonical();
            by_subject.entry(name).or_default().push(number);
        }
    }
    by_subject
}

/// The certificates that can belong to a key: those without the trust mark.
struct Leaves<'a> {
    by_id: BTreeMap<&'a [u8], Vec<usize>>,
    by_name: BTreeMap<String, usize>,
    names: Vec<Option<String>>,
}

impl<'a> Leaves<'a> {
    fn new(items: &[Item<'_>], ids: &'a [Option<Vec<u8>>]) -> Self {
        let folded = |item: &Item<'_>| {
            item.bag
                .attributes
                .friendly_name
                .as_ref()
                .map(|name| name.to_lowercase())
        };
        let names: Vec<_> = items.iter().map(folded).collect();
        let (mut by_id, mut by_name) = (BTreeMap::<&[u8], Vec<usize>>::new(), BTreeMap::new());
        for (number, item) in items.iter().enumerate() {
            if item.bag.certificate().is_none() || item.bag.attributes.is_trusted {
                continue;
            }
            match (&ids[number], &names[number]) {
                (Some(id), _) => by_id.entry(id).or_default().push(number),
                (None, Some(name)) => {
                    by_name.insert(name.clone(), number);
                }
                (None, None) => {}
            }
            if let (Some(_), Some(name)) = (&ids[number], &names[number]) {
                by_name.insert(name.clone(), number);
            }
        }
        Self {
            by_id,
            by_name,
            names,
        }
    }

    /// Same id and name, else same id (the last one), else same name (the last one).
    fn of(&self, key: &Item<'_>, id: Option<&[u8]>) -> Option<usize> {
        let name = key
            .bag
            .attributes
            .friendly_name
            .as_ref()
            .map(|name| name.to_lowercase());
        let same_id = id
            .and_then(|id| self.by_id.get(id))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let both = name.as_ref().and_then(|name| {
            same_id
                .iter()
                .copied()
                .find(|&number| self.names[number].as_ref() == Some(name))
        });
        // Java looks for chains of keys that have an id only.
        id?;
        both.or(same_id.last().copied())
            .or_else(|| self.by_name.get(&name?).copied())
    }
}

fn body(bag: &Bag, chain: Vec<Certificate>, in_chains: &BTreeSet<Vec<u8>>, max_rounds: u64) -> Option<Body> {
    let locked = |sealed: &[u8]| {
        LockedKey::new(SealedKey {
            sealed: sealed.to_vec(),
            max_rounds,
        })
    };
    Some(match &bag.body {
        BagBody::Key(key) | BagBody::NewKey { key, .. } => Body::PrivateKey {
            chain,
            key: LockedKey::clear(key.clone()),
        },
        BagBody::SealedKey(sealed) => Body::PrivateKey {
            chain,
            key: locked(sealed),
        },
        BagBody::SealedSecret(sealed) => Body::SecretKey { key: locked(sealed) },
        BagBody::NewSecret { frame, .. } => Body::SecretKey {
            key: match secret_names::read_frame(frame.pkcs8_der()) {
                Ok(key) => LockedKey::clear_secret(key),
                Err(_) => return None,
            },
        },
        BagBody::Certificate(certificate) => {
            let trusted = bag.attributes.is_trusted;
            if !trusted && in_chains.contains(certificate.der()) {
                return None;
            }
            Body::TrustedCert {
                certificate: certificate.clone(),
                trusted,
            }
        }
        BagBody::Nested(_) => return None,
        BagBody::Other { what } => Body::Opaque { what: what.clone() },
    })
}

/// Milliseconds from `Time 1795236876695`.
fn created(bag: &Bag) -> Option<i64> {
    let id = bag.attributes.local_key_id.as_deref()?;
    std::str::from_utf8(id).ok()?.strip_prefix("Time ")?.parse().ok()
}

/// The key of a shrouded bag.
struct SealedKey {
    sealed: Vec<u8>,
    max_rounds: u64,
}

impl SealedKey {
    fn open(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        let password = password.ok_or(UnlockError::NeedsPassword)?;
        let forms: Vec<KdfPassword> = forms(password);
        let (clear, _) = open_key(&self.sealed, &forms, self.max_rounds)?;
        PrivateKey::from_pkcs8_der(clear.to_vec()).map_err(|_| UnlockError::WrongPassword)
    }
}

impl Unlock for SealedKey {
    fn private_key(&self, password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        self.open(password)
    }

    fn secret_key(&self, password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        let frame = self.open(password)?;
        let damaged = |_: ReadError| UnlockError::Malformed {
            what: "secret key's frame",
        };
        secret_names::read_frame(frame.pkcs8_der()).map_err(damaged)
    }

    fn protection(&self) -> String {
        split_key(&self.sealed).map_or_else(|error| error.to_string(), |(scheme, _)| scheme.describe())
    }
}
