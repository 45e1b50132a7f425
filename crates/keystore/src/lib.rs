//! Keystores of every format the field has, read and written without loss.
//!
//! [`read`] recognises a store by its content and gives a [`Store`]: entries in file order, aliases as
//! written, private keys still locked. [`Store::edit`] changes one entry, [`Store::write`] gives the bytes
//! of the file again; what no edit touched keeps its bytes wherever the format allows.
//!
//! The crate is pure: it opens no file, reads no clock and draws no randomness but what [`WriteEnv`] brings.
#![deny(missing_docs)]

mod bcfks;
mod bks;
mod ccm;
mod certificate;
mod cipher;
mod cms_kdb;
pub mod der;
mod der_file;
mod digest;
mod edit;
mod edwards448;
mod entry;
mod error;
mod extension;
mod hashed_directory;
mod issuers;
mod jceks;
mod jks;
mod kdf;
mod keys;
mod liberty_xor;
mod limits;
mod modified_utf8;
mod modular;
pub mod name;
mod named;
pub mod oid;
mod pbe;
mod pem;
mod pkcs12;
mod pkcs7;
mod profile;
mod public_key;
pub mod reader;
mod request;
mod revocation;
mod secret;
mod secret_names;
mod sniff;
mod store;
mod time;
mod wa_password;

pub use certificate::{Algorithm, Certificate, Validity};
pub use cms_kdb::{
    CmsFiles, CmsVersion, PasswordChangeError, StashError, StashVersion, change_password, read_stash,
    write_stash,
};
pub use edit::{Edit, Place};
pub use entry::{Body, Entry, LockedKey};
pub use error::{EditError, KeyError, ParseError, UnlockError, WriteError};
pub use extension::{AuthorityKeyIdentifier, BasicConstraints, Extension, GeneralName, KeyUsage};
pub use hashed_directory::{
    HashedDirectory, HashedFinding, hashed_names, name_hash, old_name_hash, read_hashed_directory,
};
pub use keys::KeyMatch;
pub use liberty_xor::{XorError, read_xor, write_xor};
pub use limits::Limits;
pub use name::Name;
pub use profile::WriteProfile;
pub use public_key::{Curve, KeyKind, PublicKey};
pub use reader::ReadError;
pub use request::{LinkName, Request, RequestBody};
pub use revocation::RevocationList;
pub use secret::{Entropy, Password, PrivateKey, SecretKey, WriteEnv};
pub use sniff::{Format, sniff};
pub use store::{Integrity, Note, Store, read};
pub use wa_password::{WaPasswordError, read_wa_password, rewrite_wa_password, write_wa_password};
