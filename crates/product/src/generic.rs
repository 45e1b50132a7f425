//! Any program with stores and a restart or reload command: what its files become in a rotation.

use keystore::Certificate;

use crate::change::Change;
use crate::change::Changes;
use crate::change::Content;
use crate::change::FileEdit;
use crate::change::Rotation;
use crate::change::SettingChange;
use crate::change::SettingEdit;
use crate::change::StoreEdit;
use crate::component::Component;
use crate::component::Selects;
use crate::component::Setting;
use crate::component::StoreFile;

/// What one store holds today, as far as a rotation asks.
#[derive(Debug, Clone, Default)]
pub struct StoreNow {
    /// The id in the component.
    pub id: String,
    /// The leaf presented from it, where it holds an identity.
    pub presented: Option<Certificate>,
    /// The alias of that entry.
    pub alias: Option<String>,
    /// The anchors its runtime reads from it.
    pub anchors: Vec<Certificate>,
    /// Anchors among them that stand in key entries alone, so that a switch would take them away.
    pub anchors_with_key: Vec<Certificate>,
    /// How many private keys it has.
    pub keys: usize,
}

/// The writes of a component without a product of its own. `now` has one item for each of its stores.
///
/// Trust files come before identity files; every prefix of each list is safe. A key and its certificate
/// in two files have no safe prefix: that pair is named in `notes`.
pub fn changes(component: &Component, now: &[StoreNow], rotation: &Rotation) -> Changes {
    let mut changes = Changes::default();
    for store in &component.stores {
        let Some(facts) = now.iter().find(|facts| facts.id == store.id) else {
            continue;
        };
        if store.holds_trust() {
            grow(store, facts, rotation, &mut changes);
            retire(store, facts, rotation, &mut changes);
        }
    }
    for setting in &component.settings {
        allowed_names(setting, rotation, &mut changes);
    }
    for store in component.stores.iter().filter(|store| store.holds_identity()) {
        let Some(facts) = now.iter().find(|facts| facts.id == store.id) else {
            continue;
        };
        switch(component, store, facts, rotation, &mut changes);
    }
    changes
}

fn grow(store: &StoreFile, facts: &StoreNow, rotation: &Rotation, changes: &mut Changes) {
    let mut edits: Vec<StoreEdit> = Vec::new();
    for anchor in &rotation.anchors {
        if !facts.anchors.contains(anchor) {
            edits.push(StoreEdit::Trust {
                alias: anchor_alias(anchor),
                certificate: anchor.clone(),
                first: false,
            });
        }
    }
    // A key entry whose certificates also serve as anchors goes with the switch: keep what they anchor.
    let goes = gone_with_the_switch(facts, rotation);
    for anchor in &facts.anchors_with_key {
        if rotation.old.contains(anchor) || goes.contains(&anchor) {
            edits.push(StoreEdit::Trust {
                alias: anchor_alias(anchor),
                certificate: anchor.clone(),
                first: false,
            });
        }
    }
    if !edits.is_empty() {
        changes
            .grow
            .push(store_change(store, edits, "also trust the new chain"));
    }
}

/// The issuers that stand in the chain of the identity that will be replaced, and nowhere else.
fn gone_with_the_switch<'a>(facts: &'a StoreNow, rotation: &Rotation) -> Vec<&'a Certificate> {
    let mut gone: Vec<&Certificate> = Vec::new();
    let Some(leaf) = facts
        .presented
        .as_ref()
        .filter(|leaf| rotation.old.contains(leaf))
    else {
        return gone;
    };
    let mut last = leaf;
    while let Some(issuer) = facts
        .anchors_with_key
        .iter()
        .find(|one| *one != leaf && last.names_as_issuer(one) && !gone.contains(one))
    {
        gone.push(issuer);
        last = issuer;
    }
    gone
}

fn retire(store: &StoreFile, facts: &StoreNow, rotation: &Rotation, changes: &mut Changes) {
    let edits: Vec<StoreEdit> = rotation
        .old
        .iter()
        .filter(|old| facts.anchors.contains(old))
        .map(|old| StoreEdit::Untrust { sha256: old.sha256() })
        .collect();
    if !edits.is_empty() {
        changes
            .retire
            .push(store_change(store, edits, "no longer trust the old certificates"));
    }
}

fn allowed_names(setting: &Setting, rotation: &Rotation, changes: &mut Changes) {
    let Selects::AllowedNames { separator } = &setting.selects else {
        return;
    };
    let add = rotation.new_names.iter().map(|name| SettingEdit::AddItem {
        item: name.clone(),
        separator: separator.clone(),
    });
    let remove = rotation.old_names.iter().map(|name| SettingEdit::RemoveItem {
        item: name.clone(),
        separator: separator.clone(),
    });
    if !rotation.new_names.is_empty() {
        changes
            .grow
            .push(setting_change(setting, add.collect(), "let the new names in"));
    }
    if !rotation.old_names.is_empty() {
        changes.retire.push(setting_change(
            setting,
            remove.collect(),
            "no longer let the old names in",
        ));
    }
}

fn switch(
    component: &Component,
    store: &StoreFile,
    facts: &StoreNow,
    rotation: &Rotation,
    changes: &mut Changes,
) {
    let Some(presented) = &facts.presented else { return };
    if rotation.chain.is_empty()
        || !rotation.old.contains(presented)
        || rotation.chain.first() == Some(presented)
    {
        return;
    }
    let chain = rotation.chain.clone();
    let material = rotation.material.clone();
    if let Some(key_file) = &store.key_file {
        key_and_chain(component, key_file, store, (material, chain), changes);
        return;
    }
    let pinned = component
        .settings
        .iter()
        .find(|setting| setting.selects == Selects::AliasOf(store.id.clone()));
    let old_sha256 = presented.sha256();
    match (pinned, &rotation.alias) {
        (Some(setting), Some(alias)) if facts.alias.as_ref() != Some(alias) => {
            let add = StoreEdit::AddIdentity {
                alias: Some(alias.clone()),
                material,
                chain,
            };
            changes.switch.push(store_change(
                store,
                vec![add],
                "the new identity beside the old one",
            ));
            let set = SettingEdit::Set {
                value: alias.clone(),
                or_add: false,
            };
            changes
                .switch
                .push(setting_change(setting, vec![set], "present the new identity"));
            let remove = StoreEdit::RemoveIdentity { sha256: old_sha256 };
            changes
                .retire
                .push(store_change(store, vec![remove], "the old identity goes"));
        }
        _ => {
            // Where the alias is named by something we do not edit, it must stay.
            let alias = rotation
                .alias
                .clone()
                .filter(|_| store.alias.is_none() && pinned.is_none());
            let replace = StoreEdit::ReplaceIdentity {
                old_sha256,
                alias,
                material,
                chain,
            };
            changes
                .switch
                .push(store_change(store, vec![replace], "present the new identity"));
        }
    }
}

fn key_and_chain(
    component: &Component,
    key_file: &str,
    store: &StoreFile,
    (material, chain): (String, Vec<Certificate>),
    changes: &mut Changes,
) {
    changes.notes.push(format!(
        "{}: {} and {} are replaced one after the other; a start in between would see a key that does not fit",
        component.id, key_file, store.file
    ));
    let key = Content::PrivateKey {
        material,
        password: store.key_password.clone(),
    };
    changes.switch.push(write(
        key_file,
        key,
        Some(key_file.to_owned()),
        "the new private key",
    ));
    changes.switch.push(write(
        &store.file,
        Content::Certificates(chain),
        Some(store.file.clone()),
        "the new chain",
    ));
}

fn store_change(store: &StoreFile, edits: Vec<StoreEdit>, why: &str) -> Change {
    let edit = FileEdit::Store {
        password: store.password.clone(),
        key_password: store.key_password.clone(),
        edits,
    };
    Change {
        path: store.file.clone(),
        edit,
        why: why.to_owned(),
    }
}

fn setting_change(setting: &Setting, edits: Vec<SettingEdit>, why: &str) -> Change {
    let sets = edits
        .into_iter()
        .map(|edit| SettingChange {
            key: setting.key.clone(),
            edit,
            occurs: 1,
        })
        .collect();
    Change {
        path: setting.file.clone(),
        edit: FileEdit::Settings {
            syntax: setting.syntax,
            sets,
        },
        why: why.to_owned(),
    }
}

fn write(path: &str, content: Content, like: Option<String>, why: &str) -> Change {
    let mode = if matches!(content, Content::PrivateKey { .. } | Content::KeyAndChain { .. }) {
        0o600
    } else {
        0o644
    };
    Change {
        path: path.to_owned(),
        edit: FileEdit::Write { content, mode, like },
        why: why.to_owned(),
    }
}

/// An alias that says what the anchor is: its CN in lower case without blanks.
pub(crate) fn anchor_alias(anchor: &Certificate) -> Option<String> {
    let name: String = anchor
        .subject()
        .common_name()
        .unwrap_or_else(|| "ca".to_owned())
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '.' {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    Some(name)
}
