//! Netman: PEM files named by `localopts`, PKCS#12 with a PEM bundle, or GSKit's database. Source: A.7, A.8 steps 4
//! to 6, R-052.

use keystore::Certificate;
use keystore::Limits;

use super::Event;
use super::StoreContent;
use super::Work;
use super::set;
use crate::change::Content;
use crate::change::FileEdit;
use crate::component::Secret;
use crate::component::StoreFile;
use crate::component::Syntax;
use crate::edit;

impl Work<'_> {
    pub(super) fn netman(&mut self) {
        let stores = self.component.stores.clone();
        if let Some(store) = stores.iter().find(|store| store.id == "cms") {
            self.cms(store);
            return self.unread_bundle();
        }
        let identity = stores.iter().find(|store| store.holds_identity());
        let trust = stores.iter().find(|store| store.holds_trust());
        match (identity, trust) {
            (Some(identity), Some(trust)) if identity.key_file.is_some() => self.pem(identity, trust),
            _ => {
                if let Some(trust) = trust.filter(|trust| !trust.holds_identity()) {
                    self.bundle(trust);
                }
                if let Some(identity) = identity {
                    self.replace(identity);
                }
            }
        }
    }

    /// Key, certificate and authorities in files of their own: the new ones get new names, and one edit of `localopts`
    /// moves to all of them.
    fn pem(&mut self, identity: &StoreFile, trust: &StoreFile) {
        let content = self.content(&trust.id).cloned().unwrap_or_default();
        let grow = self.on_top(&content);
        self.store(
            Event::Grow,
            trust,
            grow,
            "also trust the new chain, which stands on top (R-052)",
        );
        let mut trusted_after = trust.clone();
        if let Some(names) = self
            .leaving(identity)
            .and_then(|_| self.new_names(identity, trust))
        {
            self.write_new(identity, &content, &names);
            trusted_after.file = names.authorities;
        }
        let retire = self.untrust_all(trust, &content);
        self.store(
            Event::Retire,
            &trusted_after,
            retire,
            "no longer trust the default certificates",
        );
    }

    fn write_new(&mut self, identity: &StoreFile, content: &StoreContent, names: &Names) {
        let like = identity.key_file.clone();
        let write =
            |content: Content, mode: u32, like: Option<String>| FileEdit::Write { content, mode, like };
        let mut bundle = self.new.authorities();
        let kept: Vec<Certificate> = content.trusted().map(|(_, seen)| seen.clone()).collect();
        for certificate in kept {
            if !bundle.contains(&certificate) {
                bundle.push(certificate);
            }
        }
        let edit = write(Content::Certificates(bundle), 0o644, like.clone());
        self.put(
            Event::Switch,
            &names.authorities,
            edit,
            "the new chain, then what is still trusted",
        );
        let chain = Content::Certificates(self.new.presented());
        self.put(
            Event::Switch,
            &names.certificate,
            write(chain, 0o644, like.clone()),
            "the new certificate",
        );
        let key = Content::PrivateKey {
            material: self.rotation.material.clone(),
            password: identity.key_password.clone(),
        };
        self.put(
            Event::Switch,
            &names.key,
            write(key, 0o600, like.clone()),
            "the new private key",
        );
        let mut sets = vec![
            set("SSL key", &names.key),
            set("SSL certificate", &names.certificate),
            set("SSL CA certificate", &names.authorities),
        ];
        if let Some(Secret::Stash(path)) = &identity.key_password {
            let copy = write(Content::CopyOf(path.clone()), 0o600, like.clone());
            self.put(
                Event::Switch,
                &names.password,
                copy,
                "the password of the new private key",
            );
            sets.push(set("SSL key pwd", &names.password));
        }
        let seed = names
            .old_seed
            .clone()
            .filter(|seed| self.files.head(seed, 1).is_ok());
        let seed = seed.map_or(Content::Random(SEED_BYTES), Content::CopyOf);
        self.put(
            Event::Switch,
            &names.seed,
            write(seed, 0o600, like),
            "the random seed beside them (R-104)",
        );
        sets.push(set("SSL random seed", &names.seed));
        let why = "present the new identity: one edit moves to all new files";
        self.settings(Event::Switch, &names.localopts, Syntax::Localopts, sets, why);
        if let Some(key) = &identity.key_file {
            self.note(format!(
                "{}: the old private key is left in {key}; remove it when the old identity is retired",
                self.component.id
            ));
        }
    }

    /// Names beside the old files that none of them has.
    fn new_names(&mut self, identity: &StoreFile, trust: &StoreFile) -> Option<Names> {
        let Some(localopts) = self.site().and_then(|site| site.localopts) else {
            self.obstacle(format!(
                "{}: its localopts is not where it was",
                self.component.id
            ));
            return None;
        };
        let bytes = self.files.read(&localopts).unwrap_or_default();
        let read = |key: &str| edit::value(Syntax::Localopts, &bytes, key).ok().flatten();
        let used: Vec<String> = PATHS.iter().filter_map(|key| read(key)).collect();
        let dir = trust
            .file
            .rsplit_once('/')
            .or(identity.file.rsplit_once('/'))
            .map_or("", |(dir, _)| dir);
        let free = (1..).map(|number| {
            let stem = |name: &str| {
                if number == 1 {
                    format!("{dir}/{name}")
                } else {
                    format!("{dir}/{name}-{number}")
                }
            };
            (stem("tls"), stem("ca"))
        });
        let (tls, ca) = free.take(MAX_GENERATIONS).find(|(tls, ca)| {
            !used
                .iter()
                .any(|path| path.starts_with(&format!("{tls}.")) || *path == format!("{ca}.crt"))
        })?;
        Some(Names {
            localopts,
            old_seed: read("SSL random seed"),
            key: format!("{tls}.key"),
            certificate: format!("{tls}.crt"),
            password: format!("{tls}.sth"),
            seed: format!("{tls}.rnd"),
            authorities: format!("{ca}.crt"),
        })
    }

    /// With GSKit the PEM bundle is not read, and is kept up to date all the same.
    fn unread_bundle(&mut self) {
        let Some(path) = self.site().and_then(|site| site.localopts) else {
            return;
        };
        let bytes = self.files.read(&path).unwrap_or_default();
        let Ok(Some(file)) = edit::value(Syntax::Localopts, &bytes, "SSL CA certificate") else {
            return;
        };
        let Some(content) = pem_content(self.files.read(&file).ok().as_deref()) else {
            return;
        };
        let store = StoreFile {
            id: "unread".to_owned(),
            file,
            key_file: None,
            holds: Vec::new(),
            alias: None,
            password: None,
            key_password: None,
            stash: None,
        };
        let grow = self.on_top(&content);
        self.store(
            Event::Grow,
            &store,
            grow,
            "not read with FIPS, kept up to date: the new chain on top (R-052)",
        );
        let retire = self.untrust_all(&store, &content);
        self.store(
            Event::Retire,
            &store,
            retire,
            "not read with FIPS, kept up to date",
        );
    }
}

/// The certificates of a PEM file.
pub(in crate::workload_automation) fn pem_content(bytes: Option<&[u8]>) -> Option<StoreContent> {
    let store = keystore::read(bytes?, None, &Limits::default()).ok()?;
    Some(StoreContent::of("pem", &store))
}

struct Names {
    localopts: String,
    old_seed: Option<String>,
    key: String,
    certificate: String,
    password: String,
    seed: String,
    authorities: String,
}

const MAX_GENERATIONS: usize = 1_000;
/// The options that name files. Source: R-102.
const PATHS: &[&str] = &[
    "SSL key",
    "SSL certificate",
    "SSL key pwd",
    "SSL CA certificate",
    "SSL random seed",
];
const SEED_BYTES: usize = 1024;
