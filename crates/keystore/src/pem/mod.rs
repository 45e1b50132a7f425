//! PEM files: certificates and keys as text, with anything between the blocks.
//!
//! | Piece | Meaning |
//! |---|---|
//! | text | comments, `openssl x509 -text`, `Bag Attributes` of the block that follows |
//! | `-----BEGIN label-----` | start of a block, alone on its line |
//! | `name: value` lines, blank line | headers of an old encrypted key |
//! | base64 | content, DER |
//! | `-----END label-----` | its end, alone on its line |
//!
//! Source: docs/formats/pem.md; RFC 7468; OpenSSL `PEM_read_bio`, `openssl pkcs12` for Bag Attributes.

mod blocks;
mod key_form;
mod legacy;
mod parts;

pub(crate) use self::blocks::has_typographic_markers;

use self::blocks::{BYTE_ORDER_MARK, Block, Pieces, cut, own_text};
use self::key_form::KeyForm;
use self::parts::{Part, assemble, part};
use crate::certificate::Certificate;
use crate::edit::{Edit, Place};
use crate::entry::{Body, Entry};
use crate::error::{EditError, ParseError, WriteError};
use crate::limits::Limits;
use crate::profile::WriteProfile;
use crate::secret::{Password, PrivateKey, WriteEnv};
use crate::sniff::Format;
use crate::store::{Form, Integrity, Note};

/// A PEM file: its pieces, and what they are.
#[derive(Clone)]
pub(crate) struct PemStore {
    pieces: Pieces,
    parts: Vec<Part>,
    entries: Vec<Entry>,
    /// For each entry the blocks it is made of.
    members: Vec<Vec<usize>>,
    /// For whom new keys are sealed.
    profile: WriteProfile,
}

impl PemStore {
    /// Reads a PEM file. `password` opens encrypted keys, to find their certificates; a wrong one leaves them locked.
    ///
    /// Entries come in file order: a key with the chain that the file has for it is one entry, every other certificate
    /// is one. May be empty of entries, never of blocks.
    ///
    /// # Errors
    /// `Malformed` with the offset of the marker or block; `OverLimit`.
    ///
    /// Cost: one pass, and one derivation per encrypted key when a password is given.
    pub(crate) fn read(
        bytes: &[u8],
        password: Option<&Password>,
        limits: &Limits,
    ) -> Result<Self, ParseError> {
        let pieces = cut(bytes)?;
        if pieces.blocks.len() > limits.max_entries {
            return Err(ParseError::OverLimit {
                format: Format::Pem,
                offset: 0,
                alias: None,
                what: "number of blocks",
                found: pieces.blocks.len() as u64,
                limit: limits.max_entries as u64,
            });
        }
        let parts: Result<Vec<Part>, ParseError> = pieces
            .blocks
            .iter()
            .map(|block| part(block, password, limits))
            .collect();
        let mut store = Self {
            pieces,
            parts: parts?,
            entries: Vec::new(),
            members: Vec::new(),
            profile: WriteProfile::AsRead,
        };
        store.assemble();
        Ok(store)
    }

    /// A file of zero bytes.
    pub(crate) fn empty() -> Self {
        let pieces = Pieces {
            blocks: Vec::new(),
            tail: Vec::new(),
            newline: "\n",
            notes: Vec::new(),
        };
        Self {
            pieces,
            parts: Vec::new(),
            entries: Vec::new(),
            members: Vec::new(),
            profile: WriteProfile::AsRead,
        }
    }

    fn assemble(&mut self) {
        let key_ids: Vec<Option<String>> = self.pieces.blocks.iter().map(Block::local_key_id).collect();
        let assembled = assemble(&self.parts, &key_ids);
        (self.entries, self.members) = (assembled.entries, assembled.members);
    }

    /// Puts blocks in front of the block at `index`, or behind all. The text in front of that block stays in front of it.
    fn insert(&mut self, index: usize, new: Vec<(Block, Part)>) {
        let newline = self.pieces.newline;
        if index == self.pieces.blocks.len() && !new.is_empty() {
            let ends_open = match (self.pieces.tail.last(), self.pieces.blocks.last()) {
                (Some(last), _) => *last != b'\n',
                (None, Some(block)) => block.raw.last() != Some(&b'\n'),
                (None, None) => false,
            };
            let mut tail = std::mem::take(&mut self.pieces.tail);
            if ends_open {
                tail.extend_from_slice(newline.as_bytes());
            }
            for (position, (mut block, part)) in new.into_iter().enumerate() {
                if position == 0 {
                    block.lead = std::mem::take(&mut tail);
                }
                self.pieces.blocks.push(block);
                self.parts.push(part);
            }
            return;
        }
        let mark = match (index, self.pieces.blocks.first_mut()) {
            (0, Some(first)) if first.lead.starts_with(BYTE_ORDER_MARK) => {
                first.lead.drain(..BYTE_ORDER_MARK.len()).collect()
            }
            _ => Vec::new(),
        };
        for (position, (mut block, part)) in new.into_iter().enumerate() {
            if position == 0 {
                block.lead = mark.clone();
            }
            self.pieces.blocks.insert(index + position, block);
            self.parts.insert(index + position, part);
        }
    }

    /// Takes a block and its Bag Attributes away; other text in front of it stays.
    fn cut_out(&mut self, index: usize) {
        let mut block = self.pieces.blocks.remove(index);
        self.parts.remove(index);
        let own = own_text(&block.lead);
        block.lead.truncate(own);
        let next = match self.pieces.blocks.get_mut(index) {
            Some(next) => &mut next.lead,
            None => &mut self.pieces.tail,
        };
        block.lead.append(next);
        *next = block.lead;
    }

    /// Puts a line end between markers that share a line.
    fn unglue(&mut self) {
        let newline = self.pieces.newline.as_bytes();
        let count = self.pieces.blocks.len();
        for (index, block) in self.pieces.blocks.iter_mut().enumerate() {
            let is_last = index + 1 == count;
            if !is_last && block.raw.last() != Some(&b'\n') {
                block.raw.extend_from_slice(newline);
            }
        }
        self.pieces
            .notes
            .retain(|note| !matches!(note, Note::GluedMarkers { .. }));
    }

    fn certificate_block(&self, certificate: &Certificate) -> (Block, Part) {
        let block = Block::new("CERTIFICATE", certificate.der(), self.pieces.newline);
        (block, Part::Certificate(certificate.clone()))
    }

    /// The form for a new key: the profile's, else that of the first key in the file.
    fn key_form(&self) -> KeyForm {
        let first = self
            .parts
            .iter()
            .position(|part| matches!(part, Part::Key { .. }));
        match first {
            Some(at) if self.profile == WriteProfile::AsRead => KeyForm::of(&self.pieces.blocks[at]),
            _ => KeyForm::Pkcs8(Some(self.profile.pem_scheme())),
        }
    }

    fn put_identity(
        &mut self,
        at: usize,
        (key, chain): (&PrivateKey, &[Certificate]),
        (order, form): (Order, &KeyForm),
        password: Option<&Password>,
        env: &mut WriteEnv<'_>,
    ) {
        let (block, locked) = form.write(key, password, self.pieces.newline, env);
        let opened = Some(key.clone());
        let key = (block, Part::Key { locked, opened });
        let mut new: Vec<(Block, Part)> = chain.iter().map(|one| self.certificate_block(one)).collect();
        match order {
            Order::CertificatesFirst => new.push(key),
            Order::KeyFirst => new.insert(0, key),
        }
        self.insert(at, new);
    }

    /// Takes the blocks of an entry away and says where the first one stood. Blocks that another entry needs stay.
    fn take_entry(&mut self, index: usize) -> Result<usize, EditError> {
        let members = self.members.get(index).cloned();
        let members = members.ok_or(EditError::NoSuchEntry {
            index,
            len: self.entries.len(),
        })?;
        if members
            .iter()
            .any(|member| matches!(self.parts[*member], Part::Certificates(_)))
        {
            return Err(not_in_format("change one certificate inside a PKCS#7 block"));
        }
        let first = *members.iter().min().expect("every entry has a block");
        let others: Vec<&Vec<usize>> = self
            .members
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, all)| all)
            .collect();
        let mut going: Vec<usize> = members
            .into_iter()
            .filter(|member| !others.iter().any(|other| other.contains(member)))
            .collect();
        going.sort_unstable();
        for member in going.into_iter().rev() {
            self.cut_out(member);
        }
        Ok(first)
    }

    fn replace_identity(
        &mut self,
        index: usize,
        identity: (&PrivateKey, &[Certificate]),
        password: Option<&Password>,
        env: &mut WriteEnv<'_>,
    ) -> Result<(), EditError> {
        let entry = self.entries.get(index);
        let entry = entry.ok_or(EditError::NoSuchEntry {
            index,
            len: self.entries.len(),
        })?;
        if !matches!(entry.body, Body::PrivateKey { .. }) {
            return Err(EditError::WrongKind {
                index,
                found: entry.kind_name(),
            });
        }
        let members = &self.members[index];
        let key = members
            .iter()
            .position(|at| matches!(self.parts[*at], Part::Key { .. }));
        let key = members[key.expect("a key entry has a key block")];
        let leaf = members
            .iter()
            .find(|at| matches!(self.parts[**at], Part::Certificate(_)));
        let order = match leaf {
            Some(leaf) if *leaf < key => Order::CertificatesFirst,
            _ => Order::KeyFirst,
        };
        let form = match self.profile {
            WriteProfile::AsRead => KeyForm::of(&self.pieces.blocks[key]),
            _ => self.key_form(),
        };
        let at = self.take_entry(index)?;
        self.put_identity(at.min(self.parts.len()), identity, (order, &form), password, env);
        Ok(())
    }

    fn apply(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        match edit {
            Edit::Trust { alias: Some(_), .. }
            | Edit::PutKey { alias: Some(_), .. }
            | Edit::Rename { .. } => {
                return Err(not_in_format("give names to entries"));
            }
            Edit::PutRequest { .. } => return Err(not_in_format("hold the key of a request beside it")),
            Edit::PutSecret { .. } => return Err(not_in_format("hold secret keys")),
            Edit::SetDefault { .. } => return Err(not_in_format("mark an entry as the default one")),
            Edit::SetPassword { .. } => return Err(not_in_format("have a password of their own")),
            Edit::Trust {
                certificate, place, ..
            } => {
                let block = self.certificate_block(certificate);
                self.insert(self.index_of(*place), vec![block]);
            }
            Edit::PutKey {
                key,
                chain,
                key_password,
                place,
                ..
            } => {
                let at = self.index_of(*place);
                let manner = (Order::KeyFirst, &self.key_form());
                self.put_identity(at, (key, chain), manner, key_password.as_ref(), env);
            }
            Edit::Remove { index } => {
                self.take_entry(*index)?;
            }
            Edit::ReplaceIdentity {
                index,
                key,
                chain,
                key_password,
            } => {
                self.replace_identity(*index, (key, chain), key_password.as_ref(), env)?;
            }
        }
        Ok(())
    }

    fn index_of(&self, place: Place) -> usize {
        match place {
            Place::First => 0,
            Place::Last => self.parts.len(),
        }
    }
}

impl Form for PemStore {
    fn format(&self) -> Format {
        Format::Pem
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn find(&self, _alias: &str) -> Option<usize> {
        None
    }

    fn integrity(&self) -> Integrity {
        Integrity::Absent
    }

    fn notes(&self) -> &[Note] {
        &self.pieces.notes
    }

    /// Keys that are there keep their form: each may have a password of its own.
    fn use_profile(&mut self, profile: WriteProfile, _env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        self.profile = profile;
        Ok(())
    }

    /// Blocks and text that the edit does not concern keep their bytes, but for a line end where two markers shared a
    /// line.
    fn edit(&mut self, edit: &Edit, env: &mut WriteEnv<'_>) -> Result<(), EditError> {
        let mut next = self.clone();
        next.unglue();
        next.apply(edit, env)?;
        next.assemble();
        *self = next;
        Ok(())
    }

    fn write(&self, _password: Option<&Password>, _env: &mut WriteEnv<'_>) -> Result<Vec<u8>, WriteError> {
        let mut out = Vec::new();
        for block in &self.pieces.blocks {
            out.extend_from_slice(&block.lead);
            out.extend_from_slice(&block.raw);
        }
        out.extend_from_slice(&self.pieces.tail);
        Ok(out)
    }
}

/// The DER of every `X509 CRL` block; nothing for a file that is no PEM.
pub(crate) fn revocation_lists(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(pieces) = cut(bytes) else {
        return Vec::new();
    };
    let lists = pieces.blocks.iter().filter(|block| block.label == "X509 CRL");
    lists.map(|block| block.der.to_vec()).collect()
}

/// Whether a new key stands in front of its certificates or behind them.
#[derive(Clone, Copy)]
enum Order {
    CertificatesFirst,
    KeyFirst,
}

fn not_in_format(what: &'static str) -> EditError {
    EditError::NotInFormat {
        format: Format::Pem,
        what,
    }
}
