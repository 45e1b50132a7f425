//! What can be typed behind `store`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::Subcommand;
use clap::ValueEnum;

use super::Passwords;

/// The commands of `store`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Add certificates that are trusted, to one store or many; what is there already stays as it is.
    AddTrust(AddTrust),
    /// Write a store in another format, or for another reader.
    Convert(Convert),
    /// Compare two stores by what they hold; exit code 1 where they differ.
    Diff(Diff),
    /// Write certificates, or keys with --key, to a file or (certificates only) to stdout.
    Export(Export),
    /// Bring keys with their chains, or a CA's answer to a key that is there, into a store.
    Import(Import),
    /// Put the entries of other stores into one; collisions of names are told all at once and nothing changes.
    Merge(Merge),
    /// Give stores, the keys that had the same password, and a stash that exists, another password.
    Password(Password),
    /// Take entries away.
    Remove(Remove),
    /// Give an entry another name.
    Rename(Rename),
}

/// What is kept of files that are replaced.
#[derive(Debug, ClapArgs)]
pub struct Keep {
    /// Keep no backup of what is replaced.
    #[arg(long)]
    pub no_backup: bool,
    /// Where backups go; default: `.capgrow` of the fleet directory, else `capgrow` in the state directory of the user.
    #[arg(long, value_name = "DIR", conflicts_with = "no_backup")]
    pub backup_dir: Option<PathBuf>,
    /// Say what would be done, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Which entries are meant.
#[derive(Debug, Default, ClapArgs)]
pub struct Selection {
    /// The entry of this name (repeat for several).
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub alias: Vec<String>,
    /// The entry of this number, counted from 1 as `inspect` lists them.
    #[arg(long, value_name = "N")]
    pub entry: Vec<usize>,
    /// The entry whose (first) certificate has a SHA-256 fingerprint that begins so.
    #[arg(long, value_name = "HEX")]
    pub sha256: Vec<String>,
}

/// The password of what is written.
#[derive(Debug, Default, ClapArgs)]
pub struct NewPassword {
    /// The new password: the content of FILE without a final line end.
    #[arg(long, value_name = "FILE")]
    pub new_password_file: Option<PathBuf>,
    /// The new password: the value of the variable VAR.
    #[arg(long, value_name = "VAR")]
    pub new_password_env: Option<String>,
    /// The new password: read from descriptor N.
    #[arg(long, value_name = "N")]
    pub new_password_fd: Option<u32>,
}

/// The passwords of the stores that entries come from.
#[derive(Debug, Default, ClapArgs)]
pub struct FromPasswords {
    /// The password of the other store: the content of FILE without a final line end.
    #[arg(long, value_name = "FILE")]
    pub from_password_file: Option<PathBuf>,
    /// The password of the other store: the value of the variable VAR.
    #[arg(long, value_name = "VAR")]
    pub from_password_env: Option<String>,
    /// The password of the other store: read from descriptor N.
    #[arg(long, value_name = "N")]
    pub from_password_fd: Option<u32>,
    /// The password of its keys: the content of FILE without a final line end.
    #[arg(long, value_name = "FILE")]
    pub from_key_password_file: Option<PathBuf>,
    /// The password of its keys: the value of the variable VAR.
    #[arg(long, value_name = "VAR")]
    pub from_key_password_env: Option<String>,
    /// The password of its keys: read from descriptor N.
    #[arg(long, value_name = "N")]
    pub from_key_password_fd: Option<u32>,
}

/// Formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// BouncyCastle FIPS.
    Bcfks,
    /// BouncyCastle.
    Bks,
    /// IBM CMS key database.
    #[value(aliases = ["kdb", "cms"])]
    CmsKdb,
    /// One certificate or key as bare DER.
    Der,
    /// Java with stronger key protection.
    Jceks,
    /// Java.
    Jks,
    /// PEM.
    Pem,
    /// PKCS#12.
    #[value(aliases = ["p12", "pfx"])]
    Pkcs12,
    /// BouncyCastle, wholly encrypted.
    Uber,
}

/// For whom is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// Approved algorithms only.
    Fips,
    /// IBM GSKit 8.
    Gskit8,
    /// Java 8 to 11.
    Java8,
    /// Java 17 and later.
    Java17,
    /// OpenSSL 3.
    Openssl3,
}

/// `store add-trust`.
#[derive(Debug, ClapArgs)]
pub struct AddTrust {
    /// The stores, of any formats; a directory with hashed names is one, too.
    #[arg(required = true, value_name = "STORE")]
    pub stores: Vec<PathBuf>,
    /// A file with certificates, in any format (repeat for several).
    #[arg(long = "cert", value_name = "FILE", required = true)]
    pub certificates: Vec<PathBuf>,
    /// The name of the new entry; default: the common name in lower case.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub alias: Option<String>,
    /// Make a store that is not there, in this format.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub create: Option<To>,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store remove`.
#[derive(Debug, ClapArgs)]
pub struct Remove {
    /// The stores.
    #[arg(required = true, value_name = "STORE")]
    pub stores: Vec<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store rename`.
#[derive(Debug, ClapArgs)]
pub struct Rename {
    /// The store.
    pub store: PathBuf,
    #[command(flatten)]
    pub selection: Selection,
    /// The new name.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub to: String,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store import`.
#[derive(Debug, ClapArgs)]
pub struct Import {
    /// The store.
    pub store: PathBuf,
    /// What to bring in: a store, or files with key and certificates (repeat for several).
    #[arg(long, value_name = "FILE", required = true)]
    pub from: Vec<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
    /// The name that the entry gets.
    #[arg(long = "as", value_name = "NAME", allow_hyphen_values = true)]
    pub name: Option<String>,
    /// Put it in the place of an entry of that name.
    #[arg(long)]
    pub replace: bool,
    /// Make the store where it is not there, in this format.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub create: Option<To>,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub from_passwords: FromPasswords,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store export`.
#[derive(Debug, ClapArgs)]
pub struct Export {
    /// The store.
    pub store: PathBuf,
    #[command(flatten)]
    pub selection: Selection,
    /// The file to write; default: stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Its format.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "pem")]
    pub to: To,
    /// Write the private keys, too.
    #[arg(long)]
    pub key: bool,
    /// Leave private keys unencrypted in PEM and DER.
    #[arg(long, requires = "key")]
    pub clear_key: bool,
    /// For whom it is written.
    #[arg(long = "for", value_name = "READER", value_enum)]
    pub reader: Option<For>,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub new_password: NewPassword,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store password`.
#[derive(Debug, ClapArgs)]
pub struct Password {
    /// The stores.
    #[arg(required = true, value_name = "STORE")]
    pub stores: Vec<PathBuf>,
    /// Leave the passwords of keys alone where the format has them apart (JKS, JCEKS, BKS, UBER, BCFKS).
    #[arg(long)]
    pub store_only: bool,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub new_password: NewPassword,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store convert`.
#[derive(Debug, ClapArgs)]
pub struct Convert {
    /// The store.
    pub store: PathBuf,
    /// The new format; default: the one it has.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub to: Option<To>,
    /// The file to write; may be the store itself.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// For whom it is written.
    #[arg(long = "for", value_name = "READER", value_enum)]
    pub reader: Option<For>,
    /// Leave out what the new format cannot hold.
    #[arg(long)]
    pub leave_out: bool,
    /// Leave private keys unencrypted in PEM and DER.
    #[arg(long)]
    pub clear_key: bool,
    /// Write a stash beside a new key database.
    #[arg(long)]
    pub stash: bool,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub new_password: NewPassword,
    #[command(flatten)]
    pub keep: Keep,
}

/// `store diff`.
#[derive(Debug, ClapArgs)]
pub struct Diff {
    /// One store.
    pub a: PathBuf,
    /// The other.
    pub b: PathBuf,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub from_passwords: FromPasswords,
}

/// `store merge`.
#[derive(Debug, ClapArgs)]
pub struct Merge {
    /// The store that the entries go to.
    pub into: PathBuf,
    /// The stores that they come from.
    #[arg(required = true)]
    pub from: Vec<PathBuf>,
    /// Write the result here, and leave INTO as it is.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Give an entry whose name is taken the next free one (`name-2`).
    #[arg(long)]
    pub rename: bool,
    /// Leave out what the format of INTO cannot hold.
    #[arg(long)]
    pub leave_out: bool,
    #[command(flatten)]
    pub passwords: Passwords,
    #[command(flatten)]
    pub from_passwords: FromPasswords,
    #[command(flatten)]
    pub keep: Keep,
}
