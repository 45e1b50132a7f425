//! Real handshakes on every link, with the files that the components themselves read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use fleet::Snapshot;
use fleet::snapshot::LinkFacts;
use keystore::Certificate;
use product::Component;
use product::Listen;
use product::StoreFile;

use crate::handshake::Call;
use crate::handshake::Patience;
use crate::handshake::Shake;
use crate::handshake::shake;
use crate::identity::Identity;
use crate::identity::anchors;
use crate::identity::identity;
use crate::secrets::Vault;

/// What one handshake on one link showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSeen {
    /// The link.
    pub link: LinkFacts,
    /// Both ends accepted each other.
    pub ok: bool,
    /// SHA-256 of the leaf that the server presented.
    pub presented: Option<[u8; 32]>,
    /// Why not.
    pub error: Option<String>,
}

/// Makes a full handshake on every link of the snapshot, from the caller's own address where that is local, with the
/// identity and the anchors that its files hold now. Links are looked at in parallel, each store is opened once.
///
/// Where a server does not say whether it lets the client in, it is asked once more with long patience; one that still
/// does not say counts as a failure.
pub fn verify_links(vault: &Vault, snapshot: &Snapshot, components: &[Component]) -> Vec<LinkSeen> {
    let links = &snapshot.links;
    let stores = Opened::default();
    let next = AtomicUsize::new(0);
    let look = || {
        let mut seen = Vec::new();
        while let Some(link) = links.get(next.fetch_add(1, Ordering::Relaxed)) {
            seen.push(verify_with(vault, components, link, Patience::Brief, &stores));
        }
        seen
    };
    let mut seen: Vec<LinkSeen> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..links.len().min(MOST_AT_ONCE))
            .map(|_| scope.spawn(look))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    });
    seen.sort_by_key(|seen| links.iter().position(|link| *link == seen.link));
    seen
}

/// Dials wait for their peers most of the time: far more than there are processors.
const MOST_AT_ONCE: usize = 48;

/// One full handshake on one link, for a verdict that matters.
pub fn verify_link(vault: &Vault, components: &[Component], link: &LinkFacts) -> LinkSeen {
    verify_with(vault, components, link, Patience::Long, &Opened::default())
}

fn verify_with(
    vault: &Vault,
    components: &[Component],
    link: &LinkFacts,
    patience: Patience,
    stores: &Opened,
) -> LinkSeen {
    match try_link(vault, components, link, patience, stores) {
        Ok(shake) => {
            // Who is not asked for a certificate cannot be refused for it.
            let unsaid = shake.accepted.is_none() && shake.asked != Some(false);
            if unsaid && shake.complete && patience == Patience::Brief {
                return verify_with(vault, components, link, Patience::Long, stores);
            }
            let ok = shake.complete && shake.accepted != Some(false) && !unsaid;
            let why = if shake.complete && unsaid {
                "the server does not say whether it lets the client in".to_owned()
            } else {
                shake.why
            };
            LinkSeen {
                link: link.clone(),
                ok,
                presented: shake.chain.first().map(Certificate::sha256),
                error: if ok { None } else { Some(why) },
            }
        }
        Err(why) => LinkSeen {
            link: link.clone(),
            ok: false,
            presented: None,
            error: Some(why),
        },
    }
}

fn try_link(
    vault: &Vault,
    components: &[Component],
    link: &LinkFacts,
    patience: Patience,
    stores: &Opened,
) -> Result<Shake, String> {
    let find = |id: &str| {
        components
            .iter()
            .find(|component| component.id == id)
            .ok_or_else(|| format!("{id} is not in the snapshot"))
    };
    let (client, server) = (find(&link.from)?, find(&link.to)?);
    let dial = client
        .dials
        .get(link.dial)
        .ok_or("the dial is not in the snapshot")?;
    let listen = server
        .listen(&link.endpoint)
        .ok_or("the endpoint is not in the snapshot")?;
    let own = match dial.identity.as_deref() {
        Some(id) => {
            let store = client
                .store(id)
                .ok_or_else(|| format!("{} has no store {id}", client.id))?;
            Some(stores.identities.get(client, store, || {
                identity(vault, client, store).map_err(|error| error.to_string())
            })?)
        }
        None => None,
    };
    let trusted = match fleet::store_of(client, dial.trust.as_deref(), StoreFile::holds_trust) {
        Some(store) => Some(stores.anchors.get(client, store, || {
            anchors(vault, client, store).map_err(|error| error.to_string())
        })?),
        None => None,
    };
    let trusted = trusted.as_ref().map(|anchors| anchors.as_slice());
    Ok(shake(&Call {
        expects: dial.expects.as_deref(),
        patience,
        ..call(listen, own.as_deref(), trusted, own_address(client))
    }))
}

/// Stores as they were when one look at the links began: opening one can cost thousands of rounds of hashing.
#[derive(Default)]
struct Opened {
    identities: Shelf<Identity>,
    anchors: Shelf<Vec<Certificate>>,
}

/// What was read from a component's store, by both their names.
struct Shelf<T>(Mutex<BTreeMap<(String, String), Slot<T>>>);

type Slot<T> = Arc<OnceLock<Result<Arc<T>, String>>>;

impl<T> Default for Shelf<T> {
    fn default() -> Shelf<T> {
        Shelf(Mutex::default())
    }
}

impl<T> Shelf<T> {
    fn get(
        &self,
        component: &Component,
        store: &StoreFile,
        read: impl FnOnce() -> Result<T, String>,
    ) -> Result<Arc<T>, String> {
        let key = (component.id.clone(), store.id.clone());
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key).or_default())
        };
        slot.get_or_init(|| read().map(Arc::new)).clone()
    }
}

/// A call to a listening address, with long patience.
pub fn call<'a>(
    listen: &'a Listen,
    identity: Option<&'a Identity>,
    anchors: Option<&'a [Certificate]>,
    source: Option<&'a str>,
) -> Call<'a> {
    Call {
        address: &listen.address,
        source,
        server_name: listen.server_name.as_deref(),
        expects: None,
        starttls: listen.starttls.as_deref(),
        identity,
        anchors,
        patience: Patience::Long,
    }
}

/// The address of a component's host where it is this machine's: that of its first listening address, if loopback.
pub fn own_address(component: &Component) -> Option<&str> {
    let address = component.listens.first()?.address.rsplit_once(':')?.0;
    address.starts_with("127.").then_some(address)
}
