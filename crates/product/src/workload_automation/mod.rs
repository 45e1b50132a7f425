//! Workload Automation: its processes found by layout, its links from settings and definitions, and what its files
//! become in a rotation. Source: domain specification, parts A and B.

mod layout;
mod links;
mod parts;
mod scan;

pub mod conman;
pub mod definitions;

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
