//! From a change and the bytes that are there now to the bytes that will be there.

use keystore::Body;
use keystore::Certificate;
use keystore::Edit;
use keystore::Format;
use keystore::Limits;
use keystore::Password;
use keystore::Place;
use keystore::PrivateKey;
use keystore::Store;
use keystore::WriteEnv;

use crate::change::Content;
use crate::change::FileEdit;
use crate::change::StoreEdit;
use crate::component::Secret;
use crate::edit;

/// What a change asks of the one who carries it out. Secrets stay behind these calls.
pub trait Bench {
    /// The words of a password.
    ///
    /// # Errors
    /// Why they cannot be had, naming the source only.
    fn password(&self, secret: &Secret) -> Result<Password, String>;

    /// The new private key of that name.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn private_key(&self, material: &str) -> Result<PrivateKey, String>;

    /// Another file of the same host.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// What a file becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// These bytes.
    Bytes(Vec<u8>),
    /// It is removed.
    Removed,
    /// It is as it should be already.
    Unchanged,
}

/// Why a change cannot be carried out on these bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RealiseError {
    /// The file must be there and is not.
    #[error("it is not there")]
    Absent,
    /// The identity that should be replaced is not in the store.
    #[error("no private-key entry with certificate {sha256} is in it")]
    NoIdentity {
        /// First 8 bytes, hexadecimal.
        sha256: String,
    },
    /// An entry has the wanted name and another content.
    #[error("alias {alias:?} is taken by another entry")]
    AliasTaken {
        /// The name.
        alias: String,
    },
    /// A password, key or file could not be had.
    #[error("{0}")]
    Bench(String),
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Parse(#[source] keystore::ParseError),
    /// The store does not take the edit.
    #[error("the entry cannot be changed")]
    Edit(#[source] keystore::EditError),
    /// The store cannot be written.
    #[error("the store cannot be written")]
    Write(#[source] keystore::WriteError),
    /// The configuration file does not take the edit.
    #[error("the setting cannot be changed")]
    Setting(#[source] edit::EditError),
}

/// The bytes of a file after `edit`. Pure but for what `bench` and `env` bring; asking twice is harmless:
/// what is there already is not done again.
///
/// # Errors
/// [`RealiseError`]; nothing is written by this function.
pub fn realise(
    edit: &FileEdit,
    current: Option<&[u8]>,
    bench: &dyn Bench,
    env: &mut WriteEnv<'_>,
) -> Result<Outcome, RealiseError> {
    match edit {
        FileEdit::Remove => Ok(if current.is_some() {
            Outcome::Removed
        } else {
            Outcome::Unchanged
        }),
        // Its commands run beside the files.
        FileEdit::Run(_) => Ok(Outcome::Unchanged),
        FileEdit::Settings { syntax, sets } => {
            let old = current.ok_or(RealiseError::Absent)?;
            let mut bytes = old.to_vec();
            for set in sets {
                bytes = edit::change(*syntax, &bytes, set).map_err(RealiseError::Setting)?;
            }
            Ok(compared(old, bytes))
        }
        FileEdit::Store {
            password,
            key_password,
            edits,
        } => {
            let old = current.ok_or(RealiseError::Absent)?;
            let password = password
                .as_ref()
                .map(|secret| bench.password(secret))
                .transpose()
                .map_err(RealiseError::Bench)?;
            let key_password = key_password
                .as_ref()
                .map(|secret| bench.password(secret))
                .transpose()
                .map_err(RealiseError::Bench)?;
            let store =
                keystore::read(old, password.as_ref(), &Limits::default()).map_err(RealiseError::Parse)?;
            let mut work = Work {
                store,
                key_password: key_password.or_else(|| password.clone()),
                bench,
                changed: false,
            };
            for edit in edits {
                work.apply(edit, env)?;
            }
            if !work.changed {
                return Ok(Outcome::Unchanged);
            }
            let bytes = work
                .store
                .write(password.as_ref(), env)
                .map_err(RealiseError::Write)?;
            Ok(compared(old, bytes))
        }
        FileEdit::Write { content, .. } => {
            let bytes = written(content, bench, env)?;
            Ok(match current {
                Some(old) if same_content(content, old, &bytes) => Outcome::Unchanged,
                _ => Outcome::Bytes(bytes),
            })
        }
    }
}

fn compared(old: &[u8], bytes: Vec<u8>) -> Outcome {
    if old == bytes {
        Outcome::Unchanged
    } else {
        Outcome::Bytes(bytes)
    }
}

/// Random content is made once and then left alone.
fn same_content(content: &Content, old: &[u8], new: &[u8]) -> bool {
    matches!(content, Content::Random(length) if old.len() == *length) || old == new
}

struct Work<'a> {
    store: Store,
    key_password: Option<Password>,
    bench: &'a dyn Bench,
    changed: bool,
}

impl Work<'_> {
    fn apply(&mut self, edit: &StoreEdit, env: &mut WriteEnv<'_>) -> Result<(), RealiseError> {
        match edit {
            StoreEdit::Trust {
                alias,
                certificate,
                first,
            } => self.trust(alias.as_deref(), certificate, *first, env),
            StoreEdit::Untrust { sha256 } => self.untrust(sha256, env),
            StoreEdit::AddIdentity {
                alias,
                material,
                chain,
            } => self.add_identity(alias.as_deref(), material, chain, env),
            StoreEdit::ReplaceIdentity {
                old_sha256,
                alias,
                material,
                chain,
            } => self.replace_identity(old_sha256, alias.as_deref(), (material, chain), env),
            StoreEdit::RemoveIdentity { sha256 } => self.remove_identity(sha256, env),
            StoreEdit::SetDefault { sha256 } => {
                let index = self.identity(sha256).ok_or_else(|| no_identity(sha256))?;
                self.edit(&Edit::SetDefault { index }, env)
            }
        }
    }

    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), RealiseError> {
        self.store.edit(edit, env).map_err(RealiseError::Edit)?;
        self.changed = true;
        Ok(())
    }

    fn trust(
        &mut self,
        alias: Option<&str>,
        certificate: &Certificate,
        first: bool,
        env: &mut WriteEnv<'_>,
    ) -> Result<(), RealiseError> {
        let there = self.store.entries().iter().any(|entry| {
            matches!(entry.body(), Body::TrustedCert { certificate: found, trusted: true } if found == certificate)
        });
        if there {
            return Ok(());
        }
        let alias = alias
            .filter(|_| has_aliases(&self.store))
            .map(|wanted| self.free_alias(wanted));
        let place = if first { Place::First } else { Place::Last };
        self.edit(
            &Edit::Trust {
                alias,
                certificate: certificate.clone(),
                place,
            },
            env,
        )
    }

    /// The wanted alias, or with the first free number behind it.
    fn free_alias(&self, wanted: &str) -> String {
        if self.store.find(wanted).is_none() {
            return wanted.to_owned();
        }
        (2..)
            .map(|number| format!("{wanted}-{number}"))
            .find(|alias| self.store.find(alias).is_none())
            .unwrap_or_default()
    }

    fn untrust(&mut self, sha256: &[u8; 32], env: &mut WriteEnv<'_>) -> Result<(), RealiseError> {
        while let Some(index) = self.store.entries().iter().position(
            |entry| matches!(entry.body(), Body::TrustedCert { certificate, .. } if certificate.sha256() == *sha256),
        ) {
            self.edit(&Edit::Remove { index }, env)?;
        }
        Ok(())
    }

    fn identity(&self, sha256: &[u8; 32]) -> Option<usize> {
        self.store.entries().iter().position(|entry| match entry.body() {
            Body::PrivateKey { chain, .. } => chain.first().is_some_and(|leaf| leaf.sha256() == *sha256),
            _ => false,
        })
    }

    fn add_identity(
        &mut self,
        alias: Option<&str>,
        material: &str,
        chain: &[Certificate],
        env: &mut WriteEnv<'_>,
    ) -> Result<(), RealiseError> {
        let leaf = chain.first().map(Certificate::sha256).unwrap_or_default();
        if self.identity(&leaf).is_some() {
            return Ok(());
        }
        if let Some(alias) = alias.filter(|alias| self.store.find(alias).is_some()) {
            return Err(RealiseError::AliasTaken {
                alias: alias.to_owned(),
            });
        }
        let key = self.bench.private_key(material).map_err(RealiseError::Bench)?;
        let edit = Edit::PutKey {
            alias: alias.map(str::to_owned),
            key,
            chain: chain.to_vec(),
            key_password: self.key_password.clone(),
            place: Place::Last,
        };
        self.edit(&edit, env)?;
        self.keep_issuers(chain, env)
    }

    /// A CMS key record holds its own certificate alone: what is sent after it comes from the other records, and a
    /// verifier that knows only the root needs all between.
    fn keep_issuers(&mut self, chain: &[Certificate], env: &mut WriteEnv<'_>) -> Result<(), RealiseError> {
        if self.store.format() != Format::CmsKdb {
            return Ok(());
        }
        for issuer in chain.iter().skip(1) {
            let alias = crate::generic::anchor_alias(issuer);
            self.trust(alias.as_deref(), issuer, false, env)?;
        }
        Ok(())
    }

    fn replace_identity(
        &mut self,
        old_sha256: &[u8; 32],
        alias: Option<&str>,
        (material, chain): (&str, &[Certificate]),
        env: &mut WriteEnv<'_>,
    ) -> Result<(), RealiseError> {
        let leaf = chain.first().map(Certificate::sha256).unwrap_or_default();
        if leaf != *old_sha256 && self.identity(&leaf).is_some() && self.identity(old_sha256).is_none() {
            return Ok(());
        }
        let index = self.identity(old_sha256).ok_or_else(|| no_identity(old_sha256))?;
        let key = self.bench.private_key(material).map_err(RealiseError::Bench)?;
        let key_password = self.key_password.clone();
        self.edit(
            &Edit::ReplaceIdentity {
                index,
                key,
                chain: chain.to_vec(),
                key_password,
            },
            env,
        )?;
        self.keep_issuers(chain, env)?;
        let Some(alias) = alias.filter(|_| has_aliases(&self.store)) else {
            return Ok(());
        };
        match (self.identity(&leaf), self.store.find(alias)) {
            (Some(index), None) => self.edit(
                &Edit::Rename {
                    index,
                    alias: alias.to_owned(),
                },
                env,
            ),
            (Some(index), Some(taken)) if taken != index => Err(RealiseError::AliasTaken {
                alias: alias.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn remove_identity(&mut self, sha256: &[u8; 32], env: &mut WriteEnv<'_>) -> Result<(), RealiseError> {
        let keys = self
            .store
            .entries()
            .iter()
            .filter(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
            .count();
        match self.identity(sha256) {
            Some(index) if keys > 1 => self.edit(&Edit::Remove { index }, env),
            _ => Ok(()),
        }
    }
}

fn no_identity(sha256: &[u8; 32]) -> RealiseError {
    RealiseError::NoIdentity {
        sha256: hex(&sha256[..8]),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn written(content: &Content, bench: &dyn Bench, env: &mut WriteEnv<'_>) -> Result<Vec<u8>, RealiseError> {
    Ok(match content {
        Content::Certificates(certificates) => pem_certificates(certificates, env)?,
        Content::Der(certificate) => certificate.der().to_vec(),
        Content::PrivateKey { material, password } => {
            private_key(material, &[], password.as_ref(), bench, env)?
        }
        Content::KeyAndChain {
            material,
            chain,
            password,
        } => private_key(material, chain, password.as_ref(), bench, env)?,
        Content::CopyOf(path) => bench.file(path).map_err(RealiseError::Bench)?,
        Content::PasswordFile(secret) => {
            keystore::write_wa_password(&bench.password(secret).map_err(RealiseError::Bench)?)
        }
        Content::Random(length) => {
            let mut bytes = vec![0; *length];
            env.entropy.fill(&mut bytes);
            bytes
        }
        Content::Text(text) => text.clone().into_bytes(),
    })
}

/// PEM certificates in this order, clean.
fn pem_certificates(certificates: &[Certificate], env: &mut WriteEnv<'_>) -> Result<Vec<u8>, RealiseError> {
    let mut store = Store::empty(Format::Pem).map_err(RealiseError::Write)?;
    for certificate in certificates {
        let edit = Edit::Trust {
            alias: None,
            certificate: certificate.clone(),
            place: Place::Last,
        };
        store.edit(&edit, env).map_err(RealiseError::Edit)?;
    }
    store.write(None, env).map_err(RealiseError::Write)
}

/// A PEM private key, encrypted where a password is given, with its chain behind it.
fn private_key(
    material: &str,
    chain: &[Certificate],
    password: Option<&Secret>,
    bench: &dyn Bench,
    env: &mut WriteEnv<'_>,
) -> Result<Vec<u8>, RealiseError> {
    let key = bench.private_key(material).map_err(RealiseError::Bench)?;
    let key_password = password
        .map(|secret| bench.password(secret))
        .transpose()
        .map_err(RealiseError::Bench)?;
    let mut store = Store::empty(Format::Pem).map_err(RealiseError::Write)?;
    let edit = Edit::PutKey {
        alias: None,
        key,
        chain: chain.to_vec(),
        key_password,
        place: Place::Last,
    };
    store.edit(&edit, env).map_err(RealiseError::Edit)?;
    store.write(None, env).map_err(RealiseError::Write)
}

/// Entries of these formats bear no names.
fn has_aliases(store: &Store) -> bool {
    !matches!(store.format(), Format::Pem | Format::Der | Format::Pkcs7)
}
