//! The depot: what agents download. The documents have it on the master alone (R-045, A.9.1); where another broker host
//! has one with files in it, its agents download from there (domain specification B.8), so it is kept up to date too.
//! Source: A.4, R-058 to.

use keystore::Certificate;

use super::Event;
use super::Work;
use super::netman::pem_content;
use crate::change::Content;
use crate::change::FileEdit;
use crate::component::Secret;
use crate::workload_automation::BROKER_PROPERTIES;

impl Work<'_> {
    pub(super) fn depot(&mut self) {
        let Some(site) = self.site() else { return };
        if self.new.leaf.is_none() {
            return;
        }
        let depot = Depot {
            dir: format!("{}/ssl/depot", site.data),
            like: format!("{}/{BROKER_PROPERTIES}", site.data),
        };
        let filled = ["ca.crt", "tls.crt", "tls.key"]
            .iter()
            .any(|name| self.files.head(&format!("{}/{name}", depot.dir), 1).is_ok());
        if self.component.role != "MDM" && !filled {
            return;
        }
        self.depot_authorities(&depot);
        let leaf: Vec<Certificate> = self.new.leaf.iter().cloned().collect();
        let key_there = self.files.head(&format!("{}/tls.key", depot.dir), 1).is_ok();
        if key_there && self.holds(&format!("{}/tls.crt", depot.dir), &leaf) {
            return;
        }
        let Some(password) = self.key_password(&site.data) else {
            let id = &self.component.id;
            return self.obstacle(format!(
                "{id}: no password is known that the depot's tls.key could have"
            ));
        };
        let material = self.rotation.material.clone();
        let key = Content::PrivateKey {
            material,
            password: Some(password.clone()),
        };
        let password = Content::PasswordFile(password);
        depot.put(
            self,
            "tls.sth",
            password,
            0o600,
            "the password of the agents' new key",
        );
        depot.put(self, "tls.key", key, 0o600, "the agents' new private key");
        depot.put(
            self,
            "tls.crt",
            Content::Certificates(leaf),
            0o644,
            "the agents' new certificate",
        );
        self.note(format!(
            "{}: the depot gives the same private key to every agent that downloads it (R-290)",
            self.component.id
        ));
    }

    /// An agent that downloads midway must not lose the old anchors: they come first.
    fn depot_authorities(&mut self, depot: &Depot) {
        let presents_old = self
            .component
            .stores
            .iter()
            .filter(|store| store.holds_identity())
            .filter_map(|store| self.content(&store.id)?.identity())
            .any(|(_, leaf)| Some(leaf) != self.new.leaf.as_ref());
        let mut wanted: Vec<(String, Certificate, &str)> = Vec::new();
        for (name, certificate) in self.defaults() {
            let name = format!("additionalCAs/{name}.crt");
            let path = format!("{}/{name}", depot.dir);
            let there = self.files.head(&path, 1).is_ok();
            if presents_old || there {
                let why = "agents that download no longer trust it (R-068)";
                self.put(Event::Retire, &path, FileEdit::Remove, why);
            }
            if presents_old {
                wanted.push((
                    name,
                    certificate,
                    "agents that download still trust the default certificate",
                ));
            }
        }
        for (index, intermediate) in self.new.intermediates.iter().enumerate() {
            let name = format!("additionalCAs/{}Intermediate.crt", index + 1);
            wanted.push((
                name,
                intermediate.clone(),
                "the new chain for agents, one certificate a file (R-059)",
            ));
        }
        for (index, root) in self.new.roots.iter().enumerate() {
            let more = format!("additionalCAs/{}Root.crt", index + 1);
            let name = if index == 0 { "ca.crt".to_owned() } else { more };
            wanted.push((name, root.clone(), "the new root for agents"));
        }
        for (name, certificate, why) in wanted {
            let content = vec![certificate];
            if !self.holds(&format!("{}/{name}", depot.dir), &content) {
                depot.put(self, &name, Content::Certificates(content), 0o644, why);
            }
        }
    }

    /// Whether a PEM file holds exactly these certificates.
    fn holds(&self, path: &str, certificates: &[Certificate]) -> bool {
        let content = pem_content(self.files.read(path).ok().as_deref());
        content.is_some_and(|content| content.trusted().map(|(_, seen)| seen).eq(certificates))
    }

    /// The password that the product's own PEM key has, else that of the key store.
    fn key_password(&self, data: &str) -> Option<Secret> {
        let stashes = [
            "ssl/OpenSSL/password.sth",
            "ssl/OpenSSL/tls.sth",
            "ssl/certs/tls.sth",
        ];
        let there = stashes
            .iter()
            .map(|name| format!("{data}/{name}"))
            .find(|path| self.files.head(path, 1).is_ok());
        there.map(Secret::Stash).or_else(|| {
            self.component
                .stores
                .iter()
                .filter(|store| store.holds_identity())
                .find_map(|store| store.password.clone())
        })
    }
}

struct Depot {
    dir: String,
    /// Whose owner new files take.
    like: String,
}

impl Depot {
    fn put(&self, work: &mut Work<'_>, name: &str, content: Content, mode: u32, why: &str) {
        let edit = FileEdit::Write {
            content,
            mode,
            like: Some(self.like.clone()),
        };
        work.put(Event::Grow, &format!("{}/{name}", self.dir), edit, why);
    }
}
