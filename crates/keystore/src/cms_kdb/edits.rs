//! Changes to a key or request database. Slots that no edit touches keep their bytes.

use super::record::{self, DEFAULT, Record, Slot, TRUSTED};
use super::{CmsVersion, Database, new_salt, secret, stash};
use crate::certificate::Certificate;
use crate::cipher::Cipher;
use crate::digest::Hash;
use crate::edit::Edit;
use crate::entry::Body;
use crate::error::{EditError, UnlockError};
use crate::keys::{EncryptedKey, KeyMatch, Widening};
use crate::pbe::Scheme;
use crate::request::Request;
use crate::secret::{Password, PrivateKey, SecretKey, WriteEnv};
use crate::secret_names;
use crate::sniff::Format;

impl Database {
    pub(super) fn apply(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        let is_request = matches!(edit, Edit::PutRequest { .. } | Edit::Rename { .. })
            && self.header.format == Format::CmsRdb;
        if self.header.format != Format::CmsKdb
            && !is_request
            && !matches!(edit, Edit::Remove { .. } | Edit::SetPassword { .. })
        {
            return Err(self.not_in_format("hold certificates or keys: they belong into the key database"));
        }
        match edit {
            Edit::PutKey {
                alias,
                key,
                chain,
                key_password,
                ..
            } => {
                let label = self.new_label(alias.as_deref(), None)?;
                let body = self.personal(key, chain, key_password.as_ref(), env)?;
                self.add(&label, body);
            }
            Edit::PutRequest { alias, request, key } => {
                if self.header.format != Format::CmsRdb {
                    return Err(self.not_in_format("hold requests: they belong into the request database"));
                }
                let label = self.new_label(Some(alias), None)?;
                let body = self.pending(request, key, env)?;
                self.add(&label, body);
            }
            Edit::PutSecret {
                alias,
                key,
                key_password,
                ..
            } => {
                let label = self.new_label(alias.as_deref(), None)?;
                let body = self.secret(key, key_password.as_ref(), env)?;
                self.add_flagged(&label, body, 0);
            }
            Edit::Remove { index } => {
                let place = self.place(*index)?;
                self.slots[place].clear();
            }
            Edit::Rename { index, alias } => {
                let place = self.place(*index)?;
                let label = self.new_label(Some(alias), Some(*index))?;
                self.change(place, |record| record.renamed(&label));
            }
            Edit::ReplaceIdentity {
                index,
                key,
                chain,
                key_password,
            } => {
                let place = self.personal_place(*index)?;
                let body = self.personal(key, chain, key_password.as_ref(), env)?;
                self.change(place, |record| record.with_body(body));
            }
            Edit::SetDefault { index } => {
                let place = self.personal_place(*index)?;
                for other in 0..self.slots.len() {
                    let is_set = self.slots[other]
                        .record
                        .as_ref()
                        .is_some_and(|record| record.has(DEFAULT));
                    if is_set != (other == place) {
                        self.change(other, |record| record.flagged(DEFAULT, other == place));
                    }
                }
            }
            Edit::SetPassword { old, new } => self.set_password(old.as_ref(), new, env)?,
            Edit::Trust {
                alias, certificate, ..
            } => self.trust(alias.as_deref(), certificate)?,
        }
        self.is_changed = true;
        Ok(())
    }

    /// A signer that is there without the trusted flag gets the flag; the same certificate twice is what GSKit's own tools
    /// refuse.
    fn trust(&mut self, alias: Option<&str>, certificate: &Certificate) -> Result<(), EditError> {
        let same = self.entries.iter().position(|entry| {
            matches!(&entry.body, Body::TrustedCert { certificate: known, .. } if known == certificate)
        });
        if let Some(index) = same {
            let place = self.places[index];
            let is_trusted = self.slots[place]
                .record
                .as_ref()
                .is_some_and(|record| record.has(TRUSTED));
            if is_trusted {
                let alias = self.entries[index].alias().unwrap_or_default().to_owned();
                return Err(EditError::AliasExists { alias, index });
            }
            self.change(place, |record| record.flagged(TRUSTED, true));
            return Ok(());
        }
        let label = self.new_label(alias, None)?;
        self.add(&label, record::Body::Signer(certificate.der().to_vec()));
        Ok(())
    }

    pub(super) fn clear_trust(&mut self, index: usize) -> Result<(), EditError> {
        let place = self.place(index)?;
        if !matches!(self.entries[index].body, Body::TrustedCert { .. }) {
            let found = self.entries[index].kind_name();
            return Err(EditError::WrongKind { index, found });
        }
        self.change(place, |record| record.flagged(TRUSTED, false));
        Ok(())
    }

    fn set_password(
        &mut self,
        old: Option<&Password>,
        new: &Password,
        env: &mut WriteEnv<'_>,
    ) -> Result<(), EditError> {
        if !stash::is_usable(new) {
            let why = "it must have 1 to 128 bytes and no zero byte";
            return Err(EditError::PasswordUnusable {
                format: self.header.format,
                why,
            });
        }
        let known = self.password.clone();
        let old = old.or(known.as_ref());
        if old.is_some_and(|old| !self.is_password(old)) {
            return Err(EditError::WrongPassword);
        }
        if old.is_none() && self.original.is_some() {
            return Err(EditError::Locked);
        }
        for index in 0..self.places.len() {
            let place = self.places[index];
            let Some(record) = self.slots[place].record.as_ref() else {
                continue;
            };
            let (key, is_secret) = match &record.body {
                record::Body::Personal { key, .. } | record::Body::Request { key, .. } => {
                    (key.clone(), false)
                }
                record::Body::Signer(certificate) => match secret_in(certificate) {
                    Some(sealed) => (sealed, true),
                    None => continue,
                },
                record::Body::Secret(_) => continue,
            };
            let locked = |source| EditError::KeyLocked { index, source };
            let what = "not an EncryptedPrivateKeyInfo";
            let key = EncryptedKey::read(&key, 0, self.max_rounds, Widening::Bytes)
                .map_err(|_| locked(UnlockError::Malformed { what }))?;
            let old = old.ok_or(EditError::Locked)?;
            let sealed = key.resealed(old, new, env).map_err(locked)?;
            let body = is_secret.then(|| record::Body::Signer(secret::wrap(&sealed, env)));
            self.change(place, |record| match body {
                Some(body) => record.with_body(body),
                None => record.with_key(sealed),
            });
        }
        self.header.salt = new_salt(env);
        // The date was about the password that is given up.
        self.header.expiry = 0;
        self.password = Some(new.clone());
        Ok(())
    }

    fn personal(
        &mut self,
        key: &PrivateKey,
        chain: &[Certificate],
        key_password: Option<&Password>,
        env: &mut WriteEnv<'_>,
    ) -> Result<record::Body, EditError> {
        let Some(leaf) = chain.first() else {
            return Err(self.not_in_format("hold a key without its certificate"));
        };
        if key.matches(leaf) == KeyMatch::Differs {
            return Err(EditError::KeyMismatch);
        }
        self.take_key_password(key_password)?;
        let password = self.password.as_ref().ok_or(EditError::Locked)?;
        let sealed = EncryptedKey::seal(key, &self.key_scheme(env), password, Widening::Bytes);
        Ok(record::Body::Personal {
            certificate: leaf.der().to_vec(),
            key: sealed,
        })
    }

    fn secret(
        &mut self,
        key: &SecretKey,
        key_password: Option<&Password>,
        env: &mut WriteEnv<'_>,
    ) -> Result<record::Body, EditError> {
        let what = "hold a secret key whose algorithm has no OID";
        let frame = secret_names::write_frame(key, Format::Pkcs12);
        let frame = frame.and_then(|frame| PrivateKey::from_pkcs8_der(frame).ok());
        let frame = frame.ok_or_else(|| self.not_in_format(what))?;
        self.take_key_password(key_password)?;
        let password = self.password.as_ref().ok_or(EditError::Locked)?;
        let sealed = EncryptedKey::seal(&frame, &self.key_scheme(env), password, Widening::Bytes);
        Ok(record::Body::Signer(secret::wrap(&sealed, env)))
    }

    /// A key has the password of its database.
    fn take_key_password(&mut self, own: Option<&Password>) -> Result<(), EditError> {
        let Some(own) = own else { return Ok(()) };
        if !self.is_password(own) {
            return Err(self.not_in_format("keep a key under a password of its own"));
        }
        if self.password.is_none() {
            self.password = Some(own.clone());
        }
        Ok(())
    }

    /// As the first key of the file is sealed; the version's usual scheme where there is none.
    fn key_scheme(&self, env: &mut WriteEnv<'_>) -> Scheme {
        let keys = self
            .slots
            .iter()
            .filter_map(|slot| match &slot.record.as_ref()?.body {
                record::Body::Personal { key, .. } | record::Body::Request { key, .. } => Some(key),
                _ => None,
            });
        let sealed = keys.filter_map(|key| EncryptedKey::read(key, 0, self.max_rounds, Widening::Bytes).ok());
        let known = sealed
            .filter_map(|key| key.scheme().cloned())
            .find(|scheme| scheme.rounds() <= self.max_rounds);
        match known {
            Some(scheme) => scheme.renewed(env),
            None => new_scheme(self.header.version, env),
        }
    }

    fn pending(
        &mut self,
        request: &[u8],
        key: &PrivateKey,
        env: &mut WriteEnv<'_>,
    ) -> Result<record::Body, EditError> {
        let parsed = Request::parse(request).map_err(|_| self.not_in_format("hold what is no request"))?;
        if key.matches_spki(parsed.spki) == KeyMatch::Differs {
            return Err(EditError::KeyMismatch);
        }
        let password = self.password.as_ref().ok_or(EditError::Locked)?;
        let scheme = self.key_scheme(env);
        Ok(record::Body::Request {
            request: request.to_vec(),
            key: EncryptedKey::seal(key, &scheme, password, Widening::Bytes),
        })
    }

    /// Checks a label for a new record, or for the record of entry `own`.
    fn new_label(&self, alias: Option<&str>, own: Option<usize>) -> Result<String, EditError> {
        let alias = alias.ok_or(EditError::AliasNeeded {
            format: self.header.format,
        })?;
        let bad = |why| {
            Err(EditError::BadAlias {
                alias: alias.to_owned(),
                why,
            })
        };
        if alias.is_empty() {
            return bad("a label has at least one byte");
        }
        if alias.contains('\0') {
            return bad("a label has no zero byte");
        }
        let taken = self.entries.iter().position(|entry| entry.alias() == Some(alias));
        match taken {
            Some(index) if Some(index) != own => Err(EditError::AliasExists {
                alias: alias.to_owned(),
                index,
            }),
            _ => Ok(alias.to_owned()),
        }
    }

    /// Puts a record into the first free slot, or behind all.
    fn add(&mut self, label: &str, body: record::Body) {
        self.add_flagged(label, body, TRUSTED);
    }

    fn add_flagged(&mut self, label: &str, body: record::Body, flags: u8) {
        let numbers = self
            .slots
            .iter()
            .filter_map(|slot| slot.record.as_ref())
            .map(|record| record.number);
        let number = numbers.max().unwrap_or(0).saturating_add(1);
        let slot = Slot::write(Record::new(number, label, flags, body));
        match self.slots.iter().position(Slot::is_free) {
            Some(place) => {
                self.slots[place] = slot;
                self.fit(place);
            }
            None => {
                self.slots.push(slot);
                self.fit(self.slots.len() - 1);
            }
        }
    }

    fn change(&mut self, place: usize, change: impl FnOnce(Record) -> Record) {
        if let Some(record) = self.slots[place].record.take() {
            self.slots[place] = Slot::write(change(record));
            self.fit(place);
        }
    }

    /// Brings a new slot to the slot size of the file, and raises that in steps of a thousand where the slot needs more;
    /// any size is sound.
    fn fit(&mut self, place: usize) {
        let needed = self.slots[place].needed();
        let mut size = self.header.slot_size as usize;
        if size < needed {
            size += (needed - size).div_ceil(1000) * 1000;
            self.header.slot_size = size as u32;
            self.slots.iter_mut().for_each(|slot| slot.pad(size));
        }
        self.slots[place].pad(size);
    }

    fn place(&self, index: usize) -> Result<usize, EditError> {
        let len = self.entries.len();
        self.places
            .get(index)
            .copied()
            .ok_or(EditError::NoSuchEntry { index, len })
    }

    fn personal_place(&self, index: usize) -> Result<usize, EditError> {
        let place = self.place(index)?;
        match self.entries[index].body {
            Body::PrivateKey { .. } => Ok(place),
            _ => Err(EditError::WrongKind {
                index,
                found: self.entries[index].kind_name(),
            }),
        }
    }

    fn not_in_format(&self, what: &'static str) -> EditError {
        EditError::NotInFormat {
            format: self.header.format,
            what,
        }
    }
}

fn secret_in(certificate: &[u8]) -> Option<Vec<u8>> {
    secret::sealed_in(&Certificate::from_der(certificate)?)
}

/// What GSKit and the Java tools read: PBES2 as the Java tools write it into version 6, and for z/OS its own scheme.
fn new_scheme(version: CmsVersion, env: &mut WriteEnv<'_>) -> Scheme {
    match version {
        CmsVersion::V3 => Scheme::Pbes1 {
            hash: Hash::Md5,
            cipher: Cipher::Des,
            salt: env.random_vec(8),
            rounds: 5,
        },
        CmsVersion::V4 | CmsVersion::V6 => Scheme::pbes2(Hash::Sha384, 20, 4096, Some(32)).renewed(env),
    }
}
