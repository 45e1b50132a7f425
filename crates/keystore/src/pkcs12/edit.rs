//! Edits of a PKCS#12 store, on its bags.
//!
//! Every edit works on a copy, whose entries are then built anew; it is refused when another key would get
//! another chain, which can happen as chains are found by name.

use std::collections::BTreeSet;

use crate::certificate::Certificate;
use crate::edit::{self, Edit};
use crate::entry::{Body, Entry};
use crate::error::{EditError, UnlockError};
use crate::pbe::KdfPassword;
use crate::pkcs12::bag::{Attributes, Bag, BagBody};
use crate::pkcs12::entries::Place;
use crate::pkcs12::mac::Mac;
use crate::pkcs12::read::{forms, open_key};
use crate::pkcs12::write::seal_key;
use crate::pkcs12::{Content, Opened, Pkcs12Store, Safe};
use crate::profile::Suite;
use crate::secret::{Password, PrivateKey, WriteEnv};
use crate::secret_names;
use crate::sniff::Format;

impl Pkcs12Store {
    /// The store after one edit.
    pub(super) fn edited(&self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<Self, EditError> {
        let mut next = self.clone();
        next.edited = true;
        match edit {
            Edit::Trust {
                alias,
                certificate,
                place,
            } => {
                next.check_free(alias.as_deref(), None)?;
                let mut attributes = Attributes::new(alias.as_deref(), None);
                attributes.set_trusted();
                let bag = Bag::of_certificate(certificate, attributes);
                return self.with_certificates(next, &[bag], *place, None);
            }
            Edit::PutKey {
                alias,
                key,
                chain,
                key_password,
                place,
            } => {
                next.check_free(alias.as_deref(), None)?;
                let id = next.unused_id(env.now_ms);
                let attributes = Attributes::new(alias.as_deref(), Some(&id));
                next.put_key_bag(Bag::of_new_key(key, key_password.as_ref(), attributes), *place)?;
                let bags = chain_bags(alias.as_deref(), &id, chain);
                return self.with_certificates(next, &bags, *place, Some(chain));
            }
            Edit::PutSecret {
                alias,
                key,
                key_password,
                place,
            } => {
                next.check_free(alias.as_deref(), None)?;
                let what = "hold a secret key whose algorithm has no OID";
                let frame = secret_names::write_frame(key, Format::Pkcs12).ok_or(not_in_format(what))?;
                let frame = PrivateKey::from_pkcs8_der(frame).map_err(|_| not_in_format(what))?;
                let attributes = Attributes::new(alias.as_deref(), Some(&next.unused_id(env.now_ms)));
                let bag = Bag::of_new_secret(frame, key_password.as_ref(), attributes);
                next.put_key_bag(bag, *place)?;
            }
            Edit::ReplaceIdentity {
                index,
                key,
                chain,
                key_password,
            } => {
                return self.replaced(next, *index, (key, key_password.as_ref()), chain, env);
            }
            Edit::Remove { index } => next.remove(*index)?,
            Edit::Rename { index, alias } => next.rename(*index, alias)?,
            Edit::SetPassword { old, new } => next.set_password(old.as_ref(), new, env)?,
            Edit::SetDefault { .. } => return Err(not_in_format("mark a default entry")),
            Edit::PutRequest { .. } => return Err(not_in_format("hold requests")),
        }
        next.rebuild();
        let touched = match edit {
            Edit::Remove { index } | Edit::Rename { index, .. } => Some(*index),
            _ => None,
        };
        if self.keeps_chains(&next, touched) {
            Ok(next)
        } else {
            Err(CHAINS_COLLIDE)
        }
    }

    /// The store with everything in it sealed by other algorithms.
    pub(super) fn resealed(&self, suite: Suite, env: &mut WriteEnv<'_>) -> Result<Self, EditError> {
        let is_closed = |safe: &Safe| matches!(safe.content, Content::Closed);
        let is_unopened = self.opened.is_none() && self.mac.is_some() && !self.original.is_empty();
        if is_unopened || self.safes.iter().any(is_closed) {
            return Err(EditError::Locked);
        }
        let mut next = self.clone();
        next.edited = true;
        let forms = next
            .opened
            .as_ref()
            .map(|opened| forms(&opened.password))
            .unwrap_or_default();
        let (kdf, max_rounds) = (
            next.opened.as_ref().map(|opened| opened.kdf.clone()),
            next.limits.max_kdf_rounds,
        );
        for safe in &mut next.safes {
            if let Content::Open {
                scheme: Some(scheme), ..
            } = &mut safe.content
            {
                *scheme = suite.certificate.clone();
                safe.encoded = None;
            }
            for bag in safe.bags_mut().into_iter().flatten() {
                let (BagBody::SealedKey(sealed) | BagBody::SealedSecret(sealed)) = &bag.body else {
                    continue;
                };
                let again = match (open_key(sealed, &forms, max_rounds), &kdf) {
                    (Ok((clear, _)), Some(kdf)) => seal_key(&suite.key, &clear, kdf, max_rounds, env),
                    (Ok(_), None) => Err(UnlockError::NeedsPassword),
                    (Err(error), _) => Err(error),
                };
                let alias = bag.attributes.friendly_name.clone();
                let index = self
                    .entries
                    .iter()
                    .position(|entry| entry.alias == alias)
                    .unwrap_or_default();
                bag.set_sealed(again.map_err(|source| EditError::KeyLocked { index, source })?);
            }
        }
        if next.mac.is_some() {
            next.mac = Some(Mac::of(&suite.mac));
        }
        (next.key_scheme, next.certificate_scheme) = (suite.key, suite.certificate);
        next.rebuild();
        Ok(next)
    }

    /// Puts certificates in at `place`, or at the other end when names would lead another chain astray there.
    fn with_certificates(
        &self,
        next: Self,
        bags: &[Bag],
        place: edit::Place,
        wanted: Option<&[Certificate]>,
    ) -> Result<Self, EditError> {
        let other = match place {
            edit::Place::First => edit::Place::Last,
            edit::Place::Last => edit::Place::First,
        };
        for place in [place, other] {
            let mut tried = next.clone();
            tried.insert_certificates(bags, place)?;
            tried.rebuild();
            if self.keeps_chains(&tried, None) && wanted.is_none_or(|wanted| tried.has_chain(wanted)) {
                return Ok(tried);
            }
        }
        Err(CHAINS_COLLIDE)
    }

    fn replaced(
        &self,
        mut next: Self,
        index: usize,
        key: (&PrivateKey, Option<&Password>),
        chain: &[Certificate],
        env: &WriteEnv<'_>,
    ) -> Result<Self, EditError> {
        let place = next.key_place(index)?;
        let source = &next.sources[index];
        let (old_leaf, old_chain) = (source.leaf, next.entries[index].certificates().to_vec());
        let id = next.unused_id(env.now_ms);
        let old = &next.bag(place).ok_or(EditError::Locked)?.attributes;
        let alias = old.friendly_name.clone();
        let mut attributes = old.clone();
        attributes.set_local_key_id(&id);
        next.set_bag(place, Bag::of_new_key(key.0, key.1, attributes));
        let mut bags = chain_bags(alias.as_deref(), &id, chain);
        if let (Some(leaf), false) = (old_leaf, bags.is_empty()) {
            let mut attributes = next
                .bag(leaf)
                .map(|bag| bag.attributes.clone())
                .unwrap_or_default();
            attributes.set_local_key_id(&id);
            next.set_bag(leaf, Bag::of_certificate(&chain[0], attributes));
            bags.remove(0);
        }
        next.rebuild();
        next.drop_unneeded(&old_chain);
        next.rebuild();
        let present: BTreeSet<Vec<u8>> = next
            .all_certificates()
            .map(|certificate| certificate.der().to_vec())
            .collect();
        bags.retain(|bag| {
            bag.certificate()
                .is_some_and(|certificate| !present.contains(certificate.der()))
        });
        for place in [edit::Place::Last, edit::Place::First] {
            let mut tried = next.clone();
            tried.insert_certificates(&bags, place)?;
            tried.rebuild();
            if self.keeps_chains(&tried, Some(index)) && tried.has_chain(chain) {
                return Ok(tried);
            }
        }
        Err(CHAINS_COLLIDE)
    }

    fn remove(&mut self, index: usize) -> Result<(), EditError> {
        let place = self.place(index)?;
        let entry = self.entries[index].clone();
        match &entry.body {
            Body::TrustedCert { certificate, .. } if self.only_copy_in_a_chain(place, certificate) => {
                let bag = self.bag_mut(place).ok_or(EditError::Locked)?;
                bag.attributes_mut().clear_trust();
            }
            Body::PrivateKey { chain, .. } => {
                self.remove_bag(place);
                self.rebuild();
                self.drop_unneeded(chain);
            }
            _ => self.remove_bag(place),
        }
        Ok(())
    }

    /// Whether some key's chain goes through this certificate and no other bag holds it.
    fn only_copy_in_a_chain(&self, place: Place, certificate: &Certificate) -> bool {
        let is_in_chain = |entry: &Entry| matches!(&entry.body, Body::PrivateKey { chain, .. } if chain.contains(certificate));
        let has_copy = self.safes.iter().enumerate().any(|(safe, content)| {
            let mut bags = content.bags().iter().enumerate();
            bags.any(|(bag, there)| (safe, bag) != place && there.certificate() == Some(certificate))
        });
        !has_copy && self.entries.iter().any(is_in_chain)
    }

    /// Takes away the certificates of a chain that is gone, but those that are trusted or in another chain.
    fn drop_unneeded(&mut self, chain: &[Certificate]) {
        let needed: Vec<Certificate> = self
            .entries
            .iter()
            .filter(|entry| entry.kind_name() == "private-key")
            .flat_map(|entry| entry.certificates().to_vec())
            .collect();
        let is_gone = |bag: &Bag| {
            let gone = |certificate| chain.contains(certificate) && !needed.contains(certificate);
            !bag.attributes.is_trusted && bag.certificate().is_some_and(gone)
        };
        for safe in &mut self.safes {
            if safe.bags().iter().any(is_gone)
                && let Some(bags) = safe.bags_mut()
            {
                bags.retain(|bag| !is_gone(bag));
            }
        }
        self.safes
            .retain(|safe| safe.encoded.is_some() || !safe.bags().is_empty());
    }

    fn rename(&mut self, index: usize, alias: &str) -> Result<(), EditError> {
        let place = self.place(index)?;
        self.check_free(Some(alias), Some(index))?;
        let leaf = self.sources[index].leaf;
        for place in [Some(place), leaf].into_iter().flatten() {
            let bag = self.bag_mut(place).ok_or(EditError::Locked)?;
            bag.attributes_mut().set_friendly_name(alias);
        }
        Ok(())
    }

    /// Seals everything that the old password opens with the new one.
    fn set_password(
        &mut self,
        old: Option<&Password>,
        new: &Password,
        env: &mut WriteEnv<'_>,
    ) -> Result<(), EditError> {
        let known = match (&self.opened, old) {
            (Some(opened), Some(old)) if opened.password != *old => return Err(EditError::WrongPassword),
            (Some(opened), _) => Some(opened.password.clone()),
            (None, _) if self.original.is_empty() => None,
            (None, _) => return Err(EditError::Locked),
        };
        if self
            .safes
            .iter()
            .any(|safe| matches!(safe.content, Content::Closed))
        {
            return Err(EditError::Locked);
        }
        let (new_kdf, max_rounds) = (KdfPassword::new(new), self.limits.max_kdf_rounds);
        let old_forms = known.as_ref().map(forms).unwrap_or_default();
        for safe in &mut self.safes {
            for bag in safe.bags_mut().into_iter().flatten() {
                let (BagBody::SealedKey(sealed) | BagBody::SealedSecret(sealed)) = &bag.body else {
                    continue;
                };
                let again = match open_key(sealed, &old_forms, max_rounds) {
                    Ok((clear, scheme)) => seal_key(&scheme, &clear, &new_kdf, max_rounds, env),
                    // A key with a password of its own keeps it.
                    Err(UnlockError::WrongPassword) => continue,
                    Err(error) => Err(error),
                };
                bag.set_sealed(again.map_err(|source| EditError::KeyLocked { index: 0, source })?);
            }
        }
        self.opened = Some(Opened {
            password: new.clone(),
            kdf: new_kdf,
        });
        Ok(())
    }

    fn put_key_bag(&mut self, bag: Bag, place: edit::Place) -> Result<(), EditError> {
        let found = match place {
            edit::Place::First => self.positions(Bag::is_key_or_secret).next(),
            edit::Place::Last => self
                .positions(Bag::is_key_or_secret)
                .last()
                .map(|(safe, bag)| (safe, bag + 1)),
        };
        match found {
            Some((safe, at)) => {
                let bags = self.safes[safe].bags_mut().ok_or(EditError::Locked)?;
                bags.insert(at, bag);
            }
            None => {
                let content = Content::Open {
                    scheme: None,
                    bags: vec![bag],
                };
                self.safes.insert(
                    0,
                    Safe {
                        encoded: None,
                        content,
                    },
                );
            }
        }
        Ok(())
    }

    fn insert_certificates(&mut self, new: &[Bag], place: edit::Place) -> Result<(), EditError> {
        if new.is_empty() {
            return Ok(());
        }
        let is_certificate = |bag: &Bag| bag.certificate().is_some();
        let found = match place {
            edit::Place::First => self.positions(is_certificate).next(),
            edit::Place::Last => self
                .positions(is_certificate)
                .last()
                .map(|(safe, bag)| (safe, bag + 1)),
        };
        match found {
            Some((safe, at)) => {
                let bags = self.safes[safe].bags_mut().ok_or(EditError::Locked)?;
                bags.splice(at..at, new.iter().cloned());
            }
            None if self
                .safes
                .iter()
                .any(|safe| matches!(safe.content, Content::Closed)) =>
            {
                return Err(EditError::Locked);
            }
            None => {
                let is_protected = self.mac.is_some() || self.opened.is_some();
                let scheme = is_protected.then(|| self.certificate_scheme.clone());
                let content = Content::Open {
                    scheme,
                    bags: new.to_vec(),
                };
                self.safes.push(Safe {
                    encoded: None,
                    content,
                });
            }
        }
        Ok(())
    }

    fn positions(&self, wanted: impl Fn(&Bag) -> bool) -> impl Iterator<Item = Place> {
        let mut places = Vec::new();
        for (number, safe) in self.safes.iter().enumerate() {
            let bags = safe.bags().iter().enumerate().filter(|(_, bag)| wanted(bag));
            places.extend(bags.map(|(bag, _)| (number, bag)));
        }
        places.into_iter()
    }

    fn all_certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.safes
            .iter()
            .flat_map(Safe::bags)
            .filter_map(Bag::certificate)
    }

    /// Whether every key but the touched one still has its chain; an incomplete one may have been completed.
    fn keeps_chains(&self, next: &Self, touched: Option<usize>) -> bool {
        let is_key = |entry: &&Entry| entry.kind_name() == "private-key";
        let after: Vec<&Entry> = next.entries.iter().filter(is_key).collect();
        self.entries.iter().enumerate().all(|(index, entry)| {
            let same = |there: &&Entry| {
                there.alias == entry.alias && there.certificates().starts_with(entry.certificates())
            };
            !is_key(&entry) || Some(index) == touched || after.iter().any(same)
        })
    }

    /// Whether some key has this chain; more certificates may follow it.
    fn has_chain(&self, wanted: &[Certificate]) -> bool {
        let keys = self
            .entries
            .iter()
            .filter(|entry| entry.kind_name() == "private-key");
        wanted.is_empty()
            || keys
                .into_iter()
                .any(|entry| entry.certificates().starts_with(wanted))
    }

    fn check_free(&self, alias: Option<&str>, but: Option<usize>) -> Result<(), EditError> {
        let Some(alias) = alias else { return Ok(()) };
        let folded = alias.to_lowercase();
        for (index, entry) in self.entries.iter().enumerate() {
            if let Some(there) = entry.alias()
                && Some(index) != but
                && there.to_lowercase() == folded
            {
                return Err(EditError::AliasExists {
                    alias: there.to_owned(),
                    index,
                });
            }
        }
        Ok(())
    }

    /// `Time ` and milliseconds, as Java does; a later millisecond when the id is taken.
    fn unused_id(&self, now_ms: i64) -> Vec<u8> {
        let ids = self
            .safes
            .iter()
            .flat_map(Safe::bags)
            .filter_map(|bag| bag.attributes.local_key_id.clone());
        let taken: BTreeSet<Vec<u8>> = ids.collect();
        let mut ms = now_ms;
        loop {
            let id = format!("Time {ms}").into_bytes();
            if !taken.contains(&id) {
                return id;
            }
            ms = ms.wrapping_add(1);
        }
    }

    fn place(&self, index: usize) -> Result<Place, EditError> {
        let len = self.sources.len();
        let source = self
            .sources
            .get(index)
            .ok_or(EditError::NoSuchEntry { index, len })?;
        source
            .place
            .ok_or(not_in_format("change a bag inside another bag"))
    }

    fn key_place(&self, index: usize) -> Result<Place, EditError> {
        let place = self.place(index)?;
        match self.entries[index].kind_name() {
            "private-key" => Ok(place),
            found => Err(EditError::WrongKind { index, found }),
        }
    }

    fn bag(&self, (safe, bag): Place) -> Option<&Bag> {
        self.safes.get(safe)?.bags().get(bag)
    }

    fn bag_mut(&mut self, (safe, bag): Place) -> Option<&mut Bag> {
        self.safes.get_mut(safe)?.bags_mut()?.get_mut(bag)
    }

    fn set_bag(&mut self, place: Place, bag: Bag) {
        if let Some(there) = self.bag_mut(place) {
            *there = bag;
        }
    }

    fn remove_bag(&mut self, (safe, bag): Place) {
        let Some(bags) = self.safes.get_mut(safe).and_then(Safe::bags_mut) else {
            return;
        };
        bags.remove(bag);
        if bags.is_empty() {
            self.safes.remove(safe);
        }
    }
}

/// Bags of a chain: the leaf with the key's name and id, the others named after their subject as Java does.
fn chain_bags(alias: Option<&str>, id: &[u8], chain: &[Certificate]) -> Vec<Bag> {
    let bag = |(number, certificate): (usize, &Certificate)| {
        let attributes = match number {
            0 => Attributes::new(alias, Some(id)),
            _ => Attributes::new(Some(&certificate.subject().to_string()), None),
        };
        Bag::of_certificate(certificate, attributes)
    };
    chain.iter().enumerate().map(bag).collect()
}

fn not_in_format(what: &'static str) -> EditError {
    EditError::NotInFormat {
        format: Format::Pkcs12,
        what,
    }
}

const CHAINS_COLLIDE: EditError = EditError::NotInFormat {
    format: Format::Pkcs12,
    what: "keep these chains apart: they are found by the names of issuers, and a chain out of order or a second \
           authority of the same name leads astray",
};
