//! The serialised twins of a plan's writes: every change of every file in full, without secrets.

use keystore::Certificate;
use product::Change;
use product::Content;
use product::FileEdit;
use product::Secret;
use product::SettingChange;
use product::SettingEdit;
use product::StoreEdit;
use serde::Deserialize;
use serde::Serialize;

use crate::declare;
use crate::file::SecretDoc;
use crate::meaning::MeaningError;
use crate::snapshot::Snapshot;
use crate::snapshot::fingerprint;
use crate::snapshot::hex;

mod run;

pub use run::AgainDoc;
pub use run::LineDoc;
pub use run::LookDoc;
pub use run::ProcedureDoc;
pub use run::ShownDoc;
pub use run::StateDoc;

/// One change of one file of one host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteDoc {
    /// The host.
    pub host: String,
    /// The host path, links not followed.
    pub path: String,
    /// In the product's words.
    pub why: String,
    /// The event it belongs to: `grow`, `switch`, `retire`.
    pub event: String,
    /// What happens.
    pub edit: EditDoc,
}

/// What happens to a file, or beside the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum EditDoc {
    Remove,
    Run(ProcedureDoc),
    Settings {
        syntax: String,
        sets: Vec<SetDoc>,
    },
    Store {
        password: Option<SecretDoc>,
        key_password: Option<SecretDoc>,
        edits: Vec<StoreEditDoc>,
    },
    Write {
        content: ContentDoc,
        mode: u32,
        like: Option<String>,
    },
}

/// One value of a configuration file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SetDoc {
    pub key: String,
    pub occurs: usize,
    #[serde(flatten)]
    pub edit: SetEditDoc,
}

/// What happens to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum SetEditDoc {
    AddItem { item: String, separator: String },
    CommentOut,
    RemoveItem { item: String, separator: String },
    Set { value: String, or_add: bool },
}

/// One edit of a keystore.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum StoreEditDoc {
    AddIdentity {
        alias: Option<String>,
        material: String,
        chain: Vec<String>,
    },
    RemoveIdentity {
        sha256: String,
    },
    ReplaceIdentity {
        old: String,
        alias: Option<String>,
        material: String,
        chain: Vec<String>,
    },
    SetDefault {
        sha256: String,
    },
    Trust {
        alias: Option<String>,
        certificate: String,
        first: bool,
    },
    Untrust {
        sha256: String,
    },
}

/// What a file is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "content", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum ContentDoc {
    Certificates {
        chain: Vec<String>,
    },
    CopyOf {
        path: String,
    },
    Der {
        certificate: String,
    },
    KeyAndChain {
        material: String,
        chain: Vec<String>,
        password: Option<SecretDoc>,
    },
    PasswordFile {
        password: SecretDoc,
    },
    PrivateKey {
        material: String,
        password: Option<SecretDoc>,
    },
    Random {
        length: usize,
    },
    Text {
        text: String,
    },
}

/// The serialised form of a change; its certificates go into the snapshot's table.
pub fn write_doc(host: &str, event: &str, change: &Change, snapshot: &mut Snapshot) -> WriteDoc {
    let edit = match &change.edit {
        FileEdit::Remove => EditDoc::Remove,
        FileEdit::Run(procedure) => EditDoc::Run(ProcedureDoc::of(procedure)),
        FileEdit::Settings { syntax, sets } => EditDoc::Settings {
            syntax: syntax.name().to_owned(),
            sets: sets.iter().map(set_doc).collect(),
        },
        FileEdit::Store {
            password,
            key_password,
            edits,
        } => EditDoc::Store {
            password: password.as_ref().map(declare::secret_doc),
            key_password: key_password.as_ref().map(declare::secret_doc),
            edits: edits.iter().map(|edit| store_edit_doc(edit, snapshot)).collect(),
        },
        FileEdit::Write { content, mode, like } => EditDoc::Write {
            content: content_doc(content, snapshot),
            mode: *mode,
            like: like.clone(),
        },
    };
    WriteDoc {
        host: host.to_owned(),
        path: change.path.clone(),
        why: change.why.clone(),
        event: event.to_owned(),
        edit,
    }
}

/// The change again.
///
/// # Errors
/// `NoCertificate`, `NotADigest`, `NotOneSource`, `UnknownSyntax`.
pub fn change(doc: &WriteDoc, snapshot: &Snapshot) -> Result<Change, MeaningError> {
    let edit = match &doc.edit {
        EditDoc::Remove => FileEdit::Remove,
        EditDoc::Run(doc) => FileEdit::Run(doc.procedure()),
        EditDoc::Settings { syntax, sets } => FileEdit::Settings {
            syntax: declare::syntax(syntax).ok_or_else(|| MeaningError::UnknownSyntax(syntax.clone()))?,
            sets: sets.iter().map(set).collect(),
        },
        EditDoc::Store {
            password,
            key_password,
            edits,
        } => FileEdit::Store {
            password: secret(password.as_ref())?,
            key_password: secret(key_password.as_ref())?,
            edits: edits
                .iter()
                .map(|edit| store_edit(edit, snapshot))
                .collect::<Result<_, _>>()?,
        },
        EditDoc::Write {
            content: doc,
            mode,
            like,
        } => FileEdit::Write {
            content: content(doc, snapshot)?,
            mode: *mode,
            like: like.clone(),
        },
    };
    Ok(Change {
        path: doc.path.clone(),
        edit,
        why: doc.why.clone(),
    })
}

fn set_doc(set: &SettingChange) -> SetDoc {
    let edit = match &set.edit {
        SettingEdit::AddItem { item, separator } => SetEditDoc::AddItem {
            item: item.clone(),
            separator: separator.clone(),
        },
        SettingEdit::CommentOut => SetEditDoc::CommentOut,
        SettingEdit::RemoveItem { item, separator } => SetEditDoc::RemoveItem {
            item: item.clone(),
            separator: separator.clone(),
        },
        SettingEdit::Set { value, or_add } => SetEditDoc::Set {
            value: value.clone(),
            or_add: *or_add,
        },
    };
    SetDoc {
        key: set.key.clone(),
        occurs: set.occurs,
        edit,
    }
}

fn set(doc: &SetDoc) -> SettingChange {
    let edit = match doc.edit.clone() {
        SetEditDoc::AddItem { item, separator } => SettingEdit::AddItem { item, separator },
        SetEditDoc::CommentOut => SettingEdit::CommentOut,
        SetEditDoc::RemoveItem { item, separator } => SettingEdit::RemoveItem { item, separator },
        SetEditDoc::Set { value, or_add } => SettingEdit::Set { value, or_add },
    };
    SettingChange {
        key: doc.key.clone(),
        edit,
        occurs: doc.occurs,
    }
}

fn store_edit_doc(edit: &StoreEdit, snapshot: &mut Snapshot) -> StoreEditDoc {
    match edit {
        StoreEdit::AddIdentity {
            alias,
            material,
            chain,
        } => StoreEditDoc::AddIdentity {
            alias: alias.clone(),
            material: material.clone(),
            chain: names(chain, snapshot),
        },
        StoreEdit::RemoveIdentity { sha256 } => StoreEditDoc::RemoveIdentity { sha256: hex(sha256) },
        StoreEdit::ReplaceIdentity {
            old_sha256,
            alias,
            material,
            chain,
        } => StoreEditDoc::ReplaceIdentity {
            old: hex(old_sha256),
            alias: alias.clone(),
            material: material.clone(),
            chain: names(chain, snapshot),
        },
        StoreEdit::SetDefault { sha256 } => StoreEditDoc::SetDefault { sha256: hex(sha256) },
        StoreEdit::Trust {
            alias,
            certificate,
            first,
        } => StoreEditDoc::Trust {
            alias: alias.clone(),
            certificate: snapshot.keep(certificate),
            first: *first,
        },
        StoreEdit::Untrust { sha256 } => StoreEditDoc::Untrust { sha256: hex(sha256) },
    }
}

fn store_edit(doc: &StoreEditDoc, snapshot: &Snapshot) -> Result<StoreEdit, MeaningError> {
    Ok(match doc.clone() {
        StoreEditDoc::AddIdentity {
            alias,
            material,
            chain,
        } => StoreEdit::AddIdentity {
            alias,
            material,
            chain: certificates(&chain, snapshot)?,
        },
        StoreEditDoc::RemoveIdentity { sha256 } => StoreEdit::RemoveIdentity {
            sha256: digest(&sha256)?,
        },
        StoreEditDoc::ReplaceIdentity {
            old,
            alias,
            material,
            chain,
        } => StoreEdit::ReplaceIdentity {
            old_sha256: digest(&old)?,
            alias,
            material,
            chain: certificates(&chain, snapshot)?,
        },
        StoreEditDoc::SetDefault { sha256 } => StoreEdit::SetDefault {
            sha256: digest(&sha256)?,
        },
        StoreEditDoc::Trust {
            alias,
            certificate,
            first,
        } => StoreEdit::Trust {
            alias,
            certificate: one(&certificate, snapshot)?,
            first,
        },
        StoreEditDoc::Untrust { sha256 } => StoreEdit::Untrust {
            sha256: digest(&sha256)?,
        },
    })
}

fn content_doc(content: &Content, snapshot: &mut Snapshot) -> ContentDoc {
    match content {
        Content::Certificates(chain) => ContentDoc::Certificates {
            chain: names(chain, snapshot),
        },
        Content::CopyOf(path) => ContentDoc::CopyOf { path: path.clone() },
        Content::Der(certificate) => ContentDoc::Der {
            certificate: snapshot.keep(certificate),
        },
        Content::KeyAndChain {
            material,
            chain,
            password,
        } => ContentDoc::KeyAndChain {
            material: material.clone(),
            chain: names(chain, snapshot),
            password: password.as_ref().map(declare::secret_doc),
        },
        Content::PasswordFile(secret) => ContentDoc::PasswordFile {
            password: declare::secret_doc(secret),
        },
        Content::PrivateKey { material, password } => ContentDoc::PrivateKey {
            material: material.clone(),
            password: password.as_ref().map(declare::secret_doc),
        },
        Content::Random(length) => ContentDoc::Random { length: *length },
        Content::Text(text) => ContentDoc::Text { text: text.clone() },
    }
}

fn content(doc: &ContentDoc, snapshot: &Snapshot) -> Result<Content, MeaningError> {
    Ok(match doc {
        ContentDoc::Certificates { chain } => Content::Certificates(certificates(chain, snapshot)?),
        ContentDoc::CopyOf { path } => Content::CopyOf(path.clone()),
        ContentDoc::Der { certificate } => Content::Der(one(certificate, snapshot)?),
        ContentDoc::KeyAndChain {
            material,
            chain,
            password,
        } => Content::KeyAndChain {
            material: material.clone(),
            chain: certificates(chain, snapshot)?,
            password: secret(password.as_ref())?,
        },
        ContentDoc::PasswordFile { password } => Content::PasswordFile(declare::secret(password)?),
        ContentDoc::PrivateKey { material, password } => Content::PrivateKey {
            material: material.clone(),
            password: secret(password.as_ref())?,
        },
        ContentDoc::Random { length } => Content::Random(*length),
        ContentDoc::Text { text } => Content::Text(text.clone()),
    })
}

fn names(chain: &[Certificate], snapshot: &mut Snapshot) -> Vec<String> {
    chain
        .iter()
        .map(|certificate| snapshot.keep(certificate))
        .collect()
}

fn one(name: &str, snapshot: &Snapshot) -> Result<Certificate, MeaningError> {
    snapshot
        .certificate(name)
        .ok_or_else(|| MeaningError::NoCertificate(name.to_owned()))
}

fn certificates(names: &[String], snapshot: &Snapshot) -> Result<Vec<Certificate>, MeaningError> {
    names.iter().map(|name| one(name, snapshot)).collect()
}

fn digest(text: &str) -> Result<[u8; 32], MeaningError> {
    fingerprint(text).ok_or_else(|| MeaningError::NotADigest(text.to_owned()))
}

fn secret(doc: Option<&SecretDoc>) -> Result<Option<Secret>, MeaningError> {
    doc.map(declare::secret).transpose()
}
