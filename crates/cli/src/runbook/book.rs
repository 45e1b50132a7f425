//! What has to happen, step by step and file by file, before it is written down in a language.

use std::collections::BTreeMap;

use anyhow::Context;
use fleet::format::WriteDoc;
use keystore::Certificate;
use plan::Event;
use product::Change;
use product::ClientCertificate;
use product::Component;
use product::Content;
use product::FileEdit;
use product::Healthy;
use product::HostFiles;
use product::Means;
use product::Secret;

use super::entries::Entries;
use super::splice::Splice;
use super::splice::splices;
use crate::cmd::show::words;
use crate::design::Designed;
use crate::fleet_dir::FleetDir;
use crate::print::failure;

/// A whole runbook.
pub struct Book {
    /// Of the plan.
    pub digest: String,
    /// Passwords and keys that the person who runs it brings along.
    pub variables: Vec<Variable>,
    /// Every certificate that is written, by its name in the book.
    pub certificates: Vec<Paper>,
    /// In the order of the plan.
    pub steps: Vec<Stage>,
    /// What the plan says beside its steps.
    pub notes: Vec<String>,
}

/// Something secret, by the name of its variable.
#[derive(Clone)]
pub struct Variable {
    /// `PW_1`, `KEY_1`.
    pub name: String,
    /// What it is for and where it comes from.
    pub what: String,
    /// A file of the host that holds it in base64.
    pub base64_file: Option<String>,
    /// The host that file is on.
    pub host: String,
}

/// A certificate.
pub struct Paper {
    /// `c1`, ….
    pub name: String,
    /// Its subject.
    pub subject: String,
    /// SHA-256, lower case, without colons.
    pub sha256: String,
    /// DER in base64, without line ends.
    pub body: String,
}

/// One step of the plan.
pub struct Stage {
    /// As in the plan.
    pub id: String,
    /// The phase.
    pub wave: u32,
    /// Whose files.
    pub component: String,
    /// Where.
    pub host: String,
    /// `grow + switch`.
    pub events: String,
    /// In writing order.
    pub files: Vec<Edited>,
    /// What makes it count, with the directory.
    pub commands: Vec<Vec<String>>,
    /// Where they run.
    pub dir: String,
    /// What must be seen afterwards.
    pub looks: Vec<Seen>,
    /// Seconds within which it must be seen.
    pub takes: u64,
    /// What shows that a step is done which a person makes.
    pub by_hand: Vec<String>,
}

/// One change of one file.
pub struct Edited {
    /// The host path, links followed.
    pub path: String,
    /// `grow`, `switch` or `retire`.
    pub event: String,
    /// In the product's words.
    pub why: String,
    /// The digest of the file as the plan saw it; `None` where it was not there.
    pub before: Option<String>,
    /// What is done to a copy of it.
    pub acts: Vec<Act>,
    /// The product's own commands that take it back; a file goes back by its bytes.
    pub undo: Vec<Act>,
}

/// One thing that is done to the copy of a file, or beside the files.
pub enum Act {
    /// Nothing here can do it: a person.
    ByHand(String),
    /// The bytes of another file of the host.
    CopyOf(String),
    /// Certificates in PEM, in this order; nothing else.
    Certificates(Vec<String>),
    /// One certificate in DER.
    Der(String),
    /// An edit of a CMS key database; `None` = its stash opens it.
    Gsk(Option<String>, KeyAct),
    /// An edit of a store that Java reads: its type and the variable of its password.
    Java(&'static str, String, KeyAct),
    /// The new private key, encrypted where a variable is given, then these certificates.
    Key(String, Option<String>, Vec<String>),
    /// The base64 form of a password.
    PasswordFile(String),
    /// An edit of a PEM file.
    Pem(KeyAct),
    /// That many random bytes.
    Random(usize),
    /// The file goes.
    Remove,
    /// A command of the product, with the content of the file that it reads.
    Run(String, Vec<String>, Option<String>),
    /// Edits of a text, and the digest afterwards.
    Splices(Vec<Splice>, String),
    /// A text.
    Text(String),
}

/// An edit of a store.
pub enum KeyAct {
    /// The entry of that name becomes the default.
    Default(String),
    /// The entry goes: its name, and in PEM its certificate's body.
    Delete(String),
    /// In PEM: every certificate with this body goes.
    Drop(String),
    /// In PEM: every private key goes.
    DropKeys,
    /// A key entry: alias, variable of the key, chain, variable of its own password.
    Key(String, String, Vec<String>, Option<String>),
    /// In PEM: the new key and its chain in front.
    KeyFirst(String, Vec<String>, Option<String>),
    /// A trusted certificate: alias, certificate, in front of all others.
    Trust(String, String, bool),
}

/// What must be seen after a step.
pub enum Seen {
    /// A command ends with 0.
    Command(Vec<String>),
    /// A product's command on a host says that this name is linked.
    Linked(String, Vec<String>, String, String),
    /// The address lets a client with the new identity in: key variable and chain.
    LetsIn(String, String, Vec<String>),
    /// The address presents the certificate with this name.
    Presents(String, String),
    /// The port answers.
    Port(String),
    /// Nothing can be dialled; what the peers show counts.
    Peers(Vec<String>),
}

impl Book {
    /// Reads every write of the plan.
    ///
    /// # Errors
    /// A write of another version; a settings file that cannot be read.
    pub fn of(dir: &FleetDir, designed: &Designed) -> anyhow::Result<Book> {
        let mut work = Work {
            dir,
            designed,
            entries: Entries::of(&designed.snapshot),
            texts: BTreeMap::new(),
            secrets: Vec::new(),
            book: Book {
                digest: designed.document.digest().to_string(),
                variables: Vec::new(),
                certificates: Vec::new(),
                steps: Vec::new(),
                notes: Vec::new(),
            },
        };
        let notes = designed.document.questions.iter().filter_map(|question| {
            Some(format!(
                "{}: {}",
                question["about"].as_str()?,
                question["text"].as_str()?
            ))
        });
        work.book.notes = notes.collect();
        for step in &designed.document.steps {
            let stage = work.stage(step)?;
            work.book.steps.push(stage);
        }
        Ok(work.book)
    }

    /// The certificate of that name.
    pub fn paper(&self, name: &str) -> Option<&Paper> {
        self.certificates.iter().find(|paper| paper.name == name)
    }
}

struct Work<'a> {
    dir: &'a FleetDir,
    designed: &'a Designed,
    entries: Entries,
    /// Settings files as the steps before left them.
    texts: BTreeMap<(String, String), Vec<u8>>,
    secrets: Vec<(String, Secret, String)>,
    book: Book,
}

impl Work<'_> {
    fn stage(&mut self, step: &plan::Step) -> anyhow::Result<Stage> {
        let component = self.designed.snapshot.component(&step.component)?;
        let mut files = Vec::new();
        for write in &step.writes {
            let doc: WriteDoc = serde_json::from_value(write.clone()).context("a write of the plan")?;
            let change = fleet::format::change(&doc, &self.designed.snapshot)?;
            files.push(self.edited(&doc.host, &doc.event, change)?);
        }
        let mut commands = Vec::new();
        let trust = step.events.iter().any(|event| *event != Event::Switch);
        let identity = step.events.contains(&Event::Switch);
        for (counts, means) in [
            (trust, &component.effective.trust),
            (identity, &component.effective.identity),
        ] {
            if let (true, Means::Reload(list) | Means::Restart(list)) = (counts, means) {
                for command in list {
                    if !commands.contains(&command.argv) {
                        commands.push(command.argv.clone());
                    }
                }
            }
        }
        Ok(Stage {
            id: step.id.clone(),
            wave: step.wave,
            component: step.component.clone(),
            host: component.host.clone(),
            events: words(&step.events),
            files,
            commands,
            dir: component.dir.clone().unwrap_or_else(|| "/".to_owned()),
            looks: self.looks(&component, &step.events),
            takes: component.effective.takes.as_secs().max(1),
            by_hand: (step
                .extra
                .get("observe")
                .and_then(plan::Json::as_array)
                .into_iter()
                .flatten())
            .filter_map(|seen| Some(seen.as_str()?.to_owned()))
            .collect(),
        })
    }

    fn edited(&mut self, host: &str, event: &str, change: Change) -> anyhow::Result<Edited> {
        let path = match self.files(host) {
            Some(files) if !matches!(change.edit, FileEdit::Run(_)) => {
                let real = files.real(&change.path);
                if real.is_empty() {
                    change.path.clone()
                } else {
                    real
                }
            }
            _ => change.path.clone(),
        };
        let before = self.digest_before(host, &path);
        let mut undo = Vec::new();
        let acts = match change.edit {
            FileEdit::Remove => vec![Act::Remove],
            FileEdit::Run(procedure) => {
                let run = |line: product::Line| Act::Run(procedure.dir.clone(), line.argv, line.file);
                undo = procedure.undo.into_iter().map(run).collect();
                procedure.lines.into_iter().map(run).collect()
            }
            FileEdit::Settings { .. } => vec![self.settings(host, &path, &change)?],
            FileEdit::Store {
                password,
                key_password,
                edits,
            } => {
                let format = self.entries.format(host, &path);
                let stashed = matches!(&password, Some(Secret::Stash(stash))
                    if stash.strip_suffix(".sth") == path.strip_suffix(".kdb"));
                let own = password.as_ref().filter(|_| !(format == "cms-kdb" && stashed));
                let own = own.map(|secret| self.secret(host, secret, &path));
                let key_password = key_password
                    .as_ref()
                    .map(|secret| self.secret(host, secret, &path));
                let mut acts = Vec::new();
                for edit in &edits {
                    let names = self.names(edit);
                    acts.extend(self.entries.acts(
                        (host, &path),
                        edit,
                        &names,
                        (own.as_deref(), key_password.as_deref()),
                    ));
                }
                acts
            }
            FileEdit::Write { content, .. } => vec![self.content(host, &path, content)],
        };
        Ok(Edited {
            path,
            event: event.to_owned(),
            why: change.why,
            before,
            acts,
            undo,
        })
    }

    /// The names in the book of what an edit brings: certificates, then the key's variable.
    fn names(&mut self, edit: &product::StoreEdit) -> (Vec<String>, String) {
        use product::StoreEdit::{AddIdentity, ReplaceIdentity, Trust};
        match edit {
            AddIdentity { material, chain, .. } | ReplaceIdentity { material, chain, .. } => {
                let chain = chain.iter().map(|one| self.paper(one)).collect();
                (chain, self.key(material))
            }
            Trust { certificate, .. } => (vec![self.paper(certificate)], String::new()),
            _ => (Vec::new(), String::new()),
        }
    }

    fn settings(&mut self, host: &str, path: &str, change: &Change) -> anyhow::Result<Act> {
        let FileEdit::Settings { syntax, sets } = &change.edit else {
            return Ok(Act::ByHand(change.why.clone()));
        };
        let slot = (host.to_owned(), path.to_owned());
        let old = match self.texts.get(&slot) {
            Some(bytes) => bytes.clone(),
            None => self
                .files(host)
                .and_then(|files| files.read(path).ok())
                .ok_or_else(|| failure(format!("{host}:{path} cannot be read"), "capgrow scan"))?,
        };
        let mut bytes = old;
        let mut all = Vec::new();
        for set in sets {
            let next =
                product::edit::change(*syntax, &bytes, set).with_context(|| format!("{host}:{path}"))?;
            // One by one, so that nothing that stands between two of them is told.
            all.extend(splices(&bytes, &next));
            bytes = next;
        }
        let act = Act::Splices(all, fleet::snapshot::sha256_hex(&bytes));
        self.texts.insert(slot, bytes);
        Ok(act)
    }

    fn content(&mut self, host: &str, path: &str, content: Content) -> Act {
        if let Content::Certificates(chain) = &content {
            let names: Vec<String> = chain
                .iter()
                .map(|one| fleet::snapshot::hex(&one.sha256()))
                .collect();
            self.entries.written(host, path, &names);
        }
        match content {
            Content::Certificates(chain) => {
                Act::Certificates(chain.iter().map(|one| self.paper(one)).collect())
            }
            Content::CopyOf(from) => Act::CopyOf(from),
            Content::Der(certificate) => Act::Der(self.paper(&certificate)),
            Content::KeyAndChain {
                material,
                chain,
                password,
            } => {
                let chain = chain.iter().map(|one| self.paper(one)).collect();
                let password = password.map(|secret| self.secret(host, &secret, path));
                Act::Key(self.key(&material), password, chain)
            }
            Content::PasswordFile(secret) => Act::PasswordFile(self.secret(host, &secret, path)),
            Content::PrivateKey { material, password } => {
                let password = password.map(|secret| self.secret(host, &secret, path));
                Act::Key(self.key(&material), password, Vec::new())
            }
            Content::Random(length) => Act::Random(length),
            Content::Text(text) => Act::Text(text),
        }
    }

    fn looks(&mut self, component: &Component, events: &[Event]) -> Vec<Seen> {
        let mut looks = Vec::new();
        match &component.effective.healthy {
            Some(Healthy::Command(command)) => looks.push(Seen::Command(command.argv.clone())),
            Some(Healthy::Linked {
                command,
                host,
                dir,
                name,
            }) => {
                looks.push(Seen::Linked(
                    host.clone(),
                    command.argv.clone(),
                    dir.clone(),
                    name.clone(),
                ));
            }
            Some(Healthy::Tcp(port)) => {
                let own = component
                    .listens
                    .first()
                    .and_then(|listen| listen.address.rsplit_once(':'));
                let host = own.map_or("127.0.0.1", |(host, _)| host);
                looks.push(Seen::Port(format!("{host}:{port}")));
            }
            None => {}
        }
        let new = self
            .designed
            .snapshot
            .rotations
            .iter()
            .find_map(|rotation| rotation.new.get(&component.id))
            .cloned();
        let all = self
            .designed
            .snapshot
            .rotations
            .iter()
            .flat_map(|rotation| rotation.new.values())
            .next()
            .cloned();
        let mut seen = false;
        for listen in &component.listens {
            if let (true, Some(new)) = (events.contains(&Event::Switch), &new)
                && let Some(leaf) = new
                    .chain
                    .first()
                    .and_then(|name| self.designed.snapshot.certificate(name))
            {
                seen = true;
                looks.push(Seen::Presents(listen.address.clone(), self.paper(&leaf)));
            }
            let asks = listen.client_certificate != ClientCertificate::None;
            if let (true, true, Some(new)) = (events.contains(&Event::Grow), asks, &all) {
                let chain: Vec<Certificate> = new
                    .chain
                    .iter()
                    .filter_map(|name| self.designed.snapshot.certificate(name))
                    .collect();
                let chain = chain.iter().map(|one| self.paper(one)).collect();
                seen = true;
                looks.push(Seen::LetsIn(
                    listen.address.clone(),
                    self.key(&new.material),
                    chain,
                ));
            }
        }
        if !seen {
            let peers = component
                .dials
                .iter()
                .map(|dial| dial.to.clone())
                .collect::<Vec<_>>();
            looks.push(Seen::Peers(peers));
        }
        looks
    }

    fn files(&self, host: &str) -> Option<&dyn HostFiles> {
        self.dir
            .vault
            .trees()
            .get(host)
            .map(|tree| tree as &dyn HostFiles)
    }

    fn digest_before(&self, host: &str, path: &str) -> Option<String> {
        let bytes = self.files(host)?.read(path).ok()?;
        Some(fleet::snapshot::sha256_hex(&bytes))
    }

    fn paper(&mut self, certificate: &Certificate) -> String {
        use base64::Engine;
        let sha256 = fleet::snapshot::hex(&certificate.sha256());
        if let Some(known) = self.book.certificates.iter().find(|paper| paper.sha256 == sha256) {
            return known.name.clone();
        }
        let name = format!("c{}", self.book.certificates.len() + 1);
        self.book.certificates.push(Paper {
            name: name.clone(),
            subject: certificate.subject().to_string(),
            sha256,
            body: base64::engine::general_purpose::STANDARD.encode(certificate.der()),
        });
        name
    }

    fn key(&mut self, material: &str) -> String {
        let material = match material.split_once(':') {
            Some(("component", id)) => id.to_owned(),
            Some((_, name)) => format!("[[rotate]] {name}"),
            None => material.to_owned(),
        };
        let what = format!(
            "the file with the new private key of {material}, in PEM; its password, if any, in the same name with _PW"
        );
        self.variable("KEY", (what, None), "")
    }

    fn secret(&mut self, host: &str, secret: &Secret, path: &str) -> String {
        let known = self
            .secrets
            .iter()
            .find(|(on, one, _)| on == host && one == secret);
        if let Some((.., name)) = known {
            return name.clone();
        }
        let source = match secret {
            Secret::Command(argv) => format!("the output of `{}`", argv.first().map_or("", String::as_str)),
            Secret::Env(name) => format!("the variable {name}"),
            Secret::File(file) => format!("{file} of the fleet directory"),
            Secret::FleetFile(place) => format!("{place} of capgrow.toml"),
            Secret::Setting { file, key, .. } => format!("{key} in {file}"),
            Secret::Stash(stash) => format!("the stash {stash}"),
            _ => "asked for".to_owned(),
        };
        let plain = match secret {
            Secret::Stash(stash) => self
                .files(host)
                .and_then(|files| files.read(stash).ok())
                .filter(|bytes| keystore::read_stash(bytes).is_err())
                .map(|_| stash.clone()),
            _ => None,
        };
        let name = self.variable(
            "PW",
            (format!("the password of {host}:{path}: {source}"), plain),
            host,
        );
        self.secrets.push((host.to_owned(), secret.clone(), name.clone()));
        name
    }

    fn variable(&mut self, kind: &str, (what, base64_file): (String, Option<String>), host: &str) -> String {
        let known = self
            .book
            .variables
            .iter()
            .find(|one| one.what == what && one.host == host);
        if let Some(known) = known {
            return known.name.clone();
        }
        let count = self
            .book
            .variables
            .iter()
            .filter(|one| one.name.starts_with(kind))
            .count();
        let name = format!("{kind}_{}", count + 1);
        self.book.variables.push(Variable {
            name: name.clone(),
            what,
            base64_file,
            host: host.to_owned(),
        });
        name
    }
}
