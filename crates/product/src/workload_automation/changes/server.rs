//! Liberty servers: engine and console. Source: A.2, A.3, A.5, A.8 steps 1 and 2.

use keystore::Certificate;

use super::Event;
use super::Rename;
use super::Work;
use super::numbered_behind;
use super::set;
use crate::change::FileEdit;
use crate::change::SettingChange;
use crate::change::SettingEdit;
use crate::change::StoreEdit;
use crate::component::StoreFile;
use crate::component::Syntax;
use crate::edit;
use crate::liberty;
use crate::workload_automation::AUTHORIZED_CNS;
use crate::workload_automation::BROKER_PROPERTIES;
use crate::workload_automation::StoreContent;

impl Work<'_> {
    /// Key store and trust store of a Liberty server.
    pub(super) fn server(&mut self) {
        let Some(config) = self.config() else {
            return self.obstacle(format!(
                "{}: its server.xml is not where it was",
                self.component.id
            ));
        };
        let stores = self.component.stores.clone();
        let alias = self.new_alias();
        for store in stores.iter().filter(|store| store.holds_trust()) {
            self.server_trust(store, &alias);
        }
        let Some(store) = stores.iter().find(|store| store.holds_identity()) else {
            return;
        };
        let Some(old) = self.leaving(store) else {
            return self.retire_keys(store);
        };
        let places = self.alias_places(&config, store);
        let pinned = places.iter().any(|place| place.value.is_some());
        if self.component.keeps_no_old_identity && !pinned {
            let content = self.content(&store.id).cloned().unwrap_or_default();
            if self.taken(&content, Some(&old), &alias) {
                return self.alias_is_taken(store, &alias);
            }
            let mut edits = vec![self.replacement(&old, Some(alias))];
            edits.extend(self.authorities(store));
            self.store(
                Event::Switch,
                store,
                edits,
                "the new identity takes the place of the old one (R-034)",
            );
            return self.retire_keys(store);
        }
        self.second_key(store, &old, &alias, &places);
    }

    /// The new key beside the old one; the alias says which is presented.
    fn second_key(&mut self, store: &StoreFile, old: &Certificate, alias: &str, places: &[liberty::Place]) {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        if self.taken(&content, None, alias) {
            return self.alias_is_taken(store, alias);
        }
        let now = content
            .identity()
            .and_then(|(alias, _)| alias)
            .unwrap_or_default()
            .to_owned();
        for place in places {
            self.note_shadows(place);
            if place.value.as_deref() != Some(now.as_str()) {
                let why = "name the key that is presented now, before a second one enters the store (R-029)";
                self.settings(
                    Event::Grow,
                    &place.file,
                    Syntax::Xml,
                    vec![set(&place.key, &now)],
                    why,
                );
            }
        }
        let mut edits = Vec::new();
        if !content
            .keys()
            .any(|(_, leaf)| Some(leaf) == self.new.leaf.as_ref())
        {
            edits.push(StoreEdit::AddIdentity {
                alias: Some(alias.to_owned()),
                material: self.rotation.material.clone(),
                chain: self.rotation.chain.clone(),
            });
        }
        edits.extend(self.authorities(store));
        self.store(
            Event::Grow,
            store,
            edits,
            "the new identity beside the old one, not yet presented",
        );
        for place in places {
            let sets = vec![set(&place.key, alias)];
            self.settings(
                Event::Switch,
                &place.file,
                Syntax::Xml,
                sets,
                "present the new identity",
            );
        }
        let mut retire = vec![StoreEdit::RemoveIdentity { sha256: old.sha256() }];
        retire.extend(self.left_over_keys(&content));
        retire.extend(self.untrust_all(store, &content));
        self.store(Event::Retire, store, retire, "the old identity goes");
    }

    /// Whether an entry that is neither the new identity nor one that goes stands under that alias.
    fn taken(&self, content: &StoreContent, goes: Option<&Certificate>, alias: &str) -> bool {
        content.entries.iter().any(|entry| {
            let leaf = entry.chain.first();
            let named = |seen: &String| seen.eq_ignore_ascii_case(alias);
            entry.alias.as_ref().is_some_and(named)
                && leaf != self.new.leaf.as_ref()
                && (goes.is_none() || leaf != goes)
        })
    }

    fn alias_is_taken(&mut self, store: &StoreFile, alias: &str) {
        self.obstacle(format!(
            "{}: alias {alias:?} is taken in {} by another certificate; choose another `alias` in capgrow.toml",
            self.component.id, store.file
        ));
    }

    /// The leaf under the new alias, intermediates and root.
    fn server_trust(&mut self, store: &StoreFile, alias: &str) {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let mut edits = Vec::new();
        if let Some(leaf) = self.new.leaf.clone() {
            let other = content.entries.iter().any(|entry| {
                entry
                    .alias
                    .as_ref()
                    .is_some_and(|seen| seen.eq_ignore_ascii_case(alias))
                    && entry.chain.first() != Some(&leaf)
            });
            if other {
                self.obstacle(format!(
                    "{}: alias {alias:?} is taken in {} by another certificate, and JWT verification needs it there \
                     (R-118); choose another `alias` in capgrow.toml",
                    self.component.id, store.file
                ));
            }
            edits.extend(self.trust_as(&content, &leaf, alias, Rename::CaseIgnored));
        }
        edits.extend(self.authorities(store));
        self.store(Event::Grow, store, edits, "also trust the new chain");
        if !store.holds_identity() {
            let retire = self.untrust_all(store, &content);
            self.store(
                Event::Retire,
                store,
                retire,
                "no longer trust the default certificates",
            );
        }
    }

    /// `intermediate` and `root`.
    fn authorities(&self, store: &StoreFile) -> Vec<StoreEdit> {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let both = [
            ("intermediate", &self.new.intermediates),
            ("root", &self.new.roots),
        ];
        let mut edits = Vec::new();
        for (name, certificates) in both {
            for (index, certificate) in certificates.iter().enumerate() {
                edits.extend(self.trust_as(
                    &content,
                    certificate,
                    &numbered_behind(name, index),
                    Rename::Never,
                ));
            }
        }
        edits
    }

    /// When the new identity is presented already: what is left of the old ones.
    fn retire_keys(&mut self, store: &StoreFile) {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let mut edits = self.left_over_keys(&content);
        let trusted: Vec<Certificate> = content
            .trusted()
            .filter(|(_, seen)| self.is_old(seen))
            .map(|(_, seen)| seen.clone())
            .collect();
        edits.extend(trusted.iter().map(|seen| StoreEdit::Untrust {
            sha256: seen.sha256(),
        }));
        self.store(Event::Retire, store, edits, "the old identity goes");
    }

    /// Where the presented alias is named: for every `<ssl>` that reads this store, as server and as client.
    fn alias_places(&self, config: &liberty::Config, store: &StoreFile) -> Vec<liberty::Place> {
        let reads = |ssl: &&liberty::Ssl| {
            ssl.key_store
                .as_ref()
                .is_some_and(|key| key.location == store.file)
        };
        let mut places: Vec<liberty::Place> = Vec::new();
        for ssl in config.ssl().iter().filter(reads) {
            for attribute in ["serverKeyAlias", "clientKeyAlias"] {
                let place = config.place("ssl", &ssl.id, attribute);
                places.extend(place.filter(|place| !places.contains(place)));
            }
        }
        places
    }

    /// The names that the broker lets in.
    pub(super) fn broker(&mut self) {
        let Some(site) = self.site() else { return };
        let path = format!("{}/{BROKER_PROPERTIES}", site.data);
        let Ok(bytes) = self.files.read(&path) else { return };
        let listed = match edit::find(Syntax::Properties, &bytes, AUTHORIZED_CNS) {
            Ok(found) if found.len() == 1 => found[0].text.clone(),
            Ok(found) => {
                let lines: Vec<String> = found.iter().map(|value| value.line.to_string()).collect();
                let seen = if lines.is_empty() {
                    "is not there".to_owned()
                } else {
                    format!("stands on lines {}", lines.join(", "))
                };
                return self.obstacle(format!(
                    "{}: {AUTHORIZED_CNS} in {path} {seen}; it must stand there once",
                    self.component.id
                ));
            }
            Err(error) => return self.obstacle(format!("{}: {path}: {error}", self.component.id)),
        };
        let is_listed = |name: &String| listed.split(';').any(|seen| seen.trim() == name);
        let separator = ";".to_owned();
        let change = |edit| SettingChange {
            key: AUTHORIZED_CNS.to_owned(),
            edit,
            occurs: 1,
        };
        let add = |name: &String| {
            change(SettingEdit::AddItem {
                item: name.clone(),
                separator: separator.clone(),
            })
        };
        let remove = |name: &String| {
            change(SettingEdit::RemoveItem {
                item: name.clone(),
                separator: separator.clone(),
            })
        };
        let new = self.rotation.new_names.clone();
        let mut old = self.rotation.old_names.clone();
        for certificate in &self.rotation.old {
            old.extend(
                certificate
                    .subject()
                    .common_name()
                    .filter(|name| !old.contains(name)),
            );
        }
        old.retain(|name| !new.contains(name));
        let grow = new.iter().filter(|name| !is_listed(name)).map(add).collect();
        self.settings(
            Event::Grow,
            &path,
            Syntax::Properties,
            grow,
            "let agents with the new names in",
        );
        let retire = old.iter().filter(|name| is_listed(name)).map(remove).collect();
        self.settings(
            Event::Retire,
            &path,
            Syntax::Properties,
            retire,
            "no longer let the old names in",
        );
    }

    /// The signer of tokens: `mp.jwt.trust.key` and three `keyAlias`.
    pub(super) fn tokens(&mut self) {
        let Some(config) = self.config() else { return };
        if self.new.leaf.is_none() {
            return;
        }
        let alias = self.new_alias();
        let variable = config.variable_place(JWT_VARIABLE);
        let mut aliases: Vec<(String, Vec<edit::Value>)> = Vec::new();
        for file in &config.files {
            let Ok(bytes) = self.files.read(file) else {
                continue;
            };
            let found = edit::find(Syntax::Xml, &bytes, KEY_ALIAS).unwrap_or_default();
            if !found.is_empty() {
                aliases.push((file.clone(), found));
            }
        }
        let Some(place) = variable else {
            if !aliases.is_empty() {
                self.obstacle(format!(
                    "{}: {} has keyAlias, and no variable {JWT_VARIABLE} is set; define it before the plan",
                    self.component.id, aliases[0].0
                ));
            }
            return;
        };
        self.note_shadows(&place);
        if place.value.as_deref() != Some(&alias) {
            let sets = vec![set(&place.key, &alias)];
            self.settings(
                Event::Switch,
                &place.file,
                Syntax::Xml,
                sets,
                "tokens are verified with the new certificate",
            );
        }
        for (file, found) in aliases {
            if found.len() != KEY_ALIASES {
                let lines: Vec<String> = found.iter().map(|value| value.line.to_string()).collect();
                self.obstacle(format!(
                    "{}: keyAlias stands {} times in {file} (lines {}), expected {KEY_ALIASES} (R-117); look which of \
                     them sign tokens",
                    self.component.id, found.len(), lines.join(", ")
                ));
                continue;
            }
            if found.iter().all(|value| value.text == JWT_REFERENCE) {
                continue;
            }
            let edit = SettingEdit::Set {
                value: JWT_REFERENCE.to_owned(),
                or_add: false,
            };
            let sets = vec![SettingChange {
                key: KEY_ALIAS.to_owned(),
                edit,
                occurs: KEY_ALIASES,
            }];
            self.settings(
                Event::Switch,
                &file,
                Syntax::Xml,
                sets,
                "tokens are signed with the new key",
            );
        }
        self.ended_tokens();
    }

    /// What the old key signed and who is seen to use it (R-289, F-04).
    fn ended_tokens(&mut self) {
        let changes_signer = self.changes.switch.iter().any(|change| {
            change.path.ends_with("jwt_variables.xml")
                || matches!(&change.edit, FileEdit::Settings { sets, .. } if sets.iter().any(|set| set.key == KEY_ALIAS))
        });
        let Some(old) = self
            .component
            .stores
            .iter()
            .filter(|store| store.holds_identity())
            .find_map(|store| self.content(&store.id)?.identity())
            .map(|(_, leaf)| leaf.subject().to_string())
            .filter(|_| changes_signer)
        else {
            return;
        };
        let id = self.component.id.clone();
        self.note(format!(
            "{id}: every token and personal API key signed with the key of {old} ends with its switch: issue new ones \
             (R-289)"
        ));
        for file in self.token_files() {
            self.note(format!(
                "{id}: {file} holds a token (JWT), which ends with the switch"
            ));
        }
    }

    /// `localopts` and the users' own options with a token in them. Source: domain specification B.4, useropts.
    fn token_files(&self) -> Vec<String> {
        let Some(localopts) = self.site().and_then(|site| site.localopts) else {
            return Vec::new();
        };
        let option = |file: &str, key: &str| {
            let bytes = self.files.read(file).ok()?;
            let value = edit::value(Syntax::Localopts, &bytes, key).ok().flatten()?;
            Some(value).filter(|value| !value.is_empty())
        };
        let name = option(&localopts, "useropts").unwrap_or_else(|| "useropts".to_owned());
        let homes = self.files.list("/home").into_iter();
        let homes = homes
            .map(|home| format!("/home/{}", home.name))
            .chain(["/root".to_owned()]);
        let users = homes.map(|home| format!("{home}/.TWS/{name}"));
        std::iter::once(localopts.clone())
            .chain(users)
            .filter(|file| option(file, "JWT").is_some())
            .collect()
    }

    /// The alias of the new key: one that it has already, else as asked for, else its name.
    pub(super) fn new_alias(&self) -> String {
        let leaf = self.new.leaf.as_ref();
        let stores = self
            .component
            .stores
            .iter()
            .filter(|store| store.holds_identity());
        let there = stores
            .filter_map(|store| self.content(&store.id))
            .flat_map(|content| content.keys())
            .find(|(_, seen)| Some(*seen) == leaf)
            .and_then(|(alias, _)| alias.map(str::to_owned));
        let name = || {
            leaf.and_then(|leaf| leaf.subject().common_name())
                .unwrap_or_else(|| "new".to_owned())
        };
        there.or_else(|| self.rotation.alias.clone()).unwrap_or_else(name)
    }

    fn config(&self) -> Option<liberty::Config> {
        let site = self.site()?;
        let dir = if self.component.role == "DWC" {
            site.console
        } else {
            site.engine
        }?;
        Some(liberty::read(self.files, &dir))
    }

    fn note_shadows(&mut self, place: &liberty::Place) {
        for text in liberty::shadowed(&[place]) {
            self.note(format!("{}: {text}", self.component.id));
        }
    }
}

pub(in crate::workload_automation) const JWT_REFERENCE: &str = "${mp.jwt.trust.key}";
pub(in crate::workload_automation) const JWT_VARIABLE: &str = "mp.jwt.trust.key";
pub(in crate::workload_automation) const KEY_ALIAS: &str = "//@keyAlias";
/// Source: R-117.
pub(in crate::workload_automation) const KEY_ALIASES: usize = 3;
