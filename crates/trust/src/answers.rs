//! Which identity a client sends when a server asks for one: the server's list of authorities, its key types, the alias.

use keystore::{Body, Certificate, Entry, Store};

use crate::asn1;
use crate::cipher::KeyNeed;
use crate::presents::{PresentError, Presented, presents};
use crate::profile::{ClientRule, Profile};

/// What a server's CertificateRequest says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The certificates whose subjects are its list of authorities; empty = no list, any will do.
    pub authorities: &'a [Certificate],
    /// Kinds of keys that it takes, in its order of preference; empty = any.
    pub keys: &'a [KeyNeed],
}

/// What a client does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It sends this identity; `why` in a few words.
    Identity {
        /// Which entry, and which others fit as well.
        presented: Presented,
        /// By what it was chosen.
        why: &'static str,
    },
    /// It goes on without a certificate, and the server decides.
    Nothing {
        /// Why nothing fits.
        why: &'static str,
    },
}

/// The identity out of `store` that a client of this runtime sends. `alias`: the one configured.
///
/// # Errors
/// [`PresentError`] as with [`presents`]; `Ambiguous` where no rule decides.
///
/// Source: the profile's `answers`.
pub fn sends(
    store: &Store,
    alias: Option<&str>,
    runtime: &Profile,
    request: &Request<'_>,
) -> Result<Sent, PresentError> {
    let rule = runtime.answers.value;
    if alias.is_some() || rule == ClientRule::Configured {
        let presented = presents(store, alias, runtime)?;
        let entry = &store.entries()[presented.entry];
        return Ok(match has_key(entry, request) {
            true => Sent::Identity {
                presented,
                why: if alias.is_some() {
                    "its alias is set"
                } else {
                    "it is the one configured, whatever the list says"
                },
            },
            false => Sent::Nothing {
                why: "the server takes no key of that kind",
            },
        });
    }
    let keys = key_entries(store);
    if keys.is_empty() {
        return Err(PresentError::Empty);
    }
    let fitting = fitting(store, &keys, request);
    let ordered = match rule {
        ClientRule::HashOrder => by_hash(store, &keys, &fitting),
        ClientRule::Configured | ClientRule::FileOrder => fitting,
    };
    Ok(match ordered.split_first() {
        None => Sent::Nothing {
            why: "no identity is of a kind the server takes and issued below one of its authorities",
        },
        Some((entry, others)) => Sent::Identity {
            presented: Presented {
                entry: *entry,
                others: others.to_vec(),
            },
            why: match (others.is_empty(), rule) {
                (true, _) => "the only one that fits",
                (false, ClientRule::HashOrder) => "several fit: the first in a hash map of their aliases",
                (false, _) => "several fit: the first in the file",
            },
        },
    })
}

/// The label of an IBM MQ end, and where it comes from. `channel`, `manager`: CERTLABL, empty when not set; `name`: the
/// queue manager, or at a client the user who logged on.
///
/// Source: IBM MQ, "Digital certificate labels, understanding the requirements"; domain specification E.1.
pub fn mq_label(channel: &str, manager: &str, name: &str) -> (String, &'static str) {
    match (channel.is_empty(), manager.is_empty()) {
        (false, _) => (channel.to_owned(), "CERTLABL of the channel"),
        (true, false) => (
            manager.to_owned(),
            "CERTLABL of the queue manager, or CertificateLabel of the client",
        ),
        (true, true) => (
            format!("ibmwebspheremq{}", name.to_lowercase()),
            "the default: ibmwebspheremq and the name in lower case",
        ),
    }
}

fn key_entries(store: &Store) -> Vec<usize> {
    let entries = store.entries().iter().enumerate();
    entries
        .filter(|(_, entry)| matches!(entry.body(), Body::PrivateKey { .. }))
        .map(|(index, _)| index)
        .collect()
}

/// Entries that fit, the server's preferred kind of key first, in file order within a kind.
fn fitting(store: &Store, keys: &[usize], request: &Request<'_>) -> Vec<usize> {
    let below = |index: &&usize| is_below(&store.entries()[**index], request.authorities);
    let all: Vec<usize> = keys.iter().filter(below).copied().collect();
    if request.keys.is_empty() {
        return all;
    }
    let of_kind = |kind: &KeyNeed| -> Vec<usize> {
        let is_kind = |index: &&usize| kind_of(&store.entries()[**index]) == Some(*kind);
        all.iter().filter(is_kind).copied().collect()
    };
    request.keys.iter().flat_map(of_kind).collect()
}

fn has_key(entry: &Entry, request: &Request<'_>) -> bool {
    request.keys.is_empty() || kind_of(entry).is_some_and(|kind| request.keys.contains(&kind))
}

/// Whether a certificate of the entry's chain is issued by one of the authorities.
fn is_below(entry: &Entry, authorities: &[Certificate]) -> bool {
    let mut chain = entry.certificates().iter();
    authorities.is_empty()
        || chain.any(|cert| {
            let mut authorities = authorities.iter();
            authorities.any(|authority| authority.subject() == cert.issuer())
        })
}

fn kind_of(entry: &Entry) -> Option<KeyNeed> {
    use crate::algorithm::Key;
    let leaf = entry.certificates().first()?;
    let cert = crate::cert::Cert::read(leaf, crate::dn::Naming::Bytes).ok()?;
    match Key::read(asn1::only(cert.spki, asn1::SEQUENCE)?) {
        Key::Rsa { .. } | Key::RsaPss { .. } => Some(KeyNeed::Rsa),
        Key::Ec(_) | Key::Ed25519 | Key::Ed448 => Some(KeyNeed::Ec),
        Key::Dsa { .. } => Some(KeyNeed::Dsa),
        Key::Unknown => None,
    }
}

/// In the order of a `HashMap<String, …>` of the aliases of all keys; the first kind that the server prefers wins as a
/// whole.
///
/// Source: OpenJDK 17 `SunX509KeyManagerImpl.credentialsMap`, `getAliases`; `java.util.HashMap`.
fn by_hash(store: &Store, keys: &[usize], fitting: &[usize]) -> Vec<usize> {
    let mut buckets: usize = 16;
    while keys.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    let place = |index: &usize| {
        let alias = store.entries()[*index].alias().unwrap_or_default().to_lowercase();
        let hash = alias.encode_utf16().fold(0u32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(u32::from(unit))
        });
        usize::try_from(hash ^ (hash >> 16)).unwrap_or_default() & (buckets - 1)
    };
    let kind = |index: &usize| kind_of(&store.entries()[*index]);
    let mut ordered = fitting.to_vec();
    let kinds: Vec<Option<KeyNeed>> = fitting.iter().map(kind).collect();
    let rank = |index: &usize| {
        kinds
            .iter()
            .position(|found| *found == kind(index))
            .unwrap_or_default()
    };
    ordered.sort_by_key(|index| (rank(index), place(index)));
    ordered
}
