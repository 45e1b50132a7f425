//! The dynamic agent: a CMS database and a JKS, or PKCS#12 with a PEM bundle. Source: A.6, A.8, E-14, E-15.

use keystore::Certificate;

use super::Event;
use super::Rename;
use super::Work;
use super::numbered_behind;
use crate::change::SettingChange;
use crate::change::SettingEdit;
use crate::change::StoreEdit;
use crate::component::StoreFile;
use crate::component::Syntax;
use crate::workload_automation::parts::JWT_FILE;
use crate::workload_automation::parts::ini;

impl Work<'_> {
    pub(super) fn agent(&mut self) {
        let stores: Vec<StoreFile> = self.component.stores.clone();
        for store in &stores {
            match store.id.as_str() {
                "cms" => self.cms(store),
                "jks" => self.jks(store),
                _ if store.holds_trust() && !store.holds_identity() => self.bundle(store),
                _ => {}
            }
        }
        for store in stores
            .iter()
            .filter(|store| store.holds_identity() && !store.holds_trust())
        {
            self.replace(store);
        }
        self.leave_tokens();
    }

    /// An agent that authenticates by JWT goes back to its certificate before the signer changes: with its grow, which
    /// the model puts before the engine's switch (R-289, domain specification B.4 and B.8).
    fn leave_tokens(&mut self) {
        let Some(ita) = self
            .site()
            .and_then(|site| site.agent)
            .map(|dir| format!("{dir}/ita/ita.ini"))
        else {
            return;
        };
        let bytes = self.files.read(&ita).unwrap_or_default();
        let named = |key: &&&str| ini(&bytes, &[**key]).is_some();
        let sets: Vec<SettingChange> = JWT_FILE
            .iter()
            .filter(named)
            .map(|key| SettingChange {
                key: (*key).to_owned(),
                edit: SettingEdit::CommentOut,
                occurs: 1,
            })
            .collect();
        if sets.is_empty() {
            return;
        }
        let id = self.component.id.clone();
        if !self.changes.grow.is_empty() {
            let why = "authenticate by certificate: its token ends when the signer changes (R-289)";
            self.settings(Event::Grow, &ita, Syntax::Ini, sets, why);
            self.note(format!(
                "{id}: jwt_file stays commented out in {ita}; take it back in when a token of the new signer is there"
            ));
        } else if !(self.changes.switch.is_empty() && self.changes.retire.is_empty()) {
            self.obstacle(format!(
                "{id}: it authenticates by JWT and has no restart before the signer changes: comment out jwt_file in \
                 {ita}, run ShutDownLwa and StartUpLwa, scan again (R-289)"
            ));
        }
    }

    /// GSKit's database. Labels are those of the documents; the personal certificate keeps its own.
    pub(super) fn cms(&mut self, store: &StoreFile) {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let mut grow = self.authorities_as(&content, "Intermediate");
        let old = self.leaving(store);
        let defaults = self.defaults();
        if let Some(old) = &old {
            // A certificate is in a database once: the one of the own key follows when the key goes.
            for (name, certificate) in defaults.iter().filter(|(_, certificate)| certificate != old) {
                grow.extend(self.trust_as(&content, certificate, name, Rename::CaseMatters));
            }
        }
        let why = "also trust the new chain; the default certificates under their own labels";
        self.store(Event::Grow, store, grow, why);
        if let Some(old) = &old {
            let mut edits = vec![self.replacement(old, None)];
            edits.extend(self.keep_trusting(old, &default_label(&defaults, old)));
            self.store(
                Event::Switch,
                store,
                edits,
                "present the new identity, still trust the old one",
            );
        }
        let mut retire = self.untrust_all(store, &content);
        retire.extend(self.left_over_keys(&content));
        self.store(
            Event::Retire,
            store,
            retire,
            "no longer trust the default certificates",
        );
    }

    /// The JKS of the agent's Java part. Its aliases know no case: the key leaves `client` for `server`, so that the
    /// default certificates can have their names (E-14).
    fn jks(&mut self, store: &StoreFile) {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let mut grow = self.authorities_as(&content, "intermediate");
        let old = self.leaving(store);
        let defaults = self.defaults();
        let named = |name: &str| {
            defaults
                .iter()
                .find(|(seen, _)| *seen == name)
                .map(|(_, found)| found.clone())
        };
        let server = named("ServerNew");
        if let Some(server) = server
            .as_ref()
            .filter(|server| old.as_ref().is_some_and(|old| old != *server))
        {
            grow.extend(self.trust_as(&content, server, "servernew", Rename::CaseIgnored));
        }
        let why = "also trust the new chain; the default certificate under its own alias";
        self.store(Event::Grow, store, grow, why);
        if let Some(old) = &old {
            let is_server =
                |alias: Option<&str>| alias.is_some_and(|alias| alias.eq_ignore_ascii_case("server"));
            let taken = content.keys().any(|(alias, _)| is_server(alias))
                || content
                    .trusted()
                    .any(|(alias, seen)| is_server(alias) && Some(seen) != server.as_ref());
            let alias = (!taken).then(|| "server".to_owned());
            let mut edits = vec![self.replacement(old, alias)];
            for (name, alias) in [("Client", "client"), ("ClientNew", "clientnew")] {
                if let Some(client) = named(name).filter(|client| client != old) {
                    edits.extend(self.trust_as(&content, &client, alias, Rename::Never));
                }
            }
            let name = default_label(&defaults, old).to_ascii_lowercase();
            edits.extend(self.keep_trusting(old, &name));
            self.store(
                Event::Switch,
                store,
                edits,
                "present the new identity, still trust the old one",
            );
        }
        let mut retire = self.untrust_all(store, &content);
        retire.extend(self.left_over_keys(&content));
        self.store(
            Event::Retire,
            store,
            retire,
            "no longer trust the default certificates",
        );
    }

    /// A PEM bundle that stays in place (10.2): the chain on top.
    pub(super) fn bundle(&mut self, store: &StoreFile) {
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let grow = self.on_top(&content);
        self.store(
            Event::Grow,
            store,
            grow,
            "also trust the new chain, which stands on top",
        );
        let retire = self.untrust_all(store, &content);
        self.store(
            Event::Retire,
            store,
            retire,
            "no longer trust the default certificates",
        );
    }

    /// One file with one key: the identity is replaced in its place.
    pub(super) fn replace(&mut self, store: &StoreFile) {
        if let Some(old) = self.leaving(store) {
            let edits = vec![self.replacement(&old, None)];
            self.store(Event::Switch, store, edits, "present the new identity");
        }
        let content = self.content(&store.id).cloned().unwrap_or_default();
        let mut retire: Vec<StoreEdit> = content
            .trusted()
            .filter(|(_, seen)| self.is_old(seen))
            .map(|(_, seen)| StoreEdit::Untrust {
                sha256: seen.sha256(),
            })
            .collect();
        retire.extend(self.left_over_keys(&content));
        self.store(Event::Retire, store, retire, "the default certificates go");
    }

    pub(super) fn replacement(&self, old: &Certificate, alias: Option<String>) -> StoreEdit {
        StoreEdit::ReplaceIdentity {
            old_sha256: old.sha256(),
            alias,
            material: self.rotation.material.clone(),
            chain: self.rotation.chain.clone(),
        }
    }

    /// The own old certificate was an anchor by its key entry and becomes one of its own.
    fn keep_trusting(&self, old: &Certificate, alias: &str) -> Option<StoreEdit> {
        self.is_old(old).then(|| StoreEdit::Trust {
            alias: Some(alias.to_owned()),
            certificate: old.clone(),
            first: false,
        })
    }

    /// `ca` and `1Intermediate`, `2Intermediate`, ….
    fn authorities_as(&self, content: &super::StoreContent, word: &str) -> Vec<StoreEdit> {
        let mut edits = Vec::new();
        for (index, root) in self.new.roots.iter().enumerate() {
            edits.extend(self.trust_as(content, root, &numbered_behind("ca", index), Rename::Never));
        }
        for (index, intermediate) in self.new.intermediates.iter().enumerate() {
            edits.extend(self.trust_as(
                content,
                intermediate,
                &format!("{}{word}", index + 1),
                Rename::Never,
            ));
        }
        edits
    }

    /// Further private keys of certificates to leave; the presented one is replaced, not removed.
    pub(super) fn left_over_keys(&self, content: &super::StoreContent) -> Vec<StoreEdit> {
        let own = content.identity().map(|(_, leaf)| leaf);
        content
            .keys()
            .filter(|(_, leaf)| Some(*leaf) != own && self.is_old(leaf))
            .map(|(_, leaf)| StoreEdit::RemoveIdentity {
                sha256: leaf.sha256(),
            })
            .collect()
    }
}

/// The document's label for a default certificate; `old` for one that is none.
fn default_label(defaults: &[(&'static str, Certificate)], certificate: &Certificate) -> String {
    let known = defaults.iter().find(|(_, seen)| seen == certificate);
    known.map_or_else(|| "old".to_owned(), |(name, _)| (*name).to_owned())
}
