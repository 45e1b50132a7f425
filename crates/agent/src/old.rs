//! Old identities out of a run's backups: what must be refused after retirement is asked for with them.

use exec::journal::Journal;
use exec::log::State;
use keystore::Body;
use keystore::Limits;
use product::Secrets;

use crate::hands::OsHands;
use crate::identity::Identity;

/// Identities of the generation that is left, which a run replaced; `known` are not repeated.
pub(crate) fn from_backups(hands: &OsHands<'_>, journal: &Journal<'_>, known: &[Identity]) -> Vec<Identity> {
    let leave: Vec<&String> = hands
        .snapshot
        .rotations
        .iter()
        .flat_map(|rotation| &rotation.leave)
        .collect();
    let mut found: Vec<Identity> = Vec::new();
    for intent in journal.standing() {
        for intended in &intent.changes {
            let (Some(name), State::File { .. }) = (&intended.backup, &intended.before) else {
                continue;
            };
            let path = intended.named.to_string_lossy().into_owned();
            for component in hands
                .components
                .iter()
                .filter(|component| component.host == intent.host)
            {
                let Some(store) = component
                    .stores
                    .iter()
                    .find(|store| store.file == path && store.holds_identity())
                else {
                    continue;
                };
                let Ok(bytes) = journal.read_backup(name, 64 << 20) else {
                    continue;
                };
                let secret = |secret: &Option<product::Secret>| {
                    secret
                        .as_ref()
                        .and_then(|secret| hands.vault.open(&component.host, secret).ok())
                };
                let password = secret(&store.password);
                let key_password = secret(&store.key_password).or_else(|| password.clone());
                let Ok(parsed) = keystore::read(&bytes, password.as_ref(), &Limits::default()) else {
                    continue;
                };
                for entry in parsed
                    .entries()
                    .iter()
                    .filter(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
                {
                    let Some(leaf) = entry.certificates().first() else {
                        continue;
                    };
                    let name = fleet::snapshot::hex(&leaf.sha256());
                    let repeated = known
                        .iter()
                        .chain(&found)
                        .any(|identity| identity.chain.first() == Some(leaf));
                    if repeated || !leave.contains(&&name) {
                        continue;
                    }
                    if let Ok(key) = entry.unlock(key_password.as_ref()) {
                        found.push(Identity {
                            chain: entry.certificates().to_vec(),
                            key,
                        });
                    }
                }
            }
        }
    }
    found
}
