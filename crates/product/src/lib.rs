//! What each product reads, and how it changes.
//!
//! A [`Component`] is one running process: its stores, settings, listening
//! addresses and the peers it dials, in the words of `capgrow.toml`. A product
//! file finds components in a host's file tree and says, for a rotation, which
//! files change when the component grows, switches and retires: [`Changes`].
//! Nothing here touches the world; files come through [`HostFiles`].

mod change;
mod component;
pub mod edit;
mod files;
pub mod generic;
pub mod liberty;
#[cfg(test)]
mod map_files;
mod order;
mod procedure;
mod realise;
pub mod workload_automation;

pub use change::Change;
pub use change::Changes;
pub use change::Content;
pub use change::FileEdit;
pub use change::Rotation;
pub use change::SettingChange;
pub use change::SettingEdit;
pub use change::StoreEdit;
pub use component::ClientCertificate;
pub use component::Command;
pub use component::Component;
pub use component::Dial;
pub use component::Effective;
pub use component::Healthy;
pub use component::Holds;
pub use component::Listen;
pub use component::Means;
pub use component::ProcessRef;
pub use component::Secret;
pub use component::Selects;
pub use component::Setting;
pub use component::StoreFile;
pub use component::Syntax;
pub use files::AskError;
pub use files::FileEntry;
pub use files::FileKind;
pub use files::HostFiles;
pub use files::ReadError;
pub use files::SecretError;
pub use files::Secrets;
pub use order::Order;
pub use order::OrderEvent;
pub use order::document_orders;
pub use procedure::Again;
pub use procedure::FILE;
pub use procedure::Line;
pub use procedure::Look;
pub use procedure::Procedure;
pub use procedure::Shown;
pub use procedure::State;
pub use realise::Bench;
pub use realise::Outcome;
pub use realise::RealiseError;
pub use realise::realise;

/// The subject DNs of a product's own default certificates; `None` where the product has none that is known here.
pub fn default_subjects(product: &str) -> Option<Vec<&'static str>> {
    // Source: Workload Automation, coexistence of default and custom certificates, section 4.
    const WORKLOAD_AUTOMATION: [&str; 4] = [
        "CN=Server,OU=TWS,O=IBM,C=US",
        "CN=ServerNew,OU=TWS,O=IBM,C=US",
        "CN=Client,OU=TWS,O=IBM,C=US",
        "CN=ClientNew,OU=TWS,O=IBM,C=US",
    ];
    (product == "workload-automation").then(|| WORKLOAD_AUTOMATION.to_vec())
}

/// Whether a list of allowed names lets this peer in, by the product's own rule; without one, by exact CN or DN.
///
/// Workload Automation's broker asks agents only, takes its items as prefixes of the CN, and admits the product's own
/// default clients without one. Source: domain specification B.4 (`Broker.AuthorizedCNs`), E-49.
pub fn admits(verifier: &Component, prover: &Component, list: &[String], name: &str, subject: &str) -> bool {
    if verifier.product == workload_automation::PRODUCT {
        let is_agent = prover.role == "DA";
        let is_default = matches!(name, "Client" | "ClientNew");
        let listed = list
            .iter()
            .any(|item| !item.is_empty() && name.starts_with(item.as_str()));
        return !is_agent || is_default || listed;
    }
    list.iter().any(|item| item == name || item == subject)
}

/// Whose verdict counts where the component verifies with this store: parts of one process may have runtimes of their
/// own.
pub fn runtime_of(component: &Component, store: &str) -> String {
    let own = match component.product.as_str() {
        workload_automation::PRODUCT => workload_automation::runtime_of(component, store),
        _ => None,
    };
    own.map_or_else(|| component.runtime.clone(), str::to_owned)
}

/// Whether the product marks this component's switch as a part of retirement: coexistence leaves it for later.
pub fn switches_at_retirement(component: &Component) -> bool {
    workload_automation::switches_at_retirement(component)
}

/// The state flags of the workstation `name` in what the product's status command printed.
///
/// # Errors
/// [`NotLinked`] where it is not listed, or its flags do not show it linked and ready.
pub fn linked(said: &str, name: &str) -> Result<String, NotLinked> {
    use workload_automation::conman;
    let shown = conman::parse(said)
        .into_iter()
        .find(|shown| shown.name.eq_ignore_ascii_case(name));
    match shown {
        Some(shown) if shown.is_linked() => Ok(shown.flags),
        Some(shown) => Err(NotLinked {
            name: name.to_owned(),
            said: format!("its flags are `{}`", shown.flags),
        }),
        None => Err(NotLinked {
            name: name.to_owned(),
            said: "it is not listed".to_owned(),
        }),
    }
}

/// A workstation that is not linked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not linked: {said}")]
pub struct NotLinked {
    /// The workstation.
    pub name: String,
    /// What was seen.
    pub said: String,
}
