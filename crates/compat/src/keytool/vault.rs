//! A store the way Java sees it: which entries it shows, in which order, under which names.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use keystore::{
    Body, Certificate, Edit, Entry, Format, Integrity, Limits, Note, ParseError, Password, Place, PrivateKey,
    SecretKey, Store, UnlockError, WriteEnv,
};

use crate::io::{Io, SystemEntropy};
use crate::keytool::fault::{self, Fault, IO_EXCEPTION, Result, Stop};
use crate::keytool::order;

/// The types of store that Java knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bcfks,
    Bks,
    CaseExactJks,
    Jceks,
    Jks,
    Pkcs12,
    Uber,
}

impl Kind {
    /// By the name of `-storetype`. The BouncyCastle ones are there when a provider of that name was asked for.
    pub(crate) fn of(name: &str, providers: &[(String, bool)]) -> Result<Self> {
        let upper = name.to_uppercase();
        let found = KINDS
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(&upper));
        let has_bouncy = providers.iter().any(|(provider, _)| {
            provider.to_uppercase().contains("BC") || provider.to_lowercase().contains("bouncycastle")
        });
        match found {
            Some((_, kind, _)) if has_bouncy || !matches!(kind, Self::Bcfks | Self::Bks | Self::Uber) => {
                Ok(*kind)
            }
            _ => Err(fault::of_class(
                fault::KEY_STORE_EXCEPTION,
                format!("{upper} not found"),
            )),
        }
    }

    /// Its name in upper case, as it is printed.
    pub(crate) fn name(self) -> &'static str {
        self.row().0
    }

    /// Who implements it.
    pub(crate) fn provider(self) -> &'static str {
        self.row().2
    }

    pub(crate) fn is_pkcs12(self) -> bool {
        self == Self::Pkcs12
    }

    fn row(self) -> &'static (&'static str, Self, &'static str) {
        KINDS
            .iter()
            .find(|row| row.1 == self)
            .expect("each kind has its row")
    }

    fn format(self) -> Format {
        match self {
            Self::Bcfks => Format::Bcfks,
            Self::Bks => Format::Bks,
            Self::CaseExactJks | Self::Jks => Format::Jks,
            Self::Jceks => Format::Jceks,
            Self::Pkcs12 => Format::Pkcs12,
            Self::Uber => Format::Uber,
        }
    }

    /// JKS and PKCS12 read each other's files, JCEKS reads those of JKS.
    fn reads(self, format: Format) -> bool {
        match self {
            Self::Jks | Self::Pkcs12 => matches!(format, Format::Jks | Format::Pkcs12),
            Self::Jceks => matches!(format, Format::Jceks | Format::Jks),
            other => other.format() == format,
        }
    }
}

const NOT_INTACT: &str =
    "Integrity check failed: java.security.UnrecoverableKeyException: Failed PKCS12 integrity checking";

const KINDS: &[(&str, Kind, &str)] = &[
    ("BCFKS", Kind::Bcfks, "BC"),
    ("BKS", Kind::Bks, "BC"),
    ("CASEEXACTJKS", Kind::CaseExactJks, "SUN"),
    ("JCEKS", Kind::Jceks, "SunJCE"),
    ("JKS", Kind::Jks, "SUN"),
    ("PKCS12", Kind::Pkcs12, "SUN"),
    ("UBER", Kind::Uber, "BC"),
];

/// What an entry is to Java.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    PrivateKey,
    SecretKey,
    TrustedCert,
}

impl EntryKind {
    /// As it is printed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "PrivateKeyEntry",
            Self::SecretKey => "SecretKeyEntry",
            Self::TrustedCert => "trustedCertEntry",
        }
    }
}

/// One entry that Java shows.
#[derive(Clone)]
pub(crate) struct Item {
    /// The name as the store has it.
    pub(crate) alias: String,
    /// Its number in the store.
    pub(crate) index: usize,
    pub(crate) kind: EntryKind,
}

/// A store, opened or new.
pub(crate) struct Vault {
    pub(crate) kind: Kind,
    store: Store,
    /// What Java shows, in the order in which it enumerates.
    items: Vec<Item>,
    /// Number in `items` by alias.
    by_alias: BTreeMap<String, usize>,
    /// Names of PKCS#12 keys that are not encrypted, which Java passes over.
    plain_keys: Vec<String>,
    /// Alias by certificate, first one found; and whether that entry is a trusted certificate.
    by_certificate: OnceCell<BTreeMap<[u8; 32], (String, bool)>>,
}

impl Vault {
    /// A new store.
    pub(crate) fn empty(kind: Kind) -> Result<Self> {
        Ok(Self::of(kind, Store::empty(kind.format())?))
    }

    /// The kind of a file, by its content.
    ///
    /// # Errors
    /// `KeyStoreException` for a file of no known kind.
    pub(crate) fn probe(bytes: &[u8]) -> Result<Kind> {
        match keystore::sniff(bytes) {
            Some(Format::Pkcs12) => Ok(Kind::Pkcs12),
            Some(Format::Jks) => Ok(Kind::Jks),
            Some(Format::Jceks) => Ok(Kind::Jceks),
            _ => Err(fault::of_class(
                fault::KEY_STORE_EXCEPTION,
                "Unrecognized keystore format. Please load it with a specified type",
            )),
        }
    }

    /// Reads a file as a store of `kind`. Without a password nothing is checked and what is encrypted is not there.
    ///
    /// # Errors
    /// As Java: `IOException` for a wrong password or another format, `EOFException` for a file that is cut.
    pub(crate) fn read(bytes: &[u8], kind: Kind, password: Option<&Password>) -> Result<Self> {
        let format = keystore::sniff(bytes);
        if !format.is_some_and(|format| kind.reads(format)) {
            let first = bytes.first().copied().unwrap_or(0) as i8;
            return Err(fault::io_fault(match kind {
                Kind::Pkcs12 if first != 0x30 => match bytes.get(1).map_or(0, |second| second & 0x7f) {
                    count @ 5.. if bytes[1] > 0x80 => {
                        format!("DerInputStream.getLength(): lengthTag={count}, too big.")
                    }
                    _ => format!("toDerInputStream rejects tag type {first}"),
                },
                Kind::Pkcs12 => "PKCS12 keystore not in version 3 format".to_owned(),
                _ => "Invalid keystore format".to_owned(),
            }));
        }
        let store = keystore::read(bytes, password, &Limits::default());
        let store = store.map_err(
            |error| match is_wrong_password(&error) && has_nothing_locked(bytes) {
                true => fault::io_fault(NOT_INTACT),
                false => parse_fault(&error),
            },
        )?;
        Ok(Self::of(kind, store))
    }

    fn of(kind: Kind, mut store: Store) -> Self {
        if kind == Kind::CaseExactJks {
            // Only JKS is read as this kind, and it can be taken so.
            let _ = store.use_exact_aliases();
        }
        let mut vault = Self {
            kind,
            plain_keys: plain_keys(&store),
            store,
            items: Vec::new(),
            by_alias: BTreeMap::new(),
            by_certificate: OnceCell::new(),
        };
        vault.renew();
        vault
    }

    /// The format of the file, whatever type it was opened as.
    pub(crate) fn format(&self) -> Format {
        self.store.format()
    }

    /// Whether it is a PKCS#12 file that neither checks nor hides anything.
    pub(crate) fn is_passwordless(&self) -> bool {
        let is_locked = |note: &Note| matches!(note, Note::LockedPart { .. });
        self.kind.is_pkcs12()
            && self.store.format() == Format::Pkcs12
            && self.store.integrity() == Integrity::Absent
            && !self.store.notes().iter().any(is_locked)
            && !self.store.entries().is_empty()
    }

    /// The entries that Java shows, in the order in which it enumerates them.
    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The entry of that name, by the rule of its type.
    pub(crate) fn find(&self, alias: &str) -> Option<&Item> {
        let number = self.by_alias.get(&self.fold(alias))?;
        self.items.get(*number)
    }

    pub(crate) fn entry(&self, item: &Item) -> &Entry {
        &self.store.entries()[item.index]
    }

    /// The chain of a key, or the one trusted certificate.
    pub(crate) fn chain(&self, item: &Item) -> &[Certificate] {
        self.entry(item).certificates()
    }

    /// The alias under which Java finds a certificate, and whether that entry is a trusted certificate.
    pub(crate) fn alias_of(&self, certificate: &Certificate) -> Option<(&str, bool)> {
        let index = self.by_certificate.get_or_init(|| {
            let mut index = BTreeMap::new();
            for item in &self.items {
                if let Some(first) = self.chain(item).first() {
                    let role = (item.alias.clone(), item.kind == EntryKind::TrustedCert);
                    index.entry(first.sha256()).or_insert(role);
                }
            }
            index
        });
        let (alias, is_trusted) = index.get(&certificate.sha256())?;
        Some((alias, *is_trusted))
    }

    /// Opens a private key.
    pub(crate) fn unlock(
        &self,
        item: &Item,
        password: Option<&Password>,
    ) -> std::result::Result<PrivateKey, Fault> {
        let opened = self.entry(item).unlock(password);
        opened.map_err(|error| self.locked(&error))
    }

    /// Opens a symmetric key.
    pub(crate) fn unlock_secret(
        &self,
        item: &Item,
        password: Option<&Password>,
    ) -> std::result::Result<SecretKey, Fault> {
        let opened = self.entry(item).unlock_secret(password);
        let key = opened.map_err(|error| self.locked(&error))?;
        // Java makes no key of no bytes; a password may be empty where it comes back as it was.
        match key.raw().is_empty() && self.store.format() == Format::Pkcs12 {
            true => Err(Fault::new(fault::UNRECOVERABLE_KEY, "Get Key failed: Empty key")),
            false => Ok(key),
        }
    }

    fn locked(&self, error: &UnlockError) -> Fault {
        match error {
            UnlockError::WrongPassword | UnlockError::NeedsPassword
                if self.store.format() == Format::Jceks =>
            {
                Fault::new(fault::UNRECOVERABLE_KEY, NOT_PADDED)
            }
            UnlockError::WrongPassword | UnlockError::NeedsPassword
                if self.store.format() == Format::Pkcs12 =>
            {
                Fault::new(fault::UNRECOVERABLE_KEY, format!("Get Key failed: {NOT_PADDED}"))
            }
            other => fault::locked(other),
        }
    }

    /// Puts a certificate in, in place of what has that name.
    pub(crate) fn put_certificate(
        &mut self,
        alias: &str,
        certificate: &Certificate,
        now_ms: i64,
    ) -> Result<()> {
        let alias = self.fold(alias);
        self.remove_if_there(&alias, now_ms)?;
        let certificate = certificate.clone();
        let edit = Edit::Trust {
            alias: Some(alias),
            certificate,
            place: Place::Last,
        };
        self.edit(&edit, now_ms)
    }

    /// Puts a key in, in place of what has that name.
    ///
    /// # Errors
    /// `KeyStoreException` for a chain whose names do not lead from one certificate to the next.
    pub(crate) fn put_key(
        &mut self,
        alias: &str,
        key: &PrivateKey,
        chain: &[Certificate],
        password: Option<&Password>,
        now_ms: i64,
    ) -> Result<()> {
        if self.store.format() == Format::Pkcs12 && !is_linked(chain) {
            return Err(fault::of_class(
                fault::KEY_STORE_EXCEPTION,
                "Certificate chain is not valid",
            ));
        }
        let alias = self.fold(alias);
        self.plain_keys.retain(|plain| plain.to_lowercase() != alias);
        let (key, chain, key_password) = (key.clone(), chain.to_vec(), password.cloned());
        let edit = match self.find(&alias) {
            Some(item) if item.kind == EntryKind::PrivateKey => Edit::ReplaceIdentity {
                index: item.index,
                key,
                chain,
                key_password,
            },
            _ => {
                self.remove_if_there(&alias, now_ms)?;
                Edit::PutKey {
                    alias: Some(alias),
                    key,
                    chain,
                    key_password,
                    place: Place::Last,
                }
            }
        };
        self.edit(&edit, now_ms)
    }

    /// Puts a symmetric key in, in place of what has that name.
    ///
    /// # Errors
    /// `KeyStoreException` for JKS, which holds none.
    pub(crate) fn put_secret(
        &mut self,
        alias: &str,
        key: &SecretKey,
        password: Option<&Password>,
        now_ms: i64,
    ) -> Result<()> {
        if self.store.format() == Format::Jks && self.kind != Kind::Jceks {
            return Err(fault::of_class(
                fault::KEY_STORE_EXCEPTION,
                "Cannot store non-PrivateKeys",
            ));
        }
        let alias = self.fold(alias);
        self.remove_if_there(&alias, now_ms)?;
        let unnamed = format!(
            "Key protection algorithm not found: java.security.NoSuchAlgorithmException: unrecognized algorithm name: {}",
            key.algorithm()
        );
        let edit = Edit::PutSecret {
            alias: Some(alias),
            key: key.clone(),
            key_password: password.cloned(),
            place: Place::Last,
        };
        let is_unnamed = self.store.format() == Format::Pkcs12;
        self.edit(&edit, now_ms).map_err(|stop| match stop {
            Stop::Fault(fault)
                if is_unnamed
                    && fault
                        .message
                        .as_deref()
                        .is_some_and(|text| text.ends_with("has no OID")) =>
            {
                fault::of_class(fault::KEY_STORE_EXCEPTION, unnamed)
            }
            other => other,
        })
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, index: usize, now_ms: i64) -> Result<()> {
        self.edit(&Edit::Remove { index }, now_ms)
    }

    /// Gives an entry another name; its bytes stay otherwise.
    pub(crate) fn rename(&mut self, index: usize, alias: &str, now_ms: i64) -> Result<()> {
        let alias = self.fold(alias);
        self.edit(&Edit::Rename { index, alias }, now_ms)
    }

    /// Another password for the store, and in PKCS#12 for its keys.
    pub(crate) fn set_password(&mut self, old: Option<&Password>, new: &Password, now_ms: i64) -> Result<()> {
        let edit = Edit::SetPassword {
            old: old.cloned(),
            new: new.clone(),
        };
        self.edit(&edit, now_ms)
    }

    /// The bytes of the file.
    pub(crate) fn write(&self, password: Option<&Password>, now_ms: i64) -> Result<Vec<u8>> {
        let mut entropy = SystemEntropy;
        let mut env = WriteEnv {
            now_ms,
            entropy: &mut entropy,
        };
        Ok(self.store.write(password, &mut env)?)
    }

    pub(crate) fn edit(&mut self, edit: &Edit, now_ms: i64) -> Result<()> {
        let mut entropy = SystemEntropy;
        let mut env = WriteEnv {
            now_ms,
            entropy: &mut entropy,
        };
        if self.kind == Kind::Jceks {
            // What was read as JCEKS is written as such; other formats than JKS are not read so.
            let _ = self.store.use_jceks();
        }
        self.store.edit(edit, &mut env)?;
        self.renew();
        Ok(())
    }

    fn remove_if_there(&mut self, alias: &str, now_ms: i64) -> Result<()> {
        match self.find(alias).map(|item| item.index) {
            Some(index) => self.remove(index, now_ms),
            None => Ok(()),
        }
    }

    /// Names are looked up in lower case, except in the one type that says so.
    fn fold(&self, alias: &str) -> String {
        match self.kind {
            Kind::CaseExactJks | Kind::Bks | Kind::Uber | Kind::Bcfks => alias.to_owned(),
            _ => alias.to_lowercase(),
        }
    }

    /// Finds again what Java shows: no certificates that PKCS#12 does not mark as trusted, numbers for nameless
    /// entries, the later of two with one name.
    fn renew(&mut self) {
        let is_pkcs12 = self.store.format() == Format::Pkcs12;
        let (mut nameless, mut found): (u32, Vec<Item>) = (0, Vec::new());
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (index, entry) in self.store.entries().iter().enumerate() {
            let is_passed_over = |name: &str| is_pkcs12 && self.plain_keys.iter().any(|plain| plain == name);
            let kind = match entry.body() {
                Body::PrivateKey { .. } if entry.alias().is_some_and(is_passed_over) => continue,
                Body::PrivateKey { .. } => EntryKind::PrivateKey,
                Body::SecretKey { .. } => EntryKind::SecretKey,
                Body::TrustedCert { trusted: true, .. } => EntryKind::TrustedCert,
                _ => continue,
            };
            let alias = match entry.alias() {
                Some(alias) if is_pkcs12 => alias.to_lowercase(),
                Some(alias) => alias.to_owned(),
                None => {
                    nameless += 1;
                    nameless.to_string()
                }
            };
            let item = Item {
                alias: alias.clone(),
                index,
                kind,
            };
            match places.get(&alias) {
                Some(place) => found[*place] = item,
                None => {
                    places.insert(alias, found.len());
                    found.push(item);
                }
            }
        }
        self.items = if is_pkcs12 {
            found
        } else {
            order::hash_table(found, 11, |item| &item.alias)
        };
        let numbered = self.items.iter().enumerate();
        self.by_alias = numbered
            .map(|(number, item)| (item.alias.clone(), number))
            .collect();
        self.by_certificate = OnceCell::new();
    }
}

/// The names of unencrypted keys in a PKCS#12 file as read.
fn plain_keys(store: &Store) -> Vec<String> {
    let is_plain =
        |entry: &&Entry| store.format() == Format::Pkcs12 && entry.protection().as_deref() == Some("none");
    let entries = store.entries().iter().filter(is_plain);
    entries
        .filter_map(|entry| entry.alias().map(str::to_owned))
        .collect()
}

/// Whether each certificate names the next as its issuer, and none is there twice.
fn is_linked(chain: &[Certificate]) -> bool {
    let names = chain
        .windows(2)
        .all(|pair| pair[0].issuer().is_same(&pair[1].subject()));
    let mut sorted: Vec<&Certificate> = chain.iter().collect();
    sorted.sort();
    names && sorted.windows(2).all(|pair| pair[0] != pair[1])
}

fn is_wrong_password(error: &ParseError) -> bool {
    matches!(
        error,
        ParseError::BadMac { .. } | ParseError::WrongPassword { .. }
    )
}

/// Whether a PKCS#12 file encrypts nothing as a whole, so that only its MAC knows of its password.
fn has_nothing_locked(bytes: &[u8]) -> bool {
    let is_locked = |note: &Note| matches!(note, Note::LockedPart { .. });
    let read = keystore::read(bytes, None, &Limits::default());
    read.is_ok_and(|store| store.format() == Format::Pkcs12 && !store.notes().iter().any(is_locked))
}

fn parse_fault(error: &ParseError) -> Stop {
    let fault = match error {
        ParseError::BadMac { format } | ParseError::WrongPassword { format } => match format {
            Format::Pkcs12 => Fault::new(IO_EXCEPTION, "keystore password was incorrect"),
            _ => Fault::new(
                IO_EXCEPTION,
                "Keystore was tampered with, or password was incorrect",
            ),
        },
        ParseError::LengthPastEnd { .. } => Fault {
            class: "java.io.EOFException",
            message: None,
        },
        other => Fault::new(IO_EXCEPTION, other.to_string()),
    };
    fault.into()
}

const NOT_PADDED: &str =
    "Given final block not properly padded. Such issues can arise if a bad key is used during decryption.";

/// Where the CA certificates of the host's Java lie: below `JAVA_HOME`, else in the usual places.
pub(crate) fn cacerts_path(io: &Io) -> Option<PathBuf> {
    let below_home = io.variable("JAVA_HOME").map(|home| {
        let home = PathBuf::from(home);
        [
            home.join("lib/security/cacerts"),
            home.join("jre/lib/security/cacerts"),
        ]
    });
    let usual = CACERTS.iter().map(PathBuf::from);
    below_home
        .into_iter()
        .flatten()
        .chain(usual)
        .find(|path| path.is_file())
}

const CACERTS: &[&str] = &[
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/usr/lib/jvm/default-java/lib/security/cacerts",
];
