//! Real handshakes on every link, with the files that the components themselves read.

use fleet::Snapshot;
use fleet::snapshot::LinkFacts;
use keystore::Certificate;
use product::Component;
use product::Listen;
use product::StoreFile;

use crate::handshake::Call;
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
/// identity and the anchors that its files hold now. Links are looked at in parallel.
pub fn verify_links(vault: &Vault, snapshot: &Snapshot, components: &[Component]) -> Vec<LinkSeen> {
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * 4;
    let share = snapshot.links.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = snapshot
            .links
            .chunks(share)
            .map(|links| {
                scope.spawn(move || {
                    links
                        .iter()
                        .map(|link| verify_link(vault, components, link))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    })
}

/// One full handshake on one link.
pub fn verify_link(vault: &Vault, components: &[Component], link: &LinkFacts) -> LinkSeen {
    match try_link(vault, components, link) {
        Ok((shake, trusted)) => {
            let accepted = shake.accepted != Some(false);
            let ok = shake.complete && accepted && trusted;
            LinkSeen {
                link: link.clone(),
                ok,
                presented: shake.chain.first().map(Certificate::sha256),
                error: if ok { None } else { Some(shake.why) },
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

fn try_link(vault: &Vault, components: &[Component], link: &LinkFacts) -> Result<(Shake, bool), String> {
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
            Some(identity(vault, client, store).map_err(|error| error.to_string())?)
        }
        None => None,
    };
    let trusted = match fleet::store_of(client, dial.trust.as_deref(), StoreFile::holds_trust) {
        Some(store) => Some(anchors(vault, client, store).map_err(|error| error.to_string())?),
        None => None,
    };
    let call = call(listen, own.as_ref(), trusted.as_deref(), own_address(client));
    let shake = shake(&Call {
        expects: dial.expects.as_deref(),
        ..call
    });
    Ok((shake, true))
}

/// A call to a listening address.
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
    }
}

/// The address of a component's host where it is this machine's: that of its first listening address, if loopback.
pub fn own_address(component: &Component) -> Option<&str> {
    let address = component.listens.first()?.address.rsplit_once(':')?.0;
    address.starts_with("127.").then_some(address)
}
