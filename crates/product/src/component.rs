//! One running process, in the words of `capgrow.toml`. Source: fleet-file contract.

use std::collections::BTreeMap;
use std::time::Duration;

/// One running process with its stores, settings, listening addresses and dials.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Unique in the fleet; what links and plans name.
    pub id: String,
    /// The host it runs on.
    pub host: String,
    /// `generic`, or a built-in such as `workload-automation`.
    pub product: String,
    /// The product's own word for its part (`MDM`, `FTA`, `DWC`, …); empty for `generic`.
    pub role: String,
    /// Whose verdict counts: a runtime name of the `trust` crate.
    pub runtime: String,
    /// Where its commands run, a path of the host.
    pub dir: Option<String>,
    /// Cost of one restart in thousandths; 1000 unless the fleet file says otherwise.
    pub cost_milli: u64,
    /// A partner whose stores nobody here can touch.
    pub external: bool,
    /// The day on which an external partner's owner confirmed trust in the new chain, `YYYY-MM-DD`.
    pub trusts_new_since: Option<String>,
    /// The product keeps no old identity beside the new one (a switch replaces it).
    pub keeps_no_old_identity: bool,
    /// The files with identities and anchors.
    pub stores: Vec<StoreFile>,
    /// Settings that move with the certificates.
    pub settings: Vec<Setting>,
    /// What makes a change count.
    pub effective: Effective,
    /// Where it accepts connections.
    pub listens: Vec<Listen>,
    /// Whom it calls.
    pub dials: Vec<Dial>,
}

impl Component {
    /// The store with this id.
    pub fn store(&self, id: &str) -> Option<&StoreFile> {
        self.stores.iter().find(|store| store.id == id)
    }

    /// The listening address with this name.
    pub fn listen(&self, name: &str) -> Option<&Listen> {
        self.listens.iter().find(|listen| listen.name == name)
    }
}

/// One store of a component: one file, or key and certificates apart.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreFile {
    /// Unique in the component.
    pub id: String,
    /// The host path of the store, or of the certificate file where `key_file` is set.
    pub file: String,
    /// The host path of the private key where it lies in a file of its own.
    pub key_file: Option<String>,
    /// What it is read for.
    pub holds: Vec<Holds>,
    /// Which entry is presented; absent = the runtime's own rule.
    pub alias: Option<String>,
    /// Opens the store.
    pub password: Option<Secret>,
    /// Opens the private key where it differs.
    pub key_password: Option<Secret>,
    /// Files that hold the store's password and must keep fitting it (a `.sth` beside a `.kdb`).
    pub stash: Option<String>,
}

impl StoreFile {
    /// Whether anchors are read from it.
    pub fn holds_trust(&self) -> bool {
        self.holds.contains(&Holds::Trust)
    }

    /// Whether an identity is presented from it.
    pub fn holds_identity(&self) -> bool {
        self.holds.contains(&Holds::Identity)
    }
}

/// What a store is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// The certificate and key that are presented.
    Identity,
    /// The anchors that peers are verified with.
    Trust,
}

/// Where a password comes from. Never the password itself, except where a person wrote it down.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// The output of a command on the tool's machine.
    Command(Vec<String>),
    /// An environment variable of the tool.
    Env(String),
    /// A file of the tool's machine; one final LF or CRLF is not part of it.
    File(String),
    /// Written in the fleet file at this place; the words themselves stay there.
    FleetFile(String),
    /// Written in the fleet file.
    Literal(keystore::Password),
    /// Asked on the terminal.
    Prompt,
    /// A value in a configuration file of the host, plain or `{xor}`.
    Setting {
        /// The host path.
        file: String,
        /// Its syntax.
        syntax: Syntax,
        /// The key inside.
        key: String,
    },
    /// A GSKit stash or a base64 password file of the host, recognised by content.
    Stash(String),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Secret::Command(argv) => write!(f, "Command({})", argv.first().map_or("", String::as_str)),
            Secret::Env(name) => write!(f, "Env({name})"),
            Secret::File(path) => write!(f, "File({path})"),
            Secret::FleetFile(place) => write!(f, "FleetFile({place})"),
            Secret::Literal(_) => write!(f, "Literal(..)"),
            Secret::Prompt => write!(f, "Prompt"),
            Secret::Setting { file, key, .. } => write!(f, "Setting({file}: {key})"),
            Secret::Stash(path) => write!(f, "Stash({path})"),
        }
    }
}

/// A setting that moves with the certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The host path.
    pub file: String,
    /// How the file is written.
    pub syntax: Syntax,
    /// The key: for XML a path such as `ssl[@id='main']/@serverKeyAlias`; for ini `section/key`.
    pub key: String,
    /// What its value says.
    pub selects: Selects,
}

/// What a setting's value says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selects {
    /// The alias of the entry presented from this store.
    AliasOf(String),
    /// Names or DNs of the peers that are let in.
    AllowedNames {
        /// Between two names.
        separator: String,
    },
    /// The path of this store's file.
    PathOf(String),
}

/// How a configuration file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Syntax {
    /// `[section]` and `key = value`.
    Ini,
    /// One value a line.
    Line,
    /// Workload Automation's `option = value`, names without regard to case and blanks.
    Localopts,
    /// Java properties.
    Properties,
    /// TOML.
    Toml,
    /// XML attributes.
    Xml,
    /// YAML scalars.
    Yaml,
}

impl Syntax {
    /// The word used in the fleet file.
    pub fn name(self) -> &'static str {
        match self {
            Syntax::Ini => "ini",
            Syntax::Line => "line",
            Syntax::Localopts => "localopts",
            Syntax::Properties => "properties",
            Syntax::Toml => "toml",
            Syntax::Xml => "xml",
            Syntax::Yaml => "yaml",
        }
    }
}

/// What makes a change count, and how that is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// For identity files.
    pub identity: Means,
    /// For trust files.
    pub trust: Means,
    /// Which process it is.
    pub process: Option<ProcessRef>,
    /// What says that it is well again.
    pub healthy: Option<Healthy>,
    /// Within which time.
    pub takes: Duration,
}

/// How changed files become effective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// Started now and then; reads its files at each start.
    EachRun,
    /// Notices by itself within this time.
    Live(Duration),
    /// These commands, in order; sockets and connections stay.
    Reload(Vec<Command>),
    /// These commands, in order; the process ends and starts.
    Restart(Vec<Command>),
}

/// A command: never a shell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Additions to the clean environment.
    pub env: BTreeMap<String, String>,
}

/// Which process a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessRef {
    /// The owner of the listener on this address.
    Address(String),
    /// The number in this host file.
    PidFile(String),
}

/// What says that a component is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthy {
    /// A command ends with 0.
    Command(Command),
    /// A connection to this port of its own address is accepted.
    Tcp(String),
    /// A product's status command shows this component linked (a predicate the product owns).
    Linked {
        /// The command to ask, run on `host`.
        command: Command,
        /// The host that answers.
        host: String,
        /// The directory it runs in.
        dir: String,
        /// The name to look for.
        name: String,
    },
}

/// An address on which a component accepts TLS connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Unique in the component.
    pub name: String,
    /// `host:port`; an IP address or a name.
    pub address: String,
    /// The id of the store it presents from.
    pub identity: Option<String>,
    /// The id of the store it verifies clients with.
    pub trust: Option<String>,
    /// Whether it asks clients for a certificate.
    pub client_certificate: ClientCertificate,
    /// The protocol's own way to TLS; absent = at once.
    pub starttls: Option<String>,
    /// SNI, where it matters.
    pub server_name: Option<String>,
}

/// Whether a server asks for a client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It does not ask.
    None,
    /// It asks and takes an absent one.
    Requested,
    /// It asks and refuses without.
    Required,
}

/// A peer that a component calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// The component called.
    pub to: String,
    /// Which of its listening addresses.
    pub endpoint: String,
    /// The id of the store it presents from; absent = no client certificate.
    pub identity: Option<String>,
    /// The id of the store it verifies the server with.
    pub trust: Option<String>,
    /// The name it verifies; absent = it does not verify names.
    pub expects: Option<String>,
}
