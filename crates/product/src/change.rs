//! Which files change when a component grows, switches and retires.

use keystore::Certificate;

use crate::component::Secret;
use crate::component::Syntax;
use crate::procedure::Procedure;

/// One generation of identities to leave and the one to move to, as one component sees it.
#[derive(Clone)]
pub struct Rotation {
    /// The name of the `[[rotate]]`.
    pub name: String,
    /// The new chain, leaf first, root last where it is known; empty for a component that only trusts.
    pub chain: Vec<Certificate>,
    /// The anchors to grow: roots first as given, then intermediates that verifiers need.
    pub anchors: Vec<Certificate>,
    /// Anchors and identities to leave, exactly these certificates.
    pub old: Vec<Certificate>,
    /// The alias for the new identity; absent = the old alias is kept where the format allows.
    pub alias: Option<String>,
    /// Names (CNs) of every new identity in the rotation, for lists of allowed names.
    pub new_names: Vec<String>,
    /// Names (CNs) that only the old generation bears.
    pub old_names: Vec<String>,
    /// Names the new private key for whoever carries the plan out; the key itself is never here.
    pub material: String,
}

/// What a component's files become, event by event. Each list is in writing order: every prefix is safe.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// Made once, before the first step of the plan: what the whole fleet needs and this component's host can do.
    pub first: Vec<Change>,
    /// The component also accepts the new identities.
    pub grow: Vec<Change>,
    /// It presents the new identity.
    pub switch: Vec<Change>,
    /// It no longer accepts the old ones.
    pub retire: Vec<Change>,
    /// Said in the plan for a person: left-over keys, doubtful aliases, entries kept.
    pub notes: Vec<String>,
    /// Why this component cannot do it, with the remedy; empty = it can.
    pub obstacles: Vec<String>,
}

/// One change of one file, or by a product's own commands.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The host path of the file, or of the first program.
    pub path: String,
    /// What happens to it.
    pub edit: FileEdit,
    /// Why, in the words of the product (shown in plan and dry run).
    pub why: String,
}

/// What happens to one file, or beside the files.
#[derive(Debug, Clone, PartialEq)]
pub enum FileEdit {
    /// The file goes away.
    Remove,
    /// No file: what it changes is known to the product's commands alone.
    Run(Procedure),
    /// Values in a configuration file; every other byte stays.
    Settings {
        /// How the file is written.
        syntax: Syntax,
        /// In this order.
        sets: Vec<SettingChange>,
    },
    /// Entries of a keystore; every other entry stays.
    Store {
        /// Opens the store.
        password: Option<Secret>,
        /// Opens its private keys where that differs.
        key_password: Option<Secret>,
        /// In this order.
        edits: Vec<StoreEdit>,
    },
    /// The whole content, new or replaced.
    Write {
        /// What it holds.
        content: Content,
        /// Mode of a file that is not there yet.
        mode: u32,
        /// A host path whose owner and group a new file takes.
        like: Option<String>,
    },
}

/// One edit of a keystore. Entries are named by certificate, never by alias or position alone.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreEdit {
    /// Adds a key entry with `Rotation::chain` and the private key named by `material`.
    /// The alias must be free, or its entry must already be this identity (then nothing happens).
    AddIdentity {
        /// The alias; absent where the format has none.
        alias: Option<String>,
        /// Names the private key.
        material: String,
        /// Leaf first.
        chain: Vec<Certificate>,
    },
    /// Replaces key and chain of the entry that presents `old_sha256`, keeping alias and place.
    ReplaceIdentity {
        /// Of the leaf presented now.
        old_sha256: [u8; 32],
        /// The new alias; absent = kept.
        alias: Option<String>,
        /// Names the private key.
        material: String,
        /// Leaf first.
        chain: Vec<Certificate>,
    },
    /// Marks the entry with this leaf as the default (CMS).
    SetDefault {
        /// Of the leaf.
        sha256: [u8; 32],
    },
    /// Adds an anchor unless this very certificate is a trusted entry already.
    Trust {
        /// Wanted alias; where it is taken by another certificate a free one is derived.
        alias: Option<String>,
        /// The anchor.
        certificate: Certificate,
        /// In front of everything else (PEM bundles whose order counts).
        first: bool,
    },
    /// Removes every key entry with this leaf, if another key entry remains.
    RemoveIdentity {
        /// Of the leaf.
        sha256: [u8; 32],
    },
    /// Removes every trusted entry with this certificate; absent is fine.
    Untrust {
        /// Of the certificate.
        sha256: [u8; 32],
    },
}

/// One value in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// The key in the syntax's own notation.
    pub key: String,
    /// What happens to its value.
    pub edit: SettingEdit,
    /// How often the key must occur (`keyAlias` in server.xml: three); otherwise it is said, not done.
    pub occurs: usize,
}

/// What happens to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingEdit {
    /// Adds an item to a list unless it is there.
    AddItem {
        /// The item.
        item: String,
        /// Between two items.
        separator: String,
    },
    /// Makes the whole line a comment; an absent key is fine.
    CommentOut,
    /// Removes an item from a list; absent is fine.
    RemoveItem {
        /// The item.
        item: String,
        /// Between two items.
        separator: String,
    },
    /// Sets the value; adds the key where `or_add` says how.
    Set {
        /// The new value, unquoted.
        value: String,
        /// The key may be absent and is then added (an attribute, or a line at the end).
        or_add: bool,
    },
}

/// What a file is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// PEM certificates in this order, clean.
    Certificates(Vec<Certificate>),
    /// One DER certificate.
    Der(Certificate),
    /// The private key named by `material`, PEM PKCS#8, encrypted where a password is given.
    PrivateKey {
        /// Names the key.
        material: String,
        /// Encrypts it.
        password: Option<Secret>,
    },
    /// The bytes of another file of the same host (a stash or seed that must exist under a new name).
    CopyOf(String),
    /// Workload Automation's base64 form of a password.
    PasswordFile(Secret),
    /// This many random bytes (an OpenSSL seed file).
    Random(usize),
    /// Private key and chain in one PEM.
    KeyAndChain {
        /// Names the key.
        material: String,
        /// Leaf first.
        chain: Vec<Certificate>,
        /// Encrypts the key.
        password: Option<Secret>,
    },
    /// Text as it is.
    Text(String),
}
