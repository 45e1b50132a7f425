//! Workload Automation: its processes found by layout, its links from settings and definitions, and what its files
//! become in a rotation. Source: domain specification, parts A and B.

mod changes;
mod content;
mod layout;
mod links;
mod orders;
mod parts;
mod scan;
mod security;
#[cfg(test)]
mod test_fleet;

pub mod conman;
pub mod definitions;
pub mod state_table;

pub use changes::changes;
pub use changes::switches_at_retirement;
pub use content::EntryContent;
pub use content::EntryKind;
pub use content::StoreContent;
pub(crate) use links::option;
pub use orders::document_orders;
pub use scan::FirstChange;
pub use scan::Found;
pub use scan::Question;
pub use scan::ScanContext;
pub use scan::scan;

/// The product's name in the fleet file.
pub const PRODUCT: &str = "workload-automation";

/// The list of names that the broker lets in.
const AUTHORIZED_CNS: &str = "Broker.AuthorizedCNs";
/// Below the data directory.
const BROKER_PROPERTIES: &str = "broker/config/BrokerWorkstation.properties";

/// The runtime of a store where it is not the component's: an agent's Java part reads the JKS beside GSKit's database.
/// A runtime that a person wrote down counts for all of its stores. Source: domain specification B.3.
pub fn runtime_of(component: &crate::component::Component, store: &str) -> Option<&'static str> {
    let is_java_part = component.role == "DA" && store == "jks" && component.runtime == parts::GSKIT;
    is_java_part.then_some(parts::JAVA_OLD)
}

/// Which process a component is, by the names of its id and stores: those that a scan gives.
fn kind_of(component: &crate::component::Component) -> Option<parts::Kind> {
    let has = |id: &str| component.store(id).is_some();
    match component.role.as_str() {
        "DA" => Some(parts::Kind::Agent),
        "DWC" => Some(parts::Kind::Console),
        _ if has("keystore") || has("truststore") => Some(parts::Kind::Engine),
        _ if has("id") || has("ca") || has("cms") => Some(parts::Kind::Netman),
        _ => None,
    }
}
