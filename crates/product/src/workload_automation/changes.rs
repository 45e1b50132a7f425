//! What the files of a Workload Automation process become when it grows, switches and retires.
//!
//! Growing gives the stores their S1 content, retiring S2 (`state_table`); entries are found by certificate, never by
//! alias. What belongs to others stays and is listed.

use keystore::Certificate;

use super::content::DEFAULT_NAMES;
use super::content::NewChain;
use super::content::StoreContent;
use super::content::default_name;
use super::layout;
use crate::change::Change;
use crate::change::Changes;
use crate::change::FileEdit;
use crate::change::Rotation;
use crate::change::SettingChange;
use crate::change::SettingEdit;
use crate::change::StoreEdit;
use crate::component::Component;
use crate::component::StoreFile;
use crate::component::Syntax;
use crate::files::HostFiles;

mod agent;
mod depot;
mod netman;
mod server;

pub(super) use netman::pem_content;
pub(super) use server::JWT_VARIABLE;
pub(super) use server::KEY_ALIAS;

/// The changes of one component for one rotation. `files` is its host, `stores` what its stores hold now.
///
/// Each list is in writing order and every prefix is safe: trust before identity, the alias pinned before a second key
/// enters, new files before the setting that points to them. Processes that share a file get equal edits of it.
pub fn changes(
    component: &Component,
    files: &dyn HostFiles,
    stores: &[StoreContent],
    rotation: &Rotation,
) -> Changes {
    let mut work = Work {
        component,
        files,
        stores,
        rotation,
        new: NewChain::of(rotation),
        changes: Changes::default(),
    };
    match super::kind_of(component) {
        Some(super::parts::Kind::Agent) => work.agent(),
        Some(super::parts::Kind::Console) => work.server(),
        Some(super::parts::Kind::Engine) => {
            work.server();
            work.broker();
            work.tokens();
            work.depot();
        }
        Some(super::parts::Kind::Netman) => work.netman(),
        None => work.obstacle(format!(
            "{}: its stores are none that Workload Automation has",
            component.id
        )),
    }
    work.third_parties();
    work.changes
}

/// Whether `--until coexistence` leaves this component's switch to the retirement: S1 keeps `serverKeyAlias` and the
/// JWT settings of the servers with an engine as they are. Source: `state_table.json`, rows `ssl_config.xml`,
/// `jwt_variables.xml`, `server.xml`.
pub fn switches_at_retirement(component: &Component) -> bool {
    component.product == super::PRODUCT && super::kind_of(component) == Some(super::parts::Kind::Engine)
}

struct Work<'a> {
    component: &'a Component,
    files: &'a dyn HostFiles,
    stores: &'a [StoreContent],
    rotation: &'a Rotation,
    new: NewChain,
    changes: Changes,
}

/// When a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Grow,
    Retire,
    Switch,
}

impl Work<'_> {
    fn put(&mut self, event: Event, path: &str, edit: FileEdit, why: &str) {
        let list = match event {
            Event::Grow => &mut self.changes.grow,
            Event::Retire => &mut self.changes.retire,
            Event::Switch => &mut self.changes.switch,
        };
        list.push(Change {
            path: path.to_owned(),
            edit,
            why: why.to_owned(),
        });
    }

    /// Edits of a store; none is no change.
    fn store(&mut self, event: Event, store: &StoreFile, edits: Vec<StoreEdit>, why: &str) {
        if edits.is_empty() {
            return;
        }
        let edit = FileEdit::Store {
            password: store.password.clone(),
            key_password: store.key_password.clone(),
            edits,
        };
        self.put(event, &store.file.clone(), edit, why);
    }

    fn settings(&mut self, event: Event, file: &str, syntax: Syntax, sets: Vec<SettingChange>, why: &str) {
        if !sets.is_empty() {
            self.put(event, file, FileEdit::Settings { syntax, sets }, why);
        }
    }

    fn note(&mut self, text: String) {
        if !self.changes.notes.contains(&text) {
            self.changes.notes.push(text);
        }
    }

    fn obstacle(&mut self, text: String) {
        self.changes.obstacles.push(text);
    }

    fn content(&self, id: &str) -> Option<&StoreContent> {
        self.stores.iter().find(|store| store.id == id)
    }

    /// Whether that certificate is one to leave.
    fn is_old(&self, certificate: &Certificate) -> bool {
        self.rotation.old.contains(certificate)
    }

    /// The certificates to leave that are the product's own defaults, with their names.
    fn defaults(&self) -> Vec<(&'static str, Certificate)> {
        let mut all: Vec<(&'static str, Certificate)> = self
            .rotation
            .old
            .iter()
            .filter_map(|certificate| Some((default_name(certificate)?, certificate.clone())))
            .collect();
        all.sort_by_key(|(name, _)| DEFAULT_NAMES.iter().position(|known| known == name));
        all
    }

    /// Adds a trusted certificate under `alias`; one that is trusted under another alias is renamed where `rename`.
    fn trust_as(
        &self,
        content: &StoreContent,
        certificate: &Certificate,
        alias: &str,
        rename: Rename,
    ) -> Vec<StoreEdit> {
        let add = StoreEdit::Trust {
            alias: Some(alias.to_owned()),
            certificate: certificate.clone(),
            first: false,
        };
        let there = content.trusted().find(|(_, seen)| *seen == certificate);
        match (there, rename) {
            (None, _) => vec![add],
            (Some((Some(seen), _)), Rename::CaseMatters) if seen != alias => {
                vec![
                    StoreEdit::Untrust {
                        sha256: certificate.sha256(),
                    },
                    add,
                ]
            }
            (Some((Some(seen), _)), Rename::CaseIgnored) if !seen.eq_ignore_ascii_case(alias) => {
                vec![
                    StoreEdit::Untrust {
                        sha256: certificate.sha256(),
                    },
                    add,
                ]
            }
            _ => Vec::new(),
        }
    }

    /// Every certificate to leave that the store trusts now, or will by the changes so far, out of it.
    fn untrust_all(&self, store: &StoreFile, content: &StoreContent) -> Vec<StoreEdit> {
        let planned = self
            .changes
            .grow
            .iter()
            .chain(&self.changes.switch)
            .filter(|change| change.path == store.file);
        let added = planned.flat_map(|change| match &change.edit {
            FileEdit::Store { edits, .. } => edits.as_slice(),
            _ => &[],
        });
        let added: Vec<&Certificate> = added
            .filter_map(|edit| match edit {
                StoreEdit::Trust { certificate, .. } => Some(certificate),
                _ => None,
            })
            .collect();
        let there =
            |old: &&Certificate| added.contains(old) || content.trusted().any(|(_, seen)| seen == *old);
        self.rotation
            .old
            .iter()
            .filter(there)
            .map(|old| StoreEdit::Untrust { sha256: old.sha256() })
            .collect()
    }

    /// The chain on top of a PEM bundle, intermediates first.
    fn on_top(&self, content: &StoreContent) -> Vec<StoreEdit> {
        let missing = |certificate: &Certificate| !content.trusted().any(|(_, seen)| seen == certificate);
        let chain = self.new.authorities();
        // Each goes in front of all others, so the last one first.
        chain
            .into_iter()
            .rev()
            .filter(missing)
            .map(|certificate| StoreEdit::Trust {
                alias: None,
                certificate,
                first: true,
            })
            .collect()
    }

    /// The leaf presented now, if it is to be replaced; says why where nothing can be replaced.
    fn leaving(&mut self, store: &StoreFile) -> Option<Certificate> {
        self.new.leaf.as_ref()?;
        let presented = self
            .content(&store.id)
            .and_then(StoreContent::identity)
            .map(|(_, leaf)| leaf.clone());
        match presented {
            Some(leaf) if Some(&leaf) == self.new.leaf.as_ref() => None,
            Some(leaf) => Some(leaf),
            None => {
                self.obstacle(format!(
                    "{}: which private key it presents from {} is not known; name `alias` for store `{}` in capgrow.toml",
                    self.component.id, store.file, store.id
                ));
                None
            }
        }
    }

    /// Trusted entries that are neither left nor new: kept, and said.
    fn third_parties(&mut self) {
        let chain: Vec<Certificate> = self
            .new
            .presented()
            .into_iter()
            .chain(self.new.authorities())
            .collect();
        let mut kept: Vec<String> = Vec::new();
        for store in &self.component.stores {
            let Some(content) = self.content(&store.id) else {
                continue;
            };
            for (alias, certificate) in content.trusted() {
                if !self.is_old(certificate) && !chain.contains(certificate) {
                    let alias = alias.map(|alias| format!(" {alias:?}")).unwrap_or_default();
                    let subject = certificate.subject();
                    kept.push(format!(
                        "{}: {} keeps{alias} {subject}",
                        self.component.id, store.file
                    ));
                }
            }
        }
        kept.into_iter().for_each(|text| self.note(text));
    }

    fn site(&self) -> Option<layout::Site> {
        let install = self.component.dir.as_ref()?;
        layout::at(self.files, install)
    }
}

/// What becomes of an entry that has the right certificate under another alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rename {
    /// It gets the alias; upper and lower case are alike (JKS).
    CaseIgnored,
    /// It gets the alias; upper and lower case differ (CMS).
    CaseMatters,
    /// It keeps its alias.
    Never,
}

fn set(key: &str, value: &str) -> SettingChange {
    let edit = SettingEdit::Set {
        value: value.to_owned(),
        or_add: true,
    };
    SettingChange {
        key: key.to_owned(),
        edit,
        occurs: 1,
    }
}

/// `name`, `name2`, …
fn numbered_behind(name: &str, index: usize) -> String {
    if index == 0 {
        name.to_owned()
    } else {
        format!("{name}{}", index + 1)
    }
}

#[cfg(test)]
mod tests;
