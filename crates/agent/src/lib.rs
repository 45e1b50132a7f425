//! The operating system's side: files, processes, TLS dials.

pub mod command;
pub mod dial;
mod hands;
mod handshake;
mod identity;
mod links;
mod observe;
mod old;
pub mod os;
mod procedure;
pub mod process;
mod secrets;
mod tree;
mod waived;

pub use hands::Hold;
pub use hands::OsEntropy;
pub use hands::OsHands;
pub use hands::Progress;
pub use hands::commands;
pub use handshake::Call;
pub use handshake::Patience;
pub use handshake::Shake;
pub use handshake::shake;
pub use identity::Identity;
pub use identity::ReadStoreError;
pub use identity::anchors;
pub use identity::components;
pub use identity::identity;
pub use links::LinkSeen;
pub use links::verify_link;
pub use links::verify_links;
pub use os::OsMachine;
pub use secrets::Vault;
pub use secrets::source_name;
pub use tree::Tree;

/// The files of a fleet's host, as a run replaces them; `None` where the host is not on this machine.
pub fn machine(vault: &Vault, host: &str) -> Option<OsMachine> {
    let tree = vault.trees().get(host)?;
    Some(OsMachine::new(tree.root().map(std::path::Path::to_owned)))
}
